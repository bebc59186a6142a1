"""boto3 calls of this process go to the engine without a socket: under load the hand-over between threads
costs more than the call. Everyone else uses the port; both meet in the same WSGI application.
"""

import io
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from local import hooks

log = logging.getLogger("local.aws")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_engines: dict[str, Application] = {}  # by host:port


class _Raw(io.BytesIO):
    """A response's body as botocore reads it."""

    def stream(self, amount: int = 65_536, **_: Any) -> Iterable[bytes]:
        while chunk := self.read(amount):
            yield chunk


def _call(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """Answers a request for one of our engines; None leaves it to the network."""
    target = urlsplit(request.url)
    application = _engines.get(target.netloc)
    if application is None:
        return None
    started: list[Any] = []
    environ = _environ(request, target)
    try:
        body = b"".join(application(environ, lambda status, headers, *_: started.append((status, headers))))
    except Exception:
        log.exception("%s %s", request.method, target.path)
        return _answer(request, 500, [], b"the engine failed; its log says why")
    status, headers = started[0]
    return _answer(request, int(status.split()[0]), headers, body)


def _answer(request: AWSPreparedRequest, status: int, headers: Iterable[Any], body: bytes) -> AWSResponse:
    fields = HTTPHeaders()
    for name, value in headers:
        fields[name] = value
    return AWSResponse(request.url, status, fields, _Raw(body))


def connect(netloc: str, application: Application) -> None:
    """From now on calls to this host and port, by clients made from now on, are answered here: last, so that
    whatever else wants to see a call, or to stop it, comes before.
    """
    hooks.before_send(_call, last=True)
    _engines[netloc] = application


def disconnect(netloc: str) -> None:
    """Leave them to the network."""
    _engines.pop(netloc, None)


def _body(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, bytes | bytearray) else bytes(body.read())


def _environ(request: AWSPreparedRequest, target: Any) -> dict[str, Any]:
    """A WSGI environment as werkzeug's server makes it (PEP 3333: text as latin-1)."""
    body = _body(request)
    raw = f"{target.path}?{target.query}" if target.query else target.path
    environ: dict[str, Any] = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path).encode().decode("latin-1"),
        "QUERY_STRING": target.query,
        "REQUEST_URI": raw,
        "RAW_URI": raw,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": target.hostname,
        "SERVER_PORT": str(target.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": target.netloc,
    }
    headers: dict[str, Any] = dict(request.headers.items())
    for name, value in headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
