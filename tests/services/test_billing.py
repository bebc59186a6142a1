"""S13: invoices from the ledger as kept, quotes that come true, openings that are worked out once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.aws.table import ABSENT, Item, Put
from chalicelib.rules import billing as rules
from chalicelib.rules.billing import Month, month_of
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.ledger import Entry, Kind, Line
from chalicelib.services import billing
from chalicelib.services.billing import Quote
from chalicelib.services.platform import Platform
from chalicelib.store import standings
from chalicelib.store.ledger import Ledger, ledger_item
from tests.cloud import Clock

MARCH, APRIL = Month(2026, 3), Month(2026, 4)


def line(local: str = "ann", mb: int = 250, account: str = "") -> Line:
    """A mailbox at today's prices."""
    return Line(account or f"a-{local}", f"{local}@x.test", mb, 300, mb // 250 - 1, 100)


def write(p: Platform, *entries: Entry) -> None:
    """As the transactions of what they tell do."""
    p.ledger.table.transact([Put(ledger_item(entry), ABSENT) for entry in entries])


def entry(clock: Clock, kind: Kind, *lines: Line, reseller: str = "house", **more: Any) -> Entry:
    """An entry of now."""
    fields = {"id": f"{kind}-{clock.seconds}-{len(lines)}", "domain": "x.test", "order": "o1", **more}
    return Entry(at=clock.now(), reseller=reseller, kind=kind, lines=lines or (line(),), **fields)


def go(clock: Clock, text: str) -> None:
    """To a moment of 2026."""
    clock.seconds = datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC).timestamp()


def test_S13_an_invoice_is_a_preview_until_no_reversal_can_change_it(
    platform: Platform, clock: Clock
) -> None:
    go(clock, "03-28 10:00")
    write(platform, entry(clock, "ordered"))
    for moment, final in (("03-28 10:00", False), ("04-05 23:59:59", False), ("04-06 00:00", True)):
        go(clock, moment)
        bill = billing.invoice(platform, "house", MARCH)
        assert (bill.invoice.mills, bill.final) == (300, final)


def test_S13_months_are_listed_from_the_first_order_on(platform: Platform, clock: Clock) -> None:
    assert billing.months(platform, "house") == [MARCH]
    write(platform, entry(clock, "ordered"))
    go(clock, "05-10 10:00")
    assert [str(m) for m in billing.months(platform, "house")] == ["2026-05", "2026-04", "2026-03"]
    assert billing.months(platform, "other") == [Month(2026, 5)]
    for month in (Month(2026, 2), Month(2026, 6)):
        with pytest.raises(ServiceError, match="not_found"):
            billing.invoice(platform, "house", month)
    assert [b.invoice.mills for b in billing.bills(platform, "house", billing.months(platform, "house"))] == [
        300,
        300,
        300,
    ]


def test_S13_one_resellers_ledger_is_nothing_to_another(platform: Platform, clock: Clock) -> None:
    write(platform, entry(clock, "ordered"))
    assert billing.invoice(platform, "other", MARCH).invoice.lines == ()
    assert billing.usage(platform, "other") == ()
    assert [(s.domain, s.mailboxes, s.mills) for s in billing.usage(platform, "house")] == [
        ("x.test", 1, 300)
    ]


def test_a_month_is_read_from_its_opening_and_not_from_the_beginning(
    platform: Platform, clock: Clock
) -> None:
    many = [line(f"m{n}", 500) for n in range(90)]
    write(platform, entry(clock, "ordered", *many))
    go(clock, "06-10 10:00")
    asked: list[datetime] = []
    real = Ledger.entries

    def spied(self: Ledger, reseller: str, between: tuple[datetime, datetime]) -> Iterator[Entry]:
        asked.append(between[0])
        return real(self, reseller, between)

    with mock.patch.object(Ledger, "entries", spied), mock.patch.object(standings, "PART", 40):
        first = billing.invoice(platform, "house", Month(2026, 6)).invoice
        assert min(asked) == billing.BEGINNING
        asked.clear()
        assert billing.invoice(platform, "house", Month(2026, 6)).invoice == first
        assert asked == [Month(2026, 6).start]
    assert (len(first.lines), first.mills) == (90, 90 * 400)


def test_an_opening_is_kept_only_when_nothing_of_before_can_be_on_its_way(
    platform: Platform, clock: Clock
) -> None:
    late = entry(clock, "ordered")
    go(clock, "04-01 00:00:01")
    assert billing.invoice(platform, "house", APRIL).invoice.lines == ()
    write(platform, late)  # it was decided on in March
    assert billing.invoice(platform, "house", APRIL).invoice.mills == 300
    go(clock, "04-02 00:00:00")
    assert billing.invoice(platform, "house", APRIL).invoice.mills == 300
    assert platform.standings.latest("house", APRIL) is not None


KINDS: tuple[Kind, ...] = ("ordered", "created", "resized", "renamed", "removed", "restored", "reversed")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[timedelta, Kind, list[Line], str]]:
    """Any entries, at times that go forward."""
    found = []
    for _ in range(draw(st.integers(1, 8))):
        names = draw(st.lists(st.sampled_from(["ann", "bob"]), min_size=1, max_size=2, unique=True))
        lines = [line(name, draw(st.sampled_from([250, 500, 1_000]))) for name in names]
        pause = timedelta(hours=draw(st.sampled_from([0, 1, 30, 120, 121, 500])))
        found.append((pause, draw(st.sampled_from(KINDS)), lines, draw(st.sampled_from(["o1", "o2"]))))
    return found


numbers = iter(range(10**9))


@given(histories())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_S13_a_quote_is_what_the_ledger_says_after_it_and_openings_follow_from_it(
    platform: Platform, clock: Clock, history: list[tuple[timedelta, Kind, list[Line], str]]
) -> None:
    reseller, written = f"r{next(numbers)}", list[Entry]()
    go(clock, "03-25 10:00")
    for pause, kind, lines, order in history:
        clock.advance(seconds=pause.total_seconds())
        more = entry(clock, kind, *lines, reseller=reseller, id=f"e{next(numbers)}", order=order)
        quote = billing.quote(platform, reseller, [more])
        before, after = totals(clock, written), totals(clock, [*written, more])
        assert quote == Quote(*(n for pair in zip(before, after, strict=True) for n in pair))
        write(platform, more)
        written.append(more)
    assert billing.quote(platform, reseller, []).monthly_mills_after == totals(clock, written)[1]
    clock.advance(days=40)
    kept = {m: billing.invoice(platform, reseller, m).invoice for m in billing.months(platform, reseller)}
    assert kept == {m: rules.invoice(reseller, m, spans(written)) for m in kept}
    for part in ("", *(f"#{m}" for m in kept)):
        keys = [{"pk": x["pk"], "sk": x["sk"]} for x in rows(platform, f"STANDING#{reseller}{part}")]
        platform.standings.table.batch_write(delete=keys)
    assert kept == {m: billing.invoice(platform, reseller, m).invoice for m in sorted(kept)}


def rows(p: Platform, pk: str) -> list[Item]:
    """The items of a partition."""
    return list(p.standings.table.query_all(pk))


def spans(entries: list[Entry]) -> dict[str, list[rules.Span]]:
    """Of a whole ledger."""
    return rules.spans({}, billing.BEGINNING, entries, DEFAULT.free_reversal)


def totals(clock: Clock, entries: list[Entry]) -> tuple[int, int, int]:
    """This month, each month from now on, and the last month, from the whole ledger."""
    month = month_of(clock.now())
    standing = rules.standings({}, entries, month.end, DEFAULT.free_reversal)
    this, last = (rules.invoice("", m, spans(entries)).mills for m in (month, month.previous))
    return this, sum(s.mills for s in rules.sold(standing.values())), last
