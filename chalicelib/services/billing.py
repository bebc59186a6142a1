"""Invoices, quotes and what is sold now (S13): the ledger gathered, `rules.billing` asked.

No reading of a month goes back to the beginning of time: what stood when a month began is worked out once,
by whoever asks first, and kept. A day must have passed, so that no entry of before can still be on its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.aws import clock
from chalicelib.rules import billing as rules
from chalicelib.rules.billing import Invoice, Month, Sold, Standing, month_of
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ledger import Entry
from chalicelib.services.platform import Platform

SETTLED = timedelta(days=1)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice, and whether nothing can change it any more: from five days after its month."""

    invoice: Invoice
    final: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """What a change does to this month's invoice, to the months after it, and to the last month's, which a
    reversal in time may still lower.
    """

    now_month_mills_before: int
    now_month_mills_after: int
    monthly_mills_before: int
    monthly_mills_after: int
    last_month_mills_before: int = 0
    last_month_mills_after: int = 0


def opening(p: Platform, reseller: str, month: Month) -> dict[str, Standing]:
    """What stood when a month began, by account."""
    known = p.standings.latest(reseller, month)
    if known and known[0] == month:
        return known[1]
    since, standing = (known[0].start, known[1]) if known else (BEGINNING, {})
    entries = p.ledger.entries(reseller, (since, month.start))
    found = rules.standings(standing, entries, month.start, p.figures.free_reversal)
    if clock.now() - month.start >= SETTLED:
        p.standings.keep(reseller, month, found.values())
    return found


def months(p: Platform, reseller: str) -> list[Month]:
    """Months that have an invoice, newest first: this one, and back to that of the first order."""
    month = month_of(clock.now())
    first = month_of(p.ledger.first(reseller) or clock.now())
    found = [month]
    while found[-1] > first:
        found.append(found[-1].previous)
    return found


def invoice(p: Platform, reseller: str, month: Month) -> Bill:
    """A month's invoice; of the present month as far as it is known. Raises ServiceError not_found."""
    if month != month_of(clock.now()) and month not in months(p, reseller):
        raise ServiceError("not_found", "There is no invoice for that month.")
    [bill] = bills(p, reseller, [month])
    return bill


def bills(p: Platform, reseller: str, wanted: Sequence[Month]) -> list[Bill]:
    """The invoices of months, in one reading of the time that they span."""
    if not wanted:
        return []
    first, free = min(wanted), p.figures.free_reversal
    ends = rules.final_at(max(wanted), free)
    entries = p.ledger.entries(reseller, (first.start, ends))
    spans = rules.spans(opening(p, reseller, first), first.start, entries, free)
    now = clock.now()
    return [Bill(rules.invoice(reseller, m, spans), now >= rules.final_at(m, free)) for m in wanted]


def quote(p: Platform, reseller: str, entries: Sequence[Entry]) -> Quote:
    """What these entries, which are not written, would change."""
    month = month_of(clock.now())
    last, free = month.previous, p.figures.free_reversal
    stood = opening(p, reseller, last)
    known = list(p.ledger.entries(reseller, (last.start, month.end)))
    figures = []
    for ledger in (known, [*known, *entries]):
        spans = rules.spans(stood, last.start, ledger, free)
        after = rules.standings(stood, ledger, month.end, free)
        invoices = [rules.invoice(reseller, m, spans).mills for m in (month, last)]
        figures.append((invoices[0], sum(s.mills for s in rules.sold(after.values())), invoices[1]))
    pairs = [number for both in zip(*figures, strict=True) for number in both]
    return Quote(*pairs)


def usage(p: Platform, reseller: str) -> tuple[Sold, ...]:
    """What stands now, by domain."""
    month = month_of(clock.now())
    entries = p.ledger.entries(reseller, (month.start, month.end))
    now = rules.standings(opening(p, reseller, month), entries, month.end, p.figures.free_reversal)
    return rules.sold(now.values())
