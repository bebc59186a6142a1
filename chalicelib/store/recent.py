"""What a process remembers for a moment, to save a read or a slow hash. Bounded, and by the one clock."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from chalicelib.aws import clock

V = TypeVar("V")


class Recent(Generic[V]):
    """Values by key, each for `life`, at most `size` of them; the oldest goes first."""

    def __init__(self, life: timedelta, size: int) -> None:
        self.life, self.size = life, size
        self._held: OrderedDict[str, tuple[V, datetime]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> V | None:
        """The value, unless it is too old."""
        with self._lock:
            held = self._held.get(key)
        if held is None or not clock.now() < held[1]:
            return None
        return held[0]

    def put(self, key: str, value: V) -> None:
        """Remember a value from now on."""
        with self._lock:
            self._held[key] = (value, clock.now() + self.life)
            self._held.move_to_end(key)
            while len(self._held) > self.size:
                self._held.popitem(last=False)

    def forget(self, key: str) -> None:
        """Remember it no longer."""
        with self._lock:
            self._held.pop(key, None)

    def forget_where(self, over: Callable[[V], bool]) -> None:
        """Remember those values no longer."""
        with self._lock:
            for key in [key for key, (value, _) in self._held.items() if over(value)]:
                del self._held[key]
