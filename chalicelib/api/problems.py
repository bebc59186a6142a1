"""Refusals in the OpenAPI document: which an operation can give, and their schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.api.errors import PROBLEM, STATUS, document
from chalicelib.api.rest import Operation
from chalicelib.rules.errors import Kind

Json = dict[str, Any]
UNSUPPORTED = "unsupported_media_type"
WORDS = {
    400: "The request is malformed: its body is no JSON, or its query is not right.",
    401: "No valid key or session.",
    403: "The key or session does not cover this.",
    404: "There is no such thing, or it is somebody else's.",
    409: "It does not go together with what is there.",
    412: "It is not as If-Match or If-None-Match says.",
    413: "The body is too large.",
    415: "The body is of another type than this takes.",
    422: "The body does not have the right shape, or asks for what cannot be; `errors` points at each fault.",
    429: "Too often. Retry-After says when to come again.",
    503: "Too busy just now. Please try again in a moment.",
}
NUMBER: Json = {"type": ["number", "null"]}
PROBLEM_SCHEMAS: Json = {
    "Problem": {
        "type": "object",
        "description": "Why a request was refused (RFC 9457). Members beyond these may come with time.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": {"type": "string", "const": "about:blank"},
            "title": {"type": "string", "description": "The status in words."},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "For programs."},
            "detail": {"type": "string", "description": "For the person who caused it."},
            "request_id": {"type": "string", "description": "Name it when you ask for help."},
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemFault"}},
            "limit": NUMBER | {"description": "The limit that was met."},
            "used": NUMBER,
            "remaining": NUMBER,
            "unit": {"type": "string"},
            "resets_at": {"type": ["string", "null"], "description": "When there is room again."},
            "retry_after": {"type": "integer", "description": "Seconds; the header Retry-After has it too."},
        },
    },
    "ProblemFault": {
        "type": "object",
        "description": "One wrong field.",
        "required": ["pointer", "detail"],
        "additionalProperties": False,
        "properties": {
            "pointer": {"type": "string", "description": "RFC 6901, into the body or the query."},
            "detail": {"type": "string"},
        },
    },
}
SESSION_KINDS: tuple[Kind, ...] = ("domain_pending", "domain_suspended", "account_suspended")


def kinds_of(operation: Operation) -> set[str]:
    """Every code that an operation may refuse with: those it declares, and those that follow from it."""
    how, role = operation.how, operation.role
    kinds: set[str] = {"unavailable", *how.get("errors", ())}
    takes_body = any(part in how for part in ("body", "rows", "raw"))
    if takes_body:
        kinds |= {"bad_request", "too_large", "invalid", UNSUPPORTED}
    if "query" in how:
        kinds.add("bad_request")
    if "{" in operation.path or how.get("within") in ("domain", "mailbox"):
        kinds.add("not_found")
    if role != "public":
        kinds |= {"unauthenticated", "forbidden"}
    if role in ("admin", "user"):
        kinds |= set(SESSION_KINDS)
    if operation.method == "POST" and operation.repeat in ("same", "refused"):
        kinds |= {"bad_request", "conflict", "idempotency_mismatch"}
    return kinds


def status_of(kind: str) -> int:
    """The status that a code goes with."""
    known: Mapping[Any, int] = STATUS
    return known.get(kind, 415)


class ProblemResponses:
    """Responses of refusals, each written once among the components and referred to."""

    def __init__(self) -> None:
        self.made: Json = {}

    def of(self, kinds: set[str]) -> dict[str, Json]:
        """By status, for the codes of one operation."""
        by_status: dict[int, list[str]] = {}
        for kind in sorted(kinds):
            by_status.setdefault(status_of(kind), []).append(kind)
        return {str(status): self._response(status, codes) for status, codes in by_status.items()}

    def _response(self, status: int, codes: list[str]) -> Json:
        name = "".join(part.title() for part in "_".join(codes).split("_"))
        self.made.setdefault(name, _response(status, codes))
        return {"$ref": f"#/components/responses/{name}"}


def _response(status: int, codes: list[str]) -> Json:
    shape = {"properties": {"code": {"enum": codes}, "status": {"const": status}}}
    example = {**document(status, codes[0], WORDS[status]), "request_id": "5f1c9a"}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, shape]}
    made: Json = {"description": WORDS[status], "content": {PROBLEM: {"schema": schema, "example": example}}}
    if headers := dict(_headers(status)):
        made["headers"] = headers
    return made


def _headers(status: int) -> Iterator[tuple[str, Json]]:
    if status == 401:
        yield "WWW-Authenticate", {"description": "RFC 6750.", "schema": {"type": "string"}}
    if status in (409, 429, 503):
        yield (
            "Retry-After",
            {"description": "Seconds to wait, where waiting helps.", "schema": {"type": "integer"}},
        )
