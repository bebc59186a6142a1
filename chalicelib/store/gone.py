"""What was deleted or reversed: kept for an undo, then no more than a line of what was sold (S10 to S12).

`GONE#reseller / domain#local#account` a mailbox, with its address item in `was`;
`KEPT#reseller#domain#order` all else that a reversed domain had;
`DUE / until#…` what is to be purged; `BEGUN / kind#…` what must be finished.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from chalicelib.aws.table import (
    ABSENT,
    PRESENT,
    ConditionFailed,
    Delete,
    Index,
    Item,
    Key,
    Put,
    Table,
    Update,
    Verify,
    Write,
    equals,
)
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.mailboxes import GoneMailbox
from chalicelib.rules.values import Account
from chalicelib.store.holdings import IN_USE, begun_key, due_key, gone_item, unchanged
from chalicelib.store.records import domain_key, entry_of, meta_key

GSI = Index("gsi1", "gpk", "gsk")
MAILBOXES_AT_ONCE, ITEMS_AT_ONCE = 30, 45  # of 100 writes a transaction has
#: All of a domain's partition but its own item and the evidence of looks, which says nothing of anybody.
SPANS = (("!", "LOOK"), ("LOOK~", "~"))


def gone_of(item: Item) -> GoneMailbox:
    """A mailbox that is gone, from its item."""
    account = entry_of(item["was"], item["pk"].removeprefix("GONE#"))
    assert isinstance(account, Account)
    return GoneMailbox(
        account,
        item["order"],
        item["why"],
        item.get("purged", False),
        datetime.fromisoformat(item["gone_at"]),
        datetime.fromisoformat(item["until"]),
    )


def _key(item: Item) -> dict[str, str]:
    return {"pk": item["pk"], "sk": item["sk"]}


def _reversal_key(reseller: str, domain: str) -> dict[str, str]:
    return {"pk": f"REVERSAL#{reseller}", "sk": domain}


def _name(hosted: HostedDomain) -> str:
    return f"{hosted.reseller}#{hosted.name}#{hosted.order}"


class Gone:
    """Those items of the directory table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    # ------------------------------------------------------------ mailboxes

    def find(self, reseller: str, account_id: str) -> Item | None:
        """What a reseller keeps of a mailbox that is gone."""
        known = self.table.get(meta_key("ACCOUNT", account_id))
        if not known or known.get("gone", {}).get("pk") != f"GONE#{reseller}":
            return None
        return self.table.get(known["gone"])

    def page(self, reseller: str, limit: int, after: str) -> tuple[list[GoneMailbox], str]:
        """Mailboxes that are gone, by domain and name, and the place to go on after (empty: no more)."""
        start = {"pk": f"GONE#{reseller}", "sk": after} if after else None
        rows = self.table.query(f"GONE#{reseller}", limit=limit, start=start, consistent=True)
        return [gone_of(item) for item in rows.items], str(rows.next["sk"]) if rows.next else ""

    def of_reversal(self, hosted: HostedDomain) -> Iterator[Item]:
        """The mailboxes that went with a reversal of this domain."""
        for item in self.table.query_all(
            f"GONE#{hosted.reseller}", begins=f"{hosted.name}#", consistent=True
        ):
            if item["why"] == "reversed" and item["order"] == hosted.order:
                yield item

    # ------------------------------------------------------------ reversing a domain

    def made(self, hosted: HostedDomain) -> int | None:
        """How often mailboxes were added to a domain after its order: the proof that none was missed."""
        item = self.table.get(domain_key(hosted.name))
        return item.get("made") if item else None

    def reverse(
        self, hosted: HostedDomain, made: int | None, at: datetime, until: datetime, also: Sequence[Write]
    ) -> bool:
        """Nobody's from now on; clearing it is begun. False: it changed meanwhile."""
        mine = equals(reseller=hosted.reseller, order=hosted.order, made=made) & IN_USE
        sets = {"state": "reversed", "reversed_at": at.isoformat()}
        due = {**due_key(until, "domain", _name(hosted)), "domain": hosted.name, "order": hosted.order}
        writes: list[Write] = [
            Update(domain_key(hosted.name), set=sets, remove=["cleared", "returning"], check=mine),
            Put({**begun_key("reversal", hosted.name), "domain": hosted.name}),
            Put({**due, "reseller": hosted.reseller}),
            Put({**_reversal_key(hosted.reseller, hosted.name), "order": hosted.order}),
        ]
        return self._done([*writes, *also])

    def reversed_by(self, reseller: str, domain: str) -> bool:
        """Whether a reseller reversed a domain of that name, and may be told that it cannot be undone."""
        return self.table.get(_reversal_key(reseller, domain)) is not None

    def mailboxes(self, hosted: HostedDomain) -> list[Account]:
        """Every mailbox of a domain, as it is this moment."""
        items = self.table.query_all(f"DOMAIN#{hosted.name}", begins="ADDR#", consistent=True)
        found = [entry_of(item, hosted.reseller) for item in items]
        return [entry for entry in found if isinstance(entry, Account)]

    def clear_some(self, hosted: HostedDomain, at: datetime, until: datetime) -> bool:
        """Put by some of what is left of a reversed domain; False: nothing is left, or it is another's."""
        for span in SPANS:
            rows = self.table.query(
                f"DOMAIN#{hosted.name}", between=span, limit=MAILBOXES_AT_ONCE, consistent=True
            )
            left = [item for item in rows.items if item["sk"] != "META"]
            if left:
                return self._put_by(hosted, left, at, until) or self._still(hosted)
        return False

    def _still(self, hosted: HostedDomain) -> bool:
        item = self.table.get(domain_key(hosted.name))
        return bool(item and item["order"] == hosted.order and item["state"] == "reversed")

    def _put_by(self, hosted: HostedDomain, items: Sequence[Item], at: datetime, until: datetime) -> bool:
        """False: one had changed since it was read, or the domain is another's, whose items these are."""
        writes: list[Write] = [Verify(domain_key(hosted.name), equals(order=hosted.order, state="reversed"))]
        for item in items:
            if item.get("kind") == "list":
                self._put_by_members(hosted, item)
            if "account" not in item or not item["sk"].startswith("ADDR#"):
                writes += _aside(hosted, item)
                continue
            gone = gone_item(hosted, item, "reversed", at, until)
            writes.append(Delete(_key(item), unchanged(item)))
            writes.append(Put(gone))
            writes.append(Update(meta_key("ACCOUNT", item["account"]), set={"gone": _key(gone)}))
        return self._done(writes)

    def _put_by_members(self, hosted: HostedDomain, item: Item) -> None:
        """A list's members first: its own item is what leads to them."""
        local = item["sk"].removeprefix("ADDR#")
        mine = Verify(domain_key(hosted.name), equals(order=hosted.order, state="reversed"))
        members = self.table.query_all(f"LIST#{hosted.name}#{local}", consistent=True)
        for some in _chunks(members, ITEMS_AT_ONCE):
            self._done([mine, *(write for member in some for write in _aside(hosted, member))])

    def cleared(self, hosted: HostedDomain) -> bool:
        """The name is free. False: not reversed, or being undone."""
        given = equals(order=hosted.order, state="reversed", returning=None)
        change = Update(domain_key(hosted.name), set={"cleared": True}, check=given)
        return self._done([change, Delete(begun_key("reversal", hosted.name))])

    # ------------------------------------------------------------ undoing that

    def begin_return(self, hosted: HostedDomain, until: datetime, run: int, also: Sequence[Write]) -> bool:
        """The domain comes back to whom it was. False: it is another's, or being purged."""
        mine = equals(reseller=hosted.reseller, order=hosted.order, state="reversed", cleared=True)
        writes: list[Write] = [
            Update(domain_key(hosted.name), set={"returning": True}, remove=["cleared"], check=mine),
            Delete(due_key(until, "domain", _name(hosted)), PRESENT & equals(purging=None)),
            Put({**begun_key("return", hosted.name), "domain": hosted.name, "run": run}),
            Delete(_reversal_key(hosted.reseller, hosted.name)),
        ]
        return self._done([*writes, *also])

    def bring_back(self, hosted: HostedDomain) -> Iterator[None]:
        """Put everything back in its place, some at a time. Can be begun again after a crash."""
        for some in _chunks(self.of_reversal(hosted), MAILBOXES_AT_ONCE):
            writes: list[Write] = []
            for gone in some:
                writes.append(Put(gone["was"], ABSENT))
                writes.append(Delete(_key(gone), PRESENT))
                writes.append(Update(meta_key("ACCOUNT", gone["was"]["account"]), remove=["gone"]))
            self.table.transact(writes)
            yield
        for some in _chunks(self._kept(hosted), ITEMS_AT_ONCE):
            self.table.transact([w for kept in some for w in (Put(kept["was"]), Delete(_key(kept)))])
            yield

    def returned(self, hosted: HostedDomain, found: Mapping[str, Any]) -> bool:
        """The domain waits for its MX again, with what was `found` of it. False: it does already."""
        given = equals(order=hosted.order, state="reversed", returning=True)
        sets = {**found, "state": "pending", "started": True}
        gone = ["returning", "reversed_at"]
        return self._done([Update(domain_key(hosted.name), set=sets, remove=gone, check=given)])

    # ------------------------------------------------------------ what must be finished, what falls due

    def begun(self) -> list[Item]:
        """Rows of what was begun: kind#name in `sk`, and `domain`."""
        return list(self.table.query_all("BEGUN", consistent=True))

    def begun_return(self, hosted: HostedDomain) -> Item | None:
        """The row that says that a reversal's undoing was begun, until it is done."""
        return self.table.get(begun_key("return", hosted.name))

    def finish(self, kind: str, name: str) -> None:
        """What was begun is done."""
        self.table.delete(begun_key(kind, name))

    def due(self, now: datetime) -> Iterator[Item]:
        """What is to be purged by now, oldest first; no undo can have it any more once it was given out."""
        for row in self.table.query_all("DUE", between=("!", f"{now.isoformat()}#~"), consistent=True):
            if self._done([Update(_key(row), set={"purging": True}, check=PRESENT)]):
                yield row

    def item(self, key: Key) -> Item | None:
        """The item of a mailbox that is gone."""
        return self.table.get(key)

    def purged(self, gone: Item) -> None:
        """Leave no more than what was sold, to whom and when."""
        was = gone["was"]
        account_id = was["account"]
        least = {name: was[name] for name in ("pk", "sk", "account", "mb", "imap", "admin")}
        own = list(self.table.query_all(f"ACCOUNT#{account_id}", consistent=True))
        self.table.put({**gone, "purged": True, "was": {**least, "name": ""}})
        self.table.batch_write(delete=[_key(i) for i in own if i["sk"] != "META"])
        self.table.delete({"pk": was["pk"], "sk": f"AUTO#{account_id}"})

    def purge_kept(self, hosted: HostedDomain) -> None:
        """Remove all else that a reversed domain had, and that it was reversed."""
        self.table.batch_write(delete=[_key(i) for i in self._kept(hosted)])
        mark = Delete(_reversal_key(hosted.reseller, hosted.name), equals(order=hosted.order))
        self._done([mark])

    def settled(self, row: Item) -> None:
        """What fell due is done."""
        self.table.delete(_key(row))

    def _kept(self, hosted: HostedDomain) -> Iterator[Item]:
        return self.table.query_all(f"KEPT#{_name(hosted)}", consistent=True)

    def _done(self, writes: Sequence[Write]) -> bool:
        try:
            self.table.transact(writes)
        except ConditionFailed:
            return False
        return True


def _aside(hosted: HostedDomain, item: Item) -> tuple[Delete, Put]:
    """Out of the way of whoever has the name next; no index and no expiry while it is kept."""
    kept = {"pk": f"KEPT#{_name(hosted)}", "sk": f"{item['pk']}|{item['sk']}", "was": item}
    return Delete(_key(item)), Put(kept)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    every = iter(items)
    while some := list(islice(every, size)):
        yield some
