"""A bucket's door: a presigned URL that holds opens it, to the method, headers and time that were signed."""

import http.client
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config

from local.stack import Stack
from tests.local.small import BUCKET, small

KEY = "in/a b#ü~+?&=%"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Stack]:
    with small() as running:
        running.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=b"0123456789")
        yield running


def signed(cloud: Stack, operation: str = "get_object", **params: Any) -> str:
    """A link that is good for five minutes."""
    import boto3

    session: Any = boto3.Session("local", "local", region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=cloud.engine.url, config=Config(signature_version="s3v4"))
    params = {"Bucket": BUCKET, "Key": KEY, **params}
    return str(s3.generate_presigned_url(operation, Params=params, ExpiresIn=300))


def ask(
    url: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"{parts.path}?{parts.query}", body, names)
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def test_a_link_opens_its_object_as_it_says(cloud: Stack) -> None:
    url = signed(cloud, ResponseContentType="text/plain", ResponseContentDisposition="attachment; filename=a")
    status, headers, body = ask(url)
    assert (status, body, headers["Content-Type"]) == (200, b"0123456789", "text/plain")
    assert headers["Content-Disposition"] == "attachment; filename=a"
    status, headers, body = ask(url, Range="bytes=2-4")
    assert (status, body, headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")


def test_nothing_opens_without_a_signature_that_holds(cloud: Stack) -> None:
    url = signed(cloud)
    bare, _, signature = url.partition("&X-Amz-Signature=")
    other = signature.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    for changed in (
        url.partition("?")[0],
        bare,
        f"{bare}&X-Amz-Signature={other}",
        f"{bare}&X-Amz-Signature=",
        url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"),
        url.replace("/in/", "/own/"),
        f"{url}&response-content-type=text%2Fhtml",
        f"{url}&acl",
    ):
        assert ask(changed)[0] == 403, changed
    assert ask(url.replace("X-Amz-Date=", "X-Amz-Date=x"))[0] == 400
    for method in ("HEAD", "PUT", "POST", "DELETE"):
        assert ask(url, method, b"x" if method != "HEAD" else None)[0] == 403, method
    assert ask(url)[2] == b"0123456789"


def test_two_ways_of_authentication_are_refused(cloud: Stack) -> None:
    status, _, body = ask(signed(cloud), Authorization="Bearer t")
    assert status == 400
    assert b"Only one auth mechanism allowed" in body


def test_an_upload_is_of_the_type_and_size_that_were_signed(cloud: Stack) -> None:
    url = signed(cloud, "put_object", Key="up/x", ContentType="text/plain", ContentLength=3)
    assert ask(url, "PUT", b"abc", Content_Type="text/html")[0] == 403
    assert ask(url, "PUT", b"abcd", Content_Type="text/plain")[0] == 403
    assert ask(url, "PUT", b"abc", Content_Type="text/plain")[0] == 200
    assert ask(url, "OPTIONS", Origin="https://a.test", Access_Control_Request_Method="PUT")[0] == 200


def test_a_link_ends_by_the_test_clock(cloud: Stack) -> None:
    url = signed(cloud)
    cloud.advance(timedelta(seconds=290))
    assert ask(url)[0] == 200
    cloud.advance(timedelta(seconds=20))
    status, _, body = ask(url)
    assert status == 403
    assert b"Request has expired" in body
    assert ask(signed(cloud))[0] == 200
