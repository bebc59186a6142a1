"""What customers see instead of the operator (S1): a brand per reseller, by domain and by host name."""

from chalicelib.rules.hosted import Brand
from chalicelib.services.platform import Platform

#: For a host that nobody gave a brand: names nobody.
NEUTRAL = Brand(id="", product="Mail")
#: S8: host names under a customer's domain that show its brand.
PREFIXES = ("mail.", "emailadmin.")


def give_host(p: Platform, host: str, brand_id: str) -> None:
    """Show a brand on a host name that is no customer domain's own."""
    p.directory.put_host(host.lower(), brand_id)


def of_host(p: Platform, host: str) -> Brand:
    """The brand of the host a browser came with (without a port): given, or its domain's, or neutral."""
    host = host.lower().rstrip(".")
    if given := p.directory.host(host):
        return p.directory.brand(given) or NEUTRAL
    for prefix in PREFIXES:
        if host.startswith(prefix):
            return of_domain(p, host.removeprefix(prefix))
    return NEUTRAL


def of_domain(p: Platform, domain: str) -> Brand:
    """The brand of a hosted domain: its own where set, else its reseller's, else neutral."""
    hosted = p.directory.domain(domain)
    if hosted is None or hosted.state == "reversed":
        return NEUTRAL
    if hosted.brand:
        return p.directory.brand(hosted.brand) or NEUTRAL
    return of_reseller(p, hosted.reseller)


def of_reseller(p: Platform, reseller_id: str) -> Brand:
    """A reseller's brand."""
    reseller = p.directory.reseller(reseller_id)
    return (p.directory.brand(reseller.brand) if reseller else None) or NEUTRAL
