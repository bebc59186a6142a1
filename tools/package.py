"""`make package`: app.py, chalicelib/, their dependencies and infra/ as template.yaml and deployment.zip."""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools import template

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURES = ("arm64", "x86_64")
ELF_MACHINE = {"x86_64": 62, "arm64": 183}
#: What chalicelib/aws calls. botocore describes 400 services, half of the package; the others' descriptions
#: would only make every cold start longer.
SERVICES = frozenset({"dynamodb", "s3", "ses", "sesv2", "sqs", "stepfunctions"})
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


def _copy(source: Path, work: Path) -> None:
    """The parts Chalice needs, in a directory of their own; its cache of dependencies there survives."""
    (work / ".chalice").mkdir(parents=True, exist_ok=True)
    shutil.rmtree(work / "chalicelib", ignore_errors=True)
    shutil.copytree(
        source / "chalicelib", work / "chalicelib", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    for name in ("app.py", "requirements.txt"):
        shutil.copy(source / name, work / name)
    shutil.copy(ROOT / ".chalice" / "config.json", work / ".chalice" / "config.json")
    (work / "merge.json").write_text(json.dumps(template.whole()))


def _chalice(work: Path, architecture: str) -> None:
    """`chalice package`. The stage and region only matter to code that runs while packaging."""
    command = [str(Path(sys.executable).with_name("chalice")), "package", "--stage", architecture]
    command += ["--merge-template", "merge.json", "out"]
    environment = {**os.environ, "STAGE": "package", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"chalice package failed:\n{done.stdout}{done.stderr}")
    if "Could not install dependencies" in done.stdout + done.stderr:
        raise PackageError(f"a dependency has no wheel for {architecture}:\n{done.stdout}{done.stderr}")


def needed(name: str) -> bool:
    """Whether a file of the zip is shipped."""
    parts = name.split("/")
    described = parts[:2] == ["botocore", "data"] and len(parts) > 3
    return not described or parts[2] in SERVICES


def slim(source: Path, target: Path) -> None:
    """Copy a zip without what is not needed."""
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as kept:
        for entry in whole.infolist():
            if needed(entry.filename):
                kept.writestr(entry, whole.read(entry))


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
    foreign = [name for name, machine in machines(code).items() if machine != ELF_MACHINE[architecture]]
    if foreign:
        raise PackageError(f"compiled for another machine than {architecture}: {foreign}")
    return size


def build(architecture: str, out: Path, source: Path = ROOT) -> Package:
    """Build into `out`. Dependencies are fetched only when requirements.txt has changed."""
    work = ROOT / "build" / f"chalice-{architecture}"
    if source != ROOT:
        work = out / "chalice"
    _copy(source, work)
    _chalice(work, architecture)
    out.mkdir(parents=True, exist_ok=True)
    built = json.loads((work / "out" / "sam.json").read_text())
    result = Package(out / "template.yaml", out / "deployment.zip", 0)
    result.template.write_text(yaml.safe_dump(built, sort_keys=False, width=200))
    slim(work / "out" / "deployment.zip", result.code)
    return Package(result.template, result.code, check(result.code, architecture))


def main() -> None:
    """Command line: `python -m tools.package [--arch arm64|x86_64] [--out build/package]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arch", choices=ARCHITECTURES, default="arm64")
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
