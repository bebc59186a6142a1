"""What disappears by itself on AWS: items past their TTL, objects past their lifecycle, on the test clock."""

import threading
from collections.abc import Iterable
from typing import Any

from moto.dynamodb.models.table import Table

from local.clock import Clock
from local.engine import ACCOUNT, Engine

EVERY = 3600.0  # seconds: AWS takes up to 48 h for TTL and a day for lifecycles


class Expiry:
    """Sweeps once an hour."""

    def __init__(self, engine: Engine, clock: Clock, lifecycles: Iterable[tuple[str, str, float]]) -> None:
        self._engine, self._clock = engine, clock
        self._lifecycles = list(lifecycles)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Plan the first sweep."""
        self._plan(self._clock.time() + EVERY)

    def _plan(self, moment: float) -> None:
        def sweep() -> None:
            self._plan(moment + EVERY)
            self.sweep()

        self._clock.at(moment, sweep, "expiry")

    def sweep(self) -> None:
        """Remove what has expired."""
        now = self._clock.time()
        with self._engine.locks["dynamodb"]:
            for table in self._engine.backend("dynamodb").tables.values():
                _sweep_table(table, now)
        with self._engine.locks["s3"]:
            for bucket, prefix, seconds in self._lifecycles:
                self._sweep_bucket(bucket, prefix, now - seconds)

    def _sweep_bucket(self, name: str, prefix: str, before: float) -> None:
        from moto.s3.models import s3_backends

        backend = s3_backends[ACCOUNT]["aws"]
        keys: Any = backend.buckets[name].keys
        for key, stored in list(keys.items()):
            if key.startswith(prefix) and _seconds(stored.last_modified) < before:
                backend.delete_object(name, key)


def _seconds(moment: Any) -> float:
    from moto.core.utils import unix_time

    return float(unix_time(moment))


def _sweep_table(table: Table, now: float) -> None:
    name = table.ttl.get("AttributeName")
    if table.ttl["TimeToLiveStatus"] != "ENABLED" or name is None:
        return
    expired = [
        item
        for item in table.all_items()
        if (value := item.attrs.get(name)) is not None and value.type == "N" and float(value.value) < now
    ]
    for item in expired:
        table.delete_item(item.hash_key, item.range_key)
