"""EmailSubmission/query, /changes, destroying, sending as an alias (RFC 8621 §7)."""

from typing import Any

import pytest

from tests.jmap.client import Client, Json, counted
from tests.jmap.EmailSubmission.test_hold import hold, outside, shown
from tests.jmap.EmailSubmission.test_set import draft, refused, submit
from tests.jmap.Identity.test_get import alias, identities

Sent = dict[str, Json]


@pytest.fixture
def sent(jmap: Client) -> Sent:
    """Three submissions by name, oldest first, the last of them held."""
    jmap.post.settle()
    made = {}
    for name in ("a", "b"):
        made[name] = submit(jmap, draft(jmap, f"{name}@far.test"))["created"]["s"]
        jmap.post.clock.advance(minutes=1)
    made["held"] = hold(jmap, "h@far.test", HOLDFOR="600")
    return {name: shown(jmap, one["id"]) for name, one in made.items()}


def ids(jmap: Client, **args: Any) -> list[str]:
    return list(jmap.call("EmailSubmission/query", **args)["ids"])


def named(sent: Sent, *names: str) -> list[str]:
    return [sent[name]["id"] for name in names]


def conditions(s: Sent) -> list[tuple[Json, tuple[str, ...]]]:
    """Filters, and the names of what they find."""
    return [
        ({}, ("held", "b", "a")),
        ({"undoStatus": "pending"}, ("held",)),
        ({"undoStatus": "final"}, ("b", "a")),
        ({"undoStatus": "canceled"}, ()),
        ({"emailIds": [s["a"]["emailId"], "none"]}, ("a",)),
        ({"threadIds": [s["b"]["threadId"]]}, ("b",)),
        ({"identityIds": [s["a"]["identityId"]]}, ("held", "b", "a")),
        ({"identityIds": []}, ()),
        ({"before": s["held"]["sendAt"]}, ("b", "a")),
        ({"after": s["b"]["sendAt"], "undoStatus": "final"}, ("b",)),
        (
            {
                "operator": "NOT",
                "conditions": [{"undoStatus": "pending"}, {"emailIds": [s["a"]["emailId"]]}],
            },
            ("b",),
        ),
    ]


def test_filters(jmap: Client, sent: Sent) -> None:
    for given, names in conditions(sent):
        assert ids(jmap, filter=given) == named(sent, *names), given


def test_sorts_and_pages(jmap: Client, sent: Sent) -> None:
    assert ids(jmap) == named(sent, "held", "b", "a")
    assert ids(jmap, sort=[{"property": "sentAt"}]) == named(sent, "a", "b", "held")
    by_email = sorted(sent.values(), key=lambda one: str(one["emailId"]), reverse=True)
    falling = [{"property": "emailId", "isAscending": False}]
    assert ids(jmap, sort=falling) == [one["id"] for one in by_email]
    by_thread = sorted(sent.values(), key=lambda one: str(one["threadId"]))
    assert ids(jmap, sort=[{"property": "threadId"}]) == [one["id"] for one in by_thread]
    assert ids(jmap, position=1, limit=1) == named(sent, "b")
    assert ids(jmap, position=-1) == named(sent, "a")
    assert ids(jmap, anchor=sent["b"]["id"], anchorOffset=1) == named(sent, "a")
    answer = jmap.call("EmailSubmission/query", limit=1, calculateTotal=True)
    assert (answer["total"], answer["canCalculateChanges"]) == (3, True)
    assert answer["queryState"] == jmap.state("EmailSubmission")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"filter": {"identityIds": None}}, "invalidArguments"),
        ({"filter": {"emailIds": "x"}}, "invalidArguments"),
        ({"filter": {"before": "soon"}}, "invalidArguments"),
        ({"filter": {"undoStatus": 1}}, "invalidArguments"),
        ({"filter": {"subject": "x"}}, "unsupportedFilter"),
        ({"sort": [{"property": "subject"}]}, "unsupportedSort"),
        ({"anchor": "none"}, "anchorNotFound"),
    ],
)
def test_refused(jmap: Client, args: Json, error: str) -> None:
    assert jmap.error("EmailSubmission/query", **args)["type"] == error


@pytest.mark.usefixtures("sent")
def test_a_page_of_the_newest_reads_no_more_than_it_shows(jmap: Client) -> None:
    with counted() as calls:
        ids(jmap, limit=2)
    assert calls == ["GetItem", "Query"]


def test_changes_follow_what_is_sent_and_what_became_of_it(jmap: Client) -> None:
    jmap.post.settle()
    jmap.post.mail.behaviour["refusing.test"] = "refuse"
    state = jmap.state("EmailSubmission")
    made = submit(jmap, draft(jmap, "no@refusing.test"))
    id = made["created"]["s"]["id"]
    assert (made["oldState"], made["newState"]) == (state, jmap.state("EmailSubmission"))
    answer = jmap.call("EmailSubmission/changes", sinceState=state)
    assert (answer["created"], answer["updated"], answer["destroyed"]) == ([id], [], [])
    jmap.post.settle()
    later = jmap.call("EmailSubmission/changes", sinceState=answer["newState"])
    assert (later["created"], later["updated"]) == ([], [id])
    assert shown(jmap, id)["deliveryStatus"]["no@refusing.test"]["delivered"] == "no"
    assert jmap.call("EmailSubmission/changes", sinceState=later["newState"])["updated"] == []
    assert jmap.error("EmailSubmission/changes", sinceState="x")["type"] == "cannotCalculateChanges"
    assert jmap.call("EmailSubmission/get", ids=[])["state"] == later["newState"]


def test_mail_alone_changes_nothing_of_submissions(jmap: Client) -> None:
    state = jmap.state("EmailSubmission")
    draft(jmap, "zoe@far.test")
    assert jmap.state("EmailSubmission") == state


def test_destroyed_it_is_seen_no_more_and_sent_all_the_same(jmap: Client, sent: Sent) -> None:
    before, id, state = outside(jmap), sent["held"]["id"], jmap.state("EmailSubmission")
    answer = jmap.call("EmailSubmission/set", destroy=[id, "none"])
    assert answer["destroyed"] == [id]
    assert answer["notDestroyed"]["none"]["type"] == "notFound"
    assert jmap.call("EmailSubmission/set", destroy=[id])["notDestroyed"][id]["type"] == "notFound"
    update = {id: {"undoStatus": "canceled"}}
    assert jmap.call("EmailSubmission/set", update=update)["notUpdated"][id]["type"] == "notFound"
    assert jmap.call("EmailSubmission/get", ids=[id])["notFound"] == [id]
    assert ids(jmap) == named(sent, "b", "a")
    assert ids(jmap, limit=1) == named(sent, "b")
    jmap.post.settle()
    assert outside(jmap) == before + 3
    changes = jmap.call("EmailSubmission/changes", sinceState=state)
    assert (id in changes["updated"], changes["destroyed"]) == (False, [id])
    assert [one["id"] for one in jmap.call("EmailSubmission/get", ids=None)["list"]] == named(sent, "b", "a")


def test_what_is_anothers_is_not_found(jmap: Client, sent: Sent) -> None:
    other, id = Client(jmap.post, jmap.post.accounts["bob@x.test"]), sent["held"]["id"]
    answer = other.call("EmailSubmission/set", update={id: {"undoStatus": "canceled"}}, destroy=[id])
    assert answer["notUpdated"][id]["type"] == answer["notDestroyed"][id]["type"] == "notFound"
    assert id not in ids(other)
    assert shown(jmap, id)["undoStatus"] == "pending"


def test_an_alias_sends_under_its_identity_and_no_other_does(jmap: Client) -> None:
    local = jmap.account.address.partition("@")[0]
    alias(jmap, f"s-{local}")
    address = f"s-{local}@x.test"
    under = identities(jmap)[address]["id"]
    email = draft(jmap, "zoe@far.test", **{"from": [{"email": address}]})
    id = submit(jmap, email, identityId=under)["created"]["s"]["id"]
    found = shown(jmap, id)
    assert (found["identityId"], found["envelope"]["mailFrom"]["email"]) == (under, address)
    assert ids(jmap, filter={"identityIds": [under]}) == [id]
    bobs = identities(Client(jmap.post, jmap.post.accounts["bob@x.test"]))["bob@x.test"]["id"]
    error = refused(jmap, draft(jmap, "zoe@far.test"), identityId=bobs)
    assert (error["type"], error["properties"]) == ("invalidProperties", ["identityId"])
