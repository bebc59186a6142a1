"""As whom a mailbox may send, and how it introduces itself: one identity for its own address and for each of
its aliases, always there, and what its owner adds (RFC 8621 §6).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from chalicelib.rules import identities as rules
from chalicelib.rules.addresses import AddressError, parse
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.identities import Identity
from chalicelib.rules.ids import identity_id
from chalicelib.rules.values import Account
from chalicelib.services.platform import Platform

Edit = Callable[[Identity], Identity]


@dataclass(frozen=True, slots=True)
class Listed:
    """An account's identities by id, its own address's first. `facts` changes with what the directory says:
    the mailbox's name, its aliases. The change log knows nothing of those.
    """

    identities: dict[str, Identity]
    facts: str


def own_id(account: Account) -> str:
    """The id of the identity of the account's own address."""
    return f"i{account.id}"


def listed(p: Platform, account: Account) -> Listed:
    """Every identity. Those made under an address that is the owner's no longer are left out."""
    kept = {identity.id: identity for identity in p.identities.all(account.id)}
    aliases = _aliases(p, account)
    always = {own_id(account): account.address} | {identity_id(account.id, a): a for a in aliases}
    found = {id: replace(kept.get(id, Identity(id, email)), email=email) for id, email in always.items()}
    made = [identity for identity in kept.values() if identity.made]
    theirs = sendable(p, account, {identity.email for identity in made})
    found |= {identity.id: identity for identity in made if identity.email in theirs}
    hidden = sorted(identity.id for identity in made if identity.email not in theirs)
    told = "\0".join([account.name, account.address, *aliases, "", *hidden])
    named = {id: _named(identity, account) for id, identity in found.items()}
    return Listed(named, sha256(told.encode(errors="surrogatepass")).hexdigest()[:8])


def known(p: Platform, account: Account, id: str) -> Identity | None:
    """One of the account's identities. Its own address's: one read unit."""
    if id == own_id(account):
        kept = p.identities.get(account.id, id) or Identity(id, account.address)
        return _named(replace(kept, email=account.address), account)
    return listed(p, account).identities.get(id)


def sendable(p: Platform, account: Account, addresses: Iterable[str]) -> set[str]:
    """Which of these the account may send as: those that lead to its mailbox by name, which a catch-all,
    leading there from every name, does not do."""
    asked = set(addresses)
    found = p.directory.lookup(asked) if asked else {}
    return {
        address
        for address, lookup in found.items()
        if isinstance(lookup.entry, Account) and lookup.entry.id == account.id and lookup.via != "catch_all"
    }


def _aliases(p: Platform, account: Account) -> Sequence[str]:
    """Addresses of the account's aliases, by name; all of a domain's are in one page."""
    items, _ = p.addresses.page(account.domain, "alias", p.figures.max_aliases, "")
    return [f"{item['gsk']}@{account.domain}" for item in items if item["target"] == account.id]


def _named(identity: Identity, account: Account) -> Identity:
    return replace(identity, name=account.name if identity.name is None else identity.name)


# ------------------------------------------------------------------- writing
def create(p: Platform, account: Account, wanted: Identity) -> Identity:
    """A further identity; its id is given here. Raises ServiceError: invalid, forbidden_from, over_quota."""
    rules.check(wanted)
    try:
        email = str(parse(wanted.email))
    except AddressError as error:
        raise ServiceError("invalid", str(error), (Fault("/email", str(error)),)) from None
    if not sendable(p, account, {email}):
        raise ServiceError("forbidden_from", "This is not an address of this mailbox.")
    return p.identities.create(account.id, lambda id: replace(wanted, id=id, email=email, made=True))


def change(p: Platform, account: Account, id: str, edit: Edit) -> Identity:
    """What an identity is from now on. Raises ServiceError: not_found, invalid; and what `edit` raises."""
    there = known(p, account, id)
    if there is None:
        raise ServiceError("not_found", "There is no such identity.")

    def edited(kept: Identity | None) -> Identity:
        before = replace(kept or Identity(id, there.email), email=there.email)
        after = edit(_named(before, account))
        rules.check(after)
        follows = before.name is None and after.name == account.name
        return replace(after, name=None) if follows else after

    return _named(p.identities.change(account.id, id, edited), account)


def remove(p: Platform, account: Account, id: str) -> None:
    """Forget an identity that the owner made. Raises ServiceError: not_found, forbidden."""
    there = known(p, account, id)
    if there is None:
        raise ServiceError("not_found", "There is no such identity.")
    if not there.made:
        raise ServiceError("forbidden", "The mailbox has this address.")
    p.identities.remove(account.id, id)
