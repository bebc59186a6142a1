"""Queues wake functions as Lambda's event source mapping does; schedules fire on the test clock."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from local.pumps import rate_seconds
from local.stack import Stack
from tests.local import smallapp
from tests.local.small import QUEUE, TOPIC, small

DEAD = f"{QUEUE}-dead"


@pytest.fixture
def cloud() -> Iterator[Stack]:
    smallapp.seen.clear()
    smallapp.poison.clear()
    with small("tests.local.smallapp") as running:
        yield running


def send(cloud: Stack, body: str, **more: Any) -> None:
    cloud.client("sqs").send_message(QueueUrl=cloud.environ["WORK_QUEUE"], MessageBody=body, **more)


def bodies() -> list[str]:
    return [body for body, _ in smallapp.seen]


def test_a_message_wakes_its_function_and_is_deleted(cloud: Stack) -> None:
    send(cloud, "hello")
    cloud.settle()
    assert smallapp.seen == [("hello", "1")]
    assert cloud.queues.waiting()[QUEUE] == 0


def test_a_topic_delivers_raw(cloud: Stack) -> None:
    cloud.client("sns").publish(TopicArn=TOPIC, Message=json.dumps({"a": "é"}))
    cloud.settle()
    assert bodies() == [json.dumps({"a": "é"})]


def test_300_messages_from_all_sides_come_once_each(cloud: Stack) -> None:
    for start in range(0, 300, 10):
        entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in range(start, start + 10)]
        cloud.client("sqs").send_message_batch(QueueUrl=cloud.environ["WORK_QUEUE"], Entries=entries)
    cloud.settle()
    assert sorted(bodies()) == sorted(f"m{n}" for n in range(300))


def test_only_the_failed_messages_of_a_batch_come_again_until_they_are_dead_letters(cloud: Stack) -> None:
    smallapp.poison.add("bad")
    entries = [{"Id": body, "MessageBody": body} for body in ("good", "bad", "fine")]
    cloud.client("sqs").send_message_batch(QueueUrl=cloud.environ["WORK_QUEUE"], Entries=entries)
    cloud.settle()
    assert sorted(bodies()) == ["bad", "fine", "good"]
    assert cloud.queues.waiting() == {QUEUE: 1, DEAD: 0}
    cloud.advance(timedelta(seconds=359))
    assert len(smallapp.seen) == 3, "not before its visibility time-out"
    cloud.advance(timedelta(seconds=2))
    assert smallapp.seen[3:] == [("bad", "2")]
    cloud.advance(timedelta(hours=1) - timedelta(seconds=10))
    assert [one for one in smallapp.seen if one[0] == "bad"] == [("bad", str(n)) for n in range(1, 6)]
    assert cloud.queues.waiting() == {QUEUE: 0, DEAD: 1}


def test_a_message_that_is_mended_in_time_is_not_lost(cloud: Stack) -> None:
    smallapp.poison.add("bad")
    send(cloud, "bad")
    cloud.settle()
    smallapp.poison.clear()
    cloud.advance(timedelta(minutes=7))
    assert smallapp.seen == [("bad", "1"), ("bad", "2")]
    assert cloud.queues.waiting() == {QUEUE: 0, DEAD: 0}


@pytest.mark.parametrize(
    "answer", [{"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"batchItemFailures": [{}]}, "text"]
)
def test_an_answer_that_cannot_be_read_fails_the_batch(cloud: Stack, answer: Any) -> None:
    cloud.runtime.add("work", lambda _event, _context: answer)
    send(cloud, "kept")
    cloud.settle()
    assert cloud.queues.waiting()[QUEUE] == 1


def test_an_exception_fails_the_batch_and_is_remembered(cloud: Stack) -> None:
    def broken(_event: Any, _context: Any) -> None:
        raise KeyError("nothing here")

    cloud.runtime.add("work", broken)
    send(cloud, "kept")
    cloud.settle()
    assert cloud.queues.waiting()[QUEUE] == 1
    [failure] = cloud.runtime.failures
    assert failure.payload["errorType"] == "KeyError"
    assert failure.payload["stackTrace"]


def test_delayed_messages_wait_on_the_test_clock(cloud: Stack) -> None:
    send(cloud, "later", DelaySeconds=900)
    cloud.advance(timedelta(minutes=14))
    assert bodies() == []
    cloud.advance(timedelta(minutes=2))
    assert bodies() == ["later"]


def test_changed_visibility_brings_a_message_back_when_it_says(cloud: Stack) -> None:
    handles: list[str] = []

    def hand_back(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        [record] = event["Records"]
        handles.append(record["receiptHandle"])
        if len(handles) > 1:
            return {"batchItemFailures": []}
        cloud.client("sqs").change_message_visibility(
            QueueUrl=cloud.environ["WORK_QUEUE"], ReceiptHandle=record["receiptHandle"], VisibilityTimeout=30
        )
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}

    cloud.runtime.add("work", hand_back)
    send(cloud, "again")
    cloud.settle()
    cloud.advance(timedelta(seconds=25))
    assert len(handles) == 1
    cloud.advance(timedelta(seconds=10))
    assert len(handles) == 2


def test_schedules_fire_each_period(cloud: Stack) -> None:
    cloud.advance(timedelta(hours=5, minutes=1))
    assert bodies() == ["hourly"] * 5
    first, second = (moment for _, moment in smallapp.seen[:2])
    assert first[:13] != second[:13]


def test_a_schedule_that_fails_is_called_twice_more(cloud: Stack) -> None:
    calls: list[float] = []

    def broken(_event: Any, _context: Any) -> None:
        calls.append(cloud.clock.time())
        raise RuntimeError("no")

    cloud.runtime.add("hourly", broken)
    cloud.advance(timedelta(minutes=70))
    assert [round(later - calls[0]) for later in calls] == [0, 60, 180]


def test_calls_are_counted_with_who_made_them(cloud: Stack) -> None:
    def writes(_event: Any, _context: Any) -> None:
        cloud.client("s3").list_buckets()

    cloud.runtime.add("work", writes)
    cloud.ops.reset()
    cloud.client("sns").publish(TopicArn=TOPIC, Message="m")
    cloud.settle()
    rows = {(row["service"], row["operation"], row["function"]): row for row in cloud.ops.snapshot()["calls"]}
    assert set(rows) == {
        ("sns", "Publish", "-"),
        ("sqs", "SendMessage", "sns"),
        ("sqs", "ReceiveMessage", "work"),
        ("s3", "ListBuckets", "work"),
        ("sqs", "DeleteMessageBatch", "work"),
    }
    assert {row["calls"] for row in rows.values()} == {1}


def test_rates() -> None:
    assert rate_seconds("rate(1 minute)") == 60
    assert rate_seconds("rate(6 hours)") == 21_600
    assert rate_seconds("rate(2 days)") == 172_800
    with pytest.raises(ValueError, match="only rate"):
        rate_seconds("cron(0 1 * * ? *)")
