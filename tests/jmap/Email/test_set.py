"""Email/set: update and destroy (RFC 8621 §4.6)."""

import pytest

from chalicelib.jmap import limits
from tests.jmap.client import Client, Json, counted, letter


def updated(jmap: Client, id: str, patch: Json) -> Json | None:
    """None, or the SetError."""
    answer = jmap.call("Email/set", update={id: patch})
    if answer["updated"] is not None:
        assert answer["updated"] == {id: None}
        return None
    return dict(answer["notUpdated"][id])


def keywords(jmap: Client, id: str) -> set[str]:
    return set(jmap.email(id, properties=["keywords"])["keywords"])


def folder(jmap: Client, id: str) -> str:
    [only] = jmap.email(id, properties=["mailboxIds"])["mailboxIds"]
    return str(only)


def test_keywords(jmap: Client) -> None:
    id = jmap.deliver(letter())
    assert updated(jmap, id, {"keywords/$seen": True, "keywords/Work": True}) is None
    assert keywords(jmap, id) == {"$seen", "work"}
    assert updated(jmap, id, {"keywords/$seen": None}) is None
    assert updated(jmap, id, {"keywords": {"$flagged": True}}) is None
    assert keywords(jmap, id) == {"$flagged"}
    assert updated(jmap, id, {"keywords": {}}) is None
    assert keywords(jmap, id) == set()


def test_moves(jmap: Client) -> None:
    id = jmap.deliver(letter())
    inbox, trash, archive = jmap.roles["inbox"], jmap.roles["trash"], jmap.roles["archive"]
    assert updated(jmap, id, {"mailboxIds": {trash: True}}) is None
    assert folder(jmap, id) == trash
    assert updated(jmap, id, {f"mailboxIds/{trash}": None, f"mailboxIds/{archive}": True}) is None
    assert folder(jmap, id) == archive
    patch: Json
    for patch in (
        {"mailboxIds": {}},
        {"mailboxIds": None},
        {"mailboxIds": {"none": True}},
        {"mailboxIds": {inbox: False}},
        {f"mailboxIds/{archive}": None},
        {f"mailboxIds/{archive}": None, "mailboxIds/none": True},
    ):
        assert (updated(jmap, id, patch) or {})["type"] == "invalidProperties", patch
    for patch in ({f"mailboxIds/{inbox}": True}, {"mailboxIds": {inbox: True, trash: True}}):
        assert (updated(jmap, id, patch) or {})["type"] == "tooManyMailboxes"
    assert folder(jmap, id) == archive


def test_a_move_to_a_mailbox_made_in_the_same_request(jmap: Client) -> None:
    id = jmap.deliver(letter())
    jmap.request(
        ("Mailbox/set", {"create": {"k": {"name": "New"}}}, "0"),
        ("Email/set", {"update": {id: {"mailboxIds": {"#k": True}}}}, "1"),
    )
    assert folder(jmap, id) not in jmap.roles.values()


@pytest.mark.parametrize(
    ("patch", "type"),
    [
        ({"subject": "x"}, "invalidProperties"),
        ({"keywords": {"$seen": False}}, "invalidProperties"),
        ({"keywords": 1}, "invalidProperties"),
        ({"keywords/a b": True}, "invalidProperties"),
        ({"keywords/(": True}, "invalidProperties"),
        ({"keywords/$seen": False}, "invalidPatch"),
        ({"keywords/$seen": 1}, "invalidPatch"),
        ({"keywords": {}, "keywords/$seen": True}, "invalidPatch"),
        ({"keywords": {f"k{n}": True for n in range(101)}}, "tooManyKeywords"),
    ],
)
def test_refused_patches(jmap: Client, patch: Json, type: str) -> None:
    id = jmap.deliver(letter())
    assert (updated(jmap, id, patch) or {})["type"] == type


def test_unknown_ids(jmap: Client) -> None:
    answer = jmap.call("Email/set", update={"none": {}, "#k": {}, "ü": {}}, destroy=["none", "#k"])
    assert {e["type"] for e in answer["notUpdated"].values()} == {"notFound"}
    assert {e["type"] for e in answer["notDestroyed"].values()} == {"notFound"}


def test_one_wrong_patch_does_not_stop_the_others(jmap: Client) -> None:
    good, bad = jmap.deliver(letter("a")), jmap.deliver(letter("b"))
    answer = jmap.call("Email/set", update={good: {"keywords/$seen": True}, bad: {"subject": "x"}})
    assert answer["updated"] == {good: None}
    assert set(answer["notUpdated"]) == {bad}


def test_many_flags_are_one_transaction(jmap: Client) -> None:
    ids = [jmap.deliver(letter(f"{n}")) for n in range(5)]
    with counted() as calls:
        jmap.call("Email/set", update={id: {"keywords/$seen": True} for id in ids})
    assert calls.count("TransactWriteItems") == 1


def test_destroy(jmap: Client) -> None:
    ids = [jmap.deliver(letter(f"{n}")) for n in range(3)]
    answer = jmap.call("Email/set", destroy=ids[:2])
    assert answer["destroyed"] == ids[:2]
    assert answer["oldState"] != answer["newState"] == jmap.state()
    assert jmap.call("Email/get", ids=ids)["notFound"] == ids[:2]


def test_if_in_state(jmap: Client) -> None:
    id = jmap.deliver(letter())
    state = jmap.state()
    jmap.deliver(letter("b"))
    assert jmap.error("Email/set", ifInState=state, destroy=[id])["type"] == "stateMismatch"
    assert jmap.call("Email/set", ifInState=jmap.state(), destroy=[id])["destroyed"] == [id]


def test_too_many(jmap: Client) -> None:
    many = [f"x{n}" for n in range(limits.MAX_OBJECTS_IN_SET + 1)]
    assert jmap.error("Email/set", destroy=many)["type"] == "requestTooLarge"
    args: Json
    for args in ({"create": []}, {"update": {"x": 1}}, {"destroy": "x"}, {"ifInState": 1}):
        assert jmap.error("Email/set", **args)["type"] == "invalidArguments"


def test_the_whole_email_may_be_sent_back(jmap: Client) -> None:
    id = jmap.deliver(letter())
    whole = jmap.email(id)
    for name in ("bodyValues", "textBody", "htmlBody", "attachments"):
        del whole[name]
    assert jmap.call("Email/set", update={id: whole | {"keywords": {"$seen": True}}})["updated"] == {id: None}
    assert jmap.email(id, properties=["keywords"])["keywords"] == {"$seen": True}
    for changed in ({"subject": "other"}, {"id": "other"}, {"receivedAt": None}):
        error = jmap.call("Email/set", update={id: whole | changed})["notUpdated"][id]
        assert (error["type"], error["properties"]) == ("invalidProperties", list(changed))


@pytest.mark.parametrize("calls", range(1, 7))
def test_another_client_moves_it_between_two_calls_of_a_move(
    jmap: Client, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """What is read after STATE may be newer than it, and then counters would not add up."""
    id, left = jmap.deliver(letter()), [calls]
    folder = jmap.call("Mailbox/set", create={"f": {"name": "New"}})["created"]["f"]["id"]

    def between() -> None:
        left[0] -= 1
        if left[0] == 0:
            jmap.call("Email/set", update={id: {"mailboxIds": {folder: True}}})

    with monkeypatch.context() as patched:
        patched.setattr(jmap.post.fuse, "tick", between)
        answer = jmap.call("Email/set", update={id: {"mailboxIds": {jmap.roles["archive"]: True}}})
    assert answer["updated"] == {id: None}
    [there] = jmap.email(id)["mailboxIds"]
    counts = {box["id"]: box["totalEmails"] for box in jmap.call("Mailbox/get", ids=None)["list"]}
    assert counts == dict.fromkeys(counts, 0) | {there: 1}
