"""What a mailbox holds, how far it has come with its limits (S14 to S21), and destroyed messages again."""

from datetime import UTC, datetime
from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Section
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.limits import Usage
from chalicelib.rules.quota import Band, Storage
from chalicelib.rules.values import Account
from chalicelib.services import limits, mailbox, quota, undelete
from chalicelib.services.platform import Platform

routes = Blueprint(__name__)
section = Section("Quota and limits", routes)

BOB = {"domain": "x.test", "local": "bob"}
MOST = undelete.MOST
Id = Annotated[str, Field(min_length=1, max_length=64)]


class LimitOut(Out):
    """A limit. `resets_at`: when some of it is free again; null where that is not a matter of time."""

    limit: int
    used: int
    remaining: int
    unit: str
    resets_at: str | None


class FillOut(LimitOut):
    """What a mailbox holds, all folders with Trash included: the figure that is enforced.

    `band`: `alert` from 80 %, `warning` from 90 %, `full` from 100 %. `percent` is rounded down.
    """

    percent: int
    band: Band


class QuotaOut(FillOut):
    """What the own mailbox holds. `alert`: to be shown now; it counts as shown, and comes again after 10
    minutes, from 80 % to below 90 % and when full."""

    alert: str | None


class LimitsOut(Out):
    """All limits of a mailbox. Those of one message are unused until it is written."""

    storage: FillOut
    webmail_rate: LimitOut = Field(description="Messages a minute from webmail.")
    client_rate: LimitOut = Field(description="Messages a minute from mail programs.")
    message_size: LimitOut = Field(description="Of one message, attachments and encoding included.")
    recipients: LimitOut = Field(description="Of one message.")
    attachments: LimitOut = Field(description="Of one message from webmail.")


class DestroyedOut(Out):
    """A destroyed message. Its subject, sender and folder are its owner's alone, and null to all others."""

    id: str
    deleted_at: str
    restorable_until: str
    size: int
    subject: str | None
    sender: str | None
    received_at: str | None
    folder: str | None = Field(description="Where it was; null also where that folder is gone.")


class DeletedPageOut(Out):
    """A page of destroyed messages, destroyed last first."""

    messages: list[DestroyedOut]
    cursor: str | None


class RestoreIn(Body):
    """Which messages to bring back: `ids`, or all destroyed `since` a moment, 500 at most in a call."""

    ids: list[Id] | None = Field(None, min_length=1, max_length=MOST)
    since: str | None = Field(None, description="RFC 3339.", max_length=64)


class RestoredOut(Out):
    """What came of it. `more`: others are still to be had, by the same call again."""

    restored: list[str]
    over_quota: list[str] = Field(description="There was no room for these.")
    not_found: list[str] = Field(description="Not to be had: unknown, there already, or gone for 14 days.")
    more: bool


# ------------------------------------------------------------------------------------------------ quota
def storage_fields(held: Storage) -> dict[str, object]:
    """The fields of FillOut."""
    return {
        "limit": held.limit,
        "used": held.used,
        "remaining": held.remaining,
        "unit": "bytes",
        "resets_at": None,
        "percent": held.percent,
        "band": held.band,
    }


def quota_out(p: Platform, account: Account, *, at_login: bool = False) -> QuotaOut:
    """What a mailbox holds, and the alert where one is due; it counts as shown (S15)."""
    held = quota.storage(p, account)
    alert = quota.webmail_alert(p, account, held, at_login=at_login)
    return QuotaOut.model_validate({**storage_fields(held), "alert": alert})


def login_quota(p: Platform, account: Account) -> QuotaOut | None:
    """S15: an alert at each log-in. None while the mailbox is still being made."""
    try:
        return quota_out(p, account, at_login=True)
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        return None


def _limit(usage: Usage) -> LimitOut:
    return LimitOut(
        limit=usage.limit,
        used=usage.used,
        remaining=usage.remaining,
        unit=usage.unit,
        resets_at=answers.moment(usage.resets_at),
    )


@section.route("GET", "/quota", within="mailbox", roles=("user",), answers={200: QuotaOut}, example=Example())
def own_quota(call: Call) -> QuotaOut:
    """What the mailbox holds, and the alert to show now, if any (S15, S18)."""
    return quota_out(call.platform, call.account)


@section.route(
    "GET",
    "/limits",
    within="mailbox",
    roles=("user", "admin", "reseller", "operator"),
    scope="mailboxes:read",
    answers={200: LimitsOut},
    example=Example(path=BOB),
)
def mailbox_limits(call: Call) -> LimitsOut:
    """Every limit of a mailbox, and what is used of it now (S14, S19 to S21)."""
    found = limits.of(call.platform, call.account)
    return LimitsOut(
        storage=FillOut.model_validate(storage_fields(found.storage)),
        webmail_rate=_limit(found.webmail_rate),
        client_rate=_limit(found.client_rate),
        message_size=_limit(found.message_size),
        recipients=_limit(found.recipients),
        attachments=_limit(found.attachments),
    )


# --------------------------------------------------------------------------------------------- undelete
@section.route(
    "GET",
    "/deleted-messages",
    within="mailbox",
    roles=("user", "admin", "reseller"),
    scope="mailboxes:read",
    query=PageQuery,
    answers={200: DeletedPageOut},
    example=Example(path=BOB),
)
def deleted_messages(call: Call) -> DeletedPageOut:
    """Messages that were destroyed in the last 14 days and can be brought back."""
    p, own = call.platform, call.caller.role == "user"
    limit, after = call.page()
    found, following = undelete.page(p, call.account, limit, after)
    names = {f.id: f.name for f in mailbox.folders(p, call.account.id)} if own and found else {}
    rows = [
        DestroyedOut(
            id=one.row.id,
            deleted_at=answers.moment(one.at) or "",
            restorable_until=answers.moment(one.at + p.figures.undelete_window) or "",
            size=one.row.size,
            subject=one.row.subject if own else None,
            sender=next((c.email for c in one.row.from_), "") if own else None,
            received_at=answers.moment(one.row.received_at) if own else None,
            folder=names.get(one.row.folder),
        )
        for one in found
    ]
    return DeletedPageOut(messages=rows, cursor=answers.cursor(following))


@section.route(
    "POST",
    "/deleted-messages/restore",
    within="mailbox",
    roles=("user", "admin", "reseller"),
    scope="mailboxes:write",
    body=RestoreIn,
    answers={200: RestoredOut},
    errors=("invalid",),
    example=Example(path=BOB, body={"since": "2026-03-01T00:00:00Z"}),
)
def restore_messages(call: Call) -> RestoredOut:
    """Bring destroyed messages back to where they were, as far as there is room (S17)."""
    p, body = call.platform, call.body
    if (body.ids is None) == (body.since is None):
        raise ServiceError("invalid", "Say either which ids or since when.", (Fault("/ids", "or /since"),))
    if body.ids is not None:
        done = undelete.restore(p, call.caller, call.account, body.ids)
    else:
        done = undelete.restore_since(p, call.caller, call.account, _moment(body.since))
    return RestoredOut(
        restored=list(done.done),
        over_quota=list(done.over_quota),
        not_found=list(done.missing),
        more=done.more,
    )


def _moment(text: str) -> datetime:
    """RFC 3339. Raises ServiceError invalid."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None and 1971 <= found.year <= 9998:
            return found.astimezone(UTC)
    except ValueError:
        pass
    raise ServiceError(
        "invalid", "This is no moment.", (Fault("/since", "RFC 3339, as 2026-03-01T09:00:00Z"),)
    )
