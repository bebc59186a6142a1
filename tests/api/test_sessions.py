"""Log-in and log-out over HTTP, and what anybody may read."""

import base64
from dataclasses import replace
from unittest import mock

import pytest
from chalice.app import Request

import app
from chalicelib.api import auth
from chalicelib.rules.errors import ServiceError
from chalicelib.services import signin
from tests.registry import PASSWORD, Answer, Registry

OPENED = "/v1/sessions"


def enter(registry: Registry, password: str = PASSWORD, address: str = "ann@x.test") -> Answer:
    """A log-in."""
    body = {"address": address, "password": password}
    return registry.call("POST", OPENED, body, key=None, source="198.51.100.1")


def request(registry: Registry, headers: dict[str, str]) -> Request:
    """A request with these headers, as routes see it."""
    registry.call("GET", "/v1/status", key=None, headers=headers)
    assert app.app.current_request
    return app.app.current_request


def test_S5_a_log_in_is_refused_with_the_reason_until_the_domain_is_live(registry: Registry) -> None:
    registry.order()
    refused = enter(registry)
    assert (refused.status, refused.json["code"]) == (403, "domain_pending")
    assert "MX" in refused.json["detail"]
    assert (enter(registry, "wrong password").status, enter(registry, address="x").status) == (401, 401)
    registry.point()
    registry.call("POST", "/v1/domains/x.test/check")
    opened = enter(registry)
    assert opened.status == 201
    assert set(opened.json) == {"token", "account_id", "address", "name", "expires_at", "quota"}
    assert opened.json["expires_at"] == "2026-03-16T09:00:00Z"


def test_log_out(registry: Registry) -> None:
    registry.order()
    registry.set_state("x.test", "live")
    token = enter(registry).json["token"]
    gone = registry.call("DELETE", OPENED, key=token)
    assert (gone.status, gone.text) == (204, "")
    again = registry.call("DELETE", OPENED, key=token)
    assert (again.status, again.json["code"]) == (401, "unauthenticated")
    assert registry.call("DELETE", OPENED, key=registry.key).status == 401
    assert registry.call("GET", "/v1/domains", key=token).status == 401


def test_too_many_are_told_when_to_come_back(registry: Registry) -> None:
    registry.order()
    for _ in range(10):
        assert enter(registry, "wrong password").status == 401
    answer = enter(registry)
    assert (answer.status, answer.json["code"]) == (429, "throttled")
    assert int(answer.headers["Retry-After"]) == answer.json["retry_after"] > 0


def test_a_log_in_of_another_shape(registry: Registry) -> None:
    for body in ({}, {"address": "a"}, {"address": "a", "password": 1}, {"address": "a" * 2_000}):
        assert registry.call("POST", OPENED, body, key=None).status == 422


def test_mail_clients_come_with_address_and_password(registry: Registry) -> None:
    registry.order()
    registry.set_state("x.test", "live")

    def ask(text: bytes) -> str:
        basic = {"Authorization": f"Basic {base64.b64encode(text).decode()}"}
        return auth.account(request(registry, basic)).address

    assert ask(f"ann@x.test:{PASSWORD}".encode()) == "ann@x.test"
    for wrong in (b"ann@x.test:no", b"ann@x.test", b"\xff:x", b""):
        with pytest.raises(ServiceError):
            ask(wrong)


# ------------------------------------------------------------------------------------------------- public
def test_the_service_says_that_it_is_up(registry: Registry) -> None:
    answer = registry.call("GET", "/v1/status", key=None)
    assert (answer.status, answer.json) == (200, {"status": "ok"})


EDGE = {"X-Origin-Secret": "the edge of tests"}
STRANGER = {"X-Origin-Secret": "the edge of guesses"}
BY_HOST = [
    ({"Host": "mail.x.test"}, "House Mail"),
    ({"Host": "mail.x.test:8080"}, "House Mail"),
    ({"Host": "api.test", "X-Forwarded-Host": "emailadmin.x.test", **EDGE}, "House Mail"),
    ({"Host": "api.test", "X-Forwarded-Host": "emailadmin.x.test", **STRANGER}, "Mail"),
    ({"Host": "api.test", "X-Forwarded-Host": "emailadmin.x.test"}, "Mail"),
    ({"Host": "elsewhere.test"}, "Mail"),
    ({"Host": "[::1]:8080"}, "Mail"),
]


def test_S1_the_host_decides_the_brand(registry: Registry) -> None:
    registry.order()
    for headers, product in BY_HOST:
        answer = registry.call("GET", "/brand.json", key=None, headers=headers)
        body = answer.json
        assert body["product"] == product
        assert set(body) == {"product", "logo", "colors", "support", "help_url"}
        assert (set(body["colors"]), set(body["support"])) == ({"primary", "accent"}, {"email", "url"})
        assert "plainpost" not in answer.text.lower()


HOPS = {"X-Forwarded-Host": "m.test", "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 130.176.0.1"}
SOURCES = [
    ({}, "192.0.2.7"),
    ({"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}, "192.0.2.7"),
    ({**HOPS, **EDGE}, "203.0.113.9"),
    (HOPS, "192.0.2.7"),
    ({**HOPS, **STRANGER}, "192.0.2.7"),
    ({**HOPS, "X-Origin-Secret": ""}, "192.0.2.7"),
    ({"X-Forwarded-Host": "m.test", **EDGE}, "192.0.2.7"),
]


def test_where_a_request_came_from(registry: Registry) -> None:
    for headers, source in SOURCES:
        assert auth.source(request(registry, headers)) == source, headers


def test_without_a_secret_nobody_is_the_edge(registry: Registry) -> None:
    bare = replace(registry.platform, settings=replace(registry.platform.settings, origin_secret=""))
    asked = request(registry, {**HOPS, "X-Origin-Secret": ""})
    with mock.patch.object(auth, "platform", return_value=bare):
        assert auth.source(asked) == "192.0.2.7"


# -------------------------------------------------------------------------------- where one is logged in
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1"
MINE = "/v1/mailbox/sessions"


def opened(registry: Registry, agent: str, source: str) -> str:
    """A session's token."""
    body = {"address": "bob@x.test", "password": PASSWORD}
    how = {"headers": {"User-Agent": agent}, "source": source}
    return str(registry.call("POST", OPENED, body, key=None, **how).json["token"])


def test_S23_sessions_are_listed_with_time_network_and_browser(registry: Registry) -> None:
    registry.order()
    registry.set_state("x.test", "live")
    old = opened(registry, SAFARI, "2001:db8:0:1:2:3:4:5")
    registry.clock.advance(minutes=50)
    own = opened(registry, FIREFOX, "203.0.113.9")
    registry.clock.advance(minutes=20)
    rows = registry.call("GET", MINE, key=own).json["sessions"]
    assert [row["current"] for row in rows] == [True, False]
    assert [row["agent"] for row in rows] == ["Firefox on Linux", "Safari on iPhone"]
    assert [row["network"] for row in rows] == ["203.0.113.9", "2001:db8:0:1::/64"]
    assert {row["last_seen_at"] for row in rows} == {"2026-03-02T09:00:00Z", "2026-03-02T09:50:00Z"}
    registry.call("GET", MINE, key=old)
    rows = registry.call("GET", MINE, key=own).json["sessions"]
    assert rows[1]["last_seen_at"] == "2026-03-02T10:10:00Z", (
        "to the hour: the second sight was worth a write"
    )
    assert not any(token[4:] in str(rows) for token in (old, own))
    registry.clock.advance(days=14, minutes=-30)
    assert registry.call("GET", MINE, key=own).json["sessions"] == [
        row | {"last_seen_at": "2026-03-16T09:40:00Z"} for row in rows[:1]
    ]


def test_S23_one_session_is_ended_or_all_others(registry: Registry) -> None:
    registry.order()
    registry.set_state("x.test", "live")
    one, two, three = (registry.token("bob@x.test") for _ in range(3))
    ann = registry.token("ann@x.test")
    rows = registry.call("GET", MINE, key=one).json["sessions"]
    own = next(row["id"] for row in rows if row["current"])
    for foreign in (own, "0" * 16):
        assert registry.call("DELETE", f"{MINE}/{foreign}", key=ann).status == 404
    other = next(row["id"] for row in registry.call("GET", MINE, key=two).json["sessions"] if row["current"])
    assert registry.call("DELETE", f"{MINE}/{other}", key=one).status == 204
    assert [registry.call("GET", MINE, key=token).status for token in (one, two, three)] == [200, 401, 200]
    assert registry.call("DELETE", MINE, key=three).status == 204
    assert [registry.call("GET", MINE, key=token).status for token in (one, two, three)] == [401, 401, 200]
    assert registry.call("GET", MINE, key=ann).status == 200
    events = registry.call("GET", "/v1/domains/x.test/audit").json["events"]
    assert [e["type"] for e in events[:2]] == ["sessions.ended", "session.ended"]


def test_S23_S10_a_rename_keeps_the_sessions(registry: Registry) -> None:
    registry.order()
    registry.set_state("x.test", "live")
    token = registry.token("bob@x.test")
    renamed = registry.call("POST", "/v1/domains/x.test/mailboxes/bob/rename", {"local": "robert"})
    assert renamed.status == 200
    registry.clock.advance(seconds=20)
    assert registry.call("GET", MINE, key=token).status == 200
    kept = registry.platform.sessions.get(signin.digest(token))
    assert kept
    assert kept.address == "robert@x.test", "the next look costs no more than before"
    registry.call("PUT", "/v1/domains/x.test/mailboxes/bob", {"password": "a new bob at the helm"})
    registry.clock.advance(seconds=20)
    assert registry.call("GET", MINE, key=token).status == 200
    assert signin.session(registry.platform, token).address == "robert@x.test"
