"""Refusals as RFC 9457 problem documents, whoever refuses: a service, a model, Chalice or a bug."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec

from chalice.app import Chalice, Request, Response

from chalicelib.aws.log import logger
from chalicelib.rules.errors import Kind, ServiceError

P = ParamSpec("P")
Headers = dict[str, str | list[str]]
PROBLEM = "application/problem+json"

STATUS: dict[Kind, int] = {
    "bad_request": 400,
    "bad_credentials": 401,
    "second_factor_required": 401,
    "app_password_required": 401,
    "unauthenticated": 401,
    "forbidden": 403,
    "forbidden_from": 403,
    "domain_pending": 403,
    "domain_suspended": 403,
    "account_suspended": 403,
    "sending_paused": 403,
    "imap_off": 403,
    "not_found": 404,
    "conflict": 409,
    "over_quota": 409,
    "state_mismatch": 409,
    "cannot_calculate_changes": 409,
    "precondition_failed": 412,
    "too_large": 413,
    "invalid": 422,
    "idempotency_mismatch": 422,
    "too_many_recipients": 422,
    "no_recipients": 422,
    "invalid_recipients": 422,
    "invalid_message": 422,
    "forbidden_attachment": 422,
    "virus": 422,
    "throttled": 429,
    "rate_limited": 429,
    "unavailable": 503,
}
#: What Chalice itself refuses, in its own words, to ours.
CODES = {
    400: ("bad_request", "The request is malformed."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This method is not known here."),
    415: ("unsupported_media_type", "The body must be of a type that this address takes."),
    500: ("internal", "Something went wrong here. It has been noted; please try again later."),
}


def document(status: int, code: str, detail: str) -> dict[str, Any]:
    """The members every problem has. `type` is "about:blank" (RFC 9457 §4.2.1): `code` tells them apart."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}


def problem_document(error: ServiceError) -> dict[str, Any]:
    """A service's refusal: numbers that it gives become members."""
    body = {**error.extra, **document(STATUS[error.kind], error.kind, error.detail)}
    if error.faults:
        body["errors"] = [{"pointer": f.pointer, "detail": f.detail} for f in error.faults]
    return body


def problem(error: ServiceError) -> Response:
    """A service's refusal; a waiting time is Retry-After too."""
    status, body = STATUS[error.kind], problem_document(error)
    headers: Headers = {"Content-Type": PROBLEM}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in error.extra or status == 503:
        headers["Retry-After"] = str(error.extra.get("retry_after", 1))
    return Response(body, headers, status)


def endpoint(view: Callable[P, Any]) -> Callable[P, Any]:
    """A view whose refusals are problems, and whose bugs are logged and say nothing."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return view(*args, **kwargs)
        except ServiceError as error:
            return problem(error)
        except Exception:
            logger.exception("a route failed", extra={"route": view.__name__})
            return _plain(500)

    return guarded


def _plain(status: int) -> Response:
    code, detail = CODES.get(status, ("error", HTTPStatus(status).phrase))
    return Response(document(status, code, detail), {"Content-Type": PROBLEM}, status)


def _ours(response: Response) -> Response:
    """Chalice's own refusals ({"Code": …, "Message": …}) in our form; all else as it is."""
    body = response.body
    if response.status_code < 400 or not (isinstance(body, dict) and {"Code", "Message"} <= set(body)):
        return response
    return _plain(response.status_code)


def guard(app: Chalice) -> Callable[[Request | None, Callable[[Any], Response]], Response]:
    """The middleware around every route: unknown paths, Chalice's refusals, request ids, safe headers."""

    def guarded(request: Request | None, answer: Callable[[Any], Response]) -> Response:
        methods = app.routes.get(request.path) if request is not None else None
        head = request is not None and request.method == "HEAD"
        if request is not None and head:  # RFC 9110 §9.3.2; Chalice chooses the view by the event's own dict
            request.context["httpMethod"] = "GET"
        response = _ours(answer(request)) if methods else _plain(404)
        if methods and response.status_code == 405:
            response.headers["Allow"] = ", ".join(sorted({*methods, "HEAD"} if "GET" in methods else methods))
        if isinstance(response.body, dict) and response.headers.get("Content-Type") == PROBLEM:
            context = request.context if request is not None else {}
            response.body.setdefault("request_id", str(context.get("requestId", "")))
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if head:
            response.body = ""
        return response

    return guarded
