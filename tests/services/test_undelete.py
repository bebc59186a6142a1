"""Destroyed messages, had back within 14 days."""

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.aws import clock as clocks
from chalicelib.aws.table import Update
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.values import Account, Caller, Change
from chalicelib.services import cleanup, mailbox, repair, undelete
from chalicelib.store.mailbox_items import email_key
from chalicelib.store.records import address_key
from tests.services import folders
from tests.services.post import Post
from tests.store.samples import message_id, new_email

if TYPE_CHECKING:
    from chalicelib.services.platform import Platform

BOB = "bob@x.test"
ADMIN = Caller("r1", "", frozenset(), role="admin", domain="x.test", address="ann@x.test")


@pytest.fixture
def bob(post: Post) -> Account:
    """A mailbox whose clean-up is done up to now."""
    post.p.mailboxes.purges.finish(post.clock.now().date())
    return replace(post.accounts[BOB], reseller="r1")


def add(post: Post, bob: Account, *numbers: int, **more: Any) -> list[str]:
    """Messages in the inbox, received now."""
    items = [new_email(n, received_at=clocks.now() + timedelta(seconds=n), **more) for n in numbers]
    mailbox.add(post.p, bob.id, items, quota_bytes=None)
    return [item.id for item in items]


def listed(p: "Platform", bob: Account, limit: int = 50) -> list[str]:
    """Ids of everything that can be had back, page after page."""
    ids: list[str] = []
    after = ""
    while True:
        rows, after = undelete.page(p, bob, limit, after)
        assert len(rows) <= limit
        ids += [one.row.id for one in rows]
        if not after:
            return ids


def test_what_was_destroyed_is_listed_latest_first_with_what_it_was(post: Post, bob: Account) -> None:
    ids = add(post, bob, 1, 2, 3)
    mailbox.destroy(post.p, bob.id, [ids[0]])
    post.clock.advance(hours=30)
    mailbox.destroy(post.p, bob.id, ids[1:])
    [latest, _, first], after = undelete.page(post.p, bob, 50)
    assert after == ""
    assert (latest.row.id, first.row.id) == (ids[1], ids[0])
    assert latest.at == clocks.now()
    assert first.at == clocks.now() - timedelta(hours=30)
    assert latest.row.subject == new_email(2).digest.subject
    assert (latest.row.folder, latest.row.size) == ("f1", 76_000)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_hold_each_once_however_they_are_cut(post: Post, bob: Account, limit: int) -> None:
    ids = add(post, bob, *range(12))
    for group in (ids[:5], ids[5:6], ids[6:]):
        mailbox.destroy(post.p, bob.id, group)
    undelete.restore(post.p, ADMIN, bob, ids[:3])
    mailbox.destroy(post.p, bob.id, ids[:1])
    post.clock.advance(days=1)
    mailbox.destroy(post.p, bob.id, ids[1:2])
    expected = [ids[1], ids[0], *ids[6:], ids[5], *ids[3:5]]
    assert listed(post.p, bob, limit) == expected


def test_a_page_reads_neither_the_mailbox_nor_all_that_was_destroyed(post: Post, bob: Account) -> None:
    ids = add(post, bob, *range(40))
    mailbox.destroy(post.p, bob.id, ids[:30])
    read: list[int] = []
    table = post.p.mailboxes._table
    original = table.batch_get

    def counted(keys: object, **how: object) -> object:
        found = original(keys, **how)  # type: ignore[arg-type]
        read.append(len(found))
        return found

    table.batch_get = counted  # type: ignore[assignment,method-assign]
    found = post.p.mailboxes.deleted.listed(bob.id, at_once=5)
    assert len(list(islice(found, 5))) == 5
    assert read == [5]


def test_a_restored_message_is_where_it_was_and_new_to_every_client(post: Post, bob: Account) -> None:
    first, answer = add(post, bob, 1)[0], new_email(2, references=[message_id(1)], role="archive")
    mailbox.add(post.p, bob.id, [answer], quota_bytes=None)
    mailbox.update(post.p, bob.id, {answer.id: Change(keywords={"$seen": True})})
    was = mailbox.get(post.p, bob.id, [answer.id])[answer.id]
    mailbox.destroy(post.p, bob.id, [answer.id])
    state = mailbox.state(post.p, bob.id)

    done = undelete.restore(post.p, ADMIN, bob, [answer.id, "mnothing"])
    assert (done.done, done.missing, done.over_quota) == ((answer.id,), ("mnothing",), ())
    now = mailbox.get(post.p, bob.id, [answer.id])[answer.id]
    assert replace(now, uid=was.uid, modseq=was.modseq) == was
    assert now.uid == was.uid + 1, "IMAP must not take it for what it saw expunged"
    assert mailbox.thread(post.p, bob.id, [was.thread])[was.thread] == [first, answer.id]
    assert mailbox.changes(post.p, bob.id, state.modseq).created == (answer.id,)
    assert mailbox.state(post.p, bob.id).used_bytes == state.used_bytes + 76_000
    assert repair.check(post.p, bob.id) == []
    assert listed(post.p, bob) == []


def test_where_its_folder_is_gone_it_comes_into_the_inbox(post: Post, bob: Account) -> None:
    folder = folders.create(post.p, bob.id, "Work")
    [id] = add(post, bob, 1, folder=folder.id)
    mailbox.destroy(post.p, bob.id, [id])
    folders.destroy(post.p, bob.id, folder.id)
    undelete.restore(post.p, ADMIN, bob, [id])
    assert mailbox.get(post.p, bob.id, [id])[id].folder == "f1"
    assert repair.check(post.p, bob.id) == []


def test_a_thread_that_is_full_by_then_is_not_joined(post: Post, bob: Account) -> None:
    [root] = add(post, bob, 0)
    mailbox.destroy(post.p, bob.id, [root])
    answers = [new_email(n, references=[message_id(0)]) for n in range(1, 101)]
    mailbox.add(post.p, bob.id, answers, quota_bytes=None)
    undelete.restore(post.p, ADMIN, bob, [root])
    found = mailbox.get(post.p, bob.id, [root, answers[0].id])
    assert found[root].thread != found[answers[0].id].thread
    assert mailbox.thread(post.p, bob.id, [found[root].thread]) == {found[root].thread: [root]}
    assert repair.check(post.p, bob.id) == []


def test_S17_only_what_fits_comes_back(post: Post, bob: Account) -> None:
    ids = add(post, bob, 1, 2, 3)
    mailbox.destroy(post.p, bob.id, ids)
    post.fill(BOB, 250 * MB - 2 * 76_000)
    done = undelete.restore(post.p, ADMIN, bob, ids)
    assert (done.done, done.over_quota) == (tuple(ids[:2]), (ids[2],))
    assert mailbox.state(post.p, bob.id).used_bytes == 250 * MB
    post.p.directory.table.update(Update(address_key("x.test", "bob"), set={"mb": 500}))
    assert undelete.restore(post.p, ADMIN, bob, ids[2:]).done == (ids[2],), "S11: an upgrade counts at once"


def test_S16_what_comes_back_can_take_it_over_the_line(post: Post, bob: Account) -> None:
    [id] = add(post, bob, 1)
    mailbox.destroy(post.p, bob.id, [id])
    post.fill(BOB, 225 * MB - 1)
    undelete.restore(post.p, ADMIN, bob, [id])
    [raw] = [post.p.blobs.get(r.blob) for r in mailbox.page(post.p, bob.id, "f1", 9).rows if r.id != id]
    assert b"Subject: Your mailbox is 90 % full" in raw


def test_day_14_is_in_time_and_day_15_is_not(post: Post, bob: Account) -> None:
    early, late = add(post, bob, 1, 2)
    mailbox.destroy(post.p, bob.id, [early])
    for _ in range(14):
        post.clock.advance(days=1)
        cleanup.run(post.p)
    assert listed(post.p, bob) == [early]
    assert undelete.restore(post.p, ADMIN, bob, [early]).done == (early,)
    mailbox.destroy(post.p, bob.id, [late])
    post.clock.advance(days=14, seconds=1)
    assert listed(post.p, bob) == []
    assert undelete.restore(post.p, ADMIN, bob, [late]).missing == (late,)
    for _ in range(3):
        post.clock.advance(days=1)
        cleanup.run(post.p)
    assert undelete.restore(post.p, ADMIN, bob, [late]).missing == (late,)
    assert set(mailbox.get(post.p, bob.id, [early, late])) == {early}


def test_all_since_a_moment_come_back_and_those_before_do_not(post: Post, bob: Account) -> None:
    before, *after = add(post, bob, *range(60))
    mailbox.destroy(post.p, bob.id, [before])
    post.clock.advance(days=2)
    moment = clocks.now()
    mailbox.destroy(post.p, bob.id, after)
    done = undelete.restore_since(post.p, ADMIN, bob, moment)
    assert sorted(done.done) == sorted(after)
    assert not done.more
    assert listed(post.p, bob) == [before]


def test_so_many_at_a_time_latest_first(post: Post, bob: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undelete, "MOST", 4)
    ids = add(post, bob, *range(6))
    mailbox.destroy(post.p, bob.id, ids[:3])
    mailbox.destroy(post.p, bob.id, ids[3:])
    long_ago = clocks.now() - timedelta(days=100)
    done = undelete.restore_since(post.p, ADMIN, bob, long_ago)
    assert (set(done.done), done.more) == ({*ids[3:], ids[0]}, True)
    done = undelete.restore_since(post.p, ADMIN, bob, long_ago)
    assert (set(done.done), done.more) == (set(ids[1:3]), False)


def test_a_restoration_that_meets_the_clean_up_or_a_second_one_does_it_once(
    post: Post, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(post, bob, 1, 2)
    mailbox.destroy(post.p, bob.id, ids)
    table, met = post.p.mailboxes._table, list[int]()
    original = table.transact

    def late(writes: object) -> None:
        if not met:
            met.append(1)
            table.delete(email_key(bob.id, ids[0]))  # buried between reading and writing
        original(writes)  # type: ignore[arg-type]

    monkeypatch.setattr(table, "transact", late)
    done = post.p.mailboxes.deleted.restore(bob.id, ids, quota_bytes=bob.quota_bytes)
    assert (done.done, done.missing) == ((ids[1],), (ids[0],))
    assert undelete.restore(post.p, ADMIN, bob, ids).missing == tuple(ids)
    assert repair.check(post.p, bob.id) == []


def test_S40_a_restoration_is_noted_without_a_word_of_what_was_in_it(post: Post, bob: Account) -> None:
    [id] = add(post, bob, 1)
    mailbox.destroy(post.p, bob.id, [id])
    undelete.restore(post.p, ADMIN, bob, [id])
    undelete.restore_since(post.p, ADMIN, bob, clocks.now())
    events, _ = post.p.journal.page("r1", 10)
    account = [(e.type, e.subject, e.actor, dict(e.after)) for e in events]
    assert account[0] == ("messages.restored", BOB, "admin:ann@x.test", {"messages": 1})
    assert account[1][3] == {"destroyed_since": clocks.now().isoformat()}


def test_a_cursor_that_was_not_given_out_is_refused(post: Post, bob: Account) -> None:
    wrong = ("x", "2026-03-02 1", "2026-03-02 a b", "2026-13-02 1 1")
    for place in (*wrong, "2026-03-10 0 1", "2026-03-10 1 -1", "9999-12-31 1 1"):
        with pytest.raises(ServiceError, match="bad_request"):
            undelete.page(post.p, bob, 5, place)
