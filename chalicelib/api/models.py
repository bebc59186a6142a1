"""Request bodies: their shape. What they mean is checked by the services."""

import json
from math import isfinite
from typing import Any, NoReturn, TypeVar

from chalice.app import MultiDict, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.services.orders import MailboxRequest, OrderRequest

LARGEST_BODY = 262_144  # bytes; blobs go elsewhere
LONGEST_QUERY = 1_000  # characters of one value
LARGEST_NUMBER = 2**63 - 1
M = TypeVar("M", bound=BaseModel)


class Body(BaseModel):
    """No guessing: a number in quotes is no number, and a field we do not know is a mistake to be told of."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MailboxIn(Body):
    """A mailbox of an order."""

    local: str
    password: str | None = None
    name: str = ""
    imap: bool = False
    storage_mb: int = 250
    admin: bool = False
    recovery_address: str | None = None


class OrderIn(Body):
    """POST /v1/orders."""

    domain: str
    mailboxes: list[MailboxIn] = Field(max_length=1_000)

    def request(self) -> OrderRequest:
        """For the service."""
        return OrderRequest(self.domain, tuple(MailboxRequest(**m.model_dump()) for m in self.mailboxes))


def octets(request: Request) -> bytes:
    """The body as it was sent. Raises ServiceError bad_request."""
    try:
        raw = request.raw_body
    except ValueError:  # no base64, or a lone surrogate
        raise ServiceError("bad_request", "The body is not in UTF-8.") from None
    return raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")


def parsed(request: Request, model: type[M]) -> M:
    """The request's body. Raises ServiceError: too_large, bad_request (no JSON), invalid (another shape)."""
    raw = octets(request)
    if len(raw) > LARGEST_BODY:
        numbers = {"limit": LARGEST_BODY, "used": len(raw), "unit": "bytes"}
        raise ServiceError("too_large", f"A body has at most {LARGEST_BODY} bytes.", extra=numbers)
    return validated(model, read_json(raw))


def read_json(raw: bytes) -> Any:
    """JSON in UTF-8 whose texts are text and whose numbers fit 64 bits. Raises ServiceError bad_request."""
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant, parse_int=_int, parse_float=_float)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is JSON, but no text
    except (ValueError, RecursionError):
        raise ServiceError("bad_request", "The body is not JSON in UTF-8.") from None
    if b"\\u0000" in raw and _has_nul(value):
        raise ServiceError("bad_request", "A text in the body holds a NUL character.")
    return value


def validated(model: type[M], value: Any) -> M:
    """A value as the model has it. Raises ServiceError invalid with a pointer to each fault."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = tuple(Fault(_pointer(e["loc"]), e["msg"]) for e in error.errors(include_input=False))
        raise ServiceError("invalid", "The body does not have the right shape.", faults) from None


def parsed_query(request: Request, model: type[M]) -> M:
    """What stands behind the question mark. Raises ServiceError bad_request naming what is wrong."""
    given = request.query_params or MultiDict({})
    try:
        return model.model_validate({name: _only(name, given.getlist(name)) for name in given})
    except ValidationError as error:
        wrong = error.errors(include_input=False)
        faults = tuple(Fault(_pointer(e["loc"]), e["msg"]) for e in wrong)
        named = ", ".join(str(e["loc"][0]) for e in wrong if e["loc"])
        raise ServiceError("bad_request", f"Not right behind the question mark: {named}.", faults) from None


def _only(name: str, values: list[str]) -> str:
    """The value of a name that is there once, as text that can be kept. Raises ServiceError bad_request."""
    text = values[-1]
    if len(values) > 1:
        raise ServiceError("bad_request", f"Behind the question mark, {name[:100]} may be there once.")
    if len(text) > LONGEST_QUERY or "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        detail = f"The value of {name[:100]} is no text of at most {LONGEST_QUERY} characters."
        raise ServiceError("bad_request", detail)
    return text


def _pointer(location: tuple[Any, ...]) -> str:
    """RFC 6901."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _int(text: str) -> int:
    if len(text) > 20 or not -LARGEST_NUMBER <= (number := int(text)) <= LARGEST_NUMBER:
        raise ValueError("too large a number")
    return number


def _float(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("too large a number")
    return number


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\0" in name or _has_nul(inner) for name, inner in value.items())
    if isinstance(value, list):
        return any(_has_nul(inner) for inner in value)
    return isinstance(value, str) and "\0" in value
