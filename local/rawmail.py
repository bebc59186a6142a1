"""Header work on raw messages, byte for byte: what the SES edges read, drop and add."""

import email.header
import email.utils
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:")
_HEADERS_IN_NOTIFICATION = 10_240  # SES truncates `mail.headers` above 10 KB


def split(raw: bytes) -> tuple[bytes, bytes]:
    """(header, rest): the header with its last line end, the rest from the empty line on."""
    if raw.startswith((b"\r\n", b"\n")):
        return b"", raw
    found = re.search(rb"\n(?=\r?\n)", raw)
    return (raw[: found.end()], raw[found.end() :]) if found else (raw, b"")


def fields(header: bytes) -> Iterator[tuple[str, bytes]]:
    """(lower-case name, whole field with folds and line ends). Lines that are no field have no name."""
    for field in re.split(rb"(?<=\n)(?![ \t])", header):
        if field:
            name = _FIELD.match(field)
            yield (name.group(1).decode().lower() if name else "", field)


def without(raw: bytes, names: Collection[str]) -> bytes:
    """The message less some header fields (lower-case names; a trailing `*` is a prefix)."""
    header, rest = split(raw)
    prefixes = tuple(name[:-1] for name in names if name.endswith("*"))
    kept = [f for name, f in fields(header) if name not in names and not (name and name.startswith(prefixes))]
    return b"".join(kept) + rest


def values(raw: bytes, name: str) -> list[str]:
    """The unfolded values of every field of that name, undecoded."""
    return [_value(field) for found, field in fields(split(raw)[0]) if found == name.lower()]


def _value(field: bytes) -> str:
    text = field.split(b":", 1)[1].decode("utf-8", "replace")
    return re.sub(r"\r?\n(?=[ \t])", "", text).strip()


def addresses(raw: bytes, *names: str) -> list[str]:
    """Every addr-spec in the named fields."""
    found = email.utils.getaddresses([value for name in names for value in values(raw, name)])
    return [address for _, address in found if "@" in address]


def decoded(value: str) -> str:
    """RFC 2047 words read; what cannot be read stays as it was."""
    try:
        return str(email.header.make_header(email.header.decode_header(value)))
    except (UnicodeError, LookupError, ValueError):
        return value


def notification_headers(raw: bytes) -> tuple[list[dict[str, str]], bool]:
    """`mail.headers` and `mail.headersTruncated` as SES gives them."""
    listed: list[dict[str, str]] = []
    size = 0
    for name, field in fields(split(raw)[0]):
        size += len(field)
        if size > _HEADERS_IN_NOTIFICATION:
            return listed, True
        if name:
            listed.append({"name": field.split(b":", 1)[0].decode().strip(), "value": _value(field)})
    return listed, False


_COMMON: Sequence[tuple[str, str, bool]] = (  # key, field, is a list
    ("returnPath", "return-path", False),
    ("from", "from", True),
    ("date", "date", False),
    ("sender", "sender", True),
    ("to", "to", True),
    ("cc", "cc", True),
    ("bcc", "bcc", True),
    ("replyTo", "reply-to", True),
    ("messageId", "message-id", False),
    ("subject", "subject", False),
)


def _person(name: str, address: str) -> str:
    """As SES has it; an address beyond ASCII, which must not be, as it stands."""
    if address.isascii():
        return email.utils.formataddr((name, address), "utf-8")
    return f"{name} <{address}>" if name else address


def common_headers(raw: bytes) -> dict[str, Any]:
    """`mail.commonHeaders`: only the fields that the message has."""
    common: dict[str, Any] = {}
    for key, name, is_list in _COMMON:
        found = values(raw, name)
        if not found:
            continue
        if is_list:
            pairs = email.utils.getaddresses(found)
            common[key] = [_person(decoded(n), a) for n, a in pairs if a]
        else:
            common[key] = decoded(found[0]).strip("<>") if key == "returnPath" else decoded(found[0])
    return common
