"""AddressBook/get, /changes and /set (RFC 9610 §2)."""

import pytest

from chalicelib.jmap import addressbooks
from tests.jmap.client import Client, Json, counted


def made(jmap: Client, **given: object) -> str:
    answer = jmap.call("AddressBook/set", create={"k": given})
    assert answer["created"], answer
    return str(answer["created"]["k"]["id"])


def refused(jmap: Client, **args: object) -> Json:
    answer = jmap.call("AddressBook/set", **args)
    [error] = (answer["notCreated"] or answer["notUpdated"] or answer["notDestroyed"]).values()
    return dict(error)


def books(jmap: Client) -> dict[str, Json]:
    return {book["id"]: book for book in jmap.call("AddressBook/get", ids=None)["list"]}


def card(jmap: Client, **given: object) -> str:
    answer = jmap.call("ContactCard/set", create={"c": {"name": {"full": "Zoe"}, **given}})
    return str(answer["created"]["c"]["id"])


def test_there_is_a_default_book_that_nothing_had_to_write(jmap: Client) -> None:
    with counted() as calls:
        [book] = books(jmap).values()
    assert (book["name"], book["isDefault"], book["isSubscribed"]) == ("Contacts", True, True)
    assert book["shareWith"] is None
    assert book["myRights"] == {"mayRead": True, "mayWrite": True, "mayShare": False, "mayDelete": False}
    assert calls == ["GetItem", "GetItem"]
    answer = jmap.call("AddressBook/get", ids=[book["id"], "none"], properties=["name"])
    assert answer["list"] == [{"id": book["id"], "name": "Contacts"}]
    assert answer["notFound"] == ["none"]


def test_create_change_destroy_and_what_changes_say(jmap: Client) -> None:
    first = jmap.state("AddressBook")
    work = made(jmap, name="Work", sortOrder=3, description="Of the firm", isSubscribed=False)
    second = jmap.state("AddressBook")
    assert jmap.call("AddressBook/changes", sinceState=first)["created"] == [work]
    answer = jmap.call("AddressBook/set", update={work: {"name": "Firm", "description": None}})
    assert answer["updated"] == {work: None}
    assert (books(jmap)[work]["name"], books(jmap)[work]["description"]) == ("Firm", None)
    assert jmap.call("AddressBook/changes", sinceState=second)["updated"] == [work]
    assert jmap.call("AddressBook/set", destroy=[work])["destroyed"] == [work]
    assert jmap.call("AddressBook/changes", sinceState=second)["destroyed"] == [work]
    assert len(books(jmap)) == 1


def test_created_says_what_was_not_given(jmap: Client) -> None:
    created = jmap.call("AddressBook/set", create={"k": {"name": "New"}})["created"]["k"]
    assert created["isDefault"] is False
    assert created["myRights"]["mayDelete"] is True
    assert "name" not in created


def test_invalid(jmap: Client) -> None:
    wrong: list[Json] = [
        {},
        {"name": ""},
        {"name": 1},
        {"name": "A\x00"},
        {"name": "ü" * 128},
        {"name": "A", "sortOrder": -1},
        {"name": "A", "description": 3},
        {"name": "A", "isSubscribed": "yes"},
        {"name": "A", "isDefault": True},
        {"name": "A", "shareWith": {"other": {"mayRead": True}}},
        {"name": "A", "id": "b9"},
    ]
    for given in wrong:
        assert refused(jmap, create={"k": given})["type"] == "invalidProperties", given
    [default] = books(jmap)
    assert refused(jmap, update={default: {"isDefault": False}})["type"] == "invalidProperties"
    assert refused(jmap, update={default: {"name/x": "y"}})["type"] == "invalidPatch"
    assert refused(jmap, update={"none": {"name": "A"}})["type"] == "notFound"
    assert refused(jmap, destroy=["none"])["type"] == "notFound"
    assert refused(jmap, destroy=[default])["type"] == "forbidden"
    assert jmap.error("AddressBook/set", ifInState="0x")["type"] == "stateMismatch"


def test_every_wrong_property_is_named(jmap: Client) -> None:
    wrong: Json = {
        "name": 1,
        "description": 2,
        "sortOrder": -1,
        "isSubscribed": 3,
        "isDefault": 4,
        "shoe": 39,
    }
    [default] = books(jmap)
    for error in (refused(jmap, create={"k": wrong}), refused(jmap, update={default: wrong})):
        assert set(error["properties"]) == wrong.keys()
    long = refused(jmap, create={"k": {"name": "x" * 256, "description": "x" * 1_001}})
    assert long["properties"] == ["name", "description"]


def test_null_restores_the_default(jmap: Client) -> None:
    id = made(jmap, name="A", description="x", sortOrder=3, isSubscribed=False)
    patch = dict.fromkeys(("description", "sortOrder", "isSubscribed", "shareWith"))
    assert id in jmap.call("AddressBook/set", update={id: patch})["updated"]
    book = books(jmap)[id]
    assert (book["description"], book["sortOrder"], book["isSubscribed"]) == (None, 0, True)


def test_update_may_repeat_what_is_so(jmap: Client) -> None:
    [default] = books(jmap)
    answer = jmap.call("AddressBook/set", update={default: {"isDefault": True, "name": "Friends"}})
    assert answer["updated"] == {default: None}
    assert books(jmap)[default]["name"] == "Friends"


def test_a_book_with_contacts_goes_only_with_them(jmap: Client) -> None:
    work = made(jmap, name="Work")
    inside = [card(jmap, addressBookIds={work: True}) for _ in range(3)]
    outside = card(jmap)
    assert refused(jmap, destroy=[work])["type"] == "addressBookHasContents"
    answer = jmap.call("AddressBook/set", destroy=[work], onDestroyRemoveContents=True)
    assert answer["destroyed"] == [work]
    found = jmap.call("ContactCard/get", ids=[*inside, outside])
    assert (found["notFound"], [c["id"] for c in found["list"]]) == (inside, [outside])


def test_another_default(jmap: Client) -> None:
    [first] = books(jmap)
    answer = jmap.call("AddressBook/set", create={"k": {"name": "New"}}, onSuccessSetIsDefault="#k")
    new = answer["created"]["k"]
    assert new["isDefault"] is True
    assert new["myRights"]["mayDelete"] is False
    assert answer["updated"][first]["isDefault"] is False
    assert [id for id, book in books(jmap).items() if book["isDefault"]] == [new["id"]]
    in_new = jmap.call("ContactCard/get", ids=[card(jmap)])["list"][0]
    assert in_new["addressBookIds"] == {new["id"]: True}
    assert jmap.call("AddressBook/set", destroy=[first])["destroyed"] == [first]


def test_a_default_that_is_not_there_or_comes_with_a_failure_is_ignored(jmap: Client) -> None:
    [first] = books(jmap)
    other = made(jmap, name="Other")
    assert jmap.call("AddressBook/set", onSuccessSetIsDefault="none")["updated"] is None
    jmap.call("AddressBook/set", destroy=["none"], onSuccessSetIsDefault=other)
    assert books(jmap)[first]["isDefault"] is True


def test_so_many_and_no_more(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressbooks, "MAX_BOOKS", 3)
    answer = jmap.call("AddressBook/set", create={f"k{n}": {"name": f"Book {n}"} for n in range(3)})
    assert len(answer["created"]) == 2
    [error] = answer["notCreated"].values()
    assert error["type"] == "overQuota"
