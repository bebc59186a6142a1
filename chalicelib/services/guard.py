"""The guard against stolen mailboxes: counts as mail is sent and bounces, pauses sending before a complaint.

It only asks for the pause, by the arrivals queue: services/abuse puts it, in one place, and tells about it.
"""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import pause
from chalicelib.rules import guard as rules
from chalicelib.rules.delivery import Chunk, milliseconds
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.guard import Watch, Why
from chalicelib.rules.limits import PAUSED
from chalicelib.rules.values import Account, Caller
from chalicelib.services import suspension
from chalicelib.services.platform import Platform
from chalicelib.store.outbox import Stale, Watched
from chalicelib.store.outbox_items import Outgoing

TRIES = 8


def admit(p: Platform, account: Account, watched: Watched, recipients: Sequence[str]) -> Watched | None:
    """What is to be remembered with this message, in its own transaction; None: nothing new.

    Colleagues of the same domain are not counted. Raises ServiceError sending_paused.
    """
    others = [r for r in recipients if r.rpartition("@")[2].lower() != account.domain]
    now = milliseconds(clock.now())
    after = rules.sending(watched.watch, account.id, others, now)
    if after is None:
        return None
    if why := rules.trips(after, now, p.figures):
        ask(p, account.id, why)
        raise ServiceError("sending_paused", PAUSED)
    return replace(watched, watch=after)


def bounced(p: Platform, before: Chunk, after: Chunk) -> None:
    """Count recipients that newly failed for good, of a chunk that was just changed."""
    failed = [
        a
        for a, fate in after.fates.items()
        if fate.state == "failed" and before.fates[a].state != "failed" and rules.hard(fate.status)
    ]
    out = p.outbox.outgoing(after.submission) if failed else None
    if out and _watches(out):
        _count(p, out.account, bounces=len(failed))


def complained(p: Platform, account: str) -> None:
    """Count a complaint."""
    _count(p, account, complaints=1)


def _watches(out: Outgoing) -> bool:
    """Whether it is what somebody wrote: bounces of automatic mail are its correspondents'."""
    return bool(out.account) and not out.automatic


def _count(p: Platform, account: str, **more: int) -> None:
    """A count that others keep overtaking is let go: the next one tells as much."""
    now = milliseconds(clock.now())
    for attempt in range(TRIES):
        watched = p.outbox.watched(account)
        after = rules.count(watched.watch, now, **more)
        try:
            p.outbox.watch(replace(watched, watch=after))
        except Stale:
            pause(attempt)
            continue
        if why := rules.trips(after, now, p.figures):
            ask(p, account, why)
        return


def ask(p: Platform, account: str, why: Why) -> None:
    """Have the mailbox's sending paused."""
    logger.warning("mailbox looks stolen", extra={"account": account, "why": why})
    p.queues.send(p.settings.arrivals_queue, {"kind": "pause", "account": account, "why": why})


def resume(p: Platform, caller: Caller, account: Account, reason: str = "") -> None:
    """Let it send again: what was counted is forgotten first, else the next message would pause it anew.

    Raises ServiceError: not_found (not paused); conflict: the password is still the one it was stolen with,
    and it is not the operator who asks.
    """
    held = next((h for h in suspension.holds(p, account) if h.holder == "guard"), None)
    if held is None:
        raise ServiceError("not_found", "Sending from this mailbox is not paused.")
    same = bool(held.secret) and held.secret == p.holds.secret_of(account)
    if same and caller.role != "operator":
        raise ServiceError(
            "conflict", "Set a new password for the mailbox first: somebody else may know this one."
        )
    _forget(p, account.id)
    suspension.release(p, caller, account, "guard", reason)


def _forget(p: Platform, account: str) -> None:
    for attempt in range(TRIES):
        watched = p.outbox.watched(account)
        try:
            p.outbox.watch(replace(watched, watch=Watch(watched.watch.known)))
        except Stale:
            pause(attempt)
        else:
            return
