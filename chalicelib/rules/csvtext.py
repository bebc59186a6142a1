"""CSV as it is handed out (RFC 4180), with cells that no spreadsheet takes for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

TYPE = "text/csv; charset=utf-8"
#: What starts a formula in Excel, LibreOffice or Google Sheets, wide forms included.
FORMULA = "=+-@＝＋－＠|"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def cell(value: object) -> str:
    """A value as a cell: None is empty, booleans are true and false.

    A text that a spreadsheet would compute is led by an apostrophe, which makes it text; so is one that
    hides behind white space. Numbers stay numbers, negative ones too. Control characters are left out.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _CONTROL.sub("", str(value))
    bare = text.lstrip()
    risky = bare.startswith(tuple(FORMULA)) and not _NUMBER.fullmatch(text)
    return f"'{text}" if risky or text[:1] in ("\t", "\r", "\n") else text


def document(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A whole file: a header line, then a line a row."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([cell(name) for name in header])
    writer.writerows([cell(value) for value in row] for row in rows)
    return out.getvalue()
