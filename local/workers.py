"""A few daemon threads for short jobs; unlike ThreadPoolExecutor's they never keep a process from ending."""

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger("local")


class Workers:
    """Jobs run in the order given, at most `count` at a time."""

    def __init__(self, count: int, name: str) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, daemon=True, name=f"{name}-{n}") for n in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Run it soon."""
        self._jobs.put(job)

    def stop(self) -> None:
        """Take no more jobs; those that run may end by themselves."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                log.exception("a job of the local cloud failed")
