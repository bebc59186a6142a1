"""How programs and people read what the API does: the OpenAPI document, and a page that shows it."""

from functools import cache
from hashlib import sha256

from chalice.app import Blueprint, Request, Response

from chalicelib.api import answers, openapi, reference
from chalicelib.api.errors import Headers
from chalicelib.api.rest import JSON, Call, Example, Section

routes = Blueprint(__name__)
section = Section("Reference", routes)
CACHE = "public, max-age=300"


@cache
def _tag(text: str) -> str:
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def _text(request: Request, text: str, headers: Headers) -> Response:
    """A text that is the same for everybody, or 304 where the caller has it."""
    sent: Headers = {"ETag": _tag(text), "Cache-Control": CACHE, **headers}
    if answers.has(request, _tag(text)):
        return Response("", sent, 304)
    return Response(text, sent, 200)


@section.route("GET", "/openapi.json", roles=("public",), answers={200: JSON, 304: None}, example=Example())
def openapi_document(call: Call) -> Response:
    """This document, for programs."""
    return _text(call.request, openapi.text(), {"Content-Type": JSON})


@section.route("GET", "/docs", roles=("public",), answers={200: "text/html", 304: None}, example=Example())
def reference_page(call: Call) -> Response:
    """This document, for people."""
    html = reference.page()
    policy: Headers = {"Content-Security-Policy": reference.policy(), "Referrer-Policy": "no-referrer"}
    return _text(call.request, html, {"Content-Type": "text/html; charset=utf-8", **policy})
