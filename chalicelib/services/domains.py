"""What a reseller sets of a domain itself: the brand that it shows (S1)."""

from chalicelib.rules.addresses import AddressError, parse_domain
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Caller
from chalicelib.services import audit, brands, signin
from chalicelib.services.platform import Platform


def name_of(caller: Caller, text: str, action: str) -> str:
    """A domain's name in the directory's form, whoever's it is. Raises ServiceError: not_found, forbidden."""
    try:
        name = parse_domain(text)
    except AddressError:
        raise ServiceError("not_found", "There is no such domain.") from None
    signin.require(caller, action, name)
    return name


def brand_name(p: Platform, domain: HostedDomain) -> str | None:
    """What its reseller calls the brand that a domain was given; None: none, it shows the default."""
    found = p.brands.get(domain.brand) if domain.brand else None
    return found.name if found else None


def set_brand(p: Platform, caller: Caller, domain: HostedDomain, name: str | None) -> HostedDomain:
    """Show one of the reseller's brands on a domain (None: the default). Raises ServiceError."""
    try:
        id = brands.owned(p, domain.reseller, name).id if name is not None else ""
    except ServiceError:
        fault = Fault("/brand", "This is the name of no brand of yours.")
        raise ServiceError("invalid", "The domain cannot show this brand.", (fault,)) from None
    if id == domain.brand:
        return domain
    before = {"brand": brand_name(p, domain)}
    note = audit.note(
        caller,
        "domain.changed",
        domain.name,
        reseller=domain.reseller,
        domain=domain.name,
        before=before,
        after={"brand": name},
    )
    given = {"order": domain.order, "state": domain.state, "brand": domain.brand or None}
    change = {"brand": id} if id else {}
    gone = () if id else ("brand",)
    if not p.directory.change_domain(domain.name, change, given=given, remove=gone, also=[note]):
        raise ServiceError("conflict", "The domain was changed at the same moment. Please try again.")
    return p.directory.domain(domain.name) or domain
