"""SearchSnippet/get (RFC 8621 §5): the words that an email was found by, marked, and nothing but text."""

import re
from html import unescape
from typing import Any

import pytest

from chalicelib.jmap import limits
from tests.jmap.client import Client, counted, letter

PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n"
HTML = b"Content-Type: text/html; charset=utf-8\r\n"


def snippet(jmap: Client, id: str, **filter: Any) -> tuple[str | None, str | None]:
    """Subject and preview of one email."""
    answer = jmap.call("SearchSnippet/get", filter=filter, emailIds=[id])
    [found] = answer["list"]
    assert answer["notFound"] is None
    assert found["emailId"] == id
    return found["subject"], found["preview"]


CASES: list[tuple[str, bytes, dict[str, str], str | None, str | None]] = [
    ("Your invoice", b"paid by Invoice 7", {"text": "invoice"},
     "Your <mark>invoice</mark>", "paid by <mark>Invoice</mark> 7"),
    ("Your invoices", b"none", {"text": "INVO"}, "Your <mark>invoices</mark>", None),
    ("in", b"inside", {"text": "in "}, "<mark>in</mark>", None),
    ("Your invoice", b"the invoice", {"subject": "invoice"}, "Your <mark>invoice</mark>", None),
    ("Your invoice", b"the invoice", {"body": "invoice"}, None, "the <mark>invoice</mark>"),
    ("a <b> & c", b"x < y && <mark>y</mark>", {"text": "b y"}, "a &lt;<mark>b</mark>&gt; &amp; c",
     "x &lt; <mark>y</mark> &amp;&amp; &lt;mark&gt;<mark>y</mark>&lt;/mark&gt;"),
    ("=?utf-8?b?Q2Fmw6k=?=", "Crème brûlée, STRASSE".encode(), {"text": "cafe creme straße"},
     "<mark>Café</mark>", "<mark>Crème</mark> brûlée, <mark>STRASSE</mark>"),
    ("Trip", "東京都に行く".encode(), {"text": "東京都"}, None, "<mark>東京都</mark>に行く"),
    ("Trip", "東京都に行く".encode(), {"text": "行"}, None, "東京都に<mark>行</mark>く"),
    ("Hello", b"nothing of it", {"text": "zebra"}, None, None),
    ("Hello zoe", b"zoe", {"from": "zoe"}, None, None),
    ("Hello zoe", b"zoe", {"inMailbox": "f1"}, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "body", "filter", "shown", "preview"), CASES)
def test_words_are_marked_where_the_filter_looks(
    jmap: Client, subject: str, body: bytes, filter: dict[str, str], shown: str | None, preview: str | None
) -> None:
    id = jmap.deliver(PLAIN + letter(subject, "") + body)
    assert snippet(jmap, id, **filter) == (shown, preview)


def test_of_HTML_the_text_is_shown(jmap: Client) -> None:
    page = "<style>paid{}</style><p>An <b>invo</b>ice was<br>paid &lt;today&gt;</p><script>invoice()</script>"
    id = jmap.deliver(HTML + letter("Page", page))
    assert snippet(jmap, id, text="invoice paid") == (
        None,
        "An <mark>invoice</mark> was <mark>paid</mark> &lt;today&gt;",
    )


@pytest.mark.parametrize("filler", ["word ", "東京都に行く", "&<>", "é", "x" * 60 + " "])
@pytest.mark.parametrize("query", ["needle", "needle thread"])
def test_a_preview_has_at_most_255_octets_and_shows_the_richest_place(
    jmap: Client, filler: str, query: str
) -> None:
    long = filler * 200
    text = f"{long} needle {long} needle and thread {long}"
    id = jmap.deliver(PLAIN + letter("Long", "") + text.encode())
    _, preview = snippet(jmap, id, text=query)
    assert preview is not None
    assert len(preview.encode()) <= 255
    assert "<mark>needle</mark>" in preview
    assert ("<mark>thread</mark>" in preview) == (query != "needle")
    assert unescape(re.sub("</?mark>", "", preview)) in " ".join(text.split())


def test_operators_mark_what_is_asked_for_not_what_is_excluded(jmap: Client) -> None:
    id = jmap.deliver(letter("red green blue", "red green blue"))
    filter = {
        "operator": "AND",
        "conditions": [{"subject": "red "}, {"operator": "NOT", "conditions": [{"text": "green "}]}],
    }
    [found] = jmap.call("SearchSnippet/get", filter=filter, emailIds=[id])["list"]
    assert found == {"emailId": id, "subject": "<mark>red</mark> green blue", "preview": None}


def test_it_takes_a_query_by_reference_and_names_what_is_not_there(jmap: Client) -> None:
    ids = [jmap.deliver(letter(f"news {n}", "weekly")) for n in range(3)]
    reference = {"resultOf": "q", "name": "Email/query", "path": "/ids"}
    filter = {"text": "weekly"}
    answers = jmap.request(
        ("Email/query", {"filter": filter}, "q"),
        ("SearchSnippet/get", {"filter": filter, "#emailIds": reference}, "s"),
    )
    assert [found["emailId"] for found in answers[1][1]["list"]] == ids[::-1]
    jmap.call("Email/set", destroy=ids[:1])
    answer = jmap.call("SearchSnippet/get", filter=None, emailIds=[ids[0], "bad id", ids[1], ids[1]])
    assert answer["list"] == [{"emailId": ids[1], "subject": None, "preview": None}]
    assert answer["notFound"] == [ids[0], "bad id"]


def test_only_words_of_bodies_open_messages_and_each_once(jmap: Client) -> None:
    ids = [jmap.deliver(letter(f"news {n}", "weekly")) for n in range(3)]
    with counted() as calls:
        jmap.call("SearchSnippet/get", filter={"subject": "news"}, emailIds=ids)
    assert "GetObject" not in calls
    with counted() as calls:
        jmap.call("SearchSnippet/get", filter={"text": "news"}, emailIds=ids)
    assert calls.count("GetObject") == 3


def test_bad_requests_are_refused(jmap: Client) -> None:
    many = [f"e{n}" for n in range(limits.MAX_OBJECTS_IN_GET + 1)]
    for args, kind in (
        ({"filter": {"text": "x"}}, "invalidArguments"),
        ({"filter": {"text": "x"}, "emailIds": [1]}, "invalidArguments"),
        ({"filter": {"text": 1}, "emailIds": []}, "invalidArguments"),
        ({"filter": {"nothing": 1}, "emailIds": []}, "unsupportedFilter"),
        ({"filter": {"text": "x"}, "emailIds": many}, "requestTooLarge"),
    ):
        assert jmap.error("SearchSnippet/get", **args)["type"] == kind
    assert jmap.call("SearchSnippet/get", filter={"text": "x"}, emailIds=many[1:])["notFound"] == many[1:]


def test_what_is_opened_is_bounded_by_its_size(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [jmap.deliver(letter("news", "weekly")) for _ in range(3)]
    monkeypatch.setattr(limits, "MAX_READ", sum(jmap.email(id)["size"] for id in ids) - 1)
    asked = {"filter": {"text": "news"}, "emailIds": ids}
    assert jmap.error("SearchSnippet/get", **asked)["type"] == "requestTooLarge"
