"""Who may come in, by which door, how often they may try; and what an API key may do."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.values import Account, Domain

Door = Literal["webmail", "imap", "pop3", "smtp", "jmap"]
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256  # characters
WIDE = 10  # a source, or all sources of one address, may fail so many times the figure

#: What the keys of resellers can be limited to; each also to one domain ("mailboxes:write@example.com").
SCOPES = frozenset(
    f"{resource}:{action}"
    for resource in (
        "orders",
        "domains",
        "mailboxes",
        "addresses",  # aliases, forwards, lists, catch-all
        "messages",  # traces of mail, misaddressed mail
        "suspensions",
        "brands",
        "keys",
        "billing",
        "events",  # the audit as well
        "webhooks",
        "notices",
    )
    for action in ("read", "write")
)
#: What only the operator's keys can be given.
OPERATOR_SCOPES = frozenset(
    f"{resource}:{action}"
    for resource in ("resellers", "abuse", "incidents", "calendar", "announcements")
    for action in ("read", "write")
)


@dataclass(frozen=True, slots=True)
class Tries:
    """Failures counted in the present window, by three counters.

    The narrow one (an address from one source) locks a guesser out without locking out the owner, who is
    elsewhere; the wide ones bound guessing at many addresses, or from many places.
    """

    pair: int  # this address from this source, the present try included
    source: int
    address: int


def window(now: datetime, figures: Figures) -> tuple[int, datetime]:
    """The present throttle window: its number, and when it ends."""
    seconds = int(figures.signin_window.total_seconds())
    number = int(now.timestamp()) // seconds
    return number, datetime.fromtimestamp((number + 1) * seconds, now.tzinfo)


def throttled(tries: Tries, figures: Figures) -> bool:
    """Whether no more tries are heard in this window."""
    wide = figures.signin_attempts * WIDE
    return tries.pair > figures.signin_attempts or tries.source >= wide or tries.address >= wide


def check_entry(domain: Domain, account: Account, door: Door) -> None:
    """Whether the owner, whose password was right, is let in. Raises ServiceError with the reason (S5).

    After an MX moved away (S7) the mail already here stays readable.
    """
    if domain.state == "pending":
        raise ServiceError(
            "domain_pending",
            f"{domain.name} is not active yet: its MX record does not point to this mail service."
            " Log-in is possible as soon as it does.",
        )
    if domain.suspended:
        raise ServiceError("domain_suspended", f"Email of {domain.name} is suspended.")
    if account.state == "suspended":
        raise ServiceError("account_suspended", "This mailbox is suspended.")
    if door == "imap" and not account.imap:
        raise ServiceError("imap_off", "IMAP is not part of this mailbox. POP3 and webmail are.")


def password_fault(password: str) -> str | None:
    """What is wrong with a password to be set; None: nothing."""
    if len(password) < SHORTEST_PASSWORD:
        return f"A password has at least {SHORTEST_PASSWORD} characters."
    if len(password) > LONGEST_PASSWORD:
        return f"A password has at most {LONGEST_PASSWORD} characters."
    return None


def allows(scopes: Collection[str], action: str, domain: str | None = None) -> bool:
    """Whether an API key's scopes cover an action, as "domains:read".

    "*" covers all; "domains:read@example.com" covers that domain alone, and nothing that is not about one.
    """
    if "*" in scopes or action in scopes:
        return True
    return domain is not None and (f"{action}@{domain}" in scopes or f"*@{domain}" in scopes)


def known_scope(scope: str) -> bool:
    """Whether a scope is one that some route asks for."""
    action, _, _ = scope.partition("@")
    return action == "*" or action in SCOPES | OPERATOR_SCOPES
