"""A part of a mailbox's search index: which messages hold which words. Written once, read in ranges.

    blocks of words | blocks of documents | directory

A block of words holds, sorted, each word with the numbers of its documents and the fields it is in. A block
of documents holds ids and times. The directory at the end says where each block begins and with which word;
it is read first, once. Documents are numbered by time, oldest 0.
"""

import json
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge as merge_sorted

BLOCK = 16_384  # bytes of words before compression
DOCS_A_BLOCK = 256
WIDTH = 25  # bytes of a document: 17 of its id, 8 of its time
Read = Callable[[int, int], bytes]  # first and past-last octet


@dataclass(frozen=True, slots=True)
class Document:
    """A message as it is found: `at` is its receivedAt in milliseconds."""

    id: str
    at: int


Posting = tuple[int, int]  # document's number, fields as bits
Words = Iterable[tuple[str, Sequence[Posting]]]


# ------------------------------------------------------------------------------------------------- numbers
def _varint(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _packed(postings: Sequence[Posting]) -> bytes:
    """Differences of document numbers and fields, in one number each where fields repeat."""
    out = bytearray()
    before = -1
    mask = 0
    for number, fields in postings:
        step = (number - before - 1) << 1
        if fields == mask:
            _varint(out, step)
        else:
            _varint(out, step | 1)
            out.append(fields)
            mask = fields
        before = number
    return bytes(out)


def _unpacked(data: bytes, at: int, end: int) -> list[Posting]:
    found: list[Posting] = []
    before, mask = -1, 0
    while at < end:
        step, at = _read_varint(data, at)
        if step & 1:
            mask = data[at]
            at += 1
        before += (step >> 1) + 1
        found.append((before, mask))
    return found


# ------------------------------------------------------------------------------------------------- writing
def build(documents: Sequence[Document], words: Words) -> bytes:
    """A segment. `documents` oldest first; `words` sorted, each with postings sorted by number."""
    out = bytearray()
    firsts: list[str] = []
    starts: list[int] = []
    for first, block in _blocks(words):
        firsts.append(first)
        starts.append(len(out))
        out += zlib.compress(block, 6)
    starts.append(len(out))
    doc_starts = []
    for at in range(0, len(documents), DOCS_A_BLOCK):
        doc_starts.append(len(out))
        rows = (d.id.encode().ljust(17) + d.at.to_bytes(8, "big") for d in documents[at : at + DOCS_A_BLOCK])
        out += zlib.compress(b"".join(rows), 6)
    doc_starts.append(len(out))
    head = {"n": len(documents), "w": firsts, "s": _steps(starts), "d": _steps(doc_starts)}
    out += zlib.compress(json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode(), 6)
    return bytes(out) + (len(out) - doc_starts[-1]).to_bytes(4, "big")


def _steps(starts: Sequence[int]) -> list[int]:
    return [b - a for a, b in zip([0, *starts], starts, strict=False)]


def _blocks(words: Words) -> Iterator[tuple[str, bytes]]:
    first, block = "", bytearray()
    for word, postings in words:
        if not block:
            first = word
        name, packed = word.encode(), _packed(postings)
        _varint(block, len(name))
        block += name
        _varint(block, len(packed))
        block += packed
        if len(block) >= BLOCK:
            yield first, bytes(block)
            block = bytearray()
    if block:
        yield first, bytes(block)


# ------------------------------------------------------------------------------------------------- reading
@dataclass(frozen=True, slots=True)
class Directory:
    """Where a segment's blocks are."""

    count: int
    firsts: tuple[str, ...]
    starts: tuple[int, ...]
    doc_starts: tuple[int, ...]


def directory_size(tail: bytes) -> int:
    """Octets of the directory with its length, from a segment's last octets."""
    return int.from_bytes(tail[-4:], "big") + 4


def directory(data: bytes) -> Directory:
    """The directory, from the octets of its size at a segment's end."""
    head = json.loads(zlib.decompress(data[:-4]))
    return Directory(head["n"], tuple(head["w"]), tuple(_sums(head["s"])), tuple(_sums(head["d"])))


def _sums(steps: Iterable[int]) -> Iterator[int]:
    total = 0
    for step in steps:
        total += step
        yield total


def postings(d: Directory, read: Read, word: str, prefix: bool) -> list[Posting]:
    """Documents that hold a word, or a word that begins so; fields of all of them together."""
    low = max(0, bisect_right(d.firsts, word) - 1)
    high = bisect_right(d.firsts, word + "\U0010ffff") if prefix else bisect_right(d.firsts, word)
    if low >= high:
        return []
    data = read(d.starts[low], d.starts[high])
    found: dict[int, int] = {}
    for at in range(low, high):
        block = zlib.decompress(data[d.starts[at] - d.starts[low] : d.starts[at + 1] - d.starts[low]])
        for given, listed in _words(block):
            if given == word or (prefix and given.startswith(word)):
                for number, fields in listed():
                    found[number] = found.get(number, 0) | fields
    return sorted(found.items())


def _words(block: bytes) -> Iterator[tuple[str, Callable[[], list[Posting]]]]:
    at = 0
    while at < len(block):
        size, at = _read_varint(block, at)
        name = block[at : at + size].decode()
        size, start = _read_varint(block, at + size)
        at = start + size
        yield name, lambda start=start, end=at: _unpacked(block, start, end)  # type: ignore[misc]


def documents(d: Directory, read: Read, block: int) -> list[Document]:
    """The documents of one block: numbers block × 256 and on."""
    return _documents(read(d.doc_starts[block], d.doc_starts[block + 1]))


def some_documents(d: Directory, read: Read, numbers: Sequence[int]) -> list[Document]:
    """Documents by number, in that order, by one read of all from the first to the last of them."""
    blocks = [number // DOCS_A_BLOCK for number in numbers]
    low, high = min(blocks), max(blocks)
    start = d.doc_starts[low]
    data = read(start, d.doc_starts[high + 1])
    held = {n: _documents(data[d.doc_starts[n] - start : d.doc_starts[n + 1] - start]) for n in set(blocks)}
    return [held[number // DOCS_A_BLOCK][number % DOCS_A_BLOCK] for number in numbers]


def _documents(block: bytes) -> list[Document]:
    data = zlib.decompress(block)
    rows = (data[at : at + WIDTH] for at in range(0, len(data), WIDTH))
    return [Document(row[:17].decode().rstrip(), int.from_bytes(row[17:], "big")) for row in rows]


# ------------------------------------------------------------------------------------------------- merging
def whole(data: bytes) -> tuple[list[Document], Iterator[tuple[str, list[Posting]]]]:
    """Everything of a segment that is in memory."""
    d = directory(data[-directory_size(data) :])
    docs = [doc for n in range(len(d.doc_starts) - 1) for doc in documents(d, _reader(data), n)]
    return docs, (
        (word, listed()) for n in range(len(d.starts) - 1) for word, listed in _block_words(d, data, n)
    )


def _reader(data: bytes) -> Read:
    return lambda start, end: data[start:end]


def _block_words(d: Directory, data: bytes, n: int) -> Iterator[tuple[str, Callable[[], list[Posting]]]]:
    return _words(zlib.decompress(data[d.starts[n] : d.starts[n + 1]]))


def merged(parts: Sequence[bytes], keep: Callable[[str], bool] = lambda _: True) -> bytes:
    """One segment of several; a document of two of them is the later one's. `keep`: by id."""
    opened = [whole(part) for part in parts]
    owner = {doc.id: number for number, (docs, _) in enumerate(opened) for doc in docs}
    order = sorted(
        (doc.at, doc.id, part, number)
        for part, (docs, _) in enumerate(opened)
        for number, doc in enumerate(docs)
        if owner[doc.id] == part and keep(doc.id)
    )
    maps: list[dict[int, int]] = [{} for _ in parts]
    for new, (_, _, part, number) in enumerate(order):
        maps[part][number] = new
    return build([Document(id, at) for at, id, _, _ in order], _merged_words([w for _, w in opened], maps))


def _merged_words(
    streams: Sequence[Iterator[tuple[str, list[Posting]]]], maps: Sequence[Mapping[int, int]]
) -> Iterator[tuple[str, list[Posting]]]:
    tagged = [_tagged(part, stream) for part, stream in enumerate(streams)]
    current: str | None = None
    gathered: list[Posting] = []
    for word, part, listed in merge_sorted(*tagged, key=lambda row: row[0]):
        if word != current:
            if current is not None and gathered:
                yield current, sorted(gathered)
            current, gathered = word, []
        renumber = maps[part]
        gathered += [(renumber[n], fields) for n, fields in listed if n in renumber]
    if current is not None and gathered:
        yield current, sorted(gathered)


def _tagged(
    part: int, stream: Iterator[tuple[str, list[Posting]]]
) -> Iterator[tuple[str, int, list[Posting]]]:
    for word, listed in stream:
        yield word, part, listed
