"""What became of each recipient: SES's events, in any order and number, and what follows from them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Busy, pause
from chalicelib.rules import delivery, sesevents
from chalicelib.rules.delivery import Chunk
from chalicelib.services import bounces, guard
from chalicelib.services.platform import Platform
from chalicelib.store.outbox import Stale
from chalicelib.store.outbox_items import Outgoing

TRIES = 12  # of a change that others keep overtaking


def record(p: Platform, event: Mapping[str, Any]) -> None:
    """One event of SES. Those that are not of a message sent from here are let go.

    A complaint is also handed over as a report of abuse (S30), to be tied to its message there.
    """
    if complaint := sesevents.complaint(event):
        p.queues.send(p.settings.arrivals_queue, {"kind": "complaint", **asdict(complaint)})
    read = sesevents.read(event)
    if read is None:
        logger.info("event of no submission", extra={"type": event.get("eventType")})
        return
    chunk = p.outbox.chunk(read.submission, read.chunk)
    if chunk is None:
        logger.info("event of a submission that is gone", extra={"submission": read.submission})
        return
    if chunk.phase != "sent" and read.attempt == chunk.attempt:
        _heal(p, read)  # the call was made, and its end went unseen
    update(p, read.submission, read.chunk, lambda c: delivery.apply(c, read), start=chunk)


def _heal(p: Platform, event: delivery.Event) -> None:
    out = p.outbox.outgoing(event.submission)
    if out is not None and event.ses_id:
        p.outbox.remember(event.ses_id, out, clock.now())


def update(
    p: Platform,
    submission: str,
    number: int,
    change: Callable[[Chunk], Chunk],
    *,
    start: Chunk | None = None,
) -> Chunk | None:
    """Change a chunk and do what follows. `start`: the chunk as just read. None when there is no such chunk.

    What follows is done again for a change that changes nothing: the first time may have ended half-way.
    """
    chunk = start
    for attempt in range(TRIES):
        chunk = chunk or p.outbox.chunk(submission, number)
        if chunk is None:
            return None
        try:
            saved = _save(p, chunk, change(chunk))
        except Stale:
            chunk = None
            pause(min(attempt, 4))
            continue
        guard.bounced(p, chunk, saved)
        follow(p, saved)
        return saved
    raise Busy("chunk overtaken again and again")


def _save(p: Platform, old: Chunk, new: Chunk) -> Chunk:
    """Write what changed; before the first deferral is written, somebody waits for it (S27)."""
    if delivery.wants_machine(new):
        data = {"submission": new.submission, "chunk": new.number}
        p.workflows.start(p.settings.delivery_machine, delivery.machine_name(new), data)
        new = replace(new, running=True)
    return p.outbox.save(new, told=delivery.told(old, new)) if new != old else old


def follow(p: Platform, chunk: Chunk) -> None:
    """Answer who waits for the attempt, and tell the sender what there is to tell."""
    if chunk.token and delivery.ended(chunk):
        p.workflows.succeed(chunk.token, {})
    now = clock.now()
    worth_telling = delivery.unreported(chunk) or delivery.settled(chunk, now)
    if worth_telling and delivery.answered(chunk, now):
        report(p, chunk.submission)


def report(p: Platform, submission: str) -> None:
    """The bounce that is due, if one is; and no more looking after a message that is done.

    A report is claimed (counted, and its recipients marked) before it is written, and marked told after: a
    crash between leaves a claim that the next event, repeat or hourly look carries out, once.
    """
    for attempt in range(TRIES):
        loaded = p.outbox.load(submission)
        if loaded is None:
            return
        out, chunks = loaded
        if out.told < out.reports:
            bounces.tell(p, out, chunks)
            p.outbox.told(out)
            continue
        now = clock.now()
        if not (_wants_bounces(out) and delivery.to_report(chunks, out.reports, now)):
            if all(delivery.settled(c, now) for c in chunks):
                p.outbox.close(submission)
            return
        named = [delivery.report(c, out.reports + 1) for c in chunks if delivery.unreported(c)]
        try:
            p.outbox.claim_report(out, named, now)
        except Stale:
            pause(min(attempt, 4))
    raise Busy("submission overtaken again and again")


def _wants_bounces(out: Outgoing) -> bool:
    """S28: nobody is told about the fate of bounces and auto-replies, nor of the service's own mail."""
    return bool(out.account) and bool(out.envelope.sender) and not out.automatic
