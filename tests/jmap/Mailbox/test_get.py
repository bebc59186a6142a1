"""Mailbox/get, /query, /changes (RFC 8621 §2)."""

from tests.jmap.client import Client, letter


def test_roles_counts_and_rights(jmap: Client) -> None:
    jmap.deliver(letter())
    jmap.deliver(letter("other"), keywords={"$seen": True})
    answer = jmap.call("Mailbox/get", ids=None)
    found = {m["role"]: m for m in answer["list"]}
    assert set(found) == {"inbox", "drafts", "sent", "junk", "trash", "archive"}
    inbox = found["inbox"]
    assert (inbox["totalEmails"], inbox["unreadEmails"], inbox["totalThreads"], inbox["unreadThreads"]) == (
        2,
        1,
        2,
        1,
    )
    assert inbox["parentId"] is None
    assert inbox["isSubscribed"] is True
    assert inbox["myRights"]["mayReadItems"] is True
    assert inbox["myRights"]["mayDelete"] is False


def test_properties_and_not_found(jmap: Client) -> None:
    inbox = jmap.roles["inbox"]
    answer = jmap.call("Mailbox/get", ids=[inbox, "none", inbox], properties=["name"])
    assert answer["list"] == [{"id": inbox, "name": "Inbox"}]
    assert answer["notFound"] == ["none"]
    assert jmap.error("Mailbox/get", ids=None, properties=["none"])["type"] == "invalidArguments"


def test_changes_say_when_only_counts_moved(jmap: Client) -> None:
    state = jmap.state("Mailbox")
    jmap.deliver(letter())
    answer = jmap.call("Mailbox/changes", sinceState=state)
    assert answer["updated"] == [jmap.roles["inbox"]]
    assert "totalEmails" in answer["updatedProperties"]
    jmap.call("Mailbox/set", create={"k": {"name": "New"}})
    later = jmap.call("Mailbox/changes", sinceState=answer["newState"])
    assert len(later["created"]) == 1


def test_state_of_one_type_does_not_move_with_another(jmap: Client) -> None:
    state = jmap.state("Email")
    jmap.call("Mailbox/set", create={"k": {"name": "New"}})
    assert jmap.state("Email") == state


def test_query(jmap: Client) -> None:
    jmap.call(
        "Mailbox/set", create={"a": {"name": "A"}, "b": {"name": "B", "parentId": "#a", "sortOrder": 1}}
    )
    by_name = {m["name"]: m["id"] for m in jmap.call("Mailbox/get", ids=None)["list"]}

    def ids(**args: object) -> list[str]:
        return list(jmap.call("Mailbox/query", **args)["ids"])

    assert ids(filter={"role": "inbox"}) == [jmap.roles["inbox"]]
    assert ids(filter={"hasAnyRole": False}) == [by_name["B"], by_name["A"]]
    assert ids(filter={"parentId": by_name["A"]}) == [by_name["B"]]
    assert ids(filter={"operator": "NOT", "conditions": [{"hasAnyRole": True}]}, sortAsTree=True) == [
        by_name["A"],
        by_name["B"],
    ]
    assert ids(filter={"name": "b"}, filterAsTree=True) == [jmap.roles["inbox"]]
    last = jmap.call("Mailbox/query", position=-1, calculateTotal=True)
    assert (last["position"], last["total"], len(last["ids"])) == (7, 8, 1)
    assert jmap.call("Mailbox/query", anchor=last["ids"][0], anchorOffset=-1)["position"] == 6
    assert jmap.error("Mailbox/query", anchor="none")["type"] == "anchorNotFound"
    assert jmap.error("Mailbox/query", sort=[{"property": "size"}])["type"] == "unsupportedSort"
    assert jmap.error("Mailbox/query", filter={"size": 1})["type"] == "unsupportedFilter"
