"""Items of what the directory keeps. Times are ISO 8601 in UTC, money integer mills."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.aws.table import Item
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import DnsRow, HostedDomain, Order, OrderedMailbox, Reseller
from chalicelib.rules.values import Account, Automatic, Away, Entry, Forward, MailingList

LIST_FIELDS = ("id", "name", "posting", "reply_to", "members", "outside", "version")


def domain_key(name: str) -> dict[str, str]:
    """The key of a domain's item."""
    return {"pk": f"DOMAIN#{name}", "sk": "META"}


def address_key(domain: str, local: str) -> dict[str, str]:
    """The key of an address's item."""
    return {"pk": f"DOMAIN#{domain}", "sk": f"ADDR#{local}"}


def meta_key(kind: str, id: str) -> dict[str, str]:
    """The key of an item that stands alone: RESELLER, KEY, ACCOUNT, ORDER, BRAND, HOST."""
    return {"pk": f"{kind}#{id}", "sk": "META"}


def time_or_none(text: str | None) -> datetime | None:
    """A stored time."""
    return datetime.fromisoformat(text) if text else None


def reseller_of(item: Mapping[str, Any]) -> Reseller:
    """A reseller from its item."""
    return Reseller(**{k: item[k] for k in Reseller.__dataclass_fields__ if k in item})


def domain_item(d: HostedDomain) -> Item:
    """A new domain's item."""
    return {
        **domain_key(d.name),
        "gpk": f"RESELLER#{d.reseller}",
        "gsk": f"DOMAIN#{d.name}",
        "state": d.state,
        "reseller": d.reseller,
        "order": d.order,
        "ordered_at": d.ordered_at.isoformat(),
    }


def domain_of(item: Mapping[str, Any]) -> HostedDomain:
    """A domain from its item."""
    return HostedDomain(
        name=item["pk"].removeprefix("DOMAIN#"),
        state=item["state"],
        reseller=item["reseller"],
        order=item["order"],
        ordered_at=datetime.fromisoformat(item["ordered_at"]),
        tokens=tuple(item.get("tokens", ())),
        dkim_zone=item.get("dkim_zone", ""),
        started=item.get("started", False),
        noticed_at=time_or_none(item.get("noticed_at")),
        live_at=time_or_none(item.get("live_at")),
        misses=item.get("misses", 0),
        missing_since=time_or_none(item.get("missing_since")),
        brand=item.get("brand", ""),
        holds=frozenset(item.get("holds", ())),
        unknown=item.get("unknown", "bounce"),
        catch_all=item.get("catch_all", ""),
        reversed_at=time_or_none(item.get("reversed_at")),
        cleared=item.get("cleared", False),
        returning=item.get("returning", False),
    )


def live_index(reseller: str, address: str) -> Item:
    """S12: where a reseller's search finds a live mailbox."""
    return {"gpk": f"LIVE#{reseller}", "gsk": address}


def account_item(account: Account) -> Item:
    """Where the mailbox with an id is."""
    return {**meta_key("ACCOUNT", account.id), "address": account.address}


def alias_item(domain: str, local: str, account: str) -> Item:
    """The address item of an alias of the mailbox with that id, which follows it through any rename."""
    index = {"gpk": f"ADDRS#{domain}#alias", "gsk": local}
    return {**address_key(domain, local), "kind": "alias", "target": account, **index}


def mailbox_item(account: Account, password_hash: str | None) -> Item:
    """The address item of a mailbox. Small: every message to it reads it."""
    local, _, domain = account.address.rpartition("@")
    item: Item = {
        **address_key(domain, local),
        **live_index(account.reseller, account.address),
        "account": account.id,
        "mb": account.quota_bytes // MB,
        "name": account.name,
        "imap": account.imap,
        "admin": account.admin,
    }
    if account.holds:
        item["holds"] = account.holds
    if account.recovery:
        item["recovery"] = account.recovery
    if password_hash:
        item["hash"] = password_hash
    return item


def automatic_item(domain: str, local: str, kind: str) -> Item:
    """The address item of an automatic address (S9)."""
    return {**address_key(domain, local), "kind": kind}


def entry_of(item: Mapping[str, Any], reseller: str) -> Entry | None:
    """What an address item stands for by itself; None: an alias, which stands for a mailbox."""
    domain, local = item["pk"].removeprefix("DOMAIN#"), item["sk"].removeprefix("ADDR#")
    address = f"{local}@{domain}"
    if "account" in item:
        return _account_of(item, address, domain, reseller)
    match item["kind"]:
        case "alias":
            return None
        case "forward":
            return Forward(address, tuple(item["to"]))
        case "list":
            return MailingList(address, **{name: item[name] for name in LIST_FIELDS})
    return Automatic(address, item["kind"])


def _account_of(item: Mapping[str, Any], address: str, domain: str, reseller: str) -> Account:
    forward, auto = item.get("forward") or {}, item.get("auto")
    away = Away(time_or_none(auto["from"]), time_or_none(auto["to"])) if auto else None
    return Account(
        id=item["account"],
        address=address,
        domain=domain,
        quota_bytes=item["mb"] * MB,
        reseller=reseller,
        name=item["name"],
        imap=item["imap"],
        admin=item["admin"],
        recovery=item.get("recovery"),
        holds=frozenset(item.get("holds", ())),
        epoch=item.get("epoch", 0),
        two_step=item.get("two_step", False),
        forward=tuple(forward.get("to", ())),
        keep_copy=forward.get("keep", True),
        away=away,
    )


def order_item(order: Order) -> Item:
    """An order's item; found by reseller, newest last, in the index."""
    lines = [
        {name: getattr(m, name) for name in OrderedMailbox.__dataclass_fields__} for m in order.mailboxes
    ]
    return {
        **meta_key("ORDER", order.id),
        "gpk": f"RESELLER#{order.reseller}",
        "gsk": f"ORDER#{order.created_at.isoformat()}#{order.id}",
        "reseller": order.reseller,
        "domain": order.domain,
        "state": order.state,
        "created_at": order.created_at.isoformat(),
        "fingerprint": order.fingerprint,
        "mailboxes": lines,
    }


def order_of(item: Mapping[str, Any]) -> Order:
    """An order from its item."""
    return Order(
        id=item["pk"].removeprefix("ORDER#"),
        reseller=item["reseller"],
        domain=item["domain"],
        state=item["state"],
        created_at=datetime.fromisoformat(item["created_at"]),
        fingerprint=item["fingerprint"],
        mailboxes=tuple(OrderedMailbox(**line) for line in item["mailboxes"]),
    )


def dns_item(row: DnsRow) -> Item:
    """A DNS row as a map inside the domain's DNS item."""
    item: Item = {name: getattr(row, name) for name in DnsRow.__dataclass_fields__}
    return {**item, "checked_at": row.checked_at.isoformat() if row.checked_at else None}


def dns_of(item: Mapping[str, Any]) -> DnsRow:
    """A DNS row from its map."""
    return DnsRow(**{**item, "seen": tuple(item["seen"]), "checked_at": time_or_none(item["checked_at"])})
