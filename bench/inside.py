"""A platform over moto in this process, its mail in memory, and what is counted about work done on it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import botocore.client

from chalicelib.aws.bucket import Bucket, NoSuchObject
from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.values import Account
from chalicelib.services import mailbox
from chalicelib.services.platform import Platform, build
from chalicelib.store.blobs import Blobs
from local.moto_dynamodb import Dynamo
from tests.cloud import cloud

FIRST_BYTE = 0.030  # seconds of S3, whatever the range
DYNAMO = 0.005  # seconds of a call
VCPU = 0.58  # of a function with 1,024 MB, as the API's


@dataclass
class Count:
    """Calls and CPU of something. `awaited`: seconds in which S3 was waited for."""

    gets: int = 0
    puts: int = 0
    octets: int = 0
    calls: int = 0
    read: float = 0
    write: float = 0
    awaited: float = 0
    cpu: float = 0

    def latency(self) -> float:
        """Modelled milliseconds, on a function of the API's size."""
        return 1_000 * (self.awaited + DYNAMO * self.calls + self.cpu / VCPU)


@dataclass
class Memory(Bucket):
    """A bucket in memory that takes its time."""

    name: str = "memory"
    held: dict[str, bytes] = field(default_factory=dict)
    count: Count = field(default_factory=Count)
    slow: bool = False
    _open: int = 0
    _since: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        with self._lock:
            self.count.gets += 1
            if not self._open:
                self._since = time.perf_counter()
            self._open += 1
        if self.slow:
            time.sleep(FIRST_BYTE)
        with self._lock:
            self._open -= 1
            if not self._open:
                self.count.awaited += time.perf_counter() - self._since
        yield

    def _get(self, key: str, **how: Any) -> bytes:
        with self._answering():
            if key not in self.held:
                raise NoSuchObject(key)
            found = self.held[key]
            if "Range" in how:
                first, last = how["Range"].removeprefix("bytes=").split("-")
                found = found[int(first) : int(last) + 1]
            self.count.octets += len(found)
            return found

    def put(self, key: str, content: bytes, **_: Any) -> None:
        """Store bytes under a key."""
        self.count.puts += 1
        self.held[key] = content

    def delete(self, key: str) -> None:
        """Remove what need not be there."""
        self.held.pop(key, None)


@dataclass
class Bench:
    """A mailbox and everything that is counted about it."""

    p: Platform
    bucket: Memory
    dynamo: Dynamo
    account: Account = field(default_factory=lambda: Account("abench", "me@x.test", "x.test", 10**12))

    def counted(self, work: Callable[[], Any], slow: bool = True) -> Count:
        """What some work takes; what moto itself takes is left out."""
        count = self.bucket.count = Count()
        self.bucket.slow, self.dynamo.meter.read, self.dynamo.meter.write = slow, 0.0, 0.0
        original: Any = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]
        inside = [0.0]

        def call(client: Any, name: str, arguments: Any) -> Any:
            before, count.calls = time.thread_time(), count.calls + 1
            self.dynamo.meter.factor = 1
            answer = original(client, name, arguments)
            inside[0] += time.thread_time() - before
            return answer

        with mock.patch.object(botocore.client.BaseClient, "_make_api_call", call):
            before = time.process_time()
            work()
            count.cpu = time.process_time() - before - inside[0]
        count.read, count.write = self.dynamo.meter.read, self.dynamo.meter.write
        self.bucket.count = Count()
        return count


@contextmanager
def bench() -> Iterator[Bench]:
    """A platform over moto, with its mail in memory."""
    dynamo, bucket = Dynamo(), Memory()
    with cloud() as settings:
        dynamo.install()
        try:
            made = Bench(replace(build(settings, DEFAULT), blobs=Blobs(bucket)), bucket, dynamo)
            mailbox.create(made.p, made.account)
            yield made
        finally:
            dynamo.remove()
