"""One request to somebody else's server: to an address that was checked, within a time, following nothing."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

Place = tuple[str, int, str, bool]  # host, port, path, TLS
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of it. `status` None: no answer, and `detail` says why."""

    status: int | None
    detail: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Got:
    """What a GET brought. `status` None: no answer, and `detail` says why. `location`: of a redirect."""

    status: int | None
    detail: str
    body: bytes = b""
    location: str = ""


class _Connection(http.client.HTTPConnection):
    """Says `host` in its Host header and to TLS, and connects to `address`, whatever DNS says by now."""

    def __init__(self, host: str, port: int, address: str, seconds: float, tls: bool) -> None:
        super().__init__(host, port, timeout=seconds)
        self._address, self._tls, self.late = address, tls, False
        self._opened: socket.socket | None = None  # `sock` is let go while an answer is still read
        self.default_port = 443 if tls else 80

    def connect(self) -> None:
        """TCP, and TLS with a certificate that must be right."""
        self.sock = self._opened = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls:
            wrapped = _context().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = self._opened = wrapped
            wrapped.do_handshake()

    def cut(self) -> None:
        """End it from another thread: what comes of it afterwards is no answer."""
        self.late = True
        if self._opened:
            with suppress(OSError):  # it has ended
                self._opened.shutdown(socket.SHUT_RDWR)


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def post(place: Place, address: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Posted:
    """POST a body to `place` at an address; the answer's body is not read.

    `seconds` bound connecting, and all after it together: a server that drips its answer gains nothing.
    """
    began = time.monotonic()

    def asked(connection: _Connection) -> int:
        connection.request("POST", place[2], body, dict(headers))
        return connection.getresponse().status

    status, detail = _exchange(place, address, seconds, asked)
    return Posted(status, detail, round((time.monotonic() - began) * 1000))


def get(place: Place, address: str, headers: Mapping[str, str], seconds: float, most: int) -> Got:
    """GET `place` at an address. Of a body that is longer, `most` bytes and one; bounds as with `post`."""

    def asked(connection: _Connection) -> Got:
        connection.request("GET", place[2], headers=dict(headers))
        response = connection.getresponse()
        body = response.read(most + 1) if response.status == 200 else b""
        if len(body) <= most and response.status == 200 and response.length:
            raise http.client.IncompleteRead(body, response.length)
        return Got(response.status, "", body, response.headers.get("Location", ""))

    got, detail = _exchange(place, address, seconds, asked)
    return got or Got(None, detail)


def _exchange(
    place: Place, address: str, seconds: float, asked: Callable[[_Connection], T]
) -> tuple[T | None, str]:
    """What was asked for, or None and why there is no answer."""
    host, port, _, tls = place
    began = time.monotonic()
    connection = _Connection(host, port, address, seconds, tls)
    answer, detail = None, ""
    timer = threading.Timer(seconds, connection.cut)
    timer.daemon = True
    try:
        timer.start()
        answer = asked(connection)
    except ssl.SSLError:
        detail = "TLS failed: the certificate must be valid for the host."
    except (OSError, http.client.HTTPException, ValueError) as error:
        detail = f"No answer: {_reason(error)}."
    finally:
        timer.cancel()
        connection.close()
    if connection.late or (answer is None and time.monotonic() - began >= seconds):
        return None, f"No answer within {seconds:g} seconds."
    return answer, detail


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, OSError):
        return "the connection failed"
    return "what was answered is not HTTP"
