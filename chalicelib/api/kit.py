"""The reseller kit (S38), and what mail clients and their owners ask for under a domain's own hosts."""

from collections.abc import Mapping

from chalice.app import Blueprint, Response
from pydantic import Field

from chalicelib.api import auth
from chalicelib.api.errors import Headers, endpoint
from chalicelib.api.rest import Call, Example, Out, Query, Section
from chalicelib.rules.errors import ServiceError
from chalicelib.services import clientsetup
from chalicelib.services.kit import files
from chalicelib.services.kit.setup import CLIENTS
from chalicelib.services.platform import platform

routes = Blueprint(__name__)
section = Section("Kit", routes)
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
)
XML: Headers = {"Content-Type": "text/xml; charset=utf-8"}
XML_TYPES = ["text/xml", "application/xml", "application/octet-stream"]


class KitQuery(Query):
    """Whose name and whose hosts the kit shows."""

    brand: str = "default"
    domain: str = Field("", description="One of the reseller's domains, for its host names.")


class KitFile(Out):
    """A file of the kit."""

    name: str
    type: str
    size: int


class KitOut(Out):
    """What the kit holds."""

    files: list[KitFile]


def _kit(call: Call) -> files.Kit:
    return files.kit(call.platform, call.caller, call.query.brand, call.query.domain)


@section.route("GET", "/kit", roles=("reseller",), scope="brands:read", query=KitQuery, answers={200: KitOut})
def list_kit(call: Call) -> KitOut:
    """The files of the reseller kit: web and email copy, banners, questions, set-up pages."""
    made = _kit(call).files()
    return KitOut(files=[KitFile(name=f.name, type=f.type, size=len(f.content.encode())) for f in made])


@section.route(
    "GET",
    "/kit/{file}",
    roles=("reseller",),
    scope="brands:read",
    query=KitQuery,
    answers={200: "text/html"},
    example=Example({"file": "faq.html"}),
)
def get_kit_file(call: Call, file: str) -> Response:
    """A file of the kit in the brand that is asked for."""
    found = next((f for f in _kit(call).files() if f.name == file), None)
    if found is None:
        raise ServiceError("not_found", "There is no such file in the kit.")
    return _text(found.content, found.type)


@section.route(
    "GET", "/kit.zip", roles=("reseller",), scope="brands:read", query=KitQuery, answers={303: None}
)
def get_kit_archive(call: Call) -> Response:
    """All of the kit: a redirect to a zip, valid for five minutes."""
    key = files.archive(_kit(call))
    url = call.platform.blobs.url(key, name="kit.zip", type="application/zip")
    return Response("", {"Location": url, "Cache-Control": "no-store"}, 303)


def _text(content: str, kind: str) -> Response:
    return Response(content, {"Content-Type": kind, "Content-Security-Policy": POLICY}, 200)


# --------------------------------------------------------------------------------- under a domain's own hosts
class AddressQuery(Query):
    """Whose set-up it is."""

    address: str = ""


@section.route(
    "GET",
    "/setup/{client}",
    roles=("public",),
    query=AddressQuery,
    answers={200: "text/html"},
    example=Example({"client": "thunderbird"}, query={"address": "ann@x.test"}),
)
def show_setup(call: Call, client: str) -> Response:
    """How a mail client is set up for the domain whose host is asked, or of the address that is given."""
    s = clientsetup.setup(call.platform, auth.host(call.request), call.query.address)
    if client not in CLIENTS:
        raise ServiceError("not_found", "There is no page for this client.")
    return _text(files.for_users(call.platform, s).client(client), files.HTML)


@section.route(
    "GET",
    "/setup/profile",
    roles=("public",),
    query=AddressQuery,
    answers={200: "application/x-apple-aspen-config"},
    errors=("not_found",),
    example=Example(query={"address": "ann@x.test"}),
)
def show_profile(call: Call) -> Response:
    """A profile that sets up Apple devices for an address; there is no password in it."""
    address = call.query.address
    s = clientsetup.setup(call.platform, auth.host(call.request), address)
    headers: Headers = {
        "Content-Type": "application/x-apple-aspen-config",
        "Content-Disposition": f'attachment; filename="{s.domain}.mobileconfig"',
    }
    return Response(clientsetup.mobileconfig(s, address).decode(), headers, 200)


@routes.route("/mail/config-v1.1.xml", methods=["GET"])
@endpoint
def autoconfig() -> Response:
    """What Thunderbird asks autoconfig.<domain> for."""
    return _autoconfig()


@routes.route("/.well-known/autoconfig/mail/config-v1.1.xml", methods=["GET"])
@endpoint
def wellknown_autoconfig() -> Response:
    """The same under the domain's own name."""
    return _autoconfig()


def _autoconfig() -> Response:
    request = routes.current_request
    query: Mapping[str, str] = request.query_params or {}
    address = query.get("emailaddress", "")
    found = clientsetup.setup(platform(), auth.host(request), address)
    return Response(clientsetup.autoconfig(found), XML, 200)


@routes.route("/autodiscover/autodiscover.xml", methods=["GET", "POST"], content_types=XML_TYPES)
@endpoint
def autodiscover() -> Response:
    """What Outlook asks autodiscover.<domain> for."""
    return _autodiscover()


@routes.route("/Autodiscover/Autodiscover.xml", methods=["GET", "POST"], content_types=XML_TYPES)
@endpoint
def autodiscover_capital() -> Response:
    """The same as some releases spell it."""
    return _autodiscover()


def _autodiscover() -> Response:
    request = routes.current_request
    raw = request.raw_body if request.method == "POST" else b""
    address = clientsetup.asked_address(raw if isinstance(raw, bytes) else raw.encode())
    found = clientsetup.setup(platform(), auth.host(request), address)
    return Response(clientsetup.autodiscover(found, address), XML, 200)
