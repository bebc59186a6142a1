"""Files of contacts brought in: repeated, cut short by a crash, too large for the quota (S14, S17)."""

from contextlib import suppress
from typing import Any

import pytest

from chalicelib.aws import clock
from chalicelib.rules import contacts as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.ids import email_id
from chalicelib.services import contacts, mailbox, repair
from tests.jmap.client import Client
from tests.jmap.ContactCard.people import ZOE, made, named, shown
from tests.services.post import Crash
from tests.store.samples import new_email

PEOPLE = 45  # two transactions


def file(count: int = PEOPLE, name: str = "Person") -> bytes:
    cards = [f"BEGIN:VCARD\r\nUID:u{n}\r\nFN:{name} {n}\r\nEND:VCARD\r\n" for n in range(count)]
    return "".join(cards).encode()


def bring(
    jmap: Client, octets: bytes, how: Any = contacts.bring_in_vcards
) -> tuple[int, int, int, list[Any]]:
    found = how(jmap.post.p, jmap.account, octets)
    return found.created, found.updated, found.same, found.failed


def names(jmap: Client) -> list[str]:
    cards = jmap.call("ContactCard/get", ids=None)["list"]
    return sorted(card["name"]["full"] for card in cards)


def stuff(jmap: Client, used: int) -> None:
    """Have so much used, whatever is there."""
    p, acct = jmap.post.p, jmap.account.id
    counted = p.mailboxes.counted(acct)
    full = counted.copy()
    full.used = used
    assert p.mailboxes.recount(acct, counted.modseq, full)


def test_a_file_sent_again_doubles_nothing_and_a_changed_one_changes(jmap: Client) -> None:
    assert bring(jmap, file()) == (PEOPLE, 0, 0, [])
    state = jmap.state("ContactCard")
    jmap.post.clock.advance(minutes=1)
    assert bring(jmap, file()) == (0, 0, PEOPLE, [])
    assert jmap.state("ContactCard") == state
    assert bring(jmap, file(2, "Other")) == (0, 2, 0, [])
    assert names(jmap)[:2] == ["Other 0", "Other 1"]
    assert repair.check(jmap.post.p, jmap.account.id) == []


def test_without_uids_the_same_contact_is_the_same(jmap: Client) -> None:
    anon = b"BEGIN:VCARD\nVERSION:3.0\nFN:A\nEND:VCARD\nBEGIN:VCARD\nFN:A\nREV:20260101T000000Z\nEND:VCARD\n"
    assert bring(jmap, anon) == (1, 0, 1, [])
    assert bring(jmap, b"Name\r\nA\r\nB\r\n", contacts.bring_in_table) == (1, 0, 1, [])
    assert names(jmap) == ["A", "B"]


def test_a_crash_anywhere_is_made_good_by_the_file_sent_again(
    jmap: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "PER_TRANSACTION", 2)
    for calls in range(1, 10):
        jmap.post.fuse.left = calls
        with suppress(Crash):
            bring(jmap, file(3, f"Name {calls}"))
        jmap.post.fuse.left = None
        assert repair.check(jmap.post.p, jmap.account.id) == []
        created, updated, same, failed = bring(jmap, file(3, f"Name {calls}"))
        assert (created + updated + same, failed) == (3, [])
        assert names(jmap) == [f"Name {calls} {n}" for n in range(3)]


def test_each_row_by_itself(jmap: Client) -> None:
    octets = (
        b"BEGIN:VCARD\r\nUID:a\r\nFN:A\r\nEND:VCARD\r\n"
        b'BEGIN:VCARD\r\nUID:b\r\nJSPROP;JSPTR="/emails":[1]\r\nEND:VCARD\r\n'
        b"BEGIN:VCARD\r\nUID:c\r\nFN:" + b"x" * 70_000 + b"\r\nEND:VCARD\r\n"
        b"BEGIN:VCARD\r\nUID:d\r\nFN:D\r\n"
    )
    created, _, _, failed = bring(jmap, octets)
    assert (created, [row for row, _ in failed]) == (1, [2, 3, 4])
    assert failed[0][1] == "/emails: This is a map."
    assert "65536 octets" in failed[1][1]
    assert names(jmap) == ["A"]


def test_a_row_keeps_what_a_table_cannot_say(jmap: Client) -> None:
    id = made(jmap, ZOE)
    before = shown(jmap, id)
    table = contacts.table(jmap.post.p, jmap.account.id)
    assert bring(jmap, table.encode(), contacts.bring_in_table) == (0, 0, 1, [])
    changed = table.replace("Likes trains", "Likes buses")
    assert bring(jmap, changed.encode(), contacts.bring_in_table) == (0, 1, 0, [])
    assert shown(jmap, id) == before | {"notes": {"n1": {"note": "Likes buses"}}}


def test_what_was_handed_out_comes_back_in_another_mailbox(jmap: Client) -> None:
    made(jmap, ZOE)
    made(jmap, named("Team", kind="group", members={ZOE["uid"]: True}, uid="g"))
    other = Client(jmap.post, jmap.post.account("newcomer@x.test"))
    assert bring(other, contacts.vcards(jmap.post.p, jmap.account.id).encode()) == (2, 0, 0, [])
    ours, theirs = (
        {c["uid"]: c for c in client.call("ContactCard/get", ids=None)["list"]} for client in (jmap, other)
    )
    assert ours == theirs


def test_into_a_book_and_into_none(jmap: Client) -> None:
    p, account = jmap.post.p, jmap.account
    book = jmap.call("AddressBook/set", create={"k": {"name": "Work"}})["created"]["k"]["id"]
    kept = made(jmap, named("A", uid="u0"))
    contacts.bring_in_vcards(p, account, file(2), book)
    found = jmap.call("ContactCard/query", filter={"inAddressBook": book})["ids"]
    assert len(found) == 1  # what was in another book stays there
    assert kept not in found
    for wrong in ("b9", "none"):
        with pytest.raises(ServiceError) as refusal:
            contacts.bring_in_vcards(p, account, file(1), wrong)
        assert refusal.value.kind == "not_found"


def test_refused_as_a_whole(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for octets, how, kind in (
        (b"nothing", contacts.bring_in_vcards, "bad_request"),
        (b"Shoe\n1\n", contacts.bring_in_table, "invalid"),
        (file(3), contacts.bring_in_vcards, "too_large"),
        (b"Name\nA\nB\nC\n", contacts.bring_in_table, "too_large"),
    ):
        monkeypatch.setattr(contacts, "MAX_CONTACTS", 2)
        with pytest.raises(ServiceError) as refusal:
            bring(jmap, octets, how)
        assert refusal.value.kind == kind


def test_s17_what_fits_is_kept_and_the_rest_is_told(jmap: Client) -> None:
    bring(jmap, file(1))
    one = mailbox.state(jmap.post.p, jmap.account.id).used_bytes
    stuff(jmap, jmap.account.quota_bytes - 3 * one)
    created, _, same, failed = bring(jmap, file(6))
    assert (created, same, [row for row, _ in failed]) == (3, 1, [5, 6])
    assert {error for _, error in failed} == {"The mailbox is full."}


def test_s17_contacts_count_when_mail_arrives(jmap: Client) -> None:
    """246 of 250 MB used and 3 MB arriving: delivered; 4 MB fit beside no contact at all."""
    p, account, quota = jmap.post.p, jmap.account, 250 * MB

    def arrives(number: int, size: int) -> str:
        new = new_email(number, id=email_id(str(number), account.id), size=size, received_at=clock.now())
        [added] = mailbox.add(p, account.id, [new], quota_bytes=quota)
        return added.outcome

    made(jmap, ZOE)
    stuff(jmap, 246 * MB)
    assert arrives(1, 6 * MB) == "over_quota"
    assert arrives(2, 3 * MB) == "added"
    stuff(jmap, 246 * MB)
    made(jmap, named("A"))
    assert arrives(3, 4 * MB) == "over_quota"
    assert arrives(4, 4 * MB - 1_000) == "added"


def test_of_too_many_none_is_lost(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_CONTACTS", 2)
    created, _, _, failed = bring(jmap, file(3))
    assert (created, failed) == (2, [(3, "An account has at most 2 contacts.")])
