"""S31 to S33 over the API: who suspends, who lifts, who is told why."""

import pytest

from chalicelib.rules.values import SYSTEM, Account
from chalicelib.services import abuse, suspension
from tests.registry import Registry

DOMAIN, BOB = "/v1/domains/x.test", "/v1/domains/x.test/mailboxes/bob"
OPERATOR = "/v1/operator/domains/x.test"


@pytest.fixture
def town(registry: Registry) -> Registry:
    """x.test is live: ann is its admin, bob a user."""
    registry.order()
    registry.set_state("x.test", "live")
    return registry


def bob(town: Registry) -> Account:
    entry = town.platform.directory.lookup(["bob@x.test"])["bob@x.test"].entry
    assert isinstance(entry, Account)
    return entry


def operator(town: Registry, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    answer = town.call(method, path, body, key=town.operator_key)
    return answer.status, answer.json if answer.text else {}


@pytest.mark.parametrize("path", [DOMAIN, BOB])
def test_S31_a_reseller_suspends_and_resumes_its_own(town: Registry, path: str) -> None:
    token = town.token("bob@x.test")
    made = town.call("PUT", f"{path}/suspension", {"reason": "Not paid."})
    assert made.status == 201
    [held] = made.json["holds"]
    assert (held["holder"], held["reason"], held["at"]) == ("reseller", "Not paid.", "2026-03-02T09:00:00Z")
    assert held["by"].startswith("reseller:")
    assert town.call("PUT", f"{path}/suspension", {"reason": "Still not."}).status == 200
    town.clock.advance(seconds=15)
    assert town.call("GET", "/jmap/session", key=token).status == 403
    assert town.call("DELETE", f"{path}/suspension").status == 204
    assert town.call("DELETE", f"{path}/suspension").status == 404
    assert town.call("GET", f"{path}/suspension").json == {
        "suspended": False,
        "sending_paused": False,
        "holds": [],
    }
    assert town.call("GET", "/jmap/session", key=token).status == 200


@pytest.mark.parametrize("path", ["", "/mailboxes/bob"])
def test_S33_only_the_operator_lifts_what_the_operator_suspended_and_says_why(
    town: Registry, path: str
) -> None:
    assert operator(town, "PUT", f"{OPERATOR}{path}/suspension", {})[0] == 422
    assert operator(town, "PUT", f"{OPERATOR}{path}/suspension", {"reason": "Chain letters."})[0] == 201
    assert town.call("DELETE", f"{DOMAIN}{path}/suspension").status == 404
    [held] = town.call("GET", f"{DOMAIN}{path}/suspension").json["holds"]
    assert (held["holder"], held["reason"]) == ("operator", "Chain letters.")
    assert operator(town, "DELETE", f"{OPERATOR}{path}/suspension", {"reason": ""})[0] == 422
    assert operator(town, "DELETE", f"{OPERATOR}{path}/suspension", {"reason": "He apologised."})[0] == 204
    assert operator(town, "GET", f"{OPERATOR}{path}/suspension")[1]["holds"] == []
    events = town.call("GET", f"{DOMAIN}/audit").json["events"]
    kind = "mailbox" if path else "domain"
    lifted = next(e for e in events if e["type"] == f"{kind}.resumed")
    assert lifted["actor"] == "operator", "which of them is not the reseller's affair"
    assert lifted["at"] == "2026-03-02T09:00:00Z"
    assert lifted["after"] == {"holder": "operator", "reason": "He apologised."}


def test_S31_holds_of_operator_and_reseller_are_each_ones_own(town: Registry) -> None:
    town.call("PUT", f"{BOB}/suspension", {})
    operator(town, "PUT", f"{OPERATOR}/mailboxes/bob/suspension", {"reason": "Harassment."})
    operator(town, "DELETE", f"{OPERATOR}/mailboxes/bob/suspension", {"reason": "Settled."})
    shown = town.call("GET", f"{BOB}/suspension").json
    assert (shown["suspended"], [h["holder"] for h in shown["holds"]]) == (True, ["reseller"])
    assert bob(town).state == "suspended"


def test_an_admin_sees_why_and_lets_a_stolen_mailbox_send_again(town: Registry) -> None:
    token = town.token("ann@x.test")
    abuse.pause_sending(town.platform, bob(town).id, "bounces")
    shown = town.call("GET", "/v1/admin/mailboxes/bob/suspension", key=token).json
    assert (shown["suspended"], shown["sending_paused"]) == (False, True)
    assert town.token("bob@x.test"), "log-in goes on"
    refused = town.call("DELETE", "/v1/admin/mailboxes/bob/sending-pause", key=token)
    assert (refused.status, refused.json["code"]) == (409, "conflict")
    assert (
        operator(town, "DELETE", f"{OPERATOR}/mailboxes/bob/sending-pause", {"reason": "Theirs."})[0] == 204
    )
    assert town.call("DELETE", "/v1/admin/mailboxes/bob/sending-pause", key=token).status == 404
    assert not bob(town).holds


def test_an_admin_whose_own_mailbox_looks_stolen_needs_another(town: Registry) -> None:
    token = town.token("ann@x.test")
    ann = town.platform.directory.lookup(["ann@x.test"])["ann@x.test"].entry
    assert isinstance(ann, Account)
    abuse.pause_sending(town.platform, ann.id, "bounces")
    assert town.call("DELETE", "/v1/admin/mailboxes/ann/sending-pause", key=token).status == 403


def test_a_rename_carries_the_suspension_along(town: Registry) -> None:
    operator(town, "PUT", f"{OPERATOR}/mailboxes/bob/suspension", {"reason": "Harassment."})
    renamed = town.call("POST", f"{BOB}/rename", {"local": "bobby"})
    assert renamed.status == 200, renamed
    shown = town.call("GET", "/v1/domains/x.test/mailboxes/bobby/suspension").json
    assert [h["reason"] for h in shown["holds"]] == ["Harassment."]


def test_S33_a_reversal_and_a_new_order_do_not_lift_the_operators_suspension(town: Registry) -> None:
    suspension.hold(town.platform, SYSTEM, town.domain(), "operator", "Phishing.")
    assert town.call("POST", f"{DOMAIN}/reversal", {}).status < 300
    order = {"domain": "x.test", "mailboxes": [{"local": "ann"}]}
    for key in (town.key, town.other_key):
        assert town.call("POST", "/v1/orders", order, key=key).status == 409
    lift = operator(town, "DELETE", f"{OPERATOR}/suspension", {"reason": "The pages are gone."})
    assert lift[0] == 204
    assert town.call("POST", "/v1/orders", order, key=town.other_key).status == 201
