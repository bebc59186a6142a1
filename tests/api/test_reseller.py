"""The REST API of resellers, through app.py with API Gateway's events."""

import json
from typing import Any
from unittest import mock

from chalicelib.services import accounts, activation, mailbox, orders
from tests.registry import PASSWORD, TOKENS, Answer, Registry, box

ORDER = {
    "domain": "X.test",
    "mailboxes": [
        {"local": "ann", "password": PASSWORD, "name": "Ann", "imap": True, "storage_mb": 500, "admin": True},
        {"local": "bob", "imap": False, "storage_mb": 250, "admin": False, "recovery_address": "b@home.test"},
    ],
}


def problem(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal (RFC 9457), whole."""
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer
    body = answer.json
    assert {"type", "title", "status", "code", "detail", "request_id"} <= set(body)
    assert (body["status"], body["code"], body["request_id"]) == (status, code, "req-1")
    return body


# ------------------------------------------------------------------------------------------------ orders
def test_S3_an_order_is_answered_with_201_and_can_be_read_again(registry: Registry) -> None:
    placed = registry.call("POST", "/v1/orders", ORDER)
    assert placed.status == 201
    body = placed.json
    assert (body["domain"], body["state"], body["created_at"]) == ("x.test", "placed", "2026-03-02T09:00:00Z")
    assert [m["address"] for m in body["mailboxes"]] == ["ann@x.test", "bob@x.test"]
    assert body["price"] == {"monthly_mills": 700, "monthly": "0.700", "currency": "USD"}
    assert PASSWORD not in placed.text
    assert placed.headers["Location"] == f"/v1/orders/{body['id']}"
    assert registry.call("GET", placed.headers["Location"]).json == body


def test_a_repeat_with_its_key_is_the_same_order(registry: Registry) -> None:
    headers = {"Idempotency-Key": "7f1c"}
    first = registry.call("POST", "/v1/orders", ORDER, headers=headers)
    again = registry.call("POST", "/v1/orders", ORDER, headers=headers)
    assert (again.status, again.text) == (201, first.text)
    problem(registry.call("POST", "/v1/orders", ORDER), 409, "conflict")
    other = {**ORDER, "domain": "y.test"}
    problem(registry.call("POST", "/v1/orders", other, headers=headers), 422, "idempotency_mismatch")
    problem(
        registry.call("POST", "/v1/orders", other, headers={"Idempotency-Key": "k" * 256}), 400, "bad_request"
    )


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"domain": 5}, "/domain"),
    ({"domain": "x"}, "/domain"),
    ({"mailboxes": []}, "/mailboxes"),
    ({"mailboxes": "ann"}, "/mailboxes"),
    ({"mailboxes": [{}]}, "/mailboxes/0/local"),
    ({"mailboxes": [{"local": "ann", "storage_mb": "250"}]}, "/mailboxes/0/storage_mb"),
    ({"mailboxes": [{"local": "ann", "storage_mb": 250.5}]}, "/mailboxes/0/storage_mb"),
    ({"mailboxes": [{"local": "abuse"}]}, "/mailboxes/0/local"),
    ({"mailboxes": [{"local": "ann", "imap": 1}]}, "/mailboxes/0/imap"),
    ({"mailboxes": [{"local": "ann", "a/b~c": 1}]}, "/mailboxes/0/a~1b~0c"),
    ({"surprise": 1}, "/surprise"),
]


def test_a_wrong_body_is_refused_with_pointers(registry: Registry) -> None:
    for change, pointer in WRONG:
        body = problem(registry.call("POST", "/v1/orders", {**ORDER, **change}), 422, "invalid")
        assert pointer in [e["pointer"] for e in body["errors"]]
        assert all(e["detail"] for e in body["errors"])


def test_what_is_no_json_is_refused(registry: Registry) -> None:
    surrogate = json.dumps({**ORDER, "domain": "\ud800.test"})
    for raw in ("", "{", "[1,]", '{"domain": NaN}', "[" * 100_000, surrogate, None):
        problem(registry.call("POST", "/v1/orders", raw=raw), 400, "bad_request")
    for raw in ("[]", "null", '"x"', "1"):
        problem(registry.call("POST", "/v1/orders", raw=raw), 422, "invalid")
    problem(registry.call("POST", "/v1/orders", raw='"' + "x" * 300_000 + '"'), 413, "too_large")
    csv = {"Content-Type": "text/csv"}
    problem(registry.call("POST", "/v1/orders", ORDER, headers=csv), 415, "unsupported_media_type")


def test_a_password_is_in_no_refusal(registry: Registry) -> None:
    mailbox = {"local": "ann", "password": ["correct horse 9"]}
    assert (
        "horse" not in registry.call("POST", "/v1/orders", {"domain": "x.test", "mailboxes": [mailbox]}).text
    )


# ----------------------------------------------------------------------------------------------- domains
def test_S8_a_domain_shows_its_records_and_their_states(registry: Registry) -> None:
    registry.order()
    body = registry.call("GET", "/v1/domains/X.test").json
    assert (body["domain"], body["state"], body["live_at"]) == ("x.test", "pending", None)
    assert body["dns"][0] == {
        "name": "x.test",
        "type": "MX",
        "value": "10 inbound.x.test.emailmx.test.",
        "purpose": "mx",
        "required": True,
        "state": "unknown",
        "seen": [],
        "checked_at": None,
    }
    assert [r["name"] for r in body["dns"] if r["purpose"] == "dkim"] == [
        f"{t}._domainkey.x.test" for t in TOKENS
    ]


def test_S4_a_check_looks_and_activates_now(registry: Registry) -> None:
    registry.order()
    registry.zone.put("x.test", "MX", ["5 mx.else.test."])
    body = registry.call("POST", "/v1/domains/x.test/check").json
    assert (body["state"], body["dns"][0]["state"]) == ("pending", "wrong")
    assert body["dns"][0]["seen"] == ["5 mx.else.test."]
    assert body["dns"][0]["checked_at"] == "2026-03-02T09:00:00Z"
    for row in body["dns"]:
        registry.zone.put(row["name"], row["type"], [row["value"]])
    body = registry.call("POST", "/v1/domains/x.test/check").json
    assert (body["state"], body["live_at"]) == ("live", "2026-03-02T09:00:00Z")
    assert {row["state"] for row in body["dns"]} == {"ok"}
    assert registry.call("GET", "/v1/domains/x.test").json == body


def test_domains_come_in_pages_and_only_ones_own(registry: Registry) -> None:
    for n in range(5):
        registry.order(f"d{n}.test", box("ann", password=None))
    registry.order("e.test", box("ann", password=None), caller=registry.other)
    pages = [registry.call("GET", "/v1/domains?limit=2").json]
    while cursor := pages[-1]["cursor"]:
        pages.append(registry.call("GET", f"/v1/domains?limit=2&cursor={cursor}").json)
    assert [[d["domain"] for d in page["domains"]] for page in pages] == [
        ["d0.test", "d1.test"],
        ["d2.test", "d3.test"],
        ["d4.test"],
    ]
    assert set(pages[0]["domains"][0]) == {"domain", "state", "order", "ordered_at", "live_at"}


def test_a_page_that_cannot_be(registry: Registry) -> None:
    wrong = ("limit=0", "limit=201", "limit=x", "limit=-1", "cursor=x", "cursor=MSA", "cursor=é")
    for query in wrong:
        problem(registry.call("GET", f"/v1/domains?{query}"), 400, "bad_request")


def test_S14_mailboxes_show_what_they_hold_of_what_they_may(registry: Registry) -> None:
    registry.order("x.test", box("ann", storage_mb=500, name="Ann"), box("bob"))
    first = registry.call("GET", "/v1/domains/x.test/mailboxes?limit=3").json
    rest = registry.call("GET", f"/v1/domains/x.test/mailboxes?cursor={first['cursor']}").json
    ann, bob = first["mailboxes"] + rest["mailboxes"]
    assert rest["cursor"] is None
    assert (ann["address"], ann["name"], ann["state"], ann["storage_mb"]) == (
        "ann@x.test",
        "Ann",
        "active",
        500,
    )
    assert ann["storage"] == {
        "limit": 524_288_000,
        "used": 0,
        "remaining": 524_288_000,
        "unit": "bytes",
        "resets_at": None,
    }
    assert bob["address"] == "bob@x.test"
    assert "hash" not in str(ann)


# ----------------------------------------------------------------------------------- who may, what exists
def test_foreign_and_absent_are_the_same(registry: Registry) -> None:
    order = registry.order()
    paths = ["/v1/domains/{}", "/v1/domains/{}/mailboxes", "/v1/domains/{}/check"]
    for path, method in zip(paths, ("GET", "GET", "POST"), strict=True):
        foreign = registry.call(method, path.format("x.test"), key=registry.other_key)
        absent = registry.call(method, path.format("never.test"), key=registry.other_key)
        problem(foreign, 404, "not_found")
        assert foreign.text == absent.text
    foreign = registry.call("GET", f"/v1/orders/{order.id}", key=registry.other_key)
    assert foreign.text == registry.call("GET", "/v1/orders/never", key=registry.other_key).text
    problem(registry.call("GET", "/v1/domains/%00"), 404, "not_found")


def test_without_a_key_nothing(registry: Registry) -> None:
    for key in (None, "", "ppk_wrong", "pps_wrong"):
        for method, path in (("POST", "/v1/orders"), ("GET", "/v1/domains"), ("GET", "/v1/domains/x.test")):
            answer = registry.call(method, path, ORDER if method == "POST" else None, key=key)
            problem(answer, 401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    basic = {"Authorization": "Basic YTpi"}
    problem(registry.call("GET", "/v1/domains", key=None, headers=basic), 401, "unauthenticated")


def test_a_key_opens_what_its_scopes_say(registry: Registry) -> None:
    order = registry.order()
    p = registry.platform
    reader = accounts.issue_key(p, "house", ["domains:read@x.test", "orders:read@x.test"])
    assert registry.call("GET", "/v1/domains/x.test", key=reader).status == 200
    assert registry.call("GET", f"/v1/orders/{order.id}", key=reader).status == 200
    for method, path in (
        ("GET", "/v1/domains/y.test"),
        ("GET", "/v1/domains"),
        ("GET", "/v1/domains/x.test/mailboxes"),
        ("POST", "/v1/domains/x.test/check"),
        ("GET", "/v1/orders/never"),
    ):
        problem(registry.call(method, path, key=reader), 403, "forbidden")
    problem(registry.call("POST", "/v1/orders", {"nonsense": 1}, key=reader), 403, "forbidden")


def test_paths_and_methods_that_are_not_there(registry: Registry) -> None:
    problem(registry.call("GET", "/v1/nothing"), 404, "not_found")
    for method in ("PUT", "PATCH", "DELETE"):
        answer = registry.call(method, "/v1/orders", ORDER, headers={"Content-Type": "text/csv"})
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"].endswith("POST")
    assert registry.call("POST", "/v1/domains/x.test").headers["Allow"].count("GET, HEAD") == 1


def test_a_bug_is_a_500_that_says_nothing(registry: Registry) -> None:
    registry.order()
    for error in (RuntimeError("secret detail"), KeyError("secret")):
        with mock.patch.object(activation, "rows", side_effect=error):
            answer = registry.call("GET", "/v1/domains/x.test")
        problem(answer, 500, "internal")
        assert "secret" not in answer.text


def test_an_order_whose_second_half_fails_is_placed_all_the_same(registry: Registry) -> None:
    registry.identities.broken = True
    headers = {"Idempotency-Key": "k"}
    assert registry.call("POST", "/v1/orders", ORDER, headers=headers).json["state"] == "placing"
    registry.identities.broken = False
    assert registry.call("POST", "/v1/orders", ORDER, headers=headers).json["state"] == "placed"


def test_documents_have_tags(registry: Registry) -> None:
    registry.order()
    first = registry.call("GET", "/v1/domains/x.test")
    tag = first.headers["ETag"]
    again = registry.call("GET", "/v1/domains/x.test", headers={"If-None-Match": f'"old", W/{tag}'})
    assert (again.status, again.text) == (304, "")
    registry.point()
    registry.call("POST", "/v1/domains/x.test/check")
    changed = registry.call("GET", "/v1/domains/x.test", headers={"If-None-Match": tag})
    assert (changed.status, changed.json["state"]) == (200, "live")


def test_nothing_is_cached_by_others_or_sniffed(registry: Registry) -> None:
    for path in ("/v1/domains", "/v1/nothing", "/v1/status"):
        headers = registry.call("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] in ("no-store", "private, no-cache")


def test_the_largest_order_stays_below_the_limits(registry: Registry) -> None:
    """40 mailboxes and the longest names: one transaction, one body."""
    mailboxes = [{"local": f"{n:02}" + "l" * 62, "name": "N" * 100} for n in range(orders.MOST_MAILBOXES)]
    body = {"domain": "x.test", "mailboxes": mailboxes}
    with mock.patch.object(mailbox, "create"):
        assert registry.call("POST", "/v1/orders", body).status == 201
