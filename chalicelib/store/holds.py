"""Suspensions by who holds them, on the items of domains and mailboxes: `holds`, and `held` with the reasons.

Both are attributes of the item itself, so that a rename carries them along and routing reads them anyway.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from chalicelib.aws.table import PRESENT, Item, Table, Update, equals
from chalicelib.rules.abuse import Held
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account
from chalicelib.store.records import address_key, domain_key, time_or_none

Target = HostedDomain | Account


class Holds:
    """Holds in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, target: Target) -> dict[str, Held] | None:
        """Who holds it, by holder; None: it is not there any more."""
        item = self._table.get(_key(target))
        return _held(item) if item and _same(item, target) else None

    def secret_of(self, account: Account) -> str:
        """A hash of the mailbox's password hash, to see later whether it was changed; empty for none."""
        item = self._table.get(_key(account)) or {}
        return sha256(item["hash"].encode()).hexdigest() if item.get("hash") else ""

    def change(self, target: Target, before: Mapping[str, Held], after: Mapping[str, Held]) -> Update:
        """The write that makes `after` of `before`; it fails where the holders are no longer as before."""
        check = PRESENT & equals(holds=frozenset(before) or None, **_identity(target))
        if not after:
            return Update(_key(target), remove=("holds", "held"), check=check)
        held = {
            holder: {
                "reason": h.reason,
                "by": h.by,
                "at": h.at.isoformat() if h.at else "",
                "secret": h.secret,
            }
            for holder, h in after.items()
        }
        return Update(_key(target), set={"holds": frozenset(after), "held": held}, check=check)


def _key(target: Target) -> dict[str, str]:
    if isinstance(target, HostedDomain):
        return domain_key(target.name)
    return address_key(target.domain, target.address.rpartition("@")[0])


def _identity(target: Target) -> dict[str, str]:
    """What tells it from another that took its name."""
    return {"order": target.order} if isinstance(target, HostedDomain) else {"account": target.id}


def _same(item: Item, target: Target) -> bool:
    return all(item.get(name) == value for name, value in _identity(target).items())


def _held(item: Mapping[str, Any]) -> dict[str, Held]:
    notes: Mapping[str, Mapping[str, str]] = item.get("held", {})
    found = {}
    for holder in sorted(item.get("holds", ())):
        note = notes.get(holder, {})
        at = time_or_none(note.get("at"))
        found[holder] = Held(holder, note.get("reason", ""), note.get("by", ""), at, note.get("secret", ""))
    return found
