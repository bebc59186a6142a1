"""Header properties (RFC 8621 §4.1.2, §4.1.3): what is there, empty, twice, or not there; what is written."""

from chalicelib import mime
from tests.jmap.client import Client, counted

#: RFC 8621 §4.1.3: each of these is another name for a header property.
SAME = {
    "messageId": "header:Message-ID:asMessageIds",
    "inReplyTo": "header:In-Reply-To:asMessageIds",
    "references": "header:References:asMessageIds",
    "sender": "header:Sender:asAddresses",
    "from": "header:From:asAddresses",
    "to": "header:To:asAddresses",
    "cc": "header:Cc:asAddresses",
    "bcc": "header:Bcc:asAddresses",
    "replyTo": "header:Reply-To:asAddresses",
    "subject": "header:Subject:asText",
    "sentAt": "header:Date:asDate",
}
MESSAGES = [
    b"X: y\n\nnothing",
    b"Subject:\nFrom:\nTo:\nCc:\nBcc:\nReply-To:\nSender:\nDate:\nMessage-ID:\nIn-Reply-To:\nReferences:\n\nempty",
    b"Subject:  \n \nFrom: <>\nTo: undisclosed-recipients:;\nCc: ,,\nMessage-ID: <>\nReferences: none\n\nodd",
    b"Subject: one\nSubject: two\nTo: a@b.test\nTo:\nFrom: x@y.test\n\ntwice",
    b"SUBJECT: =?utf-8?Q?=C3=BC?= =?utf-8?Q?=C3=B6?=\nfrom: =?iso-8859-1?Q?Zo=EB?= <z@y.test> (Zed)\n\nwords",
    "Subject: Grüße\nFrom: Zoë <zoë@y.test>\nTo: 日本 <n@y.test>\n\nraw".encode(),
    b"Subject: Gr\xfc\xdfe\nFrom: Zo\xeb <z@y.test>\n\nlatin",
    b"Date: Tue, 3 Feb 2015 10:00 -0330\nMessage-ID: a@b <c@d>\nReferences: <a@b> (c) <a@b>\n\t<e@f>\n\ndate",
    b"Date: never\nTo: team: a@b.test, B <b@b.test>; c@b.test\nReply-To: \"A, B\" <a@b.test>, x@\n\ngroups",
    "Content-Type: text/plain; charset=koi8-r\nSubject: Привет\nFrom: Иван <i@y.test>\n\nk".encode("koi8-r"),
    b"Subject: \x01\x00nul\nTo: " + b", ".join(b"u%d@b.test" % n for n in range(300)) + b"\n\nmany",
    b"Subject:\nFrom:\nCc:\nTo: " + b", ".join(b"u%d@b.test" % n for n in range(300)) + b"\n\nmany",
]  # fmt: skip


def test_each_convenient_name_is_its_header_property(jmap: Client) -> None:
    ids = [jmap.deliver(raw) for raw in MESSAGES]
    shown = jmap.call("Email/get", ids=ids, properties=[*SAME, *SAME.values()])["list"]
    for raw, email in zip(MESSAGES, shown, strict=True):
        for name, header in SAME.items():
            assert email[name] == email[header], (raw, name)


def test_a_list_shows_the_same(jmap: Client) -> None:
    """Behind a query, from the rows that it read."""
    ids = [jmap.deliver(raw) for raw in MESSAGES]
    names = ["subject", "from", "to"]
    whole = jmap.call("Email/get", ids=ids, properties=[*names, "cc"])["list"]
    answers = jmap.request(
        ("Email/query", {"filter": {"inMailbox": jmap.roles["inbox"]}}, "0"),
        (
            "Email/get",
            {"#ids": {"resultOf": "0", "name": "Email/query", "path": "/ids"}, "properties": names},
            "1",
        ),
    )
    rows = {email["id"]: email for email in answers[1][1]["list"]}
    for email in whole:
        assert rows[email["id"]] == {name: email[name] for name in ["id", *names]}


def test_empty_is_not_absent(jmap: Client) -> None:
    email = jmap.email(jmap.deliver(MESSAGES[1]))
    assert email["subject"] == ""
    assert [email[n] for n in ("from", "to", "cc", "bcc", "replyTo", "sender")] == [[]] * 6
    assert [email[n] for n in ("messageId", "inReplyTo", "references", "sentAt")] == [None] * 4


def test_forms_of_what_is_absent_empty_or_wrong(jmap: Client) -> None:
    raw = b"A:\nB: nonsense\nList-Help:\nList-Id: <x>\nResent-To:\n\n"
    forms = {
        "header:None": None,
        "header:None:all": [],
        "header:None:asAddresses": None,
        "header:None:asGroupedAddresses:all": [],
        "header:A": "",
        "header:A:asText": "",
        "header:A:asAddresses": [],
        "header:A:asGroupedAddresses": [],
        "header:A:asMessageIds": None,
        "header:A:asMessageIds:all": [None],
        "header:A:asDate": None,
        "header:A:asURLs": None,
        "header:B:asDate": None,
        "header:B:asURLs": None,
        "header:B:asMessageIds": None,
        "header:List-Help:asURLs": None,
        "header:List-Id:asText": "<x>",
        "header:Resent-To:asAddresses": [],
    }
    email = jmap.email(jmap.deliver(raw), properties=list(forms))
    email.pop("id")
    assert email == forms


def test_only_the_beginning_of_a_large_message_is_read(jmap: Client) -> None:
    """What stands behind the texts is not needed for them: it is not fetched."""
    head = b'Subject: x\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nthe text\r\n--b\r\n'
    raw = head + b"Content-Type: application/pdf\r\n\r\n" + b"x" * 300_000 + b"\r\n--b--\r\n"
    id = jmap.deliver(raw)
    [email] = jmap.post.p.mailboxes.get(jmap.account.id, [id]).values()
    jmap.post.p.blobs.put(email.blob, raw[:5_000])
    with counted() as calls:
        shown = jmap.email(id, properties=["bodyValues", "headers"], fetchAllBodyValues=True)
    assert shown["bodyValues"]["1"] == {"value": "the text", "isEncodingProblem": False, "isTruncated": False}
    assert [h["name"] for h in shown["headers"]] == ["Subject", "Content-Type"]
    assert calls.count("GetObject") == 1
    jmap.post.p.blobs.put(email.blob, raw)
    parts = jmap.email(id, properties=["attachments"], bodyProperties=["headers"])["attachments"]
    assert parts == [{"headers": [{"name": "Content-Type", "value": " application/pdf"}]}]


def test_nul_octets_are_dropped(jmap: Client) -> None:
    """RFC 8621 §4.1.2.1, §4.1.2.2."""
    id = jmap.deliver(b"Subject: a\0b\nX-A: \0\n\nnul")
    email = jmap.email(id, properties=["header:Subject", "header:Subject:asText", "headers"])
    assert (email["header:Subject"], email["header:Subject:asText"]) == (" ab", "ab")
    assert [field["value"] for field in email["headers"]] == [" ab", " "]


#: property, value, the field as it is written
AS_GIVEN = [
    ("header:Subject", " =?utf-8?Q?=C3=BC?=", b"Subject: =?utf-8?Q?=C3=BC?="),
    ("header:Subject", "en", b"Subject: en"),
    ("header:Subject", "", b"Subject: "),
    ("header:X-Tab", "\ta  b ", b"X-Tab:\ta  b "),
    ("header:To", ' "A, B" <a@x.test>, team: b@x.test;', b'To: "A, B" <a@x.test>, team: b@x.test;'),
    ("header:References", " <a@x.test>\r\n\t<b@x.test>", b"References: <a@x.test>\r\n\t<b@x.test>"),
    ("header:X-Bare", " a\n  b", b"X-Bare: a\r\n  b"),
    ("header:X-Next", "\r\n a", b"X-Next:\r\n a"),
    ("header:X-Many:all", [" a", "b"], b"X-Many: a\r\nX-Many: b"),
    ("header:X-Text:asText", "=?utf-8?Q?a?=", b"X-Text: =?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?="),
]  # fmt: skip


def test_a_raw_value_is_written_as_it_is_given(jmap: Client) -> None:
    for name, value, field in AS_GIVEN:
        raw = jmap.raw(jmap.draft(**{name: value})["id"])
        assert b"\r\n" + field + b"\r\n" in b"\r\n" + raw, name


def test_a_raw_value_that_is_not_ascii_is_encoded_as_fits_its_field(jmap: Client) -> None:
    given = {
        "header:From": " Zoé <a@x.test>",
        "header:Resent-Reply-To": " Grüppe: Zoé <a@x.test>, b@x.test;",
        "header:Subject": " Zoé =?utf-8?Q?=C3=BC?=",
        "header:X-Long": " " + "<a@x.test>" * 200,
    }
    id = jmap.draft(**given)["id"]
    raw = jmap.raw(id)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    groups = "header:Resent-Reply-To:asGroupedAddresses"
    email = jmap.email(id, properties=["from", "subject", groups, "header:X-Long:asText"])
    assert email["from"] == [{"name": "Zoé", "email": "a@x.test"}]
    assert (email["subject"], email["header:X-Long:asText"]) == ("Zoé ü", given["header:X-Long"].strip())
    [group] = email[groups]
    assert (group["name"], [who["name"] for who in group["addresses"]]) == ("Grüppe", ["Zoé", None])


#: What would end the field, or the header, or hide the rest of the field.
BREAKING_OUT = [
    " a\r\nBcc: b@x.test", " a\nBcc: b@x.test", " a\rBcc: b@x.test", " a\r\n\r\nbody",
    " a\r\n \r\nBcc: b@x.test", " a\r\n \r\n b", " a\r\n ", " a\r\n", " a\n", "\n", " a\r", " a\0b",
    " a\x0b b", " a\x7f", " a\r\r\n b", " a\r\n\v b",
]  # fmt: skip


def test_a_raw_value_stays_within_its_field(jmap: Client) -> None:
    for value in BREAKING_OUT:
        for name in ("header:Subject", "header:X-A", "header:From"):
            error = jmap.refused(**{name: value})
            assert (error["type"], error["properties"]) == ("invalidProperties", [name]), value
    raw = jmap.raw(jmap.draft(**{"header:X-A": " a\x85Bcc: b\u2028Cc: cé"})["id"])
    assert {name for name, _ in mime.header_fields(raw)}.isdisjoint({"Bcc", "Cc"})
