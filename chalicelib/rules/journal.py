"""What has changed, told to who may know it (S40): one value for the audit, the events and the webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SECRETS = frozenset({"password", "hash", "secret", "token", "key"})


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `type` is resource.verb ("mailbox.created"); `subject` names what changed, in full.

    `before` and `after` hold the fields that changed, as the API shows them. `id` sorts by time.
    `reseller` "": the operator's own affair. `domain` "": not about one domain.
    """

    id: str
    at: datetime
    type: str
    subject: str
    reseller: str
    domain: str
    actor: str
    source: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that changed, on both sides; a secret is named, never shown."""
    names = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    return (
        {n: _shown(n, before[n]) for n in names if n in before},
        {n: _shown(n, after[n]) for n in names if n in after},
    )


def _shown(name: str, value: Any) -> Any:
    return "(not shown)" if name in SECRETS and value is not None else value
