"""Any JSON as a request: always an answer that a JMAP client understands, never serverFail."""

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.jmap.methods import METHODS
from tests.jmap.client import USING, Client, letter

IDS = [
    "m1",
    "f1",
    "f2",
    "f99",
    "#k",
    "inbox",
    "",
    "a" * 300,
    "mx_1",
    "uaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ü",
    "a/b",
    "0",
]
WORDS = [
    "inMailbox",
    "receivedAt",
    "isAscending",
    "property",
    "operator",
    "AND",
    "conditions",
    "$seen",
    "name",
    "email",
    "partId",
    "blobId",
    "value",
    "type",
    "text/plain",
    "multipart/mixed",
    "subParts",
    "id",
    "parentId",
    "role",
    "mailboxIds",
    "keywords",
    "from",
    "to",
    "subject",
    "header:X:asText",
    "header:From:asAddresses:all",
    "headers",
    "bodyStructure",
    "textBody",
    "htmlBody",
    "attachments",
    "bodyValues",
    "keywords/$seen",
    "mailboxIds/f2",
    "2024-01-01T00:00:00Z",
    "resultOf",
    "path",
    "/ids",
    "mailFrom",
    "rcptTo",
    "parameters",
    "undoStatus",
    "canceled",
]
texts = st.one_of(
    st.sampled_from([*IDS, *WORDS]),
    st.text(string.printable, max_size=8),
    st.text(max_size=4).filter(str.isprintable),
)
atoms = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.sampled_from([2**53, -(2**70), 0.5]), texts
)
values: st.SearchStrategy[Any] = st.recursive(
    atoms,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=5)),
    max_leaves=25,
)


def arguments(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """What a method may be asked with: mostly arguments that it has, some of them by reference."""
    own = sorted(METHODS[name].arguments or ("ids",)) if name in METHODS else ["ids"]
    names = st.one_of(
        *(st.sampled_from(own) for _ in range(8)), st.sampled_from([f"#{n}" for n in own]), texts
    )
    return st.dictionaries(names, values, max_size=6)


named = st.sampled_from(sorted([*METHODS, "Email/none"])).flatmap(
    lambda name: st.tuples(st.just(name), arguments(name))
)
calls = st.tuples(named, st.sampled_from(["0", "1"])).map(lambda made: [*made[0], made[1]])


def answered(jmap: Client, body: Any) -> None:
    status, answer = jmap.send(body)
    json.dumps(answer)
    if status == 400:
        assert str(answer["type"]).startswith("urn:ietf:params:jmap:error:")
        return
    assert status == 200
    assert isinstance(answer["sessionState"], str)
    for name, args, call in answer["methodResponses"]:
        assert isinstance(name, str)
        assert isinstance(call, str)
        assert args.get("type") != "serverFail", (body, args)
        for refused in ("notCreated", "notUpdated", "notDestroyed"):
            errors = args.get(refused) if isinstance(args.get(refused), dict) and name != "Core/echo" else {}
            for error in errors.values():
                assert error["type"] != "serverFail", (body, error)


@pytest.fixture
def used(jmap: Client) -> Client:
    """A mailbox with something in it."""
    IDS.extend([jmap.deliver(letter()), jmap.account.id, f"i{jmap.account.id}"])
    return jmap


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(values)
def test_any_json_is_answered(jmap: Client, body: Any) -> None:
    answered(jmap, body)


@FUZZ
@given(st.lists(calls, max_size=3))
def test_any_arguments_are_answered(used: Client, made: list[list[Any]]) -> None:
    for call in made:
        call[1].setdefault("accountId", used.account.id)
    answered(used, {"using": USING, "methodCalls": made})


@settings(FUZZ, max_examples=250)
@given(named)
def test_any_arguments_of_the_right_account_are_answered(
    used: Client, made: tuple[str, dict[str, Any]]
) -> None:
    name, args = made
    call = [name, args | {"accountId": used.account.id}, "0"]
    answered(used, {"using": USING, "methodCalls": [call]})


@FUZZ
@given(st.sampled_from(["create", "update"]), st.dictionaries(texts, values, max_size=6), values)
def test_any_object_of_a_set_is_answered(used: Client, what: str, given_: dict[str, Any], other: Any) -> None:
    base = {
        "mailboxIds": {used.roles["drafts"]: True},
        "emailId": IDS[-3],
        "identityId": f"i{used.account.id}",
    }
    entry = base | given_ | {"bodyStructure": other}
    for name in ("Email/set", "EmailSubmission/set", "Mailbox/set"):
        call = [name, {"accountId": used.account.id, what: {IDS[-3]: entry, "f2": given_}}, "0"]
        answered(used, {"using": USING, "methodCalls": [call]})
