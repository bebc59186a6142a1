"""Mailbox/set (RFC 8621 §2.5)."""

import pytest

from chalicelib.jmap import limits, mailbox_set
from chalicelib.rules import folders
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


def test_null_restores_the_default(jmap: Client) -> None:
    """RFC 8620 §5.3. New mailboxes stand behind those with roles."""
    parent = made(jmap, name="P")
    id = made(jmap, name="A", parentId=parent, sortOrder=3, isSubscribed=False)
    patch = dict.fromkeys(("sortOrder", "isSubscribed", "parentId", "role"))
    assert id in jmap.call("Mailbox/set", update={id: patch})["updated"]
    [shown] = jmap.call("Mailbox/get", ids=[id])["list"]
    assert (shown["sortOrder"], shown["isSubscribed"], shown["parentId"]) == (10, True, None)
    fresh = jmap.call("Mailbox/set", create={"k": {"name": "B"}})["created"]["k"]
    assert (fresh["sortOrder"], fresh["isSubscribed"], fresh["parentId"]) == (10, True, None)
    assert refused(jmap, update={id: {"name": None}})["properties"] == ["name"]


def test_patches_that_are_none(jmap: Client) -> None:
    id = made(jmap, name="A")
    for patch in (
        {"name/x": "B"},
        {"parentId/x": None},
        {"none/x": 1},
        {"myRights": {}, "myRights/mayDelete": True},
    ):
        error = refused(jmap, update={id: patch})
        assert error["type"] == "invalidPatch", patch
    assert refused(jmap, update={"f99": {"bogus": 1}})["type"] == "notFound"
    assert refused(jmap, update={"f99": {"name/x": 1}})["type"] == "notFound"
    assert refused(jmap, update={id: {"myRights/mayDelete": False}})["type"] == "invalidProperties"


def test_every_wrong_property_is_named(jmap: Client) -> None:
    id = made(jmap, name="A")
    wrong: Json = {"name": "a\tb", "parentId": 1, "sortOrder": -1, "isSubscribed": 0, "role": "x", "shoe": 1}
    for error in (refused(jmap, create={"k": wrong}), refused(jmap, update={id: wrong})):
        assert error["type"] == "invalidProperties"
        assert set(error["properties"]) == wrong.keys()
    assert refused(jmap, create={"k": {"sortOrder": 1.5}})["properties"] == ["name", "sortOrder"]


def test_no_word_stands_for_a_parent(jmap: Client) -> None:
    id = made(jmap, name="A")
    for parent in ("keep", "top", "#none", "", id):
        assert refused(jmap, update={id: {"parentId": parent}})["properties"] == ["parentId"]


def test_names_are_of_one_form_of_unicode(jmap: Client) -> None:
    """RFC 8621 §2: Net-Unicode (RFC 5198), which is NFC; a name that changed by it is told."""
    created = jmap.call("Mailbox/set", create={"k": {"name": "Cafe\u0301"}})["created"]["k"]
    assert created["name"] == "Caf\u00e9"
    assert refused(jmap, create={"k": {"name": "Caf\u00e9"}})["properties"] == ["name"]
    other = made(jmap, name="B")
    assert refused(jmap, update={other: {"name": "Cafe\u0301"}})["properties"] == ["name"]
    assert jmap.call("Mailbox/set", update={other: {"name": "o\u0308"}})["updated"] == {
        other: {"name": "\u00f6"}
    }
    for name in ("a\x00b", "a\x85b", "a\u2028b", "\x7f"):
        assert refused(jmap, create={"k": {"name": name}})["properties"] == ["name"]


def test_a_move_tells_what_may_be_done_there(jmap: Client) -> None:
    row = {f"k{n}": {"name": "D", "parentId": f"#k{n - 1}" if n else None} for n in range(9)}
    ids = jmap.call("Mailbox/set", create=row)["created"]
    id = made(jmap, name="A")
    told = jmap.call("Mailbox/set", update={id: {"parentId": ids["k8"]["id"]}})["updated"][id]
    assert told["myRights"]["mayCreateChild"] is False


def test_as_many_as_one_get_may_answer(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folders.MAX_FOLDERS <= limits.MAX_OBJECTS_IN_GET
    monkeypatch.setattr(folders, "MAX_FOLDERS", 7)
    assert made(jmap, name="A")
    assert refused(jmap, create={"k": {"name": "B"}})["type"] == "overQuota"
    monkeypatch.setattr(limits, "MAX_OBJECTS_IN_GET", 6)
    assert jmap.error("Mailbox/get", ids=None)["type"] == "requestTooLarge"


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
