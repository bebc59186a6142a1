"""What a mailbox may be, what its reseller can do with it, and until when it can be undone (S9 to S12)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.rules.addresses import AddressError, mailbox_local, normalise
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB, Figures
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.passwords import length_fault
from chalicelib.rules.pricing import StorageError, steps
from chalicelib.rules.values import Account, DomainState

LONGEST_NAME = 100  # characters
#: Settings of a mailbox, as the API names them; the first two are what costs money.
SETTINGS = ("imap", "storage_mb", "name", "admin", "recovery_address")
FOR_RESELLERS = frozenset({"imap", "storage_mb"})

Action = Literal[
    "upgrade",
    "downgrade",
    "imap",
    "rename",
    "suspend",
    "lift",
    "delete",
    "reverse",
    "restore",
    "undo_reversal",
]
Why = Literal["deleted", "reversed"]


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

    def normalised(self) -> "MailboxRequest":
        """In the directory's form. Of a request without faults."""
        recovery = normalise(self.recovery_address) if self.recovery_address else None
        local = self.local.lower()
        return MailboxRequest(
            local, self.storage_mb, self.imap, self.admin, self.password, self.name, recovery
        )


@dataclass(frozen=True, slots=True)
class GoneMailbox:
    """A mailbox that was deleted, or reversed with its domain. Its mail is kept until `until`.

    `purged`: it is gone for good, and this is what is known of what was sold.
    """

    account: Account  # as it was
    order: str
    why: Why
    purged: bool
    gone_at: datetime
    until: datetime


def faults(m: MailboxRequest, taken: Collection[str], figures: Figures) -> Iterator[tuple[str, str]]:
    """(field, what to do about it) of everything that is wrong. `taken`: names used up in this request."""
    yield from ((("local", detail),) if (detail := local_fault(m.local, taken, figures)) else ())
    try:
        steps(m.storage_mb, figures)  # S11
    except StorageError as error:
        yield "storage_mb", str(error)
    if m.password is not None and (detail := length_fault(m.password)):
        yield "password", detail
    if len(m.name) > LONGEST_NAME or not all(c.isprintable() for c in m.name):
        yield "name", f"A name has at most {LONGEST_NAME} printable characters."
    if m.recovery_address is not None:
        try:
            normalise(m.recovery_address)
        except AddressError as error:
            yield "recovery_address", str(error)


def local_fault(text: str, taken: Collection[str], figures: Figures) -> str | None:
    """What is wrong with the name of a mailbox; None: nothing."""
    try:
        local = mailbox_local(text)
    except AddressError as error:
        return str(error)
    if local in figures.reserved_locals:  # S9
        return f'Every domain has "{local}" by itself; a mailbox needs another name.'
    if local in taken:
        return f'"{local}" is in this order twice.'
    return None


def check_size(storage_mb: int, used_bytes: int) -> None:
    """S11: not below what is used. Raises ServiceError over_quota with the numbers."""
    limit = storage_mb * MB
    if used_bytes > limit:
        raise ServiceError(
            "over_quota",
            f"This mailbox holds more than {storage_mb} MB: it cannot be made that small.",
            extra={"limit": limit, "used": used_bytes, "remaining": 0, "unit": "bytes", "resets_at": None},
        )


def kept_until(gone_at: datetime, figures: Figures) -> datetime:
    """How long a deletion or reversal can be undone."""
    return gone_at + figures.undo_for


def actions(account: Account, state: DomainState, figures: Figures) -> tuple[Action, ...]:
    """S12: what a reseller can do with a live account of a domain in this state."""
    if state == "reversed":
        return ("undo_reversal",)
    size = account.quota_bytes // MB
    can: list[Action] = []
    if size < figures.max_storage_mb:
        can.append("upgrade")
    if size > figures.base_storage_mb:
        can.append("downgrade")
    can += ["imap", "rename", "lift" if "reseller" in account.holds else "suspend", "delete", "reverse"]
    return tuple(can)


def gone_actions(gone: GoneMailbox, domain: HostedDomain | None, now: datetime) -> tuple[Action, ...]:
    """S12: what its reseller can do with one that is gone; `domain`: who has that name now."""
    if gone.purged or now >= gone.until or domain is None or domain.order != gone.order:
        return ()
    if gone.why == "deleted":
        return () if domain.state == "reversed" else ("restore",)
    return ("undo_reversal",) if domain.state == "reversed" else ()
