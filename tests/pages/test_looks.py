"""How the pages look and weigh: budgets, accessibility, phone, dark mode, old browsers, white label."""

import gzip
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.conftest import keep_picture, sign_in
from tests.pages.mock_server import DIST, ROOT, Pages

AXE = ROOT / "webmail-frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = """async () => {
  const ends = a => a.effect.getComputedTiming().iterations !== Infinity;
  await Promise.allSettled(document.getAnimations().filter(ends).map(a => a.finished));
  const only = {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']};
  const late = new Promise((_, no) => setTimeout(() => no(new Error('axe took too long')), 20000));
  const run = axe.run(document, {iframes: false, runOnly: only, resultTypes: ['violations']});
  const found = await Promise.race([run, late]);
  const told = n => n.target + ' ' + n.failureSummary;
  return found.violations.map(v => v.id + ': ' + v.nodes.map(told).join(' | '));
}"""


def weight(files: Iterable[Path]) -> int:
    """Bytes on the wire, gzip -9."""
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)


def linked(page: str, kind: str) -> set[Path]:
    """Files of a kind that a built page asks for by itself."""
    text = (DIST / page).read_text()
    return {DIST / name.lstrip("/") for name in re.findall(r'(?:src|href)="(/[^"]+\.' + kind + ')"', text)}


def imported(files: Iterable[Path]) -> set[Path]:
    """Scripts with all that they import at once, not what they import later."""
    known: set[Path] = set()
    waiting = set(files)
    while waiting:
        file = waiting.pop()
        known.add(file)
        names = re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', file.read_text())
        waiting |= {file.parent / name for name in names} - known
    return known


def assets(name: str, kind: str) -> set[Path]:
    return set((DIST / "assets").glob(f"{name}-*.{kind}"))


def test_budgets_hold() -> None:
    first = imported(linked("mail.html", "js"))
    app = first | imported(assets("app", "js"))
    editor = imported(assets("compose", "js"))
    assert assets("app", "js")
    assert assets("compose", "js")
    assert weight(first) <= 20_000
    assert weight(app) <= 65_000
    assert weight(linked("mail.html", "css") | assets("app", "css")) <= 12_000
    assert weight(editor - app) <= 35_000
    assert weight(imported(linked("reseller.html", "js"))) <= 60_000
    assert weight(imported(linked("admin.html", "js"))) <= 60_000


def test_S1_no_built_file_names_the_operator() -> None:
    secret = re.compile(rb"plain" + rb"post", re.IGNORECASE)
    assert not [path for path in DIST.rglob("*") if path.is_file() and secret.search(path.read_bytes())]


def violations(page: Page) -> list[str]:
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RULES)
    return found


def fill(web: Pages) -> None:
    part = web.room.attachment("plan.pdf", b"x" * 90_000, "application/pdf")
    web.room.add("Old news", text="x", age=40, keywords={"$seen": True, "$flagged": True, "$answered": True})
    html = '<h2>Season</h2><p>Boats go in.</p><img src="https://p.test/a.png" alt="boat">'
    web.room.add("Season", html=html, attachments=[part], hasAttachment=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 390])
def test_no_accessibility_violations(browser: Browser, web: Pages, scheme: Any, width: int) -> None:
    """WCAG 2.2 AA by axe on every view, light and dark, wide and on a phone."""
    fill(web)
    page = browser.new_page(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
    )
    page.goto(web.url)
    expect(page.get_by_label("Email address")).to_be_visible()
    found = {"sign-in": violations(page)}
    keep_picture(page, f"signin-{scheme}-{width}")
    sign_in(page, web)
    expect(page.get_by_role("option")).to_have_count(2)
    found["list"] = violations(page)
    page.get_by_role("option", name="Season").click()
    expect(page.frame_locator('iframe[title="Message"]').get_by_text("Boats go in.")).to_be_visible()
    found["reader"] = violations(page)
    keep_picture(page, f"reader-{scheme}-{width}")
    page.get_by_role("button", name="Reply", exact=True).last.click()
    expect(page.get_by_label("Message text")).to_be_visible()
    found["composer"] = violations(page)
    page.get_by_role("button", name="Discard draft").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help and keys")).to_be_visible()
    found["help"] = violations(page)
    page.close()
    assert not any(found.values()), found


def test_a_phone_shows_one_pane_at_a_time(browser: Browser, web: Pages) -> None:
    fill(web)
    page = browser.new_page(viewport={"width": 390, "height": 800}, has_touch=True)
    sign_in(page, web)
    folders = page.get_by_role("navigation", name="Folders")
    expect(folders).to_be_hidden()
    page.get_by_role("option", name="Season").tap()
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Back to the list").tap()
    page.get_by_role("button", name="Folders").tap()
    expect(folders).to_be_visible()
    page.get_by_role("link", name="Archive").tap()
    expect(page.get_by_text("Nothing in Archive")).to_be_visible()
    expect(folders).to_be_hidden()
    page.close()


def test_dark_mode_follows_the_system_and_the_readers_choice(browser: Browser, web: Pages) -> None:
    page = browser.new_page(color_scheme="dark")
    sign_in(page, web)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(24, 26, 31)"
    page.get_by_role("button", name="Appearance: as the system").click()
    assert page.evaluate(ground) == "rgb(246, 247, 249)"
    page.close()


def test_S41_an_old_browser_gets_a_page_that_says_so(browser: Browser, web: Pages) -> None:
    page = browser.new_page()
    page.add_init_script("delete window.HTMLDialogElement")
    page.goto(web.url)
    expect(page.locator("#old-browser")).to_contain_text("needs a newer browser")
    expect(page.get_by_label("Email address")).to_have_count(0)
    page.close()


def test_a_long_list_scrolls_with_few_rows_in_the_page(page: Page, web: Pages) -> None:
    for i in range(1_000):
        web.room.add(f"Letter {i}", text="x", age=2_000 - i)
    sign_in(page, web)
    expect(page.get_by_role("option").first).to_be_visible()
    for _ in range(12):
        page.get_by_role("listbox").evaluate("list => list.scrollTo(0, list.scrollHeight)")
        page.wait_for_function("document.querySelectorAll('[role=option]').length < 40")
    assert page.get_by_role("option").count() < 40
