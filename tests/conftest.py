"""Fixtures that every room's tests may use. What they build is imported only by tests that ask for it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chalicelib.aws import clock as clocks
from chalicelib.rules.figures import DEFAULT
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from chalicelib.services.platform import Platform
    from tests.cloud import Clock
    from tests.registry import Registry

DIST = Path(__file__).parents[1] / "webmail-frontend" / "dist" / "mail.html"
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE *.localhost",
]


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


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Debian's Chromium, which reaches this machine alone. One a process: Playwright allows no second."""
    from playwright.sync_api import sync_playwright

    assert DIST.is_file(), "build the pages first: make pages"
    assert CHROMIUM.is_file(), "install the browser first: bash tools/browser.sh"
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield one
        one.close()
