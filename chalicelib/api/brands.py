"""Brands, logos and hosts of a reseller (S1, S2), and the brand of the host that a browser came with."""

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.brands import LARGEST_LOGO, LOGO_TYPES
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import Brand
from chalicelib.services import brands

routes = Blueprint(__name__)
section = Section("Brands", routes)


class BrandIn(Body):
    """A brand as its reseller sets it."""

    product: str = Field(description="What customers call the service, at most 60 characters.")
    primary: str = Field("#1f4e8c", description="Colour of buttons and of the page's head.")
    accent: str = Field("#d9822b", description="Colour of links.")
    support_email: str = ""
    support_url: str = ""
    help_url: str = ""


class BrandOut(Out):
    """A brand. `logo` says what kind of picture is shown, empty without one."""

    name: str
    product: str
    primary: str
    accent: str
    support_email: str
    support_url: str
    help_url: str
    logo: str


class BrandsOut(Out):
    """A page of brands."""

    brands: list[BrandOut]
    cursor: str | None


class HostIn(Body):
    """Which brand a host shows."""

    brand: str = "default"


class HostOut(Out):
    """A host name and the brand that it shows."""

    host: str
    brand: str


class HostsOut(Out):
    """A page of hosts."""

    hosts: list[HostOut]
    cursor: str | None


def shown(brand: Brand) -> BrandOut:
    """A brand as its reseller sees it."""
    kind = brand.logo.partition(" ")[0]
    if kind.startswith("data:"):
        kind = kind.removeprefix("data:").partition(",")[0].partition(";")[0]
    return BrandOut(
        name=brand.name,
        product=brand.product,
        primary=brand.primary,
        accent=brand.accent,
        support_email=brand.support_email,
        support_url=brand.support_url,
        help_url=brand.help_url,
        logo=kind,
    )


@section.route(
    "GET", "/brands", roles=("reseller",), scope="brands:read", query=PageQuery, answers={200: BrandsOut}
)
def list_brands(call: Call) -> BrandsOut:
    """The reseller's brands."""
    limit, after = call.page()
    found, following = call.platform.brands.of_reseller(call.caller.reseller, limit, after)
    return BrandsOut(brands=[shown(b) for b in found], cursor=answers.cursor(following))


@section.route(
    "GET",
    "/brands/{brand}",
    roles=("reseller",),
    scope="brands:read",
    answers={200: BrandOut},
    example=Example({"brand": "default"}),
)
def get_brand(call: Call, brand: str) -> BrandOut:
    """A brand."""
    return shown(brands.owned(call.platform, call.caller.reseller, brand))


@section.route(
    "PUT",
    "/brands/{brand}",
    roles=("reseller",),
    scope="brands:write",
    body=BrandIn,
    answers={200: BrandOut, 201: BrandOut},
    errors=("conflict", "precondition_failed"),
    example=Example(
        {"brand": "harbour-pro"},
        {"product": "Harbour Pro Mail", "primary": "#0b5c8a", "support_email": "help@harbourweb.example"},
    ),
)
def put_brand(call: Call, brand: str) -> Reply:
    """Create a brand, or replace its fields. The logo is set apart and stays."""
    call.check(_present(call, brand))
    made, new = brands.save(call.platform, call.caller, brand, call.body.model_dump())
    return Reply(shown(made), 201 if new else 200, {"Location": f"/v1/brands/{made.name}"} if new else {})


def _present(call: Call, name: str) -> BrandOut | None:
    try:
        return shown(brands.owned(call.platform, call.caller.reseller, name))
    except ServiceError:
        return None


@section.route(
    "DELETE",
    "/brands/{brand}",
    roles=("reseller",),
    scope="brands:write",
    answers={204: None},
    errors=("conflict",),
)
def delete_brand(call: Call, brand: str) -> None:
    """Remove a brand. Where it was shown, the default brand is."""
    brands.remove(call.platform, call.caller, brand)


@section.route(
    "PUT",
    "/brands/{brand}/logo",
    roles=("reseller",),
    scope="brands:write",
    raw=(*LOGO_TYPES, "text/html"),
    answers={200: BrandOut},
    errors=("too_large", "invalid"),
    example=Example(
        {"brand": "default"}, '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="House">'
    ),
)
def put_logo(call: Call, brand: str) -> BrandOut:
    """Set the logo: a picture of at most 64 KB, or as `text/html` a snippet with one `<img>` (S2).

    Of a snippet only the picture is used, which is taken over once; never a script or a style.
    """
    kind = str(call.request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    body = call.request.raw_body
    raw = body if isinstance(body, bytes) else body.encode()
    if kind != "text/html":
        return shown(brands.set_logo(call.platform, call.caller, brand, raw[: LARGEST_LOGO + 1]))
    try:
        snippet = raw.decode()
    except UnicodeDecodeError:
        raise ServiceError("bad_request", "The snippet is not text in UTF-8.") from None
    return shown(brands.set_logo_by_snippet(call.platform, call.caller, brand, snippet))


@section.route(
    "DELETE", "/brands/{brand}/logo", roles=("reseller",), scope="brands:write", answers={204: None}
)
def delete_logo(call: Call, brand: str) -> None:
    """Show the product's first letter instead of a logo."""
    brands.clear_logo(call.platform, call.caller, brand)


# ---------------------------------------------------------------------------------------------------- hosts
@section.route(
    "GET", "/hosts", roles=("reseller",), scope="brands:read", query=PageQuery, answers={200: HostsOut}
)
def list_hosts(call: Call) -> HostsOut:
    """Host names that were given a brand, besides each domain's own."""
    limit, after = call.page()
    reseller = call.caller.reseller
    found, following = call.platform.brands.hosts_of(reseller, limit, after)
    rows = [HostOut(host=host, brand=Brand(id, "", reseller=reseller).name) for host, id in found]
    return HostsOut(hosts=rows, cursor=answers.cursor(following))


@section.route(
    "PUT",
    "/hosts/{host}",
    roles=("reseller",),
    scope="brands:write",
    body=HostIn,
    answers={200: HostOut},
    errors=("conflict",),
    example=Example({"host": "webmail.harbourweb.example"}, {"brand": "default"}),
)
def put_host(call: Call, host: str) -> HostOut:
    """Show a brand on a host name, as a console's or webmail's own beside the customers' domains."""
    kept = brands.put_host(call.platform, call.caller, host, call.body.brand)
    return HostOut(host=kept, brand=call.body.brand)


@section.route("DELETE", "/hosts/{host}", roles=("reseller",), scope="brands:write", answers={204: None})
def delete_host(call: Call, host: str) -> None:
    """Take a host name back."""
    brands.drop_host(call.platform, call.caller, host)
