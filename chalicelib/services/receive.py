"""Mail that has come for mailboxes here: gather, decide (rules.routing), apply. Repeats do nothing new."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Busy
from chalicelib.rules import delivery, routing
from chalicelib.rules.delivery import Finding
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.routing import Decision, Deliver, Facts
from chalicelib.rules.values import (
    Account,
    Arrival,
    Automatic,
    Envelope,
    Lookup,
    MailingList,
    Verdicts,
)
from chalicelib.services import autoreply, bounces, fanout, forwarding, outcomes, send, traces
from chalicelib.services.deposit import Message, keep, open_message
from chalicelib.services.forwarding import NOT_HOSTED, Result, refused
from chalicelib.services.platform import Platform
from chalicelib.store.outbox import Trace
from chalicelib.store.outbox_items import Outgoing
from chalicelib.store.tracks import Fan

OWN_VERDICTS = Verdicts(
    sender_authentic=True
)  # our own users signed in; their mail was checked on submission


@dataclass(frozen=True)
class Round:
    """What all recipients of one delivery share. `sender`: id of the account that signed in to send it.

    `seen`: addresses that have the message, or will: none of them gets it once more by a forward.
    """

    sender: str = ""
    seen: set[str] = field(default_factory=set)
    answered: bool = True  # auto-replies are sent


def arrive(p: Platform, arrival: Arrival) -> None:
    """Mail from outside. Raises Busy or ServiceError: then it is to be brought again."""
    trace = p.outbox.trace(arrival.id) or _take_in(p, arrival)
    if trace.bounce == "due":
        bounces.ask(p, trace)


def _take_in(p: Platform, arrival: Arrival) -> Trace:
    """Deliver, then write what became of it. The first trace written holds; a later one is not."""
    message = open_message(p, arrival)
    results = deliver(p, message)
    traces.note(p, message, results)
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
    if not any(r.outcome in forwarding.KEPT for r in results.values()):
        discard(p, arrival.blob)
    logger.info("arrival", extra={"arrival": arrival.id, "outcomes": [r.outcome for r in results.values()]})
    return trace


def local(p: Platform, submission: str, part: int) -> None:
    """The local recipients of a submission."""
    out, chunk = p.outbox.outgoing(submission), p.outbox.chunk(submission, part)
    if out is None or chunk is None:
        logger.warning("no such submission", extra={"submission": submission, "part": part})
        return
    if chunk.phase == "sent":
        outcomes.follow(p, chunk)
        return
    if not send.leaves(p, out, chunk):
        return
    message = open_message(p, _arrival(out, tuple(chunk.fates)))
    everybody = {a.lower() for a in out.envelope.recipients}
    results = deliver(p, message, Round(out.account, everybody))
    traces.note(p, message, results, f".{part}")
    at = delivery.milliseconds(clock.now())
    findings = {a: _finding(r) for a, r in results.items()}
    outcomes.update(p, submission, part, lambda c: delivery.resolve(c, findings, at))


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
    if result.good:
        return Finding("delivered", status="2.1.5", reply="250 2.1.5 delivered")
    return Finding("failed", status=result.status or "5.7.1", reply=f"550 {result.status} {result.text}")


def part(p: Platform, fan_id: str, number: int) -> None:
    """One slice of a message for many: copies for members here, one submission for those outside."""
    fan, slice = p.tracks.fan(fan_id), p.tracks.slice(fan_id, number)
    if fan is None or slice is None:
        logger.warning("no such fan-out", extra={"fan": fan_id, "part": number})
        return
    if slice.done:
        return
    message = open_message(p, fan.arrival)
    inside, outside = forwarding.sorted_out(p, slice.members)
    shared = Round(fan.sender, set(slice.members), answered=False)
    results = deliver(p, forwarding.addressed(message, inside), shared) if inside else {}
    if outside:
        results |= dict.fromkeys(outside, _outside(p, message, fan, outside, number))
    failed = {a: (r.status, r.text) for a, r in results.items() if not r.good}
    p.tracks.done(fan_id, number, failed)


def _outside(p: Platform, message: Message, fan: Fan, members: Sequence[str], number: int) -> Result:
    if fan.barred:
        return refused(routing.Bounce(*fan.barred))
    return forwarding.send_on(p, message, fan.address, members, f"/{number}")


# ------------------------------------------------------------------------------------- gather and decide
def deliver(p: Platform, message: Message, shared: Round | None = None) -> dict[str, Result]:
    """Each recipient's copy or refusal. One that fails stops none of the others, and is raised in the end."""
    shared = shared or Round(seen={a.lower() for a in message.arrival.envelope.recipients})
    results: dict[str, Result] = {}
    failure: Exception | None = None
    for address, (found, decision) in decide(p, message, shared.sender).items():
        try:
            own = shared if _may_answer(found) else replace(shared, answered=False)
            results[address] = replace(_apply(p, message, address, decision, own), found=found)
        except (Busy, ServiceError) as error:
            logger.warning("recipient put off", extra={"arrival": message.arrival.id, "error": str(error)})
            failure = error
    if failure:
        raise failure
    return results


def _may_answer(found: Lookup) -> bool:
    """Whether an auto-reply may leave: not for a name that nobody has, nor from a suspended domain (S32)."""
    return found.via != "catch_all" and not (found.domain and found.domain.suspended)


def decide(p: Platform, message: Message, sender: str = "") -> dict[str, tuple[Lookup, Decision]]:
    """Where each recipient's copy goes, from one batch of look-ups.

    `sender`: id of the account that signed in to send it. It is read, as a domain's accounts and a list's
    members are, only where an address among the recipients asks for it.
    """
    arrival = message.arrival
    recipients = tuple(dict.fromkeys(a.lower() for a in arrival.envelope.recipients))
    found = p.directory.lookup(recipients)
    special = any(isinstance(f.entry, Automatic | MailingList) for f in found.values())
    signed_in = p.directory.account(sender) if sender and special else None
    facts = _facts(message)
    members: dict[str, list[Account]] = {}
    decisions: dict[str, tuple[Lookup, Decision]] = {}
    for address in recipients:
        known = found.get(address, NOT_HOSTED)
        here: list[Account] = []
        if known.domain and isinstance(known.entry, Automatic):
            name = known.domain.name
            here = members.get(name) or members.setdefault(name, p.directory.accounts_of(name))
        own = _as_member(p, known, arrival, signed_in, facts)
        decisions[address] = known, routing.decide(known, arrival, signed_in, here, p.figures, own)
    return decisions


def _facts(message: Message) -> Facts:
    """What the header says."""
    authors = {c.email.lower() for c in message.digest.from_}
    passed = [v.decode("latin-1").strip().lower() for n, v in message.header if n.lower() == "delivered-to"]
    return Facts(
        hops=message.digest.received_hops,
        passed=frozenset(passed),
        author=authors.pop() if len(authors) == 1 else "",
        reply=routing.is_reply(message.header),
    )


def _as_member(p: Platform, found: Lookup, arrival: Arrival, sender: Account | None, facts: Facts) -> Facts:
    """The facts, with whether the writer is a member where that is asked for."""
    if not isinstance(found.entry, MailingList) or found.entry.posting != "members":
        return facts
    writer = routing.author(arrival, sender, facts)
    return replace(facts, member=bool(writer) and p.addresses.is_member(found.entry, writer))


# ------------------------------------------------------------------------------------------------- apply
def _apply(p: Platform, message: Message, address: str, decision: Decision, shared: Round) -> Result:
    """Do what was decided for one recipient."""
    match decision:
        case routing.Discard(reason):
            return Result("discarded", "5.7.1", reason)
        case routing.Drop(reason):
            return Result("dropped", "", reason)
        case routing.Bounce():
            return refused(decision)
        case routing.Expand(members):
            return _expand(p, message, address, members, shared)
        case routing.Post(entry, barred):
            fan = fanout.to_list(p, message, entry, barred, shared.sender)
            return Result("expanded", via=fan.id)
        case routing.PassOn():
            return _pass_on(p, message, address if shared.answered else "", decision, shared)
        case routing.Deliver():
            return _one(p, message, decision, address if shared.answered else "")


def _one(p: Platform, message: Message, where: Deliver, address: str = "") -> Result:
    """A copy in a mailbox, which may answer by itself when it came to its own `address`."""
    if not keep(p, message, where):
        return refused(routing.OVER_QUOTA)
    if address:
        autoreply.answer(p, message, where.account, address)
    return Result("junk" if where.role == "junk" else "delivered")


def _expand(p: Platform, message: Message, address: str, members: Sequence[Deliver], shared: Round) -> Result:
    """S9: a copy each. The address is delivered to when one member took it; many are queued."""
    if len(members) > fanout.FAN_OUT:
        names = [m.account.address for m in members]
        return Result("expanded", via=fanout.to_accounts(p, message, address, names, shared.sender).id)
    results = [_one(p, message, m) for m in members]
    return next((r for r in results if r.good), results[0])


def _pass_on(p: Platform, message: Message, address: str, d: routing.PassOn, shared: Round) -> Result:
    """S22: on to others, each once; what nobody can be sent stays in the mailbox, or is refused."""
    kept = _one(p, message, d.keep, address) if d.keep else None
    inside, outside = forwarding.sorted_out(p, [a for a in d.to if a not in shared.seen])
    shared.seen.update(inside)
    results = dict(deliver(p, forwarding.addressed(message, inside), shared)) if inside else {}
    if outside:
        sent = refused(d.barred) if d.barred else forwarding.send_on(p, message, d.address, outside)
        shared.seen.update(outside if sent.good else ())
        results |= dict.fromkeys(outside, sent)
    via = next((r.via for r in results.values() if r.outcome == "forwarded"), "")
    if kept and kept.good:
        return replace(kept, via=via)
    failed = next((r for r in results.values() if not r.good), None)
    if failed is None or any(r.good for r in results.values()):
        return Result("forwarded", text=_told(results), via=via)
    return _one(p, message, d.spare, address) if d.spare else failed


def _told(results: dict[str, Result]) -> str:
    """Where it went, for the trace."""
    return ", ".join(f"{address}: {result.outcome}" for address, result in results.items())[:500]


def discard(p: Platform, blob: str) -> None:
    """Nobody keeps this message: its blob goes with the clean-up."""
    p.mailboxes.purge_blob(blob, clock.now())
