"""Aliases, forwards, lists with their members, catch-all and what mailboxes pass on: the directory table.

  DOMAIN#d        ADDR#local  kind alias (target: a mailbox's id), forward (to), list; gpk ADDRS#d#kind
  DOMAIN#d        META        unknown, catch_all; n_alias, n_forward, n_list: how many there are
  LIST#d#local    M#nn        members, spread over 64 blocks by hash: address → whether it is outside
  DOMAIN#d        AUTO#acct   the text of a mailbox's auto-reply; its dates are in the mailbox's item, too

A list's `version` changes with every change of its members, and is the lock of all its blocks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from zlib import crc32

from chalicelib.aws.table import (
    ABSENT,
    PRESENT,
    ConditionFailed,
    Delete,
    Index,
    Item,
    Put,
    Table,
    Update,
    Verify,
    Write,
    equals,
)
from chalicelib.rules.autoreply import AutoReply
from chalicelib.rules.values import Account, Forward, MailingList, Unknown
from chalicelib.store.directory import AUTOMATIC
from chalicelib.store.holdings import IN_USE
from chalicelib.store.records import (
    LIST_FIELDS,
    address_key,
    automatic_item,
    domain_key,
    entry_of,
    time_or_none,
)

GSI = Index("gsi1", "gpk", "gsk")
BLOCKS = 64
Kind = Literal["alias", "forward", "list"]


class Overtaken(Exception):
    """It is not as it was read: look again."""


class Addresses:
    """Addresses of a domain that are no mailboxes, and what is set on those that are."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # ---------------------------------------------------------------- addresses
    def item(self, domain: str, local: str) -> Item | None:
        """An address's item, whatever it is."""
        return self._table.get(address_key(domain, local))

    def page(self, domain: str, kind: Kind, limit: int, after: str) -> tuple[list[Item], str]:
        """Addresses of a kind by name, and the name to go on after ("": no more)."""
        pk = f"ADDRS#{domain}#{kind}"
        start = {**address_key(domain, after), "gpk": pk, "gsk": after} if after else None
        rows = self._table.query(pk, index=GSI, limit=limit, start=start)
        return rows.items, str(rows.next["gsk"]) if rows.next else ""

    def count(self, domain: str, kind: Kind) -> int:
        """How many of a kind a domain has."""
        item = self._table.get(domain_key(domain))
        return int(item.get(f"n_{kind}", 0)) if item else 0

    def put(
        self, domain: str, local: str, kind: Kind, fields: Mapping[str, Any], old: Item | None, event: Write
    ) -> None:
        """Make an address, or change one of the same kind. `old`: as read. Raises Overtaken."""
        index = {"gpk": f"ADDRS#{domain}#{kind}", "gsk": local}
        item = {**address_key(domain, local), "kind": kind, **index, **fields}
        writes: list[Write] = [Put(item, self._unchanged(old)), event]
        more = int(old is None or old["kind"] != kind)
        writes.append(Update(domain_key(domain), add={f"n_{kind}": more}, check=PRESENT & IN_USE))
        self._transact(writes)

    def remove(self, domain: str, old: Item, also: Sequence[Write]) -> None:
        """Take an address away with a list's members; what every domain has instead comes back.

        Raises Overtaken.
        """
        local = str(old["gsk"])
        automatic = AUTOMATIC.get(local)
        gone = self._unchanged(old)
        there: Write = Delete(address_key(domain, local), gone)
        if automatic:
            there = Put(automatic_item(domain, local, automatic), gone)
        count = Update(domain_key(domain), add={f"n_{old['kind']}": -1}, check=PRESENT & IN_USE)
        writes: list[Write] = [there, count, *also]
        if old["kind"] == "list":
            pk = _list_pk(list_of(old))
            blocks = self._table.query_all(pk, consistent=True)
            writes += [Delete({"pk": pk, "sk": str(block["sk"])}) for block in blocks]
        self._transact(writes)

    @staticmethod
    def _unchanged(old: Item | None) -> Any:
        """Holds while the address is as it was read."""
        if old is None:
            return ABSENT
        names = ("account", "kind", "target", "to", "id", "version")
        return equals(**{name: old.get(name) for name in names})

    def _transact(self, writes: Sequence[Write]) -> None:
        try:
            self._table.transact(writes)
        except ConditionFailed as error:
            raise Overtaken from error

    # -------------------------------------------------------------------- lists
    def members(self, entry: MailingList) -> dict[str, bool]:
        """Every member by address → whether it is outside the platform, in the order of the blocks."""
        found: dict[str, bool] = {}
        for block in self._table.query_all(_list_pk(entry), consistent=True):
            found |= dict(sorted(block["members"].items()))
        return found

    def members_page(self, entry: MailingList, limit: int, after: str) -> tuple[list[tuple[str, bool]], str]:
        """Members after one, and the member to go on after. Their order is that of the blocks."""
        first = _block(after) if after else 0
        span = (f"M#{first:02}", f"M#{BLOCKS:02}")
        found: list[tuple[str, bool]] = []
        for block in self._table.query_all(_list_pk(entry), between=span):
            listed = sorted(block["members"].items())
            found += [m for m in listed if not (block["sk"] == span[0] and after and m[0] <= after)]
            if len(found) > limit:
                break
        return found[:limit], found[limit - 1][0] if len(found) > limit else ""

    def is_member(self, entry: MailingList, address: str) -> bool:
        """Whether an address is a member: one item."""
        block = self._table.get({"pk": _list_pk(entry), "sk": f"M#{_block(address):02}"})
        return block is not None and address in block["members"]

    def set_members(
        self,
        entry: MailingList,
        old: Mapping[str, bool],
        new: Mapping[str, bool],
        event: Write,
    ) -> MailingList:
        """Make `new` the members in one transaction. `old`: as read before. Raises Overtaken."""
        blocks: dict[int, dict[str, bool]] = {}
        for address, away in new.items():
            blocks.setdefault(_block(address), {})[address] = away
        pk = _list_pk(entry)
        writes: list[Write] = [
            Put({"pk": pk, "sk": f"M#{number:02}", "members": blocks.get(number, {})})
            for number in _touched(old, new)
        ]
        outside = len([a for a in new if new[a]])
        local, _, domain = entry.address.rpartition("@")
        change = {"members": len(new), "outside": outside, "version": entry.version + 1}
        check = equals(id=entry.id, version=entry.version)
        used = Verify(domain_key(domain), PRESENT & IN_USE)
        self._transact([Update(address_key(domain, local), set=change, check=check), event, used, *writes])
        return MailingList(**{**asdict(entry), **change})

    # ----------------------------------------------------------- domain, mailbox
    def set_unknown(self, domain: str, unknown: Unknown, catch_all: str, event: Write) -> None:
        """S22: what happens to mail for unknown addresses. `catch_all`: a mailbox's id. Raises Overtaken."""
        sets = {"unknown": unknown, "catch_all": catch_all}
        change = Update(domain_key(domain), set=sets, check=PRESENT & IN_USE)
        self._transact([change, event])

    def set_forward(self, account: Account, to: Sequence[str], keep: bool, event: Write) -> None:
        """What a mailbox passes on; nothing where `to` is empty. Raises Overtaken."""
        key = _mailbox_key(account)
        check = equals(account=account.id)
        if to:
            change = Update(key, set={"forward": {"to": tuple(to), "keep": keep}}, check=check)
        else:
            change = Update(key, remove=("forward",), check=check)
        self._transact([change, event])

    def auto_reply(self, account: Account) -> AutoReply:
        """A mailbox's auto-reply; one that is off where none was written."""
        item = self._table.get({"pk": f"DOMAIN#{account.domain}", "sk": f"AUTO#{account.id}"})
        if item is None:
            return AutoReply()
        return AutoReply(
            enabled=item["enabled"],
            start=time_or_none(item["from"]),
            end=time_or_none(item["until"]),
            subject=item["subject"],
            text=item["text"],
            html=item["html"],
        )

    def set_auto_reply(self, account: Account, reply: AutoReply, event: Write) -> None:
        """Keep an auto-reply, with its dates where delivery sees them. Raises Overtaken."""
        check = equals(account=account.id)
        if reply.away:
            dates = {"from": _text(reply.away.start), "to": _text(reply.away.end)}
            change = Update(_mailbox_key(account), set={"auto": dates}, check=check)
        else:
            change = Update(_mailbox_key(account), remove=("auto",), check=check)
        item = {
            "pk": f"DOMAIN#{account.domain}",
            "sk": f"AUTO#{account.id}",
            "enabled": reply.enabled,
            "from": _text(reply.start),
            "until": _text(reply.end),
            "subject": reply.subject,
            "text": reply.text,
            "html": reply.html,
        }
        self._transact([change, Put(item), event])


def list_of(item: Item) -> MailingList:
    """A list from its item."""
    entry = entry_of(item, "")
    assert isinstance(entry, MailingList)
    return entry


def forward_of(item: Item) -> Forward:
    """A forward from its item."""
    entry = entry_of(item, "")
    assert isinstance(entry, Forward)
    return entry


def list_fields(entry: MailingList) -> dict[str, Any]:
    """What of a list its item keeps."""
    return {name: getattr(entry, name) for name in LIST_FIELDS}


def _list_pk(entry: MailingList) -> str:
    """The partition of a list's members."""
    local, _, domain = entry.address.rpartition("@")
    return f"LIST#{domain}#{local}"


def _block(address: str) -> int:
    return crc32(address.encode()) % BLOCKS


def _touched(old: Mapping[str, bool], new: Mapping[str, bool]) -> Collection[int]:
    """The blocks that differ."""
    return sorted({_block(a) for a in {**old, **new} if old.get(a) != new.get(a)})


def _mailbox_key(account: Account) -> dict[str, str]:
    local, _, domain = account.address.rpartition("@")
    return address_key(domain, local)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
