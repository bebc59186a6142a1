"""Quota/get, /changes, /query, /queryChanges (RFC 9425): the figure that is enforced (S14)."""

from typing import Any

import pytest

from chalicelib.jmap.quota import ID
from chalicelib.jmap.session import CONTACTS, CORE, MAIL, QUOTA
from tests.jmap.client import Client, Json, letter


def held(jmap: Client) -> Json:
    """The only quota."""
    [quota] = jmap.call("Quota/get", ids=None)["list"]
    return dict(quota)


def test_S14_get_says_what_is_used_and_allowed(jmap: Client) -> None:
    jmap.deliver(letter())
    quota = held(jmap)
    assert (quota["used"], quota["hardLimit"]) == (len(letter()), jmap.account.quota_bytes)
    assert quota["warnLimit"] == jmap.account.quota_bytes * 8 // 10
    assert (quota["scope"], quota["resourceType"]) == ("account", "octets")


def test_get_of_one_property_and_of_an_id_that_is_not_there(jmap: Client) -> None:
    answer = jmap.call("Quota/get", ids=["storage", "none"], properties=["used"])
    assert answer["list"] == [{"id": "storage", "used": 0}]
    assert answer["notFound"] == ["none"]


@pytest.mark.parametrize(
    ("more", "types"),
    [
        ([], None),
        ([MAIL], ["Email"]),
        ([CONTACTS], ["ContactCard"]),
        ([MAIL, CONTACTS], ["Email", "ContactCard"]),
    ],
)
def test_types_are_those_that_the_client_knows(
    jmap: Client, more: list[str], types: list[str] | None
) -> None:
    """RFC 9425 §4: none of a capability that the request does not use, and no quota without any."""
    using = [CORE, QUOTA, *more]
    ids = [ID] if types else []
    got = jmap.using(using, "Quota/get", ids=[ID])
    assert [quota["types"] for quota in got["list"]] == ([types] if types else [])
    assert got["notFound"] == ([] if types else [ID])
    assert [quota["id"] for quota in jmap.using(using, "Quota/get", ids=None)["list"]] == ids
    assert jmap.using(using, "Quota/query")["ids"] == ids
    of_mail = jmap.using(using, "Quota/query", filter={"type": "Email"})["ids"]
    assert of_mail == ([ID] if MAIL in more else [])
    assert jmap.using(using, "Quota/changes", sinceState="0-1")["updated"] == ids


def test_changes_follow_what_is_used(jmap: Client) -> None:
    since = jmap.state("Quota")
    assert jmap.call("Quota/changes", sinceState=since)["updated"] == []
    jmap.deliver(letter())
    answer = jmap.call("Quota/changes", sinceState=since, maxChanges=1)
    assert (answer["oldState"], answer["newState"]) == (since, jmap.state("Quota"))
    assert (answer["created"], answer["updated"], answer["destroyed"]) == ([], ["storage"], [])
    assert answer["updatedProperties"] == ["used"]
    assert answer["hasMoreChanges"] is False
    again = jmap.call("Quota/changes", sinceState=answer["newState"])
    assert (again["updated"], again["updatedProperties"]) == ([], None)


def test_changes_of_the_limit_are_of_more_than_use(jmap: Client) -> None:
    used = jmap.state("Quota").partition("-")[0]
    answer = jmap.call("Quota/changes", sinceState=f"{used}-1")
    assert (answer["updated"], answer["updatedProperties"]) == (["storage"], None)


@pytest.mark.parametrize("since", ["", "x", "1", "1-", "-1-2", "1-2-3", "9" * 50])
def test_a_state_that_was_never_ours(jmap: Client, since: str) -> None:
    assert jmap.error("Quota/changes", sinceState=since)["type"] == "cannotCalculateChanges"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, True),
        ({}, True),
        ({"name": "stor"}, True),
        ({"name": "mail"}, False),
        ({"scope": "account"}, True),
        ({"scope": "domain"}, False),
        ({"resourceType": "octets"}, True),
        ({"resourceType": "count"}, False),
        ({"type": "Email", "scope": "account"}, True),
        ({"type": "Calendar"}, False),
        ({"operator": "NOT", "conditions": [{"type": "Calendar"}, {"scope": "global"}]}, True),
        ({"operator": "OR", "conditions": [{"type": "Calendar"}, {"type": "Email"}]}, True),
        ({"operator": "AND", "conditions": [{"type": "Calendar"}, {"type": "Email"}]}, False),
    ],
)
def test_query(jmap: Client, given: Any, found: bool) -> None:
    sort = [{"property": "used"}, {"property": "name", "isAscending": False}]
    answer = jmap.call("Quota/query", filter=given, sort=sort, calculateTotal=True)
    assert answer["ids"] == (["storage"] if found else [])
    assert answer["total"] == found
    assert answer["queryState"] == jmap.state("Quota")


def test_query_refuses_what_it_does_not_know(jmap: Client) -> None:
    assert jmap.error("Quota/query", filter={"used": 1})["type"] == "unsupportedFilter"
    assert jmap.error("Quota/query", filter={"name": 1})["type"] == "invalidArguments"
    assert jmap.error("Quota/query", sort=[{"property": "scope"}])["type"] == "unsupportedSort"
    assert jmap.error("Quota/queryChanges", sinceQueryState="1-2")["type"] == "cannotCalculateChanges"
