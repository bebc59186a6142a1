"""When work that interrupts the service may be done (S34): the operator's calendar.

Two clocks meet here. Off-peak hours and business days are of the operator's time zone, by its wall clock;
moments are UTC. The zone's rules come from the tz database, which is data like any table: a zone is named,
never taken from the machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.rules.errors import Fault, ServiceError

MONDAY, SUNDAY = 1, 7  # as datetime.isoweekday() has them
AHEAD_DAYS = 400  # how far an hour for an outage is looked for
MOST_HOLIDAYS = 400
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The operator's days and hours. `off_peak_from` after `off_peak_to`: over midnight.

    `notice_days`: business days between telling and beginning (S34).
    """

    zone: str = "UTC"
    off_peak_from: time = time(22)
    off_peak_to: time = time(5)
    weekend: frozenset[int] = frozenset({6, 7})  # ISO week days, Monday is 1
    holidays: frozenset[date] = frozenset()
    notice_days: int = 2

    @property
    def tz(self) -> tzinfo:
        """The zone's rules."""
        return zone_of(self.zone)


def zone_of(name: str) -> tzinfo:
    """The rules of an IANA time zone. Raises ValueError for what is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from None


def check_calendar(calendar: Calendar) -> None:
    """Raises ServiceError invalid naming what cannot be."""
    faults = []
    try:
        zone_of(calendar.zone)
    except ValueError:
        faults.append(Fault("/time_zone", "Give a name of the IANA database, as Europe/Berlin."))
    if calendar.off_peak_from == calendar.off_peak_to:
        faults.append(Fault("/off_peak_to", "Off-peak hours end at another time than they begin."))
    if not calendar.weekend <= set(range(MONDAY, SUNDAY + 1)) or len(calendar.weekend) > 6:
        faults.append(Fault("/weekend", "Week days are numbers from 1 (Monday) to 7; one is left for work."))
    if len(calendar.holidays) > MOST_HOLIDAYS:
        faults.append(Fault("/holidays", f"At most {MOST_HOLIDAYS} holidays are kept."))
    if faults:
        raise ServiceError("invalid", "The calendar cannot be kept like this.", tuple(faults))


# ------------------------------------------------------------------------------------------- business days
def is_business_day(day: date, calendar: Calendar) -> bool:
    """Neither week-end nor holiday."""
    return day.isoweekday() not in calendar.weekend and day not in calendar.holidays


def _next_business_day(day: date, calendar: Calendar) -> date:
    """The first business day after one; there always is one, for a week has a working day."""
    day += timedelta(days=1)
    while not is_business_day(day, calendar):
        day += timedelta(days=1)
    return day


def after_business_days(now: datetime, days: int, calendar: Calendar) -> datetime:
    """The moment that many business days after `now` (UTC).

    From a business day: the same time of day, that many business days on. From any other day: counted from
    the beginning of the next business day, for nobody is at work before.
    """
    local = now.astimezone(calendar.tz)
    day, at = local.date(), local.time().replace(fold=0)
    if not is_business_day(day, calendar):
        day, at = _next_business_day(day, calendar), time(0)
    for _ in range(days):
        day = _next_business_day(day, calendar)
    return _latest(day, at, calendar.tz)


def business_days_between(start: datetime, end: datetime, calendar: Calendar) -> int:
    """How many whole business days lie between two moments: 0 where `end` is not after `start`."""
    days = 0
    while after_business_days(start, days + 1, calendar) <= end:
        days += 1
    return days


def _latest(day: date, at: time, tz: tzinfo) -> datetime:
    """The moment of a wall clock's time; of two, or of one that the clock leaps over, the later."""
    both = (datetime.combine(day, at, tz).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(both)


def _earliest(day: date, at: time, tz: tzinfo) -> datetime:
    both = (datetime.combine(day, at, tz).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return min(both)


# ---------------------------------------------------------------------------------------------- off-peak
def windows(after: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """Off-peak hours that end after a moment, in order: beginning and end in UTC.

    Where a clock shows an end twice or never, the narrower reading holds: nothing reaches into busy hours.
    """
    tz, over = calendar.tz, calendar.off_peak_to < calendar.off_peak_from
    first = after.astimezone(tz).date() - timedelta(days=1)
    for number in range(AHEAD_DAYS):
        day = first + timedelta(days=number)
        begins = _latest(day, calendar.off_peak_from, tz)
        ends = _earliest(day + timedelta(days=int(over)), calendar.off_peak_to, tz)
        if begins < ends and ends > after:
            yield begins, ends


def is_off_peak(start: datetime, end: datetime, calendar: Calendar) -> bool:
    """Whether all the time between two moments lies in one night's off-peak hours."""
    begins, ends = next(windows(start, calendar))
    return begins <= start and end <= ends


def earliest_outage(now: datetime, duration: timedelta, calendar: Calendar) -> datetime | None:
    """S34: when an outage that is announced now may begin at the earliest, to the minute.

    None: no night's off-peak hours are so long.
    """
    told = after_business_days(now, calendar.notice_days, calendar)
    for begins, ends in windows(told, calendar):
        start = _whole_minute(max(begins, told))
        if start + duration <= ends:
            return start
    return None


def _whole_minute(moment: datetime) -> datetime:
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + MINUTE


def check_outage(now: datetime, start: datetime, end: datetime, calendar: Calendar) -> None:
    """S34. Raises ServiceError invalid, `extra["earliest"]` says from when on it could be (None: never)."""
    faults = []
    if start < after_business_days(now, calendar.notice_days, calendar):
        text = f"Announce it at least {calendar.notice_days} business days before it begins."
        faults.append(Fault("/starts_at", text))
    if not is_off_peak(start, start, calendar):
        faults.append(Fault("/starts_at", f"It begins outside the off-peak hours, {_hours(calendar)}."))
    elif not is_off_peak(start, end, calendar):
        faults.append(Fault("/ends_at", f"It goes on after the off-peak hours, {_hours(calendar)}."))
    if not faults:
        return
    earliest = earliest_outage(now, end - start, calendar)
    advice = (
        f"It could begin at {earliest:%Y-%m-%d %H:%M} UTC or in any off-peak hours after that."
        if earliest
        else "It is longer than the off-peak hours of any night."
    )
    said = earliest.strftime("%Y-%m-%dT%H:%M:%SZ") if earliest else None
    raise ServiceError(
        "invalid", f"A planned outage cannot be then. {advice}", tuple(faults), {"earliest": said}
    )


def _hours(calendar: Calendar) -> str:
    return f"{calendar.off_peak_from:%H:%M} to {calendar.off_peak_to:%H:%M} ({calendar.zone})"
