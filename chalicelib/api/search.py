"""A reseller's search (S12)."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.rest import Call, Example, Out, PageQuery, Section
from chalicelib.rules.figures import MB
from chalicelib.rules.mailboxes import Action
from chalicelib.rules.values import DomainState
from chalicelib.services import access, search

routes = Blueprint(__name__)
section = Section("Search", routes)


class SearchQuery(PageQuery):
    """What to look for."""

    q: str = Field("", max_length=254, description="Part of an address, a domain or a name; empty: all.")
    kind: Literal["live", "sold"] = Field("live", description="sold: those that are gone as well.")


class FoundOut(Out):
    """A mailbox that was found. `state`: of it; purged: its mail is gone for good, and its name.

    `domain_state` is null where the domain is not yours any more.
    """

    address: str
    domain: str
    account_id: str
    name: str
    state: Literal["active", "suspended", "deleted", "reversed", "purged"]
    domain_state: DomainState | None
    storage_mb: int
    imap: bool
    admin: bool
    holds: list[str]
    gone_at: str | None
    undo_until: str | None
    actions: list[Action] = Field(description="What can be done with it now.")


class SearchOut(Out):
    """A page of what was found. It may be short, or empty, while there is a cursor: go on with it."""

    results: list[FoundOut]
    cursor: str | None


def _found(hit: search.Hit) -> FoundOut:
    a, gone = hit.account, hit.gone
    state = a.state if gone is None else "purged" if gone.purged else gone.why
    return FoundOut(
        address=a.address,
        domain=a.domain,
        account_id=a.id,
        name=a.name,
        state=state,
        domain_state=hit.domain.state if hit.domain else None,
        storage_mb=a.quota_bytes // MB,
        imap=a.imap,
        admin=a.admin,
        holds=sorted(a.holds),
        gone_at=answers.moment(gone.gone_at) if gone else None,
        undo_until=answers.moment(gone.until) if gone else None,
        actions=list(hit.actions),
    )


@section.route(
    "GET",
    "/search",
    roles=("reseller",),
    query=SearchQuery,
    answers={200: SearchOut},
    example=Example(query={"q": "x.test", "kind": "sold"}),
)
def search_accounts(call: Call) -> SearchOut:
    """Look for mailboxes by address, domain or name, among live ones or all that were ever sold.

    Addresses that begin with the text come first, then domains that do, then all that have it anywhere.
    """
    access.require(call.caller, "mailboxes:read")
    limit, after = call.page()
    asked = call.query
    hits, following = search.search(call.platform, call.caller.reseller, asked.q, asked.kind, limit, after)
    return SearchOut(results=[_found(hit) for hit in hits], cursor=answers.cursor(following))
