"""The webmail page against the running local cloud, in a real browser."""

import email
import email.policy
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.orders import PASSWORD, live_pair
from tests.e2e.test_spine import letter
from tools.town import Town, until


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page, and time for what a busy machine takes."""
    one = browser.new_page(viewport={"width": 1280, "height": 800})
    one.set_default_timeout(20_000)
    yield one
    one.close()


def test_mail_from_the_internet_is_read_and_answered_in_the_browser(
    town: Town, page: Page, tmp_path: Path
) -> None:
    pair = live_pair(town, "browser.test")
    sent = letter("Zoë <zoe@park.test>", pair.ann.address, "picnic plans", "Bring the blanket.\n")
    town.deliver("zoe@park.test", [pair.ann.address], sent.as_bytes())
    pair.ann.wait_for("picnic plans")
    attachment = tmp_path / "photo.bin"
    attachment.write_bytes(random.Random(7).randbytes(5 * 1024 * 1024))

    page.goto(town.stack["webmail"])
    page.get_by_label("Email address").fill(pair.ann.address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("option").filter(has_text="picnic plans").click()
    frame = page.frame_locator('iframe[title="Message"]')
    expect(frame.get_by_text("Bring the blanket.")).to_be_visible()

    page.get_by_role("button", name="Reply", exact=True).first.click()
    page.get_by_label("Attach files").set_input_files(attachment)
    page.get_by_role("button", name="Send", exact=True).click()

    [out] = until(lambda: town.outbox("zoe@park.test"), seconds=60)
    parsed = email.message_from_bytes(out["bytes"], policy=email.policy.default)
    [part] = parsed.iter_attachments()
    assert part.get_content() == attachment.read_bytes()
    assert parsed["Subject"] == "Re: picnic plans"
    assert parsed["In-Reply-To"] == "<picnic.plans@sender.test>"
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_label("Email address")).to_be_visible()
