"""Cells of CSV that are safe to open."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules.csvtext import FORMULA, cell, document

CELLS = [
    (None, ""),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-300, "-300"),
    ("-0.300", "-0.300"),
    ("ann@x.test", "ann@x.test"),
    ("=1+1", "'=1+1"),
    ("+49 30 1", "'+49 30 1"),
    ("-1+1", "'-1+1"),
    ("-", "'-"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("|calc", "'|calc"),
    ("  =1", "'  =1"),
    ("\t=1", "'\t=1"),
    ("\r=1", "'\r=1"),
    ("\0=1", "'=1"),
    ("＝1", "'＝1"),
    ("a=1", "a=1"),
]


def test_S13_a_cell_is_no_formula() -> None:
    for value, wanted in CELLS:
        assert cell(value) == wanted, value


def test_a_document_is_rfc_4180() -> None:
    assert document(["a", "b"], [['x "y"', "1,2"], ["l\nm", None]]) == 'a,b\r\n"x ""y""","1,2"\r\n"l\nm",\r\n'


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_whatever_goes_in_no_cell_starts_a_formula(texts: list[str]) -> None:
    _, read = csv.reader(io.StringIO(document(["a"] * len(texts), [texts]), newline=""))
    for text in read:
        computed = text.lstrip()[:1] in FORMULA and text.lstrip() != ""
        assert not computed or text.lstrip("-").replace(".", "", 1).isdigit()
