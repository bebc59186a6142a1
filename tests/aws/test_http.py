"""One POST to somebody else's server, over TLS with a certificate that must be right."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

from chalicelib.aws import http
from local import tls


class Handler(BaseHTTPRequestHandler):
    """Takes anything, and keeps whom it was for."""

    hosts: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.hosts.append(str(self.headers["Host"]))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def test_a_post_over_tls_checks_the_name_and_not_the_address(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.context(tmp_path).wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    port, trusted = server.server_port, ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    try:
        with mock.patch.object(http, "_context", return_value=trusted):
            named = http.post(("mail.localhost", port, "/a", True), "127.0.0.1", {}, b"{}", 5)
            other = http.post(("other.localhost", port, "/a", True), "127.0.0.1", {}, b"{}", 5)
        unknown = http.post(("mail.localhost", port, "/a", True), "127.0.0.1", {}, b"{}", 5)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert (named.status, Handler.hosts) == (202, [f"mail.localhost:{port}"])
    for refused in (other, unknown):
        assert (refused.status, refused.detail) == (
            None,
            "TLS failed: the certificate must be valid for the host.",
        )
