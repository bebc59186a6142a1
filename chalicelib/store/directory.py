"""Resellers, keys, brands, domains, addresses and orders: the directory table (ARCHITECTURE.md, Data)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from chalicelib.aws.table import (
    ABSENT,
    PRESENT,
    ConditionFailed,
    Index,
    Item,
    Put,
    Table,
    Update,
    Write,
    equals,
)
from chalicelib.rules.addresses import AddressError, mailbox_key, parse
from chalicelib.rules.hosted import DnsRow, HostedDomain, Order, Reseller
from chalicelib.rules.values import Account, Automatic, Lookup
from chalicelib.store.records import (
    account_item,
    address_key,
    automatic_item,
    dns_item,
    dns_of,
    domain_item,
    domain_key,
    domain_of,
    entry_of,
    mailbox_item,
    meta_key,
    order_item,
    order_of,
    reseller_of,
)

GSI = Index("gsi1", "gpk", "gsk")
NOWHERE = Lookup(None, None)
#: S9: what each automatic address is.
AUTOMATIC = {"emailadmin": "emailadmin", "all": "all", "postmaster": "emailadmin", "abuse": "emailadmin"}
DAEMON = "mailer-daemon"  # what bounces come from; nobody reads it


class Taken(Exception):
    """The domain is pending or live already, or the order exists."""


class Directory:
    """The directory table. Names and addresses are given in the form rules.addresses makes."""

    def __init__(self, table: Table) -> None:
        self.table = table

    # ------------------------------------------------------------ look-ups

    def lookup(self, addresses: Iterable[str]) -> dict[str, Lookup]:
        """What each address is here, plus tags left aside. A text that is no address is nowhere.

        Reads are consistent: mail to a mailbox made a moment ago must not bounce. An alias, or a catch-all,
        costs two more batches.
        """
        split = {text: _split(text) for text in addresses}
        places = {place for place in split.values() if place}
        domains, entries = self._domains_and_entries(places)
        meant = {place: _stands_for(place, domains, entries) for place in places}
        targets = self._accounts(
            {account: domains[place[1]] for place, (account, _) in meant.items() if account}
        )
        found = {}
        for text, place in split.items():
            account, via = meant[place] if place else ("", "")
            known = _lookup(place, domains, entries)
            found[text] = Lookup(known.domain, targets.get(account), via) if account else known
        return found

    def _accounts(self, wanted: Mapping[str, HostedDomain]) -> dict[str, Account]:
        """Mailboxes by id, whatever they are called by now; those that are gone are left out."""
        if not wanted:
            return {}
        metas = self.table.batch_get([meta_key("ACCOUNT", id) for id in wanted], consistent=True)
        places = [str(item["address"]).rpartition("@") for item in metas if "address" in item]
        keys = [address_key(domain, local) for local, _, domain in places]
        items = self.table.batch_get(keys, consistent=True) if keys else []
        known = [(item, wanted.get(item.get("account", ""))) for item in items]
        entries = [entry_of(item, domain.reseller) for item, domain in known if domain]
        return {entry.id: entry for entry in entries if isinstance(entry, Account)}

    def _domains_and_entries(
        self, places: set[tuple[str, str]]
    ) -> tuple[dict[str, HostedDomain], dict[tuple[str, str], Item]]:
        keys = [domain_key(name) for name in {domain for _, domain in places}]
        keys += [address_key(domain, local) for local, domain in places]
        items = self.table.batch_get(keys, consistent=True) if keys else []
        found = [domain_of(item) for item in items if item["sk"] == "META"]
        entries = {_place(item): item for item in items if item["sk"] != "META"}
        return {domain.name: domain for domain in found}, entries

    def credentials(self, address: str) -> tuple[Lookup, str | None]:
        """What an address is, and the password hash where it is a mailbox that has one."""
        place = _split(address)
        if not place:
            return NOWHERE, None
        domains, entries = self._domains_and_entries({place})
        return _lookup(place, domains, entries), entries.get(place, {}).get("hash")

    def accounts_of(self, domain: str) -> list[Account]:
        """Every mailbox of a domain, by address."""
        hosted = self.domain(domain)
        if hosted is None:
            return []
        items = self.table.query_all(f"DOMAIN#{domain}", begins="ADDR#")
        entries = [entry_of(item, hosted.reseller) for item in items]
        return [entry for entry in entries if isinstance(entry, Account)]

    def accounts_page(self, domain: str, reseller: str, limit: int, after: str) -> tuple[list[Account], str]:
        """Mailboxes after a local part, and the local part to go on after (empty: no more)."""
        start = address_key(domain, after) if after else None
        rows = self.table.query(f"DOMAIN#{domain}", begins="ADDR#", limit=limit, start=start)
        entries = [entry_of(item, reseller) for item in rows.items]
        following = rows.next["sk"].removeprefix("ADDR#") if rows.next else ""
        return [entry for entry in entries if isinstance(entry, Account)], following

    def account(self, account_id: str) -> Account | None:
        """The mailbox with that id."""
        item = self.table.get(meta_key("ACCOUNT", account_id))
        entry = self.lookup([item["address"]])[item["address"]].entry if item else None
        return entry if isinstance(entry, Account) and entry.id == account_id else None

    # ------------------------------------------------------------- domains

    def domain(self, name: str) -> HostedDomain | None:
        """A domain."""
        item = self.table.get(domain_key(name))
        return domain_of(item) if item else None

    def domains_of(self, reseller: str, limit: int, after: str = "") -> tuple[list[HostedDomain], str]:
        """A reseller's domains by name, and the name to go on after (empty: no more)."""
        start = {**domain_key(after), "gpk": f"RESELLER#{reseller}", "gsk": f"DOMAIN#{after}"}
        rows = self.table.query(
            f"RESELLER#{reseller}", begins="DOMAIN#", index=GSI, limit=limit, start=start if after else None
        )
        following = rows.next["gsk"].removeprefix("DOMAIN#") if rows.next else ""
        return [domain_of(item) for item in rows.items], following

    def all_domains(self) -> Iterator[HostedDomain]:
        """Every domain of every reseller."""
        for reseller in self.table.query_all("RESELLERS", index=GSI):
            for item in self.table.query_all(f"RESELLER#{reseller['gsk']}", begins="DOMAIN#", index=GSI):
                yield domain_of(item)

    def change_domain(
        self,
        name: str,
        changes: Mapping[str, Any],
        *,
        given: Mapping[str, Any],
        remove: Sequence[str] = (),
        also: Sequence[Write] = (),
    ) -> bool:
        """Set attributes of a domain where it still is as `given` (None: not set), with `also` in the same
        transaction. Whether it was.
        """
        values = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in changes.items()}
        try:
            check = PRESENT & equals(**given) if given else PRESENT
            change = Update(domain_key(name), set=values, remove=remove, check=check)
            if also:
                self.table.transact([change, *also])
            else:
                self.table.update(change)
        except ConditionFailed:
            return False
        return True

    # ------------------------------------------------------- DNS as looked up

    def dns(self, domain: str) -> tuple[DnsRow, ...]:
        """The domain's records as last looked up; empty before the first look."""
        item = self.table.get({"pk": f"DOMAIN#{domain}", "sk": "DNS"})
        return tuple(dns_of(row) for row in item["rows"]) if item else ()

    def keep_look(
        self, domain: str, rows: Sequence[DnsRow], evidence: Mapping[str, Any], expires: int
    ) -> None:
        """Keep what was seen: `rows` replace those before, `evidence` (with its time `at`) is added (S4)."""
        pk = f"DOMAIN#{domain}"
        current = {"pk": pk, "sk": "DNS", "rows": [dns_item(row) for row in rows]}
        look = {"pk": pk, "sk": f"LOOK#{evidence['at']}", **evidence, "ttl": expires}
        if rows:
            self.table.put(current)
        self.table.put(look)

    def looks(self, domain: str, limit: int = 50) -> list[Item]:
        """The evidence of the last looks at a domain's MX, newest first."""
        return self.table.query(f"DOMAIN#{domain}", begins="LOOK#", descending=True, limit=limit).items

    # -------------------------------------------------------------- orders

    def place(
        self,
        order: Order,
        domain: HostedDomain,
        accounts: Sequence[tuple[Account, str | None]],
        also: Sequence[Write],
    ) -> None:
        """An order with its domain, mailboxes (with password hashes) and automatic addresses, in one
        transaction of 6 + 2 n items, and `also`. A reversed domain may be placed anew once it is cleared.
        Raises Taken.
        """
        free = ABSENT | equals(state="reversed", cleared=True)
        writes = [Put(order_item(order), ABSENT), Put(domain_item(domain), free), *also]
        writes += [Put(automatic_item(domain.name, local, kind)) for local, kind in AUTOMATIC.items()]
        for account, password_hash in accounts:
            writes.append(Put(mailbox_item(account, password_hash)))
            writes.append(Put(account_item(account), ABSENT))
        try:
            self.table.transact(writes)
        except ConditionFailed as error:
            raise Taken from error

    def order(self, order_id: str) -> Order | None:
        """An order."""
        item = self.table.get(meta_key("ORDER", order_id))
        return order_of(item) if item else None

    def orders_of(self, reseller: str, limit: int, after: str = "") -> tuple[list[Order], str]:
        """A reseller's orders, newest first, and the place to go on after (empty: no more)."""
        order_id = after.rpartition("#")[2]
        start = {**meta_key("ORDER", order_id), "gpk": f"RESELLER#{reseller}", "gsk": f"ORDER#{after}"}
        rows = self.table.query(
            f"RESELLER#{reseller}",
            begins="ORDER#",
            index=GSI,
            limit=limit,
            start=start if after else None,
            descending=True,
        )
        following = rows.next["gsk"].removeprefix("ORDER#") if rows.next else ""
        return [order_of(item) for item in rows.items], following

    def order_placed(self, order_id: str) -> None:
        """All that an order brings about is there."""
        self.table.update(Update(meta_key("ORDER", order_id), set={"state": "placed"}, check=PRESENT))

    # ---------------------------------------------------------------- resellers

    def put_reseller(self, reseller: Reseller) -> None:
        """Keep a reseller."""
        index = {"gpk": "RESELLERS", "gsk": reseller.id}
        self.table.put({**meta_key("RESELLER", reseller.id), **index, **asdict(reseller)})

    def reseller(self, reseller_id: str) -> Reseller | None:
        """A reseller."""
        item = self.table.get(meta_key("RESELLER", reseller_id))
        return reseller_of(item) if item else None


def _split(text: str) -> tuple[str, str] | None:
    """(local part without a tag, domain), or None for what is no address."""
    try:
        address = parse(text)
    except AddressError:
        return None
    return mailbox_key(address.local), address.domain


def _stands_for(
    place: tuple[str, str],
    domains: Mapping[str, HostedDomain],
    entries: Mapping[tuple[str, str], Item],
) -> tuple[str, Literal["", "alias", "catch_all"]]:
    """The id of the mailbox that an alias, or an address nobody has, is delivered to; empty for all else."""
    item, domain = entries.get(place), domains.get(place[1])
    if item and item.get("kind") == "alias":
        return item["target"], "alias"
    if domain and not item and domain.unknown == "deliver" and place[0] != DAEMON:
        return domain.catch_all, "catch_all"
    return "", ""


def _place(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["sk"].removeprefix("ADDR#"), item["pk"].removeprefix("DOMAIN#")


def _lookup(
    place: tuple[str, str] | None,
    domains: Mapping[str, HostedDomain],
    entries: Mapping[tuple[str, str], Item],
) -> Lookup:
    domain = domains.get(place[1]) if place else None
    if place is None or domain is None:
        return NOWHERE
    item = entries.get(place)
    if item is None and place[0] == DAEMON:
        return Lookup(domain.short, Automatic(f"{DAEMON}@{domain.name}", "daemon"))
    return Lookup(domain.short, entry_of(item, domain.reseller) if item else None)
