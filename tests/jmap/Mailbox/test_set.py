"""Mailbox/set (RFC 8621 §2.5)."""

import pytest

from chalicelib.jmap import mailbox_set
from tests.jmap.client import Client, Json, letter


def made(jmap: Client, **given: object) -> str:
    answer = jmap.call("Mailbox/set", create={"k": given})
    assert answer["created"], answer
    return str(answer["created"]["k"]["id"])


def refused(jmap: Client, **args: object) -> Json:
    answer = jmap.call("Mailbox/set", **args)
    [error] = (answer["notCreated"] or answer["notUpdated"] or answer["notDestroyed"]).values()
    return dict(error)


def test_create_rename_move_destroy(jmap: Client) -> None:
    old = jmap.state("Mailbox")
    parent = made(jmap, name="Parent")
    child = made(jmap, name="Child", parentId=parent, sortOrder=3)
    assert jmap.state("Mailbox") != old
    answer = jmap.call("Mailbox/set", update={child: {"name": "Renamed", "parentId": None}})
    assert answer["updated"] == {child: None}
    [shown] = jmap.call("Mailbox/get", ids=[child])["list"]
    assert (shown["name"], shown["parentId"], shown["sortOrder"]) == ("Renamed", None, 3)
    assert jmap.call("Mailbox/set", destroy=[child, parent])["destroyed"] == [child, parent]


def test_created_says_what_was_not_given(jmap: Client) -> None:
    created = jmap.call("Mailbox/set", create={"k": {"name": "New"}})["created"]["k"]
    assert created["totalEmails"] == 0
    assert created["myRights"]["mayDelete"] is True
    assert "name" not in created


def test_parent_by_creation_id(jmap: Client) -> None:
    answer = jmap.call("Mailbox/set", create={"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a"}})
    [b] = jmap.call("Mailbox/get", ids=[answer["created"]["b"]["id"]])["list"]
    assert b["parentId"] == answer["created"]["a"]["id"]


def test_invalid(jmap: Client) -> None:
    for given in (
        {},
        {"name": ""},
        {"name": 1},
        {"name": "A", "parentId": "none"},
        {"name": "A", "role": "x"},
        {"name": "A", "sortOrder": -1},
        {"name": "A", "isSubscribed": 1},
        {"name": "Inbox"},
    ):
        assert refused(jmap, create={"k": given})["type"] == "invalidProperties"
    assert refused(jmap, update={"none": {"name": "A"}})["type"] == "notFound"
    assert (
        refused(jmap, update={jmap.roles["inbox"]: {"parentId": jmap.roles["sent"]}})["type"] == "forbidden"
    )
    assert refused(jmap, destroy=[jmap.roles["inbox"]])["type"] == "forbidden"
    assert refused(jmap, destroy=["none"])["type"] == "notFound"
    assert jmap.error("Mailbox/set", ifInState="0")["type"] == "stateMismatch"


def test_update_may_repeat_what_is_so(jmap: Client) -> None:
    id = made(jmap, name="A")
    answer = jmap.call("Mailbox/set", update={id: {"totalEmails": 0, "name": "B"}})
    assert answer["updated"] == {id: None}
    assert refused(jmap, update={id: {"totalEmails": 5}})["type"] == "invalidProperties"


def test_destroy_with_children_or_email(jmap: Client) -> None:
    parent = made(jmap, name="A")
    child = made(jmap, name="B", parentId=parent)
    assert refused(jmap, destroy=[parent])["type"] == "mailboxHasChild"
    email = jmap.deliver(letter())
    jmap.call("Email/set", update={email: {"mailboxIds": {child: True}}})
    assert refused(jmap, destroy=[child])["type"] == "mailboxHasEmail"
    assert jmap.call("Mailbox/set", destroy=[child], onDestroyRemoveEmails=True)["destroyed"] == [child]
    assert jmap.call("Email/get", ids=[email])["notFound"] == [email]


def test_subscription_is_kept(jmap: Client) -> None:
    id = made(jmap, name="A", isSubscribed=False)
    state = jmap.state("Mailbox")
    assert jmap.call("Mailbox/get", ids=[id])["list"][0]["isSubscribed"] is False
    inbox = jmap.roles["inbox"]
    jmap.call("Mailbox/set", update={id: {"isSubscribed": True}, inbox: {"isSubscribed": False}})
    shown = {m["id"]: m["isSubscribed"] for m in jmap.call("Mailbox/get", ids=[id, inbox])["list"]}
    assert shown == {id: True, inbox: False}
    changes = jmap.call("Mailbox/changes", sinceState=state)
    assert (set(changes["updated"]), changes["updatedProperties"]) == ({id, inbox}, None)


def test_a_parent_may_stand_behind_its_child(jmap: Client) -> None:
    create = {"c": {"name": "C", "parentId": "#b"}, "b": {"name": "B", "parentId": "#a"}, "a": {"name": "A"}}
    answer = jmap.call("Mailbox/set", create=create)
    assert answer["notCreated"] is None
    loop = {"x": {"name": "X", "parentId": "#y"}, "y": {"name": "Y", "parentId": "#x"}}
    assert len(jmap.call("Mailbox/set", create=loop)["notCreated"]) == 2
    ids = [answer["created"][k]["id"] for k in "abc"]
    assert jmap.call("Mailbox/set", destroy=ids)["destroyed"] == ids[::-1]


def test_rights_say_what_is_allowed(jmap: Client) -> None:
    """mayCreateChild and mayDelete, and that nobody else is let in."""
    parent: str | None = None
    for depth in range(1, 11):
        answer = jmap.call("Mailbox/set", create={"k": {"name": "D", "parentId": parent, "role": None}})
        created = answer["created"]["k"]
        assert created["myRights"]["mayCreateChild"] is (depth < 10)
        parent = created["id"]
    assert refused(jmap, create={"k": {"name": "E", "parentId": parent}})["type"] == "invalidProperties"
    [deepest] = jmap.call("Mailbox/get", ids=[parent])["list"]
    assert deepest["myRights"]["mayCreateChild"] is False
    assert "shareWith" not in deepest


def test_roles_cannot_be_given(jmap: Client) -> None:
    id = made(jmap, name="A")
    for role in ("archive", "important"):
        assert refused(jmap, update={id: {"role": role}})["type"] == "invalidProperties"
        assert refused(jmap, create={"k": {"name": "B", "role": role}})["type"] == "invalidProperties"
    assert refused(jmap, update={jmap.roles["junk"]: {"role": None}})["type"] == "invalidProperties"
    same = jmap.call("Mailbox/set", update={jmap.roles["junk"]: {"role": "junk", "name": "Spam"}})
    assert same["updated"] == {jmap.roles["junk"]: None}


def test_more_mail_than_a_call_removes_is_all_kept(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is half done: what does not fit into the call is refused before anything is removed."""
    monkeypatch.setattr(mailbox_set, "_MAX_EMPTIED", 3)
    first, second = made(jmap, name="A"), made(jmap, name="B")
    for number in range(4):
        id = jmap.deliver(letter(str(number)))
        jmap.call("Email/set", update={id: {"mailboxIds": {(first, second)[number % 2]: True}}})
    answer = jmap.call("Mailbox/set", destroy=[first, second], onDestroyRemoveEmails=True)
    assert (answer["destroyed"], answer["notDestroyed"][second]["type"]) == ([first], "mailboxHasEmail")
    [left] = jmap.call("Mailbox/get", ids=[second])["list"]
    assert left["totalEmails"] == 2
    again = jmap.call("Mailbox/set", destroy=[second], onDestroyRemoveEmails=True)
    assert again["destroyed"] == [second]


def test_a_mailbox_with_children_keeps_its_mail(jmap: Client) -> None:
    parent = made(jmap, name="A")
    made(jmap, name="B", parentId=parent)
    email = jmap.deliver(letter())
    jmap.call("Email/set", update={email: {"mailboxIds": {parent: True}}})
    error = refused(jmap, destroy=[parent], onDestroyRemoveEmails=True)
    assert error["type"] == "mailboxHasChild"
    assert jmap.call("Email/get", ids=[email])["notFound"] == []
