"""Mail on its way out: accepted, split, queued, handed to SES, and looked after until it is settled."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from math import ceil

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.mail import Paused, Rejected, Throttled, Unclear
from chalicelib.aws.table import Busy, Write, pause
from chalicelib.rules import delivery, header, holding, limits, routing
from chalicelib.rules.delivery import Chunk, Fate, Finding
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import sent_again
from chalicelib.rules.values import (
    Account,
    Digest,
    Envelope,
    Lookup,
    Submission,
    Submitted,
)
from chalicelib.services import guard, outcomes, references, suspension
from chalicelib.services.platform import Platform
from chalicelib.store.outbox import Rate, Repeated, Stale
from chalicelib.store.outbox_items import Outgoing
from chalicelib.store.tracks import sent_put

TRIES = 12  # at the sender's rate, while others send from the same mailbox
REPEATED = timedelta(days=1)  # until then the same message again is no other
NEGLECTED = timedelta(minutes=30)  # what is open longer is looked at by `mend`
BACK_OFF_SECONDS = 60  # a throttled call comes again within this time
NOWHERE = Lookup(None, None)
STOPPED = Finding("deferred", True, "4.7.1", "451 4.7.1 sending is suspended, will try again")

# Bcc is for the sender's own copy. The others would steer SES, its bounces or reports of abuse past us.
NOT_SENT = (
    "Bcc",
    "Resent-Bcc",
    "Return-Path",
    references.HEADER,
    "X-SES-Configuration-Set",
    "X-SES-Message-Tags",
    "X-SES-Tenant",
    "X-SES-Source-Arn",
    "X-SES-From-Arn",
    "X-SES-Return-Path-Arn",
    "X-SES-List-Management-Options",
)


# ------------------------------------------------------------------------- in
def submit(p: Platform, s: Submission) -> Submitted:
    """Take a message for sending: kept, its recipients split, before the answer. A repeat does nothing new.

    Raises ServiceError: not_found (blob), too_large, no_recipients, too_many_recipients, invalid_recipients,
    account_suspended, domain_pending, domain_suspended, sending_paused, forbidden_from, invalid_message,
    forbidden_attachment, virus, rate_limited, invalid (parameters that hold it).
    """
    known = p.outbox.load(s.id)
    while known and not _is_repeat(s, known[0]):
        s = replace(s, id=sent_again(s.id))
        known = p.outbox.load(s.id)
    out, chunks = known or _create(p, s)
    if out.account != (s.account.id if s.account else ""):
        raise ServiceError("conflict", "This submission is somebody else's.")
    dispatch(p, chunks, wait(out))
    return Submitted(out.id, out.sent_at, out.undo)


def _is_repeat(s: Submission, out: Outgoing) -> bool:
    """Whether the same message again is the same submission, its answer having been lost. In webmail, where
    a message can be sent once more, it is none after it was called back, nor a day later.
    """
    if s.source != "webmail":
        return True
    return out.undo != "canceled" and clock.now() - out.sent_at <= REPEATED


def _create(p: Platform, s: Submission) -> tuple[Outgoing, list[Chunk]]:
    """Check the message and write it down with everything that sending it takes."""
    now = clock.now()
    leaves = holding.until(s.held, now)
    limits.check_size(s.size, p.figures)
    recipients = limits.check_recipients(s.envelope.recipients, p.figures)
    raw = p.blobs.get(s.blob)
    limits.check_size(len(raw), p.figures)
    digest, fields = mime.digest(raw), mime.header_fields(raw)
    found = _look_up(p, s, digest, recipients)
    limits.check_reach(recipients, found, p.figures)
    if s.account:
        header.check((name for name, _ in fields), digest)
        _check(s, s.account, digest, found)
    limits.check_attachments(digest.structure)
    limits.check_attachment_count(len(mime.attachments(digest.structure)), s.source, p.figures)
    limits.check_virus(mime.part_bytes(raw, part) for part in limits.leaves(digest.structure))
    chunks = split(s.id, recipients, found, p.figures.recipients_per_call)
    out = Outgoing(
        id=s.id,
        account=s.account.id if s.account else "",
        domain=s.account.domain if s.account else s.envelope.sender.rpartition("@")[2],
        envelope=Envelope(s.envelope.sender, recipients),
        raw=_sent_blob(p, s, raw),
        size=len(raw),
        message_id=next(iter(digest.message_id), s.message_id),
        sent_at=leaves,
        chunks=len(chunks),
        automatic=routing.by_machine(fields),
        email_id=s.email_id,
        identity=s.identity,
        thread=s.thread,
        undo="pending" if leaves > now else "final",
        held=s.held,
    )
    return _keep(p, s, out, chunks, _track(out, found))


def _keep(
    p: Platform, s: Submission, out: Outgoing, chunks: list[Chunk], track: Sequence[Write]
) -> tuple[Outgoing, list[Chunk]]:
    """The one transaction, with the sender's rate in it (S21): counted once, and only what is sent."""
    for attempt in range(TRIES):
        try:
            rate, seen = _pace(p, s, out.envelope.recipients)
            p.outbox.create(out, chunks, rate, [*track, *seen])
        except Stale:
            pause(min(attempt, 4))
        except Repeated:
            return p.outbox.load(s.id) or (out, chunks)
        else:
            return out, chunks
    raise Busy("rate overtaken again and again")


def _track(out: Outgoing, found: dict[str, Lookup]) -> list[Write]:
    """The row of the domain's trace, for what its people send."""
    domain = found.get(out.envelope.sender.lower(), NOWHERE).domain
    return [sent_put(domain.reseller, out)] if domain and out.account else []


def _pace(p: Platform, s: Submission, recipients: Sequence[str]) -> tuple[Rate | None, list[Write]]:
    """S21, and the guard against stolen mailboxes: what both remember with this message among the others."""
    limit = limits.rate_limit(s.source, p.figures)
    if s.account is None or limit is None:
        return None, []
    rate, watched = p.outbox.lately(s.account.id, s.source)
    rate = replace(rate, times=limits.admit(rate.times, delivery.milliseconds(clock.now()), limit))
    seen = guard.admit(p, s.account, watched, recipients)
    return rate, [p.outbox.watch_put(seen)] if seen else []


def _look_up(p: Platform, s: Submission, digest: Digest, recipients: Sequence[str]) -> dict[str, Lookup]:
    """Everybody the message names as sender or recipient, in one batch; keys in lower case."""
    people = {c.email.lower() for c in (*digest.from_, *digest.sender)}
    asked = {s.envelope.sender.lower(), *people, *(r.lower() for r in recipients)}
    if s.account:
        asked.add(s.account.address)
    return p.directory.lookup(asked - {""})


def _check(s: Submission, account: Account, digest: Digest, found: dict[str, Lookup]) -> None:
    """Whether this account may send at all, and under these addresses; as the directory has it now."""

    def owner(address: str) -> str | None:
        known = found.get(address.lower(), NOWHERE)
        entry = known.entry if known.via != "catch_all" else None  # which would be every name
        return entry.id if isinstance(entry, Account) else None

    own = found.get(account.address, NOWHERE)
    current = own.entry if isinstance(own.entry, Account) and own.entry.id == account.id else account
    limits.check_sender(current, own.domain)
    authors = [owner(c.email) for c in (*digest.from_, *digest.sender)]
    limits.check_from(account, owner(s.envelope.sender), authors)


def _sent_blob(p: Platform, s: Submission, raw: bytes) -> str:
    """The blob that goes out: the message's own, or a copy without what must not be seen."""
    unwanted = {name.lower() for name in NOT_SENT}
    if s.email_id is None:  # no email of the sender holds it
        p.mailboxes.purge_blob(s.blob, clock.now())
    if not any(name.lower() in unwanted for name, _ in mime.header_fields(raw)):
        return s.blob
    blob = f"own/{s.id}-sent"
    p.blobs.put(blob, mime.without_headers(raw, NOT_SENT), type="message/rfc822")
    p.mailboxes.purge_blob(blob, clock.now())  # in time; local recipients' copies hold it longer
    return blob


def split(submission: str, recipients: Iterable[str], found: dict[str, Lookup], size: int) -> list[Chunk]:
    """S26: local recipients come in by the arrivals queue, all others go out by SES; S5: a pending domain is
    not local.
    """
    inside: list[str] = []
    outside: list[str] = []
    for address in recipients:
        (inside if found.get(address.lower(), NOWHERE).local else outside).append(address)
    groups = [(True, g) for g in _groups(inside, size)] + [(False, g) for g in _groups(outside, size)]
    return [
        Chunk(submission, number, local, dict.fromkeys(group, Fate()))
        for number, (local, group) in enumerate(groups)
    ]


def _groups(addresses: Sequence[str], size: int) -> list[Sequence[str]]:
    return [addresses[at : at + size] for at in range(0, len(addresses), size)]


# ------------------------------------------------------------------------ out
def wait(out: Outgoing) -> int:
    """Whole seconds for which a submission is still held."""
    left = (out.sent_at - clock.now()).total_seconds() if out.undo == "pending" else 0
    return max(0, ceil(left))


def leaves(p: Platform, out: Outgoing, chunk: Chunk) -> bool:
    """Whether a message may leave now; from here on nothing calls it back. One that comes early is queued
    again: SQS holds nothing back for longer than 15 minutes.
    """
    if left := wait(out):
        dispatch(p, [chunk], left)
        return False
    return out.undo == "final" or (out.undo == "pending" and _final(p, out))


def _final(p: Platform, out: Outgoing) -> bool:
    """Whether it was not called back until now."""
    if p.outbox.decide(out, "final"):
        return True
    current = p.outbox.outgoing(out.id)
    return current is not None and current.undo == "final"


def dispatch(p: Platform, chunks: Iterable[Chunk], delay: int = 0) -> None:
    """Queue what waits to be attempted. More than once does no harm: the chunk's record decides."""
    waiting = [c for c in chunks if c.phase == "queued"]
    inside = [{"kind": "local", "submission": c.submission, "part": c.number} for c in waiting if c.local]
    outside = [{"submission": c.submission, "chunk": c.number} for c in waiting if not c.local]
    if inside:
        p.queues.send_all(p.settings.arrivals_queue, inside, delay=delay)
    if outside:
        p.queues.send_all(p.settings.outgoing_queue, outside, delay=delay)


def attempt(p: Platform, submission: str, number: int) -> None:
    """One call of SES for a chunk, at most once per attempt record. Raises Busy, ServiceError not_found."""
    out, chunk = p.outbox.outgoing(submission), p.outbox.chunk(submission, number)
    if out is None or chunk is None:
        logger.warning("no such submission", extra={"submission": submission, "chunk": number})
        return
    verdict = delivery.begin(chunk, clock.now())
    if verdict == "send" and not leaves(p, out, chunk):
        return
    if verdict == "nothing":
        outcomes.follow(p, chunk)
    elif verdict == "wait":
        _again(p, chunk, int(delivery.LOOK_AGAIN.total_seconds()))
    else:
        raw = references.stamped(p, out.id, mime.seven_bit(p.blobs.get(out.raw)))
        try:
            begun = p.outbox.save(delivery.sending(chunk, clock.now()))
        except Stale:  # another delivery of this message, or an event, was quicker
            _again(p, chunk, 1)
            return
        _call(p, out, begun, raw)


def _again(p: Platform, chunk: Chunk, seconds: int) -> None:
    body = {"submission": chunk.submission, "chunk": chunk.number}
    p.queues.send(p.settings.outgoing_queue, body, delay=seconds)


def _call(p: Platform, out: Outgoing, chunk: Chunk, raw: bytes) -> None:
    """Hand the message to SES and write down how it ended.

    What a suspension finds still here is held back as if it had been deferred: it leaves when that is lifted
    within three days (S27), else its sender gets a bounce.
    """
    if suspension.stopped(p, out.account, out.envelope.sender):
        _end(p, chunk, STOPPED)
        return
    tags = {"submission": out.id, "chunk": str(chunk.number), "attempt": str(chunk.attempt)}
    try:
        ses_id = p.mail.send(out.envelope.sender, delivery.included(chunk), raw, tags)
    except Throttled:
        _put_back(p, chunk)
    except Unclear as error:
        logger.error("end of a call unseen", extra={**tags, "error": str(error)})
        _again(p, chunk, int(delivery.LOOK_AGAIN.total_seconds()))
    except Paused as error:
        logger.error("sending paused", extra={**tags, "error": str(error)})
        reply = "451 4.3.2 not sending at present, will try again"
        _end(p, chunk, Finding("deferred", True, "4.3.2", reply))
    except Rejected as error:
        logger.error("message refused", extra={**tags, "error": str(error)})
        _end(
            p, chunk, Finding("failed", status="5.6.0", reply="550 5.6.0 the message cannot be sent as it is")
        )
    else:
        p.outbox.remember(ses_id, out, clock.now())
        _end(p, chunk, Finding("sent"), ses_id)


def _end(p: Platform, chunk: Chunk, finding: Finding, ses_id: str = "") -> None:
    """The call's end for all it was made for, unless events were quicker with more."""
    at = delivery.milliseconds(clock.now())
    findings = dict.fromkeys(delivery.included(chunk), finding)
    event = delivery.Event(chunk.submission, chunk.number, chunk.attempt, ses_id, at, findings)
    outcomes.update(p, chunk.submission, chunk.number, lambda c: delivery.apply(c, event), start=chunk)


def _put_back(p: Platform, chunk: Chunk) -> None:
    """A throttled call was not made: the same attempt again, soon (no delivery failure)."""

    def waiting(current: Chunk) -> Chunk:
        mine = current.attempt == chunk.attempt and current.phase == "sending"
        return replace(current, phase="queued") if mine else current

    outcomes.update(p, chunk.submission, chunk.number, waiting, start=chunk)
    _again(p, chunk, random.randint(1, BACK_OFF_SECONDS))


# ----------------------------------------------------------------- looked after
def mend(p: Platform) -> int:
    """Take up what a crash left: chunks nobody queued, calls nobody saw the end of, reports not written.

    Gives the number of submissions looked at.
    """
    looked = 0
    for id in p.outbox.open_since(clock.now() - NEGLECTED):
        loaded = p.outbox.load(id)
        if loaded is None:
            p.outbox.close(id)
            continue
        if loaded[0].undo != "canceled":
            _mend_chunks(p, loaded[1])
        outcomes.report(p, id)
        looked += 1
    return looked


def _mend_chunks(p: Platform, chunks: Sequence[Chunk]) -> None:
    dispatch(p, chunks)
    for chunk in chunks:
        if chunk.phase == "sending" and delivery.begin(chunk, clock.now()) == "resend":
            _again(p, chunk, 0)
        elif delivery.wants_machine(chunk):
            outcomes.update(p, chunk.submission, chunk.number, lambda c: c)
