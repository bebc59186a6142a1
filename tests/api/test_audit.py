"""S40 over HTTP: who changed what, for whom; events that can be followed and replayed."""

from typing import Any

from chalicelib.aws.table import Put
from chalicelib.rules.values import SYSTEM, Caller
from chalicelib.services import accounts, audit
from tests.registry import Registry

Json = dict[str, Any]


def write(registry: Registry, *notes: Put) -> None:
    """Changes, by the service itself or by somebody."""
    registry.platform.journal.table.transact(list(notes))


def happen(
    registry: Registry, *subjects: str, type: str = "mailbox.created", reseller: str = "house"
) -> None:
    """Events, a second apart."""
    for subject in subjects:
        write(registry, audit.note(SYSTEM, type, subject, reseller=reseller, domain="x.test"))
        registry.clock.advance(seconds=1)


def read(registry: Registry, path: str, **how: Any) -> Json:
    """What is answered."""
    answer = registry.call("GET", path, **how)
    assert answer.status == 200, answer
    return answer.json


def told(document: Json) -> list[str]:
    """Subjects, but of the keys that every test has."""
    return [e["subject"] for e in document["events"] if e["type"] != "key.created"]


def test_S40_events_are_followed_in_order_and_can_be_read_again(registry: Registry) -> None:
    registry.clock.advance(seconds=10)
    begin = f"/v1/events?limit=3&after={read(registry, '/v1/events')['cursor']}"
    happen(registry, *"abcdefg")
    registry.clock.advance(seconds=10)
    first = read(registry, begin)
    assert (told(first), first["more"]) == (["a", "b", "c"], True)
    second = read(registry, f"/v1/events?limit=4&after={first['cursor']}")
    assert (told(second), second["more"]) == (["d", "e", "f", "g"], False)
    end = read(registry, f"/v1/events?after={second['cursor']}")
    assert (told(end), end["cursor"], end["more"]) == ([], second["cursor"], False)
    assert read(registry, begin) == first
    assert [e["id"] for e in first["events"]] == sorted(e["id"] for e in first["events"])


def test_S40_an_event_is_given_out_when_none_before_it_can_still_come(registry: Registry) -> None:
    happen(registry, "a")
    registry.clock.advance(seconds=1)
    assert told(read(registry, "/v1/events")) == []
    registry.clock.advance(seconds=1.001)
    assert told(read(registry, "/v1/events")) == ["a"]
    assert told(read(registry, "/v1/audit")) == ["a"]


def test_S40_events_of_some_types(registry: Registry) -> None:
    for number in range(6):
        happen(registry, f"m{number}", type="mailbox.created")
        happen(registry, f"d{number}", type="domain.checked")
    registry.clock.advance(seconds=10)
    page = read(registry, "/v1/events?types=domain.*,alias.created&limit=4")
    assert (told(page), page["more"]) == (["d0", "d1", "d2", "d3"], True)
    rest = read(registry, f"/v1/events?types=domain.*&limit=4&after={page['cursor']}")
    assert (told(rest), rest["more"]) == (["d4", "d5"], False)
    none = read(registry, "/v1/events?types=list.created")
    assert (told(none), none["more"]) == ([], False)
    assert told(read(registry, f"/v1/events?after={none['cursor']}")) == []


def test_what_is_asked_wrongly_is_said(registry: Registry) -> None:
    for query in ("after=x", "after=e1", "types=Mailbox", "types=a.b.c", "limit=0", "limit=201", "cursor=x"):
        assert registry.call("GET", f"/v1/events?{query}").status == 400, query


def test_S40_each_sees_its_own(registry: Registry) -> None:
    registry.order()
    registry.set_state("x.test", "live")
    happen(registry, "theirs", reseller="other")
    write(registry, audit.note(SYSTEM, "brand.changed", "beside", reseller="house"))
    registry.clock.advance(seconds=10)
    mine = told(read(registry, "/v1/audit"))
    assert "theirs" not in mine
    assert mine[0] == "beside"
    assert told(read(registry, "/v1/audit", key=registry.other_key)) == ["theirs"]
    admins = told(read(registry, "/v1/admin/audit", key=registry.token("ann@x.test")))
    assert admins
    assert "beside" not in admins
    assert "theirs" not in admins
    operators = "/v1/operator/audit?reseller="
    assert told(read(registry, f"{operators}house", key=registry.operator_key)) == mine
    assert told(read(registry, f"{operators}other", key=registry.operator_key)) == ["theirs"]
    assert told(read(registry, "/v1/operator/domains/x.test/audit", key=registry.operator_key)) == admins
    assert registry.call("GET", f"{operators}house").status == 401


def test_S40_a_page_of_the_audit_goes_on_where_it_ended(registry: Registry) -> None:
    happen(registry, *"abcde")
    first = read(registry, "/v1/audit?limit=3")
    assert told(first) == ["e", "d", "c"]
    assert told(read(registry, f"/v1/audit?limit=3&cursor={first['cursor']}")) == ["b", "a"]


def test_S1_S40_the_operators_keys_and_machines_are_its_own_affair(registry: Registry) -> None:
    operator = Caller("", "1234567890abcdef", frozenset({"*"}), "203.0.113.5", role="operator")
    write(registry, audit.note(operator, "domain.suspended", "x.test", reseller="house", domain="x.test"))
    registry.clock.advance(seconds=10)
    for path in ("/v1/audit", "/v1/events"):
        [seen] = [e for e in read(registry, path)["events"] if e["type"] == "domain.suspended"]
        assert (seen["actor"], seen["source"]) == ("operator", "")
    path = "/v1/operator/audit?reseller=house&limit=1"
    [own] = read(registry, path, key=registry.operator_key)["events"]
    assert own["actor"].startswith("operator:1234567890ab")
    assert own["source"] == "203.0.113.5"


def test_a_key_for_one_domain_sees_that_domains_audit_alone(registry: Registry) -> None:
    registry.order()
    key = accounts.issue_key(registry.platform, "house", ["events:read@x.test", "webhooks:write@x.test"])
    assert registry.call("GET", "/v1/domains/x.test/audit", key=key).status == 200
    for path in ("/v1/audit", "/v1/events"):
        assert registry.call("GET", path, key=key).status == 403
    assert registry.call("POST", "/v1/webhooks", {"url": "https://a.example/"}, key=key).status == 403
