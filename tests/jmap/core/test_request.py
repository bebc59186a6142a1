"""RFC 8620 §3: requests as a whole, references, creation ids."""

import json
from typing import Any

import pytest

from chalicelib.jmap import limits
from chalicelib.jmap.methods import METHODS
from chalicelib.jmap.session import CORE, MAIL, SUBMISSION
from tests.jmap.client import USING, Client, letter


def problem(jmap: Client, body: Any) -> str:
    status, answer = jmap.send(body)
    assert status == 400
    assert answer["status"] == 400
    return str(answer["type"]).removeprefix("urn:ietf:params:jmap:error:")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"a":1,"a":2}',
        b"[NaN]",
        b'["\\ud800"]',
        b"[" * 100_000,
        b"1" * 5_000,
        b"[1e999]",
    ],
)
def test_not_json(jmap: Client, body: bytes) -> None:
    assert problem(jmap, body) == "notJSON"


@pytest.mark.parametrize(
    "body",
    [
        [],
        1,
        None,
        {},
        {"using": []},
        {"using": [1], "methodCalls": []},
        {"using": [CORE], "methodCalls": {}},
        {"using": [CORE], "methodCalls": [["Core/echo", {}]]},
        {"using": [CORE], "methodCalls": [["Core/echo", [], "0"]]},
        {"using": [CORE], "methodCalls": [["Core/echo", {}, 0]]},
        {"using": [CORE], "methodCalls": [], "createdIds": []},
        {"using": [CORE], "methodCalls": [], "createdIds": {"a": 1}},
        {"using": [CORE], "methodCalls": [["Core/echo", json.loads("[" * 90 + "]" * 90), "0"]]},
    ],
)
def test_not_request(jmap: Client, body: Any) -> None:
    assert problem(jmap, body) == "notRequest"


def test_unknown_capability(jmap: Client) -> None:
    assert problem(jmap, {"using": [CORE, "urn:example:x"], "methodCalls": []}) == "unknownCapability"


def test_limits(jmap: Client) -> None:
    calls = [["Core/echo", {}, str(n)] for n in range(limits.MAX_CALLS_IN_REQUEST + 1)]
    status, answer = jmap.send({"using": [CORE], "methodCalls": calls})
    assert (status, answer["limit"]) == (400, "maxCallsInRequest")
    status, answer = jmap.send(b" " * (limits.MAX_SIZE_REQUEST + 1))
    assert (status, answer["limit"]) == (400, "maxSizeRequest")


def test_echo(jmap: Client) -> None:
    args = {"a": [1, None, {"b": "ü"}], "accountId": jmap.account.id}
    assert jmap.request(("Core/echo", args, "x")) == [("Core/echo", args, "x")]


def test_unknown_method_and_method_of_unused_capability(jmap: Client) -> None:
    assert jmap.error("Email/none")["type"] == "unknownMethod"

    def answered(name: str, *using: str) -> str:
        calls = [[name, {"accountId": jmap.account.id, "ids": None}, "0"]]
        return str(jmap.send({"using": using, "methodCalls": calls})[1]["methodResponses"][0][0])

    assert answered("Mailbox/get", CORE) == "error"
    assert answered("Mailbox/get", CORE, MAIL) == "Mailbox/get"
    assert answered("Identity/get", CORE, SUBMISSION) == "Identity/get"
    assert answered("Quota/get", CORE, MAIL) == answered("AddressBook/get", CORE, MAIL) == "error"
    for name in ("Identity/get", "EmailSubmission/get", "VacationResponse/get"):
        assert answered(name, CORE) == "error"
        assert answered(name, CORE, MAIL) == name, "of the same standard"


def test_calls_go_on_after_an_error(jmap: Client) -> None:
    answers = jmap.request(("Email/none", {}, "a"), ("Core/echo", {}, "b"))
    assert [(name, id) for name, _, id in answers] == [("error", "a"), ("Core/echo", "b")]


def test_accounts(jmap: Client) -> None:
    assert jmap.error("Mailbox/get", accountId="a-other", ids=None)["type"] == "accountNotFound"
    assert jmap.error("Mailbox/get", accountId=None, ids=None)["type"] == "invalidArguments"
    assert jmap.error("Mailbox/get", accountId=1, ids=None)["type"] == "invalidArguments"


def test_session_state_and_created_ids(jmap: Client) -> None:
    _, plain = jmap.send({"using": USING, "methodCalls": []})
    assert set(plain) == {"methodResponses", "sessionState"}
    _, answer = jmap.send({"using": USING, "methodCalls": [], "createdIds": {"k": "m1"}})
    assert answer["createdIds"] == {"k": "m1"}


ECHO = {"ids": ["a", "b"], "list": [{"id": "x", "in": ["1", "2"]}, {"id": "y", "in": ["3"]}], "a/b": {"~": 1}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/ids", ["a", "b"]),
        ("/ids/0", "a"),
        ("/list/*/id", ["x", "y"]),
        ("/list/*/in", ["1", "2", "3"]),
        ("/list/1/in/0", "3"),
        ("/a~1b/~0", 1),
        ("/ids/*", ["a", "b"]),
    ],
)
def test_result_reference(jmap: Client, path: str, value: Any) -> None:
    reference = {"resultOf": "0", "name": "Core/echo", "path": path}
    answers = jmap.request(("Core/echo", ECHO, "0"), ("Core/echo", {"#got": reference}, "1"))
    assert answers[1][1]["got"] == value


@pytest.mark.parametrize(
    "reference",
    [
        None,
        "x",
        {},
        {"resultOf": "9", "name": "Core/echo", "path": "/ids"},
        {"resultOf": "0", "name": "Email/get", "path": "/ids"},
        {"resultOf": "0", "name": "Core/echo", "path": "ids"},
        {"resultOf": "0", "name": "Core/echo", "path": "/none"},
        {"resultOf": "0", "name": "Core/echo", "path": "/ids/2"},
        {"resultOf": "0", "name": "Core/echo", "path": "/ids/01"},
        {"resultOf": "0", "name": "Core/echo", "path": "/ids/-1"},
        {"resultOf": "0", "name": "Core/echo", "path": "/ids/0/x"},
        {"resultOf": "0", "name": "Core/echo", "path": 1},
    ],
)
def test_result_reference_that_leads_nowhere(jmap: Client, reference: Any) -> None:
    answers = jmap.request(("Core/echo", ECHO, "0"), ("Core/echo", {"#got": reference}, "1"))
    assert answers[1][:2] == ("error", answers[1][1])
    assert answers[1][1]["type"] == "invalidResultReference"


def test_argument_given_twice(jmap: Client) -> None:
    reference = {"resultOf": "0", "name": "Core/echo", "path": "/ids"}
    answers = jmap.request(("Core/echo", ECHO, "0"), ("Email/get", {"#ids": reference, "ids": []}, "1"))
    assert answers[1][1]["type"] == "invalidArguments"


def test_answer_too_large_is_refused_and_the_rest_goes_on(jmap: Client) -> None:
    big = {"x": "y" * 2_000_000}
    answers = jmap.request(
        ("Core/echo", big, "0"),
        ("Core/echo", {"#a": _all("0")}, "1"),
        ("Core/echo", {"#a": _all("0")}, "2"),
        ("Core/echo", {}, "3"),
    )
    kinds = [args.get("type", "ok") if name == "error" else "ok" for name, args, _ in answers]
    assert kinds == ["ok", "ok", "requestTooLarge", "ok"]


def _all(call: str) -> dict[str, str]:
    return {"resultOf": call, "name": "Core/echo", "path": ""}


@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"Core/echo"}))
def test_arguments_that_a_method_does_not_have(jmap: Client, name: str) -> None:
    """RFC 8620 §3.9: an unknown argument is refused, whatever its value, and all such are named."""
    error = jmap.error(name, idz=[], shoe=None)
    assert (error["type"], error["arguments"]) == ("invalidArguments", ["idz", "shoe"])
    for near in ("Ids", "filters", "accountid", "onSuccess", ""):
        assert jmap.error(name, **{near: None})["arguments"] == [near]


def test_arguments_by_reference_are_those_of_the_method(jmap: Client) -> None:
    reference = {"resultOf": "0", "name": "Core/echo", "path": "/ids"}
    answers = jmap.request(("Core/echo", ECHO, "0"), ("Email/get", {"#shoe": reference, "ids": []}, "1"))
    assert answers[1][1]["arguments"] == ["shoe"]


def test_a_bug_in_one_method_is_serverFail(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.jmap import methods

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(methods.METHODS, "Email/get", methods.Known(MAIL, broken, frozenset({"ids"})))
    assert jmap.error("Email/get", ids=[])["type"] == "serverFail"


def test_session_object(jmap: Client) -> None:
    from chalicelib.jmap.session import session

    told = session(jmap.account, "https://mail.x.test", 25)
    assert told["capabilities"][CORE]["maxSizeUpload"] == 4_000_000
    account = told["accounts"][jmap.account.id]["accountCapabilities"]
    assert account[MAIL]["maxMailboxesPerEmail"] == 1
    assert set(told["capabilities"]) == set(account)
    assert told["username"] == jmap.account.address
    assert told["apiUrl"].startswith("https://mail.x.test/")
    for variable in ("{accountId}", "{blobId}", "{name}", "{type}"):
        assert variable in told["downloadUrl"]


def test_one_page_of_a_list_and_its_emails_cost_two_reads(jmap: Client) -> None:
    from tests.jmap.client import counted

    for n in range(3):
        jmap.deliver(letter(f"number {n}"))
    row = [
        "id",
        "threadId",
        "mailboxIds",
        "keywords",
        "receivedAt",
        "from",
        "to",
        "subject",
        "preview",
        "size",
        "hasAttachment",
    ]
    with counted() as calls:
        answers = jmap.request(
            ("Email/query", {"filter": {"inMailbox": jmap.roles["inbox"]}, "limit": 50}, "q"),
            (
                "Email/get",
                {"#ids": {"resultOf": "q", "name": "Email/query", "path": "/ids"}, "properties": row},
                "g",
            ),
        )
    assert calls == ["GetItem", "Query"]
    assert [email["subject"] for email in answers[1][1]["list"]] == ["number 2", "number 1", "number 0"]


def test_nothing_new_costs_one_read(jmap: Client) -> None:
    from tests.jmap.client import counted

    state = jmap.state()
    with counted() as calls:
        answer = jmap.call("Email/changes", sinceState=state)
    assert calls == ["GetItem"]
    assert (answer["newState"], answer["created"], answer["hasMoreChanges"]) == (state, [], False)
