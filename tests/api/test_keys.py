"""API keys over HTTP: shown once, narrowed, from given networks, exchanged, revoked."""

from typing import Any

from chalicelib.rules.signin import OPERATOR_SCOPES
from chalicelib.services import accounts
from chalicelib.store.credentials import GSI
from tests.registry import Answer, Registry

KEYS = "/v1/keys"
BODY = {"label": "Shop", "scopes": ["orders:write", "domains:read"]}


def made(registry: Registry, **more: Any) -> dict[str, Any]:
    """A key of the house's; `key` is who asks for it."""
    by = more.pop("by", registry.key)
    answer = registry.call("POST", KEYS, {**BODY, **more}, key=by)
    assert answer.status == 201, answer
    return answer.json


def refused(registry: Registry, by: str, **more: Any) -> Answer:
    """Why there is no such key."""
    answer = registry.call("POST", KEYS, {**BODY, **more}, key=by)
    assert answer.status in (403, 422), answer
    return answer


def test_a_key_is_shown_once_and_found_by_a_public_id(registry: Registry) -> None:
    made_now = made(registry)
    secret, id = made_now.pop("key"), made_now["id"]
    assert secret.startswith("ppk_")
    shown = registry.call("GET", f"{KEYS}/{id}")
    assert shown.json == made_now
    assert (shown.json["last_used_at"], shown.json["expires_at"]) == (None, None)
    assert secret[4:] not in str(
        list(registry.platform.directory.table.query_all("RESELLER#house", index=GSI))
    )
    assert registry.call("GET", "/v1/domains", key=secret).status == 200
    assert registry.call("GET", f"{KEYS}/{id}").json["last_used_at"] == "2026-03-02T09:00:00Z"
    registry.clock.advance(minutes=59)
    registry.call("GET", "/v1/domains", key=secret)
    assert registry.call("GET", f"{KEYS}/{id}").json["last_used_at"] == "2026-03-02T09:00:00Z"
    registry.clock.advance(minutes=1)
    registry.call("GET", "/v1/domains", key=secret)
    assert registry.call("GET", f"{KEYS}/{id}").json["last_used_at"] == "2026-03-02T10:00:00Z"
    assert registry.call("GET", f"{KEYS}/{id}", key=registry.other_key).status == 404
    listed = registry.call("GET", f"{KEYS}?limit=1").json
    rest = registry.call("GET", f"{KEYS}?cursor={listed['cursor']}").json
    assert id in [key["id"] for key in listed["keys"] + rest["keys"]]
    assert len(listed["keys"] + rest["keys"]) == 2
    for absent in ("x", "0" * 16, "%23", "KEY"):
        assert registry.call("GET", f"{KEYS}/{absent}").status == 404


def test_a_key_is_revoked_at_once(registry: Registry) -> None:
    given = made(registry)
    assert registry.call("GET", "/v1/domains", key=given["key"]).status == 200
    path = f"{KEYS}/{given['id']}"
    assert registry.call("DELETE", path, key=registry.other_key).status == 404
    assert registry.call("DELETE", path).status == 204
    assert registry.call("GET", "/v1/domains", key=given["key"]).status == 401
    assert registry.call("DELETE", path).status == 404
    types = [e.type for e in registry.platform.journal.page("house", 10)[0]]
    assert types[-2:] == ["key.created", "key.deleted"]


def test_a_key_gives_no_more_than_it_has(registry: Registry) -> None:
    scopes = ["keys:write", "keys:read", "orders:write", "domains:read"]
    ends = "2026-04-01T00:00:00Z"
    narrow = made(registry, scopes=scopes, sources=["192.0.2.0/24"], expires_at=ends)["key"]
    assert refused(registry, narrow, scopes=["mailboxes:write"]).status == 403
    assert refused(registry, narrow, scopes=["*"]).status == 403
    assert refused(registry, narrow, sources=["192.0.0.0/16"]).status == 403
    assert refused(registry, narrow, sources=["2001:db8::/32"]).status == 403
    assert refused(registry, narrow, expires_at="2026-04-01T00:00:01Z").status == 403
    child = made(registry, by=narrow, domains=["x.test"])
    assert child["scopes"] == ["domains:read@x.test", "orders:write@x.test"]
    assert (child["sources"], child["expires_at"]) == (["192.0.2.0/24"], ends)
    assert made(registry, by=narrow, sources=["192.0.2.7"])["sources"] == ["192.0.2.7/32"]
    strong = made(registry, scopes=["mailboxes:write"])
    for method, path, body in (("DELETE", "", None), ("POST", "/rotation", {})):
        assert registry.call(method, f"{KEYS}/{strong['id']}{path}", body, key=narrow).status == 403
    weak = made(registry)["key"]
    assert registry.call("POST", KEYS, BODY, key=weak).status == 403
    assert registry.call("GET", KEYS, key=weak).status == 403
    bound = accounts.issue_key(registry.platform, "house", ["keys:write@x.test", "orders:write@x.test"])
    assert refused(registry, bound, scopes=["orders:write"], domains=["x.test"]).status == 403


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"label": ""}, "/label"),
    ({"label": "x" * 101}, "/label"),
    ({"scopes": []}, "/scopes"),
    ({"scopes": ["orders:write", "orders:eat"]}, "/scopes/1"),
    ({"scopes": ["orders:write@x.test"]}, "/scopes/0"),
    ({"scopes": [min(OPERATOR_SCOPES)]}, "/scopes/0"),
    ({"domains": ["no domain"]}, "/domains/0"),
    ({"sources": ["192.0.2.0/24", "192.0.2.0/33"]}, "/sources/1"),
    ({"expires_at": "2026-03-02T09:00:00Z"}, "/expires_at"),
    ({"expires_at": "2026-03-03T09:00:00"}, "/expires_at"),
]


def test_what_is_wrong_with_a_key_is_said_by_field(registry: Registry) -> None:
    for wrong, pointer in WRONG:
        answer = refused(registry, registry.key, **wrong)
        assert [e["pointer"] for e in answer.json["errors"]] == [pointer], wrong


FROM = [
    (["192.0.2.7"], "192.0.2.7", 200),
    (["192.0.2.0/24"], "192.0.2.255", 200),
    (["192.0.2.0/24"], "192.0.3.0", 403),
    (["192.0.2.0/24"], "::ffff:192.0.2.9", 200),
    (["2001:db8::/32"], "2001:db8:ffff::1", 200),
    (["2001:db8::/32"], "2001:db9::1", 403),
    (["198.51.100.1", "2001:db8::1"], "2001:db8::1", 200),
    (["192.0.2.0/24"], "", 403),
]


def test_a_key_is_heard_from_its_networks_only(registry: Registry) -> None:
    for sources, source, status in FROM:
        key = made(registry, sources=sources)["key"]
        answer = registry.call("GET", "/v1/domains", key=key, source=source)
        assert answer.status == status, (sources, source)
        if status == 403:
            assert "may not be used from" in answer.json["detail"]
    assert registry.call("GET", "/v1/domains", key=key + "x", source="192.0.2.7").status == 401


def test_a_key_is_exchanged_while_the_old_one_goes_on_for_a_while(registry: Registry) -> None:
    old = made(registry, sources=["192.0.2.0/24"])
    path = f"{KEYS}/{old['id']}/rotation"
    new = registry.call("POST", path, {"overlap_hours": 2}).json
    assert new["id"] != old["id"]
    assert {k: new[k] for k in ("label", "scopes", "sources")} == {
        k: old[k] for k in ("label", "scopes", "sources")
    }
    both = (old["key"], new["key"])
    registry.clock.advance(minutes=119)
    assert [registry.call("GET", "/v1/domains", key=key).status for key in both] == [200, 200]
    registry.clock.advance(minutes=1)
    assert [registry.call("GET", "/v1/domains", key=key).status for key in both] == [401, 200]
    assert registry.call("POST", path, {}).status == 409
    assert registry.call("POST", path, {}, key=registry.other_key).status == 404
    assert registry.call("POST", path, {"overlap_hours": 721}).status == 422


def test_the_operator_has_keys_of_its_own(registry: Registry) -> None:
    body = {"label": "Desk", "scopes": ["abuse:read", "abuse:write"]}
    given = registry.call("POST", "/v1/operator/keys", body, key=registry.operator_key)
    assert given.status == 201
    assert given.headers["Location"] == f"/v1/operator/keys/{given.json['id']}"
    assert registry.call("GET", "/v1/domains", key=given.json["key"]).status == 401
    ids = [k["id"] for k in registry.call("GET", "/v1/operator/keys", key=registry.operator_key).json["keys"]]
    assert given.json["id"] in ids
    assert given.json["id"] not in [k["id"] for k in registry.call("GET", KEYS).json["keys"]]
    assert registry.call("DELETE", f"{KEYS}/{given.json['id']}").status == 404


def test_a_secret_is_not_kept_for_a_repeat(registry: Registry) -> None:
    again = {"Idempotency-Key": "once"}
    first = registry.call("POST", KEYS, BODY, headers=again)
    second = registry.call("POST", KEYS, BODY, headers=again)
    assert (first.status, second.status) == (201, 409)
    assert first.json["key"] not in second.text
