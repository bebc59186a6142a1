"""S9: all@ with 2,000 mailboxes in the local cloud, once to each, though workers are killed in the middle."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account, Envelope, Submission
from chalicelib.services import deposit, mailbox, receive, send, traces
from chalicelib.services.platform import Platform, platform
from chalicelib.store.records import automatic_item, domain_item, mailbox_item, meta_key
from local.lambdas import _invocation
from local.stack import Stack
from tests.services.post import letter

MANY = 2_000
KILLED_AT = (250, 600, 1_300)  # deliveries
TRIES = 4  # of the five that the queue gives
DOMAIN = "many.test"


@pytest.fixture
def p(stack: Stack) -> Platform:
    """The platform that the functions use, with a domain of 2,000 mailboxes; u0 is its admin."""
    made = platform()
    domain = HostedDomain(DOMAIN, "live", "r1", "o1", stack.clock.now())
    accounts = [account(number) for number in range(MANY)]
    items = [domain_item(domain), automatic_item(DOMAIN, "all", "all")]
    items += [mailbox_item(a, None) for a in accounts]
    items += [{**meta_key("ACCOUNT", a.id), "address": a.address} for a in accounts]
    made.directory.table.batch_write(put=items)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda a: mailbox.create(made, a), accounts))
    stack.clock.quiesce()
    return made


def account(number: int) -> Account:
    return Account(f"am{number:04}", f"u{number}@{DOMAIN}", DOMAIN, 250 * MB, "r1", admin=number == 0)


def delivered(p: Platform) -> Counter[str]:
    """How many copies of the message each mailbox has."""
    return Counter(pk for pk, _ in p.mailboxes.holders("own/all-draft"))


class Killer:
    """Ends an invocation at some deliveries, as Lambda does at the time-out: it makes no more calls, and
    none of its messages counts as handled."""

    def __init__(self) -> None:
        self.made, self.kills, self.survived, self._lock = 0, 0, 0, threading.Lock()
        self._keep = deposit.keep

    def keep(self, *given: Any) -> bool:
        with self._lock:
            self.made += 1
            if self.made in KILLED_AT:
                context = _invocation.get()
                assert context is not None
                context.killed = True
                self.kills += 1
        kept = bool(self._keep(*given))
        context = _invocation.get()
        self.survived += context is not None and context.killed
        return kept


def test_S9_all_reaches_2000_mailboxes_once_each_though_workers_are_killed(stack: Stack, p: Platform) -> None:
    raw = letter(account(0).address, [f"all@{DOMAIN}"])
    p.blobs.put("own/all-draft", raw)
    envelope = Envelope(account(0).address, (f"all@{DOMAIN}",))
    killer = Killer()
    with mock.patch.object(receive, "keep", killer.keep):
        send.submit(p, Submission("all1", account(0), envelope, "own/all-draft", len(raw), "all@x", "smtp"))
        stack.clock.quiesce()
        assert (killer.kills, killer.survived) == (len(KILLED_AT), 0), "a killed worker does nothing more"
        for _ in range(TRIES):
            stack.clock.advance(timedelta(minutes=15))
            if len(copies := delivered(p)) == MANY:
                break
    assert copies == Counter({f"A#{account(number).id}": 1 for number in range(MANY)})
    assert mailbox.state(p, account(7).id).used_bytes == len(raw)
    hosted = p.directory.domain(DOMAIN)
    assert hosted
    rows, _ = traces.page(p, hosted, traces.Filter(way="in"), 10, "")
    progress = traces.one(p, hosted, rows[0].seen.key).expanded[f"all@{DOMAIN}"]
    assert (progress.members, progress.served, progress.failed) == (MANY, MANY, ())
