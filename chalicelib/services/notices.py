"""The operator's calendar, planned and unplanned maintenance (S34, S35), announcements (S37), and what a
reseller was told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws import clock
from chalicelib.rules import calendar as calendars
from chalicelib.rules import incidents as rules
from chalicelib.rules.addresses import AddressError, parse_domain
from chalicelib.rules.calendar import Calendar
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.incidents import COMPONENTS, Component, Outage
from chalicelib.rules.values import Caller
from chalicelib.services import audit, jobs, notify, status
from chalicelib.services.platform import Platform
from chalicelib.store.jobs import Job, job_put
from chalicelib.store.notices import (
    Announcement,
    Notice,
    Overtaken,
    announcement_put,
    calendar_put,
    changed,
    outage_put,
)

FARTHEST = timedelta(days=366)  # an outage is announced at most so long before
LONGEST = timedelta(days=7)
TOLD_STATES = ("live", "mx_lost")  # S37: domains whose admins can read what is told
OWN_A_DAY = 20  # announcements of a reseller to its own domains


# ------------------------------------------------------------------------------------------- calendar
def set_calendar(p: Platform, caller: Caller, calendar: Calendar) -> None:
    """Keep the operator's calendar. Raises ServiceError invalid."""
    calendars.check_calendar(calendar)
    before = p.notices.calendar()
    note = audit.note(
        caller, "calendar.changed", "calendar", reseller="", before=_days(before), after=_days(calendar)
    )
    p.notices.write([calendar_put(calendar), note])


def _days(c: Calendar) -> dict[str, Any]:
    return {
        "time_zone": c.zone,
        "off_peak": f"{c.off_peak_from:%H:%M} to {c.off_peak_to:%H:%M}",
        "weekend": sorted(c.weekend),
        "holidays": sorted(day.isoformat() for day in c.holidays),
        "notice_days": c.notice_days,
    }


# ------------------------------------------------------------------------------------------- outages
@dataclass(frozen=True, slots=True)
class Plan:
    """An outage to be announced. `forced`: why it must break the rule (S34); "" for one that keeps it."""

    starts_at: datetime
    ends_at: datetime
    components: tuple[Component, ...]
    text: str
    forced: str = ""


def plan_outage(p: Platform, caller: Caller, plan: Plan) -> Outage:
    """S34: announce an outage to every reseller and on the page.

    Raises ServiceError invalid; `extra["earliest"]` says when it could begin.
    """
    now = clock.now()
    rules.check_texts(text=plan.text, **({"emergency": plan.forced} if plan.forced else {}))
    _check_times(now, plan)
    if not plan.forced:
        calendars.check_outage(now, plan.starts_at, plan.ends_at, p.notices.calendar())
    return _announce(p, caller, "planned", plan, now)


def begin_maintenance(p: Platform, caller: Caller, plan: Plan) -> Outage:
    """S35: maintenance that nobody planned, from now on; every reseller is told. Raises invalid."""
    rules.check_texts(text=plan.text)
    now = clock.now()
    if not now < plan.ends_at <= now + LONGEST:
        fault = Fault("/ends_at", f"It ends in the future, within {LONGEST.days} days.")
        raise ServiceError("invalid", "Maintenance cannot last like this.", (fault,))
    return _announce(p, caller, "unplanned", plan, now)


def _check_times(now: datetime, plan: Plan) -> None:
    faults = []
    if not now <= plan.starts_at <= now + FARTHEST:
        faults.append(Fault("/starts_at", f"It begins in the future, within {FARTHEST.days} days."))
    if not plan.starts_at < plan.ends_at <= plan.starts_at + LONGEST:
        faults.append(Fault("/ends_at", f"It ends after it begins, within {LONGEST.days} days."))
    if faults:
        raise ServiceError("invalid", "An outage cannot be then.", tuple(faults))


def _announce(p: Platform, caller: Caller, kind: rules.OutageKind, plan: Plan, now: datetime) -> Outage:
    id = status.new_id("out")
    components = tuple(dict.fromkeys(plan.components))
    outage = Outage(
        id, kind, plan.starts_at, plan.ends_at, components, plan.text, announced_at=now, forced=plan.forced
    )
    _tell(p, caller, outage, None)
    return outage


def cancel_outage(p: Platform, caller: Caller, outage: Outage) -> Outage:
    """Take an announcement back, or end maintenance early; resellers are told. Raises conflict."""
    after = rules.cancelled(outage, clock.now())
    _tell(p, caller, after, outage)
    return after


def _tell(p: Platform, caller: Caller, outage: Outage, was: Outage | None) -> None:
    """One transaction for outage, page, audit and the job that tells; then what follows from it."""
    now, what = clock.now(), "cancelled" if was else "announced"
    type = f"{'outage' if outage.kind == 'planned' else 'maintenance'}.{what}"
    job = Job(f"{outage.id}-{what}", "outage", now, {"outage": outage.id, "cancelled": bool(was)})
    note = audit.note(
        caller, type, outage.id, reseller="", before=_outage(was) if was else {}, after=_outage(outage)
    )
    try:
        p.notices.write([outage_put(outage, was=was), changed(now), note, job_put(job)])
    except Overtaken:
        raise ServiceError("conflict", "This outage is over, or was cancelled already.") from None
    jobs.queue(p, job.id)
    status.refresh(p)


def _outage(o: Outage) -> dict[str, Any]:
    return {
        "starts_at": o.starts_at.isoformat(),
        "ends_at": o.ends_at.isoformat(),
        "text": o.text,
        "emergency": o.forced,
        "cancelled": o.cancelled_at is not None,
    }


def _resellers(p: Platform, _job: Job, cursor: str) -> tuple[Sequence[str], str]:
    return p.notices.resellers(jobs.STEP, cursor)


def _tell_reseller(p: Platform, job: Job, reseller: str) -> bool:
    outage = p.notices.outage(str(job.given["outage"]))
    if outage is None:
        return False
    subject, text = outage_letter(outage, cancelled=bool(job.given["cancelled"]))
    notify.reseller(p, reseller, f"{job.id}-{reseller}", subject, text)
    return True


def outage_letter(outage: Outage, *, cancelled: bool) -> tuple[str, str]:
    """Subject and text of the mail that tells resellers of an outage."""
    when = f"{outage.starts_at:%Y-%m-%d %H:%M} to {outage.ends_at:%Y-%m-%d %H:%M} UTC"
    parts = ", ".join(COMPONENTS[c] for c in outage.components)
    name = "Planned maintenance" if outage.kind == "planned" else "Unplanned maintenance"
    if cancelled:
        return f"{name} cancelled or ended: {when}", f"{name} ({when}) is cancelled, or has ended early."
    if outage.forced:
        name = "Emergency maintenance"
    lines = [outage.text, "", f"When: {when}", f"Concerns: {parts}"]
    if outage.forced:
        lines += ["", f"Why at such short notice, or at this hour: {outage.forced}"]
    return f"{name}: {when}", "\n".join(lines)


# ------------------------------------------------------------------------------------------- announcements
@dataclass(frozen=True, slots=True)
class Telling:
    """An announcement, and the job that tells it while it is kept."""

    announcement: Announcement
    job: Job | None


def announce(
    p: Platform,
    caller: Caller,
    subject: str,
    text: str,
    resellers: Sequence[str] = (),
    domains: Sequence[str] = (),
) -> Telling:
    """S37: tell the email admins of every domain, of those of some resellers, or of some domains.

    A reseller tells its own domains alone. Raises ServiceError: invalid, throttled.
    """
    rules.check_texts(subject=subject, text=text)
    own = caller.reseller if caller.role == "reseller" else ""
    if own:
        _throttle(p, own)
        resellers = [own]
    now = clock.now()
    made = Announcement(
        status.new_id("ann"),
        own,
        now,
        subject,
        text,
        resellers=_known_resellers(p, resellers),
        domains=_known_domains(p, own, domains),
    )
    job = Job(made.id, "announcement", now, _announcement(made))
    note = audit.note(
        caller, "announcement.made", made.id, reseller=own, after={"subject": subject, "text": text}
    )
    p.notices.write([announcement_put(made), job_put(job), note])
    jobs.queue(p, job.id)
    return Telling(made, job)


def announcements(p: Platform, caller: Caller, limit: int, after: str) -> tuple[list[Telling], str]:
    """The caller's own, newest first, and the id to go on after ("": no more)."""
    own = caller.reseller if caller.role == "reseller" else ""
    found, following = p.notices.announcements(own, limit, after)
    under_way = p.jobs.many([made.id for made in found])
    return [Telling(made, under_way.get(made.id)) for made in found], following


def told(p: Platform, caller: Caller, limit: int, after: str) -> tuple[list[Notice], str]:
    """What a reseller was told, newest first, and the place to go on after ("": no more).

    Raises ServiceError bad_request for a place that is none.
    """
    if after and not after.partition("#")[2]:
        raise ServiceError("bad_request", "cursor is not one that was given out here.")
    return p.notices.told(caller.reseller, limit, after)


def _announcement(made: Announcement) -> dict[str, Any]:
    return {
        "subject": made.subject,
        "text": made.text,
        "resellers": list(made.resellers),
        "domains": list(made.domains),
    }


def _throttle(p: Platform, reseller: str) -> None:
    day = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    ends_at = day + timedelta(days=1)
    if p.sessions.count(f"announce#{reseller}", day.toordinal(), ends_at) > OWN_A_DAY:
        wait = max(1, round((ends_at - clock.now()).total_seconds()))
        raise ServiceError(
            "throttled",
            f"At most {OWN_A_DAY} announcements are made a day.",
            extra={"limit": OWN_A_DAY, "remaining": 0, "retry_after": wait},
        )


def _known_resellers(p: Platform, ids: Sequence[str]) -> tuple[str, ...]:
    unknown = [n for n, id in enumerate(ids) if p.directory.reseller(id) is None]
    if unknown:
        faults = tuple(Fault(f"/resellers/{n}", "There is no such reseller.") for n in unknown)
        raise ServiceError("invalid", "Somebody who is to be told is not known.", faults)
    return tuple(dict.fromkeys(ids))


def _known_domains(p: Platform, own: str, names: Sequence[str]) -> tuple[str, ...]:
    """Names as they are kept; for a reseller, of its own domains."""
    known: dict[str, None] = {}
    faults = []
    for number, text in enumerate(names):
        found = _domain(p, text)
        if found is None or (own and found.reseller != own):
            faults.append(Fault(f"/domains/{number}", "There is no such domain."))
        else:
            known[found.name] = None
    if faults:
        raise ServiceError("invalid", "A domain that is to be told is not known.", tuple(faults))
    return tuple(known)


def _domain(p: Platform, text: str) -> HostedDomain | None:
    try:
        return p.directory.domain(parse_domain(text))
    except AddressError:
        return None


def _domains(p: Platform, job: Job, cursor: str) -> tuple[Sequence[str], str]:
    """Domains in order of reseller and name; the cursor is "reseller name" or, of those named, a number."""
    if job.given["domains"]:
        at = int(cursor or 0)
        names = job.given["domains"][at : at + jobs.STEP]
        more = at + jobs.STEP < len(job.given["domains"])
        return names, str(at + jobs.STEP) if more else ""
    reseller, _, after = cursor.partition(" ")
    found: list[str] = []
    while len(found) < jobs.STEP:
        reseller = reseller or _next_reseller(p, job, "")
        if not reseller:
            return found, ""
        domains, after = p.directory.domains_of(reseller, jobs.STEP - len(found), after)
        found += [d.name for d in domains if d.state in TOLD_STATES]
        if not after:
            reseller = _next_reseller(p, job, reseller)
            if not reseller:
                return found, ""
    return found, f"{reseller} {after}".rstrip()


def _next_reseller(p: Platform, job: Job, after: str) -> str:
    """Who comes after a reseller, among all or those chosen; "" for nobody."""
    if chosen := sorted(job.given["resellers"]):
        return next((id for id in chosen if id > after), "")
    following, _ = p.notices.resellers(1, after)
    return following[0] if following else ""


def _tell_admins(p: Platform, job: Job, name: str) -> bool:
    hosted = p.directory.domain(name)
    if hosted is None or hosted.state not in TOLD_STATES:
        return False
    return notify.admins(p, name, f"{job.id}-{name}", str(job.given["subject"]), str(job.given["text"]))


WORKS = {
    "outage": jobs.Work(_resellers, _tell_reseller),
    "announcement": jobs.Work(_domains, _tell_admins),
}
