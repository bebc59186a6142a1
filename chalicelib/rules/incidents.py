"""What the status page tells (S35, S36): incidents, outages, and the state of each part of the service."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.rules.errors import Fault, ServiceError

Component = Literal["webmail", "admin", "imap", "pop3", "submission", "incoming", "outgoing", "api"]
IncidentKind = Literal["outage", "degradation"]
Progress = Literal["investigating", "identified", "monitoring", "resolved"]
OutageKind = Literal["planned", "unplanned"]
Phase = Literal["announced", "under_way", "over", "cancelled"]
State = Literal["operational", "maintenance", "degraded", "outage"]

#: Names that say what a part is for, and nobody's.
COMPONENTS: dict[Component, str] = {
    "webmail": "Webmail",
    "admin": "Administration pages",
    "imap": "Mail clients: IMAP",
    "pop3": "Mail clients: POP3",
    "submission": "Mail clients: sending (SMTP)",
    "incoming": "Incoming mail",
    "outgoing": "Outgoing mail",
    "api": "API",
}
WORST: tuple[State, ...] = ("operational", "maintenance", "degraded", "outage")
MOST_UPDATES = 50  # of one incident: it is one item
PAST = timedelta(days=90)  # how long the page shows what is over
LONGEST_TITLE, LONGEST_TEXT = 200, 4_000  # characters
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Update:
    """What was told of an incident at one time."""

    at: datetime
    state: Progress
    text: str


@dataclass(frozen=True, slots=True)
class Incident:
    """An outage or a degradation nobody planned. `updates`: oldest first, the first opened it."""

    id: str
    title: str
    kind: IncidentKind
    components: tuple[Component, ...]
    updates: tuple[Update, ...]

    @property
    def state(self) -> Progress:
        """As last told."""
        return self.updates[-1].state

    @property
    def opened_at(self) -> datetime:
        """When it was first told of."""
        return self.updates[0].at

    @property
    def resolved_at(self) -> datetime | None:
        """When service was normal again."""
        return self.updates[-1].at if self.state == "resolved" else None


@dataclass(frozen=True, slots=True)
class Outage:
    """Maintenance: planned (S34), or begun without notice (S35). `forced`: why it breaks S34's rule."""

    id: str
    kind: OutageKind
    starts_at: datetime
    ends_at: datetime
    components: tuple[Component, ...]
    text: str
    announced_at: datetime
    forced: str = ""
    cancelled_at: datetime | None = None

    def phase(self, now: datetime) -> Phase:
        """Where it stands."""
        if self.cancelled_at:
            return "cancelled"
        if now < self.starts_at:
            return "announced"
        return "under_way" if now < self.ends_at else "over"


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the status page. Newest first, but `ahead`: what comes first."""

    changed_at: datetime
    components: tuple[tuple[Component, State], ...]
    current: tuple[Incident, ...]
    past: tuple[Incident, ...]
    ahead: tuple[Outage, ...]  # announced or under way
    behind: tuple[Outage, ...]

    @property
    def state(self) -> State:
        """The worst of all parts."""
        return max((state for _, state in self.components), key=WORST.index)


def told(incident: Incident, state: Progress, text: str, now: datetime) -> Incident:
    """An incident with one more update. Raises ServiceError conflict: it is over, or has too many."""
    if incident.state == "resolved":
        raise ServiceError("conflict", "This incident is resolved. Open another where it comes back.")
    if len(incident.updates) >= MOST_UPDATES and state != "resolved":
        raise ServiceError("conflict", f"An incident has at most {MOST_UPDATES} updates. Resolve this one.")
    return replace(incident, updates=(*incident.updates, Update(now, state, text)))


def cancelled(outage: Outage, now: datetime) -> Outage:
    """An outage that will not be, or ends now. Raises ServiceError conflict."""
    if outage.phase(now) in ("over", "cancelled"):
        raise ServiceError("conflict", "This outage is over, or was cancelled already.")
    return replace(outage, cancelled_at=now)


def component_states(
    incidents: Iterable[Incident], outages: Iterable[Outage], now: datetime
) -> tuple[tuple[Component, State], ...]:
    """The state of each part: the worst that is true of it."""
    states: dict[Component, State] = dict.fromkeys(COMPONENTS, "operational")
    found: list[tuple[Component, State]] = []
    for outage in outages:
        if outage.phase(now) == "under_way":
            found += [(c, "maintenance") for c in outage.components]
    for incident in incidents:
        if incident.state != "resolved":
            said: State = "outage" if incident.kind == "outage" else "degraded"
            found += [(c, said) for c in incident.components]
    for component, state in found:
        states[component] = max(states[component], state, key=WORST.index)
    return tuple(states.items())


def overview(
    incidents: Sequence[Incident], outages: Sequence[Outage], now: datetime, changed_at: datetime
) -> Overview:
    """What the page shows now: all that is open or ahead, and what was over for at most 90 days."""
    recent = [i for i in incidents if i.resolved_at is None or now - i.resolved_at <= PAST]
    recent.sort(key=lambda i: i.opened_at, reverse=True)
    ahead = [o for o in outages if o.phase(now) in ("announced", "under_way")]
    behind = [o for o in outages if o.phase(now) in ("over", "cancelled") and now - o.ends_at <= PAST]
    return Overview(
        changed_at=changed_at,
        components=component_states(incidents, outages, now),
        current=tuple(i for i in recent if i.resolved_at is None),
        past=tuple(i for i in recent if i.resolved_at),
        ahead=tuple(sorted(ahead, key=lambda o: o.starts_at)),
        behind=tuple(sorted(behind, key=lambda o: o.starts_at, reverse=True)),
    )


# ------------------------------------------------------------------------------------------------- texts
def check_texts(**texts: str) -> None:
    """Texts that people are told: not empty, not endless, nothing but characters that can be shown.

    A title or subject is one line. Raises ServiceError invalid with a fault per field.
    """
    faults = [Fault(f"/{name}", fault) for name, text in texts.items() if (fault := _fault(name, text))]
    if faults:
        raise ServiceError("invalid", "The text cannot be told like this.", tuple(faults))


def _fault(name: str, text: str) -> str:
    one_line = name in ("title", "subject")
    longest = LONGEST_TITLE if one_line else LONGEST_TEXT
    if not text.strip():
        return "Say something."
    if len(text) > longest:
        return f"At most {longest} characters."
    if _CONTROL.search(text) or (one_line and re.search(r"[\t\n]", text)):
        return "There are control characters in it." if not one_line else "It is one line, without controls."
    return ""
