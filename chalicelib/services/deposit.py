"""A message into mailboxes: read and parsed once, kept once per mailbox however often it comes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chalicelib import mime
from chalicelib.rules.ids import email_id
from chalicelib.rules.routing import Deliver
from chalicelib.rules.values import Arrival, Digest, NewEmail
from chalicelib.services import mailbox, quota
from chalicelib.services.platform import Platform


@dataclass(frozen=True, slots=True)
class Message:
    """An arrival that was opened. `thread_by`: its digest under our Message-IDs, where SES wrote others."""

    arrival: Arrival
    digest: Digest
    thread_by: Digest | None
    header: tuple[tuple[str, bytes], ...]


def open_message(p: Platform, arrival: Arrival) -> Message:
    """Read and parse the message; its size is what is stored. Raises ServiceError not_found."""
    raw = p.blobs.get(arrival.blob)
    digest = mime.digest(raw)
    arrival = replace(arrival, size=len(raw))
    return Message(arrival, digest, _ours(p, digest), tuple(mime.header_fields(raw)))


def _ours(p: Platform, digest: Digest) -> Digest | None:
    """The digest with Message-IDs that SES gave our messages replaced by those they were sent with.

    SES overwrites Message-ID, so an answer from outside refers to an id no mailbox here has seen; only with
    ours does it join its conversation. None when it names no such id.
    """
    suffix = p.settings.ses_id_domain.lower()
    every = (*digest.references, *digest.in_reply_to, *digest.message_id)
    keys = {i: i.partition("@")[0] for i in every if i.lower().endswith(suffix)}
    known = p.outbox.originals(keys.values()) if keys else {}
    if not known:
        return None

    def mapped(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(known.get(keys.get(i, ""), i) for i in ids)

    return replace(
        digest,
        references=mapped(digest.references),
        in_reply_to=mapped(digest.in_reply_to),
        message_id=mapped(digest.message_id),
    )


def keep(p: Platform, message: Message, where: Deliver, spare: int = 0) -> bool:
    """A copy in one mailbox, once per arrival and mailbox. False: over quota (S17), nothing kept.

    `spare`: bytes beyond the quota that this message may take.
    """
    arrival, account = message.arrival, where.account
    new = NewEmail(
        id=email_id(arrival.id, account.id),
        folder=None,
        role=where.role,
        blob=arrival.blob,
        size=arrival.size,
        received_at=arrival.received_at,
        digest=message.digest,
        keywords=where.keywords,
        verdicts=arrival.verdicts,
        envelope_from=arrival.envelope.sender,
        thread_by=message.thread_by,
    )
    [added] = mailbox.add(p, account.id, [new], quota_bytes=account.quota_bytes, spare=spare)
    quota.added(p, account, [added])
    return added.outcome != "over_quota"
