"""Parameters of Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2231), as mailers write them.

Works on ISO 8859-1 text so that no octet is lost before its charset is known.
"""

import re
from urllib.parse import unquote_to_bytes

from chalicelib.mime import charsets, words

MAX_PARAMS = 200
_MAX_VALUE = 50_000
_TYPE = re.compile(r"[ \t\r\n]*([A-Za-z0-9!#$&^_.+-]{1,127})[ \t]*/[ \t]*([A-Za-z0-9!#$&^_.+*'-]{1,127})")
_TOKEN = re.compile(r"[ \t\r\n]*([A-Za-z0-9!#$&^_.+-]{1,127})")
_PARAM = re.compile(
    r"[;\s]*+([^\s=;\"]++)[ \t\r\n]*+=[ \t\r\n]*+(\"(?:[^\"\\]|\\.)*+\"?|[^;]*+)[^;]*+", re.DOTALL
)
_SKIP = re.compile(r"[^;]*+;")
_ESCAPE = re.compile(r"\\([\"\\])")
_COMMENT = re.compile(r"[ \t]\([^()]*\)[ \t]*$")
_CONTINUED = re.compile(r"^(.+?)\*(\d{1,3})(\*?)$")


def content_type(value: str | None, hint: str | None = None) -> tuple[str, dict[str, str]]:
    """Lower-case type and parameters; text/plain where missing or senseless (RFC 2045 §5.2)."""
    if value is None:
        return "text/plain", {}
    found = _TYPE.match(value)
    rest = value[found.end() :] if found else value.partition(";")[2]
    kind = f"{found[1]}/{found[2]}".lower() if found else _odd_type(value)
    return kind, parameters(rest, hint)


def _odd_type(value: str) -> str:
    """A type without a subtype, as some old mailers wrote."""
    found = _TOKEN.match(value)
    return "text/html" if found and found[1].lower() == "html" else "text/plain"


def disposition(value: str | None, hint: str | None = None) -> tuple[str | None, dict[str, str]]:
    """Lower-case disposition and parameters (RFC 2183)."""
    if value is None:
        return None, {}
    found = _TOKEN.match(value)
    if not found or value[found.end() :].lstrip().startswith("="):
        return None, parameters(value, hint)
    return found[1].lower(), parameters(value[found.end() :], hint)


def parameters(text: str, hint: str | None = None) -> dict[str, str]:
    """Decoded parameters by lower-case name. Of repeated ones the first counts.

    `hint`: the charset that raw 8-bit octets are most likely written in.
    """
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, value in _pairs(text[:_MAX_VALUE]):
        if found := _CONTINUED.match(name):
            pieces.setdefault(found[1], {}).setdefault(int(found[2]), (bool(found[3]), value))
        elif name.endswith("*"):
            pieces.setdefault(name[:-1], {}).setdefault(0, (True, value))
        else:
            plain.setdefault(name, value)
    out = {name: _shown(value, hint) for name, value in plain.items()}
    out.update({name: text for name, parts in pieces.items() if (text := _joined(parts, hint))})
    return out


def _pairs(text: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(text) and len(out) < MAX_PARAMS:
        found = _PARAM.match(text, at)
        if found is None:
            skipped = _SKIP.match(text, at)
            if skipped is None:
                break
            at = skipped.end()
            continue
        out.append((found[1].lower(), _value(found[2])))
        at = found.end()
    return out


def _value(text: str) -> str:
    if text.startswith('"'):
        closed = len(text) > 1 and text.endswith('"')
        return _ESCAPE.sub(r"\1", text[1:-1] if closed else text[1:])
    return _COMMENT.sub("", text.strip(" \t\r\n"))


def _shown(value: str, hint: str | None) -> str:
    """A plain parameter: raw UTF-8 or an encoded word inside it are decoded, as mailers mean them."""
    return charsets.printable(words.decode_words(words.to_text(value.encode("latin-1", "replace"), hint)))


def _joined(parts: dict[int, tuple[bool, str]], hint: str | None) -> str:
    """RFC 2231 §3 and §4: pieces up to the first gap, percent-decoded, in the charset of the first.

    Some writers count from 1.
    """
    octets: list[bytes] = []
    charset = None
    lowest = 0 if 0 in parts else 1
    for number in range(lowest, lowest + len(parts)):
        if number not in parts:
            break
        extended, value = parts[number]
        if number == lowest and extended and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw = value.encode("latin-1", "replace")
        octets.append(unquote_to_bytes(raw) if extended else raw)
    data = b"".join(octets)
    text = charsets.decode(data, charset)[0] if charset else words.decode_words(words.to_text(data, hint))
    return charsets.printable(text)
