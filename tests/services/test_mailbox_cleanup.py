"""Removal of what nobody needs: walked both ways, from emails to blobs and from blobs to emails."""

from typing import TYPE_CHECKING

import boto3
import pytest

from chalicelib.rules.ids import email_id
from chalicelib.rules.values import Account
from chalicelib.services import cleanup, mailbox, repair
from tests.store.samples import new_email

if TYPE_CHECKING:
    from chalicelib.services.platform import Platform
    from tests.cloud import Clock

ANN = Account("aannannannannanna", "ann@x.test", "x.test", 10**9)
BOB = Account("abobbobbobbobbobb", "bob@x.test", "x.test", 10**9)


@pytest.fixture
def p(platform: "Platform", clock: "Clock") -> "Platform":
    """A platform with Ann's and Bob's mailboxes, cleaned up to now."""
    platform.mailboxes.purges.finish(clock.now().date())
    mailbox.create(platform, ANN)
    mailbox.create(platform, BOB)
    return platform


def deliver(p: "Platform", account: Account, number: int) -> str:
    """A message in a mailbox, with its raw message; the email's id."""
    new = new_email(number, id=email_id(str(number), account.id))
    p.blobs.put(new.blob, b"raw %d" % number)
    mailbox.add(p, account.id, [new], quota_bytes=None)
    return new.id


def blobs(p: "Platform") -> set[str]:
    """Keys of what is in the bucket."""
    listed = boto3.client("s3").list_objects_v2(Bucket=p.settings.mail_bucket)
    return {o["Key"] for o in listed.get("Contents", [])}


def needed(p: "Platform") -> set[str]:
    """Blobs that emails and tombstones have."""
    return {i["blob"] for a in (ANN, BOB) for i in p.mailboxes.items(a.id, "E#")}


def days(p: "Platform", clock: "Clock", count: int) -> None:
    """Days pass, with the clean-up on each. Nothing needed is ever missing."""
    for _ in range(count):
        clock.advance(days=1)
        assert cleanup.run(p).finished
        assert needed(p) <= blobs(p)


def test_nothing_needed_is_removed_and_nothing_leaks(p: "Platform", clock: "Clock") -> None:
    ann = [deliver(p, ANN, n) for n in range(4)]
    bob = [deliver(p, BOB, n) for n in range(2)]  # two messages that Ann has too
    mailbox.destroy(p, ANN.id, ann[:3])
    days(p, clock, 14)
    assert len(blobs(p)) == 4  # undelete is possible still
    days(p, clock, 3)
    assert blobs(p) == needed(p) == {new_email(n).blob for n in (0, 1, 3)}
    mailbox.destroy(p, BOB.id, bob)
    mailbox.destroy(p, ANN.id, ann)
    days(p, clock, 18)
    assert blobs(p) == needed(p) == set()
    assert not [i for a in (ANN, BOB) for i in p.mailboxes.items(a.id, "E#")]
    assert repair.check(p, ANN.id) == []


def test_a_late_repeat_within_15_days_does_nothing(p: "Platform", clock: "Clock") -> None:
    email = deliver(p, ANN, 1)
    mailbox.destroy(p, ANN.id, [email])
    days(p, clock, 14)
    deliver(p, ANN, 1)
    assert mailbox.state(p, ANN.id).counters["f1"][0] == 0


def test_an_id_that_lives_again_is_spared(p: "Platform", clock: "Clock") -> None:
    email = deliver(p, ANN, 1)
    mailbox.destroy(p, ANN.id, [email])
    [row] = [r for n in range(20) for r in p.mailboxes.purges.rows((clock.now().date()).replace(day=n + 1))]
    days(p, clock, 16)
    deliver(p, ANN, 1)
    days(p, clock, 1)  # its blob was to be looked at today
    mailbox.destroy(p, ANN.id, [email])
    p.mailboxes._table.put(row)  # the first destruction's row again, as after a crash
    p.mailboxes.purges.finish(clock.now().date().replace(day=1))
    days(p, clock, 3)
    assert p.mailboxes.tombstones(ANN.id, [email])
    days(p, clock, 15)
    assert blobs(p) == set()


def test_composed_messages_that_came_to_nothing_go(p: "Platform", clock: "Clock") -> None:
    lost, used = mailbox.keep_raw(p, b"lost"), mailbox.keep_raw(p, b"used")
    mailbox.add(p, ANN.id, [new_email(1, blob=used, role="drafts")], quota_bytes=None)
    days(p, clock, 15)
    assert blobs(p) == {lost, used}
    days(p, clock, 2)
    assert blobs(p) == {used}


def test_a_crash_anywhere_is_made_good_by_the_next_run(
    p: "Platform", clock: "Clock", monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [deliver(p, ANN, n) for n in range(3)]
    for email in ids:
        mailbox.destroy(p, ANN.id, [email])
    steps = [
        (p.mailboxes.purges, "later"),
        (p.mailboxes, "bury"),
        (p.mailboxes.purges, "done"),
        (p.blobs, "delete"),
    ]
    clock.advance(days=16)
    for day in range(8):
        owner, name = steps[day % 4]
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, lambda *_: 1 / 0)
            try:
                cleanup.run(p)
            except ZeroDivisionError:
                assert needed(p) <= blobs(p)
        clock.advance(days=1)
    days(p, clock, 3)
    assert blobs(p) == needed(p) == set()


def test_a_run_out_of_time_goes_on_later(p: "Platform", clock: "Clock") -> None:
    for email in [deliver(p, ANN, n) for n in range(3)]:
        mailbox.destroy(p, ANN.id, [email])
    clock.advance(days=17)
    assert not cleanup.run(p, seconds=-1).finished
    assert cleanup.run(p).tombstones == 3
    assert cleanup.run(p).tombstones == 0


def test_a_deleted_mailbox_leaves_nothing(p: "Platform", clock: "Clock") -> None:
    ids = [deliver(p, ANN, n) for n in range(3)]
    deliver(p, BOB, 1)
    mailbox.destroy(p, ANN.id, ids[:1])
    mailbox.delete(p, ANN.id)
    mailbox.delete(p, ANN.id)
    days(p, clock, 18)
    assert blobs(p) == needed(p) == {new_email(1).blob}
    assert not list(p.mailboxes.items(ANN.id))
    with pytest.raises(Exception, match="not_found"):
        mailbox.state(p, ANN.id)
