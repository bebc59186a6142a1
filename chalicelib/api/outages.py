"""The operator's calendar, and maintenance by it or without notice (S34, S35)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from chalice.app import Blueprint
from pydantic import BeforeValidator, Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Query, Section
from chalicelib.aws import clock
from chalicelib.rules import calendar as calendars
from chalicelib.rules.calendar import Calendar
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.incidents import Component, Outage, OutageKind, Phase
from chalicelib.services import notices
from chalicelib.services.notices import Plan

routes = Blueprint(__name__)
section = Section("Maintenance", routes)


def _moment(given: object) -> datetime:
    """RFC 3339 with a zone, to the second, in UTC."""
    try:
        at = datetime.fromisoformat(given if isinstance(given, str) else "")
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        raise ValueError("give a time as 2026-12-01T22:00:00Z") from None


def _day(given: object) -> date:
    try:
        text = given if isinstance(given, str) and len(given) == len("2026-12-25") else ""
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("give a day as 2026-12-25") from None


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
CLOCK = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
Hour = Annotated[str, CLOCK]


# ------------------------------------------------------------------------------------------- calendar
class CalendarIn(Body):
    """Days and hours of the operator."""

    time_zone: str = Field(max_length=64, description="A name of the IANA database.")
    off_peak_from: Hour = Field(description="By that zone's clock.")
    off_peak_to: Hour = Field(description="Before `off_peak_from`: over midnight.")
    weekend: list[int] = Field(max_length=6, description="Days off in a week; Monday is 1, Sunday 7.")
    holidays: list[Day] = Field(max_length=400)
    notice_days: int = Field(2, ge=2, le=20, description="Business days before a planned outage (S34).")


class CalendarOut(Out):
    """Days and hours of the operator."""

    time_zone: str
    off_peak_from: str
    off_peak_to: str
    weekend: list[int]
    holidays: list[str]
    notice_days: int


class MinutesQuery(Query):
    """How long an outage is to last."""

    minutes: int = Field(60, ge=1, le=10_080)


class EarliestOut(Out):
    """When it could begin; null where no night is long enough."""

    earliest: str | None


def _calendar(c: Calendar) -> CalendarOut:
    return CalendarOut(
        time_zone=c.zone,
        off_peak_from=c.off_peak_from.isoformat("minutes"),
        off_peak_to=c.off_peak_to.isoformat("minutes"),
        weekend=sorted(c.weekend),
        holidays=sorted(day.isoformat() for day in c.holidays),
        notice_days=c.notice_days,
    )


@section.route(
    "GET",
    "/calendar",
    roles=("operator",),
    scope="calendar:read",
    answers={200: CalendarOut},
    example=Example(),
)
def get_calendar(call: Call) -> CalendarOut:
    """Business days and off-peak hours, which planned outages keep to."""
    return _calendar(call.platform.notices.calendar())


@section.route(
    "PUT",
    "/calendar",
    roles=("operator",),
    scope="calendar:write",
    body=CalendarIn,
    answers={200: CalendarOut},
    errors=("precondition_failed",),
    example=Example(
        body={
            "time_zone": "Europe/Berlin",
            "off_peak_from": "22:00",
            "off_peak_to": "05:00",
            "weekend": [6, 7],
            "holidays": ["2026-12-25", "2027-01-01"],
        }
    ),
)
def put_calendar(call: Call) -> CalendarOut:
    """Set the calendar. Outages that were announced before stay as they are."""
    given: CalendarIn = call.body
    call.check(_calendar(call.platform.notices.calendar()))
    wanted = Calendar(
        zone=given.time_zone,
        off_peak_from=time.fromisoformat(given.off_peak_from),
        off_peak_to=time.fromisoformat(given.off_peak_to),
        weekend=frozenset(given.weekend),
        holidays=frozenset(given.holidays),
        notice_days=given.notice_days,
    )
    notices.set_calendar(call.platform, call.caller, wanted)
    return _calendar(wanted)


@section.route(
    "GET",
    "/calendar/earliest",
    roles=("operator",),
    scope="calendar:read",
    query=MinutesQuery,
    answers={200: EarliestOut},
    example=Example(query={"minutes": "120"}),
)
def earliest_outage(call: Call) -> EarliestOut:
    """When an outage of so many minutes could begin, were it announced now."""
    duration = timedelta(minutes=call.query.minutes)
    found = calendars.earliest_outage(clock.now(), duration, call.platform.notices.calendar())
    return EarliestOut(earliest=answers.moment(found))


# ------------------------------------------------------------------------------------------- maintenance
class OutageIn(Body):
    """A planned outage."""

    starts_at: Moment
    ends_at: Moment
    components: list[Component] = Field(min_length=1, max_length=8)
    text: str = Field(description="What will be done and what users notice: at most 4,000 characters.")
    emergency: str | None = Field(
        None, min_length=1, description="Why it must be at another time than the rule allows. It is audited."
    )


class MaintenanceIn(Body):
    """Maintenance that nobody planned, from now on."""

    ends_at: Moment
    components: list[Component] = Field(min_length=1, max_length=8)
    text: str


class OutagePatch(Body):
    """The one thing that can become of an outage."""

    state: Literal["cancelled"]


class OutageOut(Out):
    """Maintenance. `notice_days`: whole business days between telling and beginning."""

    id: str
    kind: OutageKind
    state: Phase
    starts_at: str
    ends_at: str
    components: list[Component]
    text: str
    emergency: str | None
    announced_at: str
    cancelled_at: str | None
    notice_days: int


class OutagesOut(Out):
    """A page of maintenance, newest first."""

    outages: list[OutageOut]
    cursor: str | None


def _outages(call: Call, found: Sequence[Outage]) -> list[OutageOut]:
    calendar = call.platform.notices.calendar()
    return [_outage(o, calendar) for o in found]


def _outage(o: Outage, calendar: Calendar) -> OutageOut:
    return OutageOut(
        id=o.id,
        kind=o.kind,
        state=o.phase(clock.now()),
        starts_at=answers.moment(o.starts_at) or "",
        ends_at=answers.moment(o.ends_at) or "",
        components=list(o.components),
        text=o.text,
        emergency=o.forced or None,
        announced_at=answers.moment(o.announced_at) or "",
        cancelled_at=answers.moment(o.cancelled_at),
        notice_days=calendars.business_days_between(o.announced_at, o.starts_at, calendar),
    )


@section.route(
    "POST",
    "/outages",
    roles=("operator",),
    scope="incidents:write",
    body=OutageIn,
    answers={201: OutageOut},
    example=Example(
        body={
            "starts_at": "2026-03-05T22:00:00Z",
            "ends_at": "2026-03-05T23:00:00Z",
            "components": ["webmail", "imap"],
            "text": "We replace storage. Webmail and IMAP are away for some minutes.",
            "emergency": "The storage fails more often each day.",
        }
    ),
)
def plan_outage(call: Call) -> OutageOut:
    """Announce a planned outage: mailed to every reseller, shown on the status page (S34).

    It is refused with 422 where it is not off-peak from beginning to end, or sooner than the calendar's
    business days from now; `earliest` in the answer says when it could begin. An emergency is not refused.
    """
    given: OutageIn = call.body
    plan = Plan(
        given.starts_at, given.ends_at, tuple(given.components), given.text, forced=given.emergency or ""
    )
    [shown] = _outages(call, [notices.plan_outage(call.platform, call.caller, plan)])
    return shown


@section.route(
    "POST",
    "/maintenance",
    roles=("operator",),
    scope="incidents:write",
    body=MaintenanceIn,
    answers={201: OutageOut},
    example=Example(
        body={
            "ends_at": "2026-03-02T10:00:00Z",
            "components": ["webmail"],
            "text": "A part had to be replaced at once.",
        }
    ),
)
def begin_maintenance(call: Call) -> OutageOut:
    """Tell of maintenance that nobody planned and that begins now: mailed to every reseller (S35)."""
    given: MaintenanceIn = call.body
    plan = Plan(clock.now().replace(microsecond=0), given.ends_at, tuple(given.components), given.text)
    [shown] = _outages(call, [notices.begin_maintenance(call.platform, call.caller, plan)])
    return shown


@section.route(
    "GET",
    "/outages",
    roles=("operator",),
    scope="incidents:read",
    query=PageQuery,
    answers={200: OutagesOut},
    example=Example(),
)
def list_outages(call: Call) -> OutagesOut:
    """Maintenance, planned or not, newest first."""
    found, following = call.platform.notices.outages_page(*call.page())
    return OutagesOut(outages=_outages(call, found), cursor=answers.cursor(following))


@section.route(
    "PATCH",
    "/outages/{outage}",
    roles=("operator",),
    scope="incidents:write",
    body=OutagePatch,
    answers={200: OutageOut},
    errors=("conflict", "precondition_failed"),
    example=Example({"outage": "out17956800000001a2b3c4d"}, {"state": "cancelled"}),
)
def cancel_outage(call: Call, outage: str) -> OutageOut:
    """Take an announcement back, or end maintenance early. Resellers are told by mail."""
    found = call.platform.notices.outage(outage)
    if found is None:
        raise ServiceError("not_found", "There is no such outage.")
    [present] = _outages(call, [found])
    call.check(present)
    [shown] = _outages(call, [notices.cancel_outage(call.platform, call.caller, found)])
    return shown
