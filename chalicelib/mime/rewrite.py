"""Messages changed as little as possible: fields taken out, 8-bit octets encoded."""

import binascii
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from chalicelib.mime import addresses, encode, encodings, fields, params, split, words
from chalicelib.rules.values import Part

MAX_LINE = 998  # octets, RFC 5322 §2.1.1
_STRUCTURED = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "sender", "resent-from", "resent-sender", "resent-reply-to",
     "resent-to", "resent-cc", "resent-bcc"}
)  # fmt: skip
_PARAMETERS = frozenset({"content-type", "content-disposition"})
_BLANK = re.compile(rb"(?:^|\n)\r*\n\Z")
_EIGHT = re.compile(rb"[\x80-\xff]")


class _Edit(NamedTuple):
    start: int
    end: int
    new: bytes


def without_headers(raw: bytes, names: Collection[str]) -> bytes:
    """The message without these top-level fields (any case), everything else octet for octet."""
    unwanted = {name.lower() for name in names}
    octets = fields.view(raw)
    found, _ = fields.read(octets, fields.first(octets), len(octets))
    return _apply(raw, [_Edit(f.start, f.end, b"") for f in found if f.name.lower() in unwanted])


def with_header(raw: bytes, name: str, value: str) -> bytes:
    """The message with one more field, on top of all others. `value` is ASCII and fits on a line."""
    at = fields.first(fields.view(raw))
    return raw[:at] + f"{name}: {value}\r\n".encode() + raw[at:]


def field(name: str, value: str) -> bytes:
    """A field of just this value, folds and all; written anew where a relay would not carry it."""
    raw = f"{name}:{value}\r\n".encode()
    return raw if _carried(raw) else _field(name, value.encode())


def seven_bit(raw: bytes, depth: int = 0) -> bytes:
    """The same message for relays that carry ASCII lines of at most 998 octets only.

    8-bit parts become quoted-printable or base64, 8-bit header fields encoded words; a message that
    needs nothing is returned as it is. Whatever 8-bit octets stand between parts become `?`.
    """
    if _carried(raw):
        return raw
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\r\n")
    structure = split.split(raw)
    edits = sorted(_edits(raw, structure, depth))
    return _EIGHT.sub(b"?", _apply(raw, edits))


def _carried(data: bytes) -> bool:
    if not data.isascii() or b"\0" in data:
        return False
    return max(map(len, data.split(b"\n"))) <= MAX_LINE + 1


def _apply(raw: bytes, edits: list[_Edit]) -> bytes:
    out: list[bytes] = []
    at = 0
    for edit in edits:
        out.append(raw[at : edit.start])
        out.append(edit.new)
        at = edit.end
    return b"".join(out) + raw[at:]


def _edits(raw: bytes, part: Part, depth: int) -> Iterator[_Edit]:
    """Changes of one part and what it holds; none overlap."""
    octets = fields.view(raw)
    first = fields.first(octets)
    found, _ = fields.read(octets, part.start, part.body)
    change = None if part.parts or _carried(raw[part.body : part.end]) else _body(raw, part, depth)
    relabel = change[0] if change else "7bit" if part.encoding in ("8bit", "binary") else None
    for field in found:
        if field.name.lower() == "content-transfer-encoding" and relabel:
            yield _Edit(field.start, field.end, b"")
        elif not _carried(octets[field.start : field.end]):
            value = octets[field.value : field.end]
            yield _Edit(field.start, field.end, _field(field.name, value))
    if relabel:
        label = f"Content-Transfer-Encoding: {relabel}\r\n".encode()
        if part.start == first and not any(f.name.lower() == "mime-version" for f in found):
            label = b"MIME-Version: 1.0\r\n" + label
        yield _Edit(part.start, part.start, label)
        if not _BLANK.search(raw, part.start, part.body):
            yield _Edit(part.body, part.body, b"\r\n")
    if change:
        yield _Edit(part.body, part.end, change[1])
    for child in part.parts:
        yield from _edits(raw, child, depth)


def _body(raw: bytes, part: Part, depth: int) -> tuple[str, bytes]:
    """The transfer encoding and the new body of a leaf that cannot be carried as it is."""
    body = raw[part.body : part.end]
    if part.type == "message/rfc822" and part.encoding not in ("base64", "quoted-printable") and depth < 8:
        return "7bit", seven_bit(body, depth + 1)
    if part.encoding in ("base64", "quoted-printable"):  # 8-bit octets or long lines where none may be
        return part.encoding, _recoded(raw, part)
    if part.type.startswith("text/") and b"\0" not in body:
        return "quoted-printable", _quoted_lines(body)
    return "base64", encodings.base64_lines(body)


def _recoded(raw: bytes, part: Part) -> bytes:
    data = encodings.decode(raw[part.body : part.end], part.encoding)
    return encodings.base64_lines(data) if part.encoding == "base64" else _quoted_lines(data)


def _quoted_lines(body: bytes) -> bytes:
    """Quoted-printable; CRLF and LF are line ends, a lone CR is data."""
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    return b"\r\n".join(binascii.b2a_qp(line, istext=False).replace(b"\n", b"\r\n") for line in lines)


def _field(name: str, value: bytes) -> bytes:
    """One field written anew in ASCII, by what kind of field it is."""
    lower = name.lower()
    if lower in _STRUCTURED:
        return _people(name, value)
    if lower in _PARAMETERS:
        latin = fields.unfold(value.decode("latin-1")).strip()
        kind, found = params.content_type(latin) if lower == "content-type" else params.disposition(latin)
        return encode.params_field(name, kind or "attachment", found.items())
    return encode.text_field(name, words.as_text(value))


def _people(name: str, value: bytes) -> bytes:
    out: list[str] = []
    for group in addresses.as_groups(value):
        listed = encode.address_field("", group.members)[1:].strip().decode("utf-8")
        if group.name is not None:
            listed = f"{' '.join(encode.phrase(group.name))}: {listed};"
        out.append(listed)
    return f"{name}: ".encode() + ",\r\n ".join(out).encode() + b"\r\n"
