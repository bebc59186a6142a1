"""What a month costs (S13): invoices as a pure function of the ledger, in integer mills.

A mailbox is an account, whatever its names: renamed it is billed once, deleted and made again under the same
name it is two. It is billed for a month in which it was provisioned for any time, at the price and with the
steps of its largest size in that month; of two prices for that size the one agreed first. One that is taken
back (reversed) at most five days after it was ordered, the last moment included, is not billed up to then, in
no month; so an invoice is final five days after its month. Undoing such a reversal bills from then on.
Mailboxes that were deleted before their order was reversed in time are not billed either.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from chalicelib.rules.ledger import Entry, Kind, Line

BRINGS: frozenset[Kind] = frozenset({"ordered", "created"})
PRESENT: frozenset[Kind] = BRINGS | {"restored", "resized", "renamed"}
#: What an entry does to the number of times a mailbox is there: one moment's entries may come in any order.
COUNT: Mapping[Kind, int] = {"ordered": 1, "created": 1, "restored": 1, "removed": -1, "reversed": -1}
#: Of one moment's entries about a mailbox, which leaves it as it stands: the last of these.
RANK: Mapping[Kind, int] = {"ordered": 0, "created": 0, "restored": 1, "removed": 3, "reversed": 3}
EVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, in UTC."""

    year: int
    number: int

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.next.start

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        """The month before it."""
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


def month_of(at: datetime) -> Month:
    """The month of a moment."""
    at = at.astimezone(UTC)
    return Month(at.year, at.month)


def parse_month(text: str) -> Month:
    """ "2026-03". Raises ValueError."""
    year, dash, number = text.partition("-")
    digits = text.isascii() and year.isdigit() and number.isdigit()
    if not (dash and digits and len(year) == 4 and len(number) == 2):
        raise ValueError("A month is written like 2026-03.")
    if not (2000 <= int(year) <= 9000 and 1 <= int(number) <= 12):
        raise ValueError("There is no such month.")
    return Month(int(year), int(number))


@dataclass(frozen=True, slots=True)
class Standing:
    """A mailbox as the entries up to some moment leave it.

    `started`: when it was ordered, by `order`; LONG_AGO and "" where no reversal can be free any more.
    """

    line: Line
    domain: str
    order: str
    started: datetime
    live: bool


class Span(NamedTuple):
    """A time in which a mailbox was one size. Without length: it was so for a moment."""

    start: datetime
    end: datetime
    line: Line
    domain: str


class _Event(NamedTuple):
    at: datetime
    kind: Kind
    named: bool  # the entry has a line of this mailbox; else its order was reversed after it was gone
    line: Line
    entry: Entry


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """A mailbox on an invoice: under its last name of the month, in its largest size."""

    account: str
    address: str
    domain: str
    storage_mb: int
    base_mills: int
    steps: int
    step_mills: int

    @property
    def mills(self) -> int:
        """What it costs in the month."""
        return self.base_mills + self.steps * self.step_mills


@dataclass(frozen=True, slots=True)
class Subtotal:
    """What a domain costs in a month."""

    domain: str
    mailboxes: int
    steps: int
    mills: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """A reseller's month. Lines by domain and address."""

    reseller: str
    month: Month
    lines: tuple[InvoiceLine, ...]

    @property
    def number(self) -> str:
        """The same however often it is made: reseller-2026-03."""
        return f"{self.reseller}-{self.month}"

    @property
    def mills(self) -> int:
        """All lines together."""
        return sum(line.mills for line in self.lines)

    @property
    def domains(self) -> tuple[Subtotal, ...]:
        """The lines by domain."""
        return tuple(
            _subtotal(domain, list(lines)) for domain, lines in groupby(self.lines, lambda line: line.domain)
        )


def _subtotal(domain: str, lines: Sequence[InvoiceLine]) -> Subtotal:
    return Subtotal(domain, len(lines), sum(x.steps for x in lines), sum(x.mills for x in lines))


# ------------------------------------------------------------------------------------ entries to mailboxes
def _events(opening: Mapping[str, Standing], entries: Iterable[Entry]) -> dict[str, list[_Event]]:
    """What happened to each mailbox, oldest first; an entry that is there twice counts once."""
    once = {entry.id: entry for entry in sorted(entries, key=_moment, reverse=True)}
    ordered = sorted(once.values(), key=_moment)
    of_order: dict[str, dict[str, Line]] = defaultdict(dict)
    for standing in opening.values():
        of_order[standing.order][standing.line.account] = standing.line
    for entry in ordered:
        if entry.kind in BRINGS:
            of_order[entry.order] |= {line.account: line for line in entry.lines}
    found: dict[str, list[_Event]] = defaultdict(list)
    for entry in ordered:
        named = {line.account: line for line in entry.lines}
        for account, line in named.items():
            found[account].append(_Event(entry.at, entry.kind, True, line, entry))
        if entry.kind == "reversed" and entry.order:
            for account, line in of_order[entry.order].items():
                if account not in named:
                    found[account].append(_Event(entry.at, "reversed", False, line, entry))
    return found


def _moment(entry: Entry) -> tuple[datetime, int, str]:
    return entry.at, RANK.get(entry.kind, 2), entry.id


class _Walk:
    """One mailbox through its events: where it stands, and the spans that may be billed."""

    def __init__(self, standing: Standing | None, since: datetime, free: timedelta) -> None:
        self.standing, self.since, self.free = standing, since, free
        self.spans: list[Span] = []

    def step(self, at: datetime, events: Sequence[_Event]) -> None:
        """The events of one moment: their order among themselves is nowhere."""
        was = self.standing
        if was and was.live and self.since < at:
            self.spans.append(Span(self.since, at, was.line, was.domain))
        present = [e for e in events if e.kind in PRESENT]
        self.spans += [Span(at, at, e.line, e.entry.domain) for e in present]
        named = [e for e in events if e.named]
        if named:
            self.standing, self.since = self._after(at, named), at
        elif was:
            self.since = at
        if self.standing and any(self._takes_back(e) for e in events):
            began = self.standing.started
            self.spans = [span for span in self.spans if span.start < began]

    def _after(self, at: datetime, events: Sequence[_Event]) -> Standing:
        was, last = self.standing, ([e for e in events if e.kind in PRESENT] or events)[-1]
        count = (1 if was and was.live else 0) + sum(COUNT.get(e.kind, 0) for e in events)
        first = next((e for e in events if e.kind in BRINGS), None)
        begins = first is not None and not (was and was.live)
        return Standing(
            line=last.line,
            domain=last.entry.domain,
            order=first.entry.order if begins and first else was.order if was else "",
            started=at if begins else was.started if was else LONG_AGO,
            live=count > 0,
        )

    def _takes_back(self, event: _Event) -> bool:
        """Whether a reversal came in time, and for this mailbox."""
        now = self.standing
        if event.kind != "reversed" or now is None or event.at - now.started > self.free:
            return False
        return event.named or not now.live


def _walked(
    opening: Mapping[str, Standing], since: datetime, entries: Iterable[Entry], free: timedelta
) -> Iterator[_Walk]:
    events = _events(opening, entries)
    for account in opening.keys() | events.keys():
        walk = _Walk(opening.get(account), since, free)
        for at, group in groupby(events.get(account, ()), lambda event: event.at):
            walk.step(at, list(group))
        yield walk


def standings(
    opening: Mapping[str, Standing], entries: Iterable[Entry], until: datetime, free: timedelta
) -> dict[str, Standing]:
    """Mailboxes at a moment, by account: after the entries before it, from an earlier moment's.

    Those that are gone are kept for as long as a reversal of their order would matter.
    """
    earlier = [entry for entry in entries if entry.at < until]
    found = {}
    for walk in _walked(opening, until, earlier, free):
        s = walk.standing
        if s and s.started < until - free:
            s = replace(s, started=LONG_AGO, order="") if s.live else None
        if s:
            found[s.line.account] = s
    return found


def spans(
    opening: Mapping[str, Standing], since: datetime, entries: Iterable[Entry], free: timedelta
) -> dict[str, list[Span]]:
    """What may be billed of each mailbox from a moment on, where `opening` is what stood then."""
    found: dict[str, list[Span]] = {}
    for walk in _walked(opening, since, entries, free):
        if walk.standing is None:
            continue
        if walk.standing.live:
            end = Span(walk.since, EVER, walk.standing.line, walk.standing.domain)
            walk.spans.append(end)
        found[walk.standing.line.account] = walk.spans
    return found


# ----------------------------------------------------------------------------------------------- invoices
def invoice(reseller: str, month: Month, found: Mapping[str, Sequence[Span]]) -> Invoice:
    """A month's invoice, of spans that begin with the month or before it and go on for the free days."""
    lines = [line for spans in found.values() if (line := _line(spans, month))]
    return Invoice(reseller, month, tuple(sorted(lines, key=lambda x: (x.domain, x.address, x.account))))


def _line(spans: Sequence[Span], month: Month) -> InvoiceLine | None:
    """A mailbox in a month: the most steps it had, and the name it had last."""
    start, end = month.start, month.end
    within = [s for s in spans if s.start < end and (s.end > start or s.start >= start)]
    if not within:
        return None
    peak = max(within, key=lambda s: s.line.steps)  # the first of several
    last = within[-1]
    return InvoiceLine(
        account=peak.line.account,
        address=last.line.address,
        domain=last.domain,
        storage_mb=peak.line.storage_mb,
        base_mills=peak.line.base_mills,
        steps=peak.line.steps,
        step_mills=peak.line.step_mills,
    )


def final_at(month: Month, free: timedelta) -> datetime:
    """From when on no reversal can change an invoice any more: just after the last free moment."""
    return month.end + free


@dataclass(frozen=True, slots=True)
class Sold:
    """What stands at a moment, of a domain or in all: `mills` a month."""

    domain: str
    mailboxes: int = 0
    storage_mb: int = 0
    steps: int = 0
    mills: int = 0

    def plus(self, line: Line) -> "Sold":
        """With one more mailbox."""
        cost = line.base_mills + line.steps * line.step_mills
        return replace(
            self,
            mailboxes=self.mailboxes + 1,
            storage_mb=self.storage_mb + line.storage_mb,
            steps=self.steps + line.steps,
            mills=self.mills + cost,
        )


def sold(standing: Iterable[Standing]) -> tuple[Sold, ...]:
    """Live mailboxes by domain."""
    found: dict[str, Sold] = {}
    for s in standing:
        if s.live:
            found[s.domain] = found.get(s.domain, Sold(s.domain)).plus(s.line)
    return tuple(found[name] for name in sorted(found))
