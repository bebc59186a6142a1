"""The MIME tree of any octets, with offsets (RFC 2046 §5.1). Ours: parts must be cut from the raw."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from chalicelib.mime import encodings, fields, params, words
from chalicelib.rules.values import Part

MAX_DEPTH = 32
MAX_PARTS = 1_000
_MAX_LINES_OF_PART = 2_000
_MAX_DELIMITERS = 50_000
_GUESS_WITHIN = 4_000
_GUESS = re.compile(rb"(?im)^--([^\n]{1,200})\n(?=content-)")
_TAIL = re.compile(rb"(--)?[ \t\r]*+(?:\n|\Z)")


class _Delimiter(NamedTuple):
    at: int
    after: int
    closing: bool


def split(raw: bytes) -> Part:
    """The tree: at most MAX_DEPTH deep and MAX_PARTS wide; beyond, the rest is one leaf."""
    octets = fields.view(raw)
    return _Splitter(octets).node(fields.first(octets), len(octets), (), "text/plain")


class _Head(NamedTuple):
    """What the Content-* fields of a part say."""

    type: str
    params: dict[str, str]
    disposition: str | None
    name: str | None
    encoding: str
    cid: str | None
    language: tuple[str, ...]
    location: str | None
    body: int


class _Splitter:
    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.parts = 0
        self.delimiters = 0
        self.hint: str | None = None  # the charset of the text so far: raw file names are likely in it

    def node(self, start: int, end: int, path: tuple[int, ...], default: str) -> Part:
        """One part and what it holds. `path` numbers it as IMAP does (RFC 9051 §6.4.5.1)."""
        most = _MAX_LINES_OF_PART if path else fields.MAX_LINES
        head = self._head(start, end, most, default)
        self.parts += 1
        if head.type.startswith("text/"):
            self.hint = self.hint or head.params.get("charset")
        boundary = head.params.get("boundary", "")
        if head.type.startswith("multipart/") and len(path) < MAX_DEPTH:
            mark = boundary.rstrip(" \t\r\n").encode("utf-8", "replace")
            regions = (self._regions(mark, head.body, end) if mark else []) or self._guessed(head.body, end)
            if regions:
                return self._multipart(head, (start, end), path, regions)
        return self._leaf(head, (start, end), path)

    def _multipart(
        self, head: _Head, span: tuple[int, int], path: tuple[int, ...], regions: list[tuple[int, int]]
    ) -> Part:
        default = "message/rfc822" if head.type == "multipart/digest" else "text/plain"
        children: list[Part] = []
        for number, (start, end) in enumerate(regions, 1):
            if self.parts >= MAX_PARTS:
                rest = (start, regions[-1][1])
                lump = _Head("application/octet-stream", {}, None, None, "binary", None, (), None, start)
                children.append(self._leaf(lump, rest, (*path, number)))
                break
            children.append(self.node(start, end, (*path, number), default))
        return Part(
            None, head.type, None, head.disposition, head.name, head.cid, head.language, head.location,
            head.encoding, span[0], head.body, span[1], params=head.params, parts=tuple(children),
        )  # fmt: skip

    def _leaf(self, head: _Head, span: tuple[int, int], path: tuple[int, ...]) -> Part:
        kind = "text/plain" if head.type.startswith("multipart/") else head.type
        encoding = "8bit" if kind != head.type and head.encoding not in ("7bit", "binary") else head.encoding
        body = self.octets[head.body : span[1]]
        charset = head.params.get("charset") or ("us-ascii" if kind.startswith("text/") else None)
        return Part(
            ".".join(map(str, path)) or "1", kind, charset, head.disposition, head.name, head.cid,
            head.language, head.location, encoding, span[0], head.body, span[1],
            size=len(encodings.decode(body, encoding)), lines=body.count(b"\n"), params=head.params,
        )  # fmt: skip

    def _regions(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Octets of each part between the delimiters, without the line end that belongs to a delimiter.

        Where there is no part: an empty one, as a multipart has one at least (RFC 2046 §5.1.1).
        """
        out: list[tuple[int, int]] = []
        opened = -1
        for line in self._delimiters(boundary, start, end):
            if opened >= 0:
                out.append((opened, max(opened, self._before(line.at))))
            if line.closing:
                empty = opened < 0 and not self.octets[start : line.at].strip()
                return [(line.at, line.at)] if empty else out
            opened = line.after
        if opened >= 0 and (opened < end or not out):
            out.append((opened, end))
        return out

    def _guessed(self, start: int, end: int) -> list[tuple[int, int]]:
        """The regions where the boundary is misquoted: a delimiter before Content-* fields gives it away."""
        found = _GUESS.search(self.octets, start, min(end, start + _GUESS_WITHIN))
        return self._regions(found[1].rstrip(b" \t\r"), start, end) if found else []

    def _before(self, at: int) -> int:
        if at and self.octets[at - 1] == 10:
            at -= 1
            if at and self.octets[at - 1] == 13:
                at -= 1
        return at

    def _delimiters(self, boundary: bytes, start: int, end: int) -> Iterator[_Delimiter]:
        mark = b"--" + boundary
        at = self.octets.find(mark, start, end)
        while at >= 0 and self.delimiters < _MAX_DELIMITERS:
            self.delimiters += 1
            tail = _TAIL.match(self.octets, at + len(mark), end)
            if tail and (at == start or self.octets[at - 1] == 10):
                yield _Delimiter(at, tail.end(), tail[1] is not None)
            at = self.octets.find(mark, at + 2, end)

    def _head(self, start: int, end: int, most: int, default: str) -> _Head:
        found, body = fields.read(self.octets, start, end, most)
        values: dict[str, bytes] = {}
        for field in found:
            name = field.name.lower()
            if name.startswith("content-"):
                values.setdefault(name[8:], self.octets[field.value : field.end])
        return _head_of(values, body, default, self.hint)


def _head_of(values: dict[str, bytes], body: int, default: str, hint: str | None) -> _Head:
    latin = {
        name: fields.unfold(value[:60_000].decode("latin-1")).strip(" \t\r\n")
        for name, value in values.items()
    }
    kind, type_params = params.content_type(latin.get("type", default), hint)
    shown, where_params = params.disposition(latin.get("disposition"), hint)
    name = where_params.get("filename") or type_params.get("name")
    encoding = latin.get("transfer-encoding", "7bit").lower().split(";")[0].split("(")[0].strip(" \t\"'")
    ids = words.as_ids(values["id"]) if "id" in values else ()
    cid = ids[0] if ids else latin.get("id", "").strip("<> ") or None
    languages = tuple(t.strip() for t in latin.get("language", "").split(",") if t.strip())
    location = latin.get("location")
    return _Head(
        kind, type_params, shown, _plain(name), _ENCODING_NAMES.get(encoding, encoding[:40]), _plain(cid),
        languages, "".join(location.split()) if location else None, body,
    )  # fmt: skip


_ENCODING_NAMES = {
    "": "7bit",
    "8bits": "8bit",
    "8-bit": "8bit",
    "7-bit": "7bit",
    "7bits": "7bit",
    "quoted/printable": "quoted-printable",
    "base-64": "base64",
}


def _plain(text: str | None) -> str | None:
    return " ".join(text.split())[:1_000] or None if text else None
