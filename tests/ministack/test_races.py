"""Many at once at one mailbox, on an engine that is right under threads (moto is not)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.quota import ClientDoor
from chalicelib.rules.values import Account, Added, Arrival, Change, Envelope, NewEmail, Row, Verdicts
from chalicelib.services import mailbox, quota, receive, repair
from chalicelib.services.platform import Platform
from chalicelib.store.records import domain_item, mailbox_item, meta_key
from tests.ministack.deployment import Deployment

T = TypeVar("T")
WORKERS, EACH, SIZE = 16, 4, 1_000
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def email(number: int) -> NewEmail:
    raw = f"Message-ID: <{number}@race.test>\r\nSubject: {number}\r\n\r\nbody\r\n".encode()
    at = START + timedelta(seconds=number)
    return NewEmail(f"mrace{number:03}", None, "inbox", f"in/{number}", SIZE, at, mime.digest(raw))


def again(act: Callable[[], T]) -> T:
    """What queues and clients do where a mailbox is too busy at the moment: come again."""
    for _ in range(20):
        try:
            return act()
        except ServiceError as error:
            if error.kind != "unavailable":
                raise
    raise AssertionError("a mailbox that stays busy")


def deliver(platform: Platform, account: Account, worker: int) -> list[Added]:
    """A worker's share, message by message, every one of them twice: SNS and SQS repeat."""
    mine = range(worker * EACH, (worker + 1) * EACH)
    add = partial(mailbox.add, platform, account.id, quota_bytes=account.quota_bytes)
    twice = [partial(add, [email(number)]) for number in mine for _ in range(2)]
    return [outcome for act in twice for outcome in again(act)]


def test_S14_sixteen_at_once_lose_and_double_nothing(place: Deployment) -> None:
    account = Account("arace", "race@race.test", "race.test", quota_bytes=50 * SIZE)
    platform = place.operator()
    mailbox.create(platform, account)
    with ThreadPoolExecutor(WORKERS) as pool:
        found = [
            a for share in pool.map(lambda n: deliver(platform, account, n), range(WORKERS)) for a in share
        ]

    added = [a for a in found if a.outcome == "added"]
    refused = {a.id for a in found if a.outcome == "over_quota"}
    assert len(added) == len({a.id for a in added}) == 50, "S17: exactly what the quota holds, each once"
    assert len(refused) == WORKERS * EACH - 50
    assert sum(a.outcome == "repeat" for a in found) == 50

    [inbox] = [f for f in mailbox.folders(platform, account.id) if f.role == "inbox"]
    state = mailbox.state(platform, account.id)
    rows = mailbox.page(platform, account.id, inbox.id, 100).rows
    assert {row.id for row in rows} == {a.id for a in added}
    assert (inbox.total, inbox.unread) == (50, 50)
    assert (inbox.threads, inbox.unread_threads) == (50, 50)
    assert sorted(row.uid for row in rows) == list(range(1, 51)), "S24: IMAP's UIDs have no gap and no double"
    assert state.used_bytes == 50 * SIZE
    assert inbox.uidnext == 51
    changes = mailbox.changes(platform, account.id, 0, 1_000)
    assert set(changes.created) >= {a.id for a in added}


def meddle(platform: Platform, account: Account, worker: int) -> None:
    """Each worker adds two emails, reads one, moves the other to the archive, then destroys or moves back."""
    folders = {f.role: f.id for f in mailbox.folders(platform, account.id)}
    first, second = (email(worker * 2 + n) for n in (0, 1))
    change = partial(mailbox.update, platform, account.id)
    again(lambda: mailbox.add(platform, account.id, [first, second], quota_bytes=None))
    again(lambda: change({first.id: Change(keywords={"$seen": True})}))
    again(lambda: change({second.id: Change(folder=folders["archive"])}))
    if worker % 2:
        again(lambda: mailbox.destroy(platform, account.id, [second.id]))
    else:
        again(lambda: change({second.id: Change(folder=folders["inbox"])}))


def test_S14_counters_are_the_sums_of_what_is_there_whatever_happens_at_once(place: Deployment) -> None:
    account = Account("ameddle", "meddle@race.test", "race.test", quota_bytes=0)
    platform = place.operator()
    mailbox.create(platform, account)
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda n: meddle(platform, account, n), range(WORKERS)))

    everything: list[Row] = []
    for folder in mailbox.folders(platform, account.id):
        rows = mailbox.page(platform, account.id, folder.id, 100).rows
        everything += rows
        assert folder.total == folder.threads == len(rows), folder.role
        assert folder.unread == sum("$seen" not in row.keywords for row in rows), folder.role
        assert all(row.uid < folder.uidnext for row in rows)
        assert len({row.uid for row in rows}) == len(rows)
    assert len(everything) == WORKERS + WORKERS // 2
    assert mailbox.state(platform, account.id).used_bytes == sum(row.size for row in everything)


DELIVERIES, LARGE, FIT = 200, 20_000, 131
QUOTA = 250 * MB


def nearly_full(platform: Platform) -> Account:
    """A mailbox at 99 % of its quota, in a live domain."""
    account = Account("afull", "full@full.test", "full.test", QUOTA)
    domain = domain_item(HostedDomain(account.domain, "live", "r1", "o1", clock.now()))
    known = {**meta_key("ACCOUNT", account.id), "address": account.address}
    platform.directory.table.batch_write(put=[domain, mailbox_item(account, None), known])
    mailbox.create(platform, account)
    ballast = replace(email(999), size=QUOTA - FIT * LARGE, role="archive")
    mailbox.add(platform, account.id, [ballast], quota_bytes=None)
    return account


def arrival(platform: Platform, account: Account, number: int) -> Arrival:
    """A message from outside, stored. Its sender is not authentic, so that nobody is told (S28)."""
    head = f"From: zoe@far.test\r\nSubject: {number}\r\nMessage-ID: <{number}@far.test>\r\n\r\n".encode()
    blob = f"own/race{number}"
    platform.blobs.put(blob, head + b"x" * (LARGE - len(head)))
    to = Envelope("zoe@far.test", (account.address,))
    return Arrival(f"race{number}", to, blob, 0, Verdicts(), clock.now(), "ses")


def test_S14_S17_200_deliveries_at_once_at_99_percent_never_exceed_the_quota(place: Deployment) -> None:
    platform = place.operator()
    account = nearly_full(platform)
    arrivals = [arrival(platform, account, number) for number in range(DELIVERIES)]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda one: again(lambda: receive.arrive(platform, one)), arrivals))

    traces = [platform.outbox.trace(one.id) for one in arrivals]
    results = [trace.results[account.address]["result"] for trace in traces if trace]
    assert sorted(set(results)) == ["bounced", "delivered"]
    assert results.count("delivered") == FIT
    assert len(results) == DELIVERIES
    assert mailbox.state(platform, account.id).used_bytes == QUOTA, "full to the byte and not a byte more"
    assert repair.check(platform, account.id) == [], "counters are the sums of what is there"


def test_S15_of_sixteen_log_ins_at_once_exactly_one_is_refused(place: Deployment) -> None:
    platform = place.operator()
    account = Account("aalert", "alert@full.test", "full.test", QUOTA)
    platform.directory.table.batch_write(put=[mailbox_item(account, None)])
    mailbox.create(platform, account)
    ballast = replace(email(998), size=QUOTA * 85 // 100)
    mailbox.add(platform, account.id, [ballast], quota_bytes=None)
    doors: list[ClientDoor] = ["imap", "pop3", "smtp", "smtp"] * (WORKERS // 4)
    with ThreadPoolExecutor(WORKERS) as pool:
        alerts = list(pool.map(lambda door: quota.alert(platform, account, door), doors))
    assert sum(alert is not None for alert in alerts) == 1
