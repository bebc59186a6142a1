"""Mailboxes of a domain: made, changed, renamed, removed and brought back, each in one transaction.

An address item is moved whole, as it was read, for several features keep attributes of their own on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.aws.table import (
    ABSENT,
    PRESENT,
    Check,
    ConditionFailed,
    Delete,
    Item,
    Put,
    Table,
    Update,
    Verify,
    Write,
    equals,
)
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.mailboxes import Why
from chalicelib.rules.values import Account
from chalicelib.store.records import (
    account_item,
    address_key,
    alias_item,
    domain_key,
    entry_of,
    live_index,
    mailbox_item,
    meta_key,
)

#: Attributes that an address item may come to have: one that came after the item was read is a change too.
OPTIONAL = ("holds", "held", "recovery", "hash", "epoch", "two_step", "forward", "auto")
IN_USE = Check("#state <> :reversed", {":reversed": "reversed"}, {"#state": "state"})


class Taken(Exception):
    """There is something under this name already."""


class Changed(Exception):
    """It is not as it was when it was read, or not there any more."""


def unchanged(item: Item) -> Check:
    """Holds while an address item is as it was read."""
    names = (set(item) | set(OPTIONAL)) - {"pk", "sk", "gpk", "gsk"}
    return PRESENT & equals(**{name: item.get(name) for name in sorted(names)})


def begun_key(kind: str, name: str) -> dict[str, str]:
    """The key of a row that says what was begun: whoever finds it finishes it."""
    return {"pk": "BEGUN", "sk": f"{kind}#{name}"}


def due_key(until: datetime, kind: str, name: str) -> dict[str, str]:
    """The key of a row that says what is to be purged, and when."""
    return {"pk": "DUE", "sk": f"{until.isoformat()}#{kind}#{name}"}


def gone_key(reseller: str, item: Item) -> dict[str, str]:
    """The key under which a reseller keeps a mailbox that is gone."""
    domain, local = item["pk"].removeprefix("DOMAIN#"), item["sk"].removeprefix("ADDR#")
    return {"pk": f"GONE#{reseller}", "sk": f"{domain}#{local}#{item['account']}"}


def gone_item(hosted: HostedDomain, item: Item, why: Why, at: datetime, until: datetime) -> Item:
    """A mailbox that is gone: `was` is its address item. Found by domain, and by address in the index."""
    key = gone_key(hosted.reseller, item)
    domain, local, account = key["sk"].split("#")
    return {
        **key,
        "gpk": key["pk"],
        "gsk": f"{local}@{domain}#{account}",
        "order": hosted.order,
        "why": why,
        "gone_at": at.isoformat(),
        "until": until.isoformat(),
        "was": item,
    }


class Holdings:
    """Writes to ADDR#, ACCOUNT# and GONE# items of the directory table. `also`: what must agree with them."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def mailbox(self, hosted: HostedDomain, local: str) -> Account | None:
        """The mailbox of just that name, no alias."""
        item = self.table.get(address_key(hosted.name, local))
        entry = entry_of(item, hosted.reseller) if item else None
        return entry if isinstance(entry, Account) else None

    def admins(self, hosted: HostedDomain) -> Iterator[Account]:
        """The email admins of a domain."""
        for item in self.table.query_all(f"DOMAIN#{hosted.name}", begins="ADDR#", consistent=True):
            if item.get("admin"):
                entry = entry_of(item, hosted.reseller)
                assert isinstance(entry, Account)
                yield entry

    def still_admin(self, account: Account) -> Verify:
        """Only while this one is an admin of its domain."""
        local = account.address.rpartition("@")[0]
        return Verify(address_key(account.domain, local), equals(account=account.id, admin=True))

    def item(self, account: Account) -> Item:
        """The address item of a mailbox, whole. Raises Changed where it is another's by now."""
        local = account.address.rpartition("@")[0]
        found = self.table.get(address_key(account.domain, local))
        if not found or found.get("account") != account.id:
            raise Changed
        return found

    def add(
        self, hosted: HostedDomain, account: Account, password_hash: str | None, also: Sequence[Write]
    ) -> None:
        """A new mailbox, and a row that tells to make it in the mail table. Raises Taken, Changed."""
        writes: list[Write] = [
            self._counted(hosted),
            Put(mailbox_item(account, password_hash), ABSENT),
            Put(account_item(account), ABSENT),
            Put({**begun_key("mailbox", account.id), "domain": hosted.name}),
        ]
        self._write([*writes, *also])

    def made(self, account_id: str) -> None:
        """What was begun with this mailbox is done."""
        self.table.delete(begun_key("mailbox", account_id))

    def change(self, account: Account, given: Mapping[str, Any], sets: Item, also: Sequence[Write]) -> None:
        """Set attributes (None: remove) of a mailbox that still has those of `given`. Raises Changed."""
        local = account.address.rpartition("@")[0]
        change = Update(
            address_key(account.domain, local),
            set={name: value for name, value in sets.items() if value is not None},
            remove=[name for name, value in sets.items() if value is None],
            check=equals(account=account.id, **given),
        )
        self._write([change, *also])

    def rename(
        self, item: Item, account: Account, local: str, keep_alias: bool, also: Sequence[Write]
    ) -> None:
        """A mailbox under another name of its domain, also one of its own aliases; those go on, as they hold
        its id. Raises Taken, Changed.
        """
        old, domain = account.address.rpartition("@")[0], account.domain
        moved = {**item, **address_key(domain, local), **live_index(account.reseller, f"{local}@{domain}")}
        leave: Write = Delete(address_key(domain, old), unchanged(item))
        if keep_alias:
            leave = Put(alias_item(domain, old, account.id), unchanged(item))
        was_alias = self.table.get(address_key(domain, local)) is not None
        free = equals(kind="alias", target=account.id) if was_alias else ABSENT
        renamed = Update(meta_key("ACCOUNT", account.id), set={"address": f"{local}@{domain}"}, check=PRESENT)
        more = keep_alias - was_alias
        count = [Update(domain_key(domain), add={"n_alias": more}, check=PRESENT)] if more else []
        self._write([leave, Put(moved, free), renamed, *also, *count])

    def remove(
        self, hosted: HostedDomain, item: Item, at: datetime, until: datetime, also: Sequence[Write]
    ) -> None:
        """Put a mailbox by until then. Raises Changed."""
        gone = gone_item(hosted, item, "deleted", at, until)
        key = {"pk": gone["pk"], "sk": gone["sk"]}
        writes: list[Write] = [
            Delete({"pk": item["pk"], "sk": item["sk"]}, unchanged(item)),
            Put(gone, ABSENT),
            Update(meta_key("ACCOUNT", item["account"]), set={"gone": key}, check=PRESENT),
            Put({**due_key(until, "mailbox", item["account"]), "gone": key}),
        ]
        self._write([*writes, *also])

    def restore(self, hosted: HostedDomain, gone: Item, also: Sequence[Write]) -> None:
        """Bring back what was put by. Raises Taken; Changed (its domain is another's, or it is purged)."""
        was, until = gone["was"], datetime.fromisoformat(gone["until"])
        writes: list[Write] = [
            self._counted(hosted),
            Put(was, ABSENT),
            Delete({"pk": gone["pk"], "sk": gone["sk"]}, PRESENT),
            Update(meta_key("ACCOUNT", was["account"]), remove=["gone"], check=PRESENT),
            Delete(due_key(until, "mailbox", was["account"]), PRESENT & equals(purging=None)),
        ]
        self._write([*writes, *also])

    def _counted(self, hosted: HostedDomain) -> Update:
        """Only while the domain is its reseller's; counted, so that a reversal knows of every mailbox."""
        mine = equals(reseller=hosted.reseller, order=hosted.order) & IN_USE
        return Update(domain_key(hosted.name), add={"made": 1}, check=mine)

    def _write(self, writes: Sequence[Write]) -> None:
        """The second write is of the name that must be free: Taken. Changed for all else."""
        try:
            self.table.transact(writes)
        except ConditionFailed as error:
            raise (Taken if error.indexes == (1,) else Changed) from error
