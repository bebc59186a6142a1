"""Fixtures of the service tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chalicelib.services.platform import Platform
    from tests.cloud import Clock
    from tests.services.post import Post


@pytest.fixture
def post(platform: "Platform", clock: "Clock") -> "Iterator[Post]":
    """A post office with x.test: ann (admin) and bob; on moto with the local cloud's quicker DynamoDB."""
    from local.moto_dynamodb import Dynamo
    from tests.services.post import post_office
    from tests.services.sweep import swept

    dynamo = Dynamo()
    dynamo.install()
    try:
        made = post_office(platform, clock)
        with swept(made.mail.calls), made.fuse.in_botocore():
            yield made
    finally:
        dynamo.remove()
