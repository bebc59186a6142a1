"""Mailboxes of a domain: made, sized, renamed, deleted and brought back (S10 to S12)."""

from typing import Any, Literal

from chalice.app import Blueprint, Response
from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from chalicelib.api import answers, bulk
from chalicelib.api.models import Body
from chalicelib.api.quotes import DryRun, QuoteOut, quoted
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.ledger import Entry
from chalicelib.rules.mailboxes import GoneMailbox, MailboxRequest
from chalicelib.rules.values import Account
from chalicelib.services import access, entries, mailboxes

routes = Blueprint(__name__)
section = Section("Mailboxes", routes)
BOB = {"domain": "x.test", "local": "bob"}
NEW = {"domain": "x.test", "local": "eve"}
PASSWORD = Field(None, description="Of a new mailbox. One that is there already keeps its own.")


class MailboxSettings(Body):
    """A mailbox as it shall be. Storage in steps of 250 MB, from 250 to 5,000; IMAP is free."""

    password: str | None = PASSWORD
    name: str = ""
    imap: bool = False
    storage_mb: int = 250
    admin: bool = Field(False, description="An email administrator of the domain.")
    recovery_address: str | None = Field(None, description="Where a forgotten password's link goes.")


class MailboxRow(MailboxSettings):
    """A row of many."""

    local: str


class MailboxPatch(Body):
    """What can be changed. An email admin changes name, recovery_address and admin."""

    name: str | None = None
    imap: bool = False
    storage_mb: int = 250
    admin: bool = False
    recovery_address: str | None = None


class RenameIn(Body):
    """The new name of a mailbox."""

    local: str = Field(description="What stands before the @.")
    keep_alias: bool = Field(False, description="Mail to the old name goes on to arrive.")


class StorageOut(Out):
    """What it may hold and what it does hold."""

    limit: int
    used: int
    remaining: int
    unit: str
    resets_at: None


class MailboxOut(Out):
    """A mailbox. `holds`: who suspended it (operator, reseller), or paused its sending (guard)."""

    address: str
    local: str
    account_id: str
    name: str
    imap: bool
    admin: bool
    recovery_address: str | None
    state: Literal["active", "suspended"]
    holds: list[str]
    storage_mb: int
    storage: StorageOut


class MailboxOrQuote(Out):
    """The mailbox; with dry_run, what the change would cost."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(MailboxOut | QuoteOut)


class MailboxesOut(Out):
    """A page of mailboxes. It may be shorter than `limit` while there is a cursor."""

    mailboxes: list[MailboxOut]
    cursor: str | None


class DeletedOut(Out):
    """A mailbox that is gone. `reason`: deleted, or reversed with its domain; `purged`: for good."""

    address: str
    account_id: str
    name: str
    storage_mb: int
    reason: Literal["deleted", "reversed"]
    purged: bool
    deleted_at: str
    undo_until: str


class DeletedListOut(Out):
    """A page of mailboxes that are gone, by domain and name."""

    deleted_mailboxes: list[DeletedOut]
    cursor: str | None


def shown(account: Account, used_bytes: int) -> MailboxOut:
    """A mailbox as reseller and admin see it."""
    limit = account.quota_bytes
    left = max(0, limit - used_bytes)
    return MailboxOut(
        address=account.address,
        local=account.address.rpartition("@")[0],
        account_id=account.id,
        name=account.name,
        imap=account.imap,
        admin=account.admin,
        recovery_address=account.recovery,
        state=account.state,
        holds=sorted(account.holds),
        storage_mb=limit // MB,
        storage=StorageOut(limit=limit, used=used_bytes, remaining=left, unit="bytes", resets_at=None),
    )


def _shown(call: Call, account: Account) -> MailboxOut:
    return shown(account, mailboxes.used(call.platform, account))


# ------------------------------------------------------------------------------------------- those there are
@section.route(
    "GET",
    "/mailboxes",
    roles=("reseller", "admin"),
    within="domain",
    scope="mailboxes:read",
    query=PageQuery,
    answers={200: MailboxesOut},
    example=Example({"domain": "x.test"}),
)
def list_mailboxes(call: Call) -> MailboxesOut:
    """The mailboxes of a domain, with what they hold."""
    limit, after = call.page()
    d = call.domain
    accounts, following = call.platform.directory.accounts_page(d.name, d.reseller, limit, after)
    rows = [_shown(call, account) for account in accounts]
    return MailboxesOut(mailboxes=rows, cursor=answers.cursor(following))


@section.route(
    "GET",
    "",
    roles=("reseller", "admin"),
    within="mailbox",
    scope="mailboxes:read",
    answers={200: MailboxOut},
    example=Example(BOB),
)
def get_mailbox(call: Call) -> MailboxOut:
    """A mailbox, with what it holds."""
    return _shown(call, call.account)


@section.route(
    "PUT",
    "/mailboxes/{local}",
    roles=("reseller",),
    within="domain",
    scope="mailboxes:write",
    body=MailboxSettings,
    query=DryRun,
    answers={201: MailboxOut, 200: MailboxOrQuote},
    errors=("precondition_failed", "conflict", "over_quota"),
    example=Example(NEW, {"name": "Eve Fox", "storage_mb": 500, "password": "under the old elm"}),
)
def put_mailbox(call: Call, local: str) -> Reply:
    """Make a mailbox, or give one all its settings. With If-None-Match: *, make one only.

    It can be used at once where its domain is live. A mailbox costs from the month it is made in.
    """
    known = mailboxes.find(call.platform, call.domain, local)
    call.check(_shown(call, known) if known else None)
    if call.query.dry_run:
        return quoted(call, _put_entries(call, known, _request(local, call.body)))
    account, new = mailboxes.put(call.platform, call.caller, call.domain, _request(local, call.body))
    return Reply(_shown(call, account), 201 if new else 200)


def _put_entries(call: Call, known: Account | None, wanted: MailboxRequest) -> list[Entry]:
    p, domain = call.platform, call.domain
    if known is None:
        return [entries.entry(p, "created", domain, mailboxes.planned(p, domain, wanted))]
    after = mailboxes.changed(p, domain, known, mailboxes.replaced(wanted))
    return mailboxes.resized(p, domain, known, after)


def _request(local: str, body: MailboxSettings) -> MailboxRequest:
    return MailboxRequest(**{**body.model_dump(), "local": local})


@section.route(
    "POST",
    "/mailboxes/bulk",
    roles=("reseller",),
    within="domain",
    scope="mailboxes:write",
    rows=MailboxRow,
    answers={200: bulk.NDJSON},
    errors=("conflict", "over_quota"),
    example=Example(
        {"domain": "x.test"},
        '{"local": "eve", "name": "Eve Fox", "password": "under the old elm"}\n'
        '{"local": "bob", "storage_mb": 500}\n',
    ),
)
def put_mailboxes(call: Call) -> Response:
    """Make or change many mailboxes, a row each, as NDJSON or CSV; what became of each row is answered.

    A row does what the PUT of its mailbox does, so a body can be sent again.
    """

    def one(row: MailboxRow) -> bulk.Done:
        wanted = _request(row.local, row)
        account, new = mailboxes.put(call.platform, call.caller, call.domain, wanted)
        return bulk.Done(status=201 if new else 200, id=account.id, address=account.address)

    return bulk.answered(call.request, call.rows, one)


@section.route(
    "PATCH",
    "",
    roles=("reseller", "admin"),
    within="mailbox",
    scope="mailboxes:write",
    body=MailboxPatch,
    query=DryRun,
    answers={200: MailboxOrQuote},
    errors=("precondition_failed", "conflict", "over_quota"),
    example=Example(BOB, {"name": "Bob Miller"}),
)
def change_mailbox(call: Call) -> Out | Reply:
    """Change settings, at once in force. A size below what is used is refused.

    A reseller changes all of them, an email admin name, recovery_address and admin. The last admin stays one.
    """
    call.check(_shown(call, call.account))
    p, domain, account, patch = call.platform, call.domain, call.account, call.patch
    if call.query.dry_run:
        if call.caller.role == "admin":
            raise ServiceError("forbidden", "What mailboxes cost is between their reseller and the service.")
        after = mailboxes.changed(p, domain, account, patch)
        return quoted(call, mailboxes.resized(p, domain, account, after))
    return _shown(call, mailboxes.change(p, call.caller, domain, account, patch))


@section.route(
    "POST",
    "/rename",
    roles=("reseller",),
    within="mailbox",
    scope="mailboxes:write",
    body=RenameIn,
    answers={200: MailboxOut},
    errors=("conflict",),
    example=Example(BOB, {"local": "robert", "keep_alias": True}),
)
def rename_mailbox(call: Call) -> MailboxOut:
    """Give a mailbox another name, with all its mail, password and aliases."""
    p, body = call.platform, call.body
    renamed = mailboxes.rename(
        p, call.caller, call.domain, call.account, body.local, keep_alias=body.keep_alias
    )
    return _shown(call, renamed)


@section.route(
    "DELETE",
    "",
    roles=("reseller",),
    within="mailbox",
    scope="mailboxes:write",
    query=DryRun,
    answers={204: None, 200: QuoteOut},
    errors=("precondition_failed", "conflict"),
    example=Example(BOB),
)
def delete_mailbox(call: Call) -> Reply | None:
    """Delete a mailbox. It can be restored for 30 days, with all its mail."""
    call.check(_shown(call, call.account))
    if call.query.dry_run:
        return quoted(call, [entries.entry(call.platform, "removed", call.domain, call.account)])
    mailboxes.delete(call.platform, call.caller, call.domain, call.account)
    return None


# ------------------------------------------------------------------------------------------- those there were
def _deleted(gone: GoneMailbox) -> DeletedOut:
    return DeletedOut(
        address=gone.account.address,
        account_id=gone.account.id,
        name=gone.account.name,
        storage_mb=gone.account.quota_bytes // MB,
        reason=gone.why,
        purged=gone.purged,
        deleted_at=answers.moment(gone.gone_at) or "",
        undo_until=answers.moment(gone.until) or "",
    )


@section.route(
    "GET",
    "/deleted-mailboxes",
    roles=("reseller",),
    query=PageQuery,
    answers={200: DeletedListOut},
)
def list_deleted_mailboxes(call: Call) -> DeletedListOut:
    """Mailboxes that were deleted, or reversed with their domain."""
    access.require(call.caller, "mailboxes:read")
    limit, after = call.page()
    found, following = call.platform.gone.page(call.caller.reseller, limit, after)
    rows = [_deleted(gone) for gone in found]
    return DeletedListOut(deleted_mailboxes=rows, cursor=answers.cursor(following))


@section.route(
    "POST",
    "/deleted-mailboxes/{account_id}/restore",
    roles=("reseller",),
    scope="mailboxes:write",
    answers={200: MailboxOut},
    errors=("conflict",),
)
def restore_mailbox(call: Call, account_id: str) -> MailboxOut:
    """Bring a deleted mailbox back within 30 days, as it was. Refused where its name is in use by now."""
    return _shown(call, mailboxes.restore(call.platform, call.caller, account_id))
