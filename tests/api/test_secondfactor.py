"""The second factor and app passwords over HTTP (S23), and what each door then takes."""

import base64
from typing import Any

import pyotp
import pytest
from chalice.app import Request

import app
from chalicelib.api import auth
from chalicelib.aws import clock as clocks
from chalicelib.gateway.pop3 import CODES
from chalicelib.gateway.submission import reply
from chalicelib.rules.errors import Kind, ServiceError
from chalicelib.rules.signin import MOST_APPS, Door
from chalicelib.services import signin
from tests.registry import PASSWORD, Answer, Registry, box

OWN = "/v1/mailbox/second-factor"
APPS = "/v1/mailbox/app-passwords"
DOORS: tuple[Door, ...] = ("imap", "pop3", "smtp", "jmap")


@pytest.fixture
def live(registry: Registry) -> Registry:
    """x.test is live: ann (admin) and bob, with IMAP."""
    registry.order("x.test", box("ann", admin=True), box("bob", imap=True))
    registry.set_state("x.test", "live")
    return registry


def enter(registry: Registry, code: str | None = None, **how: Any) -> Answer:
    """Bob's log-in to webmail."""
    body = {"address": "bob@x.test", "password": PASSWORD, **({"code": code} if code is not None else {})}
    return registry.call("POST", "/v1/sessions", {**body, **how}, key=None, source="198.51.100.1")


def door(registry: Registry, which: Door, password: str) -> Kind | None:
    """Why the password is refused at a door; None: it is not."""
    try:
        signin.authenticate(registry.platform, "bob@x.test", password, door=which, source="198.51.100.1")
    except ServiceError as error:
        return error.kind
    return None


def enrolled(registry: Registry, token: str) -> tuple[pyotp.TOTP, list[str]]:
    """Bob's authenticator app, and his recovery codes."""
    begun = registry.call("POST", OWN, {"password": PASSWORD}, key=token)
    assert begun.status == 200, begun
    app = pyotp.parse_uri(begun.json["uri"])
    assert isinstance(app, pyotp.TOTP)
    assert app.secret == begun.json["secret"]
    done = registry.call("POST", f"{OWN}/confirm", {"code": now(app)}, key=token)
    assert done.status == 200, done
    registry.clock.advance(seconds=30)
    return app, done.json["recovery_codes"]


def now(app: pyotp.TOTP) -> str:
    """The code of this moment."""
    return app.at(clocks.now())


def test_S23_enrolment_takes_password_and_a_code(live: Registry) -> None:
    here, there = live.token("bob@x.test"), live.token("bob@x.test")
    off = {"enabled": False, "since": None, "recovery_codes_left": 0}
    assert live.call("GET", OWN, key=here).json == off
    assert live.call("POST", OWN, {"password": "no"}, key=here).status == 422
    assert live.call("POST", f"{OWN}/confirm", {"code": "123456"}, key=here).status == 409
    begun = live.call("POST", OWN, {"password": PASSWORD}, key=here)
    assert begun.json["uri"].startswith("otpauth://totp/House%20Mail:bob@x.test?secret=")
    assert live.call("POST", f"{OWN}/confirm", {"code": "x"}, key=here).status == 422
    assert enter(live).status == 201, "nothing is on before it is confirmed"
    _, codes = enrolled(live, here)
    assert (len(set(codes)), {len(code) for code in codes}) == (10, {19})
    assert live.call("GET", OWN, key=here).json["recovery_codes_left"] == 10
    assert live.call("GET", "/v1/mailbox/sessions", key=there).status == 401, "opened without it"
    assert live.call("POST", OWN, {"password": PASSWORD}, key=here).status == 409
    kept = live.platform.directory.table.query_all(f"ACCOUNT#{begun_account(live)}")
    assert not any(code in str(list(kept)) for code in codes)


def begun_account(registry: Registry) -> str:
    """Bob's account."""
    return str(registry.call("GET", "/v1/domains/x.test/mailboxes/bob").json["account_id"])


def test_S23_log_in_asks_for_a_code_after_the_right_password_only(live: Registry) -> None:
    app, codes = enrolled(live, live.token("bob@x.test"))
    asked = enter(live)
    assert (asked.status, asked.json["code"]) == (401, "second_factor_required")
    assert enter(live, password="wrong password").json["code"] == "bad_credentials"
    assert (
        enter(live, "000000" if now(app) != "000000" else "000001").json["code"] == "second_factor_required"
    )
    code = now(app)
    assert enter(live, code).status == 201
    assert enter(live, code).json["code"] == "second_factor_required", "a code is good once"
    assert enter(live).json["code"] == "second_factor_required", "and remembered for nobody"
    live.clock.advance(seconds=30)
    assert enter(live, f"{now(app)[:3]} {now(app)[3:]}").status == 201
    assert enter(live, codes[0].upper().replace("-", " ")).status == 201
    assert enter(live, codes[0]).status == 401, "a recovery code is good once"
    left = live.call("GET", "/v1/domains/x.test/mailboxes/bob/second-factor").json["recovery_codes_left"]
    assert left == 9
    types = [e["type"] for e in live.call("GET", "/v1/domains/x.test/audit").json["events"]]
    assert {"recovery_code.used", "second_factor.enabled"} <= set(types)


def test_S23_codes_are_not_guessed_even_by_who_knows_the_password(live: Registry) -> None:
    app, _ = enrolled(live, live.token("bob@x.test"))
    for n in range(10):
        live.call(
            "POST",
            "/v1/sessions",
            {"address": "bob@x.test", "password": PASSWORD, "code": "abc"},
            key=None,
            source=f"203.0.113.{n}",
        )
    refused = enter(live, now(app))
    assert (refused.status, refused.json["code"]) == (429, "throttled"), "from wherever they come"
    assert refused.json["retry_after"] > 0
    assert enter(live, password="wrong password").json["code"] == "bad_credentials"
    live.clock.advance(minutes=15)
    assert enter(live, now(app)).status == 201


def test_S23_with_it_on_mail_programs_need_app_passwords(live: Registry) -> None:
    token = live.token("bob@x.test")
    assert [door(live, d, PASSWORD) for d in DOORS] == [None] * 4
    enrolled(live, token)
    assert [door(live, d, PASSWORD) for d in DOORS] == ["app_password_required"] * 4
    assert door(live, "imap", "wrong password") == "bad_credentials"
    basic = base64.b64encode(f"bob@x.test:{PASSWORD}".encode()).decode()
    live.call("GET", "/v1/status", key=None, headers={"Authorization": f"Basic {basic}"})
    assert isinstance(app.app.current_request, Request)
    with pytest.raises(ServiceError, match="app_password_required"):
        auth.account(app.app.current_request)
    made = live.call("POST", APPS, {"label": "Laptop", "doors": ["smtp", "imap"]}, key=token)
    secret = made.json["password"]
    assert [door(live, d, secret) for d in ("imap", "smtp")] == [None, None]
    assert door(live, "pop3", secret) == "app_password_required"
    assert door(live, "jmap", secret) == "bad_credentials"
    assert enter(live, password=secret).json["code"] == "bad_credentials"


def test_S23_a_mail_program_is_told_what_it_needs() -> None:
    refusal = ServiceError("app_password_required", "An app password is needed.")
    assert reply(refusal) == "534 5.7.9 An app password is needed.", "RFC 4954: a stronger mechanism"
    assert CODES["app_password_required"] == "[AUTH] ", "RFC 3206: ask for another password"


def test_S23_turning_it_off_takes_both(live: Registry) -> None:
    here = live.token("bob@x.test")
    app, codes = enrolled(live, here)
    off = f"{OWN}/disable"
    body = {"password": PASSWORD, "code": now(app)}
    assert (
        live.call("POST", off, {**body, "password": "no"}, key=here).json["errors"][0]["pointer"]
        == "/password"
    )
    assert live.call("POST", off, {**body, "code": "no"}, key=here).json["errors"][0]["pointer"] == "/code"
    renewed = live.call("POST", f"{OWN}/recovery-codes", {"code": codes[0]}, key=here).json["recovery_codes"]
    assert len(set(renewed) - set(codes)) == 10
    assert live.call("POST", off, {**body, "code": codes[1]}, key=here).status == 422, "those are over"
    assert live.call("POST", off, {**body, "code": renewed[0]}, key=here).status == 204
    assert enter(live).status == 201
    assert door(live, "imap", PASSWORD) is None
    assert live.call("POST", off, body, key=here).status == 409
    assert live.call("POST", f"{OWN}/recovery-codes", {"code": "1"}, key=here).status == 409
    types = [e["type"] for e in live.call("GET", "/v1/domains/x.test/audit").json["events"]]
    assert {"second_factor.disabled", "recovery_codes.created"} <= set(types)


def test_S23_admin_and_reseller_reset_it(live: Registry) -> None:
    admin = live.token("ann@x.test")
    path = "/v1/admin/mailboxes/bob/second-factor"
    assert live.call("DELETE", path, key=admin).status == 404
    bob = live.token("bob@x.test")
    enrolled(live, bob)
    assert live.call("DELETE", path, key=bob).status == 403
    assert live.call("DELETE", path, key=admin).status == 204
    assert enter(live).status == 201
    assert live.call("GET", "/v1/mailbox/sessions", key=bob).status == 401
    event = live.call("GET", "/v1/domains/x.test/audit").json["events"][0]
    assert (event["type"], event["actor"]) == ("second_factor.reset", "admin:ann@x.test")
    own = live.call("POST", OWN, {"password": PASSWORD}, key=admin).json["secret"]
    live.call("POST", f"{OWN}/confirm", {"code": now(pyotp.TOTP(own))}, key=admin)
    refused = live.call("DELETE", "/v1/admin/mailboxes/ann/second-factor", key=admin)
    assert refused.status == 403, "a stolen session turns nothing off"
    assert live.call("DELETE", "/v1/domains/x.test/mailboxes/ann/second-factor").status == 204


# --------------------------------------------------------------------------------------------- app passwords
def test_S23_an_app_password_is_shown_once_and_kept_as_a_hash(live: Registry) -> None:
    token = live.token("bob@x.test")
    made = live.call("POST", APPS, {"label": "Phone", "doors": ["pop3", "imap"]}, key=token)
    assert made.status == 201
    secret, id = made.json["password"], made.json["id"]
    assert [len(group) for group in secret.split("-")] == [4] * 5
    assert made.headers["Location"] == f"{APPS}/{id}"
    kept = list(live.platform.directory.table.query_all(f"ACCOUNT#{begun_account(live)}", begins="APP#"))
    assert len(kept) == 1
    assert not any(part in str(kept) for part in (secret, secret.replace("-", ""), secret[5:9]))
    listed = live.call("GET", APPS, key=token).json["app_passwords"]
    assert listed == [{k: v for k, v in made.json.items() if k != "password"}]
    assert listed[0]["doors"] == ["imap", "pop3"]
    assert listed[0]["last_used_on"] is None
    for typed in (secret, secret.upper(), secret.replace("-", ""), secret.replace("-", " ")):
        assert door(live, "imap", typed) is None
    assert door(live, "smtp", secret) == "app_password_required"
    assert door(live, "imap", secret[:-1] + ("a" if secret[-1] != "a" else "b")) == "bad_credentials"
    assert door(live, "imap", PASSWORD) is None, "the password works as well, while no second factor is on"
    assert live.call("GET", APPS, key=token).json["app_passwords"][0]["last_used_on"] == "2026-03-02"


def test_S23_app_passwords_are_revoked_by_owner_admin_and_reseller(live: Registry) -> None:
    admin, bob = live.token("ann@x.test"), live.token("bob@x.test")
    made = [live.call("POST", APPS, {"label": f"n{n}", "doors": ["imap"]}, key=bob).json for n in range(3)]
    assert [door(live, "imap", m["password"]) for m in made] == [None] * 3
    path = "/v1/domains/x.test/mailboxes/bob/app-passwords"
    assert len(live.call("GET", path).json["app_passwords"]) == 3
    assert live.call("DELETE", f"{APPS}/{made[0]['id']}", key=bob).status == 204
    assert (
        live.call("DELETE", f"/v1/admin/mailboxes/bob/app-passwords/{made[1]['id']}", key=admin).status == 204
    )
    assert live.call("DELETE", f"{path}/{made[2]['id']}").status == 204
    assert [door(live, "imap", m["password"]) for m in made] == ["bad_credentials"] * 3
    assert live.call("DELETE", f"{path}/{made[2]['id']}").status == 404
    assert live.call("DELETE", f"{APPS}/{made[2]['id']}", key=admin).status == 404


def test_S23_app_passwords_are_bounded_and_for_known_doors(live: Registry) -> None:
    token = live.token("bob@x.test")
    for body in (
        {"label": "", "doors": ["imap"]},
        {"label": "x", "doors": []},
        {"label": "x", "doors": ["jmap"]},
    ):
        assert live.call("POST", APPS, body, key=token).status == 422
    body = {"label": "x", "doors": ["imap"]}
    made = [live.call("POST", APPS, body, key=token).status for _ in range(MOST_APPS + 1)]
    assert made == [201] * MOST_APPS + [409]
    full = live.call("POST", APPS, body, key=token).json
    assert (full["limit"], full["used"], full["remaining"]) == (20, 20, 0)


def test_S23_app_passwords_are_throttled_as_passwords_are(live: Registry) -> None:
    guess = "abcd-efgh-ijkl-mnop-qrst"
    kinds = [door(live, "imap", guess) for _ in range(11)]
    assert kinds == ["bad_credentials"] * 10 + ["throttled"]
