"""Presigned URLs: of the bucket's regional host, and the same under another address."""

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest import mock
from urllib.parse import urlsplit

import pytest

from chalicelib.aws import clients
from chalicelib.aws.bucket import Bucket

NAME = "plainpost-prod-mail-1"
UNDER = "https://mail.x.test/blobs"


@pytest.fixture(params=["us-east-1", "eu-west-1"])
def region(request: pytest.FixtureRequest) -> Iterator[str]:
    role = {
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEHgaCXVzLWVhc3Q/" * 45,
        "AWS_DEFAULT_REGION": request.param,
    }
    with mock.patch.dict("os.environ", role):
        clients.forget()
        yield request.param
    clients.forget()


def link(key: str, under: str = "", disposition: str = "attachment") -> str:
    return Bucket(NAME).get_url(key, disposition=disposition, type="a/b", seconds=300, under=under)


@pytest.mark.parametrize("key", ["up/a1/u2", "in/a b#ü~+?&=%/x", "a//b/../c"])
def test_a_link_is_signed_for_the_host_of_the_region_wherever_it_is_asked_for(region: str, key: str) -> None:
    with mock.patch("botocore.auth.get_current_datetime", return_value=datetime(2026, 3, 2, tzinfo=UTC)):
        plain, edge = urlsplit(link(key)), urlsplit(link(key, UNDER))
    assert (plain.scheme, plain.netloc) == ("https", f"{NAME}.s3.{region}.amazonaws.com")
    assert (edge.netloc, edge.path, edge.query) == ("mail.x.test", f"/blobs{plain.path}", plain.query)
    assert "X-Amz-SignedHeaders=host&" in edge.query
    assert NAME not in edge.geturl()


def test_an_upload_goes_to_the_host_of_the_region(region: str) -> None:
    url = Bucket(NAME).put_url("up/a1/u2", size=3, type="a/b", seconds=900)
    assert url.startswith(f"https://{NAME}.s3.{region}.amazonaws.com/up/a1/u2?")


def test_an_answer_is_not_cached(region: str) -> None:
    del region
    assert "response-cache-control=private%2C%20no-store&" in link("up/a1/u2")


def test_a_link_with_the_longest_of_names_fits_what_the_edge_takes(region: str) -> None:
    from chalicelib.store.blobs import disposition

    del region
    assert len(link("up/a1/u2", UNDER, disposition("😀" * 300))) < 8192
