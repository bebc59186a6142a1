"""S4, S6, S7: when to look, when a domain is live, when it is lost."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules.activation import Drift, drift, lost, may_activate, notice_due, run_is_full, wait
from chalicelib.rules.dnsrecords import Judgement
from chalicelib.rules.figures import DEFAULT

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LOOKS: st.SearchStrategy[Judgement] = st.sampled_from(["ok", "missing", "wrong", "unknown"])


@given(st.timedeltas(timedelta(0), timedelta(days=400)))
def test_S4_polls_are_never_an_hour_apart(age: timedelta) -> None:
    assert timedelta(minutes=5) <= wait(age, DEFAULT) <= timedelta(minutes=30)


def test_S4_both_gates_must_be_open() -> None:
    assert may_activate("ok", identity_gate=False, identity_verified=False)
    assert may_activate("ok", identity_gate=True, identity_verified=True)
    assert not may_activate("ok", identity_gate=True, identity_verified=False)
    assert not may_activate("unknown", identity_gate=False, identity_verified=True)
    assert not may_activate("wrong", identity_gate=False, identity_verified=True)


def test_S6_the_notice_is_due_after_30_days() -> None:
    assert not notice_due(timedelta(days=29, hours=23), DEFAULT)
    assert notice_due(timedelta(days=30), DEFAULT)


def test_a_run_ends_far_below_the_history_limit() -> None:
    """25,000 events an execution; a loop writes 9, a poll that is retried three times 9 + 9."""
    polls = next(n for n in range(2_000) if run_is_full(n, DEFAULT))
    assert polls * 18 < 25_000
    assert polls * DEFAULT.poll_later > timedelta(days=20)


def walk(looks: list[Judgement], every: timedelta) -> bool:
    """Whether a live domain is lost at some of these looks."""
    seen, now = Drift(), START
    for look in looks:
        now += every
        seen = drift(seen, look, now)
        if lost(seen, now, DEFAULT):
            return True
    return False


def test_S7_one_failed_or_one_bad_look_proves_nothing() -> None:
    assert not walk(["unknown"] * 1_000, timedelta(hours=1))
    assert not walk(["missing"], timedelta(days=30))
    assert not walk(["missing", "missing"], timedelta(days=30))
    assert not walk(["wrong"] * 23, timedelta(hours=1))


def test_S7_several_looks_over_a_day_do() -> None:
    assert walk(["wrong"] * 25, timedelta(hours=1))
    assert walk(["missing", "unknown", "wrong", "missing"], timedelta(hours=12))


@given(st.lists(LOOKS, max_size=60))
def test_S7_a_good_look_forgets_all_before(looks: list[Judgement]) -> None:
    seen = Drift()
    for look in looks:
        seen = drift(seen, look, START)
    assert drift(seen, "ok", START) == Drift()
    since_good = looks[len(looks) - looks[::-1].index("ok") :] if "ok" in looks else looks
    assert seen.misses == sum(look in ("missing", "wrong") for look in since_good)


@pytest.mark.parametrize("look", ["missing", "wrong"])
def test_S7_the_first_miss_is_remembered(look: Judgement) -> None:
    later = START + timedelta(hours=5)
    assert drift(drift(Drift(), look, START), look, later) == Drift(2, START)
