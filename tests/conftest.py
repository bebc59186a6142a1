"""Fixtures that every room's tests may use. What they build is imported only by tests that ask for it."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from chalicelib.aws import clock as clocks
from chalicelib.rules.figures import DEFAULT
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from chalicelib.services.platform import Platform
    from tests.cloud import Clock
    from tests.registry import Registry


@pytest.fixture
def settings() -> Iterator[Settings]:
    """The resources of infra/template.yaml in moto, and their names."""
    from tests.cloud import cloud

    with cloud() as made:
        yield made


@pytest.fixture
def clock() -> "Iterator[Clock]":
    """The service's clock, standing still until `clock.advance(hours=3)`."""
    from tests.cloud import Clock

    standing = Clock()
    clocks.install(lambda: standing.seconds)
    yield standing
    clocks.install(time.time)


@pytest.fixture
def platform(settings: Settings, clock: "Clock") -> "Platform":
    """A platform over moto whose time stands still until the test moves `clock`."""
    from chalicelib.services.platform import build

    assert clock.seconds
    return build(settings, DEFAULT)


@pytest.fixture
def registry(settings: Settings, clock: "Clock") -> "Iterator[Registry]":
    """A platform with two resellers, DNS and SES identities in the test's hand, and the API."""
    from tests.registry import registry as opened

    with opened(settings, clock) as made:
        yield made
