"""API Gateway and the edge before it: an HTTP request as a REST proxy event, the function's answer back.

Limits as on AWS: 10 MB a request, 6 MB an invocation. Every body travels as base64, for the API's
binary media types are `*/*`; the browser's host travels in X-Forwarded-Host.
"""

import base64
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.engine import ACCOUNT, REGION
from local.httpd import Request, Response
from local.lambdas import FunctionError

MAX_BODY = 10 * 1_048_576
STAGE = "api"
BROKEN = "Something went wrong here. It has been noted; please try again later."
DOMAIN = f"local.execute-api.{REGION}.amazonaws.com"

Json = dict[str, Any]
Routes = Callable[[], dict[str, dict[str, Any]]]  # resource path → method → anything
Invoke = Callable[[Json], Any]


class ApiGateway:
    """Requests for the function behind the API. `routes` is the app's, asked for at each request."""

    def __init__(self, routes: Routes, invoke: Invoke, now: Callable[[], float], secret: str = "") -> None:
        self._routes, self._invoke, self._now, self._secret = routes, invoke, now, secret

    def answer(self, request: Request) -> Response:
        """One request, as API Gateway would answer it."""
        if len(request.body) > MAX_BODY:
            return _problem(413, "too_large", "The body is too large.")
        found = match(self._routes(), request.path)
        if found is None:
            return _problem(404, "not_found", "There is nothing here.")
        resource, captured = found
        try:
            answer = self._invoke(event(request, resource, captured, self._now(), self._secret))
        except FunctionError as error:
            return _failure(error)
        return response(answer)


def match(routes: dict[str, dict[str, Any]], path: str) -> tuple[str, dict[str, str]] | None:
    """The resource whose path fits best (a literal segment before a variable), and its variables. The app
    knows every method of each (ANY), and refuses those it does not have.
    """
    given = path.rstrip("/").split("/") if path != "/" else [""]
    fitting: list[tuple[list[bool], str, dict[str, str]]] = []
    for resource in routes:
        wanted = resource.split("/") if resource != "/" else [""]
        if len(wanted) != len(given):
            continue
        variable = [part.startswith("{") for part in wanted]
        pairs = list(zip(variable, wanted, given, strict=True))
        if all(got if free else want == got for free, want, got in pairs):
            fitting.append(
                (variable, resource, {want[1:-1]: unquote(got) for free, want, got in pairs if free})
            )
    return min(fitting)[1:] if fitting else None


def event(request: Request, resource: str, captured: dict[str, str], now: float, secret: str = "") -> Json:
    """The event of the REST API's Lambda proxy integration (payload format 1.0)."""
    headers = _edge_headers(request, secret)
    query = parse_qsl(request.query, keep_blank_values=True)
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": captured or None,
        "stageVariables": None,
        "requestContext": _context(request, resource, now),
        "body": base64.b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def _edge_headers(request: Request, secret: str) -> list[tuple[str, str]]:
    """What CloudFront and infra/edge.js make of the browser's headers."""
    own = {
        "host",
        "connection",
        "transfer-encoding",
        "x-forwarded-host",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-origin-secret",
    }
    kept = [(name, value) for name, value in request.headers if name.lower() not in own]
    if not request.header("accept"):
        kept.append(("Accept", "*/*"))
    return [
        *kept,
        ("Host", DOMAIN),
        ("X-Forwarded-Host", request.header("host").lower()),
        ("X-Forwarded-For", f"{request.source}, 127.0.0.1"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", "80"),
        ("X-Origin-Secret", secret),
    ]


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def _context(request: Request, resource: str, now: float) -> Json:
    request_id = str(uuid.uuid4())
    nothing = ("cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "accessKey", "user")
    more = ("cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "principalOrgId")
    return {
        "resourceId": "local",
        "resourcePath": resource,
        "httpMethod": request.method,
        "extendedRequestId": request_id,
        "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "path": f"/{STAGE}{request.path}",
        "accountId": ACCOUNT,
        "protocol": "HTTP/1.1",
        "stage": STAGE,
        "domainPrefix": "local",
        "requestTimeEpoch": round(now * 1000),
        "requestId": request_id,
        "identity": {
            **dict.fromkeys((*nothing, *more)),
            "sourceIp": request.source,
            "userAgent": request.header("user-agent") or None,
        },
        "domainName": DOMAIN,
        "apiId": "local",
    }


def response(answer: Json) -> Response:
    """The function's answer; 502 when it is none that API Gateway would take."""
    try:
        status, body = int(answer["statusCode"]), answer.get("body") or ""
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
        headers = _headers(answer)
    except (KeyError, TypeError, ValueError):
        return _problem(502, "internal", BROKEN)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Response(status, content, headers)


def _headers(answer: Json) -> list[tuple[str, str]]:
    """Multi-value headers win over single ones of the same name."""
    multiple = answer.get("multiValueHeaders") or {}
    names = {name.lower() for name in multiple}
    pairs: list[tuple[str, Sequence[Any]]] = list(multiple.items())
    pairs += [(n, [v]) for n, v in (answer.get("headers") or {}).items() if n.lower() not in names]
    return [(name, str(value)) for name, values in pairs for value in values]


def _failure(error: FunctionError) -> Response:
    kind = str(error.payload.get("errorType", ""))
    if kind == "Function.RequestSizeTooLarge":
        return _problem(413, "too_large", "The body is too large.")
    if kind == "Sandbox.Timedout":
        return _problem(504, "internal", BROKEN)
    return _problem(502, "internal", BROKEN)


def _problem(status: int, code: str, detail: str) -> Response:
    """As the gateway responses in infra/functions.yaml say it."""
    request_id = str(uuid.uuid4())
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail, "request_id": request_id}
    headers = (("Content-Type", "application/problem+json"), ("x-amzn-RequestId", request_id))
    return Response(status, json.dumps(body).encode(), headers)
