"""The JMAP tables of RFC.md: each section of RFC 8620 and 8621 has a row, and a yes names a test."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" |")]
    for line in (ROOT / "RFC.md").read_text().partition("\n## JMAP")[2].splitlines()
    if line.startswith("| RFC ")
]
#: Sections of the two standards, down to where one has something to keep of its own.
SECTIONS = {
    "RFC 8620": "1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 2 2.1 2.2 3.1 3.2 3.3 3.4 3.5 3.6 3.6.1 3.6.2 3.7 3.8 3.9"
    " 3.10 4 5.1 5.2 5.3 5.4 5.5 5.6 5.7 5.8 6.1 6.2 6.3 7.1 7.2 7.2.1 7.2.2 7.3 8.1 8.2 8.3 8.4 8.5 8.6"
    " 8.7 8.8",
    "RFC 8621": "1.3 1.4 1.5 1.6 2 2.1 2.2 2.3 2.4 2.5 3 3.1 3.2 4.1.1 4.1.2 4.1.3 4.1.4 4.2 4.3 4.4 4.4.1"
    " 4.4.2 4.4.3 4.5 4.6 4.7 4.8 4.9 5 5.1 6 6.1 6.2 6.3 7 7.1 7.2 7.3 7.4 7.5 8 8.1 8.2 9.1 9.2 9.3 9.4 9.5"
    " 9.6",
}


def named(cell: str) -> list[str]:
    """Tests named in backquotes."""
    return [name for name in re.findall(r"`([^`]+)`", cell) if "test_" in name]


@pytest.mark.parametrize("standard", SECTIONS)
def test_every_section_has_one_row(standard: str) -> None:
    told = [n for row in ROWS if row[0] == standard for n in re.findall(r"§([\d.]*\d)", row[1])]
    assert sorted(told) == sorted(SECTIONS[standard].split())


def test_rows_that_say_yes_name_tests_and_all_that_are_named_exist() -> None:
    for standard, section, kept, where in ROWS:
        assert kept in ("yes", "partly", "no", "–"), section
        if kept in ("yes", "partly"):
            assert named(where), (standard, section)
        for test in named(where):
            path, _, function = test.partition("::")
            text = (ROOT / "tests" / path).read_text()
            assert not function or f"def {function}(" in text, (section, test)
