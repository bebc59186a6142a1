"""The routes, called as API Gateway calls them."""

import base64
import json
from unittest import mock
from urllib.parse import SplitResult, parse_qs, urlsplit

from chalicelib.jmap.session import CORE
from chalicelib.services import signin
from tests.jmap.client import letter
from tests.jmap.doors import Http


def test_session(http: Http) -> None:
    status, headers, session = http("GET", "/jmap/session")
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert session["apiUrl"] == "https://mail.x.test/jmap/api"
    assert session["username"] == http.jmap.account.address


def test_session_by_password(http: Http) -> None:
    given = base64.b64encode(f"{http.jmap.account.address}:secret".encode()).decode()
    with mock.patch.object(signin, "authenticate", return_value=http.jmap.account) as asked:
        status, _, _ = http("GET", "/jmap/session", authorization=f"Basic {given}")
    assert status == 200
    assert asked.call_args.kwargs["door"] == "jmap"


def test_the_browser_is_not_made_to_ask_for_a_password(http: Http) -> None:
    status, headers, problem = http("GET", "/jmap/session", authorization="Bearer pps_none")
    assert (status, headers["www-authenticate"], problem["code"]) == (401, "Bearer", "unauthenticated")
    status, headers, _ = http("GET", "/jmap/session", authorization="")
    assert (status, headers["www-authenticate"][:5]) == (401, "Basic")
    assert http("GET", "/jmap/session", authorization="Basic x")[0] == 401


def test_the_well_known_address_answers_as_the_session_does(http: Http) -> None:
    given = base64.b64encode(f"{http.jmap.account.address}:wrong".encode()).decode()
    for method in ("GET", "HEAD"):
        for who in (f"Bearer {http.token}", "Bearer pps_none", "", "Basic x", f"Basic {given}"):
            known = http(method, "/.well-known/jmap", authorization=who)
            assert known == http(method, "/jmap/session", authorization=who), who
            assert (known[0] == 200) == (who == f"Bearer {http.token}")
            assert "location" not in known[1]


def test_addresses_are_of_the_host_that_was_asked(http: Http) -> None:
    for path in ("/.well-known/jmap", "/jmap/session"):
        told = http("GET", path, x_forwarded_proto="http", x_forwarded_host="a.test:8080")[2]
        assert told["apiUrl"] == "http://a.test:8080/jmap/api"
        for name, forged in (("x_forwarded_host", "evil/../"), ("x_origin_secret", "guess")):
            told = http("GET", path, b"", None, **{name: forged})[2]
            assert told["apiUrl"] == f"{http.jmap.post.p.settings.public_url}/jmap/api"


def test_request(http: Http) -> None:
    http.jmap.deliver(letter("日本"))
    body = {"using": [CORE], "methodCalls": [["Core/echo", {"a": "日本"}, "0"]]}
    status, _, answer = http(
        "POST", "/jmap/api", json.dumps(body).encode(), content_type="application/json; charset=utf-8"
    )
    assert (status, answer["methodResponses"]) == (200, body["methodCalls"])


def test_problems_are_jmaps_own(http: Http) -> None:
    for body, kind in ((b"{", "application/json"), (b"{}", "text/plain"), (b"\xff", "application/json")):
        status, headers, problem = http("POST", "/jmap/api", body, content_type=kind)
        assert (status, problem["type"]) == (400, "urn:ietf:params:jmap:error:notJSON")
        assert headers["content-type"] == "application/problem+json"


def test_upload_keeps_every_octet(http: Http) -> None:
    data = bytes(range(256))
    account = http.jmap.account.id
    status, _, made = http("POST", f"/jmap/upload/{account}", data, content_type="application/pdf")
    assert (status, made["size"], made["type"]) == (201, 256, "application/pdf")
    status, headers, _ = http(
        "GET", f"/jmap/download/{account}/{made['blobId']}/%C3%A4.pdf", query={"type": "application/pdf"}
    )
    assert status == 302
    assert made["blobId"] in headers["location"]
    assert http.jmap.post.p.blobs.get(f"up/{account}/{made['blobId']}") == data


def link(http: Http, headers: dict[str, str]) -> SplitResult:
    """Where a download of an upload leads to."""
    account = http.jmap.account.id
    made = http("POST", f"/jmap/upload/{account}", b"x", content_type="text/plain")[2]
    path = f"/jmap/download/{account}/{made['blobId']}/%C3%A4%20b.txt"
    status, answered, _ = http("GET", path, b"", {"type": "text/plain"}, **headers)
    assert (status, answered["cache-control"]) == (302, "private, no-store")
    return urlsplit(answered["location"])


def test_a_download_leads_to_no_other_host(http: Http) -> None:
    for scheme, host in (("https", "mail.customer.test"), ("http", "mail.localhost:8080")):
        found = link(http, {"x_forwarded_proto": scheme, "x_forwarded_host": host})
        assert (found.scheme, found.netloc) == (scheme, host)
        assert found.path.startswith(f"/blobs/up/{http.jmap.account.id}/u")
        assert http.jmap.post.p.settings.mail_bucket not in found.geturl(), "S1"
        query = parse_qs(found.query)
        assert query["response-content-type"] == ["text/plain"]
        assert query["response-cache-control"] == ["private, no-store"]
        assert query["response-content-disposition"][0].endswith("UTF-8''%C3%A4%20b.txt")
        assert query["X-Amz-Expires"] == ["300"]


def test_a_download_beside_the_edge_leads_to_the_bucket(http: Http) -> None:
    bucket = http.jmap.post.p.settings.mail_bucket
    for name, value in (("x_origin_secret", "guess"), ("x_forwarded_host", "evil/../")):
        found = link(http, {name: value})
        assert bucket in found.netloc
        assert found.path.startswith("/up/")


def test_upload_too_large(http: Http) -> None:
    status, _, problem = http("POST", f"/jmap/upload/{http.jmap.account.id}", b"x" * 4_000_001)
    assert (status, problem["code"]) == (413, "too_large")


def test_upload_url(http: Http) -> None:
    path = f"/jmap/upload-url/{http.jmap.account.id}"
    status, _, slot = http("POST", path, b'{"size": 5000000, "type": "application/pdf"}')
    assert (status, slot["method"]) == (200, "PUT")
    assert http("POST", path, b"[]")[0] == 422
    assert http("POST", path, b"{")[0] == 400


def test_another_account_and_unknown_blobs_are_404(http: Http) -> None:
    assert http("POST", "/jmap/upload/a-other", b"x")[0] == 404
    assert http("GET", f"/jmap/download/{http.jmap.account.id}/none/x")[0] == 404


def test_no_events_are_pushed(http: Http) -> None:
    status, _, body = http("GET", "/jmap/events", accept="text/event-stream")
    assert (status, body) == (204, "")
