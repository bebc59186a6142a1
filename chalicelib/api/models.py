"""Request bodies: their shape. What they mean is checked by the services."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from chalice.app import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.services.orders import MailboxRequest, OrderRequest

LARGEST_BODY = 262_144  # bytes; blobs go elsewhere
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


class SessionIn(Body):
    """POST /v1/sessions."""

    address: str = Field(max_length=1_000)
    password: str = Field(max_length=1_000)


def parsed(request: Request, model: type[M]) -> M:
    """The request's body. Raises ServiceError: too_large, bad_request (no JSON), invalid (another shape)."""
    raw = request.raw_body
    if len(raw) > LARGEST_BODY:
        raise ServiceError("too_large", f"A body has at most {LARGEST_BODY} bytes.")
    try:
        value = json.loads(raw, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is JSON, but no text
    except (ValueError, RecursionError):
        raise ServiceError("bad_request", "The body is not JSON in UTF-8.") from None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = tuple(Fault(_pointer(e["loc"]), e["msg"]) for e in error.errors(include_input=False))
        raise ServiceError("invalid", "The body does not have the right shape.", faults) from None


def parsed_query(request: Request, model: type[M]) -> M:
    """What stands behind the question mark. Raises ServiceError bad_request naming what is wrong."""
    given: Mapping[str, str] = request.query_params or {}
    try:
        return model.model_validate({name: given[name] for name in given})
    except ValidationError as error:
        wrong = error.errors(include_input=False)
        faults = tuple(Fault(_pointer(e["loc"]), e["msg"]) for e in wrong)
        named = ", ".join(str(e["loc"][0]) for e in wrong if e["loc"])
        raise ServiceError("bad_request", f"Not right behind the question mark: {named}.", faults) from None


def _pointer(location: tuple[Any, ...]) -> str:
    """RFC 6901."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
