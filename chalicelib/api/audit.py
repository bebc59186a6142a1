"""What changed, who did it, from where and when (S40): for the reseller, the email admin and the operator."""

from typing import Any

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.rest import Call, Example, Out, PageQuery, Query, Section
from chalicelib.rules.journal import Event, as_told
from chalicelib.services import access, events

routes = Blueprint(__name__)
section = Section("Audit and events", routes)


class EventOut(Out):
    """One change. `before` and `after` hold the fields that changed; secrets are named, not shown."""

    id: str = Field(description="Sorts by time.")
    at: str
    type: str = Field(description="What was changed and how: mailbox.created, domain.reversed …")
    subject: str = Field(description="What it was: an address, a domain, an id.")
    domain: str = Field(description="Empty where it is not about one domain.")
    actor: str = Field(description="Who: a role, and which key or address.")
    source: str = Field(description="The network address the change came from.")
    before: dict[str, Any]
    after: dict[str, Any]


class EventsOut(Out):
    """A page of changes, newest first."""

    events: list[EventOut]
    cursor: str | None


class FollowedOut(Out):
    """Changes in their order, oldest first."""

    events: list[EventOut]
    cursor: str = Field(
        description="The `after` of the next call: there always is one, unless nothing was yet."
    )
    more: bool = Field(description="false: that is all until now.")


class FollowQuery(Query):
    """Where to go on, and what to look for."""

    after: str = Field("", description="The `cursor` of the answer before; empty: from the oldest on.")
    limit: int = Field(answers.PAGE, ge=1, le=answers.LARGEST_PAGE)
    types: str = Field("", description='"mailbox.created,domain.*"; empty: all.', max_length=1_000)


class AuditQuery(PageQuery):
    """Whose changes."""

    reseller: str = Field("", description="A reseller's id; empty: what is the operator's own affair.")


def event(e: Event) -> EventOut:
    """An event as the API shows it."""
    return EventOut(
        id=e.id,
        at=answers.moment(e.at) or "",
        type=e.type,
        subject=e.subject,
        domain=e.domain,
        actor=e.actor,
        source=e.source,
        before=dict(e.before),
        after=dict(e.after),
    )


def _page(call: Call, reseller: str, domain: str = "") -> EventsOut:
    limit, after = call.page()
    found, following = call.platform.journal.page(
        reseller, limit, domain=domain, after=after, newest_first=True
    )
    if call.caller.role != "operator":
        found = [as_told(e) for e in found]
    return EventsOut(events=[event(e) for e in found], cursor=answers.cursor(following))


@section.route(
    "GET",
    "/audit",
    roles=("reseller", "admin", "operator"),
    within="domain",
    scope="events:read",
    query=PageQuery,
    answers={200: EventsOut},
)
def domain_audit(call: Call) -> EventsOut:
    """What changed in a domain, newest first."""
    return _page(call, call.domain.reseller, call.domain.name)


@section.route(
    "GET",
    "/audit",
    roles=("reseller",),
    scope="events:read",
    query=PageQuery,
    answers={200: EventsOut},
)
def reseller_audit(call: Call) -> EventsOut:
    """What changed, in all domains and beside them, newest first. Kept for two years."""
    access.require(call.caller, "events:read")
    return _page(call, call.caller.reseller)


@section.route(
    "GET",
    "/audit",
    roles=("operator",),
    scope="resellers:read",
    query=AuditQuery,
    answers={200: EventsOut},
    example=Example(query={"reseller": "house"}),
)
def operator_audit(call: Call) -> EventsOut:
    """What changed for a reseller, newest first."""
    access.require(call.caller, "resellers:read")
    return _page(call, call.query.reseller)


@section.route(
    "GET",
    "/events",
    roles=("reseller",),
    scope="events:read",
    query=FollowQuery,
    answers={200: FollowedOut},
    example=Example(query={"types": "mailbox.*,domain.*"}),
)
def follow_events(call: Call) -> FollowedOut:
    """Follow what changes, oldest first, by the id of the last event seen. Can be read again at any time.

    An event is given out when it is three seconds old: the order of what was once seen never changes. With
    `types` a page may be short, or empty, while there is more: go on with its cursor.
    """
    access.require(call.caller, "events:read")
    query = call.query
    types = [name.strip() for name in query.types.split(",") if name.strip()]
    found = events.following(call.platform, call.caller.reseller, query.after, query.limit, types)
    return FollowedOut(events=[event(e) for e in found.events], cursor=found.cursor, more=found.more)
