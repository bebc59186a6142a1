"""A real HTTP server on this machine that answers webhooks as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """What came, and what is answered: a status, or a function that answers by itself."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: int | Callable[[BaseHTTPRequestHandler], None] = 200

    @property
    def ids(self) -> list[str]:
        """Webhook-Id of each request."""
        return [r.headers["Webhook-Id"] for r in self.received]


@contextmanager
def listening() -> Iterator[Listener]:
    """A server on a free port of 127.0.0.1."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.received.append(Received(self.path, dict(self.headers), body))
            if callable(listener.answer):
                listener.answer(self)
                return
            self.send_response(listener.answer)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    listener.url = f"http://127.0.0.1:{server.server_port}/hook?a=1"
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
