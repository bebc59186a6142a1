"""Every file of the kit by name, rendered for a brand and a domain; and all of them as a zip."""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.aws import clock
from chalicelib.rules.addresses import AddressError, parse_domain
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import Brand
from chalicelib.rules.values import Caller
from chalicelib.services import brands
from chalicelib.services.clientsetup import Setup, servers
from chalicelib.services.kit import copy, setup
from chalicelib.services.kit.banners import SIZES, banner
from chalicelib.services.kit.blocks import Block, as_html, as_text
from chalicelib.services.platform import Platform

PLACEHOLDER = "your-domain.example"
HTML, TEXT, SVG = "text/html; charset=utf-8", "text/plain; charset=utf-8", "image/svg+xml"
PAGES: Mapping[str, tuple[str, Callable[..., list[Block]]]] = {
    "web-copy": ("Mailboxes for your own domain", copy.web),
    "faq": ("Questions and answers", copy.faq),
}
LETTERS: Mapping[str, Callable[..., list[Block]]] = {
    "email-offer": copy.offer,
    "email-welcome": copy.welcome,
    "email-more-room": copy.more_room,
}


@dataclass(frozen=True, slots=True)
class File:
    """A file of the kit."""

    name: str
    type: str
    content: str


@dataclass(frozen=True, slots=True)
class Kit:
    """For whom it is rendered."""

    p: Platform
    setup: Setup
    logo: str

    def files(self) -> list[File]:
        """All of it."""
        b, figures = self.setup.brand, self.p.figures
        made = [File(f"{n}.html", HTML, self._page(t, text(b, figures))) for n, (t, text) in PAGES.items()]
        made += [File(f"{n}.txt", TEXT, as_text(text(b, figures))) for n, text in LETTERS.items()]
        made += [File(f"banner-{size}.svg", SVG, banner(b, self.logo, size)) for size in SIZES]
        made += [File(f"setup-{name}.html", HTML, self.client(name)) for name in setup.CLIENTS]
        return made

    def client(self, name: str) -> str:
        """The set-up page of a client."""
        title, page = setup.CLIENTS[name]
        return self._page(title, page(self.setup))

    def _page(self, title: str, blocks: list[Block]) -> str:
        return as_html(self.setup.brand, self.logo, title, blocks)


def kit(p: Platform, caller: Caller, brand: str, domain: str) -> Kit:
    """The reseller's kit; without a domain it speaks of a made-up one. Raises ServiceError not_found."""
    name = domain or PLACEHOLDER
    if domain:
        name = _own(p, caller, domain)
    return _made(p, name, brands.owned(p, caller.reseller, brand))


def _own(p: Platform, caller: Caller, domain: str) -> str:
    try:
        found = p.directory.domain(parse_domain(domain))
    except AddressError as error:
        raise ServiceError("bad_request", str(error), (Fault("/domain", str(error)),)) from None
    if found is None or found.reseller != caller.reseller:
        raise ServiceError("not_found", "There is no such domain.")
    return found.name


def _made(p: Platform, domain: str, brand: Brand) -> Kit:
    return Kit(p, Setup(domain, brand, servers(domain, p.figures)), brands.logo(p, brand))


def for_users(p: Platform, s: Setup) -> Kit:
    """The set-up pages that a domain's own host shows."""
    return Kit(p, s, brands.logo(p, s.brand))


def archive(k: Kit) -> str:
    """The kit as a zip: a key of the bucket, gone after a day. The same kit gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for file in k.files():
            made.writestr(zipfile.ZipInfo(file.name), file.content.encode(), zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    key = f"part/kit-{clock.now():%Y%m%d}-{sha256(content).hexdigest()}"
    k.p.blobs.put(key, content, type="application/zip")
    return key
