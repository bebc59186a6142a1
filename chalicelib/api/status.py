"""Incidents (S35) for the operator; being told of them by mail, for anybody.

Links in mails lead to small pages of ours: a GET shows a button and changes nothing, since scanners follow
links; the button's POST does. A mail client's one-click POST (RFC 8058) is the same POST.
"""

from html import escape
from typing import Literal
from urllib.parse import parse_qs, quote

from chalice.app import Blueprint, Response
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body, octets
from chalicelib.api.rest import Call, Example, Out, PageQuery, Query, Section
from chalicelib.rules import statuspage
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.incidents import Component, Incident, IncidentKind, Progress
from chalicelib.services import status, subscribers

routes = Blueprint(__name__)
section = Section("Status", routes)

Open = Literal["investigating", "identified", "monitoring"]
FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 4_000  # bytes
PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
ASKED = "If this address is not subscribed yet, a link to confirm it is on its way. It is good for 24 hours."


# ------------------------------------------------------------------------------------------ incidents
class IncidentIn(Body):
    """An outage or a degradation, to be told of on the status page and to subscribers."""

    title: str = Field(description="One line of at most 200 characters.")
    kind: IncidentKind
    components: list[Component] = Field(min_length=1, max_length=8)
    text: str = Field(description="What users notice, and what is being done: at most 4,000 characters.")
    state: Open = "investigating"


class UpdateIn(Body):
    """News of an incident."""

    state: Open
    text: str
    alert: bool = Field(False, description="Whether subscribers are told by mail as well.")


class ResolveIn(Body):
    """Service is normal again."""

    text: str


class UpdateOut(Out):
    """What was told at one time."""

    at: str
    state: Progress
    text: str


class IncidentOut(Out):
    """An incident, with all that was told of it, oldest first."""

    id: str
    title: str
    kind: IncidentKind
    state: Progress
    components: list[Component]
    opened_at: str
    resolved_at: str | None
    updates: list[UpdateOut]


class IncidentsOut(Out):
    """A page of incidents, newest first."""

    incidents: list[IncidentOut]
    cursor: str | None


def shown(incident: Incident) -> IncidentOut:
    """An incident as the API shows it."""
    return IncidentOut.model_validate(statuspage.incident_document(incident))


def _incident(call: Call, id: str) -> Incident:
    found = call.platform.notices.incident(id)
    if found is None:
        raise ServiceError("not_found", "There is no such incident.")
    return found


EXAMPLE = {"incident": "inc17956800000001a2b3c4d"}


@section.route(
    "POST",
    "/incidents",
    roles=("operator",),
    scope="incidents:write",
    body=IncidentIn,
    answers={201: IncidentOut},
    example=Example(
        body={
            "title": "Webmail is slow",
            "kind": "degradation",
            "components": ["webmail"],
            "text": "Folders open slowly. We are looking for the cause.",
        }
    ),
)
def open_incident(call: Call) -> IncidentOut:
    """Open an incident: on the status page within seconds, and mailed to subscribers."""
    given: IncidentIn = call.body
    opening = status.Opening(given.title, given.kind, tuple(given.components), given.text, given.state)
    return shown(status.open_incident(call.platform, call.caller, opening))


@section.route(
    "GET",
    "/incidents",
    roles=("operator",),
    scope="incidents:read",
    query=PageQuery,
    answers={200: IncidentsOut},
    example=Example(),
)
def list_incidents(call: Call) -> IncidentsOut:
    """Incidents, newest first."""
    found, following = call.platform.notices.incidents_page(*call.page())
    return IncidentsOut(incidents=[shown(i) for i in found], cursor=answers.cursor(following))


@section.route(
    "GET",
    "/incidents/{incident}",
    roles=("operator",),
    scope="incidents:read",
    answers={200: IncidentOut},
    example=Example(EXAMPLE),
)
def get_incident(call: Call, incident: str) -> IncidentOut:
    """An incident."""
    return shown(_incident(call, incident))


@section.route(
    "POST",
    "/incidents/{incident}/updates",
    roles=("operator",),
    scope="incidents:write",
    body=UpdateIn,
    answers={201: IncidentOut},
    errors=("conflict", "precondition_failed"),
    example=Example(EXAMPLE, {"state": "identified", "text": "A disk is slow. We are replacing it."}),
)
def update_incident(call: Call, incident: str) -> IncidentOut:
    """Tell more of an incident."""
    found = _incident(call, incident)
    call.check(shown(found))
    given: UpdateIn = call.body
    return shown(
        status.add_update(call.platform, call.caller, found, given.state, given.text, alert=given.alert)
    )


@section.route(
    "POST",
    "/incidents/{incident}/resolve",
    roles=("operator",),
    scope="incidents:write",
    body=ResolveIn,
    answers={200: IncidentOut},
    errors=("conflict", "precondition_failed"),
    example=Example(EXAMPLE, {"text": "Webmail is as quick as ever."}),
)
def resolve_incident(call: Call, incident: str) -> IncidentOut:
    """Tell that service is normal again, on the page and to subscribers."""
    found = _incident(call, incident)
    call.check(shown(found))
    return shown(status.add_update(call.platform, call.caller, found, "resolved", call.body.text, alert=True))


# ------------------------------------------------------------------------------------------ subscribers
class SubscriptionIn(Body):
    """Who wants to be told of incidents."""

    email: str = Field(max_length=320)


class AskedOut(Out):
    """The same whoever asked."""

    detail: str


class TokenQuery(Query):
    """What a link in a mail carries."""

    token: str = Field(max_length=200)


@section.route(
    "POST",
    "/status/subscriptions",
    roles=("public",),
    body=SubscriptionIn,
    answers={202: AskedOut},
    errors=("throttled",),
    example=Example(body={"email": "someone@example.com"}),
)
def subscribe(call: Call) -> AskedOut:
    """Ask to be told of incidents by mail. The address gets a link that confirms it."""
    subscribers.ask(call.platform, call.body.email, call.caller.source)
    return AskedOut(detail=ASKED)


@section.route(
    "POST",
    "/status/subscribe",
    roles=("public",),
    raw=(FORM,),
    answers={202: "text/html"},
    errors=("bad_request", "invalid", "throttled"),
    example=Example(body="email=someone%40example.com"),
)
def subscribe_by_form(call: Call) -> Response:
    """The same for the status page's own form, with the field `email`."""
    subscribers.ask(call.platform, _field(call, "email"), call.caller.source)
    return _page("Look into your mailbox", f"<p>{ASKED}</p>\n", 202)


@section.route(
    "GET",
    "/status/confirm",
    roles=("public",),
    query=TokenQuery,
    answers={200: "text/html"},
    example=Example(query={"token": "a.b"}),
)
def show_confirmation(call: Call) -> Response:
    """The page that a confirming link leads to: a button, for links are followed by machines too."""
    hidden = f'<input type="hidden" name="token" value="{escape(call.query.token)}">'
    form = f'<form method="post" action="/v1/status/confirm">{hidden}<button>Confirm</button></form>\n'
    return _page("Confirm your subscription", f"<p>You will be told of service interruptions.</p>\n{form}")


@section.route(
    "POST",
    "/status/confirm",
    roles=("public",),
    raw=(FORM,),
    answers={200: "text/html", 410: "text/html"},
    errors=("bad_request",),
    example=Example(body="token=a.b"),
)
def confirm_subscription(call: Call) -> Response:
    """What the button does, with the field `token`."""
    if not subscribers.confirm(call.platform, _field(call, "token")):
        return _page(
            "This link is no longer good",
            "<p>It is good for 24 hours, and only the latest one. You can ask for another.</p>\n",
            410,
        )
    return _page("You are subscribed", "<p>Each mail that you get has a link to unsubscribe.</p>\n")


@section.route(
    "GET",
    "/status/unsubscribe",
    roles=("public",),
    query=TokenQuery,
    answers={200: "text/html"},
    example=Example(query={"token": "a.b"}),
)
def show_unsubscription(call: Call) -> Response:
    """The page that an unsubscribing link leads to."""
    action = f"/v1/status/unsubscribe?token={quote(call.query.token, safe='')}"
    form = f'<form method="post" action="{escape(action)}"><button>Unsubscribe</button></form>\n'
    return _page("Unsubscribe", f"<p>You will no longer be told of service interruptions.</p>\n{form}")


@section.route(
    "POST",
    "/status/unsubscribe",
    roles=("public",),
    query=TokenQuery,
    raw=(FORM, "multipart/form-data"),
    answers={200: "text/html"},
    example=Example(query={"token": "a.b"}, body="List-Unsubscribe=One-Click"),
)
def unsubscribe(call: Call) -> Response:
    """What the button does, and a mail client's one click (RFC 8058). The body is not looked at."""
    subscribers.leave(call.platform, call.query.token)
    return _page("You are unsubscribed", "<p>No more mails are sent to you.</p>\n")


def _field(call: Call, name: str) -> str:
    """A field of a form. Raises ServiceError bad_request."""
    raw = octets(call.request)
    try:
        if len(raw) > LONGEST_FORM:
            raise ValueError
        return parse_qs(raw.decode(), max_num_fields=10)[name][0]
    except (ValueError, LookupError):
        raise ServiceError("bad_request", f"This takes a form with the field {name}.") from None


def _page(title: str, body: str, code: int = 200) -> Response:
    inner = f'<h1>{escape(title)}</h1>\n{body}<p><a href="/">{statuspage.NAME}</a></p>\n'
    return Response(statuspage.document(title, inner), dict(PAGE_HEADERS), code)
