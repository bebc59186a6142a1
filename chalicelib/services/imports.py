"""Messages that their owner brings along: an upload, or a copy of what is there, becomes an email (RFC 8621
§4.8). Its octets are kept as they are.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.mime import words
from chalicelib.rules import limits
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import NewEmail
from chalicelib.services import mailbox
from chalicelib.services.platform import Platform

#: A message has at least one of these; a file of another kind may have lines that look like other fields.
_TELLING = frozenset(
    {"from", "to", "cc", "bcc", "sender", "date", "subject", "message-id", "received", "return-path",
     "mime-version"}
)  # fmt: skip
_AGAIN = 20  # times that a message is destroyed and imported anew before a repeat can make two of it


@dataclass(frozen=True, slots=True)
class Brought:
    """A message to import. `blob`: where its octets are kept for good already; None: nowhere yet."""

    raw: bytes
    blob: str | None
    folder: str
    keywords: frozenset[str]
    received_at: datetime | None = None


def is_message(raw: bytes) -> bool:
    """Whether octets are a message (RFC 5322 §3.6) rather than any file."""
    return any(name.lower() in _TELLING for name, _ in mime.header_fields(raw[:1_000_000]))


def prepare(p: Platform, acct: str, brought: Brought) -> NewEmail:
    """The email that it becomes, its octets kept. The id follows from the octets and the folder, so that a
    request repeated after a lost answer finds it there; once it was destroyed it can be imported again.

    Raises ServiceError: invalid (`extra["reason"]` invalidEmail), too_large, virus, conflict (alreadyExists).
    """
    raw = brought.raw
    limits.check_size(len(raw), p.figures)
    if not is_message(raw):
        raise ServiceError("invalid", "This is no message.", extra={"reason": "invalidEmail"})
    digest = mime.digest(raw)
    limits.check_virus(mime.part_bytes(raw, part) for part in mime.leaves(digest.structure))
    id = _free_id(p, acct, f"import {sha256(raw).hexdigest()} {brought.folder}")
    return NewEmail(
        id=id,
        folder=brought.folder,
        role=None,
        blob=brought.blob or mailbox.keep_raw(p, raw),
        size=len(raw),
        received_at=brought.received_at or received_at(raw),
        digest=digest,
        keywords=brought.keywords,
    )


def already(id: str) -> ServiceError:
    """The message is in the folder."""
    extra = {"reason": "alreadyExists", "existing": id}
    return ServiceError("conflict", "This message is in the mailbox already.", extra=extra)


def _free_id(p: Platform, acct: str, seed: str) -> str:
    for number in range(_AGAIN):
        id = email_id(f"{seed} {number}", acct)
        if not p.mailboxes.known(acct, id):
            return id
        if p.mailboxes.live(acct, [id]):
            raise already(id)
    return email_id(secrets.token_hex(16), acct)


def received_at(raw: bytes) -> datetime:
    """When the newest Received field says, if it can be true; else now (RFC 8621 §4.8)."""
    now = clock.now()
    newest = next((value for name, value in mime.header_fields(raw) if name.lower() == "received"), b"")
    when = words.as_date(newest.rpartition(b";")[2]) if b";" in newest else None
    return when if when is not None and when.year > 1970 and when <= now else now
