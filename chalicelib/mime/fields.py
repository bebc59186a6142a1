"""Header blocks: names and raw values with their offsets, from any octets (RFC 5322 §2.2)."""

import re
from typing import NamedTuple

MAX_LINES = 100_000  # header lines looked at in a message
_NAME = re.compile(rb"([!-9;-~]++)[ \t]*+:")
_BLANK = re.compile(rb"(?:^|\n)\r*+\n")
_MBOX = re.compile(rb">?From [^:\s]")
_FOLD = re.compile(r"\r*\n(?=[ \t])")


class Field(NamedTuple):
    """A header field: octets `start` to `end` with its line end; the value begins at `value`."""

    name: str
    start: int
    value: int
    end: int


def view(raw: bytes) -> bytes:
    """The octets with line ends that can be searched for: a message with bare CRs only gets LFs.

    As long as `raw`, so offsets are the same in both.
    """
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def first(octets: bytes, start: int = 0) -> int:
    """Where the header begins: past the `From ` line that an mbox puts before it."""
    if _MBOX.match(octets, start):
        stop = octets.find(b"\n", start)
        return len(octets) if stop < 0 else stop + 1
    return start


def read(octets: bytes, start: int, end: int, most: int = MAX_LINES) -> tuple[list[Field], int]:
    """The fields of a header block and where the body begins.

    A line that is no field ends the block, unless another field follows it: then it is skipped.
    """
    fields: list[Field] = []
    at = start
    for _ in range(most):
        if at >= end:
            return fields, end
        stop = octets.find(b"\n", at, end)
        after = end if stop < 0 else stop + 1
        if octets[at] in b"\r\n" and not octets[at:after].strip(b"\r\n"):
            return fields, after
        if octets[at] in b" \t" and fields:
            fields[-1] = fields[-1]._replace(end=after)
        elif found := _NAME.match(octets, at, after):
            fields.append(Field(found[1].decode("ascii"), at, found.end(), after))
        elif not fields or not _NAME.match(octets, after, end):
            return fields, at
        at = after
    blank = _BLANK.search(octets, max(at - 1, 0), end)
    return fields, blank.end() if blank else end


def header_fields(raw: bytes) -> list[tuple[str, bytes]]:
    """Names and raw values in order, folding kept, without the line end of the field."""
    octets = view(raw)
    fields, _ = read(octets, first(octets), len(octets))
    return [(f.name, octets[f.value : f.end].rstrip(b"\r\n")) for f in fields]


def unfold(text: str) -> str:
    """RFC 5322 §2.2.3."""
    return _FOLD.sub("", text)
