"""Email/get (RFC 8621 §4.1, §4.2)."""

import pytest

from chalicelib.jmap import limits
from chalicelib.jmap.body_parts import cut
from tests.jmap.client import Client, Json, counted, letter

FULL = (
    "Return-Path: <zoe@far.test>\r\nReceived: from a by b; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    "Received: second\r\n"
    "From: =?utf-8?Q?Zo=C3=AB?= <zoe@far.test>\r\nSender: s@far.test\r\nReply-To: r@far.test\r\n"
    "To: team: a@x.test, B <b@x.test>;, c@x.test\r\nCc: cc@x.test\r\nBcc: bcc@x.test\r\n"
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 1 Jan 2024 10:00:00 +0200\r\n"
    "Message-ID: <m@far.test>\r\n"
    "In-Reply-To: <i@far.test>\r\nReferences: <h@far.test> <i@far.test>\r\n"
    "List-Unsubscribe: <mailto:u@far.test>, <https://far.test/u>\r\nX-Twice:  one\r\nX-Twice: two\r\n"
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
    "--c\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhäll\u00f6 text\r\n"
    "--c\r\nContent-Type: text/html; charset=utf-8\r\nContent-Language: de, en\r\n"
    "Content-Location: http://far.test/\r\n"
    "\r\n<p>h\u00e4ll\u00f6 html</p>\r\n--c--\r\n"
    "--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename*=utf-8''%C3%A4.pdf\r\nContent-ID: <pdf1>\r\n\r\n"
    "QUJD\r\n--b--\r\n"
).encode()


def test_metadata_and_header_properties(jmap: Client) -> None:
    id = jmap.deliver(FULL, keywords={"$seen": True})
    email = jmap.email(id)
    assert email["mailboxIds"] == {jmap.roles["inbox"]: True}
    assert email["keywords"] == {"$seen": True}
    assert email["size"] == len(FULL)
    assert email["blobId"] == id
    assert email["from"] == [{"name": "Zoë", "email": "zoe@far.test"}]
    assert email["sender"] == [{"name": None, "email": "s@far.test"}]
    assert email["replyTo"] == [{"name": None, "email": "r@far.test"}]
    assert [a["email"] for a in email["to"]] == ["a@x.test", "b@x.test", "c@x.test"]
    assert [a["email"] for a in email["cc"]] == ["cc@x.test"]
    assert [a["email"] for a in email["bcc"]] == ["bcc@x.test"]
    assert email["subject"] == "Grüße"
    assert email["sentAt"] == "2024-01-01T10:00:00+02:00"
    assert email["messageId"] == ["m@far.test"]
    assert email["inReplyTo"] == ["i@far.test"]
    assert email["references"] == ["h@far.test", "i@far.test"]
    assert email["hasAttachment"] is True
    assert email["preview"] == "hällö text"
    assert email["bodyValues"] == {}
    assert "headers" not in email
    assert "bodyStructure" not in email


def test_absent_fields_are_null(jmap: Client) -> None:
    email = jmap.email(jmap.deliver(b"X: y\r\n\r\nhello"))
    for name in (
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "replyTo",
        "messageId",
        "inReplyTo",
        "references",
        "sentAt",
        "subject",
    ):
        assert email[name] is None, name


def test_body_structure(jmap: Client) -> None:
    id = jmap.deliver(FULL)
    tree = jmap.email(id, properties=["bodyStructure"])["bodyStructure"]
    assert (tree["type"], tree["partId"], tree["blobId"]) == ("multipart/mixed", None, None)
    alternative, pdf = tree["subParts"]
    text, html = alternative["subParts"]
    assert (text["partId"], text["type"], text["charset"]) == ("1.1", "text/plain", "utf-8")
    assert (html["language"], html["location"]) == (["de", "en"], "http://far.test/")
    assert (pdf["name"], pdf["disposition"], pdf["cid"], pdf["size"]) == ("ä.pdf", "attachment", "pdf1", 3)
    assert pdf["blobId"] == f"{id}_2"
    assert "subParts" not in pdf


def test_body_lists_and_properties(jmap: Client) -> None:
    id = jmap.deliver(FULL)
    email = jmap.email(
        id,
        properties=["textBody", "htmlBody", "attachments"],
        bodyProperties=["partId", "type", "headers", "header:Content-Type:asText", "subParts"],
    )
    assert [p["partId"] for p in email["textBody"]] == ["1.1"]
    assert [p["partId"] for p in email["htmlBody"]] == ["1.2"]
    [pdf] = email["attachments"]
    assert pdf["header:Content-Type:asText"] == "application/pdf"
    assert pdf["headers"][0] == {"name": "Content-Type", "value": " application/pdf"}
    assert pdf["subParts"] is None


def test_body_values(jmap: Client) -> None:
    id = jmap.deliver(FULL)
    text = {"value": "hällö text", "isEncodingProblem": False, "isTruncated": False}
    html = {"value": "<p>hällö html</p>", "isEncodingProblem": False, "isTruncated": False}
    assert jmap.email(id, fetchTextBodyValues=True)["bodyValues"] == {"1.1": text}
    assert jmap.email(id, fetchHTMLBodyValues=True)["bodyValues"] == {"1.2": html}
    assert jmap.email(id, fetchAllBodyValues=True)["bodyValues"] == {"1.1": text, "1.2": html}


def test_body_values_are_cut_at_characters(jmap: Client) -> None:
    id = jmap.deliver(FULL)
    values = jmap.email(id, fetchAllBodyValues=True, maxBodyValueBytes=2)["bodyValues"]
    assert values["1.1"] == {"value": "h", "isEncodingProblem": False, "isTruncated": True}
    assert values["1.2"]["value"] == ""


@pytest.mark.parametrize(
    ("text", "most", "html", "expected"),
    [
        ("häl", 2, False, "h"),
        ("häl", 3, False, "hä"),
        ("日本", 5, False, "日"),
        ("a<b c>d", 4, True, "a"),
        ("a<b c>d", 6, True, "a<b c>"),
        ("a<b", 3, True, "a<b"),
        ("a\U0001f600", 4, False, "a"),
    ],
)
def test_cut(text: str, most: int, html: bool, expected: str) -> None:
    assert cut(text, most, html=html) == expected


def test_body_values_stay_within_the_answer(jmap: Client) -> None:
    body = ('"日本\n' * 60_000).encode()
    ids = [
        jmap.deliver(b"Content-Type: text/plain; charset=utf-8\r\nSubject: %d\r\n\r\n" % n + body)
        for n in range(12)
    ]
    answer = jmap.call("Email/get", ids=ids, properties=["bodyValues"], fetchAllBodyValues=True)
    values = [email["bodyValues"]["1"] for email in answer["list"]]
    assert len(values) == 12
    assert values[0]["isTruncated"] is True
    assert limits.weight(answer) < limits.MAX_RESPONSE


@pytest.mark.parametrize(
    ("property", "value"),
    [
        ("header:Subject", " =?utf-8?Q?Gr=C3=BC=C3=9Fe?="),
        ("header:subject:asText", "Grüße"),
        ("header:X-Twice", " two"),
        ("header:X-Twice:all", ["  one", " two"]),
        ("header:X-Twice:asText:all", ["one", "two"]),
        ("header:X-None", None),
        ("header:X-None:all", []),
        ("header:From:asAddresses", [{"name": "Zoë", "email": "zoe@far.test"}]),
        (
            "header:To:asGroupedAddresses",
            [
                {
                    "name": "team",
                    "addresses": [{"name": None, "email": "a@x.test"}, {"name": "B", "email": "b@x.test"}],
                },
                {"name": None, "addresses": [{"name": None, "email": "c@x.test"}]},
            ],
        ),
        ("header:References:asMessageIds", ["h@far.test", "i@far.test"]),
        ("header:Date:asDate", "2024-01-01T10:00:00+02:00"),
        ("header:List-Unsubscribe:asURLs", ["mailto:u@far.test", "https://far.test/u"]),
        ("header:X-Twice:asDate", None),
        ("header:X-Twice:asMessageIds", None),
    ],
)
def test_header_forms(jmap: Client, property: str, value: object) -> None:
    assert jmap.email(jmap.deliver(FULL), properties=[property])[property] == value


@pytest.mark.parametrize(
    "property",
    [
        "header:",
        "header:Subject:asAddresses",
        "header:From:asText",
        "header:Date:asURLs",
        "header:X:asNothing",
        "header:X:all:asText",
        "header:Received:asText",
        "header:X Y",
        "header:X:asText:all:x",
        "none",
        "Header:X",
    ],
)
def test_unknown_properties_and_forms(jmap: Client, property: str) -> None:
    assert jmap.error("Email/get", ids=[], properties=[property])["type"] == "invalidArguments"
    assert jmap.error("Email/get", ids=[], bodyProperties=[property])["type"] == "invalidArguments"


def test_all_headers_in_order(jmap: Client) -> None:
    found = jmap.email(jmap.deliver(FULL), properties=["headers"])["headers"]
    assert found[0] == {"name": "Return-Path", "value": " <zoe@far.test>"}
    assert [h["name"] for h in found].count("Received") == 2


def test_opening_takes_one_item_and_one_blob(jmap: Client) -> None:
    id = jmap.deliver(FULL)
    with counted() as calls:
        jmap.call("Email/get", ids=[id], fetchAllBodyValues=True)
    assert sorted(calls) == ["BatchGetItem", "GetItem", "GetObject"]


def test_many_are_opened_in_order_eight_at_a_time(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [jmap.deliver(letter(f"{n}", f"text {n}")) for n in range(20)]
    args: Json = {"ids": ids[::-1], "fetchTextBodyValues": True, "properties": ["subject", "bodyValues"]}
    with counted() as calls:
        found = jmap.call("Email/get", **args)["list"]
    assert [(one["subject"], one["bodyValues"]["1"]["value"]) for one in found] == [
        (f"{n}", f"text {n}") for n in range(19, -1, -1)
    ]
    assert calls.count("GetObject") == len(ids)
    monkeypatch.setattr(limits, "MAX_READ", 20 * jmap.email(ids[0])["size"] - 1)
    with counted() as calls:
        assert jmap.error("Email/get", **args)["type"] == "requestTooLarge"
    assert "GetObject" not in calls


def test_listing_without_bodies_reads_no_blob(jmap: Client) -> None:
    ids = [jmap.deliver(letter(f"{n}")) for n in range(3)]
    with counted() as calls:
        jmap.call("Email/get", ids=ids)
    assert sorted(calls) == ["BatchGetItem", "GetItem"]


def test_not_found_and_limits(jmap: Client) -> None:
    odd = ["none", "", "ü", "x" * 300, "../etc"]
    assert jmap.call("Email/get", ids=odd)["notFound"] == odd
    assert jmap.error("Email/get", ids=None)["type"] == "requestTooLarge"
    assert jmap.error("Email/get", ids=["x"] * 501)["type"] == "requestTooLarge"
    for args in (
        {"ids": "x"},
        {"ids": [1]},
        {"ids": [], "properties": "x"},
        {"ids": [], "maxBodyValueBytes": -1},
    ):
        assert jmap.error("Email/get", **args)["type"] == "invalidArguments"


def test_another_account_is_not_seen(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    id = other.deliver(letter())
    assert jmap.call("Email/get", ids=[id])["notFound"] == [id]
