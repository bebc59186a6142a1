"""Writing: replies, attachments, limits, and a draft that is never lost."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.pages.conftest import eventually, sign_in
from tests.pages.mock_server import ADDRESS, PASSWORD, Pages

BODY = "Message text"


def last(web: Pages) -> dict[str, Any]:
    return web.room.submissions[-1]


def text_of(email: dict[str, Any], kind: str = "text") -> str:
    return str(email["bodyValues"][kind]["value"])


def test_a_reply_threads_quotes_and_carries_its_attachment(page: Page, web: Pages) -> None:
    web.room.add(
        "Plan",
        html="<p>Shall we say <b>ten</b>?</p><img src=x onerror=alert(1)>",
        messageId=["2@friends.test"],
        references=["1@friends.test"],
    )
    sign_in(page, web)
    page.get_by_role("option", name="Plan").click()
    page.get_by_role("button", name="Reply", exact=True).first.click()
    expect(page.get_by_label(BODY)).to_be_focused()
    page.keyboard.type("Ten is fine.")
    content = b"\x00\xff" * 1000
    page.get_by_label("Attach files").set_input_files(
        {"name": "map.bin", "mimeType": "application/x-map", "buffer": content}
    )
    expect(page.get_by_role("button", name="Remove map.bin")).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    sent = last(web)
    assert sent["to"] == [{"name": "Ann Lee", "email": "ann@friends.test"}]
    assert sent["subject"] == "Re: Plan"
    assert sent["inReplyTo"] == ["2@friends.test"]
    assert sent["references"] == ["1@friends.test", "2@friends.test"]
    assert text_of(sent).startswith("Ten is fine.")
    assert "> Shall we say ten?" in text_of(sent)
    assert "<b>ten</b>" in text_of(sent, "html")
    assert "onerror" not in text_of(sent, "html")
    assert web.room.blobs[sent["attachments"][0]["blobId"]] == content
    assert sent["mailboxIds"] == {web.room.folder("sent"): True}
    assert "$draft" not in sent["keywords"]
    original = next(e for e in web.room.emails.values() if e["subject"] == "Plan")
    eventually(page, lambda: original["keywords"].get("$answered"))
    assert not [e for e in web.room.emails.values() if web.room.folder("drafts") in e["mailboxIds"]]


def test_reply_all_leaves_oneself_out(page: Page, web: Pages) -> None:
    to = [{"name": None, "email": ADDRESS.upper()}, {"name": "Tom", "email": "tom@friends.test"}]
    web.room.add("All", text="x", to=to, cc=[{"name": None, "email": "zoe@friends.test"}])
    sign_in(page, web)
    page.get_by_role("option", name="All").click()
    page.get_by_role("button", name="Reply all").first.click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert [one["email"] for one in last(web)["to"]] == ["ann@friends.test", "tom@friends.test"]
    assert [one["email"] for one in last(web)["cc"]] == ["zoe@friends.test"]


def test_a_forward_takes_the_attachments_along(page: Page, web: Pages) -> None:
    web.room.add("File", text="see", attachments=[web.room.attachment("a.pdf", b"pdf", "application/pdf")])
    sign_in(page, web)
    page.get_by_role("option", name="File").click()
    page.get_by_role("button", name="Forward").first.click()
    page.get_by_label("To", exact=True).fill("tom@friends.test")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert last(web)["subject"] == "Fwd: File"
    assert web.room.blobs[last(web)["attachments"][0]["blobId"]] == b"pdf"


def test_a_large_attachment_goes_up_by_its_presigned_address(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("To", exact=True).fill("tom@friends.test")
    content = b"x" * 5_000_000
    page.get_by_label("Attach files").set_input_files(
        {"name": "big.bin", "mimeType": "application/octet-stream", "buffer": content}
    )
    expect(page.get_by_text("4.8 MB")).to_be_visible()
    page.get_by_label("Subject").fill("Big")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert list(web.blobs.kept.values()) == [content]


def test_S19_limits_are_said_before_the_server_refuses(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    small = [{"name": f"{i}.txt", "mimeType": "text/plain", "buffer": b"x"} for i in range(5)]
    page.get_by_label("Attach files").set_input_files(small)  # type: ignore[arg-type]
    expect(page.get_by_role("alert")).to_contain_text("4 attachments at most")
    page.get_by_role("button", name="Remove 0.txt").click()
    page.evaluate(
        """() => { const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(19_500_000)], 'film.mp4'));
        const input = document.querySelector('input[type=file]'); input.files = files.files;
        input.dispatchEvent(new Event('change', {bubbles: true})) }"""
    )
    expect(page.get_by_role("alert")).to_contain_text("film.mp4 does not fit")
    assert not web.blobs.kept


def test_S20_recipients_are_counted_and_capped(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    many = ", ".join(f"p{i}@friends.test" for i in range(200))
    page.get_by_label("To", exact=True).fill(many + ",")
    expect(page.get_by_text("200 of 250 recipients")).to_be_visible()
    page.get_by_role("button", name="Bcc").click()
    page.get_by_label("Bcc", exact=True).fill(";".join(f"q{i}@friends.test" for i in range(51)))
    page.get_by_label("Subject").fill("All of you")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("250 recipients at most")
    assert not web.room.submissions


def test_a_wrong_address_is_marked_and_not_sent(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("To", exact=True).fill("Tom <tom@friends.test>, nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Not a valid address: nobody").first).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Not a valid address: nobody")
    page.get_by_role("button", name="Remove nobody").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert last(web)["to"] == [{"name": "Tom", "email": "tom@friends.test"}]


def test_S21_a_refused_letter_stays_open_and_in_drafts(page: Page, web: Pages) -> None:
    web.room.refuse_sending = {"type": "rateLimit", "description": "Too many messages.", "retryAfter": 42}
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("To", exact=True).fill("tom@friends.test")
    page.get_by_label("Subject").fill("Kept")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("in 42 seconds. Your draft is kept.")
    drafts = [e for e in web.room.emails.values() if web.room.folder("drafts") in e["mailboxIds"]]
    assert [d["subject"] for d in drafts] == ["Kept"]
    web.room.refuse_sending = None
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()


def test_a_draft_is_saved_within_ten_seconds_and_once(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("Subject").fill("Thoughts")
    page.get_by_label(BODY).click()
    page.keyboard.type("first")
    expect(page.get_by_text("Saved in Drafts")).to_be_visible(timeout=10_000)
    page.keyboard.type(" and second")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    expect(page.get_by_text("Saved in Drafts")).to_be_visible(timeout=10_000)
    drafts = [e for e in web.room.emails.values() if web.room.folder("drafts") in e["mailboxIds"]]
    assert [text_of(d) for d in drafts] == ["first and second"]
    page.get_by_role("button", name="Save and close").click()
    page.get_by_role("link", name="Drafts").click()
    page.get_by_role("option", name="Thoughts").click()
    expect(page.get_by_label(BODY)).to_contain_text("first and second")
    page.get_by_role("button", name="Discard draft").click()
    expect(page.get_by_text("Nothing in Drafts")).to_be_visible()


def test_a_session_that_ends_does_not_take_the_draft(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("To", exact=True).fill("tom@friends.test")
    page.get_by_label("Subject").fill("Long thoughts")
    page.get_by_label(BODY).click()
    page.keyboard.type("hours of work")
    web.tokens.clear()
    again = page.get_by_role("dialog", name="Sign in again")
    expect(again).to_be_visible(timeout=12_000)
    expect(again.get_by_label("Email address")).to_have_value(ADDRESS)
    again.get_by_label("Password", exact=True).fill(PASSWORD)
    again.get_by_role("button", name="Sign in").click()
    expect(again).to_have_count(0)
    expect(page.get_by_label(BODY)).to_contain_text("hours of work")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert text_of(last(web)) == "hours of work"


def test_a_reload_brings_the_letter_back(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("Subject").fill("Unsaved")
    page.get_by_label(BODY).click()
    page.keyboard.type("words")
    page.reload()
    expect(page.get_by_label("Subject")).to_have_value("Unsaved")
    expect(page.get_by_label(BODY)).to_contain_text("words")


def test_plain_text_stays_plain(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("To", exact=True).fill("tom@friends.test")
    page.get_by_label(BODY).click()
    page.keyboard.type("one")
    page.get_by_role("button", name="Plain text").click()
    page.get_by_label(BODY).fill("one <two>\n\nthree")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert text_of(last(web)) == "one <two>\n\nthree"
    assert "html" not in last(web)["bodyValues"]


def test_formatting_and_undo_pass_the_pages_own_policy(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("To", exact=True).fill("tom@friends.test")
    page.get_by_label(BODY).click()
    page.get_by_role("button", name="Bold").click()
    page.keyboard.type("strong")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Bullet list").click()
    page.keyboard.type("item")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert "<b>strong</b>" in text_of(last(web), "html")


def test_send_waits_for_an_upload_that_is_under_way(page: Page, web: Pages) -> None:
    sign_in(page, web)
    page.get_by_role("button", name="Compose").click()
    page.get_by_label("To", exact=True).fill("tom@friends.test")
    page.get_by_label("Attach files").set_input_files(
        {"name": "big.bin", "mimeType": "application/octet-stream", "buffer": b"y" * 6_000_000}
    )
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Message sent")).to_be_visible()
    assert len(last(web)["attachments"]) == 1
    expect(page.get_by_role("link", name="Drafts")).not_to_contain_text("message")
