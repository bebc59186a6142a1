"""A small threaded HTTP/1.1 server: one function from Request to Response."""

import json
import socket
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_MAX_BODY = 64 * 1_048_576
_IDLE_SECONDS = 75


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. `path` is as sent, still percent-encoded; header names keep their case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source: str

    def header(self, name: str) -> str:
        """The first header of that name, or empty."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def parameter(self, name: str) -> str | None:
        """The last query parameter of that name."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return dict(pairs).get(name)


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out; Content-Length is added."""

    status: int
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)


def json_response(status: int, value: Any, kind: str = "application/json") -> Response:
    """A JSON body, not to be cached."""
    body = json.dumps(value, indent=1, ensure_ascii=False).encode()
    return Response(status, body, (("Content-Type", kind), ("Cache-Control", "no-store")))


def problem(status: int, code: str, detail: str) -> Response:
    """RFC 9457."""
    value = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code}
    return json_response(status, value | {"detail": detail}, "application/problem+json")


Handler = Callable[[Request], Response]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    answer: Handler

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - a browser that left
        return


class _Connection(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "local"
    sys_version = ""
    timeout = _IDLE_SECONDS

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        target = urlsplit(self.path if self.path.startswith("/") else "/")
        request = Request(
            self.command, target.path, target.query, list(self.headers.items()), body, self.client_address[0]
        )
        try:
            response = self.server.answer(request)
        except Exception:  # noqa: BLE001 - the edge of the process: shown to whoever asked
            response = problem(500, "internal", traceback.format_exc(limit=-3))
        self._write(response)

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._write(problem(413, "too_large", f"a body has at most {_MAX_BODY} bytes"))
            return None
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes:
        """RFC 9112 §7.1; a broken coding ends the connection with what was read."""
        parts: list[bytes] = []
        while (size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16)) > 0:
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _write(self, response: Response) -> None:
        bodyless = response.status in (204, 304)
        lines = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        lines.append(f"Date: {self.date_time_string()}")
        if not bodyless:
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        self.wfile.write(head if bodyless or self.command == "HEAD" else head + response.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def log_message(self, *args: Any) -> None:
        """Silent: access lines would carry addresses and tokens."""


class HttpServer:
    """The server on one port; 0 takes a free one. Raises OSError when the port is taken."""

    def __init__(self, answer: Handler, port: int, name: str, host: str = "127.0.0.1") -> None:
        self._server = _Server((host, port), _Connection)
        self._server.answer = answer
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), daemon=True, name=f"http-{name}"
        )

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Free the port; connections under way are dropped with the process."""
        self._server.shutdown()
        self._server.server_close()
