"""How far a mailbox has come with each of its limits (S14, S19 to S21)."""

from dataclasses import dataclass

from chalicelib.aws import clock
from chalicelib.rules import limits as rules
from chalicelib.rules.delivery import milliseconds
from chalicelib.rules.limits import Usage
from chalicelib.rules.quota import Storage
from chalicelib.rules.values import Account
from chalicelib.services import quota
from chalicelib.services.platform import Platform


@dataclass(frozen=True, slots=True)
class Limits:
    """Each limit with what is used of it. Of those of one message nothing is used before it is written."""

    storage: Storage
    webmail_rate: Usage
    client_rate: Usage
    message_size: Usage
    recipients: Usage
    attachments: Usage


def of(p: Platform, account: Account) -> Limits:
    """All limits of a mailbox. Raises ServiceError not_found."""
    figures, now = p.figures, milliseconds(clock.now())
    held = quota.storage(p, account)
    return Limits(
        storage=held,
        webmail_rate=rules.rate_usage(_sent(p, account, "webmail"), now, figures.webmail_per_minute),
        client_rate=rules.rate_usage(_sent(p, account, "smtp"), now, figures.smtp_per_minute),
        message_size=Usage(figures.max_message_bytes, 0, "bytes"),
        recipients=Usage(figures.max_recipients, 0, "recipients"),
        attachments=Usage(figures.max_attachments, 0, "attachments"),
    )


def _sent(p: Platform, account: Account, door: str) -> tuple[int, ...]:
    rate, _ = p.outbox.lately(account.id, door)
    return rate.times
