"""Who a caller is and what it may touch: the walls between tenants, in one place.

A foreign name answers exactly like one that does not exist; a key whose scopes do not cover the action is
told so before anything is looked up.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from chalicelib.rules.addresses import AddressError, parse_domain
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account, Caller, Role
from chalicelib.services import signin
from chalicelib.services.platform import Platform
from chalicelib.services.signin import require, require_some

__all__ = ["caller", "domain", "mailbox", "require", "require_some", "unquoted"]


def unquoted(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Variables of a path as they are meant."""
    for name, value in variables.items():
        yield name, unquote(value)


def caller(p: Platform, token: str, source: str, role: Role) -> Caller:
    """Who holds this key or session, in the role that a route is for. Raises unauthenticated, forbidden."""
    if role in ("reseller", "operator"):
        who = signin.api_caller(p, token, source, role)
        _require_open(p, who)
        return who
    account = signin.session(p, token)
    if role == "admin" and not account.admin:
        raise ServiceError("forbidden", "This needs the rights of an email administrator.")
    return Caller(
        reseller=account.reseller,
        key_id="",
        scopes=frozenset({f"*@{account.domain}"}),
        source=source,
        role=role,
        domain=account.domain,
        account=account.id,
        address=account.address,
    )


def _require_open(p: Platform, who: Caller) -> None:
    """Raises ServiceError forbidden for a reseller that the operator closed."""
    reseller = p.directory.reseller(who.reseller) if who.reseller else None
    if reseller is not None and reseller.state == "closed":
        raise ServiceError("forbidden", "This reseller account is closed.")


def domain(p: Platform, who: Caller, name: str | None, action: str) -> HostedDomain:
    """The domain of that name, or the caller's own (None). Raises ServiceError: forbidden, not_found."""
    absent = ServiceError("not_found", "There is no such domain.")
    try:
        name = parse_domain(name) if name is not None else who.domain
    except AddressError:
        raise absent from None
    if action:
        require(who, action, name)
    found = p.directory.domain(name)
    if found is None or not (who.role == "operator" or found.reseller == who.reseller):
        raise absent
    return found


def mailbox(p: Platform, who: Caller, hosted: HostedDomain, local: str | None) -> Account:
    """The mailbox of that name in a domain, or the caller's own (None). Raises ServiceError not_found."""
    address = f"{local}@{hosted.name}" if local is not None else who.address
    entry = p.directory.lookup([address])[address].entry
    if not isinstance(entry, Account) or (local is not None and entry.address != address.lower()):
        raise ServiceError("not_found", "There is no such mailbox.")
    return entry
