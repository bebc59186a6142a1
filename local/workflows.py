"""moto's Step Functions on the test clock, their Lambda tasks in our runtime.

moto interprets the state machines; replaced are only its threads (three per waiting execution; here one),
its sleeps and its way to Lambda (Docker). A waiting execution does not count as busy; whoever wakes
it counts it as busy before it runs. A function's own time-out ends a task; TimeoutSeconds is kept
for task tokens (an execution's own TimeoutSeconds is not: no machine of ours has one).
"""

import datetime as calendar
import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import moto.stepfunctions.parser.asl.component.common.retry.retrier_decl as retrier_decl
import moto.stepfunctions.parser.asl.component.program.program as program
import moto.stepfunctions.parser.asl.component.state.exec.execute_state as execute_state
import moto.stepfunctions.parser.asl.component.state.exec.state_task.lambda_eval_utils as lambda_eval_utils
import moto.stepfunctions.parser.asl.eval.event.event_manager as event_manager
import moto.stepfunctions.parser.backend.execution as execution
import moto.stepfunctions.parser.models as models
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackConsumerTimeout, CallbackEndpoint
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from local.clock import Clock
from local.lambdas import FunctionError, Runtime
from local.patching import Patches

LABEL = "workflow"
HISTORY_LIMIT = 25_000  # events of a standard execution


class Ended(BaseException):
    """The local cloud stops: past every `except Exception` of the interpreter."""


class Sleeper:
    """One wait of one execution: until a moment on the clock, or until somebody wakes it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._ended = False

    def wake(self) -> None:
        """Let it go on. The execution counts as busy from here."""
        with self._lock:
            if not self._woken.is_set():
                self._clock.hold(LABEL)
                self._woken.set()

    def end(self) -> None:
        """Let its thread end."""
        self._ended = True
        self.wake()

    def sleep(self, seconds: float) -> None:
        """Called by the execution's thread, which counts as busy before and after. Raises Ended."""
        timer = self._clock.at(self._clock.time() + seconds, self.wake, LABEL)
        self._clock.release(LABEL)
        self._woken.wait()
        timer.cancel()
        if self._ended:
            raise Ended


class _Inline:
    """A thread that is none: it runs its target in `start`."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...] = (), daemon: bool = True) -> None:
        del daemon
        self._target, self._args = target, args

    def start(self) -> None:
        self._target(*self._args)

    def join(self, timeout: float | None = None) -> None:
        del timeout

    def is_alive(self) -> bool:
        return False


class Workflows:
    """The replacements, while the local cloud runs."""

    def __init__(self, clock: Clock, runtime: Runtime) -> None:
        self._clock, self._runtime = clock, runtime
        self._patches = Patches()
        self._lock = threading.Lock()
        self._asleep: dict[int, Sleeper] = {}  # by thread
        self._tokens: dict[int, Sleeper] = {}  # by callback endpoint

    def start(self) -> None:
        """Replace moto's threads, sleeps and calls."""
        put, method = self._patches.set, self._patches.method
        put(execute_state, "Thread", _Inline)
        put(program, "threading", SimpleNamespace(Thread=_Inline))
        for module in (execute_state, program):
            put(module, "TMP_THREADS", SimpleNamespace(append=lambda _: None))  # moto never empties it
        put(retrier_decl, "time", SimpleNamespace(sleep=self._sleep))
        put(lambda_eval_utils, "_invoke_lambda_function", self._invoke)
        method(ExecutionWorker, "start", self._start_execution)
        method(ExecutionWorker, "stop", self._stop_execution)
        method(Environment, "set_error", _set_error)
        method(WaitFunction, "_wait_interval", self._wait_interval)
        method(Timestamp, "_get_wait_seconds", self._seconds_until)
        method(CallbackEndpoint, "wait", self._wait_for_token)
        method(CallbackEndpoint, "notify", self._token_answered)
        method(event_manager.EventManager, "add_event", _add_event)
        now = SimpleNamespace(now=lambda tz=calendar.UTC: self._clock.now().astimezone(tz))
        for module in (event_manager, execution, models):
            put(module, "datetime", SimpleNamespace(datetime=now, timezone=calendar.timezone))

    def stop(self) -> None:
        """End the waiting executions' threads and leave moto as it was."""
        with self._lock:
            sleepers = list(self._asleep.values())
        for sleeper in sleepers:
            sleeper.end()
        self._patches.undo()

    def waiting(self) -> int:
        """How many executions wait now."""
        with self._lock:
            return len(self._asleep)

    def _start_execution(self, original: Any, worker: ExecutionWorker) -> None:
        del original
        # moto looks for task tokens in the environment of every execution, of one just started too
        worker.env = worker._get_evaluation_environment()
        self._clock.hold(LABEL)

        def run() -> None:
            try:
                worker._execution_logic()  # type: ignore[no-untyped-call]
            except Ended:
                pass
            finally:
                self._clock.release(LABEL)

        thread = threading.Thread(target=run, daemon=True, name=LABEL)
        vars(worker)["local_thread"] = thread
        thread.start()

    def _stop_execution(self, original: Any, worker: ExecutionWorker, *more: Any, **named: Any) -> None:
        original(worker, *more, **named)
        with self._lock:
            sleeper = self._asleep.get(vars(worker)["local_thread"].ident or 0)
        if sleeper is not None:
            sleeper.wake()

    def _sleep(self, seconds: float, endpoint: CallbackEndpoint | None = None) -> None:
        sleeper, thread = Sleeper(self._clock), threading.get_ident()
        with self._lock:
            if endpoint is not None:
                if endpoint._notify_event.is_set():
                    return  # answered before we came to wait
                self._tokens[id(endpoint)] = sleeper
            self._asleep[thread] = sleeper
        try:
            sleeper.sleep(seconds)
        finally:
            with self._lock:
                del self._asleep[thread]
                self._tokens.pop(id(endpoint), None)

    def _wait_interval(
        self, original: Any, wait: WaitFunction, env: Environment, wait_seconds: float
    ) -> None:
        del original, wait
        if wait_seconds > 0 and env.is_running():
            self._sleep(wait_seconds)

    def _seconds_until(self, original: Any, wait: Timestamp, env: Environment) -> float:
        """moto compares with the machine's local time and cuts to whole seconds, which is early."""
        del original
        wait.string.eval(env=env)
        text = env.stack.pop()
        moment = Timestamp._from_timestamp_string(text)
        if moment is None:
            raise FailureEventException(wait._create_failure_event(env, text))
        return moment.replace(tzinfo=calendar.UTC).timestamp() - self._clock.time()

    def _wait_for_token(self, original: Any, endpoint: CallbackEndpoint, timeout: float) -> Any:
        del original
        self._sleep(timeout, endpoint)
        outcome = endpoint.get_outcome()
        if outcome is None:
            endpoint.report(CallbackConsumerTimeout())  # who answers later is told
        return outcome

    def _token_answered(self, original: Any, endpoint: CallbackEndpoint, outcome: Any) -> None:
        with self._lock:
            original(endpoint, outcome)
            sleeper = self._tokens.get(id(endpoint))
        if sleeper is not None:
            sleeper.wake()

    def _invoke(self, parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
        """lambda:Invoke in this process."""
        del region, state_credentials
        payload = parameters.get("Payload") or b"{}"
        try:
            answer = self._runtime.invoke(parameters["FunctionName"], json.loads(payload))
        except FunctionError as error:
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": error.payload}
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": answer}


def _set_error(original: Any, env: Environment, error: Any) -> None:
    """An execution that was stopped stays stopped, whatever its interrupted task says."""
    if not isinstance(env._program_state, ProgramStopped):
        original(env, error)


def _add_event(original: Any, manager: Any, context: Any, event_type: Any, *more: Any, **named: Any) -> Any:
    """AWS fails an execution whose history is full."""
    if len(manager._history_event_list) >= HISTORY_LIMIT and not event_type.value.startswith("Execution"):
        raise RuntimeError(f"the execution has reached {HISTORY_LIMIT} history events")
    return original(manager, context, event_type, *more, **named)
