"""What becomes of each recipient of a message on its way out (S27, S28). Pure: a chunk in, a chunk out.

A chunk is at most 50 outside recipients that one SES call serves, or a part of the local ones. What SES
reports comes late, twice and in any order, so a recipient's fate only ever grows: `join` keeps the greater of
two findings of one attempt, which is the same in whatever order they come. A finding of an older attempt
than the one that last included the recipient changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.rules.figures import Figures
from chalicelib.rules.values import RecipientState, RecipientStateName

SILENT_AFTER = timedelta(hours=4)  # SES gives up after 3 h (MaxDeliverySeconds): later nothing more is heard
RESEND_AFTER = timedelta(hours=1)  # a call whose end nobody saw, and that no event has told of since
LOOK_AGAIN = timedelta(minutes=15)  # SQS's longest delay

Phase = Literal["queued", "sending", "sent"]


@dataclass(frozen=True, slots=True)
class Fate:
    """One recipient. `attempt` is the last that included it; `at` (ms) when the finding was made."""

    state: RecipientStateName = "queued"
    attempt: int = 1
    ended: bool = False  # deferred, and SES tries no more
    status: str = ""
    reply: str = ""
    at: int = 0
    reported: int = 0  # number of the bounce that names it
    complained: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """Recipients that share each attempt. `started`: ms, of the call under way or last made."""

    submission: str
    number: int
    local: bool
    fates: Mapping[str, Fate]
    phase: Phase = "queued"
    attempt: int = 1
    started: int = 0
    ses_id: str = ""
    token: str = ""  # of the state machine's task that waits for this attempt
    runs: int = 0  # state machines that ended
    running: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one event says of one recipient."""

    state: RecipientStateName
    ended: bool = False
    status: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of SES about an attempt. `complaint` findings are kept apart from delivery (S30)."""

    submission: str
    chunk: int
    attempt: int
    ses_id: str
    at: int
    findings: Mapping[str, Finding] = field(default_factory=dict)
    complaints: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """What the delivery machine does next."""

    action: Literal["retry", "done"]
    at: datetime


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def moment(ms: int, like: datetime) -> datetime:
    """The moment `ms` milliseconds after 1970, in the time zone of `like`."""
    return datetime.fromtimestamp(ms / 1000, like.tzinfo)


_RANK = {"queued": 0, "sent": 1, "deferred": 2, "delivered": 4, "failed": 5}


def _weight(fate: Fate) -> tuple[int, int, str, str]:
    """Order of findings of one attempt: what ends it weighs more; a bounce after acceptance most."""
    return (_RANK[fate.state] + fate.ended, fate.at, fate.status, fate.reply)


def join(fate: Fate, found: Finding, at: int) -> Fate:
    """The fate with a finding of its own attempt: commutative, associative and idempotent.

    That it was sent is one finding, whoever says so and when: our own record or SES's Send event.
    """
    when = 0 if found.state == "sent" else at
    new = replace(fate, state=found.state, ended=found.ended, status=found.status, reply=found.reply, at=when)
    return new if _weight(new) > _weight(fate) else fate


def apply(chunk: Chunk, event: Event) -> Chunk:
    """The chunk after an event. Any event of the attempt under way proves that SES took the message."""
    findings = {a.lower(): f for a, f in event.findings.items()}
    complained = {a.lower() for a in event.complaints}
    fates = {}
    for address, fate in chunk.fates.items():
        found = findings.get(address.lower())
        if found and fate.attempt == event.attempt:
            fate = join(fate, found, event.at)
        if address.lower() in complained:
            fate = replace(fate, complained=True)
        fates[address] = fate
    chunk = replace(chunk, fates=fates)
    if event.attempt == chunk.attempt and chunk.phase != "sent":
        chunk = replace(chunk, phase="sent", ses_id=event.ses_id, started=chunk.started or event.at)
    return chunk


def begin(chunk: Chunk, now: datetime) -> Literal["send", "wait", "resend", "nothing"]:
    """What an attempt that was asked for does.

    A call that was begun and whose end nobody saw may have gone out: wait for SES's events to say so, and
    only send again when an hour has brought none (nobody gets a message twice).
    """
    if chunk.phase == "queued":
        return "send"
    if chunk.phase == "sent":
        return "nothing"
    lost = now >= moment(chunk.started, now) + RESEND_AFTER
    return "resend" if lost else "wait"


def sending(chunk: Chunk, now: datetime) -> Chunk:
    """The attempt record, written before the call. A resend is an attempt of its own."""
    if chunk.phase == "sending":
        again = chunk.attempt + 1
        fates = {
            a: replace(f, attempt=again) if f.attempt == chunk.attempt else f for a, f in chunk.fates.items()
        }
        chunk = replace(chunk, attempt=again, fates=fates)
    return replace(chunk, phase="sending", started=milliseconds(now))


def included(chunk: Chunk) -> tuple[str, ...]:
    """Recipients of the chunk's attempt."""
    return tuple(a for a, f in chunk.fates.items() if f.attempt == chunk.attempt)


def resolve(chunk: Chunk, findings: Mapping[str, Finding], at: int, ses_id: str = "") -> Chunk:
    """The attempt is over on our side: SES took or refused the message, or local mailboxes did."""
    event = Event(chunk.submission, chunk.number, chunk.attempt, ses_id, at, findings)
    return apply(chunk, event)


def ended(chunk: Chunk) -> bool:
    """Whether the attempt under way has a terminal finding for each of its recipients."""
    return chunk.phase == "sent" and all(
        f.state in ("delivered", "failed") or f.ended
        for f in chunk.fates.values()
        if f.attempt == chunk.attempt
    )


def wants_machine(chunk: Chunk) -> bool:
    """First deferral: somebody has to wait and try again."""
    return not chunk.running and not chunk.local and any(f.state == "deferred" for f in chunk.fates.values())


def machine_name(chunk: Chunk) -> str:
    """Unique for 90 days, so a repeated start does nothing; a later run of the same chunk has its own."""
    name = f"{chunk.submission}-{chunk.number}"
    return f"{name}-{chunk.runs}" if chunk.runs else name


def due(chunk: Chunk, figures: Figures, now: datetime) -> datetime:
    """S27: when the next attempt may begin."""
    return max(now, moment(chunk.started, now) + figures.retry_every)


def next_step(chunk: Chunk, figures: Figures, now: datetime) -> tuple[Chunk, Step]:
    """S27, after an attempt ended or fell silent: try again, or give up on who is still deferred."""
    if chunk.phase != "sent":  # still in the queue (throttled): its outcome is yet to come
        return chunk, Step("retry", now + LOOK_AGAIN)
    deferred = [a for a, f in chunk.fates.items() if f.state == "deferred"]
    if deferred and chunk.attempt <= figures.retries:
        return chunk, Step("retry", due(chunk, figures, now))
    fates = dict(chunk.fates)
    for address in deferred:
        fates[address] = replace(fates[address], state="failed", ended=False, status="4.4.7")
    done = replace(chunk, fates=fates, running=False, runs=chunk.runs + 1, token="")
    return done, Step("done", now)


def retry(chunk: Chunk, figures: Figures, now: datetime) -> Chunk:
    """The next attempt, for those still deferred; the chunk as it is when none is due (a repeated task)."""
    deferred = [a for a, f in chunk.fates.items() if f.state == "deferred"]
    if chunk.phase != "sent" or not deferred or due(chunk, figures, now) > now:
        return chunk
    number = chunk.attempt + 1
    fates = dict(chunk.fates)
    for address in deferred:
        old = fates[address]
        fates[address] = Fate("queued", number, False, old.status, old.reply, 0, 0, old.complained)
    return replace(chunk, fates=fates, attempt=number, phase="queued", token="", ses_id="")


def _silent(chunk: Chunk, fate: Fate, now: datetime) -> bool:
    """Sent, and nothing was heard for longer than SES tries: no one will ever say more."""
    if fate.state != "sent":
        return False
    return fate.attempt < chunk.attempt or now >= moment(chunk.started, now) + SILENT_AFTER


def answered(chunk: Chunk, now: datetime) -> bool:
    """Whether each recipient had a first outcome."""
    return all(
        f.attempt > 1 or f.state in ("delivered", "failed", "deferred") or _silent(chunk, f, now)
        for f in chunk.fates.values()
    )


def settled(chunk: Chunk, now: datetime) -> bool:
    """Whether nothing more will be tried for any recipient."""
    return all(f.state in ("delivered", "failed") or _silent(chunk, f, now) for f in chunk.fates.values())


def unreported(chunk: Chunk) -> tuple[str, ...]:
    """Failed recipients that no bounce names yet."""
    return tuple(a for a, f in chunk.fates.items() if f.state == "failed" and not f.reported)


def to_report(chunks: Iterable[Chunk], reports: int, now: datetime) -> bool:
    """S27: whether a bounce is due: once all have a first outcome, and again when all is settled."""
    every = tuple(chunks)
    if not any(unreported(c) for c in every):
        return False
    if all(settled(c, now) for c in every):
        return True
    return reports == 0 and all(answered(c, now) for c in every)


def report(chunk: Chunk, number: int) -> Chunk:
    """The chunk with its failed recipients named in bounce `number`."""
    names = unreported(chunk)
    fates = {a: replace(f, reported=number) if a in names else f for a, f in chunk.fates.items()}
    return replace(chunk, fates=fates)


def told(old: Chunk, new: Chunk) -> bool:
    """Whether a sender who looks again sees another fate of somebody (RFC 8621 §7, deliveryStatus)."""
    return {a: _seen(f) for a, f in old.fates.items()} != {a: _seen(f) for a, f in new.fates.items()}


def _seen(fate: Fate) -> tuple[str, str, str]:
    """That SES has it is nothing that a sender is told."""
    return ("queued" if fate.state == "sent" else fate.state, fate.status, fate.reply)


def shown(address: str, fate: Fate, here: bool = False) -> RecipientState:
    """A fate as the sender sees it; `here`: of a recipient on this platform."""
    return RecipientState(
        address, fate.state, fate.attempt, fate.status, fate.reply, bool(fate.reported), here
    )
