"""The reseller's console, and the page that says the admin's is not there yet."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.pages.conftest import keep_picture
from tests.pages.mock_reseller import API_KEY
from tests.pages.mock_server import Pages
from tests.pages.test_looks import violations


def sign_in(page: Page, web: Pages) -> None:
    page.goto(f"{web.url}/reseller.html")
    page.get_by_label("API key").fill(API_KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your domains")).to_be_visible()


def test_a_wrong_key_is_refused_in_the_servers_words(page: Page, web: Pages) -> None:
    page.goto(f"{web.url}/reseller.html")
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This API key is not known.")


def test_S8_a_domain_shows_its_records_to_copy(page: Page, context: BrowserContext, web: Pages) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, web)
    page.get_by_role("button", name="florist.test").click()
    expect(page.get_by_role("row", name="MX")).to_contain_text("missing")
    page.get_by_role("button", name="Copy Value 10 inbound.florist.test").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "10 inbound.florist.test.emailmx.test."
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("row", name="MX")).to_contain_text("ok")
    expect(page.get_by_role("button", name="florist.test Live")).to_be_visible()


def test_S3_an_order_is_placed_and_its_domain_shown(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_text("Order mailboxes").click()
    page.get_by_label("Domain").fill("new.test")
    page.get_by_label("Mailbox name").fill("zoe")
    page.get_by_label("Storage").select_option("500")
    page.get_by_label("IMAP").check()
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", name="new.test")).to_be_visible()
    [(once, order)] = web.console.orders.items()
    mailbox = {"local": "zoe", "storage_mb": 500, "imap": True, "admin": False}
    assert order == {"domain": "new.test", "mailboxes": [mailbox]}
    assert len(once) == 32


def test_the_console_has_no_accessibility_violations(web: Pages, context: BrowserContext) -> None:
    assert context.browser
    page = context.browser.new_page(bypass_csp=True, reduced_motion="reduce")
    sign_in(page, web)
    expect(page.get_by_role("row", name="MX")).to_be_visible()
    page.get_by_text("Order mailboxes").click()
    found = violations(page)
    keep_picture(page, "reseller")
    page.close()
    assert found == []


def test_the_admin_page_says_what_it_is_not_and_leads_to_mail(page: Page, web: Pages) -> None:
    page.goto(f"{web.url}/admin.html")
    expect(page.get_by_text("This console is not available yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Open your mail")).to_be_visible()
    expect(page).to_have_title("Heron Mail")
