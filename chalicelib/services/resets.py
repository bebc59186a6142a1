"""Forgotten passwords (S23): a link to the recovery address, good once and for an hour.

Whether a mailbox exists, or has such an address, shows nowhere: asking counts and leaves a message in a
queue, whoever asks for whom, and is answered before anything is looked up.
"""

import secrets
from datetime import datetime, timedelta

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import signin as rules
from chalicelib.rules.addresses import AddressError, mailbox_address
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.values import Account, Caller, Correspondent
from chalicelib.services import brands, notify, passwords
from chalicelib.services.platform import Platform
from chalicelib.services.throttle import digest, too_many
from chalicelib.store.credentials import Reset

LINK_LIFE = timedelta(hours=1)
#: Requests in a window of log-ins: for one address from one source, from one source, for one address.
PER_PAIR, PER_SOURCE, PER_ADDRESS = 3, 30, 6


# --------------------------------------------------------------------------------------------------- asking
def ask(p: Platform, address: str, source: str) -> None:
    """Somebody forgot a password. The same work whatever there is. Raises ServiceError throttled."""
    _count(p, address.strip().lower(), rules.network_of(source))
    body = {
        "kind": "password_reset",
        "address": address,
        "token": secrets.token_urlsafe(32),
        "until": (clock.now() + LINK_LIFE).isoformat(),
        "source": source,
    }
    p.queues.send(p.settings.jobs_queue, body)


def _count(p: Platform, address: str, source: str) -> None:
    number, ends_at = rules.window(clock.now(), p.figures)
    counters = (
        (f"reset-pair#{digest(address)}#{source}", PER_PAIR),
        (f"reset-source#{source}", PER_SOURCE),
        (f"reset-address#{digest(address)}", PER_ADDRESS),
    )
    counted = [(p.sessions.count(counter, number, ends_at), most) for counter, most in counters]
    if any(count > most for count, most in counted):
        raise too_many("Too many requests. Please wait before the next one.", ends_at)


# -------------------------------------------------------------------------------------------------- sending
def send(p: Platform, address: str, token: str, until: datetime, source: str) -> None:
    """Mail the link, where there is a mailbox that may be used and has a recovery address. A repeat of the
    request's message sends nothing new, and revives no link that was used.
    """
    account, name = _entitled(p, address), f"reset-{digest(token)[:32]}"
    if account is None or account.recovery is None or until <= clock.now():
        return
    if p.outbox.load(name) is not None:
        return
    made = Reset(digest(token), account.id, account.epoch, until)
    if p.credentials.reset(made.id) is None:
        who = Caller(account.reseller, "", frozenset(), source, role="public")
        event = passwords.note(who, "password.reset_requested", account)
        p.credentials.commit([p.credentials.reset_put(made), event])
    product = brands.of_domain(p, account.domain).product
    sender = Correspondent(product, f"postmaster@{account.domain}")
    subject = f"{product}: set a new password"
    to = Correspondent(account.name, account.recovery)
    notify.mail(p, name, sender, to, subject, _text(p, account, token))
    logger.info("reset link sent", extra={"account": account.id})


def _entitled(p: Platform, address: str) -> Account | None:
    """The mailbox whose owner could log in, but for the password."""
    try:
        found = p.directory.credentials(mailbox_address(address))[0]
    except AddressError:
        return None
    if found.domain is None or found.domain.state == "reversed" or not isinstance(found.entry, Account):
        return None
    try:
        rules.check_entry(found.domain, found.entry, "webmail")
    except ServiceError:
        return None
    return found.entry


def _text(p: Platform, account: Account, token: str) -> str:
    brand = brands.of_domain(p, account.domain)
    lines = [
        f"Somebody, most likely you, asked for a new password for {account.address}.",
        "To set one, open this page within an hour. The link works once:\n"
        f"https://mail.{account.domain}/#reset={token}",
        "If it was not you, do nothing: the present password stays as it is.",
    ]
    if brand.support_email or brand.support_url:
        contact = " or ".join(filter(None, (brand.support_email, brand.support_url)))
        lines.append(f"Questions: {contact}")
    return "\n\n".join([*lines, brand.product])


# ------------------------------------------------------------------------------------------------ following
def confirm(p: Platform, caller: Caller, token: str, password: str) -> Account:
    """Set the password; sessions, app passwords and other links are over, a second factor is not.

    Raises ServiceError invalid: a link that is not good (any more), or a password that may not be set.
    """
    kept = p.credentials.reset(digest(token))
    moved = p.directory.account(kept.account) if kept and kept.expires_at > clock.now() else None
    account = _entitled(p, moved.address) if moved else None
    if kept is None or account is None or account.id != kept.account or account.epoch != kept.epoch:
        detail = "This link has been used, or is too old. Please ask for a new one."
        raise ServiceError("invalid", detail, (Fault("/token", detail),))
    passwords.give(p, caller, account, password, [p.credentials.reset_used(kept.id)])
    return account
