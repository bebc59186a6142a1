"""A stolen mailbox: its sending is paused before anybody complains; a new password lets it send again."""

from dataclasses import replace

import pytest

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import Brand
from chalicelib.rules.signin import check_entry
from chalicelib.rules.values import SYSTEM, Account, Caller
from chalicelib.services import abuse, accounts, guard, send, suspension
from tests.services.post import Post

BOB = "bob@x.test"
ADMIN = Caller("r1", "", frozenset(), role="admin", domain="x.test", account="aannx")
OPERATOR = Caller("", "k1", frozenset({"*"}), role="operator")


@pytest.fixture
def town(post: Post) -> Post:
    """The post office, with a reseller to be told."""
    accounts.create_reseller(post.p, "r1", "House", Brand(id="r1", product="House Mail"), "office@house.test")
    return post


def bob(post: Post) -> Account:
    entry = post.p.directory.lookup([BOB])[BOB].entry
    assert isinstance(entry, Account)
    return entry


def mailing(post: Post, id: str, people: list[str]) -> None:
    send.submit(post.p, post.submission(BOB, people, id=id))


def strangers(number: int, id: str, dead: int = 0) -> list[str]:
    return [f"p{i}.{id}@{'dead' if i < dead else 'far'}.test" for i in range(number)]


def thief(post: Post) -> int:
    """Writes to 50 strangers at a time, of whom 15 do not exist; gives how often before it is stopped."""
    post.mail.behaviour["dead.test"] = "refuse"
    for number in range(30):
        if bob(post).holds:
            with pytest.raises(ServiceError, match=r"sending_paused: .* Change the password"):
                mailing(post, f"t{number}", strangers(50, f"t{number}", 15))
            return number
        mailing(post, f"t{number}", strangers(50, f"t{number}", 15))
        post.settle()
        post.clock.advance(seconds=6)
    raise AssertionError("never stopped")


def test_a_thief_is_stopped_by_bounces_before_anybody_complains(town: Post) -> None:
    assert thief(town) == 2
    town.settle()
    assert bob(town).holds == {"guard"}
    assert bob(town).state == "active", "log-in goes on"
    found = town.p.directory.lookup([BOB])[BOB]
    assert found.domain
    check_entry(found.domain, bob(town), "webmail")
    [notice] = [raw for raw in town.inbox("ann@x.test") if b"is paused" in raw]
    assert b"bob@x.test" in notice
    assert [c.recipients for c in town.mail.calls if b"is paused" in c.raw] == [("office@house.test",)]
    [event] = town.p.journal.page("r1", 10, domain="x.test")[0]
    assert (event.type, event.subject, event.actor) == ("mailbox.sending_paused", BOB, "system")
    assert list(town.p.abuse.letters()) == []


def test_many_strangers_at_once_are_refused_and_nothing_of_it_is_kept(town: Post) -> None:
    town.p = replace(town.p, figures=replace(town.p.figures, guard_strangers=100))
    for number in range(4):
        mailing(town, f"n{number}", strangers(25, f"n{number}"))
    with pytest.raises(ServiceError, match="sending_paused"):
        mailing(town, "n4", strangers(10, "n4"))
    assert town.p.outbox.outgoing("n4") is None
    town.settle()
    assert bob(town).holds == {"guard"}


def test_a_newsletter_and_letters_among_colleagues_pass(town: Post) -> None:
    readers = strangers(60, "readers")
    for week in range(2):
        mailing(town, f"w{week}", readers)
        town.settle()
        town.clock.advance(days=7)
    for number in range(30):
        mailing(town, f"c{number}", [f"nobody{number}@x.test"])
        town.clock.advance(seconds=3)
    town.settle()
    assert not bob(town).holds


def test_a_message_to_known_people_writes_nothing_for_the_guard(town: Post) -> None:
    mailing(town, "k0", ["zoe@far.test"])
    version = town.p.outbox.watched(bob(town).id).version
    mailing(town, "k1", ["ZOE@far.test", "ann@x.test"])
    assert town.p.outbox.watched(bob(town).id).version == version == 1


def test_sending_is_allowed_again_after_a_new_password_and_not_paused_at_once(town: Post) -> None:
    key = {"pk": "DOMAIN#x.test", "sk": "ADDR#bob"}
    item = town.p.directory.table.get(key)
    assert item
    town.p.directory.table.put({**item, "hash": "old"})
    thief(town)
    town.settle()
    with pytest.raises(ServiceError, match="conflict: Set a new password"):
        guard.resume(town.p, ADMIN, bob(town))
    item = town.p.directory.table.get(key)
    assert item
    town.p.directory.table.put({**item, "hash": "new"})
    guard.resume(town.p, ADMIN, bob(town))
    assert not bob(town).holds
    mailing(town, "after", ["zoe@far.test", "yan@far.test"])
    with pytest.raises(ServiceError, match="not_found"):
        guard.resume(town.p, ADMIN, bob(town))


def test_a_pause_asked_for_twice_is_put_and_told_once(town: Post) -> None:
    for _ in range(2):
        abuse.pause_sending(town.p, bob(town).id, "strangers")
        town.clock.advance(seconds=5)
    abuse.pause_sending(town.p, "gone", "strangers")
    town.settle()
    assert len([c for c in town.mail.calls if b"is paused" in c.raw]) == 1
    assert len(suspension.holds(town.p, bob(town))) == 1
    guard.resume(town.p, OPERATOR, bob(town), "The operator needs no new password.")
    assert not bob(town).holds


def test_holds_of_others_stay(town: Post) -> None:
    suspension.hold(town.p, SYSTEM, bob(town), "reseller", "Not paid.")
    abuse.pause_sending(town.p, bob(town).id, "bounces")
    assert bob(town).holds == {"guard", "reseller"}
    suspension.release(town.p, SYSTEM, bob(town), "reseller")
    assert bob(town).holds == {"guard"}
