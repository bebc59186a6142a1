"""What clients are told happened since a state, and when they are told that it is not known."""

from collections.abc import Iterable

import pytest

from chalicelib.aws.table import Table
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.folders import Wish
from chalicelib.rules.values import Change, Changes, Folder
from chalicelib.store.mailbox import MailboxStore
from chalicelib.store.mailbox_log import log_pk, padded
from tests.store.samples import ACCOUNT, message_id, new_email


def add(store: MailboxStore, *numbers: int, references: Iterable[str] = ()) -> list[str]:
    emails = [new_email(n, references=references) for n in numbers]
    store.add(ACCOUNT, emails, quota_bytes=None)
    return [e.id for e in emails]


def email_state(store: MailboxStore) -> int:
    return store.state(ACCOUNT).types.get("Email", 0)


def told(changes: Changes) -> tuple[list[str], list[str], list[str]]:
    return list(changes.created), list(changes.updated), list(changes.destroyed)


def test_created_updated_destroyed_collapse(store: MailboxStore) -> None:
    before = email_state(store)
    one, two, three = add(store, 1, 2, 3)
    middle = email_state(store)
    store.update(ACCOUNT, {one: Change(keywords={"$seen": True}), two: Change(folder="f5")})
    store.destroy(ACCOUNT, [three])
    assert told(store.changes(ACCOUNT, before)) == ([one, two], [], [])
    assert told(store.changes(ACCOUNT, middle)) == ([], [one, two], [three])
    assert told(store.changes(ACCOUNT, email_state(store))) == ([], [], [])


def test_a_state_stands_still_while_other_types_change(store: MailboxStore) -> None:
    [email] = add(store, 1)
    states = dict(store.state(ACCOUNT).types)
    store.update(ACCOUNT, {email: Change(keywords={"$flagged": True})})
    after = store.state(ACCOUNT).types
    assert after["Email"] > states["Email"]
    assert (after["Mailbox"], after["Thread"]) == (states["Mailbox"], states["Thread"])
    store.folders.change(ACCOUNT, [Wish("#work", {"name": "Work"}, new=True)])
    assert store.state(ACCOUNT).types["Email"] == after["Email"]


def test_one_transaction_is_paged_by_max_changes(store: MailboxStore) -> None:
    ids = add(store, *range(12))
    since, pages = email_state(store) - 12, 0
    seen: list[str] = []
    while True:
        changes = store.changes(ACCOUNT, since, 5)
        seen, since, pages = seen + list(changes.created), changes.new_state, pages + 1
        if not changes.more:
            break
    assert (seen, since, pages) == (ids, email_state(store), 3)


@pytest.mark.parametrize(("since", "known"), [(-1, False), (0, True), (999_999, False)])
def test_states_that_never_were_are_refused(store: MailboxStore, since: int, known: bool) -> None:
    add(store, 1)
    if known:
        assert store.changes(ACCOUNT, since).created
        return
    with pytest.raises(ServiceError) as refused:
        store.changes(ACCOUNT, since)
    assert refused.value.kind == "cannot_calculate_changes"


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_any_row_that_expired_is_noticed(store: MailboxStore, table: Table, lost: int) -> None:
    """TTL deletes late and in any order: a gap must be seen wherever it is."""
    states = [email_state(store)]
    for number in range(4):
        add(store, number)
        states.append(email_state(store))
    table.delete({"pk": log_pk(ACCOUNT), "sk": padded(states[lost + 1])})
    for position, since in enumerate(states):
        if position > lost:
            assert store.changes(ACCOUNT, since).new_state == states[-1]
        else:
            with pytest.raises(ServiceError):
                store.changes(ACCOUNT, since)


def test_rows_expire_after_30_days(store: MailboxStore, table: Table) -> None:
    add(store, 1)
    [*_, row] = table.query_all(log_pk(ACCOUNT))
    assert row["ttl"] - new_email(0).received_at.timestamp() == 30 * 86_400


def test_folders_and_threads(store: MailboxStore) -> None:
    before = store.state(ACCOUNT).modseq
    [work] = store.folders.change(ACCOUNT, [Wish("#work", {"name": "Work"}, new=True)]).values()
    assert isinstance(work, Folder)
    folder = work.id
    one, two = add(store, 1, 2, references=[message_id(99)])
    changes = store.changes(ACCOUNT, before, None, "Mailbox")
    assert (told(changes), changes.counts_only) == (([folder], ["f1"], []), True)
    store.folders.change(ACCOUNT, [Wish("f1", {"name": "Post"})])
    assert not store.changes(ACCOUNT, before, None, "Mailbox").counts_only
    [thread] = store.changes(ACCOUNT, before, None, "Thread").created
    assert store.thread(ACCOUNT, [thread, "tnone"]) == {thread: [one, two]}
    state = store.state(ACCOUNT).modseq
    store.destroy(ACCOUNT, [one])
    assert store.changes(ACCOUNT, state, None, "Thread").updated == (thread,)
    store.destroy(ACCOUNT, [two])
    assert store.changes(ACCOUNT, state, None, "Thread").destroyed == (thread,)
    add(store, 3, references=[message_id(99)])
    assert store.changes(ACCOUNT, state, None, "Thread").updated == (thread,)
