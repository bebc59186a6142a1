"""Log-in and log-out over HTTP, and what anybody may read."""

import base64

import pytest
from chalice.app import Request

import app
from chalicelib.api import auth
from chalicelib.rules.errors import ServiceError
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


BY_HOST = [
    ({"Host": "mail.x.test"}, "House Mail"),
    ({"Host": "mail.x.test:8080"}, "House Mail"),
    ({"Host": "api.test", "X-Forwarded-Host": "emailadmin.x.test"}, "House Mail"),
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


SOURCES = [
    ({}, "192.0.2.7"),
    ({"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}, "192.0.2.7"),
    ({"X-Forwarded-Host": "m.test", "X-Forwarded-For": "6.6.6.6, 203.0.113.9, 130.176.0.1"}, "203.0.113.9"),
    ({"X-Forwarded-Host": "m.test"}, "192.0.2.7"),
]


def test_where_a_request_came_from(registry: Registry) -> None:
    for headers, source in SOURCES:
        assert auth.source(request(registry, headers)) == source
