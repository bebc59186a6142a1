"""Messages that are held: sent when the time has come, or called back (RFC 8621 §7, RFC 4865)."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.jmap.session import SUBMISSION, session
from chalicelib.services import send, submissions
from tests.jmap.client import Client, Json
from tests.jmap.EmailSubmission.test_set import draft, refused, submit
from tests.services.post import Crash


def hold(jmap: Client, *to: str, email: str = "", **parameters: Any) -> Json:
    """A submission with parameters of MAIL, as it was created."""
    envelope = {
        "mailFrom": {"email": jmap.account.address, "parameters": parameters},
        "rcptTo": [{"email": address} for address in to],
    }
    answer = submit(jmap, email or draft(jmap, *to), envelope=envelope)
    assert answer["created"], answer["notCreated"]
    return dict(answer["created"]["s"])


def shown(jmap: Client, id: str) -> Json:
    [found] = jmap.call("EmailSubmission/get", ids=[id])["list"]
    return dict(found)


def cancel(jmap: Client, id: str) -> Json:
    return jmap.call("EmailSubmission/set", update={id: {"undoStatus": "canceled"}})


def outside(jmap: Client) -> int:
    return len(jmap.post.mail.calls)


@pytest.fixture
def settled(jmap: Client) -> Client:
    jmap.post.settle()
    return jmap


def test_the_session_says_how_long(jmap: Client) -> None:
    told = session(jmap.account, "https://mail.x.test", 1)["accounts"][jmap.account.id]
    assert told["accountCapabilities"][SUBMISSION] == {
        "maxDelayedSend": 604_800,
        "submissionExtensions": {"FUTURERELEASE": []},
    }


@pytest.mark.parametrize("name", ["HOLDFOR", "holdfor"])
def test_it_waits_and_then_is_sent_once(settled: Client, name: str) -> None:
    jmap, before = settled, outside(settled)
    made = hold(jmap, "zoe@far.test", "bob@x.test", **{name: "20"})
    assert made["undoStatus"] == "pending"
    state = jmap.state("EmailSubmission")
    jmap.post.settle(timedelta(seconds=18))
    assert (outside(jmap), shown(jmap, made["id"])["undoStatus"]) == (before, "pending")
    found = shown(jmap, made["id"])
    assert found["sendAt"] == made["sendAt"]
    assert found["envelope"]["mailFrom"]["parameters"] == {"HOLDFOR": "20"}
    assert {s["delivered"] for s in found["deliveryStatus"].values()} == {"queued"}
    jmap.post.settle(timedelta(minutes=5))
    assert outside(jmap) == before + 1
    found = shown(jmap, made["id"])
    assert found["undoStatus"] == "final"
    delivered = {address: s["delivered"] for address, s in found["deliveryStatus"].items()}
    assert delivered == {"zoe@far.test": "unknown", "bob@x.test": "yes"}
    assert jmap.call("EmailSubmission/changes", sinceState=state)["updated"] == [made["id"]]
    assert cancel(jmap, made["id"])["notUpdated"][made["id"]]["type"] == "cannotUnsend"


def test_called_back_nothing_of_it_leaves(settled: Client) -> None:
    jmap, before = settled, outside(settled)
    bob = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    there = bob.call("Email/query", filter={}, calculateTotal=True)["total"]
    made = hold(jmap, "zoe@far.test", "bob@x.test", HOLDFOR="20")
    state = jmap.state("EmailSubmission")
    assert cancel(jmap, made["id"])["updated"] == {made["id"]: None}
    assert cancel(jmap, made["id"])["updated"] == {made["id"]: None}  # a repeat after a lost answer
    jmap.post.settle()
    send.mend(jmap.post.p)
    jmap.post.settle()
    found = shown(jmap, made["id"])
    assert (found["undoStatus"], found["deliveryStatus"]) == ("canceled", None)
    assert jmap.call("EmailSubmission/changes", sinceState=state)["updated"] == [made["id"]]
    assert outside(jmap) == before
    assert bob.call("Email/query", filter={}, calculateTotal=True)["total"] == there
    domain = jmap.post.p.directory.domain("x.test")
    assert domain
    trace, _ = jmap.post.p.tracks.page(domain.reseller, "x.test", 50)
    assert made["id"] not in [seen.id for seen in trace]


def test_a_patch_may_repeat_what_is_so(settled: Client) -> None:
    """RFC 8620 §5.3: nothing, or the whole object."""
    jmap = settled
    id = hold(jmap, "zoe@far.test", HOLDFOR="20")["id"]
    state, whole = jmap.state("EmailSubmission"), shown(jmap, id)
    patch: Json
    for patch in ({}, {"undoStatus": "pending"}, {"id": id}, whole):
        assert jmap.call("EmailSubmission/set", update={id: patch})["updated"] == {id: None}
    assert jmap.state("EmailSubmission") == state
    wrong: list[tuple[Json, list[str]]] = [
        ({"undoStatus": "final"}, ["undoStatus"]),
        ({"undoStatus": None}, ["undoStatus"]),
        ({"shoe": 1, "undoStatus": "canceled"}, ["shoe"]),
        (whole | {"sendAt": "2030-01-01T00:00:00Z", "emailId": "x"}, ["emailId", "sendAt"]),
    ]
    for patch, properties in wrong:
        refusal = jmap.call("EmailSubmission/set", update={id: patch})["notUpdated"][id]
        assert (refusal["type"], refusal["properties"]) == ("invalidProperties", properties)
    bad = jmap.call("EmailSubmission/set", update={id: {"envelope/shoe/x": 1}})["notUpdated"][id]
    assert bad["type"] == "invalidPatch"
    unknown = jmap.call("EmailSubmission/set", update={"none": {"shoe": 1}})["notUpdated"]["none"]
    assert unknown["type"] == "notFound"
    whole["undoStatus"] = "canceled"
    assert jmap.call("EmailSubmission/set", update={id: whole})["updated"] == {id: None}
    assert shown(jmap, id)["undoStatus"] == "canceled"


@pytest.mark.parametrize("what", ["update", "destroy"])
def test_on_success_of_calling_back_and_of_forgetting(settled: Client, what: str) -> None:
    """RFC 8621 §7.5: not only of a creation. So an undo puts the draft back."""
    jmap, email = settled, draft(settled, "zoe@far.test", "bob@x.test")
    id = hold(jmap, "zoe@far.test", email=email, HOLDFOR="20")["id"]
    args: Json = {"update": {id: {"undoStatus": "canceled"}}} if what == "update" else {"destroy": [id]}
    patch = {"keywords/$draft": True, "keywords/again": True}
    told, changed = jmap.request(
        ("EmailSubmission/set", {**args, "onSuccessUpdateEmail": {id: patch}}, "0"),
    )
    assert not told[1]["notUpdated"]
    assert (changed[0], changed[1]["updated"]) == ("Email/set", {email: None})
    assert "again" in jmap.email(email)["keywords"]


def test_on_success_destroy_of_what_was_called_back(settled: Client) -> None:
    jmap, email = settled, draft(settled, "zoe@far.test")
    id = hold(jmap, "zoe@far.test", email=email, HOLDFOR="20")["id"]
    args = {"update": {id: {"undoStatus": "canceled"}}, "onSuccessDestroyEmail": [id, "none"]}
    answers = jmap.request(("EmailSubmission/set", args, "0"))
    assert answers[1][1]["destroyed"] == [email]
    late = {"update": {id: {"undoStatus": "final"}}, "onSuccessDestroyEmail": [id]}
    assert len(jmap.request(("EmailSubmission/set", late, "0"))) == 1, "what failed has no consequence"


def test_what_was_called_back_can_be_sent_after_all(settled: Client) -> None:
    jmap, before = settled, outside(settled)
    email = draft(jmap, "zoe@far.test")
    first = hold(jmap, "zoe@far.test", email=email, HOLDFOR="20")["id"]
    cancel(jmap, first)
    second = hold(jmap, "zoe@far.test", email=email, HOLDFOR="20")
    assert second["id"] != first
    cancel(jmap, second["id"])
    third = submit(jmap, email)["created"]["s"]
    assert submit(jmap, email)["created"]["s"]["id"] == third["id"]
    assert third["undoStatus"] == "final"
    jmap.post.settle()
    assert outside(jmap) == before + 1
    kept = [shown(jmap, id)["undoStatus"] for id in (first, second["id"], third["id"])]
    assert kept == ["canceled", "canceled", "final"]


def test_days_are_held_by_one_queued_message_after_another(settled: Client) -> None:
    jmap, before = settled, outside(settled)
    until = jmap.post.clock.now() + timedelta(days=2)
    made = hold(jmap, "zoe@far.test", HOLDUNTIL=until.isoformat())
    jmap.call("Email/set", destroy=[shown(jmap, made["id"])["emailId"]])
    jmap.post.settle(timedelta(hours=47))
    assert (outside(jmap), len(jmap.post.queues.messages)) == (before, 1)
    jmap.post.settle(timedelta(hours=2))
    assert outside(jmap) == before + 1


def test_what_nobody_queued_is_taken_up(settled: Client) -> None:
    jmap, before = settled, outside(settled)
    made = hold(jmap, "zoe@far.test", HOLDFOR="3600")
    jmap.post.queues.messages.clear()
    jmap.post.clock.advance(minutes=59)
    assert send.mend(jmap.post.p) == 0
    jmap.post.clock.advance(minutes=32)
    assert send.mend(jmap.post.p) == 1
    jmap.post.settle()
    assert outside(jmap) == before + 1
    assert shown(jmap, made["id"])["undoStatus"] == "final"


def test_leaving_and_calling_back_at_once_one_of_them_holds(settled: Client) -> None:
    """Whoever writes first: the other sees it, whatever it had read before."""
    jmap, p = settled, settled.post.p
    for first in ("leave", "cancel"):
        made = hold(jmap, f"{first}@far.test", HOLDFOR="20")
        stale = p.outbox.outgoing(made["id"])
        [chunk] = p.outbox.load(made["id"])[1]  # type: ignore[index]
        assert stale
        jmap.post.clock.advance(seconds=30)
        if first == "leave":
            assert send.leaves(p, stale, chunk)
            assert not p.outbox.decide(stale, "canceled")
            assert not submissions.cancel(p, submissions.own(p, jmap.account.id, made["id"]))
        else:
            assert submissions.cancel(p, submissions.own(p, jmap.account.id, made["id"]))
            assert not send.leaves(p, stale, chunk)
        jmap.post.settle()


@pytest.mark.parametrize("undone", [False, True])
def test_a_crash_after_any_call_sends_once_or_never(settled: Client, undone: bool) -> None:
    """Both the release and the call-back are repeated until they end."""
    jmap, post = settled, settled.post
    for calls in range(1, 8):
        before = outside(jmap)
        post.clock.advance(minutes=2)
        id = hold(jmap, f"c{calls}@far.test", HOLDFOR="20")["id"]
        with post.fuse.in_botocore():
            post.fuse.left = calls
            while undone:
                try:
                    assert submissions.cancel(post.p, submissions.own(post.p, jmap.account.id, id))
                    break
                except Crash:
                    continue
            post.settle(timedelta(minutes=10))
            post.fuse.left = None
        assert outside(jmap) == before + (not undone)
        assert shown(jmap, id)["undoStatus"] == ("canceled" if undone else "final")


@pytest.mark.parametrize(
    "parameters",
    [
        {"HOLDFOR": "604801"},
        {"HOLDFOR": "x"},
        {"HOLDFOR": 20},
        {"HOLDFOR": None},
        {"HOLDFOR": "1", "HOLDUNTIL": "2030-01-01T00:00:00Z"},
        {"HOLDUNTIL": "later"},
        {"BY": "1"},
        ["HOLDFOR"],
    ],
)
def test_what_cannot_be_held_so_is_refused(jmap: Client, parameters: Any) -> None:
    envelope = {
        "mailFrom": {"email": jmap.account.address, "parameters": parameters},
        "rcptTo": [{"email": "zoe@far.test"}],
    }
    error = refused(jmap, draft(jmap, "zoe@far.test"), envelope=envelope)
    assert (error["type"], error["properties"]) == ("invalidProperties", ["envelope"])
