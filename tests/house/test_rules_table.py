"""The table of rules in ARCHITECTURE.md: every rule has a row, and whatever a row names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines()
    if re.match(r"\| S\d+ \|", line)
]


def named(cell: str) -> list[str]:
    """What is in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def test_every_rule_has_a_row() -> None:
    assert [row[0] for row in ROWS] == [f"S{number}" for number in range(1, 42)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_a_row_names_exists(row: list[str]) -> None:
    _, _, decided, applied, shown = row
    for module in named(decided) + named(applied):
        places = [ROOT / "chalicelib" / f"{module}.py", ROOT / "chalicelib" / module, ROOT / module]
        assert any(place.exists() for place in places), module
    tests = named(shown)
    assert tests
    for test in tests:
        path, _, function = test.partition("::")
        assert f"def {function}(" in (ROOT / "tests" / path).read_text(), test
