"""As clients that we did not write speak: what they send beside the plainest request, and what they want."""

import base64
import json
from typing import Any
from unittest import mock

import pytest

from chalicelib.jmap.session import CAPABILITIES, CORE, MAIL
from chalicelib.services import signin
from tests.jmap.client import USING, Client, Json, letter
from tests.jmap.doors import Http

ROUTES = {
    "/.well-known/jmap": "GET",
    "/jmap/session": "GET",
    "/jmap/api": "POST",
    "/jmap/upload/a1": "POST",
    "/jmap/upload-url/a1": "POST",
    "/jmap/download/a1/b1/name": "GET",
    "/jmap/events": "GET",
}


def post(http: Http, body: Json, **headers: str) -> Any:
    """The answer to a request."""
    given = {"content_type": "application/json; charset=utf-8"} | headers
    status, _, answer = http("POST", "/jmap/api", json.dumps(body).encode(), None, **given)
    assert status == 200, answer
    return answer


# ---------------------------------------------------------------- the HTTP edge
def test_a_password_opens_every_door(http: Http) -> None:
    given = base64.b64encode(f"{http.jmap.account.address}:söcret:x".encode()).decode()
    account = http.jmap.account.id
    with mock.patch.object(signin, "authenticate", return_value=http.jmap.account) as asked:
        for scheme in ("Basic", "basic"):
            who = f"{scheme} {given}"
            for path in ("/.well-known/jmap", "/jmap/session"):
                assert http("GET", path, authorization=who)[2]["primaryAccounts"][MAIL] == account
            body = {"using": [CORE], "methodCalls": [["Core/echo", {}, "0"]]}
            assert post(http, body, authorization=who)["methodResponses"] == body["methodCalls"]
            made = http("POST", f"/jmap/upload/{account}", b"x", authorization=who)[2]
            path = f"/jmap/download/{account}/{made['blobId']}/x"
            assert http("GET", path, authorization=who)[0] == 302
    assert {call.args[1:] for call in asked.call_args_list} == {(http.jmap.account.address, "söcret:x")}


def test_content_types_of_a_request(http: Http) -> None:
    body = json.dumps({"using": [CORE], "methodCalls": []}).encode()
    for kind, status in (
        ("application/json", 200),
        ("Application/JSON;charset=UTF-8", 200),
        ("application/json ; charset=utf-8", 200),
        ("text/plain", 400),
        ("application/jsonp", 400),
        ("", 400),
    ):
        assert http("POST", "/jmap/api", body, content_type=kind)[0] == status, kind


def test_the_session_is_never_cached(http: Http) -> None:
    _, headers, session = http("GET", "/jmap/session", accept="application/json")
    assert headers["cache-control"] == "no-cache, no-store, must-revalidate"
    for address in ("apiUrl", "uploadUrl", "downloadUrl", "eventSourceUrl"):
        assert session[address].startswith("https://mail.x.test/"), "absolute, of the host that was asked"
    for template, names in {
        "uploadUrl": ("accountId",),
        "downloadUrl": ("accountId", "blobId", "type", "name"),
        "eventSourceUrl": ("types", "closeafter", "ping"),
    }.items():
        assert all(f"{{{name}}}" in session[template] for name in names)


def test_session_state_moves_with_the_session_alone(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.jmap import limits

    def states() -> tuple[str, str]:
        told = http("GET", "/jmap/session")[2]["state"]
        return told, post(http, {"using": [CORE], "methodCalls": []})["sessionState"]

    before = states()
    http.jmap.deliver(letter())
    assert states() == before == (before[0], before[0])
    monkeypatch.setattr(limits, "MAX_CALLS_IN_REQUEST", 17)
    after = states()
    assert after[0] == after[1] != before[0]


def test_core_is_no_primary_account(http: Http) -> None:
    told = http("GET", "/jmap/session")[2]
    assert set(told["primaryAccounts"]) == CAPABILITIES - {CORE}
    assert set(told["accounts"]) == {http.jmap.account.id}


def test_head_answers_as_get_without_a_body(http: Http) -> None:
    for path in ("/.well-known/jmap", "/jmap/session", "/jmap/events"):
        told, asked = http("HEAD", path), http("GET", path)
        assert (told[0], told[2] or "") == (asked[0], ""), path
        assert told[1] == asked[1]


@pytest.mark.parametrize(("path", "method"), ROUTES.items())
def test_a_page_of_any_origin_may_ask(http: Http, path: str, method: str) -> None:
    status, headers, body = http("OPTIONS", path, authorization="", origin="https://app.test")
    assert (status, body) == (204, "")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-methods"] == method
    assert set(headers["access-control-allow-headers"].split(", ")) >= {"Authorization", "Content-Type"}
    assert "access-control-allow-credentials" not in headers
    for who in ("", f"Bearer {http.token}"):  # what is refused can be read, too
        answered = http(method, path, origin="https://app.test", authorization=who)[1]
        assert answered["access-control-allow-origin"] == "*"


def test_what_is_not_served_says_what_is(http: Http) -> None:
    status, headers, problem = http("PUT", "/jmap/api", b"{}", content_type="application/json")
    assert (status, problem["code"]) == (405, "method_not_allowed")
    assert "POST" in headers["allow"].split(", ")


# ------------------------------------------------------------------- requests
def test_a_client_that_uses_core_and_mail_alone(jmap: Client) -> None:
    id, again = jmap.deliver(letter(Message_ID="<1@x>")), jmap.deliver(letter(References="<1@x>"))
    every: list[Json] = [
        {"filter": None, "sort": None, "position": 0, "anchor": None, "collapseThreads": True},
        {"#ids": {"resultOf": "q", "name": "Email/query", "path": "/ids"}, "properties": ["threadId"]},
        {"#ids": {"resultOf": "g", "name": "Email/get", "path": "/list/*/threadId"}},
        {"#ids": {"resultOf": "t", "name": "Thread/get", "path": "/list/*/emailIds"}, "properties": None},
    ]
    names = ("Email/query", "Email/get", "Thread/get", "Email/get")
    calls = [
        [name, {"accountId": jmap.account.id, **args}, call]
        for name, args, call in zip(names, every, "qgte", strict=True)
    ]
    status, answer = jmap.send({"using": [CORE, MAIL], "methodCalls": calls, "createdIds": {}})
    assert (status, answer["createdIds"]) == (200, {})
    assert [name for name, _, _ in answer["methodResponses"]] == list(names)
    assert answer["methodResponses"][0][1]["ids"] == [again]
    assert [email["id"] for email in answer["methodResponses"][3][1]["list"]] == [id, again]
    assert answer["methodResponses"][3][1]["list"][0]["textBody"][0]["partId"] == "1"


ALL = {"ids": None, "properties": None}
CHANGED = {"sinceState": "0", "maxChanges": None}
QUERY = dict.fromkeys(("filter", "sort", "position", "anchor", "anchorOffset", "limit", "calculateTotal"))
SET = {"ifInState": None, "create": None, "update": None, "destroy": None}
BODIES = dict.fromkeys(
    (
        "properties",
        "bodyProperties",
        "fetchTextBodyValues",
        "fetchHTMLBodyValues",
        "fetchAllBodyValues",
        "maxBodyValueBytes",
    )
)


NULLS: list[tuple[str, Json]] = [
    ("Mailbox/get", ALL),
    ("Mailbox/get", {}),
    ("Mailbox/changes", CHANGED),
    ("Mailbox/query", {**QUERY, "sortAsTree": None, "filterAsTree": None}),
    ("Mailbox/set", {**SET, "onDestroyRemoveEmails": None}),
    ("Thread/get", {"ids": [], "properties": None}),
    ("Thread/changes", CHANGED),
    ("Email/get", {"ids": [], **BODIES}),
    ("Email/changes", CHANGED),
    ("Email/query", {**QUERY, "collapseThreads": None}),
    ("Email/set", SET),
    ("Email/import", {"ifInState": None, "emails": {}}),
    ("Email/parse", {"blobIds": [], **BODIES}),
    ("SearchSnippet/get", {"filter": None, "emailIds": []}),
    ("Identity/get", ALL),
    ("Identity/set", SET),
    ("EmailSubmission/get", ALL),
    ("EmailSubmission/set", {**SET, "onSuccessUpdateEmail": None, "onSuccessDestroyEmail": None}),
    ("VacationResponse/get", ALL),
    ("VacationResponse/set", SET),
    ("Quota/get", ALL),
    ("AddressBook/get", ALL),
    ("AddressBook/set", SET),
    ("ContactCard/get", ALL),
    ("ContactCard/query", QUERY),
    ("ContactCard/set", SET),
]


def test_null_is_as_good_as_nothing(jmap: Client) -> None:
    for name, args in NULLS:
        given = jmap.call(name, **args)
        assert given["accountId"] == jmap.account.id
        plain = jmap.call(name, **{key: value for key, value in args.items() if value is not None})
        moving = {"state", "oldState", "newState"} if name.startswith("EmailSubmission") else set()
        for answer in (given, plain):
            for field in moving & set(answer):
                del answer[field]
        assert given == plain, name


def test_created_ids_of_an_earlier_request(jmap: Client) -> None:
    create = {"k": {"mailboxIds": {jmap.roles["drafts"]: True}, "subject": "x"}}
    calls = [["Email/set", {"accountId": jmap.account.id, "create": create}, "0"]]
    _, first = jmap.send({"using": USING, "methodCalls": calls, "createdIds": {"other": "m1"}})
    assert set(first["createdIds"]) == {"k", "other"}
    patch = {"#k": {"keywords/$seen": True}}
    calls = [["Email/set", {"accountId": jmap.account.id, "update": patch}, "0"]]
    _, second = jmap.send({"using": USING, "methodCalls": calls, "createdIds": first["createdIds"]})
    assert second["methodResponses"][0][1]["notUpdated"] is None
    assert second["createdIds"] == first["createdIds"]
    assert jmap.email(first["createdIds"]["k"])["keywords"] == {"$seen": True}


def test_no_created_ids_where_none_were_given(jmap: Client) -> None:
    assert "createdIds" not in jmap.send({"using": USING, "methodCalls": [], "createdIds": None})[1]


def test_push_by_other_ways_is_not_offered(jmap: Client) -> None:
    calls = [["PushSubscription/get", {"ids": None}, "0"], ["PushSubscription/set", {"create": {}}, "1"]]
    _, answer = jmap.send({"using": USING, "methodCalls": calls})
    assert [args["type"] for _, args, _ in answer["methodResponses"]] == ["unknownMethod"] * 2
