"""A reseller's whole estate, with one of everything that a path can name, and a way back to it.

x.test of "house" is live: ann is its admin, bob a user, gus was deleted. y.test is "other"'s, with the same
people, so that every name exists on both sides of the wall.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import pyotp
from moto.dynamodb.models import dynamodb_backends

from chalicelib.api import bulk
from chalicelib.api.contacts import ZOE
from chalicelib.api.rest import JSON, Example, Operation
from chalicelib.rules.values import SYSTEM, Account, Arrival, Envelope, Verdicts
from chalicelib.services import receive, resets, subscribers, suspension
from tests.cloud import ACCOUNT, REGION
from tests.registry import PASSWORD, Answer, Registry, box

Json = dict[str, Any]
RESET, INVITED = "0123456789abcdefghijklmnopqrstuv", "vutsrqponmlkjihgfedcba9876543210"
LOGO = '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="House">'
NEVER = "0123456789abcdef"  # an id that nothing has


@dataclass(frozen=True)
class Request:
    """A call of an operation."""

    method: str
    path: str
    body: Any = None
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Tenant:
    """Who and what there is. `names`: variable of a path → whose → a name that is there."""

    registry: Registry
    keys: dict[str, str | None]
    names: dict[str, Json]

    def value(self, operation: Operation, name: str, whose: str = "own") -> str:
        """A name for a variable of the operation's path: of the section it is in, else of the variable."""
        known = self.names[whose]
        for part in (operation.role, *operation.path.split("/")):
            if f"{part}/{name}" in known:
                return str(known[f"{part}/{name}"])
        return str(known[name])

    def request(self, operation: Operation, **names: str) -> Request:
        """The operation's example, as its role would call it. `names` replace those of its path."""
        example = operation.how.get("example", Example())
        path = operation.path
        for name in variables(operation):
            given = names.get(name) or self.value(operation, name)
            path = path.replace(f"{{{name}}}", quote(given, safe=""))
        query = f"?{urlencode(example.query)}" if example.query else ""
        headers = {"Content-Type": _type(operation)}
        return Request(operation.method, path + query, example.body, self.keys[operation.role], headers)

    def send(self, request: Request) -> Answer:
        """The answer."""
        body, how = request.body, {"key": request.key, "headers": request.headers}
        if isinstance(body, str):
            return self.registry.call(request.method, request.path, raw=body, **how)
        return self.registry.call(request.method, request.path, body, **how)

    def account(self, address: str) -> Account:
        """A mailbox."""
        found = self.registry.platform.directory.lookup([address])[address].entry
        assert isinstance(found, Account)
        return found

    def trying(self, operation: Operation) -> AbstractContextManager[None]:
        """What an operation does is taken back; reading does nothing that another test would see."""
        harmless = operation.method == "GET" and operation.view.__name__ not in PREPARE
        return nullcontext() if harmless else self.undone()

    @contextmanager
    def undone(self) -> Iterator[None]:
        """All that happens inside is taken back: tables, clock, and what the process remembers."""
        tables = dynamodb_backends[ACCOUNT][REGION].tables
        kept = {name: copy.deepcopy(table.items) for name, table in tables.items()}
        seconds = self.registry.clock.seconds
        try:
            yield
        finally:
            for name, items in kept.items():
                tables[name].items = items
            self.registry.clock.seconds = seconds
            self.registry.platform.sessions.accounts.forget_where(lambda _: True)


def variables(operation: Operation) -> list[str]:
    """Names of the variables of an operation's path."""
    return [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]


def _type(operation: Operation) -> str:
    how = operation.how
    if "rows" in how:
        return bulk.NDJSON
    texts = [kind for kind in how.get("raw", ()) if kind.startswith(("text/", "application/x-www-form"))]
    return texts[0] if texts else JSON


# ------------------------------------------------------------------------------------------------- seeding
def tenant(registry: Registry) -> Tenant:
    """Seed both resellers."""
    p, call = registry.platform, registry.call
    registry.order("x.test", box("ann", admin=True), box("bob", recovery_address="bob@home.test"), box("gus"))
    registry.order(
        "y.test", box("ann", admin=True), box("bob"), box("gus"), box("zed"), caller=registry.other
    )
    for domain in ("x.test", "y.test"):
        registry.set_state(domain, "live")
    own = _side(registry, "x.test", registry.key, "house")
    foreign = _side(registry, "y.test", registry.other_key, "other")
    for name in ("local", "aliases/local", "forwards/local", "lists/local"):
        foreign[name] = f"only-{foreign[name]}"
    _only_there(registry)
    operated = _operated(registry)
    keys: dict[str, str | None] = {
        "reseller": registry.key,
        "operator": registry.operator_key,
        "admin": registry.token("ann@x.test"),
        "user": registry.token("bob@x.test"),
        "public": None,
    }
    sessions = call("GET", "/v1/mailbox/sessions", key=keys["user"]).json["sessions"]
    own["session"] = sessions[0]["id"]
    stranger = registry.token("bob@y.test")
    foreign["session"] = call("GET", "/v1/mailbox/sessions", key=stranger).json["sessions"][0]["id"]
    assert p.settings
    return Tenant(registry, keys, {"own": {**own, **operated}, "foreign": foreign})


def _side(registry: Registry, domain: str, key: str, reseller: str) -> Json:
    """One of everything in a domain, by the reseller's API."""

    def do(method: str, path: str, body: Any = None, *, more: str = key) -> Json:
        answer = registry.call(method, path, body, key=more)
        assert answer.status < 300, (path, answer)
        return answer.json if answer.text else {}

    at = f"/v1/domains/{domain}"
    do("PUT", f"{at}/aliases/robert", {"mailbox": "bob"})
    do("PUT", f"{at}/forwards/office", {"to": [f"bob@{domain}"]})
    do("PUT", f"{at}/lists/team", {"name": "The team", "posting": "members"})
    do("PUT", f"{at}/lists/team/members", {"members": [f"ann@{domain}", f"bob@{domain}"]})
    do("PUT", "/v1/brands/default", {"product": "Some Mail"})
    do("PUT", f"/v1/brands/spare-{reseller}", {"product": "Spare Mail"})
    html = {"Content-Type": "text/html"}
    logo = f"/v1/brands/spare-{reseller}/logo"
    assert registry.call("PUT", logo, raw=LOGO, key=key, headers=html).status == 200
    do("PUT", f"/v1/hosts/webmail.{reseller}.example", {"brand": "default"})
    session = registry.token(f"bob@{domain}")
    app_password = do(
        "POST", "/v1/mailbox/app-passwords", {"label": "Phone", "doors": ["pop3"]}, more=session
    )
    gus = do("GET", f"{at}/mailboxes/gus")["account_id"]
    do("DELETE", f"{at}/mailboxes/gus")
    _letter(registry, domain)
    order = do("GET", f"{at}")["order"]
    hook = do(
        "POST", "/v1/webhooks", {"url": f"https://hooks.{reseller}.example/mail", "types": ["mailbox.*"]}
    )
    made = do("POST", "/v1/keys", {"label": "Shop", "scopes": ["orders:write"]})
    return {
        "domain": domain,
        "local": "bob",
        "aliases/local": "robert",
        "forwards/local": "office",
        "lists/local": "team",
        "address": f"bob@{domain}",
        "brand": f"spare-{reseller}",
        "host": f"webmail.{reseller}.example",
        "app_password": app_password["id"],
        "account_id": gus,
        "message": do("GET", f"{at}/messages")["messages"][0]["id"],
        "order_id": order,
        "key": made["id"],
        "webhooks/id": hook["id"],
        "reseller": reseller,
        "month": "2026-03",
        "file": "faq.html",
        "client": "thunderbird",
    }


def _letter(registry: Registry, domain: str) -> None:
    """A message from outside to bob and to nobody."""
    p, id = registry.platform, f"letter-{domain}"
    header = f"From: zoe@far.test\r\nTo: bob@{domain}\r\nMessage-ID: <1@far.test>\r\nSubject: Hi\r\n"
    raw = f"{header}\r\nHi\r\n".encode()
    p.blobs.put(f"in/{id}", raw)
    to = (f"bob@{domain}", f"nobody@{domain}")
    at, verdicts = registry.clock.now(), Verdicts(spam="PASS", virus="PASS")
    receive.arrive(
        p, Arrival(id, Envelope("zoe@far.test", to), f"in/{id}", len(raw), verdicts, at, "ses", id)
    )


def _only_there(registry: Registry) -> None:
    """Addresses of y.test that x.test has not, so that an admin's own domain cannot answer for them."""
    at, key = "/v1/domains/y.test", registry.other_key
    for path, body in (
        ("mailboxes/only-bob", {"password": PASSWORD}),
        ("aliases/only-robert", {"mailbox": "bob"}),
        ("forwards/only-office", {"to": ["bob@y.test"]}),
        ("lists/only-team", {"posting": "members"}),
    ):
        assert registry.call("PUT", f"{at}/{path}", body, key=key).status == 201


def _operated(registry: Registry) -> Json:
    """What the operator keeps."""

    def do(path: str, body: Json) -> str:
        answer = registry.call("POST", f"/v1/operator{path}", body, key=registry.operator_key)
        assert answer.status == 201, (path, answer)
        return str(answer.json["id"])

    trouble = {"title": "Slow", "kind": "degradation", "components": ["webmail"], "text": "It is slow."}
    planned = {"starts_at": "2026-03-05T22:00:00Z", "ends_at": "2026-03-05T23:00:00Z", "text": "Storage."}
    key = {"label": "Console", "scopes": ["*"]}
    return {
        "operator/key": do("/keys", key),
        "incident": do("/incidents", trouble),
        "outage": do("/outages", {**planned, "components": ["webmail"], "emergency": "It fails."}),
        "report": do("/abuse-reports", {"message_id": "none@x.test", "kind": "spam"}),
    }


# ------------------------------------------------------------------------------------ before some operations
Prepare = Callable[[Tenant, Request], Request]


def _held(holder: Any, of_domain: bool = False) -> Prepare:
    def prepare(t: Tenant, request: Request) -> Request:
        target: Any = t.registry.domain() if of_domain else t.account("bob@x.test")
        suspension.hold(t.registry.platform, SYSTEM, target, holder, "A test.")
        return request

    return prepare


def _paused(t: Tenant, request: Request) -> Request:
    """The guard held bob, who has got a new password since."""
    held = _held("guard")(t, request)
    at = "/v1/domains/x.test/mailboxes/bob/password"
    assert t.registry.call("PUT", at, {"password": "a longer walk by the river"}).status == 204
    return held


def _reversed(t: Tenant, request: Request) -> Request:
    assert t.registry.call("POST", "/v1/domains/x.test/reversal").status == 201
    return request


def _reset_sent(t: Tenant, request: Request) -> Request:
    until = t.registry.clock.now() + resets.LINK_LIFE
    resets.send(t.registry.platform, "bob@x.test", RESET, until, "192.0.2.7")
    return replace(request, body={**request.body, "token": RESET})


def _begun(t: Tenant, request: Request) -> Request:
    secret = t.registry.call("POST", "/v1/mailbox/second-factor", {"password": PASSWORD}, key=request.key)
    code = pyotp.TOTP(secret.json["secret"]).at(t.registry.clock.now())
    return replace(request, body={**(request.body or {}), "code": code})


def _with_factor(t: Tenant, request: Request) -> Request:
    own = replace(request, key=t.keys["user"])
    first = _begun(t, replace(own, body=None))
    secret = t.registry.platform.credentials
    assert secret
    found = t.registry.call("POST", "/v1/mailbox/second-factor/confirm", first.body, key=own.key)
    return replace(
        request,
        body={**(request.body or {}), "code": found.json["recovery_codes"][0]} if request.body else None,
    )


def _signed_in(t: Tenant, request: Request) -> Request:
    return replace(request, key=t.keys["user"])


def _invited(t: Tenant, request: Request) -> Request:
    subscribers.invite(t.registry.platform, "zoe@far.test", INVITED)
    id = subscribers._id("zoe@far.test")
    return replace(request, body=urlencode({"token": f"{id}.{INVITED}"}))


def _with_contact(t: Tenant, request: Request) -> Request:
    vcard = {"Content-Type": "text/vcard"}
    made = t.registry.call("POST", "/v1/mailbox/contacts/import", raw=ZOE, key=request.key, headers=vcard)
    assert made.json["created"] == 1
    return request


#: By the view's name: what an example needs beforehand, or values that no example can know.
PREPARE: dict[str, Prepare] = {
    "undo_reversal": _reversed,
    "reset_password": _reset_sent,
    "confirm_second_factor": _begun,
    "disable_second_factor": _with_factor,
    "renew_recovery_codes": _with_factor,
    "reset_second_factor": _with_factor,
    "log_out": _signed_in,
    "confirm_subscription": _invited,
    "resume_domain": _held("reseller", of_domain=True),
    "resume_mailbox": _held("reseller"),
    "resume_sending": _paused,
    "lift_domain": _held("operator", of_domain=True),
    "lift_mailbox": _held("operator"),
    "lift_pause": _held("guard"),
    "export_vcards": _with_contact,
    "export_table": _with_contact,
}


def prepared(t: Tenant, operation: Operation) -> Request:
    """The operation's example, once all it needs is there."""
    request = t.request(operation)
    return PREPARE[operation.view.__name__](t, request) if operation.view.__name__ in PREPARE else request


def document(answer: Answer) -> Any:
    """The body of an answer: JSON where it says so, else text."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    return json.loads(answer.text) if kind == JSON else answer.text
