"""Signing in, the list, reading, moving: what a person does with a mailbox."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.pages.conftest import eventually, sign_in
from tests.pages.mock_server import ADDRESS, Pages

FRAME = 'iframe[title="Message"]'


def test_a_wrong_password_says_why_and_keeps_the_address(page: Page, web: Pages) -> None:
    page.goto(web.url)
    page.get_by_label("Email address").fill(ADDRESS)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("The address or the password is wrong.")
    expect(page.get_by_label("Email address")).to_have_value(ADDRESS)


def test_S1_the_page_wears_the_brand_of_its_host(page: Page, web: Pages) -> None:
    web.brand["colors"] = {"primary": "#ffe34d", "accent": "#ffe34d"}
    page.goto(web.url)
    expect(page).to_have_title("Heron Mail")
    expect(page.get_by_text("Heron Mail")).to_be_visible()
    expect(page.get_by_role("link", name="Help")).to_have_attribute("href", "https://heron.test/help")
    colours = "b => { const s = getComputedStyle(b); return [s.backgroundColor, s.color] }"
    ground, ink = page.get_by_role("button", name="Sign in").evaluate(colours)
    assert contrast(ground, ink) >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast of two `rgb(r, g, b)`."""

    def luminance(text: str) -> float:
        parts = [int(part) / 255 for part in text.strip("rgb()").split(",")]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_signing_out_ends_the_session_there_and_here(page: Page, web: Pages) -> None:
    sign_in(page, web)
    assert len(web.tokens) == 1
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Email address")).to_be_visible()
    assert not web.tokens
    page.reload()
    expect(page.get_by_label("Email address")).to_be_visible()


def test_the_list_shows_newest_first_and_reads_on_when_scrolled(page: Page, web: Pages) -> None:
    for i in range(130):
        web.room.add(f"Letter {i:03}", text="words", age=200 - i)
    sign_in(page, web)
    rows = page.get_by_role("option")
    expect(rows.first).to_contain_text("Letter 129")
    assert rows.count() < 40
    for _ in range(30):
        page.get_by_role("listbox").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        if page.get_by_role("option", name="Letter 000").count():
            break
        page.wait_for_function("performance.now() > 0")
    expect(page.get_by_role("option", name="Letter 000")).to_be_visible()


def test_reading_marks_seen_counts_down_and_shows_text_with_links(page: Page, web: Pages) -> None:
    key = web.room.add("Plan", text="See https://plan.test/a_(b).\n> quoted\n<b>not bold</b>")
    sign_in(page, web)
    expect(page.get_by_role("link", name="Inbox")).to_contain_text("1 unread")
    page.get_by_role("option", name="Plan").click()
    frame = page.frame_locator(FRAME)
    link = frame.get_by_role("link", name="https://plan.test/a_(b)")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(link).to_have_attribute("href", "https://plan.test/a_(b)")
    expect(frame.get_by_text("<b>not bold</b>")).to_be_visible()
    expect(page.get_by_role("link", name="Inbox")).not_to_contain_text("unread")
    eventually(page, lambda: web.room.emails[key]["keywords"].get("$seen"))


def test_a_move_is_undone(page: Page, web: Pages) -> None:
    key = web.room.add("Bill", text="pay")
    web.room.add("Other", text="x", age=1)
    sign_in(page, web)
    page.get_by_role("option", name="Bill").click()
    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("option", name="Bill")).to_have_count(0)
    expect(page.get_by_text("Archived")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("option", name="Bill")).to_be_visible()
    expect(page.get_by_text("Undone")).to_be_visible()
    assert web.room.emails[key]["mailboxIds"] == {web.room.folder("inbox"): True}


def test_deleting_out_of_the_trash_asks_first(page: Page, web: Pages) -> None:
    key = web.room.add("Old", text="x", folder="trash")
    sign_in(page, web)
    page.get_by_role("link", name="Trash").click()
    page.get_by_role("option", name="Old").click()
    page.get_by_role("button", name="Delete for ever").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_text("Nothing in Trash")).to_be_visible()
    assert key not in web.room.emails


def test_a_refused_change_is_shown_and_taken_back(page: Page, web: Pages) -> None:
    web.room.add("Bill", text="pay")
    sign_in(page, web)
    page.get_by_role("option", name="Bill").click()
    expect(page.frame_locator(FRAME).get_by_text("pay")).to_be_visible()
    web.down = True
    page.keyboard.press("e")
    expect(page.get_by_text("The mailbox is being moved")).to_be_visible()
    expect(page.get_by_role("option", name="Bill")).to_be_visible()


def test_keys_walk_open_star_and_help(page: Page, web: Pages) -> None:
    second = web.room.add("Second", text="2", age=2)
    web.room.add("First", text="1", age=1)
    sign_in(page, web)
    expect(page.get_by_role("option")).to_have_count(2)
    for key in "jjo":
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_role("button", name="Remove star")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Second")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help and keys")).to_contain_text("250 recipients")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    eventually(page, lambda: web.room.emails[second]["keywords"].get("$flagged"))


def test_new_mail_comes_in_by_itself(page: Page, web: Pages) -> None:
    web.room.add("Here", text="x")
    sign_in(page, web)
    expect(page.get_by_role("option")).to_have_count(1)
    web.room.add("Just arrived", text="y")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_role("option").first).to_contain_text("Just arrived")
    assert "Email/changes" in web.room.calls


def test_an_attachment_is_saved_byte_for_byte(page: Page, web: Pages) -> None:
    content = bytes(range(256)) * 40
    part = web.room.attachment('plan "A"/..\\<b>.bin', content)
    web.room.add("With file", text="see", attachments=[part], hasAttachment=True)
    sign_in(page, web)
    page.get_by_role("option", name="With file").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download plan").click()
    assert download.value.path().read_bytes() == content
    assert "/" not in download.value.suggested_filename


def test_errors_offer_a_retry_and_empty_folders_say_so(page: Page, web: Pages) -> None:
    web.room.add("Bill", text="pay")
    sign_in(page, web)
    web.down = True
    page.get_by_role("link", name="Sent").click()
    expect(page.get_by_role("alert")).to_contain_text("The mailbox is being moved")
    web.down = False
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nothing in Sent")).to_be_visible()


def test_offline_is_said_and_passes(page: Page, context: BrowserContext, web: Pages) -> None:
    sign_in(page, web)
    context.set_offline(True)
    expect(page.get_by_text("You are offline")).to_be_visible()
    context.set_offline(False)
    expect(page.get_by_text("You are offline")).to_have_count(0)


def test_a_reload_stays_where_one_was(page: Page, web: Pages) -> None:
    web.room.add("Plan", text="words of the plan")
    sign_in(page, web)
    page.get_by_role("option", name="Plan").click()
    page.reload()
    expect(page.frame_locator(FRAME).get_by_text("words of the plan")).to_be_visible()
