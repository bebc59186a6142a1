"""What the REST API answers: documents of orders, domains and mailboxes; pages and entity tags."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.errors import Headers
from chalicelib.rules.errors import ServiceError

Json = dict[str, Any]
PAGE, LARGEST_PAGE = 50, 200
LONGEST_PLACE = 500  # bytes: half of a sort key


def moment(at: datetime | None) -> str | None:
    """RFC 3339, in UTC, to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


# ------------------------------------------------------------------------------------------ pages and tags
def page_of(request: Request) -> tuple[int, str]:
    """`limit` and the place that `cursor` stands for. Raises ServiceError bad_request."""
    given: Mapping[str, str] = request.query_params or {}
    text = given.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        raise ServiceError("bad_request", f"limit is a number from 1 to {LARGEST_PAGE}.")
    return int(text), _place(given.get("cursor", ""))


def cursor(place: str) -> str | None:
    """An opaque cursor for a place to go on after; None where there is no more."""
    return base64.urlsafe_b64encode(f"1 {place}".encode()).decode().rstrip("=") if place else None


def _place(text: str) -> str:
    if not text:
        return ""
    try:
        version, _, place = (
            base64.b64decode(text + "=" * (-len(text) % 4), b"-_", True).decode().partition(" ")
        )
    except (binascii.Error, ValueError):
        version, place = "", ""
    if version != "1" or not place or len(place.encode()) > LONGEST_PLACE:
        raise ServiceError("bad_request", "cursor is not one that was given out here.")
    return place


def tag(body: Json) -> str:
    """The entity tag of a document."""
    return f'"{sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]}"'


def _tags(request: Request, header: str) -> list[str]:
    given = [t.strip() for t in str(request.headers.get(header) or "").split(",")]
    return [t.removeprefix("W/") if header == "if-none-match" else t for t in given if t]


def check_tags(request: Request, present: Json | None) -> None:
    """RFC 9110 §13.1.1 and §13.1.2 for a change; `present` None: nothing there.

    Raises ServiceError precondition_failed.
    """
    wanted, unwanted = _tags(request, "if-match"), _tags(request, "if-none-match")
    own = tag(present) if present is not None else None
    if wanted and not (own if wanted == ["*"] else own in wanted):
        raise ServiceError("precondition_failed", "It is not as If-Match says: read it again first.")
    if unwanted and (own is not None if unwanted == ["*"] else own in unwanted):
        raise ServiceError("precondition_failed", "It is there already, which If-None-Match rules out.")


def has(request: Request, own: str) -> bool:
    """Whether the client has what carries this entity tag (If-None-Match of a read)."""
    known = _tags(request, "if-none-match")
    return own in known or known == ["*"]


def tagged(request: Request, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    """A document with its entity tag; 304 where the client has it (RFC 9110 §13.1.2)."""
    own = tag(body)
    sent: Headers = {"ETag": own, "Cache-Control": "private, no-cache", **(headers or {})}
    if has(request, own):
        return Response("", sent, 304)
    return Response(body, {"Content-Type": "application/json", **sent}, 200)
