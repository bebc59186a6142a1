"""A mailbox: adding once, threads, quota, moves, folders, and losing a race."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from chalicelib.aws.table import ABSENT, Put, Table, Write
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Change, NewEmail
from chalicelib.store import mailbox_turn
from chalicelib.store.mailbox import MailboxStore
from chalicelib.store.mailbox_turn import WriteRefused
from chalicelib.store.mailbox_write import THREAD_MAX
from tests.store.samples import ACCOUNT, message_id, new_email, usual

MB = 1_048_576


def outcomes(store: MailboxStore, *emails: Any, quota: int | None = None) -> list[str]:
    return [a.outcome for a in store.add(ACCOUNT, emails, quota_bytes=quota)]


def test_S14_S17_quota_is_decided_exactly(store: MailboxStore) -> None:
    quota = 250 * MB
    assert outcomes(store, new_email(1, size=246 * MB), quota=quota) == ["added"]
    assert outcomes(store, new_email(2, size=6 * MB), quota=quota) == ["over_quota"]
    assert outcomes(store, new_email(3, size=3 * MB), quota=quota) == ["added"]
    both = [new_email(4, size=MB), new_email(5, size=1)]
    assert outcomes(store, *both, quota=quota) == ["added", "over_quota"]  # S18
    assert store.state(ACCOUNT).used_bytes == quota
    assert outcomes(store, new_email(6, size=MB), quota=None) == ["added"]  # S16: notices are kept anyway


def test_S17_a_repeat_of_what_was_delivered_never_bounces(store: MailboxStore) -> None:
    email = new_email(1)
    assert outcomes(store, email, email, quota=email.size) == ["added", "repeat"]
    assert outcomes(store, email, quota=email.size) == ["repeat"]
    store.destroy(ACCOUNT, [email.id])
    state = store.state(ACCOUNT)
    assert outcomes(store, email, email, new_email(2)) == ["repeat", "repeat", "added"]
    assert store.state(ACCOUNT).counters["f1"][0] == 1
    assert store.state(ACCOUNT).modseq == state.modseq + 1
    assert store.get(ACCOUNT, [email.id]) == {}


def test_more_than_a_transaction_holds(store: MailboxStore) -> None:
    emails = [new_email(n) for n in range(95)]
    extra: list[Write] = [Put({"pk": "O#1", "sk": "META"}, ABSENT)]
    added = store.add(ACCOUNT, emails, quota_bytes=None, extra=extra)
    assert [a.email.uid for a in added if a.email] == list(range(1, 96))
    assert store.state(ACCOUNT).counters["f1"] == (95, 95, 95, 95, 96)
    ids = [e.id for e in emails]
    assert store.update(ACCOUNT, dict.fromkeys(ids, Change(keywords={"$seen": True}))).done == tuple(ids)
    assert store.destroy(ACCOUNT, [*ids, *ids]).done == tuple(ids)
    assert store.state(ACCOUNT).counters["f1"] == (0, 0, 0, 0, 96)
    assert store.state(ACCOUNT).used_bytes == 0


def test_what_is_written_along_is_written_or_refused_together(store: MailboxStore, table: Table) -> None:
    along: list[Write] = [Put({"pk": "O#1", "sk": "META"}, ABSENT)]
    store.add(ACCOUNT, [new_email(1)], quota_bytes=None, extra=along)
    assert table.get({"pk": "O#1", "sk": "META"})
    with pytest.raises(WriteRefused) as refused:
        store.add(ACCOUNT, [new_email(2)], quota_bytes=None, extra=along)
    assert (refused.value.own, refused.value.extra) == ((), (0,))
    assert store.get(ACCOUNT, [new_email(2).id]) == {}


def test_pages_go_newest_first_through_a_folder(store: MailboxStore) -> None:
    emails = [new_email(n) for n in range(11)]
    store.add(ACCOUNT, [*emails, new_email(50, role="trash")], quota_bytes=None)
    seen: list[str] = []
    cursor = None
    while True:
        page = store.page(ACCOUNT, "f1", 4, cursor)
        seen += [row.id for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
        store.destroy(ACCOUNT, [page.rows[-1].id])  # the cursor outlives what it points to
    assert seen == [e.id for e in reversed(emails)]
    assert store.page(ACCOUNT, "f2", 4).rows == ()


def test_rows_show_all_recipients_of_a_long_list(store: MailboxStore) -> None:
    many = new_email(1).digest.to * 200
    store.add(ACCOUNT, [new_email(1, digest=replace(new_email(1).digest, to=many))], quota_bytes=None)
    [row] = store.page(ACCOUNT, "f1", 5).rows
    assert row.to == many


def test_a_move_keeps_the_id_and_gives_a_uid(store: MailboxStore) -> None:
    store.add(ACCOUNT, [new_email(1), new_email(2)], quota_bytes=None)
    email = new_email(1).id
    store.update(ACCOUNT, {email: Change(folder="f6")})
    store.update(ACCOUNT, {email: Change(folder="f1", keywords={"$Seen": True})})
    found = store.get(ACCOUNT, [email])[email]
    assert (found.folder, found.uid, found.keywords) == ("f1", 3, frozenset({"$seen"}))
    assert store.state(ACCOUNT).counters["f1"] == (2, 1, 2, 1, 4)
    again = store.state(ACCOUNT).modseq
    assert store.update(ACCOUNT, {email: Change(folder="f1", keywords={"$seen": True})}).modseq == again
    replaced = store.update(ACCOUNT, {email: Change(replace_keywords=frozenset({"Work"}))})
    assert store.get(ACCOUNT, [email])[email].modseq == replaced.modseq
    assert store.get(ACCOUNT, [email])[email].keywords == {"work"}


@pytest.mark.parametrize(
    ("arriving", "together"),
    [
        ([(1, []), (2, [1]), (3, [1, 2])], True),  # ordinary answers
        ([(1, []), (2, [1]), (3, [2])], True),  # an answer that names only the message before it
        ([(2, [1]), (1, [])], True),  # the answer comes first
        ([(1, [9]), (2, [9])], True),  # their root never came
        ([(1, []), (2, [])], False),
        ([(1, [8]), (2, [9])], False),
    ],
)
def test_messages_join_threads(
    store: MailboxStore, arriving: list[tuple[int, list[int]]], together: bool
) -> None:
    for number, references in arriving:
        store.add(ACCOUNT, [new_email(number, references=map(message_id, references))], quota_bytes=None)
    ids = [new_email(number).id for number, _ in arriving]
    assert (len({e.thread for e in store.get(ACCOUNT, ids).values()}) == 1) is together


def under(number: int, subject: str, *references: int) -> NewEmail:
    """A message with another subject."""
    digest = replace(usual(number, map(message_id, references)), subject=subject)
    return new_email(number, digest=digest)


def test_another_subject_begins_another_thread(store: MailboxStore) -> None:
    """RFC 8621 §3: who answers an old message under a new subject begins a conversation of its own."""
    emails = [
        under(1, "The north wall"),
        under(2, "AW: [office] The North  Wall", 1),
        under(3, "Lunch?", 1, 2),
        under(4, "Re: Lunch?", 1, 2, 3),
        under(5, "Re: Lunch?", 3),
        under(6, "Fwd: The north wall (fwd)", 2),
        under(7, "The north wall"),
    ]
    for email in emails:
        store.add(ACCOUNT, [email], quota_bytes=None)
    found = store.get(ACCOUNT, [email.id for email in emails])
    threads = {found[email.id].thread: [] for email in emails}  # type: dict[str, list[int]]
    for number, email in enumerate(emails, start=1):
        threads[found[email.id].thread].append(number)
    assert list(threads.values()) == [[1, 2, 6], [3, 4, 5], [7]]


def test_messages_join_threads_within_one_batch(store: MailboxStore) -> None:
    batch = [new_email(1), new_email(2, references=[message_id(1)]), new_email(3, references=[message_id(2)])]
    store.add(ACCOUNT, batch, quota_bytes=None)
    assert store.state(ACCOUNT).counters["f1"][2:4] == (1, 1)


def test_a_thread_is_full_at_some_point(store: MailboxStore) -> None:
    """Flagging an email reads its thread, which must therefore not grow without end."""
    root = [message_id(500)]
    emails = [new_email(n, references=root) for n in range(THREAD_MAX + 2)]
    store.add(ACCOUNT, emails, quota_bytes=None)
    threads = store.thread(ACCOUNT, {e.thread for e in store.get(ACCOUNT, [e.id for e in emails]).values()})
    assert sorted(len(ids) for ids in threads.values()) == [1, 1, THREAD_MAX]
    answer = new_email(900, references=[*root, message_id(THREAD_MAX + 1)])
    store.add(ACCOUNT, [answer], quota_bytes=None)
    assert len(store.thread(ACCOUNT, [store.need(ACCOUNT, answer.id).thread]).popitem()[1]) == 2


def test_unread_threads_leave_trash_apart(store: MailboxStore) -> None:
    """RFC 8621 §2: an unread answer in another folder makes the thread unread here; one in Trash does not."""
    first, answer = new_email(1), new_email(2, role="archive", references=[message_id(1)])
    store.add(ACCOUNT, [first, answer], quota_bytes=None)
    store.update(ACCOUNT, {first.id: Change(keywords={"$seen": True})})
    assert store.state(ACCOUNT).counters["f1"] == (1, 0, 1, 1, 2)
    store.update(ACCOUNT, {answer.id: Change(folder="f5")})
    assert store.state(ACCOUNT).counters["f1"] == (1, 0, 1, 0, 2)
    assert store.state(ACCOUNT).counters["f5"] == (1, 1, 1, 1, 2)


# ------------------------------------------------------------------- races
def meanwhile(other: Callable[[], object], times: int = 1) -> Any:
    """Others get in between the reading of STATE and the transaction, so many times."""
    real, left = mailbox_turn.read_or_refuse, [times]

    def read(table: Table, acct: str) -> Any:
        state = real(table, acct)
        if left[0]:
            left[0] -= 1
            with mock.patch.object(mailbox_turn, "read_or_refuse", real):
                other()
        return state

    return mock.patch.object(mailbox_turn, "read_or_refuse", read)


def test_a_lost_race_is_run_again(store: MailboxStore) -> None:
    store.add(ACCOUNT, [new_email(1)], quota_bytes=None)
    numbers = iter(range(10, 20))
    one = new_email(1).id
    with meanwhile(lambda: outcomes(store, new_email(next(numbers))), times=3):
        store.update(ACCOUNT, {one: Change(keywords={"$seen": True})})
    assert store.state(ACCOUNT).counters["f1"] == (4, 3, 4, 3, 5)


def test_the_same_delivery_twice_at_once_is_one(store: MailboxStore) -> None:
    email = new_email(1)
    with meanwhile(lambda: outcomes(store, email)):
        assert outcomes(store, email, new_email(2)) == ["repeat", "added"]
    assert store.state(ACCOUNT).counters["f1"][0] == 2


def test_destroyed_while_its_thread_was_read(store: MailboxStore) -> None:
    first, answer = new_email(1), new_email(2, references=[message_id(1)])
    store.add(ACCOUNT, [first, answer], quota_bytes=None)
    with meanwhile(lambda: store.destroy(ACCOUNT, [first.id])):
        store.update(ACCOUNT, {answer.id: Change(keywords={"$seen": True})})
    assert store.state(ACCOUNT).counters["f1"] == (1, 0, 1, 0, 3)


def test_a_mailbox_that_never_holds_still(store: MailboxStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox_turn, "pause", lambda _: None)
    numbers = iter(range(10, 99))
    with (
        meanwhile(lambda: outcomes(store, new_email(next(numbers))), times=99),
        pytest.raises(ServiceError) as refused,
    ):
        store.add(ACCOUNT, [new_email(1)], quota_bytes=None)
    assert refused.value.kind == "unavailable"


# ---------------------------------------------------------------- refusals
def test_what_is_not_there(store: MailboxStore) -> None:
    for call in (
        lambda: store.state("anobody"),
        lambda: store.add("anobody", [new_email(1)], quota_bytes=None),
        lambda: store.update("anobody", {}),
        lambda: store.add(ACCOUNT, [new_email(1, folder="f99")], quota_bytes=None),
        lambda: store.need(ACCOUNT, "mnone"),
    ):
        with pytest.raises(ServiceError) as refused:
            call()
        assert refused.value.kind == "not_found"
    with pytest.raises(ValueError, match="expire"):
        store.add(ACCOUNT, [new_email(1, blob="up/x/1")], quota_bytes=None)
    assert store.update(ACCOUNT, {"mnone": Change(folder="f99")}).missing == ("mnone",)
