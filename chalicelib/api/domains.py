"""Domains of a reseller: their records, their brand, and taking an order back (S4 to S10)."""

from typing import Any

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.quotes import DryRun, QuoteOut, quoted
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.hosted import DnsRow, HostedDomain
from chalicelib.rules.values import DomainState
from chalicelib.services import access, activation, domains, reversals

routes = Blueprint(__name__)
section = Section("Domains", routes)
X = {"domain": "x.test"}


class DomainRowOut(Out):
    """A domain in a list. `state`: pending until its MX points here; mx_lost once that has moved away."""

    domain: str
    state: DomainState
    order: str
    ordered_at: str
    live_at: str | None


class DnsOut(Out):
    """A record to publish, and what was there when it was last looked up. `state` unknown: never looked."""

    name: str
    type: str
    value: str
    purpose: str
    required: bool
    state: str
    seen: list[str]
    checked_at: str | None


class DomainOut(DomainRowOut):
    """A domain with the records that its owner publishes."""

    mx_missing_since: str | None
    holds: list[str] = Field(description="Who suspended it: operator, reseller.")
    brand: str | None = Field(description="The brand that it shows; null: its reseller's default.")
    undo_until: str | None = Field(description="Of a reversed one: until when that can be undone.")
    dns: list[DnsOut]


class DomainsOut(Out):
    """A page of domains, by name."""

    domains: list[DomainRowOut]
    cursor: str | None


class DomainPatch(Body):
    """What can be changed of a domain."""

    brand: str | None = Field(None, description="The name of a brand of yours; null: the default.")


class ReversalOut(Out):
    """A reversal, or its undoing. `finished` false: it goes on by itself; ask again with the same call."""

    domain: str
    state: DomainState
    undo_until: str
    finished: bool


def row(d: HostedDomain) -> DomainRowOut:
    """A domain in a list."""
    return DomainRowOut(**_row(d))


def _row(d: HostedDomain) -> dict[str, Any]:
    return {
        "domain": d.name,
        "state": d.state,
        "order": d.order,
        "ordered_at": answers.moment(d.ordered_at),
        "live_at": answers.moment(d.live_at),
    }


def _shown(call: Call, d: HostedDomain) -> DomainOut:
    p, reversed_ = call.platform, d.state == "reversed"
    return DomainOut(
        **_row(d),
        mx_missing_since=answers.moment(d.missing_since),
        holds=sorted(d.holds),
        brand=domains.brand_name(p, d),
        undo_until=answers.moment(reversals.until_of(p, d)) if reversed_ else None,
        dns=[_dns(r) for r in activation.rows(p, d)],
    )


def _dns(r: DnsRow) -> DnsOut:
    return DnsOut(
        name=r.name,
        type=r.type,
        value=r.value,
        purpose=r.purpose,
        required=r.required,
        state=r.state,
        seen=list(r.seen),
        checked_at=answers.moment(r.checked_at),
    )


@section.route("GET", "/domains", roles=("reseller",), query=PageQuery, answers={200: DomainsOut})
def list_domains(call: Call) -> DomainsOut:
    """Your domains, by name."""
    access.require(call.caller, "domains:read")
    limit, after = call.page()
    found, following = call.platform.directory.domains_of(call.caller.reseller, limit, after)
    return DomainsOut(domains=[row(d) for d in found], cursor=answers.cursor(following))


@section.route(
    "GET", "", roles=("reseller",), within="domain", scope="domains:read", answers={200: DomainOut}
)
def get_domain(call: Call) -> DomainOut:
    """A domain with the DNS records to publish, as last looked up."""
    return _shown(call, call.domain)


@section.route(
    "PATCH",
    "",
    roles=("reseller",),
    within="domain",
    scope="domains:write",
    body=DomainPatch,
    answers={200: DomainOut},
    errors=("precondition_failed", "conflict"),
    example=Example(X, {"brand": "default"}),
)
def change_domain(call: Call) -> DomainOut:
    """Show another of your brands on a domain."""
    call.check(_shown(call, call.domain))
    if "brand" not in call.patch:
        return _shown(call, call.domain)
    return _shown(call, domains.set_brand(call.platform, call.caller, call.domain, call.patch["brand"]))


@section.route(
    "POST",
    "/check",
    roles=("reseller",),
    within="domain",
    scope="domains:write",
    answers={200: DomainOut},
    example=Example(X),
)
def check_domain(call: Call) -> DomainOut:
    """Look the records up now. The domain is live in the answer if they are right."""
    return _shown(call, activation.check(call.platform, call.domain))


@section.route(
    "POST",
    "/domains/{domain}/reversal",
    roles=("reseller",),
    query=DryRun,
    answers={201: ReversalOut, 202: ReversalOut, 200: QuoteOut},
    errors=("conflict",),
    repeat="own",
)
def reverse_domain(call: Call, domain: str) -> Reply:
    """Take the order of a domain back: a misspelled name, say.

    Its mailboxes end at once. They and their mail are kept 30 days for an undo by you, and by nobody else.
    Not billed within 5 days of the order. The name can be ordered again at once, by anyone.
    """
    found = access.domain(call.platform, call.caller, domain, "domains:write")
    if call.query.dry_run:
        return quoted(call, reversals.would_write(call.platform, found))
    made = reversals.reverse(call.platform, call.caller, found)
    return Reply(_reversal(made), 201 if made.finished else 202)


@section.route(
    "POST",
    "/domains/{domain}/reversal/undo",
    roles=("reseller",),
    answers={200: ReversalOut, 202: ReversalOut},
    errors=("conflict",),
)
def undo_reversal(call: Call, domain: str) -> Reply:
    """Have a reversed domain back within 30 days, with all mail, unless the name was ordered again.

    It waits for its MX record like a new one.
    """
    name = domains.name_of(call.caller, domain, "domains:write")
    done = reversals.undo(call.platform, call.caller, name)
    return Reply(_reversal(done), 200 if done.finished else 202)


def _reversal(done: reversals.Reversal) -> ReversalOut:
    until = answers.moment(done.until) or ""
    return ReversalOut(
        domain=done.domain.name, state=done.domain.state, undo_until=until, finished=done.finished
    )
