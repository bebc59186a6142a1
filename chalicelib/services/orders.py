"""Orders of mailboxes on a domain, whoever's it is (S3, S9, S11, S13)."""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Put
from chalicelib.rules.addresses import AddressError, parse, parse_domain
from chalicelib.rules.dnsrecords import longest_domain
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain, Order, OrderedMailbox
from chalicelib.rules.ids import account_id, order_id
from chalicelib.rules.ledger import Entry
from chalicelib.rules.mailboxes import MailboxRequest, faults
from chalicelib.rules.pricing import price
from chalicelib.rules.values import Account, Caller
from chalicelib.services import audit, brands, entries, mailbox, passwords, reversals, signin
from chalicelib.services.platform import Platform
from chalicelib.store.directory import Taken

__all__ = ["MOST_MAILBOXES", "MailboxRequest", "OrderRequest", "find_order", "mend", "order", "would_write"]

MOST_MAILBOXES = 40  # 8 + 2 × 40 items fit one DynamoDB transaction of 100
LONGEST_KEY = 255
HALF_WAY = timedelta(minutes=5)  # an order that is not placed by then was left by a crash


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as asked for, unchecked."""

    domain: str
    mailboxes: tuple[MailboxRequest, ...]


def order(p: Platform, caller: Caller, body: OrderRequest, idempotency_key: str | None) -> Order:
    """Place an order; with a key, the same key and body give the same order.

    Raises ServiceError: forbidden, invalid, conflict (the domain is in use), idempotency_mismatch.
    """
    signin.require(caller, "orders:write", body.domain.lower())
    wanted = _checked(p, caller, body)
    id = _id(caller, idempotency_key)
    known = p.directory.order(id) if idempotency_key is not None else None
    if known is None:
        known = _place(p, caller, wanted, id)
    elif not passwords.verify(known.fingerprint, _canonical(wanted)):
        raise ServiceError(
            "idempotency_mismatch", "This Idempotency-Key was used before, for a different order."
        )
    return _finished(p, known)


def _id(caller: Caller, idempotency_key: str | None) -> str:
    if idempotency_key is None:
        return order_id(caller.reseller, secrets.token_hex(16))
    if not 1 <= len(idempotency_key) <= LONGEST_KEY or not idempotency_key.isprintable():
        detail = f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters."
        raise ServiceError("bad_request", detail)
    return order_id(caller.reseller, f"key {idempotency_key}")


def _canonical(body: OrderRequest) -> str:
    return json.dumps(asdict(body), sort_keys=True)


# --------------------------------------------------------------------------------------------- checking
def _checked(p: Platform, caller: Caller, body: OrderRequest) -> OrderRequest:
    """The order with names in the directory's form. Raises ServiceError invalid with every fault."""
    wrong = list(_domain_faults(p, body.domain))
    domain = body.domain if wrong else parse_domain(body.domain)
    if not 1 <= len(body.mailboxes) <= MOST_MAILBOXES:
        detail = f"An order has 1 to {MOST_MAILBOXES} mailboxes. Please split a larger one by domain."
        wrong.append(Fault("/mailboxes", detail))
    seen: set[str] = set()
    for number, wanted in enumerate(body.mailboxes[:MOST_MAILBOXES]):
        found = faults(wanted, seen, p.figures)
        wrong += [Fault(f"/mailboxes/{number}/{field}", detail) for field, detail in found]
        seen.add(wanted.local.lower())
    if not wrong:
        wrong = [*_address_faults(domain, body), *_password_faults(p, caller, domain, body)]
    if wrong:
        raise ServiceError("invalid", "The order cannot be placed as it is.", tuple(wrong))
    return OrderRequest(domain, tuple(m.normalised() for m in body.mailboxes))


def _password_faults(p: Platform, caller: Caller, domain: str, body: OrderRequest) -> Iterator[Fault]:
    """S23: passwords that are their owner's names, or are guessed first."""
    product = brands.of_reseller(p, caller.reseller).product
    for number, m in enumerate(body.mailboxes):
        words = [f"{m.local}@{domain}", m.local, m.name, domain, product]
        if m.password is not None and (detail := passwords.fault(m.password, words)):
            yield Fault(f"/mailboxes/{number}/password", detail)


def _domain_faults(p: Platform, text: str) -> Iterator[Fault]:
    try:
        domain = parse_domain(text)
    except AddressError as error:
        yield Fault("/domain", str(error))
        return
    zone = p.settings.mail_zone
    own = (zone, p.settings.web_host, p.settings.admin_host)
    if domain in own or domain.endswith(f".{zone}"):
        yield Fault("/domain", "This domain cannot be ordered.")
    elif len(domain) > longest_domain(zone):
        yield Fault("/domain", f"A domain has at most {longest_domain(zone)} characters here.")


def _address_faults(domain: str, body: OrderRequest) -> Iterator[Fault]:
    """Names that are right alone and too long together."""
    for number, m in enumerate(body.mailboxes):
        try:
            parse(f"{m.local}@{domain}")
        except AddressError as error:
            yield Fault(f"/mailboxes/{number}/local", str(error))


# ---------------------------------------------------------------------------------------------- placing
def _place(p: Platform, caller: Caller, body: OrderRequest, id: str) -> Order:
    """Keep the order, its domain, addresses and ledger entry: all or nothing."""
    reversals.make_way(p, body.domain)
    domain, placed = _made(p, caller, body, id)
    placed = replace(placed, fingerprint=passwords.hashed(_canonical(body)))
    hashes = [passwords.hashed(m.password) if m.password is not None else None for m in body.mailboxes]
    accounts = zip(_accounts(placed), hashes, strict=True)
    also = [*entries.puts([_entry(p, placed, domain)]), _note(caller, placed)]
    try:
        p.directory.place(placed, domain, list(accounts), also)
    except Taken:
        return _overtaken(p, placed, body)
    logger.info("order placed", extra={"order": id, "domain": body.domain, "reseller": caller.reseller})
    return placed


def _overtaken(p: Platform, placed: Order, body: OrderRequest) -> Order:
    """The same order, had a repeat of it been faster; else the domain is somebody's, and not said whose."""
    known = p.directory.order(placed.id)
    if known and passwords.verify(known.fingerprint, _canonical(body)):
        return known
    raise _in_use()


def _in_use() -> ServiceError:
    return ServiceError("conflict", "This domain cannot be ordered: it is in use already.")


def _made(p: Platform, caller: Caller, body: OrderRequest, id: str) -> tuple[HostedDomain, Order]:
    now = clock.now()
    placed = Order(
        id=id,
        reseller=caller.reseller,
        domain=body.domain,
        state="placing",
        created_at=now,
        fingerprint="",
        mailboxes=tuple(_line(p, id, m) for m in body.mailboxes),
    )
    return HostedDomain(body.domain, "pending", caller.reseller, id, now), placed


def _line(p: Platform, id: str, m: MailboxRequest) -> OrderedMailbox:
    return OrderedMailbox(
        local=m.local,
        account=account_id(id, m.local),
        name=m.name,
        imap=m.imap,
        storage_mb=m.storage_mb,
        admin=m.admin,
        recovery=m.recovery_address,
        monthly_mills=price(m.storage_mb, p.figures).monthly_mills,
    )


def _accounts(placed: Order) -> list[Account]:
    """The mailboxes of an order, as ordered."""
    return [
        Account(
            id=m.account,
            address=f"{m.local}@{placed.domain}",
            domain=placed.domain,
            quota_bytes=m.storage_mb * MB,
            reseller=placed.reseller,
            name=m.name,
            imap=m.imap,
            admin=m.admin,
            recovery=m.recovery,
        )
        for m in placed.mailboxes
    ]


def _entry(p: Platform, placed: Order, domain: HostedDomain) -> Entry:
    """S13: what billing needs to know of the order, with the prices of the day."""
    return replace(entries.entry(p, "ordered", domain, *_accounts(placed)), id=placed.id)


def _note(caller: Caller, placed: Order) -> Put:
    """S40: one change, for one transaction has no room for one of each mailbox."""
    after = {"order": placed.id, "mailboxes": [f"{m.local}@{placed.domain}" for m in placed.mailboxes]}
    return audit.note(
        caller, "domain.ordered", placed.domain, reseller=placed.reseller, domain=placed.domain, after=after
    )


def would_write(p: Platform, caller: Caller, body: OrderRequest) -> Sequence[Entry]:
    """The ledger entries of an order, which is not placed. Raises as `order` does, but for a repeat."""
    signin.require(caller, "orders:write", body.domain.lower())
    wanted = _checked(p, caller, body)
    known = p.directory.domain(wanted.domain)
    if known and not (known.state == "reversed" and not known.returning):
        raise _in_use()
    domain, placed = _made(p, caller, wanted, _id(caller, None))
    return [_entry(p, placed, domain)]


# -------------------------------------------------------------------------------------------- finishing
def _finished(p: Platform, placed: Order) -> Order:
    """The order with all it brings about. What fails now is taken up by a repeat, or within two hours."""
    if placed.state == "placed":
        return placed
    try:
        _finish(p, placed)
    except Exception:
        logger.exception("order not finished yet", extra={"order": placed.id})
    return p.directory.order(placed.id) or placed


def _finish(p: Platform, placed: Order) -> None:
    """Mailboxes, the identity and the activation execution: each step may be repeated."""
    domain = p.directory.domain(placed.domain)
    if domain is None or domain.order != placed.id or domain.state == "reversed":
        p.directory.order_placed(placed.id)  # and taken back since
        return
    for account in _accounts(placed):
        mailbox.create(p, account)
    identity = p.mail.create_identity(placed.domain)
    given = {"order": placed.id}
    found = {"tokens": list(identity.tokens), "dkim_zone": identity.zone}
    p.directory.change_domain(placed.domain, found, given=given)
    first = {"domain": placed.domain, "order": placed.id, "run": 1, "polls": 0}
    first["started_at"] = placed.created_at.isoformat()
    p.workflows.start(p.settings.activation_machine, f"{placed.id}-1", first)
    p.directory.change_domain(placed.domain, {"started": True}, given=given)
    p.directory.order_placed(placed.id)


def mend(p: Platform, domain: HostedDomain) -> None:
    """Take up the order of a pending domain that was left half-way."""
    if clock.now() - domain.ordered_at < HALF_WAY:
        return
    placed = p.directory.order(domain.order)
    if placed:
        _finish(p, placed)


# -------------------------------------------------------------------------------------------- answering
def find_order(p: Platform, caller: Caller, id: str) -> Order:
    """An order of the caller's. Raises ServiceError: not_found (somebody else's too), forbidden."""
    found = p.directory.order(id)
    if found is None or found.reseller != caller.reseller:
        signin.require(caller, "orders:read")
        raise ServiceError("not_found", "There is no such order.")
    signin.require(caller, "orders:read", found.domain)
    return found
