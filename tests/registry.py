"""Orders, domains and log-ins in a test's hand: two resellers with keys, DNS, identities, and the API."""

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from unittest import mock
from urllib.parse import parse_qs

import boto3

import app
from chalicelib.aws.mail import Identity, Mail
from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.hosted import Brand, HostedDomain, Order
from chalicelib.rules.signin import SCOPES
from chalicelib.rules.values import Account, Caller
from chalicelib.services import accounts, mailbox, orders, signin
from chalicelib.services.orders import MailboxRequest, OrderRequest
from chalicelib.services.platform import Platform, platform
from chalicelib.settings import Settings
from local.dns import DnsServer, Zone
from tests.cloud import Clock
from tests.services.sweep import swept

PASSWORD = "correct horse 9"
TOKENS = ("tok1", "tok2", "tok3")
Json = dict[str, Any]


@dataclass
class Identities:
    """SES's identities. A domain in `verified` is verified."""

    made: list[str] = field(default_factory=list)
    verified: set[str] = field(default_factory=set)
    broken: bool = False

    def create(self, domain: str) -> Identity:
        if self.broken:
            raise RuntimeError("SES is away")
        self.made.append(domain)
        return self._get(domain)

    def delete(self, domain: str) -> None:
        self.made = [name for name in self.made if name != domain]

    def get(self, domain: str) -> Identity | None:
        return self._get(domain) if domain in self.made else None

    def _get(self, domain: str) -> Identity:
        return Identity(domain, TOKENS, domain in self.verified)


@dataclass(frozen=True)
class Answer:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Json:
        """The document."""
        return dict(json.loads(self.text))


@dataclass
class Registry:
    """One reseller, "house", whose brand is House Mail; a second, "other"."""

    platform: Platform
    clock: Clock
    zone: Zone
    identities: Identities
    key: str
    other_key: str
    operator_key: str

    @property
    def caller(self) -> Caller:
        """The first reseller."""
        return signin.api_caller(self.platform, self.key)

    @property
    def other(self) -> Caller:
        """The second reseller."""
        return signin.api_caller(self.platform, self.other_key)

    def token(self, address: str, password: str = PASSWORD) -> str:
        """A session's token, for routes of admins and users; the domain must be live."""
        opened = self.call("POST", "/v1/sessions", {"address": address, "password": password}, key=None)
        assert opened.status == 201, opened
        return str(opened.json["token"])

    def order(self, domain: str = "x.test", *mailboxes: MailboxRequest, **more: Any) -> Order:
        """An order, of ann (admin) and bob where nothing else is said."""
        wanted = mailboxes or (box("ann", admin=True), box("bob"))
        who, key = more.get("caller", self.caller), more.get("key")
        return orders.order(self.platform, who, OrderRequest(domain, tuple(wanted)), key)

    def domain(self, name: str = "x.test") -> HostedDomain:
        """A domain that is there."""
        found = self.platform.directory.domain(name)
        assert found
        return found

    def point(self, domain: str = "x.test", *others: str) -> None:
        """Publish the MX that S4 waits for."""
        self.zone.put(domain, "MX", [f"10 inbound.{domain}.emailmx.test.", *others])

    def set_state(self, domain: str, state: str) -> None:
        """A domain's state, whatever it was."""
        order = self.domain(domain).order
        assert self.platform.directory.change_domain(domain, {"state": state}, given={"order": order})

    def executions(self) -> list[Json]:
        """Executions of the activation machine: name and input, oldest first."""
        client, arn = boto3.client("stepfunctions"), self.platform.settings.activation_machine
        found = client.list_executions(stateMachineArn=arn)["executions"]
        details = [client.describe_execution(executionArn=e["executionArn"]) for e in found]
        return [{"name": d["name"], "input": json.loads(d["input"])} for d in reversed(details)]

    def outgoing(self) -> list[Json]:
        """What waits in the outgoing queue; it is empty then."""
        client, url = boto3.client("sqs"), self.platform.settings.outgoing_queue
        found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def letters(self, address: str) -> list[str]:
        """Raw messages in a mailbox's inbox, newest first."""
        p = self.platform
        account = p.directory.lookup([address])[address].entry
        assert isinstance(account, Account)
        inbox = next(f for f in mailbox.folders(p, account.id) if f.role == "inbox")
        rows = mailbox.page(p, account.id, inbox.id, 50).rows
        return [p.blobs.get(row.blob).decode() for row in rows]

    def call(self, method: str, path: str, body: Any = None, **how: Any) -> Answer:
        """A request through API Gateway's proxy event. `how`: key, headers, raw (the body's own bytes)."""
        return call(method, path, body, **{"key": self.key, **how})


def box(local: str, **more: Any) -> MailboxRequest:
    """A mailbox of an order."""
    return MailboxRequest(**{"local": local, "storage_mb": 250, "password": PASSWORD, **more})


def call(method: str, path: str, body: Any = None, *, key: str | None, **how: Any) -> Answer:
    """One proxy event through app.py."""
    bare, _, query = path.partition("?")
    resource, captured = _match(bare)
    headers = {"Host": "api.emailmx.test", "Content-Type": "application/json", **how.get("headers", {})}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    text = how.get("raw", json.dumps(body) if body is not None else None)
    octets = isinstance(text, bytes)
    if isinstance(text, bytes):
        text = base64.b64encode(text).decode()
    event = {
        "resource": resource,
        "path": bare,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "pathParameters": captured,
        "stageVariables": None,
        "body": text,
        "isBase64Encoded": octets,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "requestId": "req-1",
            "identity": {"sourceIp": how.get("source", "192.0.2.7")},
        },
    }
    given = app.app(event, mock.Mock(aws_request_id="lambda-1"))
    return Answer(given["statusCode"], given["headers"], given["body"])


def _match(path: str) -> tuple[str, dict[str, str] | None]:
    """The resource of a path and its variables, as API Gateway finds them."""
    parts = path.split("/")
    for resource in sorted(app.app.routes, key=lambda r: r.count("{")):
        wanted = resource.split("/")
        pairs = list(zip(wanted, parts, strict=False))
        if len(wanted) == len(parts) and all(w == p or w.startswith("{") for w, p in pairs):
            return resource, {w[1:-1]: p for w, p in pairs if w.startswith("{")} or None
    return path, None


def _environment(settings: Settings) -> dict[str, str]:
    return {name.upper(): value for name, value in asdict(settings).items()}


@contextmanager
def registry(settings: Settings, clock: Clock) -> Iterator[Registry]:
    """A registry over moto, a real DNS server and the app's own platform."""
    zone = Zone("emailmx.test")
    server = DnsServer(zone, 0)
    server.start()
    settings = replace(settings, resolver=f"127.0.0.1:{server.port}")
    identities = Identities()
    with (
        mock.patch.dict(os.environ, _environment(settings)),
        mock.patch.object(Mail, "create_identity", lambda _, domain: identities.create(domain)),
        mock.patch.object(Mail, "delete_identity", lambda _, domain: identities.delete(domain)),
        mock.patch.object(Mail, "identity", lambda _, domain: identities.get(domain)),
        swept(()),
    ):
        platform.cache_clear()
        yield _open(platform(), clock, zone, identities)
    platform.cache_clear()
    server.stop()


def _open(p: Platform, clock: Clock, zone: Zone, identities: Identities) -> Registry:
    assert p.figures is DEFAULT
    keys = []
    for id, product in (("house", "House Mail"), ("other", "Other Mail")):
        brand = Brand(id=id, product=product, support_email=f"help@{id}.test")
        accounts.create_reseller(p, id, product, brand, f"office@{id}.test")
        keys.append(accounts.issue_key(p, id, SCOPES))
    operator_key = accounts.issue_key(p, "", ["*"])
    return Registry(p, clock, zone, identities, keys[0], keys[1], operator_key)
