"""What anybody may read: whether the service is up, and the brand of the host that was asked (S1)."""

from chalice.app import Blueprint, Response

from chalicelib.api import answers
from chalicelib.api.auth import host
from chalicelib.api.errors import endpoint
from chalicelib.services import brands
from chalicelib.services.platform import platform

routes = Blueprint(__name__)
BRAND_CACHE = {"Cache-Control": "public, max-age=300", "Vary": "Host, X-Forwarded-Host"}


@routes.route("/v1/status", methods=["GET"])
@endpoint
def status() -> dict[str, str]:
    """That requests are answered. Touches nothing else."""
    return {"status": "ok"}


@routes.route("/brand.json", methods=["GET"])
@endpoint
def brand() -> Response:
    """What the pages call themselves, and how they look."""
    request = routes.current_request
    found = brands.of_host(platform(), host(request))
    return answers.tagged(request, answers.brand(found, brands.logo(platform(), found)), BRAND_CACHE)
