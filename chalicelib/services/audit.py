"""Every change is written down with who, what, before and after, from where (S40), in its own transaction."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from chalicelib.aws import clock
from chalicelib.aws.table import Put
from chalicelib.rules.journal import Event, differing
from chalicelib.rules.values import Caller
from chalicelib.store.journal import event_put

_last = (0, 0)  # of this process: millisecond and number
_lock = Lock()


def _id(now: datetime) -> str:
    """Sorts by time; within a millisecond, ids of one process sort as they were made."""
    global _last
    moment = int(now.timestamp() * 1000)
    with _lock:
        number = _last[1] + 1 if _last[0] == moment else secrets.randbits(47)
        _last = (moment, number)
    return f"e{moment:013d}{number:012x}"


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
    return event_put(
        Event(_id(now), now, type, subject, reseller, domain, caller.actor, caller.source, was, becomes)
    )
