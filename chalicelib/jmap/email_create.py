"""New emails from their JMAP description (RFC 8621 §4.6), and how they are kept."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.jmap import arguments, email_body, headers, keywords
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Faults, Json, SetError, invalid, set_error
from chalicelib.jmap.standard import Outcome
from chalicelib.mime import build, encode
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.header import ONCE
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import Added, Email, NewEmail
from chalicelib.services import imports, mailbox, quota
from chalicelib.store.mailbox_write import batches

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
_OTHER = ("mailboxIds", "keywords", "receivedAt")


def compose(ctx: Context, given: Json) -> NewEmail:
    """The email, its raw message stored. Raises SetError."""
    faults = Faults()
    with faults:
        _check_names(given)
    with faults:
        where = folder(ctx, given.get("mailboxIds"))
    with faults:
        words = keywords.whole({} if given.get("keywords") is None else given["keywords"])
    with faults:
        when = received(given.get("receivedAt"))
    written = _header(given, faults)
    root = email_body.tree(ctx, given, written.keys(), faults)
    faults.refuse()
    raw = build.message(_complete(ctx, written, root), root, secrets.token_hex(16))
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


def _check_names(given: Json) -> None:
    known = (*_CONVENIENT, *email_body.PROPERTIES, *_OTHER)
    unknown = [name for name in given if name not in known and not headers.parse(name)]
    if unknown:
        raise invalid("These cannot be set.", *unknown)


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


def add(ctx: Context, made: Mapping[str, NewEmail], given: Mapping[str, Json], outcome: Outcome) -> None:
    """Keep new emails, a transaction at a time; when one is refused, those before it stay created.

    Raises ServiceError where nothing was.
    """
    account = quota.current(ctx.p, ctx.account)
    for batch in batches(list(made)):
        try:
            new = [made[creation] for creation in batch]
            added = mailbox.add(ctx.p, ctx.acct, new, quota_bytes=account.quota_bytes)
        except ServiceError as error:
            if not outcome["created"]:
                raise
            rest = made.keys() - outcome["created"].keys() - outcome["notCreated"].keys()
            outcome["notCreated"].update(dict.fromkeys(rest, set_error(error)))
            return
        quota.added(ctx.p, account, added)
        for creation, result in zip(batch, added, strict=True):
            _tell(ctx, creation, given[creation], result, outcome)


def _tell(ctx: Context, creation: str, given: Json, result: Added, outcome: Outcome) -> None:
    """What became of one of them."""
    if result.email is not None:
        ctx.created[creation] = result.id
        outcome["created"][creation] = _shown(result.email, given)
    elif result.outcome == "repeat":
        outcome["notCreated"][creation] = set_error(imports.already(result.id))
    else:
        outcome["notCreated"][creation] = set_error(quota.exceeded(ctx.p, ctx.account))


def _shown(email: Email, given: Json) -> Json:
    """What a client is told of a new email; `receivedAt` where it is not kept as given (RFC 8620 §5.3)."""
    told = {"id": email.id, "blobId": email.id, "threadId": email.thread, "size": email.size}
    when = arguments.show_date(email.received_at)
    return told if given.get("receivedAt") in (None, when) else told | {"receivedAt": when}


def received(given: Any) -> datetime:
    """`receivedAt`; now where it is not given. Raises SetError."""
    if given is None:
        return clock.now()
    when = arguments.utc_date(given)
    if when is None or not 1971 <= when.year <= 9998:
        raise invalid("This is no date in UTC, with a Z.", "receivedAt")
    return when


# ------------------------------------------------------------------- header
def _header(given: Json, faults: Faults) -> dict[str, list[bytes]]:
    """The header fields that are given, by their names in lower case."""
    written: dict[str, list[bytes]] = {}
    for property, value in given.items():
        asked = headers.parse(_CONVENIENT.get(property, property))
        if asked is None or value is None:
            continue
        name = asked.name.lower()
        with faults:
            if name in written:
                raise invalid("This field is given twice.", property)
            if headers.is_content(name) or name == "mime-version":
                raise invalid("The body tells this.", property)
            written[name] = headers.write(asked, value, property)
    return written


def _complete(ctx: Context, written: dict[str, list[bytes]], root: build.Node) -> list[bytes]:
    """The header, in the order people expect, with what a message must have (RFC 8621 §4.6)."""
    below = build.names(root)
    if not written.get("message-id") and "message-id" not in below:
        unique = f"{secrets.token_hex(16)}@{ctx.account.domain}"
        written["message-id"] = [encode.ids_field("Message-ID", [unique])]
    if not written.get("date") and "date" not in below:
        written["date"] = [encode.text_field("Date", format_datetime(clock.now()))]
    order = [*ONCE, *(name for name in written if name not in ONCE)]
    return [field for name in order for field in written.get(name, [])]
