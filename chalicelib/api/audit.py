"""What changed, who did it, from where and when (S40): for the reseller, the email admin and the operator."""

from typing import Any

from chalice.app import Blueprint

from chalicelib.api import answers
from chalicelib.api.rest import Call, Out, PageQuery, Section
from chalicelib.rules.journal import Event

routes = Blueprint(__name__)
section = Section("Audit and events", routes)


class EventOut(Out):
    """One change. `before` and `after` hold the fields that changed."""

    id: str
    at: str
    type: str
    subject: str
    domain: str
    actor: str
    source: str
    before: dict[str, Any]
    after: dict[str, Any]


class EventsOut(Out):
    """A page of changes, newest first."""

    events: list[EventOut]
    cursor: str | None


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
    limit, after = call.page()
    found, following = call.platform.journal.page(
        call.domain.reseller, limit, domain=call.domain.name, after=after, newest_first=True
    )
    return EventsOut(events=[event(e) for e in found], cursor=answers.cursor(following))
