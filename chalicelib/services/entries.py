"""Ledger entries of what happens to mailboxes (S13): made here alone, so that a quote is of the very same."""

import secrets
from collections.abc import Sequence

from chalicelib.aws import clock
from chalicelib.aws.table import ABSENT, Put
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.ledger import Entry, Kind, Line
from chalicelib.rules.pricing import price
from chalicelib.rules.values import Account
from chalicelib.services.platform import Platform
from chalicelib.store.ledger import ledger_item

MOST_LINES = 500  # keeps an entry far below DynamoDB's 400 KB


def line(p: Platform, account: Account) -> Line:
    """A mailbox with the prices of the day."""
    size = account.quota_bytes // MB
    cost = price(size, p.figures)
    return Line(account.id, account.address, size, cost.base_mills, cost.steps, cost.step_mills)


def entry(p: Platform, kind: Kind, domain: HostedDomain, *accounts: Account) -> Entry:
    """What happened now, to mailboxes as they are after it."""
    lines = tuple(line(p, account) for account in accounts)
    id = f"l{secrets.token_hex(8)}"
    return Entry(id, clock.now(), domain.reseller, kind, domain.name, domain.order, lines)


def entries(p: Platform, kind: Kind, domain: HostedDomain, accounts: Sequence[Account]) -> list[Entry]:
    """The same of any number of mailboxes; one entry without lines for none."""
    starts = range(0, max(1, len(accounts)), MOST_LINES)
    return [entry(p, kind, domain, *accounts[at : at + MOST_LINES]) for at in starts]


def puts(found: Sequence[Entry]) -> list[Put]:
    """The writes of entries, for the transaction of what they tell."""
    return [Put(ledger_item(each), ABSENT) for each in found]
