"""Log-in and log-out of people."""

from chalice.app import Blueprint, Response

from chalicelib.api.answers import moment
from chalicelib.api.auth import bearer, source
from chalicelib.api.errors import endpoint
from chalicelib.api.models import SessionIn, parsed
from chalicelib.services import signin
from chalicelib.services.platform import platform

routes = Blueprint(__name__)


@routes.route("/v1/sessions", methods=["POST"])
@endpoint
def open_session() -> Response:
    """201 with a token; a refusal says why, once the password was right (S5)."""
    request, p = routes.current_request, platform()
    body = parsed(request, SessionIn)
    where = source(request)
    account = signin.authenticate(p, body.address, body.password, door="webmail", source=where)
    opened = signin.open_session(p, account, where)
    answer = {
        "token": opened.token,
        "account_id": account.id,
        "address": account.address,
        "name": account.name,
        "expires_at": moment(opened.expires_at),
    }
    return Response(answer, {"Content-Type": "application/json"}, 201)


@routes.route("/v1/sessions", methods=["DELETE"])
@endpoint
def close_session() -> Response:
    """204: the token of this request opens nothing any more."""
    token = bearer(routes.current_request)
    signin.session(platform(), token)
    signin.close_session(platform(), token)
    return Response("", {}, 204)
