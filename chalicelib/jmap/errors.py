"""Errors of JMAP: of a request, of a method, of one object in a /set (RFC 8620 §3.6 and §5.3)."""

from collections.abc import Mapping
from typing import Any

from chalicelib.rules.errors import ServiceError

Json = dict[str, Any]

#: A refusal that concerns a whole method call. Kinds not named here have nothing to do with the mailbox API.
METHOD_TYPES: Mapping[str, str] = {
    "bad_request": "invalidArguments",
    "invalid": "invalidArguments",
    "forbidden": "forbidden",
    "not_found": "accountNotFound",
    "cannot_calculate_changes": "cannotCalculateChanges",
    "state_mismatch": "stateMismatch",
    "throttled": "serverUnavailable",
    "unavailable": "serverUnavailable",
}
#: A refusal that concerns one object of a /set (RFC 8620 §5.3, RFC 8621 §4.6 and §7.5).
SET_TYPES: Mapping[str, str] = {
    "bad_request": "invalidProperties",
    "invalid": "invalidProperties",
    "not_found": "notFound",
    "forbidden": "forbidden",
    "conflict": "forbidden",
    "over_quota": "overQuota",
    "too_large": "tooLarge",
    "rate_limited": "rateLimit",
    "throttled": "rateLimit",
    "too_many_recipients": "tooManyRecipients",
    "no_recipients": "noRecipients",
    "invalid_recipients": "invalidRecipients",
    "forbidden_from": "forbiddenFrom",
    "invalid_message": "invalidEmail",
    "forbidden_attachment": "invalidEmail",
    "virus": "invalidEmail",
    "account_suspended": "forbiddenToSend",
    "sending_paused": "forbiddenToSend",
    "domain_suspended": "forbiddenToSend",
    "domain_pending": "forbiddenToSend",
    "unavailable": "serverUnavailable",
}


#: Particulars of a refusal, which a client may show (RFC 8620 §5.3 allows further properties).
NUMBERS = {
    "existing": "existingId",
    "limit": "limit",
    "used": "used",
    "remaining": "remaining",
    "unit": "unit",
    "resets_at": "resetsAt",
}


class RequestError(Exception):
    """The request as a whole is refused: problem details (RFC 8620 §3.6.1)."""

    def __init__(self, type: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        urn = f"urn:ietf:params:jmap:error:{type}"
        self.problem: Json = {"type": urn, "status": 400, "detail": detail, **extra}


class MethodError(Exception):
    """A method call is refused (RFC 8620 §3.6.2)."""

    def __init__(self, type: str, description: str = "", **extra: Any) -> None:
        super().__init__(f"{type}: {description}")
        self.answer: Json = {"type": type, **({"description": description} if description else {}), **extra}


class SetError(Exception):
    """One object of a /set is refused (RFC 8620 §5.3)."""

    def __init__(self, type: str, description: str = "", **extra: Any) -> None:
        super().__init__(f"{type}: {description}")
        self.answer: Json = {"type": type, **({"description": description} if description else {}), **extra}


def invalid(description: str, *properties: str) -> SetError:
    """invalidProperties, naming them."""
    return SetError("invalidProperties", description, properties=list(properties))


class Faults:
    """Gathers invalidProperties of checks, each under a `with` of its own: a client learns of all at once.

    Errors of other types go their way: they say more (RFC 8620 §5.3).
    """

    def __init__(self) -> None:
        self._found: list[Json] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, SetError) or error.answer["type"] != "invalidProperties":
            return False
        self._found.append(error.answer)
        return True

    def refuse(self) -> None:
        """Raises SetError invalidProperties with all that was found, if anything was."""
        if self._found:
            said = dict.fromkeys(fault["description"] for fault in self._found)
            names = dict.fromkeys(name for fault in self._found for name in fault["properties"])
            raise invalid(" ".join(said), *names)


def check(wrong: Mapping[str, str]) -> None:
    """Raises SetError invalidProperties that names all of what is wrong, by property."""
    if wrong:
        told = " ".join(f"{name[:100]}: {detail}" for name, detail in wrong.items())
        raise invalid(told[:1_000], *wrong)


def method_error(error: ServiceError) -> Json:
    """A service's refusal as the answer to a method call."""
    kind = METHOD_TYPES.get(error.kind, "serverFail")
    return {"type": kind, "description": error.detail}


def set_error(error: ServiceError) -> Json:
    """A service's refusal as the answer for one object."""
    answer: Json = {"type": SET_TYPES.get(error.kind, "serverFail"), "description": error.detail}
    extra = error.extra
    if error.kind == "too_many_recipients":
        answer["maxRecipients"] = extra.get("limit")
    elif error.kind == "invalid_recipients":
        answer["invalidRecipients"] = list(extra.get("addresses", ()))
    elif error.kind == "too_large":
        answer["maxSize"] = extra.get("limit")
    elif error.kind in ("forbidden_attachment", "virus"):
        answer["properties"] = ["attachments"]
    elif error.kind == "forbidden_from" and extra.get("where") == "envelope":
        answer["type"] = "forbiddenMailFrom"
    if "reason" in extra:  # the RFC's own word for just this
        answer["type"] = extra["reason"]
    answer |= {name: extra[key] for key, name in NUMBERS.items() if key in extra}
    if "retry_after" in extra:
        answer["retryAfter"] = extra["retry_after"]
    if error.faults:
        answer["properties"] = [fault.pointer.strip("/").split("/")[0] for fault in error.faults]
    return answer
