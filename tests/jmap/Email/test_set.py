"""Email/set: update and destroy (RFC 8621 §4.6)."""

from typing import Any, NoReturn

import pytest

from chalicelib.jmap import limits
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Updated
from chalicelib.services import mailbox
from chalicelib.store.mailbox_write import PER_TRANSACTION
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
        ({"keywords": {"$seen": 0}}, "invalidProperties"),
        ({"keywords": 1}, "invalidProperties"),
        ({"keywords/a b": True}, "invalidProperties"),
        ({"keywords/(": True}, "invalidProperties"),
        ({"keywords/$seen": 0}, "invalidProperties"),
        ({"keywords/$seen": 1}, "invalidProperties"),
        ({"keywords/$seen/x": True}, "invalidPatch"),
        ({"keywords/a/b": True}, "invalidPatch"),
        ({"keywords/a/b": None}, "invalidPatch"),
        ({"mailboxIds/f1/x": None}, "invalidPatch"),
        ({"mailboxIds/f1": 0}, "invalidProperties"),
        ({"subject/x": "y"}, "invalidPatch"),
        ({"from/0/name": "y"}, "invalidPatch"),
        ({"shoe/x": None}, "invalidPatch"),
        ({"bodyStructure/type": "y"}, "invalidProperties"),
        ({"keywords": {}, "keywords/$seen": True}, "invalidPatch"),
        ({"mailboxIds/f1": True, "mailboxIds": {"f1": True}}, "invalidPatch"),
        ({"keywords": {f"k{n}": True for n in range(101)}}, "tooManyKeywords"),
    ],
)
def test_refused_patches(jmap: Client, patch: Json, type: str) -> None:
    id = jmap.deliver(letter())
    assert (updated(jmap, id, patch) or {})["type"] == type


def test_paths_of_keywords_are_pointers(jmap: Client) -> None:
    """RFC 6901 §4; what is not there is taken away by doing nothing (RFC 8620 §5.3)."""
    id = jmap.deliver(letter())
    assert updated(jmap, id, {"keywords/a~1b": True, "keywords/c~0d": True}) is None
    assert keywords(jmap, id) == {"a/b", "c~d"}
    assert (
        updated(jmap, id, {"keywords/a~1b": None, "keywords/none": None, "keywords/no keyword": None}) is None
    )
    assert updated(jmap, id, {"mailboxIds/none": None}) is None
    assert keywords(jmap, id) == {"c~d"}


def test_all_that_is_invalid_in_a_patch_is_named(jmap: Client) -> None:
    id = jmap.deliver(letter())
    error = updated(jmap, id, {"subject": "x", "size": 1, "keywords/(": True, "mailboxIds": None}) or {}
    assert sorted(error["properties"]) == ["keywords", "mailboxIds", "size", "subject"]


def test_keywords_are_as_many_as_one_by_one(jmap: Client) -> None:
    id = jmap.deliver(letter())
    most = {f"k{n}": True for n in range(limits.MAX_KEYWORDS)}
    assert updated(jmap, id, {"keywords": most}) is None
    assert (updated(jmap, id, {"keywords/more": True}) or {})["type"] == "tooManyKeywords"
    assert updated(jmap, id, {"keywords/more": True, "keywords/k0": None, "keywords/k1": True}) is None
    assert len(keywords(jmap, id)) == limits.MAX_KEYWORDS
    other = jmap.deliver(letter("b"), keywords={f"k{n}": True for n in range(limits.MAX_KEYWORDS + 5)})
    archive = {"mailboxIds": {jmap.roles["archive"]: True}}
    assert updated(jmap, other, {"keywords/k0": None, "keywords/k1": True} | archive) is None
    assert (updated(jmap, other, {"keywords/k0": True}) or {})["type"] == "tooManyKeywords"


def test_unknown_ids_are_not_found_whatever_their_patch(jmap: Client) -> None:
    """RFC 8620 §5.3."""
    gone = jmap.deliver(letter())
    jmap.call("Email/set", destroy=[gone])
    patches: list[Json] = [
        {"subject": "x"}, {"keywords": 5}, {"keywords/a/b": True}, {"mailboxIds": {"none": True}},
        {"mailboxIds/none": True}, {"id": "x"}, {},
    ]  # fmt: skip
    for patch in patches:
        for id in ("none", gone):
            assert (updated(jmap, id, patch) or {})["type"] == "notFound", patch


def test_ids_that_creation_ids_stand_for_are_told(jmap: Client) -> None:
    base = {"mailboxIds": {jmap.roles["drafts"]: True}}
    answer = jmap.call(
        "Email/set",
        create={"c": base, "d": base},
        update={"#c": {"subject": "x"}, "#d": {"keywords/a": True}},
        destroy=["#d"],
    )
    kept, gone = (answer["created"][creation]["id"] for creation in "cd")
    assert (answer["updated"], answer["destroyed"]) == ({gone: None}, [gone])
    assert list(answer["notUpdated"]) == [kept]
    twice = jmap.request(
        ("Email/set", {"update": {kept: {"keywords/a": True}, "#c": {"keywords/b": True}}}, "0"),
        createdIds={"c": kept},
    )[0][1]
    assert (twice["updated"], twice["notUpdated"]["#c"]["type"]) == ({kept: None}, "invalidPatch")
    assert keywords(jmap, kept) == {"a"}


def busy(*_args: object, **_kw: object) -> NoReturn:
    raise ServiceError("unavailable", "The mailbox is busy.")


def test_what_was_done_before_a_refusal_is_told(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8620 §3.6.2: a call that is answered by an error changed nothing."""
    ids = [jmap.deliver(letter(f"{n}")) for n in range(3)]
    create = {"d": {"mailboxIds": {jmap.roles["drafts"]: True}}}
    update: Json = {ids[0]: {"keywords/a": True}, ids[1]: {"subject": "x"}, "#d": {"keywords/a": True}}
    for refused in ("update", "get"):
        with monkeypatch.context() as patched:
            patched.setattr(mailbox, refused, busy)
            answer = jmap.call("Email/set", create=create, update=update, destroy=[ids[2], "#none"])
            error = jmap.error("Email/set", update=update)
        assert error["type"] == "serverUnavailable"
        assert set(answer["created"]) == {"d"}
        assert set(answer["notUpdated"]) == set(update)
        assert set(answer["notDestroyed"]) == {ids[2], "#none"}
        assert answer["notUpdated"]["#d"]["type"] == "serverUnavailable"
        assert answer["newState"] == jmap.state() != answer["oldState"]
    with monkeypatch.context() as patched:
        patched.setattr(mailbox, "destroy", busy)
        answer = jmap.call("Email/set", update={ids[0]: {"keywords/a": True}}, destroy=[ids[2]])
    assert answer["updated"] == {ids[0]: None}
    assert answer["notDestroyed"][ids[2]]["type"] == "serverUnavailable"


def test_a_transaction_that_is_refused_leaves_those_before_it(
    jmap: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [jmap.deliver(letter(f"{n}")) for n in range(PER_TRANSACTION + 2)]
    once, left = mailbox.update, [1]

    def update(*args: Any) -> Updated:
        left[0] -= 1
        return once(*args) if left[0] >= 0 else busy()

    with monkeypatch.context() as patched:
        patched.setattr(mailbox, "update", update)
        answer = jmap.call("Email/set", update={id: {"keywords/a": True} for id in ids})
    assert list(answer["updated"]) == ids[:PER_TRANSACTION]
    assert set(answer["notUpdated"]) == set(ids[PER_TRANSACTION:])
    assert keywords(jmap, ids[0]) == {"a"}
    assert keywords(jmap, ids[-1]) == set()


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


def test_false_takes_away_as_null_does(jmap: Client) -> None:
    """Webmails mark mail as unread, and move it, by false."""
    id = jmap.deliver(letter(), keywords={"$seen": True, "$flagged": True})
    archive = jmap.roles["archive"]
    patch = {
        "keywords/$seen": False,
        f"mailboxIds/{jmap.roles['inbox']}": False,
        f"mailboxIds/{archive}": True,
    }
    assert jmap.call("Email/set", update={id: patch})["updated"] == {id: None}
    shown = jmap.email(id, properties=["keywords", "mailboxIds"])
    assert (shown["keywords"], shown["mailboxIds"]) == ({"$flagged": True}, {archive: True})
    jmap.call("Email/set", update={id: {"keywords": {"$seen": True, "$flagged": False}}})
    assert jmap.email(id, properties=["keywords"])["keywords"] == {"$seen": True}
