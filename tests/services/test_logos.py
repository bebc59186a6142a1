"""S2: a logo that a snippet names by its address is fetched once, from where anybody could, and kept."""

import base64
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from chalicelib.aws import http
from chalicelib.rules.brands import LARGEST_LOGO
from chalicelib.services import outside
from local import tls
from tests.registry import Answer, Registry

GIF = base64.b64decode("R0lGODlhAQABAAAAACw=")
HTML = {"Content-Type": "text/html"}
PATH = "/v1/brands/default/logo"


class Pictures:
    """Somebody's server: path → status, headers, body, or a function that answers by itself."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""
        self.pages: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}

    def give(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """What a path shows; its URL."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content_Length": str(len(body)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.pages[path] = answer
        return self.url + path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Pictures]:
    """A TLS server on this machine, whose certificate is trusted."""
    pictures = Pictures()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pictures.asked.append(self.path)
            pictures.pages[self.path](self)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.socket = tls.context(tmp_path).wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    pictures.url = f"https://127.0.0.1:{made.server_port}"
    trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    try:
        with mock.patch.object(http, "_context", return_value=trusted):
            yield pictures
    finally:
        made.shutdown()
        made.server_close()
        thread.join(5)


def put(registry: Registry, url: str) -> Answer:
    """Set the logo by a snippet."""
    return registry.call("PUT", PATH, raw=f'<img src="{url}" alt="House">', headers=HTML)


def refused(registry: Registry, url: str) -> str:
    """Why a logo is not taken."""
    answer = put(registry, url)
    assert (answer.status, answer.json["code"]) == (422, "invalid")
    [fault] = answer.json["errors"]
    assert (fault["pointer"], fault["detail"]) == ("/snippet", answer.json["detail"])
    assert registry.call("GET", "/v1/brands/default").json["logo"] == ""
    return str(answer.json["detail"])


def test_S2_a_picture_on_the_web_is_taken_over_once(registry: Registry, server: Pictures) -> None:
    registry.order()
    put_answer = put(registry, server.give("/logo.png?v=1", GIF, Content_Type="image/png"))
    assert (put_answer.status, put_answer.json["logo"]) == (200, "image/gif"), "by what it is"
    for _ in range(2):
        shown = registry.call("GET", "/brand.json", key=None, headers={"Host": "mail.x.test"}).json
        assert shown["logo"] == f"data:image/gif;base64,{base64.b64encode(GIF).decode()}"
    assert server.asked == ["/logo.png?v=1"]


def test_S2_redirects_are_followed_three_times(registry: Registry, server: Pictures) -> None:
    server.give("/0", GIF)
    for number in range(1, 5):
        server.give(f"/{number}", b"", 302, Location=f"/{number - 1}")
    assert "more than 3 redirects" in refused(registry, f"{server.url}/4")
    assert put(registry, f"{server.url}/3").status == 200


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1/logo.png", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://inside.far.test/",
        "file:///etc/passwd", "https://[", "https://user@far.test/", "https://far.test:22/",
    ],
)  # fmt: skip
def test_S2_a_redirect_leads_nowhere_that_the_address_itself_could_not(
    registry: Registry, server: Pictures, to: str
) -> None:
    registry.zone.put("inside.far.test", "A", ["10.1.2.3"])
    assert "upload it" in refused(registry, server.give("/logo.png", GIF, 301, Location=to))
    assert server.asked == ["/logo.png"]


def test_S2_a_host_inside_is_not_asked(registry: Registry) -> None:
    registry.zone.put("inside.far.test", "A", ["127.0.0.1"])
    registry.zone.put("half.far.test", "A", ["8.8.8.8", "10.0.0.1"])
    registry.zone.put("six.far.test", "AAAA", ["fd00:ec2::254"])
    with mock.patch.object(http, "get", side_effect=AssertionError("asked")):
        for host in ("inside", "half", "six"):
            assert "not one on the public internet" in refused(registry, f"https://{host}.far.test/logo.png")
        assert "leads nowhere" in refused(registry, "https://nothing.far.test/logo.png")
        for address in ("10.0.0.1", "[::1]", "2130706433", "localhost"):
            assert "full domain name" in refused(registry, f"https://{address}/logo.png")


def test_S2_what_is_no_logo_is_refused_and_told_why(registry: Registry, server: Pictures) -> None:
    script = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    cases = {
        server.give("/page", b"<html></html>", Content_Type="image/png"): "PNG, JPEG, GIF, WebP or SVG",
        server.give("/active.svg", script): "scripts",
        server.give("/large", GIF + bytes(LARGEST_LOGO)): "64 KB",
        server.give("/gone", b"", 404): "status 404",
        server.give("/cut", GIF, Content_Length=str(len(GIF) + 1)): "not HTTP",
    }
    for url, why in cases.items():
        assert why in refused(registry, url)


def test_S2_a_server_that_is_slow_or_drips_gains_nothing(registry: Registry, server: Pictures) -> None:
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.05):
            handler.wfile.write(b"G")

    server.pages["/drip"] = drip
    with mock.patch.object(outside, "SECONDS", 0.4):
        try:
            assert "No answer within" in refused(registry, f"{server.url}/drip")
        finally:
            ended.set()


def test_S2_a_certificate_must_be_right(registry: Registry, server: Pictures) -> None:
    url = server.give("/logo.png", GIF)
    with mock.patch.object(http, "_context", return_value=ssl.create_default_context()):
        assert "certificate" in refused(registry, url)


def test_S2_in_a_deployment_this_machine_is_not_asked(registry: Registry, server: Pictures) -> None:
    url = server.give("/logo.png", GIF)
    with mock.patch.object(outside, "here", return_value=False):
        assert "full domain name" in refused(registry, url)
    assert not server.asked
