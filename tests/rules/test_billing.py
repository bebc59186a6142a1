"""S13: invoices as a pure function of the ledger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rules.billing import (
    Invoice,
    Month,
    final_at,
    invoice,
    month_of,
    parse_month,
    sold,
    spans,
    standings,
)
from chalicelib.rules.ledger import Entry, Kind, Line

FREE = timedelta(days=5)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
MARCH, APRIL = Month(2026, 3), Month(2026, 4)


def at(text: str) -> datetime:
    """ "03-28 10:00" of 2026."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def line(local: str = "ann", mb: int = 250, account: str = "", **prices: int) -> Line:
    """A mailbox at today's prices."""
    cost = {"base_mills": 300, "step_mills": 100, **prices}
    return Line(account or f"a-{local}", f"{local}@x.test", mb, steps=mb // 250 - 1, **cost)


def entry(kind: Kind, when: str | datetime, *lines: Line, **more: Any) -> Entry:
    """An entry with an id of its own."""
    moment = at(when) if isinstance(when, str) else when
    id = more.pop("id", f"{kind}-{moment.isoformat()}-{'.'.join(x.address for x in lines)}")
    fields = {"reseller": "house", "domain": "x.test", "order": "o1", **more}
    return Entry(id=id, at=moment, kind=kind, lines=lines or (line(),), **fields)


def bill(month: Month, *entries: Entry) -> Invoice:
    """An invoice from the whole ledger."""
    return invoice("house", month, spans({}, EPOCH, entries, FREE))


def mills(month: Month, *entries: Entry) -> int:
    """What a month costs in all."""
    return bill(month, *entries).mills


ORDERED = entry("ordered", "03-28 10:00")


# ------------------------------------------------------------------------------------------ worked by hand
def test_S13_a_mailbox_is_billed_for_each_month_in_which_it_was_there_for_any_time() -> None:
    last_moment = entry("ordered", "03-31 23:59:59.999999")
    gone = entry("removed", "04-01 00:00:00.000001")
    assert [mills(m, last_moment) for m in (Month(2026, 2), MARCH, APRIL, Month(2027, 1))] == [
        0,
        300,
        300,
        300,
    ]
    assert [mills(m, last_moment, gone) for m in (MARCH, APRIL, Month(2026, 5))] == [300, 300, 0]


def test_S13_one_removed_at_the_stroke_of_the_month_was_not_there_in_it() -> None:
    gone = entry("removed", "04-01 00:00")
    assert [mills(m, ORDERED, gone) for m in (MARCH, APRIL)] == [300, 0]
    opening = standings({}, [ORDERED], APRIL.start, FREE)
    assert invoice("house", APRIL, spans(opening, APRIL.start, [gone], FREE)).mills == 0


def test_S13_one_made_at_the_stroke_of_the_month_is_of_that_month() -> None:
    assert [mills(m, entry("created", "04-01 00:00")) for m in (MARCH, APRIL)] == [0, 300]


def test_S13_one_that_was_there_for_a_moment_was_there() -> None:
    assert mills(MARCH, entry("created", "03-10 09:00"), entry("removed", "03-10 09:00")) == 300


def test_S13_a_step_counts_at_the_months_peak() -> None:
    up = entry("resized", "04-03 10:00", line(mb=1_000))
    down = entry("resized", "04-03 10:01", line(mb=500))
    [april] = bill(APRIL, ORDERED, up, down).lines
    assert (april.storage_mb, april.steps, april.mills) == (1_000, 3, 600)
    assert [mills(m, ORDERED, up, down) for m in (MARCH, APRIL, Month(2026, 5))] == [300, 600, 400]


def test_S13_a_downgrade_at_the_stroke_of_the_month_is_in_time() -> None:
    big, down = entry("ordered", "03-02 10:00", line(mb=1_000)), entry("resized", "04-01 00:00")
    assert [mills(m, big, down) for m in (MARCH, APRIL)] == [600, 300]


@pytest.mark.parametrize(
    ("after", "billed"),
    [
        (timedelta(0), 0),
        (timedelta(days=4, hours=23, minutes=59), 0),
        (timedelta(days=5), 0),  # the last moment is still in time
        (timedelta(days=5, microseconds=1), 300),
        (timedelta(days=6), 300),
    ],
)
def test_S13_a_reversal_within_5_days_is_not_billed(after: timedelta, billed: int) -> None:
    placed = entry("ordered", "03-10 10:00")
    back = entry("reversed", placed.at + after)
    assert [mills(m, placed, back) for m in (MARCH, APRIL)] == [billed, 0]


def test_S13_a_reversal_in_time_takes_the_month_before_back_too() -> None:
    in_time, late = entry("reversed", "04-02 10:00"), entry("reversed", "04-03 10:00")
    assert [mills(m, ORDERED, in_time) for m in (MARCH, APRIL)] == [0, 0]
    assert [mills(m, ORDERED, late) for m in (MARCH, APRIL, Month(2026, 5))] == [300, 300, 0]
    assert final_at(MARCH, FREE) == at("04-06 00:00")


def test_S13_S10_a_reversal_takes_each_mailbox_by_the_time_it_was_ordered_at() -> None:
    bob = entry("created", "03-08 10:00", line("bob", 500))
    back = entry("reversed", "03-10 10:00", line(), line("bob", 500))
    placed = entry("ordered", "03-02 10:00")
    assert [x.address for x in bill(MARCH, placed, bob, back).lines] == ["ann@x.test"]


def test_S13_what_was_deleted_before_its_order_was_reversed_in_time_is_not_billed_either() -> None:
    placed = entry("ordered", "03-10 10:00", line(), line("bob"))
    gone, back = entry("removed", "03-11 10:00", line("bob")), entry("reversed", "03-12 10:00")
    assert mills(MARCH, placed, gone) == 600
    assert mills(MARCH, placed, gone, back) == 0
    other = replace(back, order="o2")
    assert mills(MARCH, placed, gone, other) == 300


def test_S13_undoing_a_reversal_bills_from_then_on() -> None:
    back, undone = entry("reversed", "04-01 10:00"), entry("restored", "04-02 10:00")
    assert [mills(m, ORDERED, back, undone) for m in (MARCH, APRIL, Month(2026, 5))] == [0, 300, 300]
    again = entry("reversed", "05-02 10:00")  # not within five days of the order any more
    assert [mills(m, ORDERED, back, undone, again) for m in (APRIL, Month(2026, 5))] == [300, 300]


def test_S13_a_deletion_that_is_undone_leaves_out_the_months_between() -> None:
    gone, back = entry("removed", "04-20 10:00"), entry("restored", "06-01 10:00")
    months = [Month(2026, n) for n in (3, 4, 5, 6, 7)]
    assert [mills(m, ORDERED, gone, back) for m in months] == [300, 300, 0, 300, 300]


def test_S10_two_names_of_one_account_in_one_month_are_billed_once() -> None:
    renamed = entry("renamed", "03-29 10:00", replace(line("anne"), account="a-ann"))
    [only] = bill(MARCH, ORDERED, renamed).lines
    assert (only.address, only.account, only.mills) == ("anne@x.test", "a-ann", 300)
    after = entry("renamed", "04-02 10:00", replace(line("anne"), account="a-ann"))
    assert [x.address for m in (MARCH, APRIL) for x in bill(m, ORDERED, after).lines] == [
        "ann@x.test",
        "anne@x.test",
    ]


def test_S13_the_same_address_deleted_and_made_again_is_two_mailboxes() -> None:
    gone = entry("removed", "03-29 10:00")
    anew = entry("created", "03-30 10:00", line(account="a-new"))
    assert [(x.address, x.account) for x in bill(MARCH, ORDERED, gone, anew).lines] == [
        ("ann@x.test", "a-ann"),
        ("ann@x.test", "a-new"),
    ]


def test_S13_prices_are_those_of_the_ledger() -> None:
    dearer = entry("resized", "04-10 10:00", line(mb=500, base_mills=350, step_mills=120))
    assert [mills(m, ORDERED, dearer) for m in (MARCH, APRIL)] == [300, 470]
    renamed = entry("renamed", "04-10 10:00", line("anne", account="a-ann", base_mills=350))
    assert [mills(m, ORDERED, renamed) for m in (APRIL, Month(2026, 5))] == [300, 350]


def test_an_invoice_says_what_each_domain_costs() -> None:
    other = entry(
        "ordered", "03-03 10:00", Line("a-z", "z@a.test", 500, 300, 1, 100), domain="a.test", order="o2"
    )
    made = bill(MARCH, ORDERED, other)
    assert made.number == "house-2026-03"
    assert [(d.domain, d.mailboxes, d.steps, d.mills) for d in made.domains] == [
        ("a.test", 1, 1, 400),
        ("x.test", 1, 0, 300),
    ]
    assert made.mills == 700


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "26-03", "2026-3", "1999-12", "2026-03-01", "２０２６-03"]
)
def test_a_month_is_written_one_way(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        parse_month(text)


def test_months_follow_each_other() -> None:
    assert str(parse_month("2026-12").next) == "2027-01"
    assert str(Month(2026, 1).previous) == "2025-12"
    assert month_of(datetime.fromisoformat("2026-04-01T01:00:00+02:00")) == MARCH


# ---------------------------------------------------------------------------------------------- properties
ACCOUNTS = ("ann", "bob", "cat")
KINDS: tuple[Kind, ...] = ("ordered", "created", "resized", "renamed", "removed", "restored", "reversed")
MOMENTS = st.sampled_from([at("02-26 00:00") + timedelta(hours=12 * n) for n in range(140)])


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """Any entries, sensible or not, at few enough moments that some are equal."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        names = draw(st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=3, unique=True))
        lines = [line(name, draw(st.sampled_from([250, 500, 1_000])), account=name) for name in names]
        order = draw(st.sampled_from(["o1", "o2"]))
        kind = draw(st.sampled_from(KINDS))
        found.append(entry(kind, draw(MOMENTS), *lines, id=f"e{number}", order=order))
    return found


MONTHS = [Month(2026, n) for n in range(2, 8)]


@given(ledgers(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_S13_the_order_in_which_entries_are_given_is_nowhere(entries: list[Entry], random: Any) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert [bill(m, *entries) for m in MONTHS] == [bill(m, *shuffled) for m in MONTHS]


@given(ledgers())
@settings(max_examples=150, deadline=None)
def test_S13_lines_add_up_and_repeats_change_nothing(entries: list[Entry]) -> None:
    for month in MONTHS:
        made = bill(month, *entries)
        assert made.mills == sum(x.mills for x in made.lines) == sum(d.mills for d in made.domains) >= 0
        assert all(x.mills >= 300 for x in made.lines)
        assert len({x.account for x in made.lines}) == len(made.lines)
        assert bill(month, *entries, *entries) == made


@given(ledgers(), st.sampled_from(MONTHS))
@settings(max_examples=150, deadline=None)
def test_S13_later_entries_do_not_change_a_month_but_reversals_in_the_free_days(
    entries: list[Entry], month: Month
) -> None:
    before = [e for e in entries if e.at < month.end]
    later = [e for e in entries if e.at >= month.end]
    assert bill(month, *before, *(e for e in later if e.kind != "reversed")) == bill(month, *before)
    final = [e for e in entries if e.at <= final_at(month, FREE)]
    assert bill(month, *final) == bill(month, *entries)


@given(ledgers(), st.sampled_from(MONTHS), st.sampled_from(MONTHS))
@settings(max_examples=200, deadline=None)
def test_S13_from_a_months_opening_on_is_the_same_as_from_the_beginning(
    entries: list[Entry], first: Month, second: Month
) -> None:
    early, late = sorted((first, second))
    opening = standings({}, entries, early.start, FREE)
    rest = [e for e in entries if e.at >= early.start]
    for month in [m for m in MONTHS if m >= early]:
        made = invoice("house", month, spans(opening, early.start, rest, FREE))
        assert made == bill(month, *entries)
    assert standings(opening, rest, late.start, FREE) == standings({}, entries, late.start, FREE)


@given(ledgers())
@settings(max_examples=100, deadline=None)
def test_S13_what_stands_now_is_what_the_next_months_cost(entries: list[Entry]) -> None:
    after = standings({}, entries, Month(2026, 7).start, FREE)
    future = bill(Month(2026, 9), *entries)
    assert sum(s.mills for s in sold(after.values())) == future.mills
    assert sum(s.mailboxes for s in sold(after.values())) == len(future.lines)
