"""Email/get and /changes, Thread/get and /changes (RFC 8621 §3 and §4)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib import mime
from chalicelib.jmap import arguments, body_parts, headers, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules.values import Correspondent, Email, Row
from chalicelib.services import mailbox
from chalicelib.services.finding import OPENED
from chalicelib.services.platform import Platform

Getter = Callable[[Any], Any]
_LITTLE = 64 * 1024  # octets that are not worth another read, should the whole message be wanted, too


def _people(email: Row, name: str, people: tuple[Correspondent, ...]) -> list[Json] | None:
    """None: the header has no such field. An empty list: it has, with nobody in it."""
    return headers.people(people) if people or name in email.blank else None


def _subject(email: Row) -> str | None:
    return email.subject if email.subject or "subject" in email.blank else None


def _sent(email: Email) -> str | None:
    if email.sent_at is None:
        return None
    return email.sent_at.isoformat(timespec="seconds").replace("+00:00", "Z")


#: Answered from a list's row.
OF_ROW: dict[str, Getter] = {
    "id": lambda e: e.id,
    "blobId": lambda e: e.id,
    "threadId": lambda e: e.thread,
    "mailboxIds": lambda e: {e.folder: True},
    "keywords": lambda e: dict.fromkeys(sorted(e.keywords), True),
    "size": lambda e: e.size,
    "receivedAt": lambda e: arguments.show_date(e.received_at),
    "from": lambda e: _people(e, "from", e.from_),
    "to": lambda e: _people(e, "to", e.to),
    "subject": _subject,
    "hasAttachment": lambda e: e.has_attachment,
    "preview": lambda e: e.preview,
}
#: Answered from the whole record.
OF_RECORD: dict[str, Getter] = {
    "messageId": lambda e: list(e.message_id) or None,
    "inReplyTo": lambda e: list(e.in_reply_to) or None,
    "references": lambda e: list(e.references) or None,
    "sender": lambda e: _people(e, "sender", e.sender),
    "cc": lambda e: _people(e, "cc", e.cc),
    "bcc": lambda e: _people(e, "bcc", e.bcc),
    "replyTo": lambda e: _people(e, "reply-to", e.reply_to),
    "sentAt": _sent,
}
#: Answered from the MIME tree; of the raw message only where a part's own header is asked for.
OF_TREE = ("bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues")
PROPERTIES = frozenset({*OF_ROW, *OF_RECORD, *OF_TREE, "headers"})
DEFAULT = [
    "id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt", "messageId", "inReplyTo",
    "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject", "sentAt", "hasAttachment",
    "preview", "bodyValues", "textBody", "htmlBody", "attachments",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an Email/get asks for."""

    properties: list[str]
    fields: Mapping[str, headers.Asked]
    parts: body_parts.Wanted

    @property
    def raw(self) -> bool:
        """Whether the raw message has to be read."""
        if self.fields or "headers" in self.properties:
            return True
        trees = any(p in self.properties for p in OF_TREE if p != "bodyValues")
        return (trees and self.parts.needs_raw) or ("bodyValues" in self.properties and self.parts.values)

    def extent(self, email: Row) -> int:
        """How much of the raw message, from its beginning, has to be read."""
        if not self.raw or not isinstance(email, Email):
            return 0
        if self.parts.needs_raw and any(p in self.properties for p in OF_TREE if p != "bodyValues"):
            return email.size
        texts = body_parts.chosen(email.structure, self.parts) if "bodyValues" in self.properties else {}
        return max(email.structure.body, *(part.end for part in texts.values()), 0)

    @property
    def row_only(self) -> bool:
        """Whether a list's row tells all."""
        return not self.raw and all(p in OF_ROW for p in self.properties)


def get(ctx: Context, args: Json) -> Json:
    """Email/get. Behind an Email/query of the same request, row properties cost no further read."""
    ids = standard.wanted_ids(args)
    if ids is None:
        raise MethodError("requestTooLarge", "Please name the emails: a mailbox may have very many.")
    wanted = read_wanted(args, DEFAULT, ("id",))
    state = ctx.state_of("Email")
    found = _read(ctx, [i for i in ids if arguments.is_id(i)], wanted)
    opened = _opened(ctx, list(found.values()), wanted)
    shown = {email.id: show(ctx, email, raw, wanted) for email, raw in opened}
    return standard.get_answer(ctx, state, ids, shown, None)


def _opened(ctx: Context, emails: Sequence[Row], wanted: Wanted) -> Iterator[tuple[Row, bytes]]:
    """Emails with as much of their raw messages as is needed; those that are read, some together."""
    extents = [wanted.extent(email) for email in emails]
    if not any(extents):
        yield from ((email, b"") for email in emails)
        return
    ctx.charge(sum(extents))
    with ThreadPoolExecutor(OPENED) as pool:
        for at in range(0, len(emails), OPENED):
            some = emails[at : at + OPENED]
            yield from zip(some, pool.map(partial(_raw, ctx.p), some, extents[at : at + OPENED]), strict=True)


def _raw(p: Platform, email: Row, octets: int) -> bytes:
    """The beginning of a raw message, or all of it where that is little more."""
    if octets == 0:
        return b""
    whole = email.size - octets < _LITTLE
    return p.blobs.get(email.blob) if whole else p.blobs.get_range(email.blob, 0, octets)


def read_wanted(args: Json, default: list[str], always: tuple[str, ...] = ()) -> Wanted:
    """From the arguments of a method that shows emails. Raises MethodError invalidArguments."""
    asked = arguments.strings(args, "properties")
    properties = list(dict.fromkeys([*always, *(default if asked is None else asked)]))
    fields = {p: headers.known_or_error(p) for p in properties if p not in PROPERTIES}
    return Wanted(properties, fields, body_parts.wanted(args))


def _read(ctx: Context, ids: list[str], wanted: Wanted) -> Mapping[str, Row]:
    if not wanted.row_only:
        return ctx.emails(ids)
    known = {i: ctx.rows[i] for i in ids if i in ctx.rows}
    return {**known, **ctx.emails([i for i in ids if i not in known])}


def show(ctx: Context, email: Row, raw: bytes, wanted: Wanted) -> Json:
    """One Email object; `raw` is looked at where its record does not tell."""
    out: Json = {}
    fields = mime.header_fields(raw) if wanted.fields or "headers" in wanted.properties else []
    hint = mime.hint_of(email.structure) if isinstance(email, Email) else None
    trees = _trees(ctx, email, raw, wanted) if any(p in OF_TREE for p in wanted.properties) else {}
    for name in wanted.properties:
        if name in OF_ROW:
            out[name] = OF_ROW[name](email)
        elif name in OF_RECORD:
            out[name] = OF_RECORD[name](email)
        elif name in trees:
            out[name] = trees[name]
        elif name == "headers":
            out[name] = headers.show_all(fields)
        else:
            out[name] = headers.show(wanted.fields[name], fields, hint)
    return out


def _trees(ctx: Context, email: Row, raw: bytes, wanted: Wanted) -> Json:
    """bodyStructure, the three lists and the values that go with them."""
    assert isinstance(email, Email)
    lists = mime.bodies(email.structure)
    show = body_parts.Shower(email.id, raw, wanted.parts)
    out: Json = {}
    if "bodyStructure" in wanted.properties:
        out["bodyStructure"] = show.tree(email.structure)
    for name, parts in (
        ("textBody", lists.text),
        ("htmlBody", lists.html),
        ("attachments", lists.attachments),
    ):
        if name in wanted.properties:
            out[name] = [show.part(part) for part in parts]
    if "bodyValues" in wanted.properties:
        out["bodyValues"] = body_parts.values(ctx, raw, email.structure, wanted.parts)
    return out


def changes(ctx: Context, args: Json) -> Json:
    """Email/changes: proportional to what changed; one read unit where nothing did."""
    return standard.changes(ctx, args, "Email")


def threads(ctx: Context, args: Json) -> Json:
    """Thread/get."""
    ids, properties = standard.wanted_ids(args), standard.wanted_properties(args, ("id", "emailIds"))
    if ids is None:
        raise MethodError("requestTooLarge", "Please name the threads: a mailbox may have very many.")
    state = ctx.state_of("Thread")
    found = mailbox.thread(ctx.p, ctx.acct, [i for i in ids if arguments.is_id(i)])
    shown = {id: {"id": id, "emailIds": emails} for id, emails in found.items()}
    return standard.get_answer(ctx, state, ids, shown, properties)


def thread_changes(ctx: Context, args: Json) -> Json:
    """Thread/changes."""
    return standard.changes(ctx, args, "Thread")
