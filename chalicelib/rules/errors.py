"""One error tree for the service; each protocol owns a table from kind to its own code."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "bad_request",
    "invalid",
    "bad_credentials",
    "second_factor_required",
    "app_password_required",
    "unauthenticated",
    "forbidden",
    "not_found",
    "conflict",
    "precondition_failed",
    "idempotency_mismatch",
    "throttled",
    "domain_pending",
    "domain_suspended",
    "account_suspended",
    "sending_paused",
    "imap_off",
    "over_quota",
    "too_large",
    "too_many_recipients",
    "rate_limited",
    "no_recipients",
    "invalid_recipients",
    "forbidden_from",
    "invalid_message",
    "forbidden_attachment",
    "virus",
    "state_mismatch",
    "cannot_calculate_changes",
    "unavailable",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field: RFC 6901 pointer into the request, and what to do about it."""

    pointer: str
    detail: str


@dataclass
class ServiceError(Exception):
    """A refusal with its reason, worded for the person who caused it (S1: names no operator).

    `extra` carries numbers a client may use: limit, used, remaining, resets_at, retry_after.
    """

    kind: Kind
    detail: str
    faults: tuple[Fault, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"
