"""Messages written from values: 7-bit clean, CRLF, no line above 998 octets (RFC 5322 §2.1.1, RFC 2045)."""

import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Literal

from chalicelib.mime import encode, encodings
from chalicelib.mime.rewrite import seven_bit
from chalicelib.rules.values import Attachment, Draft

_TYPE = re.compile(r"^[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}$")
_NAME = re.compile(r"^[!-9;-~]{1,76}$")
_RISKY = re.compile(rb"(?m)^From |[ \t]$|^\.|[\r\0]|=_")
_MANGLED = re.compile(rb"(?m)^\.|^F(?=rom )")
_TEXT_LINE = 78


@dataclass(frozen=True, slots=True)
class Node:
    """A part to be written. A multipart has `children`; `fields` are complete header fields of the part."""

    type: str
    content: bytes = b""
    how: Literal["text", "octets", "verbatim"] = "octets"  # text has LF line ends; verbatim is clean already
    params: tuple[tuple[str, str], ...] = ()
    disposition: str | None = None
    name: str | None = None
    cid: str | None = None
    fields: tuple[bytes, ...] = ()
    children: tuple["Node", ...] = field(default=())


def compose(draft: Draft) -> bytes:
    """The message of a draft; the same draft gives the same octets. Bcc stays until it is sent."""
    return message(headers(draft), body_of(draft), draft.message_id)


def message(fields: Sequence[bytes], root: Node, seed: str) -> bytes:
    """A message of complete header fields and a tree. `seed` makes the boundaries."""
    out = list(fields)
    out.append(b"MIME-Version: 1.0\r\n")
    out.extend(_render(root, seed, "0"))
    return b"".join(out)


def headers(draft: Draft) -> list[bytes]:
    """The header fields of a draft, in the order in which people expect them."""
    out = [encode.text_field("Date", format_datetime(draft.date))]
    people = {
        "From": draft.from_,
        "Reply-To": draft.reply_to,
        "To": draft.to,
        "Cc": draft.cc,
        "Bcc": draft.bcc,
    }
    out.extend(encode.address_field(name, who) for name, who in people.items() if who)
    out.append(encode.text_field("Subject", draft.subject))
    if draft.message_id:
        out.append(encode.ids_field("Message-ID", [draft.message_id]))
    if draft.in_reply_to:
        out.append(encode.ids_field("In-Reply-To", draft.in_reply_to))
    if draft.references:
        out.append(encode.ids_field("References", draft.references))
    out.extend(encode.text_field(name, value) for name, value in draft.headers if _NAME.match(name))
    return out


def body_of(draft: Draft) -> Node:
    """The tree of a draft's body."""
    text = None if draft.text is None else text_node("text/plain", draft.text)
    page = None if draft.html is None else text_node("text/html", draft.html)
    return arrange(text, page, [attachment_node(a) for a in draft.attachments])


def arrange(text: Node | None, page: Node | None, attachments: Sequence[Node]) -> Node:
    """mixed(alternative(text, related(page, images)), attachments), as much of it as is needed."""
    inline = [a for a in attachments if a.disposition == "inline" and a.cid and page is not None]
    rest = [a for a in attachments if a not in inline]
    shown: list[Node] = []
    if text is not None or page is None:
        shown.append(text or text_node("text/plain", ""))
    if page is not None:
        shown.append(Node("multipart/related", children=(page, *inline)) if inline else page)
    root = shown[0] if len(shown) == 1 else Node("multipart/alternative", children=tuple(shown))
    return Node("multipart/mixed", children=(root, *rest)) if rest else root


def names(node: Node) -> frozenset[str]:
    """Lower-case names of the header fields that a part has beside those made of what it is."""
    return frozenset(field.partition(b":")[0].decode().lower() for field in node.fields)


def is_type(kind: str) -> bool:
    """Whether a lower-case media type can be written."""
    return _TYPE.match(kind) is not None


def text_node(kind: str, text: str) -> Node:
    """A part of UTF-8 text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return Node(kind, lines.encode("utf-8", "replace"), "text", params=(("charset", "utf-8"),))


def attachment_node(attachment: Attachment) -> Node:
    """A file as a part."""
    return Node(
        attachment.type, attachment.content, disposition=attachment.disposition,
        name=attachment.name or None, cid=attachment.cid,
    )  # fmt: skip


def _render(node: Node, seed: str, path: str) -> Iterator[bytes]:
    kind = node.type.lower() if is_type(node.type.lower()) else "application/octet-stream"
    ours = ("boundary", "name") if node.name else ("boundary",)
    params = [(k, v) for k, v in node.params if k.lower() not in ours]
    if node.children:
        boundary = "=_" + hashlib.sha256(f"{seed}/{path}".encode()).hexdigest()[:32]
        yield from _head(node, kind, [*params, ("boundary", boundary)], None)
        for number, child in enumerate(node.children):
            yield f"--{boundary}\r\n".encode()
            yield from _render(child, seed, f"{path}.{number}")
            yield b"\r\n"
        yield f"--{boundary}--\r\n".encode()
        return
    if node.name:
        params.append(("name", node.name))
    encoding, body = _encoded(kind, node)
    yield from _head(node, kind, params, encoding)
    yield body


def _head(node: Node, kind: str, params: list[tuple[str, str]], encoding: str | None) -> Iterator[bytes]:
    yield encode.params_field("Content-Type", kind, params)
    if encoding:
        yield f"Content-Transfer-Encoding: {encoding}\r\n".encode()
    shown = node.disposition or ("attachment" if node.name else None)
    if shown:
        name = (("filename", node.name),) if node.name else ()
        yield encode.params_field("Content-Disposition", shown if shown == "inline" else "attachment", name)
    if node.cid:
        yield encode.ids_field("Content-ID", [node.cid])
    yield from node.fields
    yield b"\r\n"


def _encoded(kind: str, node: Node) -> tuple[str, bytes]:
    """Transfer encoding and encoded body, without a line end after it."""
    if kind == "message/rfc822":  # may only be sent as it is (RFC 2046 §5.2.1)
        return "7bit", crlf(seven_bit(node.content))
    if node.how == "verbatim":
        return "7bit", node.content
    if node.how == "text":
        return encode_text(node.content)
    return "base64", encodings.base64_lines(node.content)


def encode_text(data: bytes) -> tuple[str, bytes]:
    """Text with LF line ends: as it is where every relay keeps it, else quoted-printable or base64."""
    short = max(map(len, data.split(b"\n"))) <= _TEXT_LINE
    if data.isascii() and short and not _RISKY.search(data):
        return "7bit", data.replace(b"\n", b"\r\n")
    if sum(1 for octet in data if octet > 126) * 4 > len(data):
        return "base64", encodings.base64_lines(data.replace(b"\n", b"\r\n"))
    return "quoted-printable", quoted(data)


def quoted(data: bytes) -> bytes:
    """Quoted-printable of text with LF line ends (RFC 2045 §6.7)."""
    coded = binascii.b2a_qp(data, istext=True).replace(b"\r", b"")
    coded = _MANGLED.sub(lambda found: b"=%02X" % found[0][0], coded)
    return coded.replace(b"\n", b"\r\n")


def crlf(data: bytes) -> bytes:
    """Line ends as RFC 5322 wants them."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
