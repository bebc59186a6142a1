"""The edges alone, without the engine: what was stored and published is kept in lists."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from local.clock import Clock
from local.dns import Zone
from local.httpd import HttpServer
from local.ops import Ops
from local.outside import Outside
from local.ses_api import SesApi
from local.ses_events import Event
from local.ses_state import ConfigurationSet, Destination, SesState, dkim_tokens
from local.smtp_in import Reception, SmtpServer
from local.verdicts import Judge

ALL_EVENTS = frozenset({"SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "DELIVERY_DELAY"})
RULE = {
    "Name": "inbound",
    "Enabled": "true",
    "ScanEnabled": "true",
    "Actions": [{"S3Action": {"BucketName": "mail", "ObjectKeyPrefix": "in/", "TopicArn": "received"}}],
}


@dataclass
class World:
    """One SES and what is outside of it."""

    clock: Clock
    zone: Zone
    ops: Ops
    state: SesState
    outside: Outside
    api: HttpServer
    smtp: SmtpServer
    published: list[tuple[str, Event]]
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def client(self, service: Any) -> Any:
        """boto3 against the local SES."""
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.api.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def host(self, domain: str) -> None:
        """Make the domain a verified identity."""
        self.state.create_identity(domain)
        for token in dkim_tokens(domain):
            name = f"{token}._domainkey.{domain}"
            self.zone.put(name, "CNAME", [f"{token}.dkim.amazonses.com"])

    def events(self, kind: str | None = None) -> list[Event]:
        """What was published about sent mail, once all is quiet."""
        self.clock.quiesce(10)
        found = [event for topic, event in self.published if topic == "events"]
        return [event for event in found if kind in (None, event["eventType"])]

    def deliver(self, sender: str, to: list[str], raw: bytes) -> dict[str, tuple[int, bytes]]:
        """By SMTP, as from the internet; refused recipients."""
        with smtplib.SMTP("127.0.0.1", self.smtp.port, "client.test", timeout=10) as smtp:
            return smtp.sendmail(sender, to, raw)


@contextmanager
def world() -> Iterator[World]:
    """Everything started on free ports, and ended."""
    clock, zone, ops = Clock(), Zone("emailmx.test"), Ops()
    published: list[tuple[str, Event]] = []
    objects: dict[tuple[str, str], bytes] = {}

    def publish(topic: str, event: Event) -> None:
        published.append((topic, event))

    def put(bucket: str, key: str, content: bytes) -> None:
        objects[bucket, key] = content

    state = SesState(zone, clock.time)
    state.put_set(ConfigurationSet("set", 10_800, (Destination("all", "events", ALL_EVENTS),)))
    state.create_rule_set("rules")
    state.put_rule("rules", RULE)
    state.activate("rules")
    outside = Outside(clock, zone, publish)
    judge = Judge(zone, lambda domain: domain in state.identities())
    smtp = SmtpServer(Reception(state, judge, put, publish), clock, 0)
    api = SesApi(state, outside, ops).serve(0)
    for part in (clock, smtp, api):
        part.start()
    try:
        yield World(clock, zone, ops, state, outside, api, smtp, published, objects)
    finally:
        for stop in (api.stop, smtp.stop, outside.stop, clock.stop):
            stop()
