"""Mailbox/set (RFC 8621 §2.5)."""

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
        {"name": "A", "isSubscribed": False},
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
