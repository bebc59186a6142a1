"""Fixtures of the mailbox API's tests: a post office for each file, a mailbox for each test."""

import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from chalicelib.aws import clock as clocks

if TYPE_CHECKING:
    from tests.jmap.client import Client
    from tests.jmap.doors import Http
    from tests.services.post import Post

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def post() -> "Iterator[Post]":
    """x.test with ann and bob over moto."""
    from chalicelib.rules.figures import DEFAULT
    from chalicelib.services.platform import build
    from tests.cloud import Clock, cloud
    from tests.services.post import post_office

    standing = Clock()
    with cloud() as settings:
        clocks.install(lambda: standing.seconds)
        made = post_office(build(settings, DEFAULT), standing)
        with made.fuse.in_botocore():
            yield made
        clocks.install(time.time)


@pytest.fixture
def jmap(post: "Post") -> "Client":
    """A client of a mailbox that nothing has happened to yet."""
    from tests.jmap.client import Client

    post.mail.behaviour.clear()
    post.clock.advance(minutes=2)
    return Client(post, post.account(f"user{next(_numbers)}@x.test", name="Uma User"))


@pytest.fixture
def http(jmap: "Client") -> "Iterator[Http]":
    """The API function, with the client's mailbox behind it."""
    from tests.jmap.doors import Http

    with (
        mock.patch("chalicelib.api.mailbox.platform", return_value=jmap.post.p),
        mock.patch("chalicelib.api.auth.platform", return_value=jmap.post.p),
    ):
        yield Http(jmap)
