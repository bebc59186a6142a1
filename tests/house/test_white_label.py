"""S1: no text that the service can say names the operator or what runs it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from chalicelib.rules.brands import OPERATOR_WORDS, operator_words

ROOT = Path(__file__).resolve().parents[2]
LIB = ROOT / "chalicelib"
#: Texts that nobody reads, or that cannot be otherwise (docs/white-label.md). File → the words it may have.
ALLOWED = {
    "rules/brands.py": set(OPERATOR_WORDS),
    "events/arrivals.py": {"amazonses"},
    "rules/dnsrecords.py": {"amazonses"},
}


def texts(path: Path) -> Iterator[str]:
    """Every text of a file but its docstrings."""
    tree = ast.parse(path.read_text())
    told = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_S1_no_text_of_the_service_names_the_operator() -> None:
    found = {}
    for path in sorted(LIB.rglob("*.py")):
        name = str(path.relative_to(LIB))
        words = {w for text in texts(path) for w in operator_words(text)} - ALLOWED.get(name, set())
        if words and not name.startswith("aws/"):
            found[name] = words
    assert not found
