"""The Lambda runtime in this process: the packaged app's handlers, by function name."""

import importlib
import json
import logging
import re
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from chalice.app import Chalice

from local import hooks
from local.clock import Clock
from local.ops import current_function

log = logging.getLogger("local.lambda")

API = "api_handler"
DEFAULT_SECONDS = 60
PAYLOAD_LIMIT = 6_291_556  # bytes of a synchronous request or response, as Lambda's own message says

Handler = Callable[[Any, Any], Any]


class FunctionError(Exception):
    """A function failed. `payload` is Lambda's error document: errorMessage, errorType, stackTrace."""

    def __init__(self, function: str, payload: dict[str, Any]) -> None:
        super().__init__(f"{function}: {payload.get('errorType')}: {payload.get('errorMessage')}")
        self.function, self.payload = function, payload


@dataclass
class Context:
    """What a handler gets as its second argument, as on Lambda."""

    function_name: str
    deadline: float  # time.monotonic() when it is stopped
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    killed: bool = False

    @property
    def invoked_function_arn(self) -> str:
        """The ARN that was invoked."""
        return f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """What is left before the time-out."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


_invocation: ContextVar[Context | None] = ContextVar("invocation", default=None)


def _stop_the_dead(**_: Any) -> None:
    """Lambda kills a function at its time-out. A thread cannot be killed: it makes no more AWS calls."""
    if (context := _invocation.get()) is not None and context.killed:
        raise TimeoutError(f"{context.function_name} timed out before this call")


@dataclass(frozen=True)
class Source:
    """An event source declared in app.py: a queue (name or ARN) or a schedule expression."""

    function: str
    queue: str | None = None
    batch_size: int = 1
    schedule: str | None = None


def _one_request_per_thread(app: Chalice) -> None:
    """Chalice keeps the request on the app object, as one Lambda process serves one request at a time."""
    held = threading.local()

    def attribute(name: str) -> property:
        return property(lambda _: getattr(held, name, None), lambda _, value: setattr(held, name, value))

    slots = {name: attribute(name) for name in ("current_request", "lambda_context")}
    app.__class__ = type("LocalChalice", (type(app),), slots)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Runtime:
    """The functions of one app."""

    def __init__(self, clock: Clock, seconds: Mapping[str, float] | None = None) -> None:
        self._clock = clock
        self._seconds = dict(seconds or {})
        self._handlers: dict[str, Handler] = {}
        self.sources: list[Source] = []
        self.failures: deque[FunctionError] = deque(maxlen=1000)
        hooks.before_send(_stop_the_dead)

    def load(self, module: str = "app") -> None:
        """Import the app; the environment must be set."""
        app: Chalice = importlib.import_module(module).app
        _one_request_per_thread(app)
        self._handlers[API] = app
        names = [source.name for source in app.event_sources]
        for name in [*names, *(function.name for function in app.pure_lambda_functions)]:
            self._handlers[name] = app.handler_map[name]
        for source in app.event_sources:
            queue = getattr(source, "queue", None) or getattr(source, "queue_arn", None)
            expression = getattr(source, "schedule_expression", None)
            schedule = (
                expression if expression is None or isinstance(expression, str) else expression.to_string()
            )
            self.sources.append(Source(source.name, queue, getattr(source, "batch_size", 1), schedule))

    def add(self, name: str, handler: Handler, seconds: float | None = None) -> None:
        """A function that is not part of the app (tests), or in place of one that is."""
        self._handlers[name] = handler
        if seconds is not None:
            self._seconds[name] = seconds

    def resolve(self, name_or_arn: str) -> str:
        """A function's name from its ARN, physical or logical name. Raises LookupError."""
        wanted = _plain(name_or_arn.split(":function:")[-1].split(":")[0])
        found = [name for name in self._handlers if wanted.endswith(_plain(name))]
        if not found:
            raise LookupError(f"no function {name_or_arn}")
        return max(found, key=len)

    def invoke(self, name: str, event: Any) -> Any:
        """The function's result, through JSON both ways. Raises FunctionError."""
        name = self.resolve(name)
        sent = json.dumps(event)
        with self._clock.busy(f"lambda {name}"):
            try:
                return self._answer(name, sent)
            except FunctionError as error:
                self.failures.append(error)
                trace = "".join(error.payload.get("stackTrace", []))
                log.error("%s failed: %s\n%s", name, error, trace)
                raise

    def _answer(self, name: str, sent: str) -> Any:
        if len(sent) > PAYLOAD_LIMIT:
            raise FunctionError(name, _too_large("Request", len(sent)))
        answer: list[str] = []
        context = Context(name, time.monotonic() + self._seconds.get(name, DEFAULT_SECONDS))
        failed: list[dict[str, Any]] = []
        thread = threading.Thread(
            target=self._run, args=(name, sent, context, answer, failed), daemon=True, name=f"lambda-{name}"
        )
        thread.start()
        thread.join(context.deadline - time.monotonic())
        if thread.is_alive():
            context.killed = True
            raise FunctionError(name, _timed_out(context, self._seconds.get(name, DEFAULT_SECONDS)))
        if failed:
            raise FunctionError(name, failed[0])
        if len(answer[0]) > PAYLOAD_LIMIT:
            raise FunctionError(name, _too_large("Response", len(answer[0])))
        return json.loads(answer[0])

    def _run(
        self, name: str, sent: str, context: Context, answer: list[str], failed: list[dict[str, Any]]
    ) -> None:
        current_function.set(name)
        _invocation.set(context)
        try:
            answer.append(json.dumps(self._handlers[name](json.loads(sent), context)))
        except Exception as error:  # noqa: BLE001 - the edge of the runtime: any error becomes a document
            failed.append(
                {
                    "errorMessage": str(error),
                    "errorType": type(error).__name__,
                    "requestId": context.aws_request_id,
                    "stackTrace": traceback.format_tb(error.__traceback__),
                }
            )


def _timed_out(context: Context, seconds: float) -> dict[str, Any]:
    message = f"RequestId: {context.aws_request_id} Error: Task timed out after {seconds:.2f} seconds"
    return {"errorMessage": message, "errorType": "Sandbox.Timedout"}


def _too_large(what: str, size: int) -> dict[str, Any]:
    message = (
        f"{what} payload size ({size} bytes) exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
    )
    return {"errorMessage": message, "errorType": f"Function.{what}SizeTooLarge"}
