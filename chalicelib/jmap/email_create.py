"""New emails from their JMAP description (RFC 8621 §4.6): header, body tree, attachments from blobs."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.jmap import arguments, blobs, headers, keywords
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, invalid
from chalicelib.mime import build, encode
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import Email, NewEmail
from chalicelib.services import mailbox

_CONVENIENT = {
    "sentAt": "header:Date:asDate",
    "from": "header:From:asAddresses",
    "sender": "header:Sender:asAddresses",
    "replyTo": "header:Reply-To:asAddresses",
    "to": "header:To:asAddresses",
    "cc": "header:Cc:asAddresses",
    "bcc": "header:Bcc:asAddresses",
    "subject": "header:Subject:asText",
    "messageId": "header:Message-ID:asMessageIds",
    "inReplyTo": "header:In-Reply-To:asMessageIds",
    "references": "header:References:asMessageIds",
}
_BODY = ("bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues")
_OTHER = ("mailboxIds", "keywords", "receivedAt")
_PART = frozenset(
    {"partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location",
     "subParts"}
)  # fmt: skip
_TOP = (
    "date",
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
)
_MAX_PARTS = 200


def compose(ctx: Context, given: Json) -> NewEmail:
    """The email, its raw message stored. Raises SetError."""
    unknown = [
        n for n in given if n not in _CONVENIENT and n not in (*_BODY, *_OTHER) and not headers.parse(n)
    ]
    if unknown:
        raise invalid("These cannot be set.", *unknown)
    where = folder(ctx, given.get("mailboxIds"))
    words = keywords.whole({} if given.get("keywords") is None else given["keywords"])
    when = received(given.get("receivedAt"))
    fields = _header(ctx, given)
    raw = _message(ctx, given, fields)
    limit = ctx.p.figures.max_message_bytes
    if len(raw) > limit:
        raise SetError("tooLarge", "The message would be too large.", maxSize=limit)
    blob = mailbox.keep_raw(ctx.p, raw)
    return NewEmail(
        id=email_id(blob, ctx.acct),
        folder=where,
        role=None,
        blob=blob,
        size=len(raw),
        received_at=when,
        digest=mime.digest(raw),
        keywords=words,
    )


def folder(ctx: Context, given: Any) -> str:
    """The one mailbox that `mailboxIds` names. Raises SetError."""
    if not isinstance(given, dict) or not given or any(on is not True for on in given.values()):
        raise invalid("An email is in a mailbox.", "mailboxIds")
    if len(given) > 1:
        raise SetError("tooManyMailboxes", "An email is in one mailbox.")
    id = ctx.resolve(next(iter(given)))
    if id is None or id not in ctx.state().counters:
        raise invalid("There is no such mailbox.", "mailboxIds")
    return id


def shown_of(email: Email) -> Json:
    """What a client is told of a new email."""
    return {"id": email.id, "blobId": email.id, "threadId": email.thread, "size": email.size}


def received(given: Any) -> datetime:
    """`receivedAt`; now where it is not given. Raises SetError."""
    if given is None:
        return clock.now()
    when = arguments.utc_date(given)
    if when is None or not 1971 <= when.year <= 9998:
        raise invalid("This is no date.", "receivedAt")
    return when


# ------------------------------------------------------------------- header
def _header(ctx: Context, given: Json) -> list[bytes]:
    """The header fields, in the order people expect. Raises SetError."""
    written: dict[str, list[bytes]] = {}
    for property, value in given.items():
        asked = headers.parse(_CONVENIENT.get(property, property))
        if asked is None:
            continue
        name = asked.name.lower()
        if name in written:
            raise invalid("This field is given twice.", property)
        if name.startswith("content-") or name == "mime-version":
            raise invalid("The body tells this.", property)
        written[name] = headers.write(asked, value, property)
    if not written.get("message-id"):
        unique = f"{secrets.token_hex(16)}@{ctx.account.domain}"
        written["message-id"] = [encode.ids_field("Message-ID", [unique])]
    if not written.get("date"):
        written["date"] = [encode.text_field("Date", format_datetime(clock.now()))]
    order = [*_TOP, *(name for name in written if name not in _TOP)]
    return [field for name in order for field in written.get(name, [])]


def _message(ctx: Context, given: Json, fields: list[bytes]) -> bytes:
    """The octets of the message."""
    body = _Body(ctx, given)
    root = body.root()
    seed = next((f for f in fields if f.lower().startswith(b"message-id:")), b"")
    return build.message(fields, root, seed.decode("utf-8", "replace"))


# --------------------------------------------------------------------- body
@dataclass
class _Body:
    """Reads the body of a description; `left` octets of blobs may still be taken."""

    ctx: Context
    given: Json
    left: int = 0
    parts: int = 0

    def root(self) -> build.Node:
        """The tree to write."""
        self.left = self.ctx.p.figures.max_message_bytes
        values = self.given.get("bodyValues")
        if values is not None and not (
            isinstance(values, dict) and all(isinstance(v, dict) for v in values.values())
        ):
            raise invalid("This takes a map of body values.", "bodyValues")
        if self.given.get("bodyStructure") is not None:
            others = [n for n in ("textBody", "htmlBody", "attachments") if self.given.get(n) is not None]
            if others:
                raise invalid("The structure is given already.", *others)
            return self._node(self.given["bodyStructure"], "bodyStructure")
        text = self._only("textBody", "text/plain")
        page = self._only("htmlBody", "text/html")
        return build.arrange(
            text, page, [self._node(part, "attachments") for part in self._list("attachments")]
        )

    def _list(self, name: str) -> list[Any]:
        value = self.given.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise invalid("This takes a list of parts.", name)
        return value

    def _only(self, name: str, kind: str) -> build.Node | None:
        """The one part of textBody or htmlBody (RFC 8621 §4.6)."""
        parts = self._list(name)
        if not parts:
            return None
        if len(parts) > 1 or not isinstance(parts[0], dict) or parts[0].get("type", kind) != kind:
            raise invalid(f"This takes one part of type {kind}.", name)
        return self._node({"type": kind} | parts[0], name)

    def _node(self, part: Any, where: str) -> build.Node:
        self.parts += 1
        if not isinstance(part, dict):
            raise invalid("A part is an object.", where)
        if self.parts > _MAX_PARTS:
            raise SetError("tooLarge", f"At most {_MAX_PARTS} parts.")
        unknown = [name for name in part if name not in _PART and not _part_header(name)]
        if unknown:
            raise invalid("A part has no such property that can be set.", f"{where}/{unknown[0]}")
        made = self._branch(part, where) if part.get("subParts") is not None else self._leaf(part, where)
        return _dressed(made, part, where)

    def _branch(self, part: Json, where: str) -> build.Node:
        inner = part["subParts"]
        kind = _string(part, "type", where) or "multipart/mixed"
        if not isinstance(inner, list) or not inner or not kind.lower().startswith("multipart/"):
            raise invalid("Only a multipart has subParts, at least one.", f"{where}/subParts")
        if part.get("partId") is not None or part.get("blobId") is not None:
            raise invalid("A multipart has no content of its own.", where)
        return build.Node(kind.lower(), children=tuple(self._node(p, where) for p in inner))

    def _leaf(self, part: Json, where: str) -> build.Node:
        part_id, blob_id = _string(part, "partId", where), _string(part, "blobId", where)
        kind = (_string(part, "type", where) or "text/plain").lower()
        if (part_id is None) == (blob_id is None):
            raise invalid("A part has either a partId or a blobId.", where)
        if kind.startswith("multipart/") or not build.is_type(kind):
            raise invalid("This is no type of a part.", f"{where}/type")
        if blob_id is None:
            if part.get("charset") is not None or not kind.startswith("text/"):
                raise invalid("A value is text, without a charset of its own.", where)
            return build.text_node(kind, self._value(part_id, where))
        charset = _string(part, "charset", where)
        params = (("charset", charset),) if charset else ()
        return build.Node(kind, self._blob(blob_id), params=params)

    def _value(self, part_id: str | None, where: str) -> str:
        found = (self.given.get("bodyValues") or {}).get(part_id)
        if not isinstance(found, dict) or not isinstance(found.get("value"), str):
            raise invalid("There is no value for this part.", where, "bodyValues")
        if found.get("isTruncated") or found.get("isEncodingProblem"):
            raise invalid("A value must be whole and right.", "bodyValues")
        value: str = found["value"]
        return value

    def _blob(self, blob_id: str) -> bytes:
        """A blob's octets, its size looked at before it is read. Raises SetError blobNotFound, tooLarge."""
        try:
            blob = blobs.find(self.ctx, blob_id)
            self.left -= blob.size
            if self.left < 0:
                limit = self.ctx.p.figures.max_message_bytes
                raise SetError("tooLarge", "The attachments are too large.", maxSize=limit)
            return blobs.content(self.ctx, blob)
        except ServiceError as error:
            raise SetError("blobNotFound", error.detail, notFound=[blob_id]) from None


def _part_header(name: str) -> bool:
    asked = headers.parse(name)
    return asked is not None and asked.name.lower() not in _RESERVED


_RESERVED = frozenset(
    {"content-type", "content-transfer-encoding", "content-disposition", "content-id", "content-language",
     "content-location", "mime-version"}
)  # fmt: skip


def _string(part: Json, name: str, where: str) -> str | None:
    value = part.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid("This takes a string.", f"{where}/{name}")
    return value


def _dressed(node: build.Node, part: Json, where: str) -> build.Node:
    """The node with what its part says beside its content."""
    fields: list[bytes] = []
    language = part.get("language")
    if language is not None:
        if not isinstance(language, list) or not all(isinstance(entry, str) for entry in language):
            raise invalid("This takes a list of language tags.", f"{where}/language")
        fields.append(encode.text_field("Content-Language", ", ".join(language)))
    if location := _string(part, "location", where):
        fields.append(encode.text_field("Content-Location", location))
    for name, value in part.items():
        if asked := headers.parse(name):
            fields += headers.write(asked, value, name)
    return replace(
        node,
        name=_string(part, "name", where),
        cid=_string(part, "cid", where),
        disposition=_string(part, "disposition", where),
        fields=tuple(fields),
    )
