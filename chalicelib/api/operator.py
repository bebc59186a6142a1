"""What the operator calls: resellers, their first keys, and whose a domain or an address is."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Query, Reply, Section
from chalicelib.rules.hosted import Reseller
from chalicelib.rules.signin import SCOPES
from chalicelib.services import accounts, resellers

routes = Blueprint(__name__)
section = Section("Resellers", routes)
ID = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"


class ResellerOut(Out):
    """A reseller. `contact` gets the service's notices; of a closed one, no API key opens anything."""

    id: str
    name: str
    contact: str
    brand: str
    state: Literal["active", "closed"]


class ResellersOut(Out):
    """A page of resellers, by id."""

    resellers: list[ResellerOut]
    cursor: str | None


class ResellerIn(Body):
    """A reseller to be. `product`: the name of the mail product that its customers see (S1)."""

    id: str = Field(pattern=ID)
    name: str = Field(min_length=1, max_length=200)
    contact: str = Field(max_length=254)
    product: str = Field(min_length=1, max_length=100)


class ResellerPatch(Body):
    """What may be changed."""

    name: str = Field("", min_length=1, max_length=200)
    contact: str = Field("", max_length=254)
    state: Literal["active", "closed"] = "active"


class FirstKeyIn(Body):
    """A key to be. Without scopes: all that a reseller's key can have."""

    label: str = Field("", max_length=100)
    scopes: list[str] = Field(default_factory=list, max_length=100)


class FirstKeyOut(Out):
    """The key, in the only moment it can be seen."""

    api_key: str
    reseller: str
    scopes: list[str]


class WhoseQuery(Query):
    """A domain or an address."""

    q: str = Field(min_length=1, max_length=320)


class WhoseOut(Out):
    """One thing that is hosted here."""

    kind: str = Field(description="domain, mailbox, alias, forward, list or automatic")
    name: str
    domain: str
    reseller: str
    state: str
    holds: list[str]


class WhoseListOut(Out):
    """What was found, the closest first."""

    results: list[WhoseOut]


def shown(r: Reseller) -> ResellerOut:
    """As the API shows it."""
    return ResellerOut(id=r.id, name=r.name, contact=r.contact, brand=r.brand, state=r.state)


@section.route(
    "GET",
    "/resellers",
    roles=("operator",),
    scope="resellers:read",
    query=PageQuery,
    answers={200: ResellersOut},
)
def list_resellers(call: Call) -> ResellersOut:
    """A page of resellers."""
    found, following = call.platform.resellers.page(*call.page())
    return ResellersOut(resellers=[shown(r) for r in found], cursor=answers.cursor(following))


@section.route(
    "POST",
    "/resellers",
    roles=("operator",),
    scope="resellers:write",
    body=ResellerIn,
    answers={201: ResellerOut},
    errors=("conflict",),
    example=Example(
        body={
            "id": "orchard",
            "name": "Orchard Hosting",
            "contact": "office@orchard.example",
            "product": "Orchard Mail",
        }
    ),
)
def create_reseller(call: Call) -> Reply:
    """Open a reseller with its first brand."""
    b = call.body
    made = resellers.create(call.platform, call.caller, b.id, b.name, b.contact, b.product)
    return Reply(shown(made), 201, {"Location": f"/v1/operator/resellers/{made.id}"})


@section.route(
    "GET",
    "/resellers/{reseller}",
    roles=("operator",),
    scope="resellers:read",
    answers={200: ResellerOut},
    example=Example({"reseller": "house"}),
)
def get_reseller(call: Call, reseller: str) -> ResellerOut:
    """A reseller."""
    return shown(resellers.find(call.platform, reseller))


@section.route(
    "PATCH",
    "/resellers/{reseller}",
    roles=("operator",),
    scope="resellers:write",
    body=ResellerPatch,
    answers={200: ResellerOut},
    errors=("conflict", "precondition_failed"),
    example=Example({"reseller": "house"}, {"contact": "post@house.example"}),
)
def change_reseller(call: Call, reseller: str) -> ResellerOut:
    """Change a reseller's name, contact or state."""
    present = resellers.find(call.platform, reseller)
    call.check(shown(present))
    return shown(resellers.change(call.platform, call.caller, present, call.patch))


@section.route(
    "POST",
    "/resellers/{reseller}/keys",
    roles=("operator",),
    scope="resellers:write",
    body=FirstKeyIn,
    answers={201: FirstKeyOut},
    repeat="refused",
    example=Example({"reseller": "house"}, {"label": "first key"}),
)
def create_first_key(call: Call, reseller: str) -> FirstKeyOut:
    """An API key for a reseller, shown once. Its own further keys it makes itself."""
    known = resellers.find(call.platform, reseller)
    scopes = sorted(set(call.body.scopes)) or sorted(SCOPES)
    key = accounts.issue_key(call.platform, known.id, scopes, label=call.body.label, caller=call.caller)
    return FirstKeyOut(api_key=key, reseller=known.id, scopes=scopes)


@section.route(
    "GET",
    "/search",
    roles=("operator",),
    scope="resellers:read",
    query=WhoseQuery,
    answers={200: WhoseListOut},
    example=Example(query={"q": "ann@x.test"}),
)
def search_hosted(call: Call) -> WhoseListOut:
    """Whose a domain or an address is, and in which state."""
    hits = resellers.search(call.platform, call.query.q)
    return WhoseListOut(
        results=[
            WhoseOut(
                kind=h.kind,
                name=h.name,
                domain=h.domain,
                reseller=h.reseller,
                state=h.state,
                holds=list(h.holds),
            )
            for h in hits
        ]
    )
