"""One browser and one set of servers for the page tests; a fresh mailbox and a fresh page for each test."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.pages.mock_server import ADDRESS, PASSWORD, BlobStore, Canary, Pages

expect.set_options(timeout=10_000)


@pytest.fixture
def blobs() -> Iterator[BlobStore]:
    with BlobStore() as server:
        yield server


@pytest.fixture
def web(blobs: BlobStore) -> Iterator[Pages]:
    with Pages(blobs) as server:
        yield server


@pytest.fixture
def canary() -> Iterator[Canary]:
    with Canary() as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    one = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    yield one
    one.close()


def policy_of_ours(said: str) -> bool:
    """A message's own <base> is stopped where it is parsed, and said so; all else is our fault."""
    return "Content Security Policy" in said and "base URI" not in said


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test when a script of ours fails or the CSP had to stop something of ours."""
    one = context.new_page()
    faults: list[str] = []
    one.on("pageerror", lambda error: faults.append(str(error)))
    one.on("console", lambda said: faults.append(said.text) if policy_of_ours(said.text) else None)
    yield one
    assert not faults, faults


def sign_in(page: Page, web: Pages) -> None:
    """Opens the page and signs in; returns when the list is there."""
    page.goto(web.url)
    page.get_by_label("Email address").fill(ADDRESS)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox", exact=True)).to_be_visible()


def eventually(page: Page, check: Callable[[], object]) -> None:
    """Waits until the server knows what the page has shown ahead of it."""
    deadline = time.monotonic() + 10
    while not check():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)


def keep_picture(page: Page, name: str) -> None:
    """Writes a screenshot where PICTURES names a folder, for looking at."""
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
