"""`make package`: app.py, chalicelib/, their dependencies and infra/ as template.yaml and deployment.zip."""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools import template

ROOT = Path(__file__).resolve().parents[1]
#: Lambda's word for a processor: its name in wheels, and its number in compiled files (ELF e_machine).
MACHINES = {"arm64": ("aarch64", 183), "x86_64": ("x86_64", 62)}
#: What chalicelib/aws calls. botocore describes 400 services, half of the package; the others' descriptions
#: would only make every cold start longer.
SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "ses", "sesv2", "sqs", "stepfunctions"})
LIMIT = 120 * 1024 * 1024  # bytes unzipped; Lambda itself takes 250 MB


class PackageError(Exception):
    """The package could not be built, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class Package:
    """What was built. `unzipped` is in bytes."""

    template: Path
    code: Path
    unzipped: int


def here() -> str:
    """This machine's architecture in Lambda's words."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def dependencies(architecture: str) -> Path:
    """A directory with what requirements.txt locks, for Lambda's processor; fetched when that has changed."""
    wanted = ROOT / "requirements.txt"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    recipe = wanted.read_bytes() + f"{architecture} {python} {sorted(SERVICES)}".encode()
    target = ROOT / "build" / f"dependencies-{hashlib.sha256(recipe).hexdigest()[:16]}"
    if not target.exists():
        half = target.with_suffix(f".{os.getpid()}")
        _install(wanted, half, architecture, python)
        _slim(half)
        half.rename(target)
    return target


def _install(wanted: Path, target: Path, architecture: str, python: str) -> None:
    """Wheels alone, by their hashes. Raises PackageError."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", python, "--target", str(target)]
    # Lambda's glibc: 2.26 below Python 3.12, 2.34 from there. pip does not count down by itself.
    for minor in range(5, 27 if sys.version_info < (3, 12) else 35):
        command += ["--platform", f"manylinux_2_{minor}_{MACHINES[architecture][0]}"]
    command += ["--platform", f"manylinux2014_{MACHINES[architecture][0]}", "-r", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
        raise PackageError(f"dependencies for {architecture}:\n{done.stderr}")


def _slim(target: Path) -> None:
    """Remove scripts, and the descriptions of services that are never called."""
    shutil.rmtree(target / "bin", ignore_errors=True)
    for described in (target / "botocore" / "data").iterdir():
        if described.is_dir() and described.name not in SERVICES:
            shutil.rmtree(described)


def _lay_out(work: Path, architecture: str) -> None:
    """A project for Chalice with the parts it needs: dependencies as its `vendor`, infra to be merged."""
    shutil.rmtree(work, ignore_errors=True)
    (work / ".chalice").mkdir(parents=True)
    shutil.copytree(
        ROOT / "chalicelib", work / "chalicelib", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    (work / "vendor").symlink_to(dependencies(architecture), target_is_directory=True)
    (work / "requirements.txt").touch()
    shutil.copy(ROOT / "app.py", work)
    shutil.copy(ROOT / ".chalice" / "config.json", work / ".chalice")
    (work / "merge.json").write_text(json.dumps(template.whole()))


def _chalice(work: Path, architecture: str) -> None:
    """`chalice package`. The stage and region only matter to code that runs while packaging."""
    command = [str(Path(sys.executable).with_name("chalice")), "package", "--stage", architecture]
    command += ["--merge-template", "merge.json", "out"]
    environment = {**os.environ, "STAGE": "package", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"chalice package failed:\n{done.stdout}{done.stderr}")


def _any_method(paths: dict[str, Any]) -> None:
    """One entry for each path in place of one a method: the app itself refuses what a path does not have, and
    answers HEAD. Without, API Gateway would refuse with 403, and the template would be four times as long.
    """
    for path, methods in paths.items():
        paths[path] = {"x-amazon-apigateway-any-method": next(iter(methods.values()))}


def machines(code: Path) -> dict[str, int]:
    """ELF machine number of each compiled file in a zip (ELF header, e_machine)."""
    found = {}
    with zipfile.ZipFile(code) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as member:
                head = member.read(20)
            if head.startswith(b"\x7fELF"):
                found[entry.filename] = int.from_bytes(head[18:20], "little")
    return found


def check(code: Path, architecture: str) -> int:
    """Bytes unzipped. Raises PackageError when too large or when a compiled file is for another machine."""
    with zipfile.ZipFile(code) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > LIMIT:
        raise PackageError(f"{size} bytes unzipped, {LIMIT} allowed")
    foreign = [name for name, machine in machines(code).items() if machine != MACHINES[architecture][1]]
    if foreign:
        raise PackageError(f"compiled for another machine than {architecture}: {foreign}")
    return size


def build(architecture: str, out: Path) -> Package:
    """Build into `out`. Raises PackageError."""
    out.mkdir(parents=True, exist_ok=True)
    work = out / "chalice"
    _lay_out(work, architecture)
    _chalice(work, architecture)
    built = json.loads((work / "out" / "sam.json").read_text())
    _any_method(built["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"])
    described, code = out / "template.yaml", out / "deployment.zip"
    described.write_text(yaml.safe_dump(built, sort_keys=False, width=200))
    shutil.move(work / "out" / "deployment.zip", code)
    shutil.rmtree(work)
    return Package(described, code, check(code, architecture))


def main() -> None:
    """Command line: `python -m tools.package [--arch arm64|x86_64] [--out build/package]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=sorted(MACHINES), default="arm64")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "package")
    arguments = parser.parse_args()
    try:
        package = build(arguments.arch, arguments.out)
    except PackageError as error:
        sys.exit(str(error))
    zipped = package.code.stat().st_size
    print(
        f"{package.template}\n{package.code}: {zipped / 1e6:.1f} MB, unzipped {package.unzipped / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
