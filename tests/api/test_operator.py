"""The operator's calls: resellers and their first keys, whose a domain is, reports of abuse (S30 to S32)."""

from typing import Any

import pytest

from chalicelib.rules.values import Envelope
from chalicelib.services import references
from chalicelib.store.outbox_items import Outgoing
from tests.registry import Answer, Registry

NEW = {"id": "orchard", "name": "Orchard", "contact": "office@orchard.test", "product": "Orchard Mail"}


@pytest.fixture
def town(registry: Registry) -> Registry:
    """x.test is live: ann is its admin, bob a user."""
    registry.order()
    registry.set_state("x.test", "live")
    return registry


def call(town: Registry, method: str, path: str, body: Any = None) -> Answer:
    return town.call(method, f"/v1/operator{path}", body, key=town.operator_key)


def left(town: Registry, id: str, address: str = "bob@x.test") -> str:
    """A message that left, as the send log has it; the id that SES gave it."""
    account: Any = town.platform.directory.lookup([address])[address].entry
    now = town.clock.now()
    envelope = Envelope(address, ("zoe@far.test",))
    out = Outgoing(id, account.id, "x.test", envelope, "own/x", 1, f"{id}@x.test", now, 1)
    town.platform.outbox.remember(f"0100-{id}", out, now)
    return f"<0100-{id}@email.amazonses.com>"


# ------------------------------------------------------------------------------------------- resellers
def test_a_reseller_is_opened_given_a_key_and_sells(town: Registry) -> None:
    made = call(town, "POST", "/resellers", NEW)
    assert (made.status, made.headers["Location"]) == (201, "/v1/operator/resellers/orchard")
    assert made.json == {
        "id": "orchard",
        "name": "Orchard",
        "contact": "office@orchard.test",
        "brand": "orchard",
        "state": "active",
    }
    given = call(town, "POST", "/resellers/orchard/keys", {"label": "first"})
    assert given.status == 201
    key = given.json["api_key"]
    order = {"domain": "pear.test", "mailboxes": [{"local": "ann"}]}
    assert town.call("POST", "/v1/orders", order, key=key).status == 201
    brand = town.platform.brands.get("orchard")
    assert brand
    assert (brand.product, brand.reseller) == ("Orchard Mail", "orchard")
    listed = call(town, "GET", "/resellers").json["resellers"]
    assert [r["id"] for r in listed] == ["house", "orchard", "other"]


def test_a_reseller_is_not_opened_twice_nor_without_a_contact(town: Registry) -> None:
    assert call(town, "POST", "/resellers", {**NEW, "id": "house"}).status == 409
    refused = call(town, "POST", "/resellers", {**NEW, "contact": "nowhere"})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/contact")
    assert call(town, "GET", "/resellers/orchard").status == 404


def test_a_closed_resellers_keys_open_nothing_and_work_again_after(town: Registry) -> None:
    assert call(town, "PATCH", "/resellers/house", {"state": "closed"}).json["state"] == "closed"
    assert town.call("GET", "/v1/domains").status == 403
    assert town.call("GET", "/v1/domains", key=town.other_key).status == 200
    assert town.token("bob@x.test"), "its customers' mail goes on"
    changed = call(town, "PATCH", "/resellers/house", {"state": "active", "contact": "New@House.test"})
    assert changed.json["contact"] == "new@house.test"
    assert town.call("GET", "/v1/domains").status == 200
    events, _ = town.platform.journal.page("house", 50)
    assert [e.before for e in events if e.type == "reseller.changed"] == [
        {"state": "active"},
        {"contact": "office@house.test", "state": "closed"},
    ]


def test_a_change_of_what_is_not_there_any_more_is_refused(town: Registry) -> None:
    headers = {"If-Match": '"0"'}
    path = "/v1/operator/resellers/house"
    assert town.call("PATCH", path, {"name": "H"}, key=town.operator_key, headers=headers).status == 412
    assert call(town, "PATCH", "/resellers/nobody", {"name": "H"}).status == 404


def test_only_the_operator_calls_these(town: Registry) -> None:
    for method, path, body in (
        ("GET", "/resellers", None),
        ("POST", "/resellers", NEW),
        ("GET", "/search?q=x.test", None),
        ("POST", "/abuse-reports", {"submission": "s1", "kind": "spam"}),
    ):
        for key in (town.key, town.token("ann@x.test"), None):
            assert town.call(method, f"/v1/operator{path}", body, key=key).status == 401


def test_whose_a_domain_or_an_address_is(town: Registry) -> None:
    town.call("PUT", "/v1/domains/x.test/mailboxes/bob/suspension", {"reason": "Not paid."})
    found = call(town, "GET", "/search?q=Bob@X.test").json["results"]
    assert [(f["kind"], f["name"], f["reseller"], f["state"], f["holds"]) for f in found] == [
        ("mailbox", "bob@x.test", "house", "suspended", ["reseller"]),
        ("domain", "x.test", "house", "live", []),
    ]
    kinds = [f["kind"] for f in call(town, "GET", "/search?q=all@x.test").json["results"]]
    assert kinds == ["automatic", "domain"]
    for nobody in ("y.test", "not%20a%20domain"):
        assert call(town, "GET", f"/search?q={nobody}").json == {"results": []}


# ---------------------------------------------------------------------------------------------- reports
def test_S30_the_operator_reports_a_message_by_any_of_its_names(town: Registry) -> None:
    seen = left(town, "m1")
    first = call(
        town, "POST", "/abuse-reports", {"message_id": seen, "kind": "harassment", "note": "By phone"}
    )
    assert first.status == 201
    body = first.json
    assert (body["state"], body["measure"], body["address"]) == ("counted", "account", "bob@x.test")
    reference = references.reference(town.platform, "m1")
    for again in ({"submission": "m1"}, {"reference": reference}, {"message_id": seen}):
        answer = call(town, "POST", "/abuse-reports", {**again, "kind": "spam"}).json
        assert (answer["state"], answer["of"]) == ("repeat", body["id"])
    shown = town.call("GET", "/v1/domains/x.test/mailboxes/bob/suspension").json
    assert shown["holds"][0]["reason"] == "Abuse was reported: harassment."
    assert call(town, "GET", f"/abuse-reports/{body['id']}").json == body


def test_S30_what_names_no_message_of_ours_is_kept_and_does_nothing(town: Registry) -> None:
    left(town, "m1")
    forged = references.reference(town.platform, "m1")[:-4] + "0000"
    for named in ({"reference": forged}, {"submission": "m2"}, {"message_id": "<x@email.amazonses.com>"}):
        assert call(town, "POST", "/abuse-reports", {**named, "kind": "spam"}).json["state"] == "unverified"
    for wrong in ({}, {"submission": "m1", "reference": forged}):
        assert call(town, "POST", "/abuse-reports", {**wrong, "kind": "spam"}).status == 422
    assert call(town, "POST", "/abuse-reports", {"submission": "m1", "kind": "dislike"}).status == 422
    assert call(town, "GET", "/abuse-reports/r0").status == 404
    assert town.call("GET", "/v1/domains/x.test/strikes").json["strikes"] == []


def test_S32_strikes_are_seen_by_reseller_admin_and_operator_without_who_reported(town: Registry) -> None:
    left(town, "m1")
    left(town, "m2", "ann@x.test")
    token = town.token("ann@x.test")
    call(town, "POST", "/abuse-reports", {"submission": "m1", "kind": "spam", "note": "Mr Smith told us"})
    for path, key in (
        ("/v1/domains/x.test/strikes", town.key),
        ("/v1/admin/strikes", token),
        ("/v1/operator/domains/x.test/strikes", town.operator_key),
    ):
        seen = town.call("GET", path, key=key)
        assert seen.json == {
            "strikes": [
                {
                    "at": "2026-03-02T09:00:00Z",
                    "address": "bob@x.test",
                    "kind": "spam",
                    "measure": "account",
                    "counts": True,
                }
            ],
            "window_days": 30,
            "next": "domain",
        }
    assert (
        call(town, "POST", "/abuse-reports", {"submission": "m2", "kind": "spam"}).json["measure"] == "domain"
    )
    town.clock.advance(days=31)
    old = town.call("GET", "/v1/domains/x.test/strikes").json
    assert ([s["counts"] for s in old["strikes"]], old["next"]) == ([False, False], "account")


def test_S33_lifting_with_the_strikes_of_a_wrong_report(town: Registry) -> None:
    left(town, "m1")
    call(town, "POST", "/abuse-reports", {"submission": "m1", "kind": "other"})
    lift = {"reason": "A mistake.", "clear_strikes": True}
    assert call(town, "DELETE", "/domains/x.test/mailboxes/bob/suspension", lift).status == 204
    assert town.call("GET", "/v1/domains/x.test/strikes").json["strikes"] == []
    told = {e["type"]: e["after"] for e in town.call("GET", "/v1/domains/x.test/audit").json["events"]}
    assert told["strikes.cleared"] == {"reason": "A mistake."}
    assert (
        call(town, "POST", "/abuse-reports", {"submission": "m1", "kind": "spam"}).json["state"] == "repeat"
    )


def test_reports_are_listed_newest_first_by_page_and_filter(town: Registry) -> None:
    for number in range(3):
        left(town, f"m{number}")
        call(town, "POST", "/abuse-reports", {"submission": f"m{number}", "kind": "spam"})
        town.clock.advance(hours=1)
    call(town, "POST", "/abuse-reports", {"submission": "unknown", "kind": "spam"})
    page = call(town, "GET", "/abuse-reports?limit=3").json
    assert [r["submission"] for r in page["abuse_reports"]] == ["", "m2", "m1"]
    rest = call(town, "GET", f"/abuse-reports?limit=3&cursor={page['cursor']}").json
    assert [r["submission"] for r in rest["abuse_reports"]] == ["m0"]
    assert rest["cursor"] is None
    unverified = call(town, "GET", "/abuse-reports?state=unverified").json["abuse_reports"]
    assert [r["state"] for r in unverified] == ["unverified"]
    assert len(call(town, "GET", "/abuse-reports?domain=X.test").json["abuse_reports"]) == 3
    assert call(town, "GET", "/abuse-reports?state=funny").status == 400
