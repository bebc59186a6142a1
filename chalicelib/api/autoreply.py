"""A mailbox's auto-reply while its owner is away (S22, RFC 3834)."""

from datetime import UTC, datetime
from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, Section
from chalicelib.rules.autoreply import AutoReply
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.services import autoreply

routes = Blueprint(__name__)
section = Section("Auto-reply", routes)
ALL: tuple[Literal["reseller"], Literal["admin"], Literal["user"]] = ("reseller", "admin", "user")


class AutoReplyIn(Body):
    """What is answered, and when. Moments as in RFC 3339, with their zone."""

    enabled: bool
    starts_at: str | None = Field(None, max_length=40, description="Nothing is answered before.")
    ends_at: str | None = Field(None, max_length=40, description="Nothing is answered from then on.")
    subject: str = Field(
        "", description='At most 200 characters; without one, "Auto: " and the message\'s own.'
    )
    text: str = Field(
        "", description="At most 20,000 characters; without it and html, that the owner is away."
    )
    html: str = ""


class AutoReplyOut(Out):
    """A mailbox's auto-reply."""

    enabled: bool
    starts_at: str | None
    ends_at: str | None
    subject: str
    text: str
    html: str


def _shown(reply: AutoReply) -> AutoReplyOut:
    return AutoReplyOut(
        enabled=reply.enabled,
        starts_at=answers.moment(reply.start),
        ends_at=answers.moment(reply.end),
        subject=reply.subject,
        text=reply.text,
        html=reply.html,
    )


def _moment(text: str | None, pointer: str) -> datetime | None:
    """Raises ServiceError invalid."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    fault = "Write it as 2026-12-24T18:00:00Z, or with another zone."
    raise ServiceError("invalid", "This is no moment.", (Fault(pointer, fault),))


@section.route(
    "GET",
    "/auto-reply",
    roles=ALL,
    within="mailbox",
    scope="addresses:read",
    answers={200: AutoReplyOut},
    example=Example(path={"local": "bob"}),
)
def get_auto_reply(call: Call) -> AutoReplyOut:
    """A mailbox's auto-reply; one that is off where none was written."""
    return _shown(autoreply.get(call.platform, call.account))


@section.route(
    "PUT",
    "/auto-reply",
    roles=ALL,
    within="mailbox",
    scope="addresses:write",
    body=AutoReplyIn,
    answers={200: AutoReplyOut},
    errors=("conflict", "precondition_failed"),
    example=Example(
        path={"local": "bob"}, body={"enabled": True, "subject": "Away", "text": "I am back on Monday."}
    ),
)
def put_auto_reply(call: Call) -> AutoReplyOut:
    """Write a mailbox's auto-reply.

    Each sender is answered once in seven days; lists, bounces, other machines, spam, and senders whose
    address is not proven are never answered, nor is mail that does not name the mailbox in its header.
    """
    call.check(get_auto_reply(call))
    given = call.body
    reply = AutoReply(
        enabled=given.enabled,
        start=_moment(given.starts_at, "/starts_at"),
        end=_moment(given.ends_at, "/ends_at"),
        subject=given.subject,
        text=given.text,
        html=given.html,
    )
    autoreply.set_(call.platform, call.caller, call.account, reply)
    return _shown(reply)


@section.route(
    "DELETE",
    "/auto-reply",
    roles=ALL,
    within="mailbox",
    scope="addresses:write",
    answers={204: None},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "bob"}),
)
def delete_auto_reply(call: Call) -> None:
    """Turn the auto-reply off and forget its text."""
    call.check(get_auto_reply(call))
    autoreply.set_(call.platform, call.caller, call.account, AutoReply())
