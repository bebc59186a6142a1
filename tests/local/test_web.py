"""The web port: who answers by host and path, and API Gateway's form of events and answers."""

import base64
import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.apigateway import ApiGateway, event, match, response
from local.blobs import Blobs
from local.control import Control
from local.httpd import HttpServer, Request
from local.lambdas import FunctionError
from local.outbox_page import OutboxPage
from local.pages import Pages
from local.stack import ROOT
from local.status import StatusPage
from local.web import Web
from tests.local.test_ses_api import send
from tests.local.world import World, world

ROUTES: dict[str, dict[str, Any]] = {
    "/v1/domains": {"GET": 1},
    "/v1/domains/{domain}": {"GET": 1, "DELETE": 1},
    "/v1/domains/search": {"GET": 1},
    "/v1/domains/{domain}/check": {"POST": 1},
    "/jmap/upload/{account}": {"POST": 1},
    "/brand.json": {"GET": 1},
}


class Function:
    """Stands for the Lambda: keeps the last event, answers what it is told to."""

    def __init__(self) -> None:
        self.event: dict[str, Any] = {}
        self.answer: Any = {"statusCode": 200, "body": '{"ok": true}', "headers": {}}

    def __call__(self, event: dict[str, Any]) -> Any:
        self.event = event
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Files:
    """Stands for S3."""

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if (Bucket, Key) != ("web", "status/index.html"):
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(b"All is well."), "ContentType": "text/html", "ETag": '"1"'}


@pytest.fixture
def ses() -> Iterator[World]:
    with world() as made:
        made.host("live.test")
        yield made


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def server(ses: World, function: Function, tmp_path: Path) -> Iterator[HttpServer]:
    for page in ("mail", "admin", "reseller", "frame"):
        (tmp_path / f"{page}.html").write_text(f"<title>{page}</title>" + " " * 600)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "app.js").write_text("1;")
    pages = Pages(tmp_path, ROOT / "infra" / "web-headers.json", "http://127.0.0.1:4566")
    api = ApiGateway(lambda: ROUTES, function, ses.clock.time, "the edge")
    status = StatusPage(Files, "web", ROOT / "infra" / "web-headers.json")
    control = Control(ses.clock, ses.zone, ses.outside, ses.ops)
    blobs = Blobs(lambda: "http://127.0.0.1:1/none", ROOT / "infra" / "web-headers.json")
    started = Web(api, pages, OutboxPage(ses.outside), control, status, blobs).serve(0)
    started.start()
    yield started
    started.stop()


def ask(
    server: HttpServer, path: str, host: str = "mail.localhost:8080", method: str = "GET", **more: Any
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Host": host, **more.pop("headers", {})}
    connection.request(method, path, headers=headers, **more)
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("mail.localhost:8080", "mail"),
        ("mail.acme.localhost", "mail"),
        ("127.0.0.1:8080", "mail"),
        ("admin.localhost", "admin"),
        ("emailadmin.acme.localhost", "admin"),
        ("reseller.localhost:8080", "reseller"),
        ("mail.newdomain.test", "mail"),
    ],
)
def test_the_host_chooses_the_page(server: HttpServer, host: str, page: str) -> None:
    for path in ("/", "/inbox/m123"):
        status, headers, body = ask(server, path, host)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert f"<title>{page}</title>".encode() in body


def test_pages_carry_the_headers_of_infra(server: HttpServer) -> None:
    _, headers, _ = ask(server, "/")
    assert "connect-src 'self' http://127.0.0.1:4566" in headers["Content-Security-Policy"]
    _, headers, _ = ask(server, "/frame.html")
    assert headers["Content-Security-Policy"].startswith("sandbox allow-same-origin")


def test_S36_the_status_host_serves_files_of_the_bucket_with_headers_of_infra(
    server: HttpServer, function: Function
) -> None:
    function.answer = RuntimeError("the API is away")
    status, headers, body = ask(server, "/", "status.localhost:8080")
    assert (status, body, headers["Content-Type"]) == (200, b"All is well.", "text/html")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "public, max-age=30, stale-if-error=604800"
    again = ask(server, "/index.html", "status.localhost", headers={"If-None-Match": '"1"'})
    assert again[0] == 304
    assert ask(server, "/mail.html", "status.localhost")[0] == 404
    assert ask(server, "/", "status.localhost", method="POST")[0] == 405


def test_files_are_typed_packed_and_not_sent_twice(server: HttpServer) -> None:
    assert ask(server, "/assets/app.js")[1]["Content-Type"] == "text/javascript; charset=utf-8"
    _, headers, _ = ask(server, "/", headers={"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert ask(server, "/", headers={"If-None-Match": headers["ETag"]})[0] == 304
    assert ask(server, "/assets/gone.js")[0] == 404


@pytest.mark.parametrize(
    "path", ["/../Makefile.txt", "/%2e%2e/pyproject.toml", "/assets/../../x.py", "//etc/x.y"]
)
def test_nothing_outside_the_folder_is_served(server: HttpServer, path: str) -> None:
    assert ask(server, path)[0] == 404


def test_without_built_pages_it_says_how_to_build_them(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "none", ROOT / "infra" / "web-headers.json", "")
    answer = pages.answer(Request("GET", "/", "", (("Host", "mail.localhost"),), b"", ""))
    assert answer.status == 503
    assert b"make run" in answer.body


def test_the_event_is_a_rest_proxy_event(server: HttpServer, function: Function) -> None:
    status, _, body = ask(
        server,
        "/v1/domains/a%40b/check?x=1&x=2&y=",
        "mail.acme.localhost:8080",
        "POST",
        body=b"\xff\x00",
        headers={"Authorization": "Bearer t", "Content-Type": "application/json", "X-Origin-Secret": "guess"},
    )
    assert (status, body) == (200, b'{"ok": true}')
    e = function.event
    assert e["resource"] == e["requestContext"]["resourcePath"] == "/v1/domains/{domain}/check"
    assert e["pathParameters"] == {"domain": "a@b"}
    assert e["queryStringParameters"] == {"x": "2", "y": ""}
    assert e["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
    assert e["isBase64Encoded"]
    assert base64.b64decode(e["body"]) == b"\xff\x00"
    assert e["headers"]["X-Forwarded-Host"] == "mail.acme.localhost:8080"
    assert e["multiValueHeaders"]["X-Origin-Secret"] == ["the edge"]
    assert e["headers"]["Authorization"] == "Bearer t"
    assert e["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert e["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    json.dumps(e)


def test_an_event_without_body_query_and_parameters_says_null() -> None:
    e = event(Request("GET", "/brand.json", "", (("Host", "h"),), b"", "127.0.0.1"), "/brand.json", {}, 0.0)
    assert [e[k] for k in ("body", "pathParameters", "queryStringParameters")] == [None] * 3
    assert not e["isBase64Encoded"]


def test_a_literal_segment_wins_over_a_variable() -> None:
    assert match(ROUTES, "/v1/domains/search") == ("/v1/domains/search", {})
    assert match(ROUTES, "/v1/domains/x.test") == ("/v1/domains/{domain}", {"domain": "x.test"})
    assert match(ROUTES, "/v1/domains//check") is None


def test_answers_come_back_as_bytes_with_every_header(server: HttpServer, function: Function) -> None:
    function.answer = {
        "statusCode": 201,
        "headers": {"X-One": "1", "content-type": "text/plain"},
        "multiValueHeaders": {"X-Two": ["a", "b"], "x-one": ["1"]},
        "body": base64.b64encode(b"\x00\xff").decode(),
        "isBase64Encoded": True,
    }
    status, headers, body = ask(server, "/brand.json")
    assert (status, body) == (201, b"\x00\xff")
    assert headers.get_all("X-Two") == ["a", "b"]
    assert headers.get_all("X-One") == ["1"]
    assert headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "answer",
    [None, "text", {}, {"statusCode": "x"}, {"statusCode": 200, "body": "é", "isBase64Encoded": True}],
)
def test_an_answer_in_no_form_is_a_502(answer: Any) -> None:
    assert response(answer).status == 502


@pytest.mark.parametrize(
    ("kind", "status"),
    [("Function.RequestSizeTooLarge", 413), ("Sandbox.Timedout", 504), ("ValueError", 502)],
)
def test_a_failed_function(server: HttpServer, function: Function, kind: str, status: int) -> None:
    function.answer = FunctionError("api_handler", {"errorType": kind})
    assert ask(server, "/brand.json")[0] == status


def test_no_route_and_too_much(server: HttpServer) -> None:
    assert ask(server, "/v1/nothing")[0] == 404
    assert ask(server, "/jmap/upload/a", method="POST", body=b"x" * (10 * 1024 * 1024 + 1))[0] == 413


def test_a_chunked_body_is_one_body(server: HttpServer, function: Function) -> None:
    ask(server, "/jmap/upload/a", method="POST", body=iter([b"one", b"two"]))
    assert base64.b64decode(function.event["body"]) == b"onetwo"


def test_the_control_api_is_not_for_pages_from_elsewhere(server: HttpServer) -> None:
    assert ask(server, "/local/clock")[0] == 200
    assert ask(server, "/local/clock", "evil.test")[0] == 403
    assert ask(server, "/local/clock", headers={"Origin": "https://evil.test"})[0] == 403
    assert ask(server, "/local/clock", headers={"Origin": "http://mail.localhost:8080"})[0] == 200


HTML = (
    b"From: ann@live.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= <b>\r\nContent-Type: text/html\r\n\r\n"
    b"<script>alert(1)</script><p>hi</p>\r\n"
)


def test_the_outbox_page_shows_mail_and_runs_none_of_it(server: HttpServer, ses: World) -> None:
    host = "outbox.localhost:8080"
    assert b"Nothing left" in ask(server, "/", host)[2]
    ses.outside.behave("closed.test", "refuse")
    send(ses, ["x@far.test", "y@closed.test"], HTML)
    ses.clock.quiesce(10)
    _, headers, body = ask(server, "/", host)
    assert "Grüße &lt;b&gt;" in body.decode()
    assert "550 5.1.1" in body.decode()
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    shown = ask(server, "/1", host)[2]
    assert b"<iframe sandbox" in shown
    assert b"<script" not in shown
    assert ask(server, "/1/html", host)[1]["Content-Security-Policy"].startswith("sandbox;")
    raw = ask(server, "/1/raw", host)
    assert raw[2] == ses.outside.outbox()[0].raw
    assert raw[1]["Content-Type"].startswith("text/plain")
    assert ask(server, "/2", host)[0] == 404
    assert b"Nothing for z@far.test" in ask(server, "/?to=z@far.test", host)[2]
