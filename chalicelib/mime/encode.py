"""Header fields written so that any relay carries them: ASCII, folded, encoded words (RFC 2047, RFC 2231)."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

from chalicelib.rules.values import Correspondent

_WIDTH = 76
_LONGEST = 900  # octets of a word that may stand unencoded
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ATOM_PHRASE = re.compile(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$")
_TOKEN = re.compile(r"^[A-Za-z0-9!#$&+.^_`{|}~-]+$")
_Q_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_ADDR = re.compile(r'^(?:[^\s<>"@,;:()\\]+|"(?:[^"\\]|\\.)*")@[^\s<>"@,;:()\\]+$')


def one_line(text: str) -> str:
    """Without control characters or line ends: nothing of a value can become a header field."""
    return _CONTROL.sub(" ", text).encode("utf-8", "replace").decode("utf-8").strip()


def text_field(name: str, value: str) -> bytes:
    """An unstructured field."""
    value = one_line(value)
    return fold(name, value.split(" ") if _plain(value) else _encoded_words(value))


def _plain(value: str) -> bool:
    """Whether a value can stand as it is, folded at its spaces."""
    short = all(len(word) < _LONGEST for word in value.split(" ")) and " " * 50 not in value
    return value.isascii() and "=?" not in value and short


def address_field(name: str, correspondents: Iterable[Correspondent]) -> bytes:
    """A list of addresses."""
    return fold(name, mailboxes(correspondents))


def mailboxes(correspondents: Iterable[Correspondent]) -> list[str]:
    """Addresses with commas between them, in pieces that may be folded."""
    return joined([_mailbox(person) for person in correspondents])


def joined(entries: Iterable[list[str]]) -> list[str]:
    """The pieces of a list's entries, with commas after all but the last."""
    pieces: list[str] = []
    for entry in entries:
        if pieces:
            pieces[-1] += ","
        pieces.extend(entry)
    return pieces


def ids_field(name: str, ids: Iterable[str]) -> bytes:
    """Message ids (RFC 5322 §3.6.4)."""
    return fold(name, [f"<{one_line(i).replace(' ', '')}>" for i in ids])


def params_field(name: str, value: str, params: Iterable[tuple[str, str]]) -> bytes:
    """Content-Type or Content-Disposition with parameters (RFC 2231 where they need it)."""
    pieces = [value]
    for key, text in params:
        pieces[-1] += ";"
        pieces.extend(_param(key, one_line(text)))
    return fold(name, pieces)


def fold(name: str, pieces: Iterable[str]) -> bytes:
    """Pieces joined by spaces, on a new line where one would pass column 76. The first never moves."""
    lines = [f"{name}:"]
    for number, piece in enumerate(pieces):
        fits = len(lines[-1].encode()) + 1 + len(piece.encode()) <= _WIDTH
        if number and piece and not fits:
            lines.append("")
        lines[-1] += " " + piece
    return "\r\n".join(lines).encode() + b"\r\n"


def _mailbox(person: Correspondent) -> list[str]:
    email = address(person.email)
    if not one_line(person.name):
        return [email if _ADDR.match(email) else f"<{email}>"]  # a half-typed address of a draft is kept
    return [*phrase(person.name), f"<{email}>"]


def phrase(text: str) -> list[str]:
    """A display name: atoms, one quoted string, or encoded words."""
    text = one_line(text)
    if not _plain(text) or len(text) >= _LONGEST:
        return _encoded_words(text)
    if _ATOM_PHRASE.match(text):
        return text.split(" ")
    return ['"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"']


def address(email: str) -> str:
    """An addr-spec with its domain in A-labels (RFC 5890) where that is possible."""
    email = one_line(email).replace("<", "").replace(">", "")
    local, at, domain = email.rpartition("@")
    if domain.isascii():
        return email
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return email


def _param(key: str, text: str) -> list[str]:
    if text.isascii() and len(text) < 60:
        if _TOKEN.match(text):
            return [f"{key}={text}"]
        return [f'{key}="' + text.replace("\\", "\\\\").replace('"', '\\"') + '"']
    coded = quote(text.encode(), safe="!#$&+-.^_`{|}~")
    if len(coded) < 60:
        return [f"{key}*=utf-8''{coded}"]
    chunks = re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,50}", coded)
    out = [f"{key}*{n}*={chunk};" for n, chunk in enumerate(chunks)]
    out[0] = f"{key}*0*=utf-8''{chunks[0]};"
    out[-1] = out[-1].rstrip(";")
    return out


def _encoded_words(text: str) -> list[str]:
    """The whole text as encoded words of at most 75 octets, cut between characters."""
    use_q = sum(c in _Q_PLAIN or c == " " for c in text) * 2 > len(text)
    out: list[str] = []
    chunk = ""
    for char in text:
        if chunk and _length(chunk + char, use_q) > 60:
            out.append(_word(chunk, use_q))
            chunk = ""
        chunk += char
    if chunk:
        out.append(_word(chunk, use_q))
    return out


def _length(text: str, use_q: bool) -> int:
    if not use_q:
        return (len(text.encode()) + 2) // 3 * 4
    return sum(1 if c in _Q_PLAIN or c == " " else 3 * len(c.encode()) for c in text)


def _word(text: str, use_q: bool) -> str:
    if not use_q:
        return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="
    coded = "".join(
        c if c in _Q_PLAIN else "_" if c == " " else "".join(f"={o:02X}" for o in c.encode()) for c in text
    )
    return f"=?utf-8?Q?{coded}?="
