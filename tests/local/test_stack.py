"""The whole starts in order, stops in reverse, and leaves the process as it found it."""

import os
import socket
import threading
import time
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws import clock as service_clock
from local.stack import Stack
from tests.local.small import TEMPLATE

FUNCTIONS = {
    "api_handler",
    "receive",
    "attempt",
    "outcomes",
    "bounce",
    "activation_poll",
    "delivery_watch",
    "delivery_next",
    "delivery_attempt",
    "cleanup",
    "watch_domains",
}


class Part:
    """A component that notes what happens to it."""

    def __init__(self, name: str, log: list[str], fails: bool = False) -> None:
        self._name, self._log, self._fails = name, log, fails

    def start(self, stack: Stack) -> None:
        self._log.append(f"start {self._name}")
        stack.environ["PART"] = self._name
        stack.urls[self._name] = "here"
        if self._fails:
            raise OSError("port taken")

    def stop(self) -> None:
        self._log.append(f"stop {self._name}")


def small(**more: Any) -> Stack:
    return Stack(template=TEMPLATE, app=None, **more)


def test_parts_start_in_order_and_stop_in_reverse() -> None:
    log: list[str] = []
    with small(components=[Part("a", log), Part("b", log)]) as stack:
        assert log == ["start a", "start b"]
        assert os.environ["PART"] == "b"
        assert stack.urls["a"] == "here"
    assert log[2:] == ["stop b", "stop a"]


def test_the_process_is_left_as_it_was() -> None:
    before, threads = dict(os.environ), set(threading.enumerate())
    with small() as stack:
        assert os.environ["AWS_ENDPOINT_URL"] == stack.engine.url
        stack.advance(timedelta(days=400))
        assert service_clock.now().timestamp() > time.time() + 390 * 86_400
    assert dict(os.environ) == before
    assert abs(service_clock.now().timestamp() - time.time()) < 5
    for thread in set(threading.enumerate()) - threads:
        thread.join(5)
        assert not thread.is_alive(), thread.name


def test_a_start_that_fails_is_undone() -> None:
    log: list[str] = []
    with pytest.raises(OSError, match="port taken"):
        small(components=[Part("a", log), Part("b", log, fails=True)]).start()
    assert log == ["start a", "start b", "stop b", "stop a"]
    with small():
        pass


def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            small(ports={"aws": port}).start()
    with small(ports={"aws": port}) as stack:
        assert stack.engine.port == port


def test_the_packaged_app_runs_and_runs_again_in_one_process() -> None:
    for _ in range(2):
        with Stack() as stack:
            from chalicelib.services.platform import platform

            assert platform().settings.arrivals_queue.startswith(stack.engine.url)
            woken = {source.function for source in stack.runtime.sources if source.queue}
            assert woken == {"receive", "attempt", "outcomes", "bounce", "jobs"}
            for name in FUNCTIONS:
                assert stack.runtime.resolve(f"plainpost-local-{name}") == name
            stack.advance(timedelta(hours=1, minutes=5))
            assert list(stack.runtime.failures) == [], "an hour's schedules find nothing to do and no fault"
