"""The message trace of a domain: what came and went, and what became of it for each recipient. No content."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from chalice.app import Blueprint
from pydantic import AwareDatetime, Field

from chalicelib.api import answers
from chalicelib.api.rest import Call, Example, Out, PageQuery, Section
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import RecipientState
from chalicelib.services import traces
from chalicelib.services.traces import Filter, Traced

routes = Blueprint(__name__)
section = Section("Messages", routes)
READERS: tuple[Literal["reseller"], Literal["admin"], Literal["operator"]] = ("reseller", "admin", "operator")
_ID = re.compile(r"(\d{13})-([io])-(.{1,200})")
_KEY = re.compile(r"\d{13}#[io]#.{1,200}")


class MessageQuery(PageQuery):
    """Which messages."""

    address: str = Field("", description="Of a recipient, or of who sent it from here.")
    sender: str = Field("", description="Return path of the message.")
    direction: Literal["in", "out"] | None = None
    since: AwareDatetime | None = Field(None, description="Not before this moment (RFC 3339).")


class StateOut(Out):
    """What became of a recipient; `status` as in RFC 3463.

    `state` of mail that came: delivered, junk, forwarded, expanded, dropped, bounced or discarded; of mail
    that was sent: queued, sent, deferred, delivered or failed.
    """

    address: str
    state: str
    status: str
    text: str
    attempts: int


class MessageOut(Out):
    """A message. `message_id` is the writer's own, `sender` its return path; the subject is not kept."""

    id: str
    direction: Literal["in", "out"]
    at: str
    sender: str
    size: int
    message_id: str
    spam: str
    virus: str
    recipients: list[StateOut]


class MessagesOut(Out):
    """A page of messages, newest first. It may be short though there is more: follow the cursor."""

    messages: list[MessageOut]
    cursor: str | None


class PassedOut(Out):
    """Where a recipient's copy went on to."""

    address: str
    to: list[StateOut]


class ExpandedOut(Out):
    """How far a message for many has come. `failed`: members it could not be delivered to."""

    address: str
    members: int
    served: int
    failed: list[StateOut]


class MessageDetailOut(MessageOut):
    """A message with what followed from it."""

    passed_on: list[PassedOut]
    expanded: list[ExpandedOut]


def _common(found: Traced) -> MessageOut:
    seen = found.seen
    return MessageOut(
        id=seen.key.replace("#", "-", 2),
        direction=seen.way,
        at=answers.moment(datetime.fromtimestamp(seen.at / 1000, UTC)) or "",
        sender=seen.sender,
        size=seen.size,
        message_id=seen.message_id,
        spam=seen.spam,
        virus=seen.virus,
        recipients=_arrived(found) if seen.way == "in" else _sent(found),
    )


def _arrived(found: Traced) -> list[StateOut]:
    return [
        StateOut(address=address, state=outcome, status=status, text=text, attempts=1)
        for address, (outcome, status, text, _) in found.seen.results.items()
    ]


def _sent(found: Traced) -> list[StateOut]:
    return _states(found.states[a] for a in found.seen.recipients if a in found.states)


def _states(states: Iterable[RecipientState]) -> list[StateOut]:
    return [
        StateOut(address=s.address, state=s.state, status=s.status, text=s.reply, attempts=s.attempts)
        for s in states
    ]


@section.route(
    "GET",
    "/messages",
    roles=READERS,
    within="domain",
    scope="messages:read",
    query=MessageQuery,
    answers={200: MessagesOut},
    example=Example(query={"address": "bob@x.test", "direction": "in"}),
)
def list_messages(call: Call) -> MessagesOut:
    """Messages of the last 30 days that came for a domain or were sent from it."""
    limit, after = call.page()
    if after and not _KEY.fullmatch(after):
        raise ServiceError("bad_request", "cursor is not one that was given out here.")
    query = call.query
    wanted = Filter(query.address.lower(), query.sender.lower(), query.direction, query.since)
    found, following = traces.page(call.platform, call.domain, wanted, limit, after)
    return MessagesOut(messages=[_common(m) for m in found], cursor=answers.cursor(following))


@section.route(
    "GET",
    "/messages/{message}",
    roles=READERS,
    within="domain",
    scope="messages:read",
    answers={200: MessageDetailOut},
)
def get_message(call: Call, message: str) -> MessageDetailOut:
    """A message with each copy that was passed on, and how far a message for many has come."""
    read = _ID.fullmatch(message)
    if not read:
        raise ServiceError("not_found", "There is no such message.")
    found = traces.one(call.platform, call.domain, "#".join(read.groups()))
    return MessageDetailOut(
        **_common(found).model_dump(exclude={"recipients"}),
        recipients=_common(found).recipients,
        passed_on=[PassedOut(address=a, to=_states(to)) for a, to in found.passed.items()],
        expanded=[
            ExpandedOut(address=a, members=e.members, served=e.served, failed=_states(e.failed))
            for a, e in found.expanded.items()
        ],
    )
