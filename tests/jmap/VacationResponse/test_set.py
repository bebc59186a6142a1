"""VacationResponse/set (RFC 8621 §8)."""

import json
from typing import Any

from chalicelib.jmap import core
from chalicelib.jmap.session import VACATION
from chalicelib.rules.autoreply import UNSAID, text_of
from chalicelib.services import autoreply
from tests.jmap.client import Client, Json


def updated(jmap: Client, **patch: Any) -> Json | None:
    answer = jmap.call("VacationResponse/set", update={"singleton": patch})
    assert answer["notUpdated"] is None, answer
    changed: Json | None = answer["updated"]["singleton"]
    return changed


def refused(jmap: Client, **patch: Any) -> Json:
    answer = jmap.call("VacationResponse/set", update={"singleton": patch})
    return dict(answer["notUpdated"]["singleton"])


def test_what_is_set_is_what_answers(jmap: Client) -> None:
    """S22: the REST API, delivery and this see one auto-reply."""
    old = jmap.state("VacationResponse")
    dates = {"fromDate": "2026-07-01T08:30:00Z", "toDate": "2026-08-01T00:00:00Z"}
    assert (
        updated(jmap, isEnabled=True, subject="Away", textBody="Gone.", htmlBody="<p>Gone.", **dates) is None
    )
    reply = autoreply.get(jmap.post.p, jmap.account)
    assert (reply.enabled, reply.subject, reply.text, reply.html) == (True, "Away", "Gone.", "<p>Gone.")
    assert jmap.state("VacationResponse") != old
    entry = jmap.post.p.directory.lookup([jmap.account.address])[jmap.account.address].entry
    assert entry is not None
    assert entry.away == reply.away  # type: ignore[union-attr]
    assert updated(jmap, subject=None, fromDate=None) is None
    [shown] = jmap.call("VacationResponse/get", ids=None)["list"]
    assert (shown["subject"], shown["fromDate"], shown["textBody"]) == (None, None, "Gone.")


def test_states(jmap: Client) -> None:
    old = jmap.state("VacationResponse")
    answer = jmap.call("VacationResponse/set", update={"singleton": {"subject": "x"}}, ifInState=old)
    assert (answer["oldState"], answer["newState"]) == (old, jmap.state("VacationResponse"))
    assert jmap.error("VacationResponse/set", ifInState=old)["type"] == "stateMismatch"


def test_what_is_not_written_stays_null(jmap: Client) -> None:
    """RFC 8621 §8: what is said then is made when it answers, and is nobody's text."""
    assert updated(jmap, isEnabled=True) is None
    [shown] = jmap.call("VacationResponse/get", ids=None)["list"]
    assert (shown["isEnabled"], shown["textBody"], shown["htmlBody"]) == (True, None, None)
    reply = autoreply.get(jmap.post.p, jmap.account)
    assert (reply.text, text_of(reply)) == ("", UNSAID)
    assert updated(jmap, htmlBody="<p>x") is None
    assert text_of(autoreply.get(jmap.post.p, jmap.account)) == ""


def test_patches_that_are_none(jmap: Client) -> None:
    for path in ("subject/x", "fromDate/x", "none/x"):
        assert refused(jmap, **{path: "y"})["type"] == "invalidPatch", path


def test_every_wrong_property_is_named(jmap: Client) -> None:
    wrong: Json = {"isEnabled": 1, "toDate": "soon", "subject": [], "htmlBody": 2, "more": True, "id": "x"}
    assert set(refused(jmap, **wrong)["properties"]) == wrong.keys()
    long = refused(jmap, subject="x" * 201, textBody="x" * 20_001)
    assert long["properties"] == ["subject", "textBody"]


def test_the_audit_says_who_and_from_where(jmap: Client) -> None:
    """S40."""
    call = [
        "VacationResponse/set",
        {"accountId": jmap.account.id, "update": {"singleton": {"subject": "x"}}},
        "0",
    ]
    body = json.dumps({"using": [VACATION], "methodCalls": [call]}).encode()
    core.handle(jmap.post.p, jmap.account, body, "https://x.test", "192.0.2.7")
    events, _ = jmap.post.p.journal.page(jmap.account.reseller, 20, domain="x.test")
    [event] = [e for e in events if e.subject == jmap.account.address]
    assert (event.type, event.source) == ("mailbox.auto-reply-changed", "192.0.2.7")
    assert event.actor == f"user:{jmap.account.address}"


REFUSALS_CASES: list[tuple[Json, str]] = [
    ({"isEnabled": None}, "isEnabled"),
    ({"isEnabled": 1}, "isEnabled"),
    ({"fromDate": "today"}, "fromDate"),
    ({"toDate": 5}, "toDate"),
    ({"subject": 5}, "subject"),
    ({"subject": "x" * 201}, "subject"),
    ({"textBody": "x" * 20_001}, "textBody"),
    ({"htmlBody": ["x"]}, "htmlBody"),
    ({"fromDate": "2026-07-02T00:00:00Z", "toDate": "2026-07-01T00:00:00Z"}, "toDate"),
    ({"id": "x"}, "id"),
    ({"more": True}, "more"),
]


def test_refusals(jmap: Client) -> None:
    for patch, name in REFUSALS_CASES:
        error = refused(jmap, **patch)
        assert (error["type"], error["properties"]) == ("invalidProperties", [name])


def test_there_is_only_one(jmap: Client) -> None:
    answer = jmap.call(
        "VacationResponse/set",
        create={"k": {"isEnabled": True}},
        update={"other": {}},
        destroy=["singleton", "other"],
    )
    assert answer["notCreated"]["k"]["type"] == "singleton"
    assert answer["notUpdated"]["other"]["type"] == "notFound"
    assert answer["notDestroyed"]["singleton"]["type"] == "singleton"
    assert answer["notDestroyed"]["other"]["type"] == "notFound"


def test_needs_its_capability(jmap: Client) -> None:
    call = ["VacationResponse/get", {"accountId": jmap.account.id}, "0"]
    _, answer = jmap.send({"using": ["urn:ietf:params:jmap:core"], "methodCalls": [call]})
    assert answer["methodResponses"][0][1]["type"] == "unknownMethod"
