"""What the directory knows, as values: resellers, keys, brands, hosted domains, orders."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.rules.dnsrecords import Judgement
from chalicelib.rules.values import Domain, DomainState, Unknown


@dataclass(frozen=True, slots=True)
class Reseller:
    """Who buys wholesale. `contact` gets the service's notices."""

    id: str
    name: str
    contact: str
    brand: str
    state: Literal["active", "closed"] = "active"  # closed: its API keys open nothing


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as kept: `hash` is the key's SHA-256; the key is nowhere. `reseller` "": an operator's."""

    hash: str
    reseller: str
    scopes: frozenset[str]
    expires_at: datetime | None
    label: str
    created_at: datetime
    sources: tuple[str, ...] = ()  # networks it may be used from; empty: anywhere
    used_at: datetime | None = None  # to the hour

    @property
    def id(self) -> str:
        """What it is called by."""
        return self.hash[:16]


@dataclass(frozen=True, slots=True)
class Brand:
    """What a reseller's customers see (S1)."""

    id: str
    product: str
    logo: str = ""  # a data: URL, or the hash of a picture that is kept beside the brand
    primary: str = "#1f4e8c"
    accent: str = "#d9822b"
    support_email: str = ""
    support_url: str = ""
    help_url: str = ""
    reseller: str = ""  # whose it is

    @property
    def name(self) -> str:
        """As its reseller calls it: the first one is "default"."""
        return "default" if self.id == self.reseller else self.id.removeprefix(f"{self.reseller}.")


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
    holds: frozenset[str] = frozenset()  # who suspended it: "operator", "reseller"
    unknown: Unknown = "bounce"  # S22
    catch_all: str = ""  # id of a mailbox, where `unknown` is "deliver"
    reversed_at: datetime | None = None  # S10
    cleared: bool = False  # of a reversed one: nothing is left in it, the name is free
    returning: bool = False  # of a reversed one: its reversal is being undone

    @property
    def short(self) -> Domain:
        """What routing and sign-in need."""
        held = bool(self.holds)
        return Domain(self.name, self.state, self.reseller, held, self.unknown, self.catch_all)


@dataclass(frozen=True, slots=True)
class DnsRow:
    """A record to publish, and what was there when it was last looked for (S8)."""

    name: str
    type: str
    value: str
    purpose: str
    required: bool
    state: Judgement = "unknown"
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
    mailboxes: tuple[OrderedMailbox, ...] = ()

    @property
    def monthly_mills(self) -> int:
        """What all its mailboxes cost in a month."""
        return sum(m.monthly_mills for m in self.mailboxes)
