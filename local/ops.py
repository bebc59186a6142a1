"""Counting the AWS calls of the system, by service, operation and Lambda function."""

import threading
from collections import defaultdict
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest

from local import hooks

FUNCTION_HEADER = "X-Local-Function"
OPERATION_HEADER = "X-Local-Operation"
ANYONE = "-"

current_function: ContextVar[str] = ContextVar("current_function", default=ANYONE)


@dataclass
class Tally:
    """Calls of one kind. Units are DynamoDB capacity units by AWS's rules (local/capacity.py)."""

    calls: int = 0
    read_units: float = 0.0
    write_units: float = 0.0


class Ops:
    """The counters. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: defaultdict[tuple[str, str, str], Tally] = defaultdict(Tally)

    def count(
        self,
        service: str,
        operation: str,
        function: str | None = None,
        read_units: float = 0.0,
        write_units: float = 0.0,
    ) -> None:
        """One call. Without a function: the one that runs in this thread."""
        key = (service, operation, function or current_function.get())
        with self._lock:
            tally = self._tallies[key]
            tally.calls += 1
            tally.read_units += read_units
            tally.write_units += write_units

    def reset(self) -> None:
        """Start again at nothing."""
        with self._lock:
            self._tallies.clear()

    def snapshot(self) -> dict[str, Any]:
        """{"calls": [{service, operation, function, calls, read_units, write_units}], "totals": {…}}."""
        with self._lock:
            rows = [
                {"service": service, "operation": operation, "function": function, **vars(tally)}
                for (service, operation, function), tally in sorted(self._tallies.items())
            ]
        fields = ("calls", "read_units", "write_units")
        return {"calls": rows, "totals": {name: sum(row[name] for row in rows) for name in fields}}


def _mark(request: AWSPreparedRequest, event_name: str, **_: Any) -> None:
    """Tell the engine which function makes this call, and which operation it is."""
    request.headers[FUNCTION_HEADER] = current_function.get()
    request.headers[OPERATION_HEADER] = event_name.rsplit(".", 1)[-1]


def mark_calls() -> None:
    """Have every boto3 client that is made from now on in this process mark its calls."""
    hooks.before_send(_mark)
