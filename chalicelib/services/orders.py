"""Orders of mailboxes on a domain, whoever's it is (S3, S9, S11, S13)."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules.addresses import AddressError, mailbox_local, normalise, parse, parse_domain
from chalicelib.rules.dnsrecords import longest_domain
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain, Order, OrderedMailbox
from chalicelib.rules.ids import account_id, order_id
from chalicelib.rules.ledger import Entry, Line
from chalicelib.rules.pricing import StorageError, price, steps
from chalicelib.rules.signin import password_fault
from chalicelib.rules.values import Account, Caller
from chalicelib.services import mailbox, passwords, signin
from chalicelib.services.platform import Platform
from chalicelib.store.directory import Taken
from chalicelib.store.ledger import ledger_item

MOST_MAILBOXES = 40  # 7 + 2 × 40 items fit one DynamoDB transaction of 100
LONGEST_NAME = 100  # characters
LONGEST_KEY = 255
HALF_WAY = timedelta(minutes=5)  # an order that is not placed by then was left by a crash


@dataclass(frozen=True, slots=True)
class MailboxRequest:
    """A mailbox as asked for, unchecked."""

    local: str
    storage_mb: int
    imap: bool = False
    admin: bool = False
    password: str | None = None
    name: str = ""
    recovery_address: str | None = None


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
    wanted = _checked(p, body)
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
def _checked(p: Platform, body: OrderRequest) -> OrderRequest:
    """The order with names in the directory's form. Raises ServiceError invalid with every fault."""
    faults = list(_domain_faults(p, body.domain))
    domain = body.domain if faults else parse_domain(body.domain)
    if not 1 <= len(body.mailboxes) <= MOST_MAILBOXES:
        detail = f"An order has 1 to {MOST_MAILBOXES} mailboxes. Please split a larger one by domain."
        faults.append(Fault("/mailboxes", detail))
    seen: set[str] = set()
    for number, wanted in enumerate(body.mailboxes[:MOST_MAILBOXES]):
        for field, detail in _mailbox_faults(p, wanted, seen):
            faults.append(Fault(f"/mailboxes/{number}/{field}", detail))
        seen.add(wanted.local.lower())
    if not faults:
        faults = list(_address_faults(domain, body))
    if faults:
        raise ServiceError("invalid", "The order cannot be placed as it is.", tuple(faults))
    return OrderRequest(domain, tuple(_normalised(m) for m in body.mailboxes))


def _normalised(m: MailboxRequest) -> MailboxRequest:
    recovery = normalise(m.recovery_address) if m.recovery_address else None
    return MailboxRequest(m.local.lower(), m.storage_mb, m.imap, m.admin, m.password, m.name, recovery)


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


def _mailbox_faults(p: Platform, m: MailboxRequest, seen: set[str]) -> Iterator[tuple[str, str]]:
    try:
        local = mailbox_local(m.local)
    except AddressError as error:
        yield "local", str(error)
    else:
        if local in p.figures.reserved_locals:  # S9
            yield "local", f'Every domain has "{local}" by itself; a mailbox needs another name.'
        elif local in seen:
            yield "local", f'"{local}" is in this order twice.'
    try:
        steps(m.storage_mb, p.figures)  # S11
    except StorageError as error:
        yield "storage_mb", str(error)
    if m.password is not None and (detail := password_fault(m.password)):
        yield "password", detail
    if len(m.name) > LONGEST_NAME or not all(c.isprintable() for c in m.name):
        yield "name", f"A name has at most {LONGEST_NAME} printable characters."
    if m.recovery_address is not None:
        try:
            normalise(m.recovery_address)
        except AddressError as error:
            yield "recovery_address", str(error)


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
    now = clock.now()
    domain = HostedDomain(body.domain, "pending", caller.reseller, id, now)
    placed = Order(
        id=id,
        reseller=caller.reseller,
        domain=body.domain,
        state="placing",
        created_at=now,
        fingerprint=passwords.hashed(_canonical(body)),
        mailboxes=tuple(_line(p, id, m) for m in body.mailboxes),
    )
    hashes = [passwords.hashed(m.password) if m.password is not None else None for m in body.mailboxes]
    accounts = zip(_accounts(placed), hashes, strict=True)
    try:
        p.directory.place(placed, domain, list(accounts), ledger_item(_entry(p, placed)))
    except Taken:
        return _overtaken(p, placed, body)
    logger.info("order placed", extra={"order": id, "domain": body.domain, "reseller": caller.reseller})
    return placed


def _overtaken(p: Platform, placed: Order, body: OrderRequest) -> Order:
    """The same order, had a repeat of it been faster; else the domain is somebody's, and not said whose."""
    known = p.directory.order(placed.id)
    if known and passwords.verify(known.fingerprint, _canonical(body)):
        return known
    raise ServiceError("conflict", "This domain cannot be ordered: it is in use already.")


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


def _entry(p: Platform, placed: Order) -> Entry:
    """S13: what billing needs to know of the order, with the prices of the day."""
    lines = []
    for m in placed.mailboxes:
        cost = price(m.storage_mb, p.figures)
        address = f"{m.local}@{placed.domain}"
        lines.append(Line(m.account, address, m.storage_mb, cost.base_mills, cost.steps, cost.step_mills))
    return Entry(
        placed.id, placed.created_at, placed.reseller, "ordered", placed.domain, placed.id, tuple(lines)
    )


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


def find_domain(p: Platform, caller: Caller, name: str, action: str) -> HostedDomain:
    """A domain of the caller's. Raises ServiceError: not_found (somebody else's too), forbidden."""
    try:
        name = parse_domain(name)
    except AddressError:
        raise ServiceError("not_found", "There is no such domain.") from None
    signin.require(caller, action, name)
    found = p.directory.domain(name)
    if found is None or found.reseller != caller.reseller:
        raise ServiceError("not_found", "There is no such domain.")
    return found
