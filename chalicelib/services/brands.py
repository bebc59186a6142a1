"""What customers see instead of the operator (S1, S2): a brand per reseller, by domain and by host name."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from urllib.parse import unquote_to_bytes

from chalicelib.aws.table import Put
from chalicelib.rules import brands as rules
from chalicelib.rules.addresses import AddressError, parse_domain
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import Brand
from chalicelib.rules.values import Caller
from chalicelib.rules.webhooks import UrlError
from chalicelib.services import audit, outside
from chalicelib.services.platform import Platform

#: For a host that nobody gave a brand: names nobody.
NEUTRAL = Brand(id="", product="Mail")
#: S8: host names under a customer's domain that show its brand.
PREFIXES = ("mail.", "emailadmin.", "autoconfig.", "autodiscover.")
MOST_BRANDS = 200
DEFAULT = "default"  # the name of a reseller's first brand
EDITABLE = ("product", "primary", "accent", "support_email", "support_url", "help_url")


# ---------------------------------------------------------------------------------------------- which one
def give_host(p: Platform, host: str, brand_id: str) -> None:
    """Show a brand on a host name that is no customer domain's own."""
    brand = p.brands.get(brand_id)
    if brand is None or not p.brands.give_host(host.lower(), brand, ()):
        raise ServiceError("conflict", "This host name is not free.")


def of_host(p: Platform, host: str) -> Brand:
    """The brand of the host a browser came with (without a port): given, or its domain's, or neutral."""
    host = host.lower().rstrip(".")
    if given := p.brands.host(host):
        return p.brands.get(given) or NEUTRAL
    domain = domain_of_host(host)
    return of_domain(p, domain) if domain else NEUTRAL


def domain_of_host(host: str) -> str:
    """The customer domain whose own host this is; empty where it is none's."""
    for prefix in PREFIXES:
        if host.startswith(prefix):
            return host.removeprefix(prefix)
    return ""


def of_domain(p: Platform, domain: str) -> Brand:
    """The brand of a hosted domain: its own where set, else its reseller's, else neutral."""
    hosted = p.directory.domain(domain)
    if hosted is None or hosted.state == "reversed":
        return NEUTRAL
    own = p.brands.get(hosted.brand) if hosted.brand else None
    return own or of_reseller(p, hosted.reseller)


def of_reseller(p: Platform, reseller_id: str) -> Brand:
    """A reseller's brand."""
    reseller = p.directory.reseller(reseller_id)
    return (p.brands.get(reseller.brand) if reseller else None) or NEUTRAL


def logo(p: Platform, brand: Brand) -> str:
    """The logo as a data: URL; empty without one. What is served with the page needs no other origin."""
    if not brand.logo or brand.logo.startswith("data:"):
        return brand.logo
    kept = p.brands.logo(brand.id)
    return f"data:{kept[0]};base64,{base64.b64encode(kept[1]).decode()}" if kept else ""


# ------------------------------------------------------------------------------------------ a reseller's own
def owned(p: Platform, reseller: str, name: str) -> Brand:
    """The brand that a reseller calls so. Raises ServiceError not_found."""
    found = p.brands.get(_id(p, reseller, name))
    if found is None or found.reseller != reseller:
        raise ServiceError("not_found", "There is no such brand.")
    return found


def _id(p: Platform, reseller: str, name: str) -> str:
    """Ids are the platform's; names are each reseller's own."""
    if name == DEFAULT:
        known = p.directory.reseller(reseller)
        return known.brand if known else ""
    return f"{reseller}.{name}"


def save(p: Platform, caller: Caller, name: str, given: Mapping[str, str]) -> tuple[Brand, bool]:
    """Create or replace a brand's fields; whether it is new. Raises ServiceError: invalid, conflict."""
    wrong = [] if name == DEFAULT or rules.brand_name(name) else [_bad_name()]
    wrong += rules.faults(given)
    if wrong:
        raise ServiceError("invalid", "The brand cannot be kept as it is.", tuple(wrong))
    id = _id(p, caller.reseller, name)
    present = p.brands.get(id)
    if present is None and len(p.brands.of_reseller(caller.reseller, MOST_BRANDS, "")[0]) >= MOST_BRANDS:
        extra = {"limit": MOST_BRANDS, "used": MOST_BRANDS, "remaining": 0, "unit": "brands"}
        raise ServiceError("conflict", f"A reseller has at most {MOST_BRANDS} brands.", extra=extra)
    made = replace(present or Brand(id, "", reseller=caller.reseller), **{k: given[k] for k in EDITABLE})
    if made != present:
        _write(p, caller, made, present)
    return made, present is None


def _bad_name() -> Fault:
    return Fault("/brand", "A brand's name has at most 40 lower-case letters, digits and inner hyphens.")


def _write(p: Platform, caller: Caller, made: Brand, present: Brand | None) -> None:
    verb = "changed" if present else "created"
    before = _told(present) if present else {}
    if not p.brands.save(made, present, [_note(caller, f"brand.{verb}", made, before, _told(made))]):
        raise ServiceError("conflict", "The brand was changed meanwhile. Read it again first.")


def _told(brand: Brand) -> dict[str, str]:
    return {k: v for k, v in asdict(brand).items() if k in (*EDITABLE, "logo")}


def _note(
    caller: Caller, type: str, brand: Brand, before: Mapping[str, str], after: Mapping[str, str]
) -> Put:
    return audit.note(caller, type, brand.name, reseller=caller.reseller, before=before, after=after)


def remove(p: Platform, caller: Caller, name: str) -> None:
    """Remove a brand: where it was shown, the default is. Raises ServiceError: not_found, conflict."""
    found = owned(p, caller.reseller, name)
    if name == DEFAULT:
        raise ServiceError("conflict", "The default brand can be changed and not removed.")
    p.brands.remove(found, [_note(caller, "brand.deleted", found, _told(found), {})])


# ---------------------------------------------------------------------------------------------------- logos
def set_logo(p: Platform, caller: Caller, name: str, content: bytes) -> Brand:
    """S2: the picture as uploaded. Raises ServiceError: not_found, invalid."""
    found = owned(p, caller.reseller, name)
    try:
        kind = rules.logo_type(content)
    except rules.LogoError as error:
        raise ServiceError("invalid", str(error)) from None
    p.brands.keep_logo(found.id, kind, content)
    made = replace(found, logo=f"{kind} {sha256(content).hexdigest()[:32]}")
    if made != found:
        _write(p, caller, made, found)
    return made


def set_logo_by_snippet(p: Platform, caller: Caller, name: str, snippet: str) -> Brand:
    """S2: the picture of an `<img>` element, taken over once. Raises ServiceError: not_found, invalid."""
    owned(p, caller.reseller, name)
    try:
        source = rules.picture(snippet).src
        content = _data(source) if source.lower().startswith("data:") else _fetched(p, source)
        rules.logo_type(content)
    except rules.LogoError as error:
        fault = Fault("/snippet", str(error))
        raise ServiceError("invalid", str(error), (fault,)) from None
    return set_logo(p, caller, name, content)


def _data(url: str) -> bytes:
    """RFC 2397. Raises LogoError."""
    head, comma, data = url.partition(",")
    try:
        if not comma:
            raise ValueError
        raw = unquote_to_bytes(data)
        return base64.b64decode(raw, validate=True) if head.lower().endswith(";base64") else raw
    except (binascii.Error, ValueError):
        raise rules.LogoError("The data: URL of the <img> cannot be read.") from None


def _fetched(p: Platform, url: str) -> bytes:
    """Raises LogoError."""
    try:
        return outside.fetch(p, url, rules.LARGEST_LOGO)
    except UrlError as error:
        detail = f"The picture could not be fetched from its address, so please upload it. {error}"
        raise rules.LogoError(detail) from None


def clear_logo(p: Platform, caller: Caller, name: str) -> None:
    """No logo: pages show the product's first letter. Raises ServiceError not_found."""
    found = owned(p, caller.reseller, name)
    if found.logo:
        _write(p, caller, replace(found, logo=""), found)


# ---------------------------------------------------------------------------------------------------- hosts
def put_host(p: Platform, caller: Caller, host: str, name: str) -> str:
    """Show a brand on a host of the reseller's; the host as kept. Raises ServiceError: invalid, conflict."""
    brand = owned(p, caller.reseller, name)
    try:
        host = parse_domain(host)
    except AddressError as error:
        raise ServiceError("invalid", "This is no host name.", (Fault("/host", str(error)),)) from None
    own = (p.settings.mail_zone, p.settings.web_host, p.settings.admin_host)
    customer = p.directory.domain(domain_of_host(host)) if domain_of_host(host) else None
    strange = customer is not None and customer.reseller != caller.reseller
    note = _note(caller, "host.branded", brand, {}, {"host": host})
    if host in own or host.endswith(f".{p.settings.mail_zone}") or strange:
        raise _taken()
    if not p.brands.give_host(host, brand, [note]):
        raise _taken()
    return host


def _taken() -> ServiceError:
    return ServiceError("conflict", "This host name cannot be given a brand: it is in use already.")


def drop_host(p: Platform, caller: Caller, host: str) -> None:
    """The host shows no brand of the reseller's any more. Raises ServiceError not_found."""
    note = audit.note(caller, "host.unbranded", host.lower(), reseller=caller.reseller)
    if not p.brands.take_host(host.lower(), caller.reseller, [note]):
        raise ServiceError("not_found", "There is no such host.")
