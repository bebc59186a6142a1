"""Queues: what is sent is what is received, and a batch is sent whole or said not to be."""

import json
from typing import Any
from unittest import mock

import boto3
import pytest

from chalicelib.aws import clients
from chalicelib.aws.queue import Queues
from chalicelib.aws.table import Busy
from chalicelib.settings import Settings


def received(url: str) -> list[Any]:
    """Bodies that are visible in a queue now."""
    found: list[Any] = []
    client = boto3.client("sqs")
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(m["Body"]) for m in messages]
    return found


def test_one_now_and_one_later(settings: Settings) -> None:
    Queues().send(settings.outgoing_queue, {"submission": "ü", "chunk": 1})
    Queues().send(settings.outgoing_queue, {"submission": "later"}, delay=5000)
    assert received(settings.outgoing_queue) == [{"submission": "ü", "chunk": 1}]


def test_many_are_sent_ten_a_call(settings: Settings) -> None:
    bodies = [{"n": n} for n in range(23)]
    Queues().send_all(settings.outgoing_queue, bodies)
    assert sorted(b["n"] for b in received(settings.outgoing_queue)) == list(range(23))


def test_those_that_SQS_refused_are_sent_again_and_then_it_is_said(settings: Settings) -> None:
    client = mock.Mock()
    client.send_message_batch.side_effect = [
        {"Failed": [{"Id": "1"}]},
        {"Successful": [{"Id": "1"}]},
        *[{"Failed": [{"Id": "0"}]}] * 3,
    ]
    with mock.patch.object(clients, "client", return_value=client):
        Queues().send_all(settings.outgoing_queue, [{"n": 0}, {"n": 1}])
        again = client.send_message_batch.call_args.kwargs["Entries"]
        assert again == [{"Id": "1", "MessageBody": '{"n": 1}', "DelaySeconds": 0}]
        with pytest.raises(Busy):
            Queues().send_all(settings.outgoing_queue, [{"n": 0}])
