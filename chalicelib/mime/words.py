"""Header text: unfolding, encoded words (RFC 2047), raw UTF-8 (RFC 6532), dates and message ids."""

import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from chalicelib.mime import charsets, encodings
from chalicelib.mime.fields import unfold

MAX_TEXT = 100_000  # characters of a header that are decoded
_OPENS = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?")
_ID = re.compile(r"<([^<>]{1,2000})>")
_SPACES = re.compile(r"[ \t\r\n]+")
_COMMENT = re.compile(r"\([^()]{0,500}\)")


def to_text(value: bytes, hint: str | None = None) -> str:
    """Raw header octets as text: ASCII, UTF-8 (RFC 6532), the hinted charset, else windows-1252."""
    value = value[: 4 * MAX_TEXT]
    if value.isascii():
        return value.decode("ascii")[:MAX_TEXT]
    text, wrong = charsets.guess(value)
    if wrong and hint and charsets.codec_of(hint) not in (None, "utf-8", "cp1252"):
        text, _ = charsets.decode(value, hint)
    return text[:MAX_TEXT]


def decode_words(text: str) -> str:
    """Encoded words decoded (RFC 2047); what is not one, or not decodable, stays as it is."""
    if "=?" not in text:
        return text
    out: list[str] = []
    run: list[bytes] = []  # octets of adjacent words of one charset: some writers split a character
    charset = ""
    at = 0
    for found, data, end in _words(text):
        octets = _word(found[2], data) if charsets.codec_of(found[1]) else None
        if octets is None:
            continue
        between = text[at : found.start()]
        adjacent = bool(run) and not between.strip(" \t\r\n")
        if run and not (adjacent and found[1].lower() == charset):
            out.append(charsets.decode(b"".join(run), charset)[0])
            run = []
        if not adjacent:
            out.append(between)
        run.append(octets)
        charset = found[1].lower()
        at = end
    if run:
        out.append(charsets.decode(b"".join(run), charset)[0])
    return "".join(out) + text[at:]


def _words(text: str) -> Iterator[tuple[re.Match[str], str, int]]:
    """What looks like an encoded word, of any length: how it opens, its data, where it ends. One pass."""
    opened: re.Match[str] | None = None
    for found in _OPENS.finditer(text):
        if opened and (end := text.find("?=", opened.end(), found.start() + 1)) >= 0:
            yield opened, text[opened.end() : end], end + 2
        opened = found
    if opened and (end := text.find("?=", opened.end())) >= 0:
        yield opened, text[opened.end() : end], end + 2


def _word(kind: str, data: str) -> bytes | None:
    octets = data.encode("utf-8", "surrogateescape")
    if kind in "bB":
        return encodings.unbase64(octets) or (None if data.strip() else b"")
    try:
        return binascii.a2b_qp(octets.replace(b" ", b"_"), header=True)
    except binascii.Error:
        return None


def as_text(value: bytes, hint: str | None = None) -> str:
    """RFC 8621 §4.1.2.2: unfolded, decoded, without control characters, NFC."""
    text = decode_words(unfold(to_text(value, hint)))
    return unicodedata.normalize("NFC", charsets.printable(text).replace("\r", "").replace("\n", "")).strip(
        " \t"
    )


def as_raw(value: bytes) -> str:
    """RFC 8621 §4.1.2.1: the octets as they stand, NUL dropped, undecodable ones replaced."""
    return value[: 4 * MAX_TEXT].replace(b"\0", b"").decode("utf-8", "replace")


def as_date(value: bytes) -> datetime | None:
    """RFC 8621 §4.1.2.6, None where it is no date. Without a zone: UTC."""
    text = _COMMENT.sub(" ", unfold(to_text(value[:500])))
    try:
        when = parsedate_to_datetime(text.strip())
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        when.astimezone(UTC)  # years 1 and 9999 overflow here
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return when if when.year >= 1 else None


def as_ids(value: bytes) -> tuple[str, ...]:
    """Message ids without their angle brackets (RFC 8621 §4.1.2.5), in order and as often as they are there.

    Some writers make an encoded word of an id longer than a line, which RFC 2047 §5 forbids: SES's are.
    """
    text = unfold(to_text(value))
    text = charsets.printable(text if "<" in text else decode_words(text))
    found: Iterable[str] = _ID.findall(text)
    ids = [_SPACES.sub("", i) for i in found]
    if not ids:
        ids = [word for word in _COMMENT.sub(" ", text).split() if "@" in word and "<" not in word]
    return tuple(i for i in ids if i)


def as_urls(value: bytes) -> tuple[str, ...]:
    """RFC 8621 §4.1.2.7 for List-* fields (RFC 2369): what stands in angle brackets."""
    text = charsets.printable(unfold(to_text(value)))
    return tuple(_SPACES.sub("", url) for url in _ID.findall(text))
