"""Search in mailboxes: an index in parts, written some 64 messages at a time, read in ranges.

A search first takes in what has come since, so it finds what was delivered a moment ago. Between searches the
arrivals queue's worker asks for that every 64 changes or seven days, and parts of one size are merged eight
to one: a mailbox of 200,000 messages has some twenty.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import words
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Row
from chalicelib.services import mailbox
from chalicelib.services.platform import Platform
from chalicelib.store import segments
from chalicelib.store.searchindex import Manifest, Part
from chalicelib.store.segments import Directory, Document

FIELDS = {"from": 1, "to": 2, "cc": 4, "bcc": 8, "subject": 16, "body": 32}
TEXT = 63  # all of them
BATCH = 64  # messages of a new part
AT_ONCE = 512  # messages that a search takes in before it answers
FAN = 8  # parts of one size that are merged
LARGEST = 32_768  # messages of a part that is not merged any more
READERS = 16
UNNAMED = timedelta(days=2)  # a part that was merged may still be read by a search that began before
_UNREADABLE = ServiceError("unavailable", "The search index is being built. Please try again in a moment.")


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


# ------------------------------------------------------------------------------------------------ indexing
def take_in(p: Platform, acct: str, most: int) -> Manifest:
    """Index what has come since, at most so many messages; what is indexed then. Repeats do no harm."""
    manifest = p.indexes.get(acct) or Manifest(0, mailbox.state(p, acct).floor)
    taken = 0
    while taken < most:
        rows, following = _waiting(p, acct, manifest)
        if following == manifest:
            break
        if rows:
            following = replace(following, parts=(*following.parts, _written(p, acct, rows)))
        manifest = _saved(p, acct, manifest, following)
        taken += len(rows)
    return manifest


def _saved(p: Platform, acct: str, was: Manifest, following: Manifest) -> Manifest:
    """The manifest as it is now: ours, or that of somebody quicker."""
    following = replace(following, version=was.version + 1)
    if p.indexes.save(acct, following):
        return following
    return p.indexes.get(acct) or was


def _waiting(p: Platform, acct: str, m: Manifest) -> tuple[list[Row], Manifest]:
    """Messages to be indexed next, and the manifest once they are."""
    if m.walk:
        return _walked(p, acct, m)
    try:
        found = mailbox.changes(p, acct, m.upto, BATCH)
    except ServiceError as error:
        if error.kind != "cannot_calculate_changes":
            raise
        logger.warning("index reads the whole mailbox", extra={"account": acct})
        state = mailbox.state(p, acct)
        first = min(state.counters, key=lambda f: int(f[1:]))
        return [], replace(m, walk=f"{first} ", walk_from=state.modseq)
    rows = mailbox.get(p, acct, found.created)
    return list(rows.values()), replace(m, upto=found.new_state)


def _walked(p: Platform, acct: str, m: Manifest) -> tuple[list[Row], Manifest]:
    """One page more of a reading of everything, folder by folder."""
    folder, _, cursor = m.walk.partition(" ")
    page = mailbox.page(p, acct, folder, BATCH, cursor or None)
    if page.cursor:
        return list(page.rows), replace(m, walk=f"{folder} {page.cursor}")
    later = [f for f in mailbox.state(p, acct).counters if int(f[1:]) > int(folder[1:])]
    if later:
        return list(page.rows), replace(m, walk=f"{min(later, key=lambda f: int(f[1:]))} ")
    return list(page.rows), replace(m, walk="", upto=m.walk_from)


def _written(p: Platform, acct: str, rows: Sequence[Row]) -> Part:
    """A new part of some messages."""
    with ThreadPoolExecutor(READERS) as pool:
        texts = list(pool.map(partial(_texts, p), rows))
    ordered = sorted(zip(rows, texts, strict=True), key=lambda pair: (pair[0].received_at, pair[0].id))
    documents = [Document(row.id, int(row.received_at.timestamp() * 1000)) for row, _ in ordered]
    found: dict[str, dict[int, int]] = {}
    for number, (_, fields) in enumerate(ordered):
        for name, text in fields.items():
            for word in words.kept(text):
                listed = found.setdefault(word, {})
                listed[number] = listed.get(number, 0) | FIELDS[name]
    content = segments.build(documents, ((w, list(found[w].items())) for w in sorted(found)))
    return _stored(p, acct, content, documents)


def _texts(p: Platform, row: Row) -> Mapping[str, str]:
    """A message that cannot be read is found by nothing, and stops nothing."""
    try:
        return mime.searchable(p.blobs.get(row.blob))
    except ServiceError:
        logger.warning("message not indexed", extra={"email": row.id})
        return {}


def _stored(p: Platform, acct: str, content: bytes, documents: Sequence[Document]) -> Part:
    key = f"idx/{acct}/{secrets.token_hex(12)}"
    p.mailboxes.purges.later(key, clock.now() + p.figures.tombstone_life)  # unless a manifest names it then
    p.blobs.put(key, content)
    times = [d.at for d in documents] or [0]
    head = segments.directory_size(content)
    return Part(key, len(documents), len(content), head, min(times), max(times))


# ------------------------------------------------------------------------------------------------- merging
def merge(p: Platform, acct: str) -> bool:
    """Merge the parts of one size where there are enough. Whether there may be more to merge."""
    manifest = p.indexes.get(acct)
    group = _group(manifest.parts) if manifest else []
    if manifest is None or not group:
        return False
    content = segments.merged([p.blobs.get(part.key) for part in group])
    documents = segments.whole(content)[0]
    made = _stored(p, acct, content, documents)
    rest = tuple(part for part in manifest.parts if part not in group)
    after = replace(manifest, version=manifest.version + 1, parts=(*rest, made))
    if not p.indexes.save(acct, after):
        return True
    for part in group:
        p.mailboxes.purges.later(part.key, clock.now() + UNNAMED)
    return True


def _group(parts: Sequence[Part]) -> list[Part]:
    """Eight parts of about one size; small ones first."""
    sizes: dict[int, list[Part]] = {}
    for part in parts:
        if part.count < LARGEST:
            sizes.setdefault(_tier(part.count), []).append(part)
    full = [tier for tier, found in sizes.items() if len(found) >= FAN]
    return sizes[min(full)][:FAN] if full else []


def _tier(count: int) -> int:
    tier = 0
    while count > BATCH:
        count, tier = -(-count // FAN), tier + 1
    return tier


# ------------------------------------------------------------------------------------------------- reading
Found = dict[Term, dict[int, int]]


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
    manifest = take_in(p, acct, AT_ONCE)
    if manifest.walk or manifest.upto < mailbox.state(p, acct).types.get("Email", 0):
        raise _UNREADABLE
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda part: _open(p, part, wanted), manifest.parts))


def _open(p: Platform, part: Part, wanted: Sequence[Term]) -> Opened:
    read = partial(p.blobs.get_range, part.key)
    directory = _directory(p, part)
    found = {term: _numbers(directory, read, term) for term in wanted}
    return Opened(part, directory, read, found)


def _directory(p: Platform, part: Part) -> Directory:
    """A directory never changes: a warm process has it."""
    known = p.directories.get(part.key)
    if known is None:
        known = segments.directory(p.blobs.get_range(part.key, part.size - part.head, part.size))
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
