"""Links under the web port's own host: what the bucket lets in comes back, with the headers of infra."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from local.blobs import Blobs
from local.httpd import HttpServer
from local.stack import ROOT, Stack
from tests.local.small import BUCKET, small
from tests.local.test_presigned import KEY, ask, signed


@pytest.fixture(scope="module")
def cloud() -> Iterator[Stack]:
    with small() as running:
        running.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=b"0123456789")
        yield running


@pytest.fixture(scope="module")
def server(cloud: Stack) -> Iterator[HttpServer]:
    blobs = Blobs(lambda: f"{cloud.engine.url}/{BUCKET}", ROOT / "infra" / "web-headers.json")
    started = HttpServer(blobs.answer, 0, "blobs")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def link(cloud: Stack, server: HttpServer) -> str:
    """A link under the web port's host."""
    said = {"ResponseContentType": "text/html", "ResponseContentDisposition": "attachment; filename=a"}
    parts = urlsplit(signed(cloud, **said))
    return f"http://127.0.0.1:{server.port}/blobs{parts.path.removeprefix(f'/{BUCKET}')}?{parts.query}"


def test_octets_come_as_they_were_asked_for_and_run_nowhere(link: str) -> None:
    status, headers, body = ask(link, Cookie="a=b")
    assert (status, body) == (200, b"0123456789")
    assert headers["Content-Type"] == "text/html"
    assert headers["Content-Disposition"] == "attachment; filename=a"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers.get_all("Access-Control-Allow-Origin") == ["*"]
    assert headers.get_all("Cache-Control") == ["private, no-store"]
    assert ask(link, Sec_Fetch_Dest="script")[0] == 403


def test_what_a_client_carries_along_does_not_reach_the_bucket(link: str) -> None:
    for credentials in ("Bearer pps_token", "Basic YTpi"):
        assert ask(link, Authorization=credentials)[2] == b"0123456789"


def test_a_part_of_the_octets(link: str) -> None:
    status, headers, body = ask(link, Range="bytes=7-")
    assert (status, body, headers["Content-Range"]) == (206, b"789", "bytes 7-9/10")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(link, Range="bytes=50-")[0] == 416


def test_nothing_comes_without_a_link_that_holds(cloud: Stack, link: str) -> None:
    bare = link.partition("?")[0]
    assert ask(bare)[0] == 403
    assert ask(link[:-8] + "00000000")[0] == 403
    assert ask(link.replace("/blobs/", "/blobs/../blobs/"))[0] == 403
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert ask(link, method, b"x")[0] == 403, method
    for address in (f"{bare}?list-type=2", f"{bare.rpartition('/in/')[0]}/?list-type=2"):
        assert ask(address)[0] == 403
    upload = urlsplit(signed(cloud, "put_object", Key="up/x", ContentType="a/b", ContentLength=1))
    assert ask(f"{bare.rpartition('/in/')[0]}/up/x?{upload.query}", "PUT", b"x", Content_Type="a/b")[0] == 403
    assert ask(link)[0] == 200


def test_a_link_ends_after_five_minutes(cloud: Stack, link: str) -> None:
    cloud.advance(timedelta(seconds=301))
    status, headers, _ = ask(link)
    assert status == 403
    assert headers["Cache-Control"] == "private, no-store"


def test_a_page_elsewhere_may_ask(link: str) -> None:
    status, headers, _ = ask(
        link, "OPTIONS", Origin="https://app.test", Access_Control_Request_Headers="authorization"
    )
    assert status == 204
    assert headers["Access-Control-Allow-Headers"] == "Authorization, Range"
