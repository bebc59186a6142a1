"""Address lists as people really write them (RFC 5322 §3.4 and §4.4, RFC 6532), read in one pass."""

import re
import unicodedata
from typing import NamedTuple

from chalicelib.mime import charsets, words
from chalicelib.mime.fields import unfold
from chalicelib.rules.values import Correspondent

MAX_ADDRESSES = 2_000
_TOKEN = re.compile(
    r'=\?[^?\s"<>]{1,100}\?[bBqQ]\?[^?\s]{0,1000}+\?=|"(?:[^"\\]|\\.)*+"?|[<>,;:()]|[^\s"<>,;:()]++|\s++',
    re.DOTALL,
)
_NAMED = re.compile(r'("(?:[^"\\]|\\.)*+")\s++([^\s@"]++@[^\s@"]++)$')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_AROUND = re.compile(r"\s*+([@.])\s*+")
_SPACES = re.compile(r"\s+")


class Group(NamedTuple):
    """Addresses under a group name, or None for those outside one (RFC 8621 §4.1.2.4)."""

    name: str | None
    members: tuple[Correspondent, ...]


def as_groups(value: bytes, hint: str | None = None) -> list[Group]:
    """The groups of an address header. Never raises; at most MAX_ADDRESSES."""
    return _Reader(unfold(words.to_text(value, hint))).read()


def as_addresses(value: bytes, hint: str | None = None) -> tuple[Correspondent, ...]:
    """The addresses, groups dissolved (RFC 8621 §4.1.2.3)."""
    return tuple(member for group in as_groups(value, hint) for member in group.members)


class _Reader:
    """One pass over the tokens; `words`, `angle` and `comments` hold the address being read."""

    def __init__(self, text: str) -> None:
        self.tokens = [m[0] for m in _TOKEN.finditer(text)]
        self.at = 0
        self.groups: list[tuple[str | None, list[Correspondent]]] = [(None, [])]
        self.count = 0
        self._clear()

    def _clear(self) -> None:
        self.words: list[str] = []
        self.comments: list[str] = []
        self.angle: str | None = None

    def read(self) -> list[Group]:
        while self.at < len(self.tokens) and self.count < MAX_ADDRESSES:
            token = self.tokens[self.at]
            self.at += 1
            self._take(token)
        self._finish()
        return [Group(name, tuple(members)) for name, members in self.groups if members or name is not None]

    def _take(self, token: str) -> None:
        if token == "(":
            self.comments.append(self._comment())
        elif token == "<" and not self.angle:
            self.angle = self._angle()
        elif token == ",":
            self._finish()
        elif token == ";":
            self._finish()
            self.groups.append((None, []))
        elif token == ":" and self.angle is None and "@" not in "".join(self.words):
            self.groups.append((_display(self.words), []))
            self._clear()
        elif token not in "<>)":
            self.words.append(token)

    def _comment(self) -> str:
        out: list[str] = []
        depth = 1
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            depth += (token == "(") - (token == ")")
            if depth == 0:
                break
            out.append(token)
        return "".join(out)

    def _angle(self) -> str:
        out: list[str] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token in "<;" or (token == "," and not "".join(out).lstrip().startswith("@")):
                break
            self.at += 1
            if token == ">":
                break
            if token == "(":
                self._comment()
            else:
                out.append(token)
        inside = "".join(out).strip()
        if inside.startswith("@") and ":" in inside:  # obsolete route
            inside = inside.rsplit(":", 1)[1]
        return inside

    def _finish(self) -> None:
        if self.angle is not None:
            name, email = _display(self.words), self.angle
        else:
            name, email = self._bare()
        if not name and self.comments:
            name = _display(self.comments[:1])
        if email or name:
            self.groups[-1][1].append(Correspondent(name, _addr_spec(email)))
            self.count += 1
        self._clear()

    def _bare(self) -> tuple[str, str]:
        """No angle brackets: an addr-spec, perhaps with a name in front of it."""
        text = _AROUND.sub(r"\1", "".join(self.words).strip())
        if not text.strip('"'):
            return "", ""
        if named := _NAMED.match(text):
            return _display([named[1]]), named[2]
        if text.startswith("=?") and "@" not in text:
            return _display([text]), ""
        if text.startswith('"') or not re.search(r"\s", text):
            return "", text
        pieces = text.split()
        if sum("@" in piece for piece in pieces) == 1:
            rest = [piece for piece in pieces if "@" not in piece]
            return _display([" ".join(rest)]), next(piece for piece in pieces if "@" in piece)
        return "", text


def _addr_spec(text: str) -> str:
    text = _SPACES.sub(" ", charsets.printable(text)).strip()
    return text if text.startswith('"') else _AROUND.sub(r"\1", text)


def _display(tokens: list[str]) -> str:
    """A display name: quotes taken off, encoded words decoded, also within quotes as many write them."""
    out = []
    for token in tokens:
        if token.startswith('"'):
            inner = token[1:-1] if len(token) > 1 and token.endswith('"') else token[1:]
            out.append(_ESCAPE.sub(r"\1", inner))
        else:
            out.append(token)
    text = charsets.printable(words.decode_words("".join(out)))
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text).strip())
