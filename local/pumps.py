"""What makes things move on AWS without anyone calling: queues wake functions, schedules fire.

Queues follow Lambda's event source mapping: batches, `batchItemFailures`, failed messages
again after the visibility time-out (on the test clock), then the dead-letter queue (moto's redrive).
"""

import logging
import re
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import moto.sns.models as sns
import moto.sqs.models as sqs

from local.clock import Clock, Timer
from local.cloudformation import Template
from local.engine import ACCOUNT, REGION, Engine
from local.lambdas import FunctionError, Runtime, Source
from local.patching import Patches
from local.workers import Workers

log = logging.getLogger("local.pumps")

CONCURRENCY = 8  # batches of one queue at a time, where the template says nothing
ASYNC_RETRIES = (60, 120)  # seconds: Lambda repeats a failed scheduled call twice
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_OFTEN = 600  # seconds: what runs more often than this waits for the stops of other things in `advance`
_A_MOMENT = 0.002  # moto's messages are visible strictly after their moment


@dataclass
class QueueMapping:
    """One queue that wakes one function."""

    queue: str
    function: str
    batch_size: int
    concurrency: int
    partial: bool  # ReportBatchItemFailures
    running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class QueuePump:
    """Moves messages from queues to functions as soon as they may be seen."""

    def __init__(self, engine: Engine, clock: Clock, runtime: Runtime, workers: Workers) -> None:
        self._engine, self._clock = engine, clock
        self._runtime, self._workers = runtime, workers
        self._mappings: dict[str, QueueMapping] = {}
        self._patches = Patches()

    def start(self) -> None:
        """Watch what is sent."""
        self._patches.method(sqs.SQSBackend, "send_message", self._send)
        self._patches.method(sqs.SQSBackend, "receive_message", self._receive_now)
        self._patches.method(sqs.SQSBackend, "change_message_visibility", self._change_visibility)
        self._patches.method(sns.Subscription, "publish", self._publish)

    def stop(self) -> None:
        """Leave moto as it was."""
        self._mappings.clear()
        self._patches.undo()

    def connect(self, sources: Iterable[Source], template: Template) -> None:
        """Let the app's queue functions be woken. A source names its queue by name, its end or ARN."""
        queues = template.resources("AWS::SQS::Queue").values()
        names = sorted((queue["QueueName"] for queue in queues), key=len)
        for source in (source for source in sources if source.queue):
            wanted = str(source.queue).rsplit(":", 1)[-1]
            found = [name for name in names if name == wanted or name.endswith(f"-{wanted}")]
            if not found:
                raise LookupError(
                    f"{source.function} listens to {source.queue}, which the template does not have"
                )
            self._map(found[0], source, template.event_source(source.function))
            self.wake(found[0])

    def _map(self, queue: str, source: Source, told: Mapping[str, Any]) -> None:
        concurrency = int(told.get("ScalingConfig", {}).get("MaximumConcurrency", CONCURRENCY))
        partial = "ReportBatchItemFailures" in told.get("FunctionResponseTypes", [])
        self._mappings[queue] = QueueMapping(queue, source.function, source.batch_size, concurrency, partial)

    def waiting(self) -> dict[str, int]:
        """Messages per queue, invisible and delayed ones included."""
        with self._engine.locks["sqs"]:
            queues = self._engine.backend("sqs").queues
            return {name: len(queue._messages) for name, queue in queues.items()}

    def wake(self, queue: str) -> None:
        """Look at the queue soon."""
        mapping = self._mappings.get(queue)
        if mapping is None:
            return
        label = f"queue {queue}"
        self._clock.hold(label)

        def job() -> None:
            try:
                self._drain(mapping)
            finally:
                self._clock.release(label)

        self._workers.submit(job)

    def _wake_at(self, queue: str, milliseconds: float) -> Timer:
        moment = milliseconds / 1000 + _A_MOMENT
        return self._clock.at(moment, lambda: self.wake(queue), f"queue {queue}")

    def _send(self, original: Any, backend: Any, queue_name: str, *more: Any, **named: Any) -> Any:
        with self._engine.locks["sqs"]:  # SNS comes here past the SQS endpoint
            message = original(backend, queue_name, *more, **named)
        if message.delayed_until > self._clock.time() * 1000:
            self._wake_at(queue_name, message.delayed_until)
        else:
            self.wake(queue_name)
        return message

    def _receive_now(
        self, original: Any, backend: Any, queue: str, count: int, wait: int, *more: Any, **named: Any
    ) -> Any:
        """moto would poll inside the lock: every receive answers at once."""
        del wait
        return original(backend, queue, count, 0, *more, **named)

    def _change_visibility(self, original: Any, backend: Any, **named: Any) -> None:
        original(backend, **named)
        moment = self._clock.time() + int(named["visibility_timeout"])
        self._wake_at(named["queue_name"], moment * 1000)

    def _publish(self, original: Any, subscription: Any, *more: Any, **named: Any) -> Any:
        if subscription.protocol == "sqs":
            self._engine.ops.count("sqs", "SendMessage", "sns")
        return original(subscription, *more, **named)

    def _drain(self, mapping: QueueMapping) -> None:
        """Start as many batches as there are messages and places for them."""
        while True:
            with mapping.lock:
                if mapping.running >= mapping.concurrency:
                    return  # the batch that ends next looks again
                messages = self._take(mapping)
                if not messages:
                    return
                mapping.running += 1
            self._start(mapping, messages)

    def _start(self, mapping: QueueMapping, messages: list[Any]) -> None:
        label = f"batch {mapping.queue}"
        self._clock.hold(label)

        def job() -> None:
            try:
                self._process(mapping, messages)
            finally:
                with mapping.lock:
                    mapping.running -= 1
                self._drain(mapping)
                self._clock.release(label)

        self._workers.submit(job)

    def _take(self, mapping: QueueMapping) -> list[Any]:
        with self._engine.locks["sqs"]:
            backend = self._engine.backend("sqs")
            visibility = backend.queues[mapping.queue].visibility_timeout
            return list(backend.receive_message(mapping.queue, mapping.batch_size, 0, visibility, ["All"]))

    def _process(self, mapping: QueueMapping, messages: list[Any]) -> None:
        again = self._wake_at(mapping.queue, max(message.visible_at for message in messages))
        self._engine.ops.count("sqs", "ReceiveMessage", mapping.function)
        event = {"Records": [_record(message, mapping.queue) for message in messages]}
        try:
            result = self._runtime.invoke(mapping.function, event)
            failed = _failures(result, messages) if mapping.partial else set()
        except FunctionError:
            failed = {message.id for message in messages}
        done = [message for message in messages if message.id not in failed]
        if not failed:
            again.cancel()
        if not done:
            return
        self._engine.ops.count("sqs", "DeleteMessageBatch", mapping.function)
        with self._engine.locks["sqs"]:
            for message in done:
                self._engine.backend("sqs").delete_message(mapping.queue, message.receipt_handle)


def _failures(result: Any, messages: list[Any]) -> set[str]:
    """Ids of the messages to keep. An answer that Lambda cannot read fails the whole batch."""
    everything = {message.id for message in messages}
    if not result:
        return set()
    try:
        failed = {str(one["itemIdentifier"]) for one in result.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return everything
    return failed if failed <= everything else everything


def _record(message: Any, queue: str) -> dict[str, Any]:
    attributes = {
        name: {
            "dataType": value["DataType"],
            "stringValue": value.get("StringValue"),
            "stringListValues": [],
            "binaryListValues": [],
        }
        for name, value in message.message_attributes.items()
    }
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": attributes,
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }


def rate_seconds(expression: str) -> int:
    """Seconds of `rate(6 hours)`. Raises ValueError for anything else."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression.strip())
    if match is None:
        raise ValueError(f"only rate expressions are known here: {expression}")
    return int(match[1]) * _SECONDS[match[2]]


class Schedules:
    """The app's `@app.schedule` functions, on the test clock. Skipped periods of one are made up for once."""

    def __init__(self, clock: Clock, runtime: Runtime, workers: Workers) -> None:
        self._clock, self._runtime, self._workers = clock, runtime, workers

    def connect(self, sources: Iterable[Source]) -> None:
        """From now on they fire, first after one period."""
        for source in (source for source in sources if source.schedule):
            seconds = rate_seconds(str(source.schedule))
            self._plan(source.function, self._clock.time() + seconds, seconds)

    def _plan(self, function: str, moment: float, seconds: int) -> None:
        def fire() -> None:
            missed = int((self._clock.time() - moment) // seconds)
            self._plan(function, moment + seconds * (missed + 1), seconds)
            self._call(function, _scheduled(function, moment), ASYNC_RETRIES)

        self._clock.at(moment, fire, f"schedule {function}", patient=seconds < _OFTEN)

    def _call(self, function: str, event: dict[str, Any], retries: tuple[int, ...]) -> None:
        label = f"schedule {function}"
        self._clock.hold(label)

        def job() -> None:
            try:
                self._runtime.invoke(function, event)
            except FunctionError:
                if retries:
                    later = self._clock.time() + retries[0]
                    self._clock.at(later, lambda: self._call(function, event, retries[1:]), label)
            finally:
                self._clock.release(label)

        self._workers.submit(job)


def _scheduled(function: str, moment: float) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{function}"],
        "detail": {},
    }
