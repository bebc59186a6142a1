"""The test clock: real time plus an offset, what is due on it, and whether the system is busy.

Everything that waits in the local cloud waits here, so that `advance` can move from one due
event to the next and let the system go quiet at each.
"""

import heapq
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

log = logging.getLogger("local.clock")


@dataclass(order=True)
class Timer:
    """Something due. `when` in seconds since 1970 on the test clock."""

    when: float
    order: int
    call: Callable[[], None] = field(compare=False)
    label: str = field(compare=False)
    patient: bool = field(default=False, compare=False)  # no stop on the way of `advance`
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """It will not fire any more, unless it is firing now."""
        self.cancelled = True


class Clock:
    """Test time, timers and the count of busy hands."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._busy: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._advancing = threading.Lock()
        self._running = False
        self._thread: threading.Thread | None = None

    def time(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._offset

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def start(self) -> None:
        """Fire timers from now on."""
        self._running = True
        self._thread = threading.Thread(target=self._tick, daemon=True, name="clock")
        self._thread.start()

    def stop(self) -> None:
        """No timer fires afterwards."""
        with self._changed:
            self._running = False
            self._timers.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(5)

    def at(
        self, when: float, call: Callable[[], None], label: str = "timer", *, patient: bool = False
    ) -> Timer:
        """Run `call` at that moment. It must be short; the system counts as busy while it runs.

        A patient one is no reason for `advance` to stop: it runs at the first stop after its moment.
        """
        timer = Timer(when, next(self._order), call, label, patient)
        with self._changed:
            heapq.heappush(self._timers, timer)
            self._changed.notify_all()
        return timer

    def hold(self, label: str) -> None:
        """The system is busy until the matching `release`."""
        with self._changed:
            self._busy[label] += 1

    def release(self, label: str) -> None:
        """The end of one `hold`."""
        with self._changed:
            self._busy[label] -= 1
            if self._busy[label] <= 0:
                del self._busy[label]
            self._changed.notify_all()

    @contextmanager
    def busy(self, label: str) -> Iterator[None]:
        """`hold` and `release` around a piece of work."""
        self.hold(label)
        try:
            yield
        finally:
            self.release(label)

    def _tick(self) -> None:
        while True:
            with self._changed:
                timer = self._due()
                while self._running and timer is None:
                    self._changed.wait(self._until_next())
                    timer = self._due()
                if not self._running or timer is None:
                    return
                self._busy[timer.label] += 1
            try:
                timer.call()
            except Exception:
                log.exception("timer %s failed", timer.label)
            finally:
                self.release(timer.label)

    def _due(self) -> Timer | None:
        """Take the first timer whose time has come. The caller holds the condition."""
        upcoming = self._next()
        if upcoming is None or upcoming.when > self.time():
            return None
        return heapq.heappop(self._timers)

    def _next(self) -> Timer | None:
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0] if self._timers else None

    def _until_next(self) -> float | None:
        upcoming = self._next()
        return None if upcoming is None else max(0.0, min(upcoming.when - self.time(), 3600.0))

    def _quiet(self) -> bool:
        upcoming = self._next()
        return not self._busy and (upcoming is None or upcoming.when > self.time())

    def quiesce(self, seconds: float = 120) -> None:
        """Wait until nothing runs and nothing is due. Raises TimeoutError naming what is still busy."""
        with self._changed:
            if not self._changed.wait_for(self._quiet, seconds):
                raise TimeoutError(f"still busy after {seconds} s: {dict(self._busy)}")

    def advance(self, by: timedelta, *, step_seconds: float = 120) -> None:
        """Move the time, stopping at each due event until the system is quiet again.

        Raises ValueError for a negative step, TimeoutError when one event takes too long.
        """
        if by < timedelta(0):
            raise ValueError("the clock only moves forward")
        with self._advancing:
            self.quiesce(step_seconds)
            left = by.total_seconds()
            while left > 0:
                left -= self._skip(left)
                self.quiesce(step_seconds)

    def _skip(self, most: float) -> float:
        """Skip the time to the next due event, or `most`; gives the seconds that were skipped.

        What the work takes passes as well and is not taken from the skips: an event that is planned
        three hours after another has been worked on is met within the third hour.
        """
        with self._changed:
            stops = (timer.when for timer in self._timers if not (timer.cancelled or timer.patient))
            stop = min(stops, default=None)
            gap = most if stop is None else min(most, max(0.0, stop - self.time()))
            self._offset += gap
            self._changed.notify_all()
            return gap
