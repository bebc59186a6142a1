"""Mailbox/set whose final state alone is valid (RFC 8620 §5.3), and how it is kept through crashes."""

import pytest

from chalicelib.rules import folders
from tests.jmap.client import Client, Json, counted, letter
from tests.services.post import Crash


def names(jmap: Client) -> dict[str, str]:
    """Of mailboxes without a role, by id."""
    return {box["id"]: box["name"] for box in jmap.call("Mailbox/get", ids=None)["list"] if not box["role"]}


def made(jmap: Client, *given: str) -> list[str]:
    answer = jmap.call("Mailbox/set", create={name: {"name": name} for name in given})
    return [answer["created"][name]["id"] for name in given]


def renamed(jmap: Client, **to: str) -> Json:
    return jmap.call("Mailbox/set", update={id: {"name": name} for id, name in to.items()})


def test_two_mailboxes_swap_their_names(jmap: Client) -> None:
    a, b = made(jmap, "A", "B")
    since = jmap.state("Mailbox")
    assert renamed(jmap, **{a: "B", b: "A"})["updated"] == {a: None, b: None}
    assert names(jmap) == {a: "B", b: "A"}
    assert set(jmap.call("Mailbox/changes", sinceState=since)["updated"]) == {a, b}


def test_what_is_not_possible_is_refused_alone(jmap: Client) -> None:
    a, b, c = made(jmap, "A", "B", "C")
    answer = renamed(jmap, **{c: "A", a: "B", b: "A"})
    assert answer["updated"] == {a: None, b: None}
    assert answer["notUpdated"][c]["type"] == "invalidProperties"
    assert answer["notUpdated"][c]["properties"] == ["name"]
    assert names(jmap) == {a: "B", b: "A", c: "C"}


def test_the_name_of_one_that_is_renamed_or_destroyed_is_free(jmap: Client) -> None:
    a, b = made(jmap, "A", "B")
    create = {"a": {"name": "A"}, "b": {"name": "B"}}
    answer = jmap.call("Mailbox/set", create=create, update={a: {"name": "Z"}}, destroy=[b])
    assert (answer["notCreated"], answer["updated"], answer["destroyed"]) == (None, {a: None}, [b])
    ids = {key: answer["created"][key]["id"] for key in "ab"}
    assert names(jmap) == {a: "Z", ids["a"]: "A", ids["b"]: "B"}


def test_one_takes_the_place_of_another_with_all_that_is_in_it(jmap: Client) -> None:
    [a] = made(jmap, "A")
    child = jmap.call("Mailbox/set", create={"k": {"name": "C", "parentId": a}})["created"]["k"]["id"]
    email = jmap.deliver(letter())
    jmap.call("Email/set", update={email: {"mailboxIds": {a: True}}})
    update = {child: {"parentId": "#new"}}
    asked: Json = {"create": {"new": {"name": "A"}}, "update": update, "destroy": [a]}
    kept = jmap.call("Mailbox/set", **asked)
    assert (kept["created"], kept["updated"], kept["destroyed"]) == (None, None, None)
    assert jmap.email(email, properties=["mailboxIds"])["mailboxIds"] == {a: True}
    answer = jmap.call("Mailbox/set", **asked, onDestroyRemoveEmails=True)
    new = answer["created"]["new"]["id"]
    assert (answer["updated"], answer["destroyed"]) == ({child: {"parentId": new}}, [a])
    assert jmap.call("Email/get", ids=[email])["notFound"] == [email]


def test_a_mailbox_is_created_changed_and_destroyed_in_one_call(jmap: Client) -> None:
    [a] = made(jmap, "A")
    create = {"k": {"name": "B"}}
    update = {"#k": {"name": "C"}, a: {"name": "D"}}
    answer = jmap.call("Mailbox/set", create=create, update=update, destroy=["#k", a])
    new = answer["created"]["k"]["id"]
    assert (answer["updated"], set(answer["destroyed"])) == ({new: None, a: None}, {new, a})
    assert names(jmap) == {}


def test_a_crash_leaves_all_or_nothing_and_can_be_repeated(jmap: Client) -> None:
    a, b, c = made(jmap, "A", "B", "C")
    before = names(jmap)
    update = {a: {"name": "B"}, b: {"name": "C"}, c: {"name": "A"}}
    for calls in range(1, 12):
        jmap.post.fuse.left = calls
        try:
            jmap.call("Mailbox/set", update=update)
        except Crash:
            pass
        finally:
            jmap.post.fuse.left = None
        now = names(jmap)
        if now != before:
            break
        assert now == before, "nothing was done"
    assert now == {a: "B", b: "C", c: "A"}
    assert jmap.call("Mailbox/set", update=update)["updated"] == dict.fromkeys((a, b, c))
    assert names(jmap) == now


def test_what_a_call_may_ask_for_is_a_few_transactions(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """More mailboxes than two transactions take, in the order in which none is possible before the next; and
    a ring of three.
    """
    monkeypatch.setattr(folders, "AT_ONCE", 27)
    rooms = [f"n{number}" for number in range(57)]
    ids = made(jmap, *rooms)
    ring = made(jmap, "A", "B", "C")
    row = {id: f"n{number + 1}" for number, id in enumerate(ids)}
    with counted() as calls:
        answer = renamed(jmap, **row, **dict(zip(ring, "BCA", strict=True)))
    assert (answer["notUpdated"], len(answer["updated"])) == (None, 60)
    assert calls.count("TransactWriteItems") == 3
    assert len(calls) <= 20
    assert names(jmap) == {**row, **dict(zip(ring, "BCA", strict=True))}
    with counted() as calls:
        answer = jmap.call("Mailbox/set", destroy=[*ids, *ring])
    assert len(answer["destroyed"]) == 60
    assert calls.count("TransactWriteItems") == 3


def test_more_than_one_transaction_takes_is_refused_one_by_one(
    jmap: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "AT_ONCE", 2)
    a, b, c, d = made(jmap, "A", "B", "C", "D")
    answer = renamed(jmap, **{a: "B", b: "C", c: "A", d: "E"})
    assert (answer["updated"], answer["notUpdated"].keys()) == ({d: None}, {a, b, c})
    assert {error["type"] for error in answer["notUpdated"].values()} == {"invalidProperties"}
