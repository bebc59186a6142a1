"""Email/parse (RFC 8621 §4.9): blobs shown as emails, without becoming any."""

from dataclasses import fields
from typing import Any

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.jmap import arguments, blobs, email_get, limits
from chalicelib.jmap.blobs import Blob
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_get import Wanted
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules.values import Digest, Email
from chalicelib.services import imports

DEFAULT = [
    "messageId", "inReplyTo", "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject",
    "sentAt", "hasAttachment", "preview", "bodyValues", "textBody", "htmlBody", "attachments",
]  # fmt: skip
_MESSAGES = ("message/rfc822", "message/global")
_NULL = ("id", "threadId", "mailboxIds", "keywords", "receivedAt")  # what only an email of a mailbox has
_DIGESTED = {f.name for f in fields(Digest)} & {f.name for f in fields(Email)}


def parse(ctx: Context, args: Json) -> Json:
    """What Email/get would show of each. Nothing is read before all of it fits into a request."""
    wanted = email_get.read_wanted(args, DEFAULT)
    found, missing = _found(ctx, args)
    most = ctx.p.figures.max_message_bytes
    larger = [id for id, blob in found.items() if blob.size > most]
    ctx.check_room(blobs.to_read(blob for id, blob in found.items() if id not in larger))
    parsed: dict[str, Json] = {}
    for id, blob in found.items():
        raw = b"" if id in larger else blobs.content(ctx, blob)
        if _is_email(blob) or imports.is_message(raw):
            parsed[id] = _show(ctx, blob, raw, wanted)
    return {
        "accountId": ctx.acct,
        "parsed": parsed or None,
        "notParsable": [id for id in found if id not in parsed] or None,
        "notFound": missing or None,
    }


def _is_email(blob: Blob) -> bool:
    """Whether it came as a message, whatever header it has."""
    return blob.parts[-1].type in _MESSAGES if blob.parts else blob.email is not None


def _found(ctx: Context, args: Json) -> tuple[dict[str, Blob], list[str]]:
    ids = arguments.strings(args, "blobIds")
    if ids is None:
        raise arguments.wrong("blobIds", "a list of strings")
    if len(ids) > limits.MAX_RAW_READS:
        raise MethodError(
            "requestTooLarge", f"At most {limits.MAX_RAW_READS} messages can be opened at once."
        )
    return blobs.find_all(ctx, ids)


def _show(ctx: Context, blob: Blob, raw: bytes, wanted: Wanted) -> Json:
    digest = mime.digest(raw)
    parsed: dict[str, Any] = {name: getattr(digest, name) for name in _DIGESTED}
    email = Email(
        id=blob.id,
        thread="",
        folder="",
        uid=0,
        received_at=clock.now(),
        size=len(raw),
        keywords=frozenset(),
        blob=blob.key,
        modseq=0,
        **parsed,
    )
    return email_get.show(ctx, email, raw, wanted) | {n: None for n in _NULL if n in wanted.properties}
