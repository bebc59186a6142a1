"""S29 to S32: what counts, and whom an event suspends; at the edges of 30 days."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import abuse
from chalicelib.rules.abuse import Measure, Sent, Strike

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def strike(days: float, message: str = "m0", account: str = "ann") -> Strike:
    at = START + timedelta(days=days)
    return Strike(message, account, f"{account}@x.test", at, f"r{message}", "spam", "account")


def measured(strikes: list[Strike], message: str, days: float) -> Measure | None:
    return abuse.measure(strikes, message, START + timedelta(days=days))


def test_S31_the_first_event_suspends_the_account() -> None:
    assert measured([], "m1", 0) == "account"


@pytest.mark.parametrize(
    ("days", "whom"),
    [(0, "domain"), (29, "domain"), (30, "domain"), (30.00001, "account"), (31, "account")],
)
def test_S32_a_second_event_within_30_days_suspends_the_domain(days: float, whom: Measure) -> None:
    for account in ("ann", "bob"):  # any account of the domain counts
        assert measured([strike(0, account=account)], "m1", days) == whom


def test_S32_the_count_starts_anew_from_the_strike_that_is_not_too_old() -> None:
    assert measured([strike(0), strike(31, "m1")], "m2", 40) == "domain"
    assert measured([strike(0), strike(31, "m1")], "m2", 62) == "account"


def test_S32_two_reports_of_one_message_are_one_event_however_late() -> None:
    assert measured([strike(0, "m1")], "m1", 3) is None
    assert measured([strike(0, "m1"), strike(50, "m2")], "m1", 60) is None


@given(st.lists(st.integers(0, 120), min_size=1, max_size=4))
def test_S32_the_order_in_which_reports_are_handled_decides_nothing_but_which_is_first(
    days: list[int],
) -> None:
    def outcome(order: tuple[int, ...]) -> bool:
        """Whether the domain is suspended in the end."""
        strikes: list[Strike] = []
        whole = False
        for number in order:
            whole |= measured(strikes, f"m{number}", days[number]) == "domain"
            strikes.append(strike(days[number], f"m{number}"))
        return whole

    assert len({outcome(order) for order in permutations(range(len(days)))}) == 1


@pytest.mark.parametrize(
    ("feedback", "kind"),
    [
        (None, "spam"),
        ("", "spam"),
        ("abuse", "spam"),
        (" ABUSE ", "spam"),
        ("fraud", "fraud"),
        ("virus", "virus"),
        ("x-unheard-of", "spam"),
        ("not-spam", None),
        ("auth-failure", None),
        ("other", None),
    ],
)
def test_S30_feedback_types_that_are_no_complaint_do_not_count(
    feedback: str | None, kind: str | None
) -> None:
    assert abuse.kind_of(feedback) == kind


def test_S30_only_what_is_tied_to_a_message_of_somebody_counts() -> None:
    sent = Sent("m1", "ann", "ann@x.test", "x.test", "1@x.test", START)
    notice = Sent("m1", "", "notices@emailmx.test", "emailmx.test", "1@x.test", START)
    assert abuse.judge("spam", sent) == "counted"
    assert abuse.judge("spam", None) == "unverified"
    assert abuse.judge(None, sent) == "noted"
    assert abuse.judge("spam", notice) == "noted", "the service's own mail suspends nobody"


@given(st.text())
def test_any_text_is_read_for_a_reference(text: str) -> None:
    assert abuse.read_mark(text) is None or "v1." in text


def test_a_reference_is_found_among_other_text() -> None:
    mark = "0123456789abcdef" * 2
    for around in ("{}", "> X-Report-Reference: {}\n", "<p>{}</p>", "({})."):
        assert abuse.read_mark(around.format(f"v1.s-1_b.{mark}")) == ("s-1_b", mark)
    for wrong in (f"v2.s1.{mark}", f"v1.s1.{mark[:-1]}", f"v1..{mark}", f"v1.s1.{mark.upper()}"):
        assert abuse.read_mark(wrong) is None
