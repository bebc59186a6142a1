"""Resellers and their API keys."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from chalicelib.rules import signin as rules
from chalicelib.rules.addresses import AddressError, normalise
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import Brand, Reseller
from chalicelib.rules.values import SYSTEM, Caller
from chalicelib.services import keys
from chalicelib.services.platform import Platform


def create_reseller(p: Platform, id: str, name: str, brand: Brand, contact: str) -> Reseller:
    """A reseller with its brand; `contact` is the address that notices go to. A repeat replaces both.

    Raises ServiceError invalid.
    """
    try:
        reseller = Reseller(id, name, normalise(contact), brand.id)
        brand = replace(brand, reseller=id)
    except AddressError as error:
        raise ServiceError(
            "invalid", "A reseller needs a contact address.", (Fault("/contact", str(error)),)
        ) from error
    p.brands.put(brand)
    p.directory.put_reseller(reseller)
    return reseller


def issue_key(
    p: Platform,
    reseller: str,
    scopes: Iterable[str],
    expires: datetime | None = None,
    label: str = "",
    caller: Caller = SYSTEM,
) -> str:
    """A new API key, in the only moment it can be seen; of the operator for reseller "".

    Raises ServiceError: not_found, invalid.
    """
    wanted = frozenset(scopes)
    unknown = sorted(scope for scope in wanted if not rules.known_scope(scope))
    if unknown or not wanted:
        raise ServiceError("invalid", f"Not a scope: {', '.join(unknown) or '(none given)'}.")
    if reseller and p.directory.reseller(reseller) is None:
        raise ServiceError("not_found", "There is no such reseller.")
    return keys.issue(p, reseller, wanted, expires, label, caller)
