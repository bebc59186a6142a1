"""How full mailboxes are, and telling their owners: alerts at log-in (S15, S18), warnings by mail (S16)."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import quota as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import email_id
from chalicelib.rules.quota import AlertClock, ClientDoor, Storage
from chalicelib.rules.values import Account, Added, Correspondent, Draft, NewEmail, Verdicts
from chalicelib.services import brands, mailbox
from chalicelib.services.platform import Platform
from chalicelib.store.mailbox_marks import Concern

RUN_SECONDS = 780  # of the function's 900
AUTOMATIC = (("Auto-Submitted", "auto-generated"),)  # RFC 3834 §5: nobody's auto-reply answers


@dataclass(frozen=True, slots=True)
class Alert:
    """Why a mail client's log-in is refused. Not `closed`: the next try is let in."""

    text: str
    closed: bool


def current(p: Platform, account: Account) -> Account:
    """The account as the directory has it now: what was remembered at log-in may be seconds old, and an
    upgrade (S11) is effective at once. Raises ServiceError not_found."""
    entry = p.directory.lookup([account.address])[account.address].entry
    if not isinstance(entry, Account) or entry.id != account.id:
        entry = p.directory.account(account.id)
    if entry is None:
        raise ServiceError("not_found", "There is no such mailbox.")
    return entry


def storage(p: Platform, account: Account) -> Storage:
    """S14: what the mailbox holds beside what it may, both as of now. Raises ServiceError not_found."""
    limit = current(p, account).quota_bytes
    return rules.storage(mailbox.state(p, account.id).used_bytes, limit, p.figures)


def exceeded(p: Platform, account: Account) -> ServiceError:
    """S17, S18: why something is not kept."""
    held = storage(p, account)
    numbers = {"limit": held.limit, "used": held.used, "remaining": held.remaining, "unit": "bytes"}
    return ServiceError("over_quota", "The mailbox is full.", extra={**numbers, "resets_at": None})


# --------------------------------------------------------------------------------------------------- alerts
def alert(p: Platform, account: Account, door: ClientDoor) -> Alert | None:
    """S15, S18: what refuses the log-in of a mail client, once the password was right. None: nothing does.

    One read unit where the mailbox is not that full.
    """
    used = mailbox.state(p, account.id).used_bytes
    if rules.band(used, account.quota_bytes, p.figures) == "ok":
        return None
    held = storage(p, account)
    text = rules.alert_text(held, account.address)
    if rules.closed(held, door):
        return Alert(text, closed=True)
    return Alert(text, closed=False) if _alerted(p, account, held, "clients") else None


def webmail_alert(p: Platform, account: Account, held: Storage, *, at_login: bool = False) -> str | None:
    """S15, S18: what webmail is to show now, if anything; it counts as shown. At each log-in, if at all."""
    shown = _alerted(p, account, held, "webmail", always=at_login)
    return rules.alert_text(held, account.address) if shown else None


def _alerted(p: Platform, account: Account, held: Storage, by: AlertClock, always: bool = False) -> bool:
    """Whether an alert is to be shown now. It counts as shown then: of several at once, to one alone."""
    if held.band not in ("alert", "full"):
        return False
    now = clock.now()
    last = p.mailboxes.marks.alerted(account.id, by)
    if not rules.alert_due(held, None if always else last, now, p.figures):
        return False
    return p.mailboxes.marks.alert(account.id, by, last, now) or always


# ------------------------------------------------------------------------------------------------- warnings
def added(p: Platform, account: Account, outcomes: Iterable[Added]) -> None:
    """S16: a warning where one of these took the mailbox over the line."""
    if any(one.warn for one in outcomes):
        over_the_line(p, account)


def over_the_line(p: Platform, account: Account) -> None:
    """S16: the mailbox was taken over the line, as is noted. A warning that fails is made good hourly."""
    try:
        _warn_if_due(p, account)
    except ServiceError as error:
        logger.warning("no warning yet", extra={"account": account.id, "error": str(error)})


def resized(p: Platform, account: Account) -> None:
    """S16: the quota was changed, which may have taken the mailbox over the line."""
    state = mailbox.state(p, account.id)
    if rules.reaches(state.used_bytes, account.quota_bytes, p.figures.warning_percent):
        p.mailboxes.marks.concern(account.id, state.modseq)
        _warn_if_due(p, account)


def warn_all(p: Platform, seconds: float = RUN_SECONDS) -> int:
    """Hourly: today's warnings, to mailboxes that are over the line and were not warned today.

    Reads no other mailbox. Gives how many were looked at; those there was no time for are next hour's.
    """
    looked, stop, today = 0, time.monotonic() + seconds, clock.now().date()
    for concern in p.mailboxes.marks.concerns():
        if concern.warned == today:
            continue
        if time.monotonic() > stop:
            break
        _look(p, concern)
        looked += 1
    logger.info("quota warnings", extra={"looked_at": looked})
    return looked


def _look(p: Platform, concern: Concern) -> None:
    """One mailbox of which it is known that it came over the line. A deleted one may be restored yet."""
    account = p.directory.account(concern.acct)
    try:
        used = mailbox.state(p, concern.acct).used_bytes
        held = rules.storage(used, account.quota_bytes, p.figures) if account else None
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        p.mailboxes.marks.settled(concern)
        return
    if account is None or held is None:
        return
    if held.band in ("ok", "alert"):
        p.mailboxes.marks.settled(concern)
    elif rules.warning_due(held, concern.warned, clock.now().date()):
        _warn(p, account, held)
        p.mailboxes.marks.warned(concern, clock.now().date())


def _warn_if_due(p: Platform, account: Account) -> None:
    held = storage(p, account)
    if rules.warning_due(held, None, clock.now().date()):
        _warn(p, account, held)


def _warn(p: Platform, account: Account, held: Storage) -> None:
    """S16: the warning into the mailbox itself, once a day, whatever the quota says; under its brand (S1)."""
    now = clock.now()
    name = f"warning-{account.id}-{now:%Y-%m-%d}"
    id = email_id(name, account.id)
    if p.mailboxes.known(account.id, id):
        return
    blob = f"own/{name}"
    raw = _composed(p, account, held, name)
    p.mailboxes.purge_blob(blob, now)  # unless the mailbox comes to hold it
    p.blobs.put(blob, raw, type="message/rfc822")
    new = NewEmail(
        id=id,
        folder=None,
        role="inbox",
        blob=blob,
        size=len(raw),
        received_at=now,
        digest=mime.digest(raw),
        verdicts=Verdicts(sender_authentic=True),
    )
    mailbox.add(p, account.id, [new], quota_bytes=None)


def _composed(p: Platform, account: Account, held: Storage, name: str) -> bytes:
    sender = Correspondent(brands.of_domain(p, account.domain).product, f"postmaster@{account.domain}")
    return mime.compose(
        Draft(
            from_=(sender,),
            to=(Correspondent(account.name, account.address),),
            subject=rules.warning_subject(held),
            date=clock.now(),
            message_id=f"{name}@mail.{account.domain}",
            text=rules.warning_text(held, account.address),
            headers=AUTOMATIC,
        )
    )
