"""S14 to S18: bands, alerts, warnings, and what fits into a mailbox."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import quota
from chalicelib.rules.figures import DEFAULT, MB
from chalicelib.rules.quota import Band, ClientDoor, Storage, fits

QUOTA = 250 * MB
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def hundredths(count: int) -> int:
    """So many hundredths of a percent of the quota, rounded up to whole bytes."""
    return -(-QUOTA * count // 10_000)


def held(used: int) -> Storage:
    return quota.storage(used, QUOTA, DEFAULT)


@pytest.mark.parametrize(
    ("used", "size", "kept"),
    [
        (246 * MB, 6 * MB, False),
        (246 * MB, 3 * MB, True),
        (246 * MB, 4 * MB, True),
        (246 * MB, 4 * MB + 1, False),
        (0, 250 * MB, True),
    ],
)
def test_S17_a_message_that_would_exceed_the_quota_is_refused(used: int, size: int, kept: bool) -> None:
    assert fits(used, size, 250 * MB) is kept


def test_S18_a_full_mailbox_takes_nothing_not_even_nothing() -> None:
    assert not fits(250 * MB, 1, 250 * MB)
    assert not fits(250 * MB, 0, 250 * MB)
    assert not fits(251 * MB, 0, 250 * MB)  # full before its quota was made smaller


@pytest.mark.parametrize(
    ("used", "band"),
    [
        (0, "ok"),
        (hundredths(7_999), "ok"),
        (hundredths(8_000) - 1, "ok"),
        (hundredths(8_000), "alert"),
        (hundredths(8_999), "alert"),
        (hundredths(9_000) - 1, "alert"),
        (hundredths(9_000), "warning"),
        (hundredths(9_999), "warning"),
        (QUOTA - 1, "warning"),
        (QUOTA, "full"),
        (QUOTA + MB, "full"),
    ],
)
def test_S15_S16_S18_bands_begin_to_the_byte(used: int, band: Band) -> None:
    assert held(used).band == band


@given(st.integers(1, 2**53), st.integers(0, 2**53))
def test_a_band_is_what_exact_fractions_say(limit: int, used: int) -> None:
    shown = quota.storage(used, limit, DEFAULT)
    want = sum(used * 100 >= limit * line for line in (80, 90, 100))
    assert shown.band == ("ok", "alert", "warning", "full")[want]
    assert shown.remaining == max(0, limit - used)
    assert (shown.percent >= 100) == (shown.band == "full")


def test_no_quota_at_all_is_full() -> None:
    nothing = quota.storage(0, 0, DEFAULT)
    assert (nothing.band, nothing.percent, nothing.remaining) == ("full", 100, 0)


@pytest.mark.parametrize(
    ("used", "ago", "due"),
    [
        (hundredths(7_999), None, False),
        (hundredths(8_000), None, True),
        (hundredths(8_000), 599, False),
        (hundredths(8_000), 600, True),
        (hundredths(8_999), 601, True),
        (hundredths(9_000), None, False),
        (QUOTA - 1, 86_400, False),
        (QUOTA, None, True),
        (QUOTA, 599, False),
        (QUOTA, 600, True),
    ],
)
def test_S15_S18_an_alert_every_ten_minutes_and_none_from_90_to_100(
    used: int, ago: int | None, due: bool
) -> None:
    last = None if ago is None else NOW - timedelta(seconds=ago)
    assert quota.alert_due(held(used), last, NOW, DEFAULT) is due


@pytest.mark.parametrize(
    ("used", "door", "closed"),
    [
        (QUOTA, "imap", True),
        (QUOTA, "pop3", True),
        (QUOTA, "smtp", False),
        (QUOTA - 1, "pop3", False),
        (hundredths(8_000), "imap", False),
    ],
)
def test_S18_a_full_mailbox_is_closed_to_IMAP_and_POP3(used: int, door: ClientDoor, closed: bool) -> None:
    assert quota.closed(held(used), door) is closed


def test_S16_the_line_is_crossed_upwards_only_and_once() -> None:
    line = hundredths(9_000)
    assert quota.crosses(line - 1, line, QUOTA, DEFAULT)
    assert quota.crosses(0, QUOTA, QUOTA, DEFAULT)
    assert not quota.crosses(line, line + 1, QUOTA, DEFAULT)
    assert not quota.crosses(line - 2, line - 1, QUOTA, DEFAULT)
    assert not quota.crosses(line, line - 1, QUOTA, DEFAULT)


@pytest.mark.parametrize(
    ("used", "warned", "due"),
    [
        (hundredths(8_999), None, False),
        (hundredths(9_000), None, True),
        (hundredths(9_000), date(2026, 3, 1), True),
        (hundredths(9_000), date(2026, 3, 2), False),
        (QUOTA, None, False),
    ],
)
def test_S16_a_warning_each_day_while_above_and_below_100(used: int, warned: date | None, due: bool) -> None:
    assert quota.warning_due(held(used), warned, NOW.date()) is due


def test_what_is_said_names_mailbox_and_figures_in_one_line_of_ASCII() -> None:
    for used, words in ((hundredths(8_450), "84 % full: 211 of 250 MB"), (QUOTA, "is full (250 MB)")):
        text = quota.alert_text(held(used), "ann@x.test")
        assert "ann@x.test" in text
        assert words in text
        assert text.isascii()
        assert text.isprintable()
    assert quota.warning_subject(held(hundredths(9_275))) == "Your mailbox is 92 % full"
    assert "92 % full: 231 of 250 MB" in quota.warning_text(held(hundredths(9_275)), "ann@x.test")
