"""The one clock. A runtime that simulates time installs its own source."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

_source: Callable[[], float] = time.time


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.fromtimestamp(_source(), UTC)


def install(source: Callable[[], float]) -> None:
    """Replace the source of time: a function that gives seconds since 1970."""
    global _source
    _source = source
