"""S34: business days and off-peak hours of the operator's calendar, also where clocks change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules.calendar import (
    Calendar,
    after_business_days,
    business_days_between,
    check_calendar,
    check_outage,
    earliest_outage,
    is_business_day,
    is_off_peak,
    windows,
)
from chalicelib.rules.errors import ServiceError

BERLIN = Calendar("Europe/Berlin")
NIGHTS = Calendar("America/New_York", time(1), time(4), holidays=frozenset({date(2026, 12, 25)}))
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    """A moment, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# 2026-11-27 is a Friday. Berlin is an hour ahead of UTC in winter.
@pytest.mark.parametrize(
    ("announced", "allowed"),
    [
        ("2026-11-24T09:00", "2026-11-26T09:00"),  # Tuesday: Thursday
        ("2026-11-26T09:00", "2026-11-30T09:00"),  # Thursday: over the week-end, Monday
        ("2026-11-27T14:00", "2026-12-01T14:00"),  # Friday: Tuesday
        ("2026-11-28T09:00", "2026-12-01T23:00"),  # Saturday: as Monday, 00:00 in Berlin
        ("2026-11-29T22:59", "2026-12-01T23:00"),  # Sunday, the last minute
        ("2026-11-29T23:00", "2026-12-01T23:00"),  # Monday, the first
        ("2026-11-27T22:59", "2026-12-01T22:59"),  # Friday, the last minute
        ("2026-11-27T23:00", "2026-12-01T23:00"),  # Saturday already
    ],
)
def test_S34_two_business_days_over_a_week_end(announced: str, allowed: str) -> None:
    assert after_business_days(at(announced), 2, BERLIN) == at(allowed)


def test_S34_holidays_do_not_count() -> None:
    calendar = Calendar("UTC", holidays=frozenset({date(2026, 12, 24), date(2026, 12, 25)}))
    assert after_business_days(at("2026-12-23T10:00"), 2, calendar) == at("2026-12-29T10:00")
    assert business_days_between(at("2026-12-23T10:00"), at("2026-12-29T09:59"), calendar) == 1
    assert business_days_between(at("2026-12-23T10:00"), at("2026-12-29T10:00"), calendar) == 2


def test_a_calendar_of_other_week_ends() -> None:
    gulf = Calendar("Asia/Riyadh", weekend=frozenset({5, 6}))
    assert after_business_days(at("2026-11-26T09:00"), 2, gulf) == at("2026-11-30T09:00")
    assert not is_business_day(date(2026, 11, 27), gulf)
    assert is_business_day(date(2026, 11, 29), gulf)


@pytest.mark.parametrize(
    ("start", "hours", "fine"),
    [
        ("2026-11-26T21:00", 8, False),  # longer than the night
        ("2026-11-26T21:00", 7, True),  # 22:00 to 05:00 in Berlin
        ("2026-11-26T20:59", 1, False),
        ("2026-11-27T03:00", 1, True),  # till the last minute
        ("2026-11-27T03:01", 1, False),  # begins off-peak, ends in busy hours
        ("2026-11-26T12:00", 1, False),
    ],
)
def test_S34_off_peak_from_beginning_to_end(start: str, hours: int, fine: bool) -> None:
    assert is_off_peak(at(start), at(start) + hours * HOUR, BERLIN) is fine


@pytest.mark.parametrize(
    ("now", "hours", "earliest"),
    [
        ("2026-11-24T09:00", 2, "2026-11-26T21:00"),  # notice ends by day: that evening
        ("2026-11-24T22:30", 2, "2026-11-26T22:30"),  # it ends at night: at once
        ("2026-11-25T02:30", 2, "2026-11-27T21:00"),  # too late in the night for two hours
        ("2026-11-27T14:00", 2, "2026-12-01T21:00"),  # Friday
        ("2026-11-24T22:30:01", 2, "2026-11-26T22:31"),  # whole minutes
        ("2026-11-24T09:00", 7, "2026-11-26T21:00"),  # the whole night
        ("2026-11-24T09:00", 8, "2027-10-30T20:00"),  # only the night of 25 hours is so long
        ("2026-11-24T09:00", 9, None),
    ],
)
def test_S34_the_earliest_outage(now: str, hours: int, earliest: str | None) -> None:
    assert earliest_outage(at(now), hours * HOUR, BERLIN) == (at(earliest) if earliest else None)


def test_S34_nights_when_clocks_change() -> None:
    """Berlin, 2026: on 29 March 02:00 becomes 03:00; on 25 October 03:00 becomes 02:00."""
    spring = next(windows(at("2026-03-28T12:00"), BERLIN))
    autumn = next(windows(at("2026-10-24T12:00"), BERLIN))
    assert (spring[1] - spring[0], autumn[1] - autumn[0]) == (6 * HOUR, 8 * HOUR)
    assert not is_off_peak(spring[0], spring[0] + 7 * HOUR, BERLIN)
    assert after_business_days(at("2026-03-27T09:00"), 2, BERLIN) == at("2026-03-31T08:00")


def test_S34_hours_that_a_clock_leaps_over_or_shows_twice_are_never_busy_ones() -> None:
    """New York, 2026: 8 March has no 02:30, on 1 November 01:30 comes twice (at 05:30 and 06:30 UTC)."""
    leapt = Calendar("America/New_York", time(2, 30), time(4))
    assert [b for b, _ in windows(at("2026-03-08T05:00"), leapt)][:1] == [at("2026-03-08T07:30")]
    twice = Calendar("America/New_York", time(22), time(1, 30))
    assert next(windows(at("2026-11-01T03:00"), twice))[1] == at("2026-11-01T05:30")
    begun = Calendar("America/New_York", time(1, 30), time(4))
    assert next(windows(at("2026-11-01T05:00"), begun))[0] == at("2026-11-01T06:30")


def test_S34_a_refusal_says_when_it_could_be() -> None:
    now = at("2026-11-27T14:00")
    with pytest.raises(ServiceError) as refused:
        check_outage(now, at("2026-11-30T12:00"), at("2026-11-30T14:00"), BERLIN)
    error = refused.value
    assert (error.kind, error.extra["earliest"]) == ("invalid", "2026-12-01T21:00:00Z")
    assert [f.pointer for f in error.faults] == ["/starts_at", "/starts_at"]
    assert "2 business days" in error.faults[0].detail
    assert "22:00 to 05:00 (Europe/Berlin)" in error.faults[1].detail
    check_outage(now, at("2026-12-01T21:00"), at("2026-12-01T23:00"), BERLIN)


def test_S34_an_outage_that_ends_in_busy_hours_is_refused() -> None:
    with pytest.raises(ServiceError) as refused:
        check_outage(at("2026-11-24T09:00"), at("2026-12-02T03:00"), at("2026-12-02T05:00"), BERLIN)
    assert [f.pointer for f in refused.value.faults] == ["/ends_at"]
    with pytest.raises(ServiceError) as refused:
        check_outage(at("2026-11-24T09:00"), at("2026-12-01T21:00"), at("2026-12-02T21:00"), BERLIN)
    assert refused.value.extra["earliest"] is None
    assert "longer than" in refused.value.detail


@pytest.mark.parametrize(
    ("calendar", "pointer"),
    [
        (Calendar("Mars/Olympus"), "/time_zone"),
        (Calendar("../etc/passwd"), "/time_zone"),
        (Calendar(""), "/time_zone"),
        (Calendar("Europe/\0"), "/time_zone"),
        (Calendar(off_peak_from=time(5)), "/off_peak_to"),
        (Calendar(weekend=frozenset(range(1, 8))), "/weekend"),
        (Calendar(weekend=frozenset({0})), "/weekend"),
        (Calendar(holidays=frozenset(date(2026, 1, 1) + timedelta(n) for n in range(401))), "/holidays"),
    ],
)
def test_a_calendar_that_cannot_be(calendar: Calendar, pointer: str) -> None:
    with pytest.raises(ServiceError) as refused:
        check_calendar(calendar)
    assert [f.pointer for f in refused.value.faults] == [pointer]


moments = st.integers(0, 2 * 365 * 86_400).map(lambda s: at("2026-01-01") + timedelta(seconds=s))
calendars = st.builds(
    Calendar,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    off_peak_from=st.times(time(18), time(23, 59)).map(lambda t: t.replace(second=0, microsecond=0)),
    off_peak_to=st.times(time(0), time(6)).map(lambda t: t.replace(second=0, microsecond=0)),
    weekend=st.frozensets(st.integers(1, 7), max_size=6),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2028, 1, 1)), max_size=20),
)


@given(moments, st.timedeltas(timedelta(minutes=1), timedelta(hours=10)), calendars)
def test_S34_what_is_called_the_earliest_is_allowed_and_nothing_before_it(
    now: datetime, duration: timedelta, calendar: Calendar
) -> None:
    start = earliest_outage(now, duration, calendar)
    if start is None:
        return
    check_outage(now, start, start + duration, calendar)
    assert business_days_between(now, start, calendar) >= calendar.notice_days
    for minutes in (1, 7, 60, 600, 1440):
        sooner = start - timedelta(minutes=minutes)
        with pytest.raises(ServiceError):
            check_outage(now, sooner, sooner + duration, calendar)


@given(moments, moments, calendars)
def test_business_days_are_counted_one_by_one(a: datetime, b: datetime, calendar: Calendar) -> None:
    end = min(b, a + timedelta(days=60))
    days = business_days_between(a, end, calendar)
    calendar_days = max(0, (end - a).days + 1)
    assert 0 <= days <= calendar_days
    assert days == 0 or after_business_days(a, days, calendar) <= end
    assert after_business_days(a, days + 1, calendar) > end
