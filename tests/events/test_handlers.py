"""The app's functions: what each hands on, and what comes again."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

import app as entry
from chalicelib.services import send
from tests.services.post import Message, Post, letter, recorded

CONTEXT = SimpleNamespace(
    function_name="f", aws_request_id="r", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:f"
)
HELLO = letter("zoe@far.test", ["bob@x.test"])


def call(function: str, event: Any) -> Any:
    """A function of the app, as Lambda calls it."""
    return entry.app.handler_map[function](event, CONTEXT)


def batch(*bodies: Any) -> dict[str, Any]:
    """What SQS hands to a function. A string is a body as it is."""
    return {
        "Records": [
            {
                "messageId": f"m{i}",
                "receiptHandle": "h",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q",
                "awsRegion": "us-east-1",
            }
            for i, body in enumerate(bodies)
        ]
    }


FUNCTIONS = {"arrivals": "receive", "outgoing": "attempt", "outcomes": "outcomes", "bounces": "bounce"}


def deliver(message: Message) -> None:
    """A message of a queue through the app's function for it."""
    assert call(FUNCTIONS[message.queue], batch(message.body)) == {"batchItemFailures": []}


def test_the_functions_are_those_that_the_infrastructure_names() -> None:
    declared: list[Any] = list(entry.app.event_sources)
    sources = {s.name: getattr(s, "queue", None) or s.schedule_expression.to_string() for s in declared}
    stage = entry.STAGE
    assert sources == {
        "receive": f"plainpost-{stage}-arrivals",
        "attempt": f"plainpost-{stage}-outgoing",
        "outcomes": f"plainpost-{stage}-outcomes",
        "bounce": f"plainpost-{stage}-bounces",
        "jobs": f"plainpost-{stage}-jobs",
        "watch_domains": "rate(1 hour)",
        "mend_outbox": "rate(1 hour)",
        "warn_mailboxes": "rate(1 hour)",
        "webhooks": "rate(1 minute)",
        "cleanup": "rate(1 day)",
    }
    tasks = {f.name for f in entry.app.pure_lambda_functions}
    assert tasks == {"activation_poll", "delivery_watch", "delivery_next", "delivery_attempt"}


def test_only_messages_that_failed_come_again(office: Post) -> None:
    body = office.receive(HELLO, "bob@x.test", "nobody@x.test")
    broken = recorded("received")
    answer = call("receive", batch(broken, body, "{not json", recorded("setup")))
    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == ["m0", "m2"]
    assert office.inbox("bob@x.test") == [HELLO]


def test_a_batch_that_fails_as_a_whole_is_answered_too(office: Post) -> None:
    answer = call("receive", batch("{not json", recorded("received")))
    assert [f["itemIdentifier"] for f in answer["batchItemFailures"]] == ["m0", "m1"]
    assert office.queues.messages == []


def test_mail_goes_in_and_out_through_the_apps_functions(
    office: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "handle", deliver)
    office.mail.behaviour["refusing.test"] = "refuse"
    office.queues.send("https://q/plainpost-arrivals", office.receive(HELLO, "bob@x.test", "nobody@x.test"))
    send.submit(office.p, office.submission("ann@x.test", ["bob@x.test", "zoe@far.test", "a@refusing.test"]))
    office.settle()
    assert len(office.inbox("bob@x.test")) == 2
    assert office.mail.delivered == ["zoe@far.test"]
    assert len(office.mail.told) == 1
    assert len(office.inbox("ann@x.test")) == 1


def test_the_delivery_machines_tasks(office: Post) -> None:
    office.mail.behaviour["asleep.test"] = "defer"
    send.submit(office.p, office.submission("ann@x.test", ["a@asleep.test"]))
    call("attempt", batch({"submission": "s1", "chunk": 0}))
    [_, delay] = [m.body for m in office.queues.messages if m.queue == "outcomes"][:2]
    call("outcomes", batch(delay))
    assert office.workflows.executions["s1-0"].data == {"submission": "s1", "chunk": 0}
    data = {"submission": "s1", "chunk": 0}
    assert call("delivery_watch", {**data, "token": "t"}) == {}
    assert call("delivery_next", data) == {"action": "retry", "at": "2026-03-02T12:00:00Z"}
    assert call("delivery_attempt", data) == {}
    assert len(office.mail.calls) == 1, "not due yet"


def test_the_hourly_look_takes_up_what_was_not_queued(office: Post) -> None:
    send.submit(office.p, office.submission("ann@x.test", ["bob@x.test"]))
    office.queues.messages = []
    office.clock.advance(hours=1)
    call("mend_outbox", {"detail-type": "Scheduled Event", "source": "aws.events", "resources": []} | EVENT)
    office.settle()
    assert len(office.inbox("bob@x.test")) == 1


def test_S16_the_hourly_look_warns_whom_nobody_warned_yet(office: Post) -> None:
    bob = office.accounts["bob@x.test"]
    office.fill(bob.address, bob.quota_bytes * 9 // 10)
    office.p.mailboxes.marks.concern(bob.id, 1)
    call(
        "warn_mailboxes", {"detail-type": "Scheduled Event", "source": "aws.events", "resources": []} | EVENT
    )
    [warning] = office.inbox(bob.address)
    assert b"Subject: Your mailbox is 90 % full" in warning


EVENT = {
    "version": "0",
    "id": "e",
    "account": "123456789012",
    "time": "2026-03-02T10:00:00Z",
    "region": "us-east-1",
    "detail": {},
}
