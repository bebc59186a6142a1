"""The mailbox API's routes: session, requests, uploads, downloads (RFC 8620 §2, §3 and §6)."""

import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import unquote

from chalice.app import Blueprint, Request, Response

from chalicelib.api import auth
from chalicelib.api.errors import PROBLEM, Headers, endpoint, problem
from chalicelib.jmap import blobs, core, session
from chalicelib.jmap.errors import RequestError
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Account
from chalicelib.services.platform import platform

routes = Blueprint(__name__)

P = ParamSpec("P")
ANY = ["*/*"]
OPEN: Headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
ALLOWED: Headers = {
    **OPEN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "86400",
}
_HOST = re.compile(r"[a-z0-9.-]{1,253}(:\d{1,5})?")


def answer(status: int, body: Any) -> Response:
    """JSON, not escaped to ASCII: that would double what is not Latin script."""
    kind = PROBLEM if status >= 400 else "application/json"
    return Response(json.dumps(body, ensure_ascii=False), {"Content-Type": kind}, status)


def edge_url(request: Request) -> str:
    """The origin that the browser or client used, as the edge says it; empty beside the edge."""
    host = auth.forwarded(request, "x-forwarded-host").lower()
    scheme = (auth.forwarded(request, "x-forwarded-proto") or "https").split(",")[0].strip()
    if _HOST.fullmatch(host) and scheme in ("http", "https"):
        return f"{scheme}://{host}"
    return ""


def base_url(request: Request) -> str:
    """The origin of all addresses that a client is told."""
    return edge_url(request) or platform().settings.public_url


def for_pages(method: str) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """A route that a page of any origin may use, as JMAP clients in browsers do. Nothing is at stake by that:
    no cookie logs anybody in here, only what the page itself puts into Authorization.
    """

    def open_to_pages(route: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(route)
        def wrapped(*args: P.args, **path: P.kwargs) -> Response:
            if routes.current_request.method == "OPTIONS":
                return Response("", {**ALLOWED, "Access-Control-Allow-Methods": method}, 204)
            response = route(*args, **path)
            response.headers.update(OPEN)
            return response

        return wrapped

    return open_to_pages


def _refusal(error: ServiceError, request: Request) -> Response:
    """As the REST API refuses; clients that did not try a token are told that a password will do.

    Ours always tries one: a browser must not open its own password prompt over our page.
    """
    refused = problem(error)
    given = str(request.headers.get("authorization") or "").lower()
    if refused.status_code == 401 and not given.startswith("bearer"):
        refused.headers["WWW-Authenticate"] = 'Basic realm="mail", charset="UTF-8"'
    return refused


def for_account(route: Callable[Concatenate[Request, Account, P], Response]) -> Callable[..., Response]:
    """A route for whoever is logged in; an `account_id` in its path must be theirs."""

    @wraps(route)
    def wrapped(account_id: str | None = None, *args: P.args, **path: P.kwargs) -> Response:
        request: Request = routes.current_request
        try:
            account = auth.account(request)
            if account_id not in (None, account.id):
                raise ServiceError("not_found", "There is no such account.")
            return route(request, account, *args, **path)
        except ServiceError as error:
            return _refusal(error, request)

    return endpoint(wrapped)


def _body(request: Request) -> bytes:
    """The octets of the body, as they were sent."""
    raw = request.raw_body
    return raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")


# ---------------------------------------------------------------------- routes
@routes.route("/.well-known/jmap", methods=["GET", "OPTIONS"])  # RFC 8620 §2.2, without a redirect:
@routes.route("/jmap/session", methods=["GET", "OPTIONS"])  # clients lose their credentials on one
@for_pages("GET")
@for_account
def session_object(request: Request, account: Account) -> Response:
    """What this server can do for the account."""
    largest = platform().figures.max_message_bytes
    told = answer(200, session.session(account, base_url(request), largest))
    told.headers["Cache-Control"] = "no-cache, no-store, must-revalidate"  # as RFC 8620 §2 words it
    return told


@routes.route("/jmap/api", methods=["POST", "OPTIONS"], content_types=ANY)
@for_pages("POST")
@for_account
def requests(request: Request, account: Account) -> Response:
    """A request of method calls."""
    kind = str(request.headers.get("content-type") or "").partition(";")[0]
    if kind.strip().lower() != "application/json":
        return answer(400, RequestError("notJSON", "The content type must be application/json.").problem)
    source = auth.source(request)
    status, body = core.handle(platform(), account, _body(request), base_url(request), source)
    return answer(status, body)


@routes.route("/jmap/upload/{account_id}", methods=["POST", "OPTIONS"], content_types=ANY)
@for_pages("POST")
@for_account
def upload(request: Request, account: Account) -> Response:
    """A blob of at most maxSizeUpload octets (RFC 8620 §6.1)."""
    kind = str(request.headers.get("content-type") or "application/octet-stream")
    return answer(201, blobs.upload(platform(), account, _body(request), kind))


@routes.route("/jmap/upload-url/{account_id}", methods=["POST", "OPTIONS"], content_types=ANY)
@for_pages("POST")
@for_account
def upload_url(request: Request, account: Account) -> Response:
    """An address for a larger blob: our extension, docs/jmap.md."""
    try:
        wanted = core.read_json(_body(request))
    except RequestError as error:
        return answer(400, error.problem)
    fields = wanted if isinstance(wanted, dict) else {}
    return answer(200, blobs.upload_slot(platform(), account, fields.get("size"), fields.get("type")))


@routes.route("/jmap/download/{account_id}/{blob_id}/{name}", methods=["GET", "OPTIONS"])
@for_pages("GET")
@for_account
def download(request: Request, account: Account, blob_id: str, name: str) -> Response:
    """A redirect to the blob, good for five minutes (RFC 8620 §6.2): where the edge serves blobs, as clients
    follow to no other host.
    """
    query: Mapping[str, str] = request.query_params or {}
    kind = query.get("type") or "application/octet-stream"
    origin = edge_url(request)
    under = f"{origin}/blobs" if origin else ""
    url = blobs.download_url(platform(), account, unquote(blob_id), unquote(name), kind, under)
    headers: Headers = {"Location": url, "Cache-Control": "private, no-store"}
    return Response("", headers, 302)


@routes.route("/jmap/events", methods=["GET", "OPTIONS"])
@for_pages("GET")
def events() -> Response:
    """RFC 8620 §7.3: connections cannot be held here. 204 tells browsers not to ask again: clients poll."""
    return Response("", {}, 204)
