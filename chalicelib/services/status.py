"""The status page (S36) and the incidents on it (S35).

The page is files in the bucket of the pages, written at each change: it is there when nothing else is.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.aws import clock
from chalicelib.aws.queue import LONGEST_DELAY
from chalicelib.rules import incidents as rules
from chalicelib.rules import statuspage
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.incidents import Component, Incident, IncidentKind, Outage, Overview, Progress
from chalicelib.rules.values import Caller
from chalicelib.services import audit, jobs
from chalicelib.services.platform import Platform
from chalicelib.store.jobs import Job, job_put
from chalicelib.store.notices import Overtaken, changed, incident_put

#: A browser asks again after half a minute; the edge goes on with what it has where the bucket is away.
CACHE = "public, max-age=30, stale-if-error=604800"
SOON_SECONDS = 3_600  # what begins or ends within this time is looked at again when it does


@dataclass(frozen=True, slots=True)
class Opening:
    """A new incident, as the operator tells it."""

    title: str
    kind: IncidentKind
    components: tuple[Component, ...]
    text: str
    state: Progress = "investigating"


def new_id(prefix: str) -> str:
    """An id that sorts by time."""
    return f"{prefix}{int(clock.now().timestamp() * 1000):013d}{secrets.token_hex(4)}"


# ------------------------------------------------------------------------------------------- the page
def refresh(p: Platform) -> None:
    """Have the page put out soon, by a function that is tried again where the bucket is away."""
    p.queues.send(p.settings.jobs_queue, {"kind": "page"})


def publish(p: Platform) -> None:
    """Put the page out as it is now; nothing where it is out already.

    Two at once end with the later one's: who put it out looks again whether there was a change meanwhile.
    """
    while True:
        changes, at, shown = p.notices.status()
        now = clock.now()
        if at is None:  # the very first time
            p.notices.write([changed(now)])
            continue
        outages = p.notices.outages()
        found = rules.overview(p.notices.incidents(), outages, now, at)
        files = _files(p, found)
        digest = sha256("\0".join(text for _, _, text in files).encode()).hexdigest()
        if digest != shown:
            for name, type, text in files:
                p.pages.put(f"status/{name}", text.encode(), type=type, cache=CACHE)
            p.notices.shown(digest)
        if p.notices.status()[0] == changes:
            break
    _come_back(p, outages)


def _files(p: Platform, found: Overview) -> list[tuple[str, str, str]]:
    """Name, type and text of each file; the page last, when what it needs is there."""
    return [
        ("status.css", "text/css; charset=utf-8", statuspage.STYLE),
        ("status.json", "application/json", statuspage.as_json(found)),
        ("feed.atom", "application/atom+xml; charset=utf-8", statuspage.feed(found, p.settings.status_url)),
        ("index.html", "text/html; charset=utf-8", statuspage.page(found)),
    ]


def _come_back(p: Platform, outages: Sequence[Outage]) -> None:
    """Have the page put out anew when maintenance begins or ends soon. Later ones: the hourly look."""
    now = clock.now()
    times = [at for o in outages if not o.cancelled_at for at in (o.starts_at, o.ends_at)]
    ahead = [s for at in times if 0 < (s := (at - now).total_seconds()) <= SOON_SECONDS]
    if ahead:
        p.queues.send(p.settings.jobs_queue, {"kind": "page"}, delay=min(LONGEST_DELAY, int(min(ahead)) + 1))


# ------------------------------------------------------------------------------------------- incidents
def open_incident(p: Platform, caller: Caller, opening: Opening) -> Incident:
    """Tell of an outage or a degradation: on the page, and by mail to who subscribed. Raises invalid."""
    rules.check_texts(title=opening.title, text=opening.text)
    update = rules.Update(clock.now(), opening.state, opening.text)
    incident = Incident(
        new_id("inc"), opening.title, opening.kind, tuple(dict.fromkeys(opening.components)), (update,)
    )
    _tell(p, caller, incident, None, alert=True)
    return incident


def add_update(
    p: Platform, caller: Caller, incident: Incident, state: Progress, text: str, alert: bool
) -> Incident:
    """Tell more of an incident; "resolved" is always told by mail as well (S35).

    Raises ServiceError: invalid, conflict (it is resolved, or was changed meanwhile).
    """
    rules.check_texts(text=text)
    after = rules.told(incident, state, text, clock.now())
    _tell(p, caller, after, incident, alert=alert or state == "resolved")
    return after


def _tell(p: Platform, caller: Caller, incident: Incident, was: Incident | None, *, alert: bool) -> None:
    """One transaction for incident, page, audit and the job of the alert; then what follows from it."""
    now, number = clock.now(), len(incident.updates)
    job = Job(f"alert-{incident.id}-{number}", "alert", now, {"incident": incident.id, "number": number})
    what = "incident.updated" if was else "incident.opened"
    type = "incident.resolved" if incident.state == "resolved" else what
    note = audit.note(
        caller, type, incident.id, reseller="", before=_shown(was) if was else {}, after=_shown(incident)
    )
    try:
        p.notices.write(
            [incident_put(incident, was=was), changed(now), note, *([job_put(job)] if alert else [])]
        )
    except Overtaken:
        raise ServiceError("conflict", "The incident was changed meanwhile. Read it again first.") from None
    if alert:
        jobs.queue(p, job.id)
    refresh(p)


def _shown(incident: Incident) -> dict[str, str]:
    return {"title": incident.title, "state": incident.state, "text": incident.updates[-1].text}
