"""Webhooks (S40): where they may lead, how they are signed, when they are tried again and given up."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Literal
from urllib.parse import urlsplit

from chalicelib.rules.addresses import AddressError, parse_domain

LONGEST_URL = 2_000
MOST = 20  # of a reseller
MOST_TYPES = 50
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
GIVEN_UP = timedelta(days=3)
TWO_SECRETS = timedelta(hours=24)  # after a rotation both sign
LOG_KEPT = timedelta(days=14)
LOOPBACK = "127.0.0.1"

State = Literal["active", "disabled"]


class UrlError(ValueError):
    """No address for a webhook; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post. `path` begins with a slash and has the query."""

    host: str
    port: int
    path: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Webhook:
    """A reseller's wish to be told. `after`: the last event that was delivered, or is of no interest."""

    id: str
    reseller: str
    url: str
    types: tuple[str, ...]
    secret: str
    after: str
    created_at: datetime
    state: State = "active"
    previous_secret: str = ""
    previous_until: datetime | None = None
    failures: int = 0  # in a row
    failing_since: datetime | None = None
    next_at: datetime | None = None  # not before
    revision: int = 0  # of what its reseller set


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST. `status` None: there was no answer, and `detail` says why."""

    at: datetime
    event: str
    type: str
    status: int | None
    detail: str
    milliseconds: int

    @property
    def ok(self) -> bool:
        """Whether it counts as delivered: nothing but a 2xx does."""
        return self.status is not None and 200 <= self.status < 300


def target(url: str, *, here: bool) -> Target:
    """Where a URL leads. `here`: it may be this very machine, by plain http. Raises UrlError."""
    if len(url) > LONGEST_URL or not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise UrlError(f"A URL has at most {LONGEST_URL} characters of printable ASCII, and no spaces.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UrlError("This is not a URL.") from None
    if "@" in parts.netloc or parts.fragment:
        raise UrlError("A URL here has no user, no password and no fragment.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if here and host == LOOPBACK and parts.scheme in ("http", "https"):
        tls = parts.scheme == "https"
        return Target(host, port or (443 if tls else 80), path, tls)
    if parts.scheme != "https":
        raise UrlError("A URL here begins with https://.")
    if port not in (None, 443) and not (port and port >= 1024):
        raise UrlError("The port is 443, or 1024 and above.")
    try:
        return Target(parse_domain(host), port or 443, path, tls=True)
    except AddressError:
        raise UrlError("The host is a full domain name.") from None


def public(address: str) -> bool:
    """Whether an IP address is on the internet: not this machine's, its network's, or a cloud's metadata.

    IPv6 that stands for an IPv4 address is judged by that.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None and not public(str(inner)):
            return False
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def signature(secrets: Sequence[str], at: datetime, body: bytes) -> str:
    """`t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 of "t.body", once with each secret."""
    t = int(at.timestamp())
    signed = f"{t}.".encode() + body
    return ",".join(
        [f"t={t}", *(f"v1={hmac.new(s.encode(), signed, 'sha256').hexdigest()}" for s in secrets)]
    )


def secrets_at(hook: Webhook, now: datetime) -> tuple[str, ...]:
    """What signs now."""
    both = hook.previous_secret and hook.previous_until and now < hook.previous_until
    return (hook.secret, hook.previous_secret) if both else (hook.secret,)


def pause(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 1 minute, doubled each time, 6 hours at most."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(failures - 1, 20)))


def given_up(failing_since: datetime, now: datetime) -> bool:
    """Whether it has failed for so long that nobody seems to want it."""
    return now - failing_since >= GIVEN_UP
