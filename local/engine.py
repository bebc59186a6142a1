"""moto's server in this process: one lock per service, calls counted, time from the test clock.

moto is not thread-safe, so one lock per service is held around its request handlers. No handler
of ours runs under such a lock.
"""

import importlib
import io
import socket
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore.auth
import moto
import moto.core.utils as moto_time
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from local import direct, presigned
from local.capacity import Meter
from local.clock import Clock
from local.moto_dynamodb import Dynamo
from local.ops import ANYONE, FUNCTION_HEADER, OPERATION_HEADER, Ops
from local.patching import Patches


def _import_interpreter() -> None:
    """moto's Step Functions want one enumeration of moto's Batch, which loads all of EC2 (1.5 s). The
    package's own `__init__` is passed by while they are imported."""
    if "moto.batch" in sys.modules:
        return
    stand_in = ModuleType("moto.batch")
    stand_in.__path__ = [str(Path(moto.__file__).with_name("batch"))]
    sys.modules["moto.batch"] = stand_in
    try:
        importlib.import_module("moto.stepfunctions.parser.models")
    finally:
        del sys.modules["moto.batch"]


_import_interpreter()

ACCOUNT, REGION = "123456789012", "us-east-1"
SERVICES = {
    "dynamodb": "dynamodb",
    "s3": "s3",
    "sqs": "sqs",
    "sns": "sns",
    "states": "stepfunctions",
    "secretsmanager": "secretsmanager",
}
_S3_VERBS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}

Environ = dict[str, Any]


class _Handler(MotoRequestHandler):
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client's delayed ACK
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        """Silent: every call is counted instead."""


class Locks:
    """One re-entrant lock per moto service."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._guard = threading.Lock()

    def __getitem__(self, service: str) -> threading.RLock:
        with self._guard:
            return self._locks[service]


class _Application(DomainDispatcherApplication):
    """moto's dispatcher with the locks and the counting around each backend, and S3's door before S3."""

    def __init__(self, locks: Locks, ops: Ops, dynamo: Dynamo, clock: Clock) -> None:
        super().__init__(create_backend_app)
        self._locks, self._ops, self._dynamo, self._clock = locks, ops, dynamo, clock

    def get_application(self, environ: Environ) -> Any:
        """The Flask application of the service that signed the request; moto's search for the rest."""
        service = _signed_for(environ)
        if service not in SERVICES or environ.get("PATH_INFO", "").startswith("/moto-api"):
            return super().get_application(environ)
        with self.lock:
            if service not in self.app_instances:
                self.app_instances[service] = create_backend_app(SERVICES[service])  # type: ignore[arg-type]
            return self.app_instances[service]

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        _read_body(environ)  # outside the lock: a slow client must not hold it
        application = self.get_application(environ)
        service = str(application.service)
        if service == "s3" and (refused := presigned.refusal(environ, self._clock.now())):
            start_response(refused.status, [("Content-Type", "application/xml")])
            return [refused.document]
        with self._locks[service]:
            meter = self._dynamo.meter = Meter() if service == "dynamodb" else self._dynamo.meter
            body = b"".join(application(environ, start_response))
        read, write = (meter.read, meter.write) if service == "dynamodb" else (0.0, 0.0)
        function = environ.get(_wsgi(FUNCTION_HEADER), ANYONE)
        self._ops.count(service, _operation(service, environ), function, read, write)
        return [body]


def _wsgi(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")


def _signed_for(environ: Environ) -> str:
    """The service in the credential scope: `…Credential=key/date/region/service/aws4_request`."""
    text = environ.get("HTTP_AUTHORIZATION", "") or environ.get("QUERY_STRING", "").replace("%2F", "/")
    _, found, scope = text.partition("Credential=")
    parts = scope.split("/", 4)
    return parts[3] if found and len(parts) == 5 else ""


def _operation(service: str, environ: Environ) -> str:
    """The operation's name, of callers outside this process too."""
    if marked := environ.get(_wsgi(OPERATION_HEADER)):
        return str(marked)
    if target := environ.get("HTTP_X_AMZ_TARGET", ""):
        return str(target).rsplit(".", 1)[-1]
    if service == "s3":
        method = str(environ["REQUEST_METHOD"])
        return _S3_VERBS.get(method, method)
    return "Unknown"


def _read_body(environ: Environ) -> None:
    stream = environ["wsgi.input"]
    if "chunked" in environ.pop("HTTP_TRANSFER_ENCODING", "").lower():
        data = stream.read()
        environ.pop("wsgi.input_terminated", None)
        environ["CONTENT_LENGTH"] = str(len(data))
    else:
        data = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(data)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise OSError(error.errno, f"port {port}: {error.strerror}") from error


_one = threading.Lock()  # moto's state is the process's: there is one engine at a time


class Engine:
    """The AWS endpoint. Port 0 takes a free one. Raises OSError when the port is taken."""

    def __init__(self, clock: Clock, ops: Ops, port: int = 0) -> None:
        self.locks = Locks()
        self.clock, self.ops = clock, ops
        self._dynamo = Dynamo()
        self._patches = Patches()
        self._wanted = port
        self._ours = False
        self._config: dict[str, Any] = {}
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        assert self._server is not None
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Empty backends, patches, server. Raises RuntimeError when this process has an engine already."""
        if not _one.acquire(blocking=False):
            raise RuntimeError("one engine at a time: moto's state belongs to the process")
        self._ours = True
        BackendDict.reset()
        self._config = dict(default_user_config)
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        self._patches.set(moto_time, "utcnow", self._utcnow)
        import moto.s3.models as s3

        self._patches.set(s3, "utcnow", self._utcnow)
        # Links expire by the test clock, so they must be signed by it.
        self._patches.set(botocore.auth, "get_current_datetime", self._utcnow)
        self._dynamo.install()
        application = _Application(self.locks, self.ops, self._dynamo, self.clock)
        with _listening(self._wanted) as listener:  # werkzeug would end the process if the port is taken
            self._server = make_server(
                "127.0.0.1", self._wanted, application, True, request_handler=_Handler, fd=listener.fileno()
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True, name="moto"
        )
        self._thread.start()
        direct.connect(f"127.0.0.1:{self.port}", application)

    def stop(self) -> None:
        """Close the port and give moto its own methods back."""
        if self._server is not None and self._thread is not None:
            direct.disconnect(f"127.0.0.1:{self.port}")
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(5)
        if self._ours:
            self._dynamo.remove()
            self._patches.undo()
            default_user_config.update(self._config)  # type: ignore[typeddict-item]
            self._ours = False
            _one.release()

    def backend(self, service: str) -> Any:
        """moto's backend of our account and region; use it under `locks[service]`."""
        return get_backend(service)[ACCOUNT][REGION]  # type: ignore[call-overload]

    def _utcnow(self) -> datetime:
        return datetime.fromtimestamp(self.clock.time(), UTC).replace(tzinfo=None)
