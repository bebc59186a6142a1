"""How contact cards are found and ordered (RFC 9610 §3.3): which texts a filter looks at, and what matches.

A search text is words, and phrases in quotes; all of them must be in one of the texts each, wherever they
stand in it, in any case and without accents: three letters find a name while it is typed.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from chalicelib.rules.words import plain

Json = dict[str, Any]
#: A phrase between quotes that stand where words begin and end, in which a backslash escapes; or a word.
_TOKEN = re.compile(r"""(?<!\S)(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')(?!\w)|(\S+)""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SEPARATOR = re.compile(r"\s+")


def needles(text: str) -> tuple[str, ...]:
    """What a search text asks for."""
    asked = (_ESCAPED.sub(r"\1", double or single) or word for double, single, word in _TOKEN.findall(text))
    found = [_SEPARATOR.sub(" ", plain(one)) for one in asked]
    return tuple(dict.fromkeys(n for n in found if n.strip()))


def contains(texts: Iterator[str], wanted: tuple[str, ...]) -> bool:
    """Whether everything that is wanted is in one of the texts, not all of it in the same."""
    missing = set(wanted)
    for text in texts:
        if not missing:
            break
        folded = _SEPARATOR.sub(" ", plain(text))
        missing = {needle for needle in missing if needle not in folded}
    return not missing


# ------------------------------------------------------------------------------------------------------ texts
def _entries(card: Json, name: str) -> Iterator[Json]:
    yield from card.get(name, {}).values()


def _some(entry: Json, *names: str) -> Iterator[str]:
    for name in names:
        if name in entry:
            yield entry[name]


def components(holder: Json, kind: str = "") -> Iterator[str]:
    """Values of a name's or an address's components, of one kind or of all."""
    for one in holder.get("components", ()):
        if kind in ("", one["kind"]):
            yield one["value"]


def _name(card: Json) -> Iterator[str]:
    name = card.get("name", {})
    yield from _some(name, "full")
    yield " ".join(components(name))


def _part(kind: str) -> Callable[[Json], Iterator[str]]:
    return lambda card: components(card.get("name", {}), kind)


def _of(name: str, *fields: str) -> Callable[[Json], Iterator[str]]:
    def texts(card: Json) -> Iterator[str]:
        for entry in _entries(card, name):
            yield from _some(entry, *fields)

    return texts


def _organization(card: Json) -> Iterator[str]:
    for entry in _entries(card, "organizations"):
        yield from _some(entry, "name")
        yield from (unit["name"] for unit in entry.get("units", ()))


def _address(card: Json) -> Iterator[str]:
    for entry in _entries(card, "addresses"):
        yield from _some(entry, "full", "countryCode")
        yield " ".join(components(entry))


def _phone(card: Json) -> Iterator[str]:
    """A number also as its digits alone, however it is written."""
    for entry in _entries(card, "phones"):
        yield from _some(entry, "number", "label")
        yield re.sub(r"[^0-9+]", "", entry["number"])


#: Conditions on texts.
TEXTS: dict[str, Callable[[Json], Iterator[str]]] = {
    "name": _name,
    "name/given": _part("given"),
    "name/surname": _part("surname"),
    "name/surname2": _part("surname2"),
    "nickname": _of("nicknames", "name"),
    "organization": _organization,
    "email": _of("emails", "address", "label"),
    "phone": _phone,
    "onlineService": _of("onlineServices", "service", "uri", "user", "label"),
    "address": _address,
    "note": _of("notes", "note"),
}
_ALSO = (_of("titles", "name"), _of("personalInfo", "value", "label"), _of("links", "uri", "label"))


def _anything(card: Json) -> Iterator[str]:
    """Everything that a person would read on the card."""
    for texts in _READ:
        yield from texts(card)
    yield from card.get("keywords", {})


_READ = (*TEXTS.values(), *_ALSO)
TEXTS["text"] = _anything


# ------------------------------------------------------------------------------------------------------ order
def _named(kind: str) -> Callable[[Json], str]:
    """A part of the name, as the card would have it sorted."""

    def text(card: Json) -> str:
        name = card.get("name", {})
        return str(name.get("sortAs", {}).get(kind, " ".join(components(name, kind))))

    return text


#: What cards are ordered by; one without it comes first (RFC 9610 §3.3.2).
SORTS: dict[str, Callable[[Json], str]] = {
    "created": lambda card: str(card.get("created", "")),
    "updated": lambda card: str(card.get("updated", "")),
    "name/given": _named("given"),
    "name/surname": _named("surname"),
    "name/surname2": _named("surname2"),
}
SORTED_TEXTS = frozenset(name for name in SORTS if name.startswith("name/"))
