"""Reports of abuse as they come by mail: ARF (RFC 5965), forwarded as an attachment, or in the text.

Any octets are taken and nothing is raised. What is looked for is the reference in the reported message's own
header; the report's own header is never looked at: who forwards from a mailbox here would report himself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from chalicelib.mime import body, split, words
from chalicelib.mime.fields import header_fields, unfold
from chalicelib.rules.values import Part

REFERENCE = "x-report-reference"
MOST = 10  # messages looked at in one report
DEEPEST = 4  # a forward of a forward
_TEXT_OCTETS = 262_144  # of a text that are searched
_MESSAGES = ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers")
_LINE = re.compile(r"(?i)x-report-reference[\s*:>]{1,100}(\S{10,400})")
_MESSAGE_ID = re.compile(r"(?i)message-id[\s*:>]{1,100}<?([^\s<>]{3,400})>?")
_ENDS = re.compile(r"(?i)<br\s{0,9}/?>|</(?:p|div|tr|td|pre|li)>")


@dataclass(frozen=True, slots=True)
class Original:
    """A reported message, as far as it is known: its reference, and the Message-IDs beside it."""

    reference: str
    message_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reported:
    """What a mail reports. `feedback`: the type of an ARF, lower case; None where it is no ARF."""

    form: Literal["arf", "attached", "text", "none"]
    originals: tuple[Original, ...] = ()
    feedback: str | None = None


def reported(raw: bytes) -> Reported:
    """The messages that a mail complains of, each once."""
    structure = split.split(raw)
    leaves = body.leaves(structure)
    if structure.type == "multipart/report" and structure.params.get("report-type", "").lower() == (
        "feedback-report"
    ):
        return Reported("arf", _attached(raw, leaves, DEEPEST), _feedback(raw, leaves))
    if attached := _attached(raw, leaves, DEEPEST):
        return Reported("attached", attached)
    if quoted := _quoted(raw, leaves):
        return Reported("text", quoted)
    return Reported("none")


def _attached(raw: bytes, leaves: list[Part], depth: int) -> tuple[Original, ...]:
    found: dict[str, Original] = {}
    messages = [
        leaf for leaf in leaves if leaf.type in _MESSAGES or (leaf.name or "").lower().endswith(".eml")
    ]
    for leaf in messages[:MOST]:
        for original in _of(body.part_bytes(raw, leaf), depth):
            found.setdefault(original.reference, original)
    return tuple(found.values())[:MOST]


def _of(message: bytes, depth: int) -> tuple[Original, ...]:
    """The reported message itself; where it has no reference, the one that it forwards."""
    fields = header_fields(message)
    for name, value in fields:
        if name.lower() == REFERENCE:
            ids = tuple(i for n, v in fields if n.lower() == "message-id" for i in words.as_ids(v))
            reference = "".join(unfold(value.decode("latin-1")).split())[:400]
            return (Original(reference, ids[:MOST]),)
    if depth <= 1:
        return ()
    inner = body.leaves(split.split(message))
    return _attached(message, inner, depth - 1) or _quoted(message, inner)


def _feedback(raw: bytes, leaves: list[Part]) -> str:
    """RFC 5965 §3.1: the type, which every report has; empty where this one has none."""
    for leaf in leaves:
        if leaf.type == "message/feedback-report":
            for name, value in header_fields(body.part_bytes(raw, leaf)):
                if name.lower() == "feedback-type":
                    return value.decode("latin-1").strip().lower()[:40]
    return ""


def _quoted(raw: bytes, leaves: list[Part]) -> tuple[Original, ...]:
    """Header lines inside the text, as mail programs put them when they forward inline."""
    for text in _texts(raw, leaves):
        line = _LINE.search(text)
        if line:
            ids = _MESSAGE_ID.findall(text)[:1]
            return (Original(line[1], tuple(ids)),)
    return ()


def _texts(raw: bytes, leaves: list[Part]) -> Iterator[str]:
    for leaf in leaves[:MOST]:
        if leaf.type in ("text/plain", "text/html"):
            text, _ = body.part_text(raw, leaf, _TEXT_OCTETS)
            if leaf.type == "text/html":
                text = body.strip_html(_ENDS.sub("\n", text), _TEXT_OCTETS)
            yield text
