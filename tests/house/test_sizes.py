"""Files that fit in a head, functions that fit on a screen."""

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("chalicelib", "local", "tools", "bench")
CODE = [ROOT / "app.py", *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
FRONT = sorted((ROOT / "webmail-frontend" / "src").rglob("*.ts*"))
LONGEST_FILE = 500
LONGEST_FUNCTION = 50


def functions(path: Path) -> list[tuple[str, int]]:
    """(name, lines) of every function in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno
            found.append((f"{path.relative_to(ROOT)}:{node.name}", node.end_lineno - node.lineno + 1))
    return found


def test_no_file_is_longer_than_500_lines() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in CODE + FRONT if (n := p.read_text().count("\n")) > LONGEST_FILE
    }
    assert not long


def test_no_function_is_longer_than_50_lines() -> None:
    assert not [row for path in CODE for row in functions(path) if row[1] > LONGEST_FUNCTION]


def test_functions_are_small_as_a_whole() -> None:
    """Median at most 12 lines, nine in ten at most 26: the house's marks, with docstrings counted."""
    sizes = sorted(size for path in CODE for _, size in functions(path))
    assert statistics.median(sizes) <= 12
    assert sizes[int(len(sizes) * 0.9)] <= 26
