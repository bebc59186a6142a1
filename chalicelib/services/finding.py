"""Search in mailboxes: words are looked up in ranges of an index in parts, which `indexing` keeps up.

A search first takes in what has come since, so it finds what was delivered a moment ago. A mailbox of 200,000
messages has some twenty parts, read all at once: directories (kept by a warm process), words, documents.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from chalicelib import mime
from chalicelib.rules import words
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Row
from chalicelib.services import indexing
from chalicelib.services.platform import Platform
from chalicelib.store import segments
from chalicelib.store.searchindex import Part
from chalicelib.store.segments import Directory, Document

FIELDS = indexing.FIELDS
TEXT = 63  # all of them
READERS = 32  # reads at once
AHEAD = 128  # documents that are read together: a page, and what of it may be gone
SHOWN_OF = 1_048_576  # octets of a message in which its snippet is sought
OPENED = 8  # messages read at once


@dataclass(frozen=True, slots=True)
class Term:
    """A word that must be in one of some fields; `prefix`: or one that begins so."""

    word: str
    prefix: bool
    fields: int


def terms(text: str, field: str) -> list[Term]:
    """What a text asks for in a field ("text": in any). All must be there; nothing: everything is found."""
    fields = FIELDS.get(field, TEXT)
    return [Term(word, prefix, fields) for word, prefix in words.asked(text)]


@dataclass(frozen=True, slots=True)
class Opened:
    """A part with what was asked of it: documents by term."""

    part: Part
    directory: Directory
    read: segments.Read
    found: Mapping[Term, frozenset[int]]


def look(p: Platform, acct: str, wanted: Sequence[Term]) -> list[Opened]:
    """Every part with the documents that hold each term. Raises ServiceError unavailable."""
    manifest = indexing.caught_up(p, acct)
    reads = [partial(_range, p, part.key) for part in manifest.parts]
    with ThreadPoolExecutor(READERS) as pool:
        directories = list(pool.map(partial(_directory, p), manifest.parts, reads))
        found = [
            {term: pool.submit(_numbers, directory, read, term) for term in wanted}
            for directory, read in zip(directories, reads, strict=True)
        ]
        return [
            Opened(part, directory, read, {term: numbers.result() for term, numbers in those.items()})
            for part, directory, read, those in zip(manifest.parts, directories, reads, found, strict=True)
        ]


def _range(p: Platform, key: str, start: int, end: int) -> bytes:
    """Octets of a part. One that is named no more stays for two days: no search takes longer."""
    try:
        return p.blobs.get_range(key, start, end)
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        raise ServiceError("unavailable", "The search took too long. Please try again.") from error


def _directory(p: Platform, part: Part, read: segments.Read) -> Directory:
    """A directory never changes: a warm process has it."""
    known = p.directories.get(part.key)
    if known is None:
        known = segments.directory(read(part.size - part.head, part.size))
        p.directories.put(part.key, known)
    return known


def _numbers(directory: Directory, read: segments.Read, term: Term) -> frozenset[int]:
    listed = segments.postings(directory, read, term.word, term.prefix)
    return frozenset(number for number, fields in listed if fields & term.fields)


Choose = Callable[[Opened], set[int]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that may be what is looked for."""

    id: str
    part: Opened
    number: int


class _Next(NamedTuple):
    """The next document of a part."""

    time: int
    id: str
    part: int
    number: int


def in_order(parts: Sequence[Opened], choose: Choose, ascending: bool = False) -> Iterator[Hit]:
    """What `choose` names in each part, newest first; an id once. Parts are read when their time comes."""
    sign = 1 if ascending else -1
    firsts = [sign * (opened.part.oldest if ascending else opened.part.newest) for opened in parts]
    # By time; a part that is not read yet stands at its first document's, without an id.
    waiting = [_Next(first, "", at, -1) for at, first in enumerate(firsts)]
    heapify(waiting)
    unread = sorted(range(len(parts)), key=lambda at: (firsts[at], at))
    readers: dict[int, Iterator[tuple[Document, int]]] = {}
    seen: set[str] = set()
    while waiting:
        _, id, at, number = heappop(waiting)
        if at not in readers:
            readers |= _opened(parts, unread, choose, ascending)
        elif id and id not in seen:
            seen.add(id)
            yield Hit(id, parts[at], number)
        if following := next(readers[at], None):
            document, place = following
            heappush(waiting, _Next(sign * document.at, document.id, at, place))


def _opened(
    parts: Sequence[Opened], unread: list[int], choose: Choose, ascending: bool
) -> dict[int, Iterator[tuple[Document, int]]]:
    """Readers of the next parts that together have AHEAD documents, with their first ones read at once."""
    numbers: dict[int, list[int]] = {}
    while unread and sum(map(len, numbers.values())) < AHEAD:
        at = unread.pop(0)
        numbers[at] = sorted(choose(parts[at]), reverse=not ascending)
    with ThreadPoolExecutor(READERS) as pool:
        heads = list(pool.map(lambda at: _documents(parts[at], numbers[at][:AHEAD]), numbers))
    return {at: _chosen(parts[at], numbers[at], head) for at, head in zip(numbers, heads, strict=True)}


def _chosen(part: Opened, numbers: list[int], head: list[Document]) -> Iterator[tuple[Document, int]]:
    yield from zip(head, numbers, strict=False)
    for start in range(AHEAD, len(numbers), AHEAD):
        some = numbers[start : start + AHEAD]
        yield from zip(_documents(part, some), some, strict=True)


def _documents(part: Opened, numbers: list[int]) -> list[Document]:
    return segments.some_documents(part.directory, part.read, numbers) if numbers else []


# ----------------------------------------------------------------------------------------- of the messages
@dataclass(frozen=True, slots=True)
class Content:
    """What no index has of a message, as far as its first megabyte goes. `texts`: by the names of FIELDS;
    `fields`: of its header, names in lower case."""

    texts: Mapping[str, str]
    fields: Sequence[tuple[str, str]]

    def has(self, phrase: str, field: str) -> bool:
        """Whether a phrase (`words.phrases`) stands in a field, or in any ("text")."""
        among = self.texts.values() if field == "text" else [self.texts[field]]
        return any(words.has_phrase(text, phrase) for text in among)

    def has_field(self, name: str, value: str | None) -> bool:
        """Whether there is a header field of a name, with a value in it that has this text."""
        wanted = words.plain(value or "")
        return any(n == name.lower() and wanted in words.plain(text) for n, text in self.fields)


NOTHING = Content(dict.fromkeys(FIELDS, ""), ())


def contents(p: Platform, rows: Sequence[Row]) -> dict[str, Content]:
    """Of emails by id: one GET each, eight at once."""
    with ThreadPoolExecutor(OPENED) as pool:
        return dict(zip((row.id for row in rows), pool.map(partial(_content, p), rows), strict=True))


def _content(p: Platform, row: Row) -> Content:
    raw = _beginning(p, row)
    if not raw:
        return NOTHING
    fields = [(name.lower(), mime.text_of(value)) for name, value in mime.header_fields(raw)]
    return Content(mime.searchable(raw), fields)


def bodies(p: Platform, rows: Sequence[Row]) -> dict[str, str]:
    """The texts of emails by id, as far as the first megabyte has them: one GET each, eight at once."""
    with ThreadPoolExecutor(OPENED) as pool:
        return dict(zip((row.id for row in rows), pool.map(partial(_body, p), rows), strict=True))


def _body(p: Platform, row: Row) -> str:
    return mime.searchable(_beginning(p, row))["body"]


def _beginning(p: Platform, row: Row) -> bytes:
    """The first megabyte of a message; nothing of one that is gone meanwhile."""
    try:
        return p.blobs.get_range(row.blob, 0, min(row.size, SHOWN_OF)) if row.size else b""
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        return b""
