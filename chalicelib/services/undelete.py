"""Destroyed messages, which can be had back for 14 days: by their owner, the email admin or the reseller."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from chalicelib.rules.values import Account, Caller
from chalicelib.services import audit, mailbox, quota
from chalicelib.services.platform import Platform
from chalicelib.store.mailbox_deleted import READ_AT_ONCE, Deleted, Restored

MOST = 500  # messages in one call


def page(p: Platform, account: Account, limit: int, after: str = "") -> tuple[list[Deleted], str]:
    """Those destroyed last first, and the place to go on after (empty: no more).

    Raises ServiceError: not_found, bad_request (place).
    """
    mailbox.state(p, account.id)
    found = p.mailboxes.deleted.listed(account.id, after=after, at_once=min(limit + 1, READ_AT_ONCE))
    shown = list(islice(found, limit + 1))
    return shown[:limit], shown[limit - 1].place if len(shown) > limit else ""


def restore(p: Platform, caller: Caller, account: Account, ids: Sequence[str]) -> Restored:
    """These messages back to where they were, as far as the quota goes (S17). Raises ServiceError."""
    _note(p, caller, account, {"messages": len(ids)})
    return _restored(p, account, ids)


def restore_since(p: Platform, caller: Caller, account: Account, since: datetime) -> Restored:
    """What was destroyed since then, latest first, at most 500 at a time. Raises ServiceError."""
    mailbox.state(p, account.id)
    _note(p, caller, account, {"destroyed_since": since.isoformat()})
    found = p.mailboxes.deleted.listed(account.id, since=since)
    ids = [one.row.id for one in islice(found, MOST)]
    more = next(found, None) is not None
    return replace(_restored(p, account, ids), more=more)


def _restored(p: Platform, account: Account, ids: Sequence[str]) -> Restored:
    limit = quota.current(p, account).quota_bytes
    done = p.mailboxes.deleted.restore(account.id, ids, quota_bytes=limit)
    if done.warn:
        quota.over_the_line(p, account)
    return done


def _note(p: Platform, caller: Caller, account: Account, after: dict[str, object]) -> None:
    """S40. Mailboxes are in another table than the journal: written before, so that none goes untold."""
    event = audit.note(
        caller,
        "messages.restored",
        account.address,
        reseller=account.reseller,
        domain=account.domain,
        after=after,
    )
    p.directory.table.transact([event])
