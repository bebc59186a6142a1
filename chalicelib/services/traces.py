"""What a domain can see of its mail: a row for each message that came or went, and misaddressed mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.aws import clock
from chalicelib.rules import delivery
from chalicelib.rules.addresses import mailbox_key
from chalicelib.rules.delivery import Fate
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import RecipientState
from chalicelib.services.deposit import Message
from chalicelib.services.forwarding import Result
from chalicelib.services.platform import Platform
from chalicelib.store.tracks import Seen, Slice, Stray, Way

SCANNED = 1_000  # rows looked at for one page of a filtered trace
KEPT = timedelta(days=30)  # S22


# ------------------------------------------------------------------------------------------------ writing
def note(p: Platform, message: Message, results: Mapping[str, Result], part: str = "") -> None:
    """Keep a row in the trace of each domain that the message came for. A repeat writes the same row."""
    domains = {r.found.domain for r in results.values() if r.found.domain}
    for domain in domains:
        own = {a: r for a, r in results.items() if r.found.domain == domain}
        p.tracks.note(domain.reseller, domain.name, _seen(message, own, part))
        strays = {a: r.outcome for a, r in own.items() if _is_stray(r)}
        if strays:
            arrival = message.arrival
            at = delivery.milliseconds(arrival.received_at)
            stray = Stray(arrival.id + part, at, arrival.envelope.sender, arrival.size, strays)
            p.tracks.stray(domain.reseller, domain.name, stray)


def _is_stray(result: Result) -> bool:
    """Nobody has this address (a live domain's; one that is not live has none)."""
    return result.found.local and (result.found.entry is None or result.found.via == "catch_all")


def _seen(message: Message, results: Mapping[str, Result], part: str) -> Seen:
    arrival = message.arrival
    return Seen(
        id=arrival.id + part,
        way="in",
        at=delivery.milliseconds(arrival.received_at),
        sender=arrival.envelope.sender,
        size=arrival.size,
        message_id=next(iter(message.digest.message_id), "")[:500],
        results={a: (r.outcome, r.status, r.text, r.via) for a, r in results.items()},
        spam=arrival.verdicts.spam,
        virus=arrival.verdicts.virus,
    )


# ------------------------------------------------------------------------------------------------ reading
@dataclass(frozen=True, slots=True)
class Progress:
    """How far a message for many has come. `failed`: members it could not be delivered to."""

    members: int
    served: int
    failed: tuple[RecipientState, ...]


@dataclass(frozen=True, slots=True)
class Traced:
    """A message with what became of each recipient of what was sent, and of what followed from it."""

    seen: Seen
    states: Mapping[str, RecipientState] = field(default_factory=dict)
    passed: Mapping[str, tuple[RecipientState, ...]] = field(default_factory=dict)  # by recipient
    expanded: Mapping[str, Progress] = field(default_factory=dict)  # by recipient


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are asked for. Addresses in lower case; empty: any."""

    address: str = ""
    sender: str = ""
    way: Way | None = None
    since: datetime | None = None

    def fits(self, seen: Seen) -> bool:
        """Whether a message is asked for."""
        if self.way and seen.way != self.way:
            return False
        if self.sender and seen.sender.lower() != self.sender:
            return False
        people = {*seen.results, *seen.recipients} | ({seen.sender} if seen.way == "out" else set())
        return not self.address or self.address in {_bare(a) for a in people}


def _bare(address: str) -> str:
    """An address without its tag."""
    local, _, domain = address.lower().rpartition("@")
    return f"{mailbox_key(local)}@{domain}"


def page(
    p: Platform, domain: HostedDomain, wanted: Filter, limit: int, after: str
) -> tuple[list[Traced], str]:
    """Messages from newest to oldest, and the place to go on after ("": no more).

    A page may hold fewer than `limit` although more follow: no more than `SCANNED` rows are looked at.
    """
    since = delivery.milliseconds(max(wanted.since or _oldest(), _oldest()))
    found: list[Seen] = []
    scanned = 0
    while scanned < SCANNED:
        rows, following = p.tracks.page(domain.reseller, domain.name, limit, after=after, since=since)
        scanned += len(rows)
        for row in rows:
            after = row.key
            if wanted.fits(row):
                found.append(row)
            if len(found) == limit:
                more = following or row is not rows[-1]
                return _with_states(p, found), after if more else ""
        if not following:
            return _with_states(p, found), ""
        after = following
    return _with_states(p, found), after


def _oldest() -> datetime:
    return clock.now() - KEPT


def _with_states(p: Platform, rows: list[Seen]) -> list[Traced]:
    fates = p.outbox.fates([(r.id, r.chunks) for r in rows if r.way == "out"])
    return [Traced(row, _states(fates.get(row.id, {}))) for row in rows]


def _states(fates: Mapping[str, Fate]) -> dict[str, RecipientState]:
    return {address: delivery.shown(address, fate) for address, fate in fates.items()}


def one(p: Platform, domain: HostedDomain, key: str) -> Traced:
    """A message with everything known of it. Raises ServiceError not_found."""
    seen = p.tracks.one(domain.reseller, domain.name, key)
    if seen is None or seen.at < delivery.milliseconds(_oldest()):
        raise ServiceError("not_found", "There is no such message.")
    if seen.way == "out":
        return _with_states(p, [seen])[0]
    passed: dict[str, tuple[RecipientState, ...]] = {}
    expanded: dict[str, Progress] = {}
    for address, (outcome, _, _, via) in seen.results.items():
        if via and outcome == "expanded":
            expanded[address] = _progress(p.tracks.slices(via))
        elif via:
            out = p.outbox.load(via)
            passed[address] = tuple(
                delivery.shown(a, f) for chunk in (out[1] if out else ()) for a, f in chunk.fates.items()
            )
    return Traced(seen, passed=passed, expanded=expanded)


def _progress(slices: Sequence[Slice]) -> Progress:
    failed = [
        RecipientState(member, "failed", 1, status, text)
        for s in slices
        for member, (status, text) in s.failed.items()
    ]
    served = sum(len(s.members) for s in slices if s.done)
    return Progress(sum(len(s.members) for s in slices), served, tuple(failed))


def misaddressed(p: Platform, domain: HostedDomain, limit: int, after: str) -> tuple[list[Stray], str]:
    """S22: mail of the last 30 days for addresses that nobody has, newest first."""
    since = delivery.milliseconds(_oldest())
    return p.tracks.strays(domain.reseller, domain.name, limit, after=after, since=since)
