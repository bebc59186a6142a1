"""What a found message shows of the words it was found by (RFC 8621 §5): HTML of text and <mark> alone."""

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice

from chalicelib.rules import words

MOST = 255  # octets of an excerpt, marks included
LOOKED_AT = 100_000  # characters of a text in which its excerpt is sought
MATCHES = 1_000
BEFORE = 40  # characters that lead to the first word marked
TOGETHER = 160  # characters: words that an excerpt may show at once
OPEN, CLOSE = "<mark>", "</mark>"

Wanted = Sequence[tuple[str, bool]]  # as rules.words.asked gives it
Span = tuple[int, int]


def marked(text: str, wanted: Wanted) -> str | None:
    """The whole text with every word that was asked for marked; None: it has none of them."""
    text = unicodedata.normalize("NFC", text)
    spans = _joined((start, end) for start, end, _ in islice(words.places(text, wanted), MATCHES))
    if not spans:
        return None
    out, at = [], 0
    for start, end in spans:
        out += [_escaped(text[at:start]), OPEN, _escaped(text[start:end]), CLOSE]
        at = end
    return "".join(out) + _escaped(text[at:])


def excerpt(text: str, wanted: Wanted) -> str | None:
    """The piece of a text that shows most of what was asked for, in one line; None: it has none of it."""
    text = unicodedata.normalize("NFC", " ".join(text[:LOOKED_AT].split()))
    found = list(islice(words.places(text, wanted), MATCHES))
    if not found:
        return None
    start = _beginning(text, _richest(found))
    return _cut(text, start, [s for s in _joined((a, b) for a, b, _ in found) if s[0] >= start])


def _richest(found: Sequence[tuple[int, int, str]]) -> int:
    """Where the most different words stand together; the first of such places."""
    best, most = 0, 0
    for number, (start, _, _) in enumerate(found):
        near = {word for at, _, word in found[number : number + 20] if at < start + TOGETHER}
        if len(near) > most:
            best, most = start, len(near)
    return best


def _beginning(text: str, first: int) -> int:
    """Where an excerpt begins: some words before the first that is marked."""
    start = max(0, first - BEFORE)
    return text.find(" ", start, first) + 1 or start if start else 0


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans that touch or overlap as one."""
    out: list[Span] = []
    for start, end in spans:
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], max(end, out[-1][1])
        else:
            out.append((start, end))
    return out


def _cut(text: str, at: int, spans: Sequence[Span]) -> str:
    """Text from a place on with its spans marked, as much as there is room for."""
    out: list[str] = []
    room = MOST
    for start, end in [*spans, (len(text), len(text))]:
        plain = _fitting(text[at:start], room)
        out.append(_escaped(plain))
        room -= len(out[-1].encode())
        inside = _fitting(text[start:end], room - len(OPEN + CLOSE)) if len(plain) == start - at else ""
        if inside:
            out.append(f"{OPEN}{_escaped(inside)}{CLOSE}")
            room -= len(out[-1].encode())
        if len(inside) < end - start:
            break
        at = end
    return "".join(out)


def _fitting(text: str, room: int) -> str:
    """As many characters as fit, escaped, into so many octets."""
    for number, character in enumerate(text):
        room -= len(_escaped(character).encode())
        if room < 0:
            return text[:number]
    return text


def _escaped(text: str) -> str:
    return escape(text, quote=False)
