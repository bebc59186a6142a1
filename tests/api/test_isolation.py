"""Walls between tenants: every route × every role × own, foreign and absent names.

Own names are called by test_examples. Here: who has no right is told so before anything else, and a name of
somebody else's answers byte for byte like one that nobody has.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from moto.dynamodb.models import dynamodb_backends

import app
from chalicelib.api.rest import OPERATIONS, Operation
from tests.api.tenant import Tenant, variables
from tests.cloud import ACCOUNT, REGION
from tests.registry import Answer

assert app.app

#: Variables that name something of a tenant's, and a name that nobody has.
ABSENT = {
    "domain": "nowhere.test",
    "local": "nobody",
    "account_id": "a0000000000000000",
    "app_password": "0123456789abcdef",
    "brand": "spare-nobody",
    "host": "webmail.nobody.example",
    "id": "w0123456789abcdef",
    "key": "0123456789abcdef",
    "message": "1772442000000-i-nothing",
    "order_id": "o0000000000000000",
    "session": "0123456789abcdef",
}
#: Variables of the operator's own, and those that mean the same to everybody (a member's address may be
#: anybody's: the list is what is walled).
OPERATORS = {"incident", "outage", "report", "reseller"}
PLAIN = {"month", "file", "client", "address"}
#: The world has one of each host name: that somebody has it cannot be hidden from who wants it.
TAKEN = {"put_host"}


def named(operation: Operation) -> list[str]:
    """The variables of its path that can name what is another's."""
    return [name for name in variables(operation) if name in ABSENT]


def test_every_variable_of_a_path_is_known_here() -> None:
    found = {name for operation in OPERATIONS for name in variables(operation)}
    assert found == set(ABSENT) | OPERATORS | PLAIN


CALLERS = ("nobody", "reseller", "operator", "admin", "user")


def right(operation: Operation) -> set[str]:
    """Who may call. An email administrator has a mailbox too."""
    return {"user", "admin"} if operation.role == "user" else {operation.role}


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.role != "public"], ids=lambda o: o.id)
def test_who_is_nobody_or_in_another_role_gets_nowhere(town: Tenant, operation: Operation) -> None:
    request = town.request(operation)
    for caller in sorted(set(CALLERS) - right(operation)):
        key = town.keys.get(caller)
        answer = town.send(replace(request, key=key))
        expected = (401,) if caller == "nobody" else (401, 403)
        assert answer.status in expected, (caller, answer)
        assert answer.json["code"] in ("unauthenticated", "forbidden")


def cases() -> Iterator[Any]:
    for operation in OPERATIONS:
        if operation.role in ("reseller", "admin", "user"):
            for name in named(operation):
                yield pytest.param(operation, name, id=f"{operation.id}-{name}")


def plain(answer: Answer, name: str) -> tuple[int, str, str]:
    """An answer without the name that was asked for."""
    text = answer.text
    for form in {name, name.lower(), quote(name, safe="")}:
        text = text.replace(form, "NAME")
    headers = {k: v for k, v in answer.headers.items() if k != "ETag"}
    text = re.sub(r'"account_id":"[a-z0-9]+"', '"account_id":"…"', text)
    return answer.status, text, str(headers).replace(name, "NAME")


@pytest.mark.parametrize(("operation", "name"), list(cases()))
def test_what_is_anothers_answers_like_what_is_nobodys(town: Tenant, operation: Operation, name: str) -> None:
    foreign = town.value(operation, name, "foreign")
    with town.trying(operation):
        theirs = town.send(town.request(operation, **{name: foreign}))
    with town.trying(operation):
        nobodys = town.send(town.request(operation, **{name: ABSENT[name]}))
    if operation.view.__name__ in TAKEN:
        assert theirs.status in (409, 422), theirs
        return
    assert plain(theirs, foreign) == plain(nobodys, ABSENT[name])
    makes = operation.method == "PUT" and name == variables(operation)[-1] and name != "domain"
    assert theirs.status == 404 or (makes and theirs.status in (200, 201)), theirs


OF_DOMAINS = [o for o in OPERATIONS if o.role == "reseller" and "domain" in named(o)]


@pytest.mark.parametrize("operation", OF_DOMAINS, ids=lambda o: o.id)
def test_another_reseller_finds_nothing_of_a_domain(town: Tenant, operation: Operation) -> None:
    """By the names that its owner uses."""
    stranger = town.registry.other_key
    theirs = town.send(replace(town.request(operation), key=stranger))
    nobodys = town.send(replace(town.request(operation, domain=ABSENT["domain"]), key=stranger))
    assert theirs.status == 404, theirs
    assert plain(theirs, "x.test") == plain(nobodys, ABSENT["domain"])


def estate(domain: str, reseller: str) -> dict[str, Any]:
    """All that the tables hold of a tenant, but for the marks of who looked at it."""
    kept = {}
    for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
        for pk, items in table.items.items():
            if domain in pk.value or pk.value.endswith(f"#{reseller}"):
                kept[pk.value] = {sk.value: item.to_json()["Attributes"] for sk, item in items.items()}
    return kept


@pytest.mark.parametrize(
    "operation",
    [o for o in OPERATIONS if o.method != "GET" and o.role in ("reseller", "admin", "user")],
    ids=lambda o: o.id,
)
def test_what_a_caller_changes_is_nobody_elses(town: Tenant, operation: Operation) -> None:
    """The same calls that work on what is one's own leave every item of the other tenant as it was."""
    with town.undone():
        before = estate("y.test", "other")
        assert len(before) > 10
        town.send(town.request(operation))
        assert estate("y.test", "other") == before
