"""Aliases, forwards, also of mailboxes, catch-all and misaddressed mail (S22)."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.delivery import moment
from chalicelib.rules.values import Account, Forward, Unknown
from chalicelib.services import addresses, traces
from chalicelib.services.addresses import Alias

routes = Blueprint(__name__)
section = Section("Addresses", routes)
ADMINS: tuple[Literal["reseller"], Literal["admin"]] = ("reseller", "admin")
ALL: tuple[Literal["reseller"], Literal["admin"], Literal["user"]] = ("reseller", "admin", "user")
LONGEST = 1_000  # characters of an address as it is sent; what is one is checked later
MOST = 100  # targets as they are sent
READ, WRITE = "addresses:read", "addresses:write"


# ----------------------------------------------------------------------------------------------- aliases
class AliasIn(Body):
    """Which mailbox the alias is another name of."""

    mailbox: str = Field(max_length=LONGEST, description="Local part of a mailbox of the same domain.")


class AliasOut(Out):
    """An alias. `mailbox` is null when the mailbox is gone; mail to the alias bounces then."""

    local: str
    address: str
    mailbox: str | None


class AliasesOut(Out):
    """A page of aliases by name."""

    aliases: list[AliasOut]
    cursor: str | None


def _alias(call: Call, alias: Alias) -> AliasOut:
    return AliasOut(local=alias.local, address=f"{alias.local}@{call.domain.name}", mailbox=alias.mailbox)


@section.route(
    "GET", "/aliases", roles=ADMINS, within="domain", scope=READ, query=PageQuery, answers={200: AliasesOut}
)
def list_aliases(call: Call) -> AliasesOut:
    """Aliases of a domain. One made a moment ago may be missing for a second."""
    limit, after = call.page()
    items, following = call.platform.addresses.page(call.domain.name, "alias", limit, after)
    found = [_alias(call, a) for a in addresses.aliases(call.platform, call.domain, items)]
    return AliasesOut(aliases=found, cursor=answers.cursor(following))


@section.route(
    "GET",
    "/aliases/{local}",
    roles=ADMINS,
    within="domain",
    scope=READ,
    answers={200: AliasOut},
    example=Example(path={"local": "robert"}),
)
def get_alias(call: Call, local: str) -> AliasOut:
    """An alias."""
    item = addresses.find(call.platform, call.domain, local, "alias")
    return _alias(call, addresses.aliases(call.platform, call.domain, [item])[0])


@section.route(
    "PUT",
    "/aliases/{local}",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    body=AliasIn,
    answers={200: AliasOut, 201: AliasOut},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "robert"}, body={"mailbox": "bob"}),
)
def put_alias(call: Call, local: str) -> Reply:
    """Give a mailbox another name, or change which mailbox it is a name of.

    Its mail goes to the mailbox, and its owner may send under it. `postmaster` and `abuse` may be given away
    like this; all other names that are in use are refused.
    """
    call.check(_present(call, local))
    made, new = addresses.put_alias(call.platform, call.caller, call.domain, local, call.body.mailbox)
    return Reply(_alias(call, made), 201 if new else 200)


def _present(call: Call, local: str) -> AliasOut | None:
    item = addresses.present(call.platform, call.domain, local, "alias")
    return _alias(call, addresses.aliases(call.platform, call.domain, [item])[0]) if item else None


@section.route(
    "DELETE",
    "/aliases/{local}",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    answers={204: None},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "robert"}),
)
def delete_alias(call: Call, local: str) -> None:
    """Take an alias away. postmaster and abuse reach the email admins again."""
    call.check(_present(call, local))
    addresses.remove(call.platform, call.caller, call.domain, local, "alias")


# ---------------------------------------------------------------------------------------------- forwards
class ForwardIn(Body):
    """Where its mail goes on to."""

    to: list[str] = Field(max_length=MOST, description="1 to 20 addresses, on the service or elsewhere.")


class ForwardOut(Out):
    """An address that passes its mail on."""

    local: str
    address: str
    to: list[str]


class ForwardsOut(Out):
    """A page of forwards by name."""

    forwards: list[ForwardOut]
    cursor: str | None


def _forward(entry: Forward) -> ForwardOut:
    return ForwardOut(local=entry.address.rpartition("@")[0], address=entry.address, to=list(entry.to))


@section.route(
    "GET", "/forwards", roles=ADMINS, within="domain", scope=READ, query=PageQuery, answers={200: ForwardsOut}
)
def list_forwards(call: Call) -> ForwardsOut:
    """Addresses of a domain that pass their mail on. One made a moment ago may be missing for a second."""
    limit, after = call.page()
    items, following = call.platform.addresses.page(call.domain.name, "forward", limit, after)
    found = [_forward(entry) for entry in addresses.forwards(items)]
    return ForwardsOut(forwards=found, cursor=answers.cursor(following))


@section.route(
    "GET",
    "/forwards/{local}",
    roles=ADMINS,
    within="domain",
    scope=READ,
    answers={200: ForwardOut},
    example=Example(path={"local": "office"}),
)
def get_forward(call: Call, local: str) -> ForwardOut:
    """A forward."""
    [entry] = addresses.forwards([addresses.find(call.platform, call.domain, local, "forward")])
    return _forward(entry)


@section.route(
    "PUT",
    "/forwards/{local}",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    body=ForwardIn,
    answers={200: ForwardOut, 201: ForwardOut},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "office"}, body={"to": ["bob@x.test", "zoe@example.net"]}),
)
def put_forward(call: Call, local: str) -> Reply:
    """Make an address without a mailbox whose mail goes on to others.

    People elsewhere get it from this address ("Zoe via office"), with the writer in Reply-To, so that their
    servers do not take it for a forgery. Spam is not passed on to them.
    """
    call.check(_present_forward(call, local))
    made, new = addresses.put_forward(call.platform, call.caller, call.domain, local, call.body.to)
    return Reply(_forward(made), 201 if new else 200)


def _present_forward(call: Call, local: str) -> ForwardOut | None:
    item = addresses.present(call.platform, call.domain, local, "forward")
    return _forward(addresses.forwards([item])[0]) if item else None


@section.route(
    "DELETE",
    "/forwards/{local}",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    answers={204: None},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "office"}),
)
def delete_forward(call: Call, local: str) -> None:
    """Take a forward away."""
    call.check(_present_forward(call, local))
    addresses.remove(call.platform, call.caller, call.domain, local, "forward")


# --------------------------------------------------------------------------------------------- catch-all
class CatchAllIn(Body):
    """What happens to mail for addresses that nobody has."""

    unknown: Unknown
    mailbox: str | None = Field(None, max_length=LONGEST, description='Local part, for "deliver" alone.')


class CatchAllOut(Out):
    """`unknown`: bounce, drop (the sender hears nothing), or deliver, to `mailbox`."""

    unknown: Unknown
    mailbox: str | None


@section.route("GET", "/catch-all", roles=ADMINS, within="domain", scope=READ, answers={200: CatchAllOut})
def get_catch_all(call: Call) -> CatchAllOut:
    """What happens to mail for addresses that nobody has."""
    return CatchAllOut(unknown=call.domain.unknown, mailbox=addresses.caught_by(call.platform, call.domain))


@section.route(
    "PUT",
    "/catch-all",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    body=CatchAllIn,
    answers={200: CatchAllOut},
    errors=("conflict", "precondition_failed"),
    example=Example(body={"unknown": "deliver", "mailbox": "bob"}),
)
def put_catch_all(call: Call) -> CatchAllOut:
    """Say what happens to mail for addresses that nobody has. To begin with it bounces."""
    call.check(get_catch_all(call))
    given = call.body
    domain = addresses.set_unknown(call.platform, call.caller, call.domain, given.unknown, given.mailbox)
    return CatchAllOut(unknown=domain.unknown, mailbox=addresses.caught_by(call.platform, domain))


# ------------------------------------------------------------------------------------------ misaddressed
class StrayOut(Out):
    """A message for addresses that nobody has. `results`: address → bounced, dropped, or delivered."""

    at: str
    sender: str
    size: int
    results: dict[str, str]


class MisaddressedOut(Out):
    """A page of misaddressed mail, newest first."""

    misaddressed: list[StrayOut]
    cursor: str | None


@section.route(
    "GET",
    "/misaddressed",
    roles=ADMINS,
    within="domain",
    scope="messages:read",
    query=PageQuery,
    answers={200: MisaddressedOut},
)
def misaddressed(call: Call) -> MisaddressedOut:
    """Mail of the last 30 days for addresses that nobody has: typing errors show here, and spam."""
    limit, after = call.page()
    found, following = traces.misaddressed(call.platform, call.domain, limit, after)
    rows = [
        StrayOut(
            at=answers.moment(moment(s.at, call.domain.ordered_at)) or "",
            sender=s.sender,
            size=s.size,
            results=dict(s.results),
        )
        for s in found
    ]
    return MisaddressedOut(misaddressed=rows, cursor=answers.cursor(following))


# ------------------------------------------------------------------------------------ forwards of mailboxes
class MailboxForwardIn(Body):
    """Where a mailbox's mail goes on to."""

    to: list[str] = Field(max_length=MOST, description="1 to 20 addresses, on the service or elsewhere.")
    keep_copy: bool = Field(True, description="Whether it stays in the mailbox, too.")


class MailboxForwardOut(Out):
    """What a mailbox passes on; `to` is empty when nothing is."""

    to: list[str]
    keep_copy: bool


def _mailbox_forward(account: Account) -> MailboxForwardOut:
    return MailboxForwardOut(to=list(account.forward), keep_copy=account.keep_copy)


@section.route(
    "GET",
    "/forward",
    roles=ALL,
    within="mailbox",
    scope=READ,
    answers={200: MailboxForwardOut},
    example=Example(path={"local": "bob"}),
)
def get_mailbox_forward(call: Call) -> MailboxForwardOut:
    """What a mailbox passes on."""
    return _mailbox_forward(call.account)


@section.route(
    "PUT",
    "/forward",
    roles=ALL,
    within="mailbox",
    scope=WRITE,
    body=MailboxForwardIn,
    answers={200: MailboxForwardOut},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "bob"}, body={"to": ["bob@example.net"], "keep_copy": True}),
)
def put_mailbox_forward(call: Call) -> MailboxForwardOut:
    """Pass a mailbox's mail on. Spam stays in its Junk folder, and what cannot be sent on in its inbox."""
    call.check(_mailbox_forward(call.account))
    given = call.body
    changed = addresses.set_mailbox_forward(
        call.platform, call.caller, call.account, addresses.some(given.to), given.keep_copy
    )
    return _mailbox_forward(changed)


@section.route(
    "DELETE",
    "/forward",
    roles=ALL,
    within="mailbox",
    scope=WRITE,
    answers={204: None},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "bob"}),
)
def delete_mailbox_forward(call: Call) -> None:
    """Pass nothing on any more."""
    call.check(_mailbox_forward(call.account))
    addresses.set_mailbox_forward(call.platform, call.caller, call.account, (), keep=True)
