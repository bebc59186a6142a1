"""DESIGN.md's budgets, in capacity units by AWS's rules, for a usual message of 75 KB."""

from itertools import islice

from chalicelib.aws.expressions import wire_item
from chalicelib.aws.table import Table
from chalicelib.rules.values import Change
from chalicelib.store.mailbox import MailboxStore
from local.capacity import item_size
from tests.store.samples import ACCOUNT, message_id, new_email
from tests.store.units import counted

QUOTA = 250 * 1_048_576


def test_usual_message_takes_one_write_unit(store: MailboxStore) -> None:
    store.add(ACCOUNT, [new_email(1, references=[message_id(n) for n in range(90, 93)])], quota_bytes=QUOTA)
    [item] = store.items(ACCOUNT, "E#")
    assert item_size(wire_item(item)) <= 1_024
    [state] = store.items(ACCOUNT, "STATE")
    assert item_size(wire_item(state)) <= 300


def test_deliver_takes_at_most_12_write_units(store: MailboxStore, table: Table) -> None:
    with counted(table) as first:
        store.add(ACCOUNT, [new_email(1)], quota_bytes=QUOTA)
    with counted(table) as answer:
        store.add(ACCOUNT, [new_email(2, references=[message_id(1)])], quota_bytes=QUOTA)
    assert (first.write, first.careful) == (9, 12)
    assert answer.write == 10  # one more for R#: what is a root to nobody is remembered
    assert first.calls == ["GetItem", "Query", "TransactWriteItems"]


def test_flag_takes_at_most_8_write_units(store: MailboxStore, table: Table) -> None:
    email = new_email(1)
    store.add(ACCOUNT, [email], quota_bytes=QUOTA)
    for change in ({"$seen": True}, {"$flagged": True}, {"$seen": False}):
        with counted(table) as count:
            store.update(ACCOUNT, {email.id: Change(keywords=change)})
        assert (count.write, count.careful) == (7, 8)


def test_move_takes_at_most_14_write_units(store: MailboxStore, table: Table) -> None:
    email = new_email(1)
    store.add(ACCOUNT, [email], quota_bytes=QUOTA)
    with counted(table) as count:
        store.update(ACCOUNT, {email.id: Change(folder="f5")})
    assert (count.write, count.careful) == (8, 10)


def test_many_at_once_share_state_and_log(store: MailboxStore, table: Table) -> None:
    with counted(table) as count:
        store.add(ACCOUNT, [new_email(n) for n in range(20)], quota_bytes=QUOTA)
    assert count.write / 20 < 6
    assert count.calls.count("TransactWriteItems") == 1


def test_newest_50_take_at_most_8_read_units_and_idle_one(store: MailboxStore, table: Table) -> None:
    store.add(
        ACCOUNT,
        [new_email(n, keywords=frozenset({"$seen", "$answered"})) for n in range(60)],
        quota_bytes=None,
    )
    with counted(table) as page:
        rows = store.page(ACCOUNT, "f1", 50).rows
    assert len(rows) == 50
    assert page.read <= 8
    with counted(table) as idle:
        store.changes(ACCOUNT, store.state(ACCOUNT).types["Email"])
    assert idle.read == 2  # both reads of STATE: this test's own and the one of `changes`
    with counted(table) as opened:
        store.get(ACCOUNT, [rows[0].id])
    assert opened.read == 1


def test_destroyed_ones_cost_no_index_and_are_read_a_unit_each_and_one_a_day(
    store: MailboxStore, table: Table
) -> None:
    emails = [new_email(n) for n in range(60)]
    store.add(ACCOUNT, emails, quota_bytes=None)
    with counted(table) as destroyed:
        store.destroy(ACCOUNT, [emails[0].id])
    assert (destroyed.write, destroyed.careful) == (10, 12)
    store.destroy(ACCOUNT, [e.id for e in emails[1:]])
    with counted(table) as page:
        assert len(list(islice(store.deleted.listed(ACCOUNT, at_once=50), 50))) == 50
    with counted(table) as restored:
        store.deleted.restore(ACCOUNT, [emails[0].id], quota_bytes=QUOTA)
    assert (page.read, restored.write) == (51, 8)
