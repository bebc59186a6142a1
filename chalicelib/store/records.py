"""What the directory keeps, as values, and their items. Times are ISO 8601 in UTC, money integer mills."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from chalicelib.aws.table import Item
from chalicelib.rules.figures import MB
from chalicelib.rules.values import Account, Automatic, Domain, DomainState


@dataclass(frozen=True, slots=True)
class Reseller:
    """Who buys wholesale. `contact` gets the service's notices."""

    id: str
    name: str
    contact: str
    brand: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as kept: `id` is the SHA-256 of the key, which is nowhere."""

    id: str
    reseller: str
    scopes: frozenset[str]
    expires_at: datetime | None
    label: str


@dataclass(frozen=True, slots=True)
class Brand:
    """What a reseller's customers see (S1)."""

    id: str
    product: str
    logo: str = ""  # a path of the pages' own origin or a data: URL (their policy allows no other)
    primary: str = "#1f4e8c"
    accent: str = "#d9822b"
    support_email: str = ""
    support_url: str = ""
    help_url: str = ""


@dataclass(frozen=True, slots=True)
class HostedDomain:
    """A domain as its owner's reseller sees it."""

    name: str
    state: DomainState
    reseller: str
    order: str
    ordered_at: datetime
    tokens: tuple[str, ...] = ()  # of the SES identity's DKIM records
    dkim_zone: str = ""  # where those point to
    started: bool = False  # the activation execution runs
    noticed_at: datetime | None = None  # S6
    live_at: datetime | None = None
    misses: int = 0  # S7: definite looks without our MX, in a row
    missing_since: datetime | None = None  # S7
    brand: str = ""  # overrides the reseller's

    @property
    def short(self) -> Domain:
        """What routing and sign-in need."""
        return Domain(self.name, self.state, self.reseller)


@dataclass(frozen=True, slots=True)
class DnsRow:
    """A record to publish, and what was there when it was last looked for (S8)."""

    name: str
    type: str
    value: str
    purpose: str
    required: bool
    state: Literal["ok", "missing", "wrong", "unknown"] = "unknown"
    seen: tuple[str, ...] = ()
    ttl: int | None = None
    resolver: str = ""
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderedMailbox:
    """One line of an order."""

    local: str
    account: str
    name: str
    imap: bool
    storage_mb: int
    admin: bool
    recovery: str | None
    monthly_mills: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as placed. `placing`: kept, but its mailboxes or its execution may still be missing."""

    id: str
    reseller: str
    domain: str
    state: Literal["placing", "placed"]
    created_at: datetime
    fingerprint: str  # argon2 of the request, to know a repeat
    mailboxes: tuple[OrderedMailbox, ...] = field(default_factory=tuple)

    @property
    def monthly_mills(self) -> int:
        """What all its mailboxes cost in a month."""
        return sum(m.monthly_mills for m in self.mailboxes)


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
    )


def mailbox_item(account: Account, password_hash: str | None) -> Item:
    """The address item of a mailbox. Small: every message to it reads it."""
    local, _, domain = account.address.rpartition("@")
    item: Item = {
        **address_key(domain, local),
        "account": account.id,
        "mb": account.quota_bytes // MB,
        "name": account.name,
        "imap": account.imap,
        "admin": account.admin,
        "state": account.state,
    }
    if account.recovery:
        item["recovery"] = account.recovery
    if password_hash:
        item["hash"] = password_hash
    return item


def automatic_item(domain: str, local: str, kind: str) -> Item:
    """The address item of an automatic address (S9)."""
    return {**address_key(domain, local), "kind": kind}


def entry_of(item: Mapping[str, Any], reseller: str) -> Account | Automatic:
    """What an address item stands for."""
    domain, local = item["pk"].removeprefix("DOMAIN#"), item["sk"].removeprefix("ADDR#")
    address = f"{local}@{domain}"
    if "account" not in item:
        return Automatic(address, item["kind"])
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
        state=item["state"],
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
