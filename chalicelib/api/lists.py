"""Distribution lists and their members (S20, S22)."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.values import MailingList, Posting, ReplyTo
from chalicelib.services import addresses, members

routes = Blueprint(__name__)
section = Section("Lists", routes)
ADMINS: tuple[Literal["reseller"], Literal["admin"]] = ("reseller", "admin")
LONGEST = 1_000  # characters of a name as it is sent; what is one is checked later
MOST = 10_000  # members of one call
READ, WRITE = "addresses:read", "addresses:write"


class ListIn(Body):
    """A distribution list."""

    name: str = Field("", max_length=LONGEST, description="Shown beside its address, at most 100 characters.")
    posting: Posting = Field(
        "domain",
        description="Who may write to it. `admins` are the domain's email administrators, signed in.",
    )
    reply_to: ReplyTo = Field("sender", description="Whom an answer goes to.")


class CountOut(Out):
    """How many there may be, are, and can be added."""

    limit: int
    used: int
    remaining: int
    unit: str


class ListOut(Out):
    """A list. `outside`: members elsewhere, each of which counts as a recipient of every message (S20)."""

    local: str
    address: str
    name: str
    posting: Posting
    reply_to: ReplyTo
    members: CountOut
    outside: CountOut


class ListsOut(Out):
    """A page of lists by name."""

    lists: list[ListOut]
    cursor: str | None


class MembersIn(Body):
    """Everybody who is to be a member."""

    members: list[str] = Field(max_length=MOST)


class MemberChangesIn(Body):
    """Who comes, and who goes."""

    add: list[str] = Field(default_factory=list, max_length=MOST)
    remove: list[str] = Field(default_factory=list, max_length=MOST)


class MemberOut(Out):
    """A member; whether it is elsewhere than on the service."""

    address: str
    outside: bool


class MembersOut(Out):
    """A page of members."""

    members: list[MemberOut]
    cursor: str | None


def _list(call: Call, entry: MailingList) -> ListOut:
    figures = call.platform.figures
    return ListOut(
        local=entry.address.rpartition("@")[0],
        address=entry.address,
        name=entry.name,
        posting=entry.posting,
        reply_to=entry.reply_to,
        members=_count(figures.max_members, entry.members, "members"),
        outside=_count(figures.max_recipients - 1, entry.outside, "members elsewhere"),
    )


def _count(limit: int, used: int, unit: str) -> CountOut:
    return CountOut(limit=limit, used=used, remaining=max(0, limit - used), unit=unit)


def _present(call: Call, local: str) -> ListOut | None:
    item = addresses.present(call.platform, call.domain, local, "list")
    return _list(call, addresses.lists([item])[0]) if item else None


@section.route(
    "GET", "/lists", roles=ADMINS, within="domain", scope=READ, query=PageQuery, answers={200: ListsOut}
)
def list_lists(call: Call) -> ListsOut:
    """Distribution lists of a domain. One made a moment ago may be missing for a second."""
    limit, after = call.page()
    items, following = call.platform.addresses.page(call.domain.name, "list", limit, after)
    found = [_list(call, entry) for entry in addresses.lists(items)]
    return ListsOut(lists=found, cursor=answers.cursor(following))


@section.route(
    "GET",
    "/lists/{local}",
    roles=ADMINS,
    within="domain",
    scope=READ,
    answers={200: ListOut},
    example=Example(path={"local": "team"}),
)
def get_list(call: Call, local: str) -> ListOut:
    """A distribution list."""
    return _list(call, addresses.get_list(call.platform, call.domain, local))


@section.route(
    "PUT",
    "/lists/{local}",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    body=ListIn,
    answers={200: ListOut, 201: ListOut},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "team"}, body={"name": "The team", "posting": "members"}),
)
def put_list(call: Call, local: str) -> Reply:
    """Make a distribution list, or change one; its members stay as they are.

    Whoever may not write to it gets a bounce (5.7.2). Bounces and automatic replies are not posted.
    """
    call.check(_present(call, local))
    given = call.body
    made, new = addresses.put_list(
        call.platform, call.caller, call.domain, local, (given.name, given.posting, given.reply_to)
    )
    return Reply(_list(call, made), 201 if new else 200)


@section.route(
    "DELETE",
    "/lists/{local}",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    answers={204: None},
    errors=("conflict", "precondition_failed"),
    example=Example(path={"local": "team"}),
)
def delete_list(call: Call, local: str) -> None:
    """Take a list and its membership away."""
    call.check(_present(call, local))
    addresses.remove(call.platform, call.caller, call.domain, local, "list")


@section.route(
    "GET",
    "/lists/{local}/members",
    roles=ADMINS,
    within="domain",
    scope=READ,
    query=PageQuery,
    answers={200: MembersOut},
    example=Example(path={"local": "team"}),
)
def list_members(call: Call, local: str) -> MembersOut:
    """Members of a list, in an order that means nothing but stays the same."""
    limit, after = call.page()
    found, following = members.page(call.platform, call.domain, local, limit, after)
    rows = [MemberOut(address=address, outside=outside) for address, outside in found]
    return MembersOut(members=rows, cursor=answers.cursor(following))


@section.route(
    "PUT",
    "/lists/{local}/members",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    body=MembersIn,
    answers={200: ListOut},
    errors=("conflict",),
    example=Example(path={"local": "team"}, body={"members": ["ann@x.test", "bob@x.test"]}),
)
def put_members(call: Call, local: str) -> ListOut:
    """Make these the members, all at once; others are members no more. Later ones can be added by POST."""
    entry = members.replace_all(call.platform, call.caller, call.domain, local, call.body.members)
    return _list(call, entry)


@section.route(
    "POST",
    "/lists/{local}/members",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    body=MemberChangesIn,
    answers={200: ListOut},
    errors=("conflict",),
    example=Example(path={"local": "team"}, body={"add": ["bob@x.test"], "remove": []}),
)
def change_members(call: Call, local: str) -> ListOut:
    """Add members and take others away. A repeat changes nothing."""
    given = call.body
    entry = members.change(call.platform, call.caller, call.domain, local, given.add, given.remove)
    return _list(call, entry)


@section.route(
    "DELETE",
    "/lists/{local}/members/{address}",
    roles=ADMINS,
    within="domain",
    scope=WRITE,
    answers={204: None},
    errors=("conflict", "invalid"),
    example=Example(path={"local": "team", "address": "bob@x.test"}),
)
def delete_member(call: Call, local: str, address: str) -> None:
    """Take one member away; who is none already is no fault."""
    members.change(call.platform, call.caller, call.domain, local, (), (address,))
