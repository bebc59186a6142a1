"""Every change is written down with who, what, before and after, from where (S40), in its own transaction."""

import secrets
from collections.abc import Mapping
from typing import Any

from chalicelib.aws import clock
from chalicelib.aws.table import Put
from chalicelib.rules.journal import Event, differing
from chalicelib.rules.values import Caller
from chalicelib.store.journal import event_put


def note(
    caller: Caller,
    type: str,
    subject: str,
    *,
    reseller: str,
    domain: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> Put:
    """The write that tells of a change: it goes into the change's own transaction."""
    now = clock.now()
    was, becomes = differing(before or {}, after or {})
    id = f"e{int(now.timestamp() * 1000):013d}{secrets.token_hex(6)}"
    return event_put(
        Event(id, now, type, subject, reseller, domain, caller.actor, caller.source, was, becomes)
    )
