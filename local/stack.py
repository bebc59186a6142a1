"""The whole local cloud: starts its parts in order and stops them in reverse."""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import boto3

from chalicelib.aws import clients
from chalicelib.aws import clock as service_clock
from local import resources
from local.clock import Clock
from local.cloudformation import Node, Template
from local.engine import ACCOUNT, REGION, Engine
from local.expiry import Expiry
from local.lambdas import Runtime
from local.ops import Ops, mark_calls
from local.pumps import QueuePump, Schedules
from local.workers import Workers
from local.workflows import Workflows

log = logging.getLogger("local")

ROOT = Path(__file__).resolve().parents[1]
WORKERS = 16
Ports = Literal["free"] | Mapping[str, int]


class Component(Protocol):
    """A part around the engine (SES, DNS, web, …). `start` may set `stack.environ`, `stack.urls` and
    use everything but the runtime, which loads the app after all components have started."""

    def start(self, stack: "Stack") -> None:
        """Begin. Raises OSError when a port is taken."""

    def stop(self) -> None:
        """End, also after a start that failed."""


class Stack:
    """`with Stack() as stack:` runs the local cloud in this process, everything in memory.

    `ports` gives ports by name ("aws", and what components ask `port` for); "free" takes free ones.
    `template` is CloudFormation in its long form; `parameters` its parameters.
    """

    def __init__(
        self,
        ports: Ports = "free",
        *,
        template: Node | None = None,
        parameters: Mapping[str, str] | None = None,
        components: Sequence[Component] = (),
        app: str | None = "app",
    ) -> None:
        self._wanted = {} if ports == "free" else dict(ports)
        self.clock = Clock()
        self.ops = Ops()
        self.engine = Engine(self.clock, self.ops, self.port("aws"))
        self.template = Template(
            template if template is not None else _described(),
            {"Stage": "local", **(parameters or {})},
            account=ACCOUNT,
            region=REGION,
        )
        self.runtime = Runtime(self.clock, _timeouts())
        self.workers = Workers(WORKERS, "pump")
        self.queues = QueuePump(self.engine, self.clock, self.runtime, self.workers)
        self.schedules = Schedules(self.clock, self.runtime, self.workers)
        self.workflows = Workflows(self.clock, self.runtime)
        self.urls: dict[str, str] = {}
        self.environ: dict[str, str] = {}
        self._components = list(components)
        self._app = app
        self._ending = ExitStack()
        self._clients: dict[str, Any] = {}

    def port(self, name: str) -> int:
        """The port that was asked for under this name; 0: any free one."""
        return int(self._wanted.get(name, 0))

    def __enter__(self) -> "Stack":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Engine, resources, components, app, pumps. After a failure everything is stopped again."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        mark_calls()
        self._ending.callback(self.workers.stop)
        self.clock.start()
        self._ending.callback(self.clock.stop)
        self._ending.callback(self.engine.stop)
        self.engine.start()
        for part in (self.queues, self.workflows):
            self._ending.callback(part.stop)
            part.start()
        self.template.endpoint = self.urls["aws"] = self.engine.url
        resources.create(self.template, self.client)
        self.environ = {**self.template.environment(), **self.boto3_env()}
        for component in self._components:
            self._ending.callback(component.stop)
            component.start(self)
        self._enter_environment()
        self._load()

    def _enter_environment(self) -> None:
        """The functions' environment and clock become this process's."""
        before = dict(os.environ)
        self._ending.callback(_restore, before)
        os.environ.update(self.environ)
        service_clock.install(self.clock.time)
        self._ending.callback(service_clock.install, time.time)
        _forget()
        self._ending.callback(_forget)

    def _load(self) -> None:
        if self._app is not None:
            self.runtime.load(self._app)
        self.queues.connect(self.runtime.sources, self.template)
        self.schedules.connect(self.runtime.sources)
        Expiry(self.engine, self.clock, resources.expiries(self.template)).start()
        self.ops.reset()

    def stop(self) -> None:
        """Everything, in reverse; what fails to stop is logged."""
        self._ending.close()

    def advance(self, by: timedelta) -> None:
        """Move the time, stopping at each due event; returns when the system has settled."""
        self.clock.advance(by)

    def settle(self, seconds: float = 60) -> None:
        """Wait until nothing runs and nothing is due. Raises TimeoutError."""
        self.clock.quiesce(seconds)

    def boto3_env(self) -> dict[str, str]:
        """The environment in which boto3 talks to this cloud. Components add their own endpoints."""
        return {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.engine.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "POWERTOOLS_TRACE_DISABLED": "true",
            "POWERTOOLS_METRICS_NAMESPACE": "plainpost",
            "POWERTOOLS_METRICS_DISABLED": "true",
            "POWERTOOLS_LOG_LEVEL": "ERROR",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud, whatever the environment says."""
        if service not in self._clients:
            make: Any = _session().client  # its stubs know literal names only
            self._clients[service] = make(service, endpoint_url=self.engine.url)
        return self._clients[service]


@cache
def _session() -> boto3.Session:
    """One for the process: its service models take a second to read."""
    return boto3.Session("local", "local", region_name=REGION)


def _described() -> Node:
    """What infra/ describes."""
    from tools.template import whole

    return whole()


def _timeouts() -> dict[str, float]:
    """Functions' time-outs in seconds, from .chalice/config.json."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    functions = config.get("lambda_functions", {})
    return {name: float(one["lambda_timeout"]) for name, one in functions.items() if "lambda_timeout" in one}


def _forget() -> None:
    """Platform and clients that were built for another environment."""
    clients.forget()
    module = sys.modules.get("chalicelib.services.platform")
    if module is not None:
        module.platform.cache_clear()


def _restore(before: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)
