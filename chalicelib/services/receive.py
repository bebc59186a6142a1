"""Mail that has come for mailboxes here: gather, decide (rules.routing), apply. Repeats do nothing new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Busy
from chalicelib.rules import delivery, routing
from chalicelib.rules.delivery import Finding
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Account, Arrival, Automatic, Envelope, Lookup, Verdicts
from chalicelib.services import bounces, outcomes
from chalicelib.services.deposit import Message, keep, open_message
from chalicelib.services.platform import Platform
from chalicelib.store.outbox import Outgoing, Trace

FAN_OUT = 50  # members of an automatic address that one message of the queue serves
NOT_HOSTED = Lookup(None, None)
OWN_VERDICTS = Verdicts(
    sender_authentic=True
)  # our own users signed in; their mail was checked on submission


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one recipient."""

    outcome: str  # delivered, junk, bounced or discarded
    status: str = ""
    text: str = ""


def arrive(p: Platform, arrival: Arrival) -> None:
    """Mail from outside. Raises Busy or ServiceError: then it is to be brought again."""
    trace = p.outbox.trace(arrival.id) or _take_in(p, arrival)
    if trace.bounce == "due":
        bounces.ask(p, trace)


def _take_in(p: Platform, arrival: Arrival) -> Trace:
    """Deliver, then write what became of it. The first trace written holds; a later one is not."""
    message = open_message(p, arrival)
    results = deliver(p, message)
    failed = any(r.outcome == "bounced" for r in results.values())
    answer = failed and routing.may_bounce(message.arrival, routing.by_machine(message.header))
    trace = Trace(
        arrival.id,
        arrival.envelope.sender,
        delivery.milliseconds(arrival.received_at),
        {a: {"result": r.outcome, "status": r.status, "text": r.text} for a, r in results.items()},
        "due" if answer else "",
    )
    if not p.outbox.keep_trace(trace, clock.now()):
        return p.outbox.trace(arrival.id) or trace
    if not any(r.outcome in ("delivered", "junk") for r in results.values()):
        discard(p, arrival.blob)
    logger.info("arrival", extra={"arrival": arrival.id, "outcomes": [r.outcome for r in results.values()]})
    return trace


def local(p: Platform, submission: str, part: int, members: Sequence[str] = ()) -> None:
    """The local recipients of a submission; or `members` that one of its automatic addresses stands for."""
    out, chunk = p.outbox.outgoing(submission), p.outbox.chunk(submission, part)
    if out is None or chunk is None:
        logger.warning("no such submission", extra={"submission": submission, "part": part})
        return
    if members:
        deliver(p, open_message(p, _arrival(out, members)), out.account)
        return
    if chunk.phase != "sent":
        message = open_message(p, _arrival(out, tuple(chunk.fates)))
        results = deliver(p, message, out.account, _Fan(submission, part))
        at = delivery.milliseconds(clock.now())
        findings = {a: _finding(r) for a, r in results.items()}
        outcomes.update(p, submission, part, lambda c: delivery.resolve(c, findings, at))
    else:
        outcomes.follow(p, chunk)


@dataclass(frozen=True, slots=True)
class _Fan:
    """Where members of a large automatic address are queued."""

    submission: str
    part: int


def _arrival(out: Outgoing, recipients: Sequence[str]) -> Arrival:
    """A submission at the door of local mailboxes: one id for all its parts, one copy per mailbox."""
    return Arrival(
        id=out.id,
        envelope=Envelope(out.envelope.sender, tuple(recipients)),
        blob=out.raw,
        size=out.size,
        verdicts=OWN_VERDICTS,
        received_at=out.sent_at,
        source="local",
    )


def _finding(result: Result) -> Finding:
    """A result in the terms of a delivery."""
    if result.outcome in ("delivered", "junk"):
        return Finding("delivered", status="2.1.5", reply="250 2.1.5 delivered")
    return Finding("failed", status=result.status or "5.7.1", reply=f"550 {result.status} {result.text}")


def deliver(p: Platform, message: Message, sender: str = "", fan: _Fan | None = None) -> dict[str, Result]:
    """Each recipient's copy or refusal. One that fails stops none of the others, and is raised in the end."""
    results: dict[str, Result] = {}
    failure: Exception | None = None
    for address, decision in decide(p, message.arrival, sender).items():
        try:
            results[address] = _apply(p, message, decision, fan)
        except (Busy, ServiceError) as error:
            logger.warning("recipient put off", extra={"arrival": message.arrival.id, "error": str(error)})
            failure = error
    if failure:
        raise failure
    return results


def decide(p: Platform, arrival: Arrival, sender: str = "") -> dict[str, routing.Decision]:
    """Where each recipient's copy goes, from one batch of look-ups.

    `sender`: id of the account that signed in to send it. It is read, as a domain's accounts are, only when
    an automatic address is among the recipients.
    """
    recipients = tuple(dict.fromkeys(a.lower() for a in arrival.envelope.recipients))
    found = p.directory.lookup(recipients)
    members: dict[str, list[Account]] = {}
    decisions: dict[str, routing.Decision] = {}
    for address in recipients:
        known = found.get(address, NOT_HOSTED)
        here: list[Account] = []
        signed_in = None
        if known.domain and isinstance(known.entry, Automatic):
            name = known.domain.name
            here = members.get(name) or members.setdefault(name, p.directory.accounts_of(name))
            signed_in = p.directory.account(sender) if sender else None
        decisions[address] = routing.decide(known, arrival, signed_in, here, p.figures)
    return decisions


def _apply(p: Platform, message: Message, decision: routing.Decision, fan: _Fan | None) -> Result:
    """Do what was decided for one recipient."""
    match decision:
        case routing.Discard(reason):
            return Result("discarded", "5.7.1", reason)
        case routing.Bounce(status, text):
            return Result("bounced", status, text)
        case routing.Expand(members):
            return _expand(p, message, members, fan)
        case routing.Deliver():
            return _one(p, message, decision)


def _one(p: Platform, message: Message, where: routing.Deliver) -> Result:
    if not keep(p, message, where):
        return Result("bounced", routing.OVER_QUOTA.status, routing.OVER_QUOTA.text)
    return Result("junk" if where.role == "junk" else "delivered")


def _expand(p: Platform, message: Message, members: Sequence[routing.Deliver], fan: _Fan | None) -> Result:
    """S9: a copy each. The address is delivered to when one member took it; many are queued."""
    if fan and len(members) > FAN_OUT:
        addresses = [m.account.address for m in members]
        queued: list[Mapping[str, object]] = [
            {
                "kind": "local",
                "submission": fan.submission,
                "part": fan.part,
                "members": addresses[at : at + FAN_OUT],
            }
            for at in range(0, len(addresses), FAN_OUT)
        ]
        p.queues.send_all(p.settings.arrivals_queue, queued)
        return Result("delivered")
    results = [_one(p, message, m) for m in members]
    return next((r for r in results if r.outcome != "bounced"), results[0])


def discard(p: Platform, blob: str) -> None:
    """Nobody keeps this message: its blob goes with the clean-up."""
    p.mailboxes.purge_blob(blob, clock.now())
