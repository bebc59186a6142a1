"""A reseller's search over its live accounts, and over everything it ever sold (S12).

Three steps, one after the other: addresses that begin with what was typed, domains that do, then all that
has it anywhere in address or name. The first two cost what they show. The third reads at most `EXAMINED`
mailboxes for a page, which may then be short, or empty, and have a cursor all the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.aws import clock
from chalicelib.rules import mailboxes as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.mailboxes import Action, GoneMailbox
from chalicelib.rules.values import Account
from chalicelib.services.platform import Platform
from chalicelib.store.gone import gone_of
from chalicelib.store.records import entry_of
from chalicelib.store.sold import LAST, Found, SoldKind

EXAMINED = 1_000
STEPS = ("address", "domain", "anywhere")


@dataclass(frozen=True, slots=True)
class Hit:
    """One mailbox that was found. `gone` None: it is there."""

    account: Account
    domain: HostedDomain | None  # who has the name now
    gone: GoneMailbox | None
    actions: tuple[Action, ...]


def search(
    p: Platform, reseller: str, text: str, kind: SoldKind, limit: int, after: str
) -> tuple[list[Hit], str]:
    """A page of what was found, and the place to go on after (empty: no more).

    Raises ServiceError bad_request for a place that none of these gave out.
    """
    text = text.strip().lower()
    step, _, place = after.partition(" ") if after else (STEPS[0], "", "")
    if after and not _given_out(text, step, place):
        raise ServiceError("bad_request", "cursor is not one that was given out here for this search.")
    hits: list[Found] = []
    examined, last = 0, ""
    for number, (key, item) in _from(p, reseller, text, kind, step, place):
        examined, last = examined + 1, f"{STEPS[number]} {key}"
        if _new_in(number, text, key, item):
            hits.append((key, item))
        if len(hits) == limit or examined == EXAMINED:
            return _rows(p, reseller, hits), last
    return _rows(p, reseller, hits), ""


def _given_out(text: str, step: str, place: str) -> bool:
    if step == STEPS[2]:
        return bool(text) and "" < place < LAST
    return place.startswith(text) and (step == STEPS[0] or (step == STEPS[1] and bool(text)))


def _from(
    p: Platform, reseller: str, text: str, kind: SoldKind, step: str, place: str
) -> Iterator[tuple[int, Found]]:
    """All that the steps from this place on look at."""
    reads = [
        lambda after: p.sold.by_address(reseller, kind, text, after),
        lambda after: p.sold.by_domain(reseller, kind, text, after),
        lambda after: p.sold.by_address(reseller, kind, "", after),
    ]
    first = STEPS.index(step)
    for number in range(first, len(reads) if text else 1):
        if number == 1 and "#" in text:
            continue  # which no name has
        for found in reads[number](place if number == first else ""):
            yield number, found


def _new_in(number: int, text: str, key: str, item: dict[str, object]) -> bool:
    """Whether it is found, and no step before found it."""
    if number == 0:
        return True
    address = _address(number, key)
    if address.startswith(text):
        return False
    if number == 1:
        return True
    was = item.get("was", item)
    assert isinstance(was, dict)
    name = str(was.get("name", "")).lower()
    return not address.partition("@")[2].startswith(text) and (text in address or text in name)


def _address(number: int, key: str) -> str:
    if number == 1:
        domain, local = key.split("#")[:2]
        return f"{local}@{domain}"
    return key.partition("#")[0]


def _rows(p: Platform, reseller: str, found: list[Found]) -> list[Hit]:
    pairs: list[tuple[Account, GoneMailbox | None]] = []
    for _, item in found:
        gone = gone_of(item) if "was" in item else None
        account = gone.account if gone else entry_of(item, reseller)
        assert isinstance(account, Account)
        pairs.append((account, gone))
    domains = p.sold.domains(account.domain for account, _ in pairs)
    return [_hit(p, reseller, account, gone, domains.get(account.domain)) for account, gone in pairs]


def _hit(
    p: Platform, reseller: str, account: Account, gone: GoneMailbox | None, domain: HostedDomain | None
) -> Hit:
    if domain and domain.reseller != reseller:
        domain = None  # nothing of whoever has the name now is anybody else's to see
    if gone:
        return Hit(account, domain, gone, rules.gone_actions(gone, domain, clock.now()))
    state = domain.state if domain else "reversed"
    return Hit(account, domain, None, rules.actions(account, state, p.figures))
