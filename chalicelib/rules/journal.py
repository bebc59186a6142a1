"""What has changed, told to who may know it (S40): one value for the audit, the events and the webhooks."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

#: Events younger than this are not given out to followers: one that was decided on earlier may still be on
#: its way into the table, and would be passed over by who has seen a later one.
SETTLES = timedelta(seconds=3)
_ID = re.compile(r"e[0-9]{13}[0-9a-f]{12}")
_TYPE = re.compile(r"[a-z][a-z_-]{0,30}\.([a-z][a-z_-]{0,30}|\*)|\*")
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


def is_id(text: str) -> bool:
    """Whether this can be an event's id."""
    return _ID.fullmatch(text) is not None


def ids_before(at: datetime) -> str:
    """What sorts after every id of an earlier moment, and before all others."""
    return f"e{max(0, int(at.timestamp() * 1000)):013d}"


def is_type(text: str) -> bool:
    """Whether this names events: "mailbox.created", "mailbox.*" or "*"."""
    return _TYPE.fullmatch(text) is not None


def of_types(event: Event, types: Collection[str]) -> bool:
    """Whether somebody who asks for these types wants this event; without types, all."""
    resource = event.type.partition(".")[0]
    return not types or bool({"*", event.type, f"{resource}.*"} & set(types))


def as_told(event: Event) -> Event:
    """An event for all but the operator, whose keys and machines are its own affair."""
    if event.actor.partition(":")[0] != "operator":
        return event
    return replace(event, actor="operator", source="")
