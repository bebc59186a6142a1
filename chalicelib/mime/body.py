"""Which parts are the text and which are attachments (RFC 8621 §4.1.4), and what a preview shows of them."""

import html
import re
from typing import NamedTuple

from chalicelib.mime import charsets, encodings
from chalicelib.rules.values import Part

MAX_PREVIEW = 256
_PREVIEW_SOURCE = 262_144  # octets of a body that a preview is looked for in
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_SPACES = re.compile("[\\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u2064\u3000\ufeff]+")
_CLOSES = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in ("script", "style", "title", "template", "noscript")
}
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,20})")


class Bodies(NamedTuple):
    """RFC 8621 §4.1.4 textBody, htmlBody and attachments: leaves in order."""

    text: tuple[Part, ...]
    html: tuple[Part, ...]
    attachments: tuple[Part, ...]


class _Sorter:
    """The algorithm that RFC 8621 §4.1.4 suggests. None stands for a list that is not open here."""

    def __init__(self) -> None:
        self.text: list[Part] = []
        self.html: list[Part] = []
        self.attachments: list[Part] = []

    def walk(
        self, parts: tuple[Part, ...], kind: str, alternative: bool, text_open: bool, html_open: bool
    ) -> None:
        before = (len(self.text), len(self.html))
        for number, part in enumerate(parts):
            if part.part_id is None:
                inner = part.type.removeprefix("multipart/")
                self.walk(part.parts, inner, alternative or inner == "alternative", text_open, html_open)
            elif not _inline(part, number, kind):
                self.attachments.append(part)
            else:
                text_open, html_open = self._show(part, kind, alternative, text_open, html_open)
        if kind == "alternative" and text_open and html_open:
            self._balance(before)

    def _show(
        self, part: Part, kind: str, alternative: bool, text_open: bool, html_open: bool
    ) -> tuple[bool, bool]:
        if kind == "alternative":
            self._choose(part, text_open, html_open)
            return text_open, html_open
        if alternative and part.type == "text/plain":
            html_open = False
        if alternative and part.type == "text/html":
            text_open = False
        if text_open:
            self.text.append(part)
        if html_open:
            self.html.append(part)
        if not (text_open and html_open) and part.type.startswith(("image/", "audio/", "video/")):
            self.attachments.append(part)
        return text_open, html_open

    def _choose(self, part: Part, text_open: bool, html_open: bool) -> None:
        if part.type == "text/plain":
            self.text.extend([part] * text_open)
        elif part.type == "text/html":
            self.html.extend([part] * html_open)
        else:
            self.attachments.append(part)

    def _balance(self, before: tuple[int, int]) -> None:
        """Only one form was offered: it serves for both."""
        if len(self.text) == before[0] and len(self.html) != before[1]:
            self.text.extend(self.html[before[1] :])
        elif len(self.html) == before[1] and len(self.text) != before[0]:
            self.html.extend(self.text[before[0] :])


def _inline(part: Part, number: int, kind: str) -> bool:
    media = part.type.startswith(("image/", "audio/", "video/"))
    return (
        part.disposition != "attachment"
        and (part.type in ("text/plain", "text/html") or media)
        and (number == 0 or (kind != "related" and (media or not part.name)))
    )


def bodies(structure: Part) -> Bodies:
    """The three lists of a message."""
    sorter = _Sorter()
    sorter.walk((structure,), "mixed", False, True, True)
    return Bodies(tuple(sorter.text), tuple(sorter.html), tuple(sorter.attachments))


def leaves(structure: Part) -> list[Part]:
    """Every part that has an id, in order."""
    if structure.part_id is not None:
        return [structure]
    return [leaf for part in structure.parts for leaf in leaves(part)]


def attachments(structure: Part) -> list[Part]:
    """What people call attached: not signatures, nor images that the text itself shows."""
    return [
        part
        for part in bodies(structure).attachments
        if part.type not in _SIGNATURES
        and not (part.cid and part.disposition != "attachment" and part.type.startswith("image/"))
    ]


def has_attachment(structure: Part) -> bool:
    """Whether a paper clip should show."""
    return bool(attachments(structure))


def part_bytes(raw: bytes, part: Part) -> bytes:
    """The decoded octets of a leaf."""
    return encodings.decode(raw[part.body : part.end], part.encoding)


def part_text(raw: bytes, part: Part, most: int | None = None) -> tuple[str, bool]:
    """The decoded text of a leaf with LF line ends, and whether decoding met a problem.

    `most`: decode only so many octets of the encoded body (a preview needs no more).
    """
    body = raw[part.body : part.end if most is None else min(part.end, part.body + most)]
    data = encodings.decode(body, part.encoding)
    charset = part.charset
    if part.type == "text/html" and charsets.says_nothing(part.params.get("charset"), data):
        charset = charsets.html_charset(data) or charset
    text, wrong = charsets.decode(data, charset)
    wrong = wrong or encodings.malformed(body, part.encoding)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), wrong


def preview(raw: bytes, structure: Part) -> str:
    """At most 256 characters of text, in one line (RFC 8621 §4.1.4)."""
    for part in bodies(structure).text:
        if not part.type.startswith("text/"):
            continue
        text, _ = part_text(raw, part, _PREVIEW_SOURCE)
        if part.type == "text/html":
            text = strip_html(text, 8 * MAX_PREVIEW)
        line = _SPACES.sub(" ", charsets.printable(text[:20_000])).strip()
        if line:
            return line[:MAX_PREVIEW].rstrip()
    return ""


def strip_html(source: str, enough: int) -> str:
    """The text that HTML shows, until `enough` characters that are not white space. One pass, no parser."""
    out: list[str] = []
    found = at = 0
    while at < len(source) and found < enough:
        tag = source.find("<", at)
        stop = len(source) if tag < 0 else tag
        text = html.unescape(source[at:stop][: 4 * enough])
        out.append(text)
        found += len("".join(text.split()))
        if tag < 0:
            break
        at = _after_tag(source, tag)
        out.append("<" if at == tag + 1 else " " if _breaks(source, tag) else "")
    return "".join(out)


def _after_tag(source: str, tag: int) -> int:
    """Where reading goes on after the tag at `tag`; a `<` that starts none is text."""
    if source.startswith("<!--", tag):
        end = source.find("-->", tag + 4)
        return len(source) if end < 0 else end + 3
    name = _TAG_NAME.match(source, tag + 1)
    if name is None and not source.startswith(("<!", "<?"), tag):
        return tag + 1
    closes = _CLOSES.get(name[1].lower()) if name and source[tag + 1] != "/" else None
    if closes:
        closing = closes.search(source, tag)
        tag = closing.start() if closing else len(source)
    end = source.find(">", tag)
    return len(source) if end < 0 else end + 1


_INLINE_TAGS = frozenset(
    {"b", "i", "u", "em", "strong", "span", "font", "a", "small", "sup", "sub", "code", "wbr", "big"}
)


def _breaks(source: str, tag: int) -> bool:
    name = _TAG_NAME.match(source, tag + 1)
    return not (name and name[1].lower() in _INLINE_TAGS)
