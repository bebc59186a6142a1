"""S40 over HTTP: webhooks are made, changed, tried out and removed by their reseller alone."""

from typing import Any

from tests.registry import Registry
from tests.services.hooks import listening

URL = "https://hooks.example.com/mail"


def made(registry: Registry, **body: Any) -> dict[str, Any]:
    """A webhook as its making is answered."""
    answer = registry.call("POST", "/v1/webhooks", {"url": URL, **body})
    assert answer.status == 201, answer
    assert answer.headers["Location"] == f"/v1/webhooks/{answer.json['id']}"
    return answer.json


def test_S40_the_secret_of_a_webhook_is_shown_once(registry: Registry) -> None:
    hook = made(registry, types=["mailbox.*"])
    secret = hook.pop("secret")
    assert secret.startswith("whsec_")
    path = f"/v1/webhooks/{hook['id']}"
    assert registry.call("GET", path).json == hook
    assert registry.call("GET", "/v1/webhooks").json == {"webhooks": [hook]}
    turned = registry.call("POST", f"{path}/rotate").json
    assert turned.pop("secret") != secret
    assert turned == hook
    for read in ("/v1/audit", path, "/v1/webhooks"):
        assert "whsec_" not in registry.call("GET", read).text


def test_S40_a_webhook_is_changed_and_removed(registry: Registry) -> None:
    path = f"/v1/webhooks/{made(registry)['id']}"
    tag = registry.call("GET", path).headers["ETag"]
    changed = registry.call(
        "PATCH", path, {"types": ["domain.*"], "state": "disabled"}, headers={"If-Match": tag}
    )
    assert (changed.status, changed.json["types"], changed.json["state"]) == (200, ["domain.*"], "disabled")
    assert registry.call("PATCH", path, {"after": ""}, headers={"If-Match": tag}).status == 412
    assert registry.call("PATCH", path, {"state": "active", "after": ""}).json["after"] == ""
    assert registry.call("DELETE", path).status == 204
    assert registry.call("GET", path).status == registry.call("DELETE", path).status == 404
    types = [e["type"] for e in registry.call("GET", "/v1/audit?limit=4").json["events"]]
    assert types == ["webhook.deleted", "webhook.changed", "webhook.changed", "webhook.created"]


def test_what_cannot_be_a_webhook_is_refused_with_the_field(registry: Registry) -> None:
    for body, pointer in (
        ({"url": "http://hooks.example.com/"}, "/url"),
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "https://localhost/"}, "/url"),
        ({"types": ["Mailbox"]}, "/types/0"),
        ({"types": ["a.*"] * 51}, "/types"),
        ({"other": 1}, "/other"),
    ):
        answer = registry.call("POST", "/v1/webhooks", {"url": URL, **body})
        assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, pointer), body
    path = f"/v1/webhooks/{made(registry)['id']}"
    for patch in ({"after": "e1"}, {"url": ""}, {"url": None}, {"state": "away"}):
        assert registry.call("PATCH", path, patch).status == 422, patch


def test_there_are_so_many_and_no_more(registry: Registry) -> None:
    for _ in range(20):
        made(registry)
    answer = registry.call("POST", "/v1/webhooks", {"url": URL})
    assert (answer.status, answer.json["limit"]) == (409, 20)


def test_S40_anothers_webhook_is_not_there(registry: Registry) -> None:
    path, key = f"/v1/webhooks/{made(registry)['id']}", registry.other_key
    calls = [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate"),
        ("POST", "/test"),
        ("GET", "/attempts"),
    ]
    for method, more in calls:
        body: Any = {"types": []} if method == "PATCH" else None
        answers = [registry.call(method, p + more, body, key=key) for p in (path, "/v1/webhooks/w0")]
        assert [a.status for a in answers] == [404, 404]
        assert answers[0].text == answers[1].text
    assert registry.call("GET", "/v1/webhooks", key=key).json == {"webhooks": []}


def test_S40_a_webhook_is_tried_out_and_the_attempts_are_listed(registry: Registry) -> None:
    with listening() as server:
        path = f"/v1/webhooks/{made(registry, url=server.url)['id']}"
        good = registry.call("POST", f"{path}/test").json
        server.answer = 500
        bad = registry.call("POST", f"{path}/test").json
    assert (good["ok"], good["status"], good["type"]) == (True, 200, "webhook.test")
    assert (bad["ok"], bad["status"]) == (False, 500)
    found = registry.call("GET", f"{path}/attempts?limit=1").json
    rest = registry.call("GET", f"{path}/attempts?limit=1&cursor={found['cursor']}").json
    key = "event"
    assert sorted(a[key] for a in found["attempts"] + rest["attempts"]) == sorted([good[key], bad[key]])
