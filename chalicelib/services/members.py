"""Members of distribution lists (S20, S22): inside and outside, changed in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from chalicelib.rules.addresses import AddressError, mailbox_address
from chalicelib.rules.addresses import normalise as normalised
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.limits import sendable
from chalicelib.rules.values import Caller, Lookup, MailingList
from chalicelib.services import addresses, audit
from chalicelib.services.platform import Platform
from chalicelib.store.addresses import Overtaken

TRIES = 5  # while others change the same list
MOST_FAULTS = 50  # told at once
How = Callable[[Mapping[str, bool]], Mapping[str, bool]]


def page(
    p: Platform, domain: HostedDomain, local: str, limit: int, after: str
) -> tuple[list[tuple[str, bool]], str]:
    """Members, and whether each is outside, in an order of no meaning. Raises ServiceError not_found."""
    return p.addresses.members_page(addresses.get_list(p, domain, local), limit, after)


def replace_all(
    p: Platform, caller: Caller, domain: HostedDomain, local: str, given: Sequence[str]
) -> MailingList:
    """Make these the members. Raises ServiceError: not_found, invalid, conflict."""
    chosen = classified(p, domain, given, "/members")
    return _change(p, caller, domain, local, lambda _: chosen)


def change(
    p: Platform, caller: Caller, domain: HostedDomain, local: str, add: Sequence[str], remove: Sequence[str]
) -> MailingList:
    """Add some and take others away; who is one, or none, already is no fault.

    Raises ServiceError: not_found, invalid, conflict.
    """
    added = classified(p, domain, add, "/add")
    gone = set(_canonical(remove, "/remove", domain))

    def changed(old: Mapping[str, bool]) -> dict[str, bool]:
        return {a: o for a, o in {**old, **added}.items() if a not in gone}

    return _change(p, caller, domain, local, changed)


def _change(p: Platform, caller: Caller, domain: HostedDomain, local: str, how: How) -> MailingList:
    for _ in range(TRIES):
        entry = addresses.get_list(p, domain, local)
        old = p.addresses.members(entry)
        new = dict(how(old))
        _check_room(p, new)
        if new == old:
            return entry
        event = audit.note(
            caller,
            "list.members-changed",
            entry.address,
            reseller=domain.reseller,
            domain=domain.name,
            before={"members": len(old), "removed": sorted(old.keys() - new.keys())[:MOST_FAULTS]},
            after={"members": len(new), "added": sorted(new.keys() - old.keys())[:MOST_FAULTS]},
        )
        try:
            return p.addresses.set_members(entry, old, new, event)
        except Overtaken:
            continue
    raise ServiceError("conflict", "Others are changing this list. Please try again in a moment.")


def _check_room(p: Platform, new: Mapping[str, bool]) -> None:
    """The limit of members; and S20: the list and its members outside are recipients of one message."""
    limit = p.figures.max_members
    addresses.check_room(len(new), limit, "members")
    outside, most = len([a for a in new if new[a]]), p.figures.max_recipients - 1
    if outside > most:
        numbers = {"limit": most, "used": outside, "remaining": 0, "unit": "members elsewhere"}
        detail = (
            f"A list can have {most} members elsewhere at most: a message has {most + 1} recipients at most."
        )
        raise ServiceError("conflict", detail, extra=numbers)


def classified(p: Platform, domain: HostedDomain, given: Sequence[str], pointer: str) -> dict[str, bool]:
    """Members as they are kept → whether they are outside. Raises ServiceError invalid.

    Of the own domain only what is there can be a member; of others nothing is told.
    """
    wanted = _canonical(given, pointer, domain)
    found = p.directory.lookup(wanted) if wanted else {}
    faults = [
        Fault(f"{pointer}/{number}", why)
        for address, number in wanted.items()
        if (why := _unfit(address, found[address], domain))
    ]
    if faults:
        raise ServiceError("invalid", "Not all of these can be members.", tuple(faults[:MOST_FAULTS]))
    return {a: not (found[a].local or _of(a, domain)) for a in wanted}


def _unfit(address: str, found: Lookup, domain: HostedDomain) -> str:
    if not _of(address, domain):
        return ""
    if found.entry is None or found.via == "catch_all":
        return "Nobody has this address."
    return "A list cannot be a member of a list." if isinstance(found.entry, MailingList) else ""


def _of(address: str, domain: HostedDomain) -> bool:
    return address.endswith(f"@{domain.name}")


def _canonical(given: Iterable[str], pointer: str, domain: HostedDomain) -> dict[str, int]:
    """Addresses in the form in which they are kept, and where each was given. Raises ServiceError invalid."""
    found: dict[str, int] = {}
    faults: list[Fault] = []
    for number, text in enumerate(given):
        try:
            address = normalised(text)
            if _of(address, domain):
                address = mailbox_address(address)
        except AddressError as error:
            faults.append(Fault(f"{pointer}/{number}", str(error)))
            continue
        if sendable(address) is None:
            faults.append(Fault(f"{pointer}/{number}", "Mail cannot be sent to such an address."))
        found.setdefault(address, number)
    if faults:
        raise ServiceError("invalid", "Not all of these are addresses.", tuple(faults[:MOST_FAULTS]))
    return found
