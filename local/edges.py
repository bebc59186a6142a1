"""SES, DNS, the world outside and the web around the engine: a component of the stack."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3

from local import ses_resources
from local.apigateway import ApiGateway
from local.blobs import Blobs
from local.control import Control
from local.dns import DnsServer, Zone
from local.engine import ACCOUNT, REGION
from local.httpd import HttpServer
from local.lambdas import API
from local.outbox_page import OutboxPage
from local.outside import Outside, Route
from local.pages import Pages
from local.ses_api import SesApi
from local.ses_events import Event
from local.ses_state import SesState, dkim_tokens
from local.smtp_in import Reception, SmtpServer
from local.stack import ROOT, Stack
from local.status import StatusPage
from local.verdicts import Judge
from local.web import Web

MAIL_ZONE = "emailmx.test"  # S4: the default of a local run
SES_ID_DOMAIN = "email.amazonses.com"
DIST = ROOT / "webmail-frontend" / "dist"
HEADERS = ROOT / "infra" / "web-headers.json"


def parameters() -> dict[str, str]:
    """The template's parameters in a local run; the ports' part comes by `Edges.start`."""
    return {
        "MailZone": MAIL_ZONE,
        "WebHost": "mail.localhost",
        "AdminHost": "admin.localhost",
        "StatusHost": "status.localhost",
        "PublicUrl": "http://mail.localhost",
        "SesIdDomain": SES_ID_DOMAIN,
        "IdentityGate": "on",
    }


class Edges:
    """Ports `dns`, `ses`, `smtp_in` and `web`. `smtp_out` (host:port) takes outgoing mail by real SMTP."""

    zone: Zone
    state: SesState
    outside: Outside

    def __init__(self, smtp_out: str | None = None, dist: Path = DIST) -> None:
        self._smtp_out = route(smtp_out) if smtp_out else None
        self._dist = dist
        self._ending = ExitStack()

    def start(self, stack: Stack) -> None:
        """Every server. Raises PortTaken."""
        self.zone = Zone(MAIL_ZONE)
        dns = self._serve("dns", stack, lambda port: DnsServer(self.zone, port))
        self.state = SesState(self.zone, stack.clock.time, ACCOUNT, REGION, SES_ID_DOMAIN)
        self.outside = Outside(stack.clock, self.zone, _publisher(stack), self._smtp_out)
        self._ending.callback(self.outside.stop)
        api = SesApi(self.state, self.outside, stack.ops)
        ses = self._serve("ses", stack, api.serve)
        smtp = self._serve(
            "smtp_in", stack, lambda port: SmtpServer(self._reception(stack), stack.clock, port)
        )
        self.outside.loop_back = Route("127.0.0.1", smtp.port)
        web = self._serve("web", stack, self._web(stack).serve)
        self._describe(stack, dns, ses, web)
        ses_resources.create(stack.template, _client_of(stack.urls["ses"]))
        self._verify_mail_zone()

    def _verify_mail_zone(self) -> None:
        """As the operator does by hand before the first deployment: notices are sent from the zone."""
        self.state.create_identity(MAIL_ZONE)
        for token in dkim_tokens(MAIL_ZONE):
            self.zone.put(f"{token}._domainkey.{MAIL_ZONE}", "CNAME", [f"{token}.dkim.amazonses.com"])
        self.zone.put(MAIL_ZONE, "MX", [f"10 inbound.{MAIL_ZONE}"])  # reports of abuse come in here (S30)

    def stop(self) -> None:
        """Free every port."""
        self._ending.close()

    def _serve(self, name: str, stack: Stack, make: Callable[[int], Any]) -> Any:
        try:
            server = make(stack.port(name))
        except OSError as error:
            raise PortTaken(name, stack.port(name)) from error
        server.start()
        self._ending.callback(server.stop)
        stack.urls[name] = f"127.0.0.1:{server.port}"
        return server

    def _reception(self, stack: Stack) -> Reception:
        def put(bucket: str, key: str, content: bytes) -> None:
            stack.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

        judge = Judge(self.zone, lambda domain: domain in self.state.identities(), SES_ID_DOMAIN)
        return Reception(self.state, judge, put, _publisher(stack))

    def _web(self, stack: Stack) -> Web:
        control = Control(stack.clock, self.zone, self.outside, stack.ops)
        secret = stack.environ.get("ORIGIN_SECRET", "")
        gateway = ApiGateway(
            _routes, lambda event: stack.runtime.invoke(API, event), stack.clock.time, secret
        )
        pages = Pages(self._dist, HEADERS, stack.engine.url)
        status = StatusPage(lambda: stack.client("s3"), stack.environ.get("WEB_BUCKET", ""), HEADERS)
        bucket = stack.environ.get("MAIL_BUCKET", "")
        blobs = Blobs(lambda: f"{stack.engine.url}/{bucket}", HEADERS)
        return Web(gateway, pages, OutboxPage(self.outside), control, status, blobs)

    def _describe(self, stack: Stack, dns: DnsServer, ses: HttpServer, web: HttpServer) -> None:
        endpoint = stack.urls["ses"] = f"http://127.0.0.1:{ses.port}"
        stack.environ |= {
            "RESOLVER": f"127.0.0.1:{dns.port}",
            "STATUS_URL": f"http://status.localhost:{web.port}",
            "PUBLIC_URL": f"http://mail.localhost:{web.port}",
            "AWS_ENDPOINT_URL_SES": endpoint,
            "AWS_ENDPOINT_URL_SESV2": endpoint,
        }


class PortTaken(Exception):
    """A port that something else listens on."""

    def __init__(self, name: str, port: int) -> None:
        super().__init__(
            f"Port {port} ({name}) is in use. Stop what listens there,"
            f" or choose another: PLAINPOST_PORT_{name.upper()}=…"
        )


def route(text: str) -> Route:
    """`host:port`. Raises ValueError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"'{text}' is not host:port")
    return Route(host, int(port))


def _routes() -> dict[str, dict[str, Any]]:
    """The app's, which is imported after the components have started."""
    return dict(sys.modules["app"].app.routes) if "app" in sys.modules else {}


def _publisher(stack: Stack) -> Callable[[str, Event], None]:
    def publish(topic: str, event: Event) -> None:
        stack.client("sns").publish(TopicArn=topic, Message=json.dumps(event, separators=(",", ":")))

    return publish


def _client_of(endpoint: str) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        session: Any = boto3.Session("local", "local", region_name=REGION)
        return session.client(service, endpoint_url=endpoint)

    return client


def from_environment() -> Edges:
    """As a user sets it: PLAINPOST_SMTP_OUT."""
    return Edges(os.environ.get("PLAINPOST_SMTP_OUT") or None)
