"""What a fresh local cloud starts with: resellers, brands, domains, mailboxes, mail.

Resellers and keys are made by the services, for no API makes them yet; everything else goes through the
public API and ports, as customers would do it.
"""

import json
import smtplib
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from chalicelib.rules.hosted import Brand
from chalicelib.rules.signin import SCOPES
from chalicelib.services import accounts, brands, status
from chalicelib.services.platform import Platform
from local.samples import samples
from local.stack import Stack

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox to order."""

    local: str
    name: str
    password: str
    admin: bool = False
    imap: bool = True
    storage_mb: int = 250


@dataclass(frozen=True, slots=True)
class Hosted:
    """A domain to order; a live one gets its DNS records."""

    domain: str
    live: bool
    mailboxes: tuple[Mailbox, ...]


@dataclass(frozen=True, slots=True)
class Shop:
    """A reseller with its brand and the hosts that show it."""

    id: str
    name: str
    brand: Brand
    hosts: tuple[str, ...]
    domains: tuple[Hosted, ...]


def _logo(colour: str, letter: str) -> str:
    """A round mark as a data: URL."""
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
        f"<rect width='32' height='32' rx='9' fill='{colour}'/><text x='16' y='22' font-size='18' "
        f"font-family='Georgia,serif' fill='white' text-anchor='middle'>{letter}</text></svg>"
    )
    return f"data:image/svg+xml,{quote(svg, safe='')}"


SHOPS = (
    Shop(
        "harbour",
        "Harbour Web",
        Brand(
            id="harbour",
            product="Harbour Mail",
            logo=_logo("#0b5c8a", "H"),
            primary="#0b5c8a",
            accent="#e07a2f",
            support_email="help@harbourweb.example",
            support_url="https://harbourweb.example/help",
            help_url="https://harbourweb.example/help/mail",
        ),
        ("mail.localhost", "admin.localhost", "reseller.localhost", "mail.harbour.localhost"),
        (
            Hosted(
                "sunrise-bakery.test",
                True,
                (
                    Mailbox("ann", "Ann Baker", "sunrise-over-the-bay-1", admin=True, storage_mb=500),
                    Mailbox("bob", "Bob Miller", "rye-and-wheat-bread-2"),
                    Mailbox("orders", "Orders", "forty-rolls-please-3", imap=False),
                ),
            ),
            Hosted("foxglove.test", False, (Mailbox("eve", "Eve Fox", "not-active-yet-here-4", admin=True),)),
        ),
    ),
    Shop(
        "linden",
        "Linden Studio",
        Brand(
            id="linden",
            product="Lindenpost",
            logo=_logo("#2f6b3a", "L"),
            primary="#2f6b3a",
            accent="#b5562b",
            support_email="hello@lindenstudio.example",
            support_url="https://lindenstudio.example/support",
            help_url="https://lindenstudio.example/support/mail",
        ),
        ("mail.linden.localhost", "emailadmin.linden.localhost"),
        (
            Hosted(
                "willowbrook.test",
                True,
                (
                    Mailbox("carol", "Carol Winter", "willow-by-the-brook-5", admin=True),
                    Mailbox("dan", "Dan Ito", "quiet-water-runs-deep-6"),
                ),
            ),
        ),
    ),
)


@dataclass
class Seeded:
    """What stack.json and the printed table say of it."""

    resellers: list[Json] = field(default_factory=list)
    mailboxes: list[Json] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    operator_key: str = ""


class Seeder:
    """Talks to the web port and port 2525 of a started stack."""

    def __init__(self, stack: Stack, p: Platform) -> None:
        self._stack, self._platform = stack, p
        self._origin = f"http://{stack.urls['web']}"
        self._seeded = Seeded()

    def seed(self, shops: tuple[Shop, ...] = SHOPS) -> Seeded:
        """All of it. Raises SeedError when the API refuses."""
        self._seeded.operator_key = accounts.issue_key(self._platform, "", ["*"], label="local run")
        status.refresh(self._platform)
        for shop in shops:
            self._open(shop)
        self._stack.settle()
        self._write_mail()
        self._stack.settle()
        self._stack.ops.reset()
        return self._seeded

    def _open(self, shop: Shop) -> None:
        contact = f"postmaster@{shop.id}.example"
        accounts.create_reseller(self._platform, shop.id, shop.name, shop.brand, contact)
        for host in shop.hosts:
            brands.give_host(self._platform, host, shop.brand.id)
        key = accounts.issue_key(self._platform, shop.id, SCOPES, label="local run")
        for hosted in shop.domains:
            self._host(hosted, key)
        domains = [hosted.domain for hosted in shop.domains]
        self._seeded.resellers.append({"name": shop.name, "api_key": key, "domains": domains})

    def _host(self, hosted: Hosted, key: str) -> None:
        """Order; for a live one publish what the API asks for, and have it looked at now."""
        rows = [
            {
                "local": m.local,
                "password": m.password,
                "name": m.name,
                "imap": m.imap,
                "storage_mb": m.storage_mb,
                "admin": m.admin,
            }
            for m in hosted.mailboxes
        ]
        self._call("POST", "/v1/orders", {"domain": hosted.domain, "mailboxes": rows}, key)
        if not hosted.live:
            self._seeded.pending.append(hosted.domain)
            return
        for record in self._call("GET", f"/v1/domains/{hosted.domain}", None, key)["dns"]:
            value = {"name": record["name"], "type": record["type"], "values": [record["value"]]}
            self._call("PUT", "/local/dns", value)
        checked = self._call("POST", f"/v1/domains/{hosted.domain}/check", {}, key)
        if checked["state"] != "live":
            raise SeedError(f"{hosted.domain} is {checked['state']} with all its records published")
        self._seeded.mailboxes += [
            {
                "address": f"{m.local}@{hosted.domain}",
                "password": m.password,
                "admin": m.admin,
                "imap": m.imap,
            }
            for m in hosted.mailboxes
        ]

    def _write_mail(self) -> None:
        """The dozen for the first mailbox of each live domain, a few for the others."""
        host, _, port = self._stack.urls["smtp_in"].partition(":")
        now = self._stack.clock.now()
        with smtplib.SMTP(host, int(port), "samples.example", timeout=60) as smtp:
            for hosted in (h for shop in SHOPS for h in shop.domains if h.live):
                for number, mailbox in enumerate(hosted.mailboxes):
                    found = samples(f"{mailbox.local}@{hosted.domain}", mailbox.name, now)
                    for sample in found if number == 0 else found[-3:]:
                        smtp.sendmail(sample.sender, [sample.to], sample.message)

    def _call(self, method: str, path: str, body: Any, key: str = "") -> Json:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._origin + path, raw, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return dict(json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            raise SeedError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from error


class SeedError(Exception):
    """The service did not take what a fresh local cloud starts with."""
