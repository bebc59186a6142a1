"""What anybody may read: whether the service is up, and the brand of the host that was asked (S1)."""

from chalice.app import Blueprint

from chalicelib.api.auth import host
from chalicelib.api.rest import Call, Example, Out, Reply, Section
from chalicelib.services import brands

routes = Blueprint(__name__)
section = Section("Public", routes)
BRAND_CACHE = {"Cache-Control": "public, max-age=300", "Vary": "Host, X-Forwarded-Host"}


class StatusOut(Out):
    """That requests are answered."""

    status: str


class ColorsOut(Out):
    """CSS colours."""

    primary: str
    accent: str


class SupportOut(Out):
    """Whom users turn to; empty where the brand does not say."""

    email: str
    url: str


class PublicBrandOut(Out):
    """A brand as pages read it. `logo`: an address or a data: URL, empty where there is none."""

    product: str
    logo: str
    colors: ColorsOut
    support: SupportOut
    help_url: str


@section.route("GET", "/status", roles=("public",), answers={200: StatusOut}, example=Example())
def alive(_call: Call) -> StatusOut:
    """Whether requests are answered. Touches nothing else."""
    return StatusOut(status="ok")


@section.route(
    "GET", "/brand.json", roles=("public",), within="root", answers={200: PublicBrandOut}, example=Example()
)
def brand_of_host(call: Call) -> Reply:
    """The brand of the host that was asked: what pages call themselves, and how they look."""
    found = brands.of_host(call.platform, host(call.request))
    shown = PublicBrandOut(
        product=found.product,
        logo=brands.logo(call.platform, found),
        colors=ColorsOut(primary=found.primary, accent=found.accent),
        support=SupportOut(email=found.support_email, url=found.support_url),
        help_url=found.help_url,
    )
    return Reply(shown, headers=BRAND_CACHE)
