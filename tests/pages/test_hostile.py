"""What senders try: nothing runs, nothing is fetched, nothing leaves its frame."""

from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.pages.conftest import sign_in
from tests.pages.hostile import HOSTILE
from tests.pages.mock_server import Canary, Pages

FRAME = 'iframe[title="Message"]'
LEFT_OVERS = """() => {
  const frame = document.querySelector('iframe[title="Message"]').contentDocument;
  const all = [...frame.querySelectorAll('body *')];
  const bad = ['script', 'svg', 'math', 'form', 'input', 'button', 'iframe', 'object', 'embed', 'video',
    'audio', 'base', 'link', 'template', 'meta', 'noscript'];
  const tags = all.map(e => e.localName).filter(n => bad.includes(n));
  const on = all.flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'));
  const harmless = /^(https?|mailto|tel):|^#m-/;
  const links = all.map(e => e.getAttribute('href')).filter(h => h !== null && !harmless.test(h));
  const places = all.map(e => getComputedStyle(e).position).filter(p => p !== 'static');
  const targets = all.map(e => e.getAttribute('target')).filter(t => t !== null && t !== '_blank');
  return [...tags, ...on, ...links, ...places, ...targets];
}"""


def test_hostile_messages_do_nothing(page: Page, web: Pages, canary: Canary) -> None:
    """Each vector in a message of its own; each is opened, answered to, and followed by a harmless word."""
    for i, (name, markup) in enumerate(HOSTILE.items()):
        html = markup.replace("{{", "{").replace("}}", "}").replace("{c}", canary.url)
        web.room.add(f"{i} {name}", html=f"{html}<p>the end of {name}</p>", age=i)
    sign_in(page, web)
    expect(page.get_by_role("option").first).to_be_visible()
    for i, name in enumerate(HOSTILE):
        page.keyboard.press("j")
        if i == 0:
            page.keyboard.press("o")
        expect(page.get_by_role("heading", name=f"{i} {name}", exact=True)).to_be_visible()
        frame = page.frame_locator(FRAME)
        expect(frame.locator("body > *").first).to_be_attached()
        assert page.evaluate(LEFT_OVERS) == [], name
        assert page.evaluate("window.hacked") is None, name
    assert canary.hits == []


def test_hostile_messages_do_nothing_when_answered(page: Page, web: Pages, canary: Canary) -> None:
    everything = "".join(HOSTILE.values()).replace("{{", "{").replace("}}", "}").replace("{c}", canary.url)
    web.room.add("All", html=f"<p>first</p>{everything}")
    sign_in(page, web)
    page.get_by_role("option", name="All").click()
    page.get_by_role("button", name="Reply", exact=True).first.click()
    words = page.get_by_label("Message text")
    expect(words).to_contain_text("first")
    attributes = (
        "root => [...new Set([...root.querySelectorAll('*')].flatMap(e => e.getAttributeNames()))].sort()"
    )
    assert set(words.evaluate(attributes)) <= {"href", "colspan", "rowspan", "dir", "start", "type"}
    page.get_by_label("Subject").fill("Re: All")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert canary.hits == []


def test_texts_of_a_message_are_text(page: Page, web: Pages, canary: Canary) -> None:
    mark = f"<img src={canary.url}/x onerror=top.hacked=1>"
    part = web.room.attachment(mark + ".txt", b"x", mark)
    given: dict[str, Any] = {
        "from": [{"name": mark, "email": "a@b.test"}],
        "preview": mark,
        "attachments": [part],
    }
    web.room.add(f"Subject {mark}", text=mark, **given)
    sign_in(page, web)
    page.get_by_role("option").first.click()
    expect(page.frame_locator(FRAME).get_by_text(mark)).to_be_visible()
    expect(page.get_by_role("heading", name=mark)).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert canary.hits == []


def test_remote_pictures_wait_for_the_reader(page: Page, web: Pages) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=b"")

    page.context.route("https://pictures.test/**", answer)
    web.room.add("News", html='<img src="http://pictures.test/a.png" alt="boats"><p>text</p>')
    sign_in(page, web)
    page.get_by_role("option", name="News").click()
    expect(page.frame_locator(FRAME).get_by_text("text")).to_be_visible()
    assert asked == []
    with page.expect_request("https://pictures.test/a.png") as request:
        page.get_by_role("button", name="Show pictures").click()
    assert "referer" not in request.value.headers


def test_pictures_that_came_with_the_message_are_shown(page: Page, web: Pages) -> None:
    gif = bytes.fromhex(
        "47494638396101000100800000ff0000ffffff21f90400000000002c00000000010001000002024401003b"
    )
    part = web.room.attachment("dot.gif", gif, "image/gif", cid="dot@x", disposition="inline")
    web.room.add("Dot", html='<img src="cid:dot@x" alt="dot"><p>text</p>', attachments=[part])
    sign_in(page, web)
    page.get_by_role("option", name="Dot").click()
    picture = page.frame_locator(FRAME).get_by_role("img", name="dot")
    expect(picture).to_have_js_property("naturalWidth", 1)
    expect(page.get_by_role("button", name="Download dot.gif")).to_have_count(0)


def test_styles_that_do_no_harm_stay(page: Page, web: Pages) -> None:
    html = (
        '<style>.big{font-size:30px;position:fixed}</style><p class="big" style="color:#c00;margin:4px">x</p>'
    )
    web.room.add("Styled", html=html)
    sign_in(page, web)
    page.get_by_role("option", name="Styled").click()
    words = page.frame_locator(FRAME).locator("p")
    style = "p => (s => [s.fontSize, s.color, s.position, s.marginTop])(getComputedStyle(p))"
    assert words.evaluate(style) == ["30px", "rgb(204, 0, 0)", "static", "4px"]


def test_a_mailto_link_opens_our_own_editor(page: Page, web: Pages) -> None:
    web.room.add("Write", html='<a href="mailto:zoe@friends.test?subject=Hi%20there">write</a>')
    sign_in(page, web)
    page.get_by_role("option", name="Write").click()
    page.frame_locator(FRAME).get_by_role("link", name="write").click()
    expect(page.get_by_label("Subject")).to_have_value("Hi there")
    expect(page.get_by_role("button", name="Remove zoe@friends.test")).to_be_visible()
