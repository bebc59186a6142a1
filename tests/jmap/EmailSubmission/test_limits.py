"""S19, S21 at their edges, as webmail meets them."""

from typing import Any

from chalicelib.aws.table import Update
from chalicelib.store.records import address_key
from tests.jmap.client import Client, Json
from tests.jmap.EmailSubmission.test_set import draft, refused, submit


def attached(jmap: Client, count: int, **more: Any) -> str:
    """A draft with so many files; `more` adds to each of them."""
    files: list[Json] = [
        {"partId": f"a{n}", "type": "text/csv", "name": f"{n}.csv", "disposition": "attachment", **more}
        for n in range(count)
    ]
    values = {"t": {"value": "Hi"}} | {f"a{n}": {"value": f"{n},{n}"} for n in range(count)}
    return draft(jmap, "zoe@far.test", bodyValues=values, attachments=files)


def test_S19_four_attachments_are_sent_and_a_fifth_is_not(jmap: Client) -> None:
    assert submit(jmap, attached(jmap, 4))["created"]
    error = refused(jmap, attached(jmap, 5))
    assert error == {
        "type": "invalidEmail",
        "description": "A message can have 4 attachments at most.",
        "properties": ["attachments"],
        "limit": 4,
        "used": 5,
        "remaining": 0,
        "unit": "attachments",
    }


def test_S19_an_image_that_the_text_shows_is_no_attachment(jmap: Client) -> None:
    raw = jmap.draft(subject="x")["blobId"]
    images = [{"blobId": raw, "type": "image/png", "cid": f"i{n}", "disposition": "inline"} for n in range(5)]
    page = {"partId": "t", "type": "text/html"}
    structure = {"type": "multipart/related", "subParts": [page, *images]}
    given = {"bodyStructure": structure, "textBody": None, "bodyValues": {"t": {"value": "<img src=cid:i0>"}}}
    assert submit(jmap, draft(jmap, "zoe@far.test", **given))["created"]


def test_S21_ten_a_minute_and_the_eleventh_is_told_when(jmap: Client) -> None:
    for n in range(10):
        assert submit(jmap, draft(jmap, f"u{n}@far.test"))["created"]
    late = draft(jmap, "late@far.test")
    error = refused(jmap, late)
    assert (error["type"], error["limit"], error["used"], error["remaining"]) == ("rateLimit", 10, 10, 0)
    assert (error["unit"], error["retryAfter"]) == ("messages/minute", 60)
    assert error["resetsAt"] > "2026"
    jmap.post.clock.advance(seconds=59)
    assert refused(jmap, late)["retryAfter"] == 1
    jmap.post.clock.advance(seconds=1)
    assert submit(jmap, late)["created"]


def test_S17_a_draft_that_does_not_fit_is_refused_with_the_figures(jmap: Client) -> None:
    limit = jmap.account.quota_bytes
    jmap.post.fill(jmap.account.address, limit - 10)
    error = jmap.refused(subject="too much")
    assert (error["type"], error["limit"], error["used"]) == ("overQuota", limit, limit - 10)
    assert (error["remaining"], error["unit"], error["resetsAt"]) == (10, "bytes", None)


def test_S16_a_draft_can_take_it_over_the_line_too(jmap: Client) -> None:
    limit = jmap.account.quota_bytes
    jmap.post.fill(jmap.account.address, limit * 9 // 10 - 1)
    jmap.draft(subject="a little more")
    assert [b"Your mailbox is 90 % full" in raw for raw in jmap.post.inbox(jmap.account.address)] == [True]


def test_S14_the_figure_shown_is_the_one_enforced_after_an_upgrade_too(jmap: Client) -> None:
    local = jmap.account.address.partition("@")[0]
    table = jmap.post.p.directory.table
    jmap.post.fill(jmap.account.address, jmap.account.quota_bytes)
    assert jmap.refused(subject="x")["type"] == "overQuota"
    table.update(Update(address_key("x.test", local), set={"mb": 500}))
    jmap.draft(subject="at once")
    [shown] = jmap.call("Quota/get", ids=None)["list"]
    assert shown["hardLimit"] == 2 * jmap.account.quota_bytes
