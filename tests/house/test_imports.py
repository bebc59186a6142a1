"""Who may import whom (ARCHITECTURE.md, Rooms): the direction is kept by this test."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIB = ROOT / "chalicelib"

#: A room may import from itself and from these.
MAY: dict[str, frozenset[str]] = {
    "rules": frozenset(),
    "mime": frozenset({"rules"}),
    "aws": frozenset({"rules"}),
    "store": frozenset({"aws", "rules"}),
    "services": frozenset({"store", "aws", "mime", "rules", "settings"}),
    "jmap": frozenset({"services", "store", "mime", "aws", "rules", "settings"}),
    "events": frozenset({"services", "aws", "rules", "settings"}),
    "gateway": frozenset({"services", "mime", "aws", "rules", "settings"}),
    "api": frozenset({"jmap", "services", "aws", "rules", "settings"}),
    "settings": frozenset(),
}
#: Packages that only one room may touch.
ONLY = {"boto3": "aws", "botocore": "aws", "dns": "aws", "chalice": "api"}
FILES = sorted(LIB.rglob("*.py"))


def room(path: Path) -> str:
    """The room a file belongs to."""
    return path.relative_to(LIB).parts[0].removesuffix(".py")


def imported(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of every import, `from a import b` as both a and a.b."""
    names: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            names += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for line, name in imported(path):
        top, _, rest = name.partition(".")
        where = f"{path.relative_to(ROOT)}:{line} imports {name}"
        if top == "chalicelib":
            there = rest.split(".")[0]
            assert there == here or there in MAY[here], where
        elif top in ONLY:
            assert here == ONLY[top], where
        elif here == "rules":
            assert top in sys.stdlib_module_names, where
            assert top not in {"time", "random", "os", "secrets", "socket", "threading"}, where
        else:
            assert top not in {"local", "tests", "bench", "tools", "moto", "app"}, where


def test_every_room_is_known() -> None:
    assert {room(path) for path in FILES} - {"__init__"} == set(MAY)


def test_importing_the_app_makes_no_client() -> None:
    """Cold starts pay for what they use: no boto3 client, and no settings, before the first event."""
    code = (
        "import sys, botocore.session as s\n"
        "def refuse(*a, **k): raise AssertionError('client made at import')\n"
        "s.Session.create_client = refuse\n"
        "import app\n"
        "assert 'chalicelib.services.platform' in sys.modules\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "STAGE": "test"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
