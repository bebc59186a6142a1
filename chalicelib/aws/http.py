"""One POST to somebody else's server: to an address that was checked, within a time, following nothing."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of it. `status` None: no answer, and `detail` says why."""

    status: int | None
    detail: str
    milliseconds: int


class _Connection(http.client.HTTPConnection):
    """Says `host` in its Host header and to TLS, and connects to `address`, whatever DNS says by now."""

    def __init__(self, host: str, port: int, address: str, seconds: float, tls: bool) -> None:
        super().__init__(host, port, timeout=seconds)
        self._address, self._tls, self.late = address, tls, False
        self.default_port = 443 if tls else 80

    def connect(self) -> None:
        """TCP, and TLS with a certificate that must be right."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls:
            wrapped = _context().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = wrapped
            wrapped.do_handshake()

    def cut(self) -> None:
        """End it from another thread: what comes of it afterwards is no answer."""
        self.late = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            return  # it has ended, or not begun


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def post(
    place: tuple[str, int, str, bool], address: str, headers: Mapping[str, str], body: bytes, seconds: float
) -> Posted:
    """POST a body to `place` (host, port, path, TLS) at an address; the answer's body is not read.

    `seconds` bound connecting, and all after it together: a server that drips its answer gains nothing.
    """
    host, port, path, tls = place
    began = time.monotonic()
    connection = _Connection(host, port, address, seconds, tls)
    status, detail = None, ""
    timer = threading.Timer(seconds, connection.cut)
    timer.daemon = True
    try:
        timer.start()
        connection.request("POST", path, body, dict(headers))
        status = connection.getresponse().status
    except ssl.SSLError:
        detail = "TLS failed: the certificate must be valid for the host."
    except (OSError, http.client.HTTPException, ValueError) as error:
        detail = f"No answer: {_reason(error)}."
    finally:
        timer.cancel()
        connection.close()
    spent = time.monotonic() - began
    if connection.late or (status is None and spent >= seconds):
        status, detail = None, f"No answer within {seconds:g} seconds."
    return Posted(status, detail, round(spent * 1000))


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, OSError):
        return "the connection failed"
    return "what was answered is not HTTP"
