"""Who may come in, by which door, how often they may try; and what an API key may do."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Literal

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.values import Account, Domain

Door = Literal["webmail", "imap", "pop3", "smtp", "jmap"]
APP_DOORS: frozenset[Door] = frozenset({"imap", "pop3", "smtp"})  # which app passwords may open
MOST_APPS = 20  # app passwords of one mailbox
LONGEST_LABEL = 100  # characters
WIDE = 10  # a source, or all sources of one address, may fail so many times the figure

#: What the keys of resellers can be limited to; each also to one domain ("mailboxes:write@example.com").
SCOPES = frozenset(
    f"{resource}:{action}"
    for resource in (
        "orders",
        "domains",
        "mailboxes",
        "addresses",  # aliases, forwards, lists, catch-all
        "messages",  # traces of mail, misaddressed mail
        "suspensions",
        "brands",
        "keys",
        "billing",
        "events",  # the audit as well
        "webhooks",
        "notices",
    )
    for action in ("read", "write")
)
#: What only the operator's keys can be given.
OPERATOR_SCOPES = frozenset(
    f"{resource}:{action}"
    for resource in ("resellers", "abuse", "incidents", "calendar", "announcements")
    for action in ("read", "write")
)


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A password for mail programs, as kept. It is good while its account is of the same epoch."""

    id: str
    label: str
    doors: frozenset[str]
    hash: str
    epoch: int
    created_at: datetime
    used_on: str | None = None  # a day


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A second factor as kept: a shared secret (Base32), and hashes of recovery codes not yet used."""

    secret: str
    on: bool  # not before the first code was right
    step: int  # the last time step whose code was used
    codes: tuple[str, ...]
    since: datetime
    version: int = 0


@dataclass(frozen=True, slots=True)
class Tries:
    """Failures counted in the present window, by three counters.

    The narrow one (an address from one source) locks a guesser out without locking out the owner, who is
    elsewhere; the wide ones bound guessing at many addresses, or from many places.
    """

    pair: int  # this address from this source, the present try included
    source: int
    address: int


def window(now: datetime, figures: Figures) -> tuple[int, datetime]:
    """The present throttle window: its number, and when it ends."""
    seconds = int(figures.signin_window.total_seconds())
    number = int(now.timestamp()) // seconds
    return number, datetime.fromtimestamp((number + 1) * seconds, now.tzinfo)


def throttled(tries: Tries, figures: Figures) -> bool:
    """Whether no more tries are heard in this window."""
    wide = figures.signin_attempts * WIDE
    return tries.pair > figures.signin_attempts or tries.source >= wide or tries.address >= wide


def check_entry(domain: Domain, account: Account, door: Door) -> None:
    """Whether the owner, whose password was right, is let in. Raises ServiceError with the reason (S5).

    After an MX moved away (S7) the mail already here stays readable.
    """
    if domain.state == "pending":
        raise ServiceError(
            "domain_pending",
            f"{domain.name} is not active yet: its MX record does not point to this mail service."
            " Log-in is possible as soon as it does.",
        )
    if domain.suspended:
        raise ServiceError("domain_suspended", f"Email of {domain.name} is suspended.")
    if account.state == "suspended":
        raise ServiceError("account_suspended", "This mailbox is suspended.")
    if door == "imap" and not account.imap:
        raise ServiceError("imap_off", "IMAP is not part of this mailbox. POP3 and webmail are.")


def allows(scopes: Collection[str], action: str, domain: str | None = None) -> bool:
    """Whether an API key's scopes cover an action, as "domains:read".

    "*" covers all; "domains:read@example.com" covers that domain alone, and nothing that is not about one.
    """
    if "*" in scopes or action in scopes:
        return True
    return domain is not None and (f"{action}@{domain}" in scopes or f"*@{domain}" in scopes)


def known_scope(scope: str) -> bool:
    """Whether a scope is one that some route asks for."""
    action, _, _ = scope.partition("@")
    return action == "*" or action in SCOPES | OPERATOR_SCOPES


def covers(scopes: Collection[str], asked: Collection[str]) -> bool:
    """Whether who has these scopes may grant those asked for: no key grants more than it has."""
    split = [scope.partition("@") for scope in asked]
    return all(allows(scopes, action, domain or None) for action, _, domain in split)


def spread(scopes: Collection[str], domains: Collection[str]) -> frozenset[str]:
    """Scopes narrowed to domains; with none given, as they are."""
    return frozenset(f"{scope}@{domain}" for scope in scopes for domain in domains) or frozenset(scopes)


def networks(texts: Collection[str]) -> tuple[str, ...]:
    """Addresses and networks (CIDR) in their usual form. Raises ValueError with what is none."""
    found = []
    for text in texts:
        try:
            found.append(str(ip_network(text.strip(), strict=False)))
        except ValueError:
            raise ValueError(text) from None
    return tuple(dict.fromkeys(found))


def within(inner: Collection[str], outer: Collection[str]) -> bool:
    """Whether networks all lie in others; no outer ones are no limit."""
    outside = [ip_network(text) for text in outer]
    return not outside or all(
        any(a.version == b.version and a.subnet_of(b) for b in outside)  # type: ignore[arg-type]
        for a in map(ip_network, inner)
    )


def from_one_of(source: str, allowed: Collection[str]) -> bool:
    """Whether an address is in one of the networks; none given: wherever it is."""
    if not allowed:
        return True
    try:
        address = ip_address(source)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in ip_network(network) for network in allowed)


def network_of(source: str) -> str:
    """A source as it is throttled and shown: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ip_address(source)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Macintosh|Mac OS X"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)


def agent_of(header: str) -> str:
    """A User-Agent header in two words, as its owner would say it; else the start of it."""
    browser = next((name for name, pattern in _BROWSERS if re.search(pattern, header)), "")
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, header)), "")
    if browser or system:
        return " on ".join(filter(None, (browser, system)))
    return "".join(c for c in header if c.isprintable())[:40]
