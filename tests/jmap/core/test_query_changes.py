"""/queryChanges (RFC 8620 §5.6): who applies what it tells to any earlier result has the result of today."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from chalicelib.jmap import limits
from tests.jmap.client import Client, Json, letter
from tests.jmap.EmailSubmission.test_hold import hold
from tests.jmap.EmailSubmission.test_set import draft, submit

Change = Callable[[Client, Random], None]


def some(jmap: Client, random: Random, name: str, **args: Any) -> str:
    """One of a type's ids; "none" where there is none."""
    return str(random.choice(jmap.call(f"{name}/query", **args)["ids"] or ["none"]))


def change_emails(jmap: Client, random: Random) -> None:
    """Mail comes, is marked, moved, destroyed."""
    if random.random() < 0.4:
        words = {"$seen": True} if random.random() < 0.5 else None
        jmap.deliver(letter(random.choice("abc"), "x" * random.randrange(50)), keywords=words)
        return
    id, word = some(jmap, random, "Email"), random.choice(["$seen", "$flagged"])
    if random.random() < 0.2:
        jmap.call("Email/set", destroy=[id])
    elif random.random() < 0.4:
        folder = jmap.roles[random.choice(["inbox", "archive"])]
        jmap.call("Email/set", update={id: {"mailboxIds": {folder: True}}})
    else:
        jmap.call("Email/set", update={id: {f"keywords/{word}": random.choice([True, None])}})


def change_mailboxes(jmap: Client, random: Random) -> None:
    """Mailboxes are made, renamed, hidden, destroyed; mail comes into them."""
    name = f"{random.choice('abc')}{random.randrange(100_000)}"
    if random.random() < 0.4:
        jmap.call("Mailbox/set", create={"m": {"name": name, "sortOrder": random.randrange(3)}})
        return
    id = some(jmap, random, "Mailbox", filter={"hasAnyRole": False})
    if random.random() < 0.2:
        jmap.call("Mailbox/set", destroy=[id], onDestroyRemoveEmails=True)
    else:
        patch = {"name": name, "isSubscribed": random.random() < 0.5, "sortOrder": random.randrange(3)}
        jmap.call("Mailbox/set", update={id: patch})
        jmap.deliver(letter())


def change_contacts(jmap: Client, random: Random) -> None:
    """Contacts are made, renamed, destroyed."""
    full = {"full": f"{random.choice('abc')} {random.randrange(100)}"}
    jmap.post.clock.advance(seconds=1)
    if random.random() < 0.5:
        [book] = jmap.call("AddressBook/get", ids=None)["list"]
        card = {"@type": "Card", "version": "1.0", "name": full, "addressBookIds": {book["id"]: True}}
        jmap.call("ContactCard/set", create={"k": card})
        return
    id = some(jmap, random, "ContactCard")
    args: Json = {"destroy": [id]} if random.random() < 0.3 else {"update": {id: {"name": full}}}
    jmap.call("ContactCard/set", **args)


def change_submissions(jmap: Client, random: Random) -> None:
    """Messages are sent, held, called back, forgotten."""
    jmap.post.clock.advance(minutes=1)
    id = some(jmap, random, "EmailSubmission")
    match random.randrange(4):
        case 0:
            submit(jmap, draft(jmap, "zoe@far.test"))
        case 1:
            hold(jmap, "zoe@far.test", HOLDFOR="600")
        case 2:
            jmap.call("EmailSubmission/set", update={id: {"undoStatus": "canceled"}})
        case _:
            jmap.call("EmailSubmission/set", destroy=[id])


INBOX: Json = {"inMailbox": "f1"}
LISTS: list[tuple[str, Change, list[Json]]] = [
    (
        "Email",
        change_emails,
        [
            {},
            {"filter": INBOX},
            {"filter": INBOX | {"notKeyword": "$seen"}},
            {"filter": {"operator": "OR", "conditions": [{"hasKeyword": "$flagged"}, {"minSize": 150}]}},
            {"filter": INBOX, "sort": [{"property": "receivedAt"}]},
            {"sort": [{"property": "subject"}, {"property": "size", "isAscending": False}]},
            {"sort": [{"property": "hasKeyword", "keyword": "$flagged", "isAscending": False}]},
        ],
    ),
    (
        "Mailbox",
        change_mailboxes,
        [{}, {"sort": [{"property": "name", "isAscending": False}]}, {"filter": {"isSubscribed": True}}],
    ),
    (
        "ContactCard",
        change_contacts,
        [{}, {"filter": {"name": "a"}}, {"sort": [{"property": "updated", "isAscending": False}]}],
    ),
    ("EmailSubmission", change_submissions, [{}, {"filter": {"undoStatus": "final"}}]),
]


@pytest.mark.parametrize(("name", "change", "queries"), LISTS, ids=[one[0] for one in LISTS])
def test_an_earlier_result_becomes_todays(
    jmap: Client, name: str, change: Change, queries: list[Json]
) -> None:
    random = Random(7)
    known: list[list[tuple[str, list[str]]]] = [[] for _ in queries]
    for _ in range(12):
        for _ in range(random.randint(0, 3)):
            change(jmap, random)
        for query, states in zip(queries, known, strict=True):
            fresh = jmap.call(f"{name}/query", **query)
            assert fresh["canCalculateChanges"] is True, query
            if states:
                state, ids = random.choice(states)
                applied(jmap, name, query | {"sinceQueryState": state}, ids, fresh)
            states.append((fresh["queryState"], fresh["ids"]))


def applied(jmap: Client, name: str, asked: Json, ids: list[str], fresh: Json) -> None:
    """Take out, then put in: the list is as it is read anew."""
    answer = jmap.call(f"{name}/queryChanges", **asked, calculateTotal=True)
    kept = [id for id in ids if id not in answer["removed"]]
    for added in sorted(answer["added"], key=lambda one: int(one["index"])):
        kept.insert(added["index"], added["id"])
    assert kept == fresh["ids"], (name, asked)
    assert (answer["total"], answer["newQueryState"]) == (len(kept), fresh["queryState"])
    assert answer["oldQueryState"] == asked["sinceQueryState"]


def test_what_is_new_is_not_told_as_removed(jmap: Client) -> None:
    for query in ({"filter": INBOX}, {}):
        state = jmap.call("Email/query", **query)["queryState"]
        id = jmap.deliver(letter())
        answer = jmap.call("Email/queryChanges", **query, sinceQueryState=state)
        assert (answer["removed"], answer["added"]) == ([], [{"id": id, "index": 0}])


@pytest.mark.parametrize("name", ["Email", "Mailbox", "ContactCard", "EmailSubmission"])
def test_refusals(jmap: Client, name: str) -> None:
    state = jmap.call(f"{name}/query")["queryState"]
    for unknown in ("x", "", "999999"):
        assert jmap.error(f"{name}/queryChanges", sinceQueryState=unknown)["type"] == "cannotCalculateChanges"
    for wrong in ({}, {"sinceQueryState": state, "maxChanges": -1}, {"sinceQueryState": 1}):
        assert jmap.error(f"{name}/queryChanges", **wrong)["type"] == "invalidArguments"
    assert jmap.call(f"{name}/queryChanges", sinceQueryState=state, maxChanges=0)["added"] == []


def test_too_many_changes(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    state = jmap.call("Email/query")["queryState"]
    ids = [jmap.deliver(letter()) for _ in range(3)]
    error = jmap.error("Email/queryChanges", sinceQueryState=state, maxChanges=2)
    assert error["type"] == "tooManyChanges"
    assert len(jmap.call("Email/queryChanges", sinceQueryState=state, maxChanges=3)["added"]) == len(ids)
    monkeypatch.setattr(limits, "MAX_CHANGES", 2)
    assert jmap.error("Email/queryChanges", sinceQueryState=state)["type"] == "cannotCalculateChanges"


def test_what_reading_it_all_would_not_tell_or_cost_too_much(
    jmap: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    jmap.deliver(letter("Hello"))
    by_thread = [{"property": "someInThreadHaveKeyword", "keyword": "$seen"}]
    dear: list[Json] = [
        {"collapseThreads": True},
        {"filter": {"text": "hello"}},
        {"filter": {"header": ["Subject"]}},
        {"filter": {"someInThreadHaveKeyword": "$seen"}},
        {"sort": by_thread},
    ]
    for query in dear:
        asked = jmap.call("Email/query", **query)
        assert asked["canCalculateChanges"] is False, query
        error = jmap.error("Email/queryChanges", **query, sinceQueryState=asked["queryState"])
        assert error["type"] == "cannotCalculateChanges"
    monkeypatch.setattr(limits, "MAX_FOLLOWED", 0)
    for query in ({}, {"filter": INBOX, "sort": [{"property": "receivedAt"}]}):
        asked = jmap.call("Email/query", **query)
        assert asked["canCalculateChanges"] is False
        error = jmap.error("Email/queryChanges", **query, sinceQueryState=asked["queryState"])
        assert error["type"] == "cannotCalculateChanges"
    assert jmap.call("Email/query", filter=INBOX)["canCalculateChanges"] is True, "the log tells"
    for tree in ({"sortAsTree": True}, {"filterAsTree": True}):
        asked = jmap.call("Mailbox/query", **tree)
        assert asked["canCalculateChanges"] is False
        error = jmap.error("Mailbox/queryChanges", **tree, sinceQueryState=asked["queryState"])
        assert error["type"] == "cannotCalculateChanges"
    oldest = {"sort": [{"property": "sentAt"}]}
    assert jmap.call("EmailSubmission/query", **oldest)["canCalculateChanges"] is False
