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
READERS = 32  # parts read at once
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

    def documents(self, numbers: Sequence[int]) -> Iterator[Document]:
        """Documents by number, in that order, block by block as they are wanted."""
        block, held = -1, []
        for number in numbers:
            if number // segments.DOCS_A_BLOCK != block:
                block = number // segments.DOCS_A_BLOCK
                held = segments.documents(self.directory, self.read, block)
            yield held[number % segments.DOCS_A_BLOCK]


def look(p: Platform, acct: str, wanted: Sequence[Term]) -> list[Opened]:
    """Every part with the documents that hold each term. Raises ServiceError unavailable."""
    manifest = indexing.caught_up(p, acct)
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda part: _open(p, part, wanted), manifest.parts))


def _open(p: Platform, part: Part, wanted: Sequence[Term]) -> Opened:
    read = partial(_range, p, part.key)
    directory = _directory(p, part, read)
    found = {term: _numbers(directory, read, term) for term in wanted}
    return Opened(part, directory, read, found)


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
    """What `choose` names in each part, newest first; an id once. A part is read when its time comes."""
    sign = 1 if ascending else -1
    firsts = [opened.part.oldest if ascending else opened.part.newest for opened in parts]
    # By time; a part that is not read yet stands at its first document's, without an id.
    waiting = [_Next(sign * first, "", at, -1) for at, first in enumerate(firsts)]
    heapify(waiting)
    readers: dict[int, Iterator[tuple[Document, int]]] = {}
    seen: set[str] = set()
    while waiting:
        _, id, at, number = heappop(waiting)
        if at not in readers:
            readers[at] = _chosen(parts[at], choose, ascending)
        elif id not in seen:
            seen.add(id)
            yield Hit(id, parts[at], number)
        if following := next(readers[at], None):
            document, place = following
            heappush(waiting, _Next(sign * document.at, document.id, at, place))


def _chosen(opened: Opened, choose: Choose, ascending: bool) -> Iterator[tuple[Document, int]]:
    numbers = sorted(choose(opened), reverse=not ascending)
    return zip(opened.documents(numbers), numbers, strict=True)


# ---------------------------------------------------------------------------------------------- for snippets
def bodies(p: Platform, rows: Sequence[Row]) -> dict[str, str]:
    """The texts of emails by id, as far as the first megabyte has them: one GET each, eight at once."""
    with ThreadPoolExecutor(OPENED) as pool:
        return dict(zip((row.id for row in rows), pool.map(partial(_body, p), rows), strict=True))


def _body(p: Platform, row: Row) -> str:
    """Nothing of one that is gone meanwhile."""
    try:
        raw = p.blobs.get_range(row.blob, 0, min(row.size, SHOWN_OF)) if row.size else b""
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        return ""
    return mime.searchable(raw)["body"]
