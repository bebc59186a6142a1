"""Email/set: creation of drafts (RFC 8621 §4.6)."""

from typing import Any

import pytest

from chalicelib import mime
from chalicelib.jmap import blobs
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.values import Added
from chalicelib.services import mailbox
from chalicelib.store.mailbox_write import PER_TRANSACTION
from tests.jmap.client import Client, counted, letter

TEXT: dict[str, Any] = {
    "textBody": [{"partId": "t", "type": "text/plain"}],
    "bodyValues": {"t": {"value": "hällo\nthere"}},
}


def upload(jmap: Client, data: bytes, type: str = "application/pdf") -> str:
    return str(blobs.upload(jmap.post.p, jmap.account, data, type)["blobId"])


def test_a_draft_as_webmail_makes_it(jmap: Client) -> None:
    made = jmap.draft(
        **TEXT | {"bodyValues": {"t": {"value": "hällo"}, "h": {"value": "<p>hällo"}}},
        htmlBody=[{"partId": "h", "type": "text/html"}],
        attachments=[{"blobId": upload(jmap, b"pdf\x00"), "type": "application/pdf", "name": "ä.pdf"}],
        subject="Grüße",
        to=[{"name": "Zoë", "email": "zoe@far.test"}],
        bcc=[{"email": "hidden@far.test"}],
        inReplyTo=["r@far.test"],
        references=["q@far.test", "r@far.test"],
        **{"from": [{"name": None, "email": jmap.account.address}]},
    )
    email = jmap.email(made["id"], fetchAllBodyValues=True)
    assert made["blobId"] == email["blobId"]
    assert (made["threadId"], made["size"]) == (email["threadId"], email["size"])
    assert email["keywords"] == {"$draft": True}
    assert email["mailboxIds"] == {jmap.roles["drafts"]: True}
    assert (email["subject"], email["references"]) == ("Grüße", ["q@far.test", "r@far.test"])
    assert email["bcc"] == [{"name": None, "email": "hidden@far.test"}]
    assert [v["value"] for v in email["bodyValues"].values()] == ["hällo", "<p>hällo"]
    assert [a["name"] for a in email["attachments"]] == ["ä.pdf"]
    assert email["messageId"][0].endswith("@x.test")
    assert email["sentAt"] == email["receivedAt"]
    raw = jmap.raw(made["id"])
    assert raw.isascii()
    assert mime.part_bytes(raw, mime.leaves(mime.digest(raw).structure)[-1]) == b"pdf\x00"


def test_nothing_but_a_mailbox_is_enough(jmap: Client) -> None:
    email = jmap.email(jmap.draft(keywords={})["id"])
    assert email["textBody"][0]["type"] == "text/plain"


def test_inline_image_is_related(jmap: Client) -> None:
    image = {
        "blobId": upload(jmap, b"png"),
        "type": "image/png",
        "cid": "i1",
        "disposition": "inline",
        "name": "i.png",
    }
    made = jmap.draft(
        htmlBody=[{"partId": "h", "type": "text/html"}],
        bodyValues={"h": {"value": "<img src=cid:i1>"}},
        attachments=[image],
    )
    email = jmap.email(made["id"], properties=["bodyStructure", "hasAttachment"])
    assert email["bodyStructure"]["type"] == "multipart/related"
    assert email["bodyStructure"]["subParts"][1]["cid"] == "i1"
    assert email["hasAttachment"] is False


def test_body_structure(jmap: Client) -> None:
    structure = {
        "type": "multipart/mixed",
        "subParts": [
            {"partId": "a", "type": "text/plain", "language": ["de"], "header:X-Part:asText": "ü"},
            {"type": "multipart/alternative", "subParts": [{"partId": "b", "type": "text/html"}]},
            {
                "blobId": upload(jmap, b"\xe4", "text/plain"),
                "type": "text/plain",
                "charset": "iso-8859-1",
                "name": "a.txt",
                "disposition": "attachment",
            },
        ],
    }
    made = jmap.draft(bodyStructure=structure, bodyValues={"a": {"value": "x"}, "b": {"value": "y"}})
    email = jmap.email(made["id"], properties=["bodyStructure", "bodyValues"], fetchAllBodyValues=True)
    text, alternative, attached = email["bodyStructure"]["subParts"]
    assert (text["language"], alternative["type"], attached["charset"]) == (
        ["de"],
        "multipart/alternative",
        "iso-8859-1",
    )
    assert [v["value"] for v in email["bodyValues"].values()] == ["x", "y", "ä"]
    assert b"X-Part: =?utf-8?" in jmap.raw(made["id"])


def test_attachments_from_emails(jmap: Client) -> None:
    source = jmap.deliver(letter("source", "inner text"))
    attached = [{"blobId": source, "type": "message/rfc822", "name": "m.eml"}, {"blobId": f"{source}_1"}]
    made = jmap.draft(attachments=attached)
    raw = jmap.raw(made["id"])
    _, message, part = mime.leaves(mime.digest(raw).structure)
    assert (message.type, mime.digest(mime.part_bytes(raw, message)).subject) == ("message/rfc822", "source")
    assert mime.part_bytes(raw, part) == b"inner text"


def test_header_properties(jmap: Client) -> None:
    made = jmap.draft(
        **{
            "header:X-Text:asText": "ü",
            "header:X-Raw": " raw value",
            "header:List-Post:asURLs": ["mailto:a@x.test", "https://x.test/"],
            "header:X-Many:asText:all": ["one", "two"],
            "header:X-Date:asDate": "2024-01-01T10:00:00+02:00",
            "header:Resent-To:asGroupedAddresses": [
                {"name": "team ü", "addresses": [{"email": "a@x.test"}, {"name": "B", "email": "b@x.test"}]},
                {"name": None, "addresses": [{"email": "c@x.test"}]},
            ],
            "sentAt": "2024-02-03T04:05:06Z",
            "messageId": ["own@x.test"],
            "receivedAt": "2024-02-03T04:05:07Z",
        }
    )
    wanted = [
        "header:X-Text:asText",
        "header:X-Many:asText:all",
        "header:X-Date:asDate",
        "header:List-Post:asURLs",
        "header:Resent-To:asGroupedAddresses",
        "header:X-Raw:asText",
        "sentAt",
        "messageId",
        "receivedAt",
    ]
    email = jmap.email(made["id"], properties=wanted)
    assert email["header:X-Text:asText"] == "ü"
    assert email["header:X-Raw:asText"] == "raw value"
    assert email["header:X-Many:asText:all"] == ["one", "two"]
    assert email["header:X-Date:asDate"] == "2024-01-01T10:00:00+02:00"
    assert email["header:List-Post:asURLs"] == ["mailto:a@x.test", "https://x.test/"]
    assert [g["name"] for g in email["header:Resent-To:asGroupedAddresses"]] == ["team ü", None]
    assert (email["sentAt"], email["messageId"]) == ("2024-02-03T04:05:06Z", ["own@x.test"])
    assert email["receivedAt"] == "2024-02-03T04:05:07Z"


REFUSED: list[dict[str, Any]] = [
    {"mailboxIds": {}},
    {"mailboxIds": None},
    {"mailboxIds": {"none": True}},
    {"mailboxIds": {"f1": 1}},
    {"keywords": {"a b": True}},
    {"keywords": []},
    {"receivedAt": "yesterday"},
    {"receivedAt": "0001-01-01T00:00:00Z"},
    {"id": "m1"},
    {"size": 1},
    {"headers": []},
    {"preview": "x"},
    {"from": "a@x.test"},
    {"from": [{}]},
    {"from": [{"email": 1}]},
    {"from": [{"email": "a", "name": 1}]},
    {"subject": 1},
    {"messageId": "a@b"},
    {"sentAt": "x"},
    {"subject": "a", "header:Subject:asText": "b"},
    {"header:Content-Type": "x"},
    {"header:From:asText": "x"},
    {"bodyValues": []},
    {"bodyValues": {"t": "x"}},
    {"textBody": {}},
    {"textBody": [1]},
    {"textBody": [{"partId": "none"}]},
    {"textBody": [{}]},
    {"textBody": [{"partId": "t"}, {"partId": "t"}], "bodyValues": {"t": {"value": "x"}}},
    {"textBody": [{"partId": "t", "type": "text/html"}], "bodyValues": {"t": {"value": "x"}}},
    {"textBody": [{"partId": "t", "charset": "utf-8"}], "bodyValues": {"t": {"value": "x"}}},
    {"textBody": [{"partId": "t"}], "bodyValues": {"t": {"value": "x", "isTruncated": True}}},
    {"textBody": [{"partId": "t"}], "bodyValues": {"t": {"value": 1}}},
    {"bodyStructure": {"partId": "t"}, "textBody": [], "bodyValues": {"t": {"value": "x"}}},
    {"bodyStructure": {"type": "multipart/mixed", "subParts": []}},
    {"bodyStructure": {"type": "text/plain", "subParts": [{"partId": "t"}]}},
    {"bodyStructure": {"partId": "t", "type": "image/png"}, "bodyValues": {"t": {"value": "x"}}},
    {"bodyStructure": {"partId": "t", "type": "bad type"}, "bodyValues": {"t": {"value": "x"}}},
    {"bodyStructure": {"partId": "t", "headers": []}, "bodyValues": {"t": {"value": "x"}}},
    {"bodyStructure": {"partId": "t", "header:Content-Transfer-Encoding": "8bit"}},
]


@pytest.mark.parametrize("given", REFUSED, ids=str)
def test_invalid_properties(jmap: Client, given: dict[str, Any]) -> None:
    error = jmap.refused(**given)
    assert error["type"] == "invalidProperties"
    assert error["properties"]


@pytest.mark.parametrize("name", ["From", "subject", "Message-ID", "Date"])
def test_what_is_in_a_message_once_is_given_once(jmap: Client, name: str) -> None:
    error = jmap.refused(**{f"header:{name}:all": [" a", " b"]})
    assert (error["type"], error["properties"]) == ("invalidProperties", [f"header:{name}:all"])


def names_of(raw: bytes) -> list[str]:
    """Names of the message's header fields."""
    return [name.lower() for name, _ in mime.header_fields(raw)]


def test_empty_lists_write_no_field(jmap: Client) -> None:
    """RFC 5322 has no To without an address, and no References without an id."""
    lists = ["from", "to", "cc", "bcc", "replyTo", "sender", "inReplyTo", "references", "messageId"]
    groups = "header:Resent-To:asGroupedAddresses"
    id = jmap.draft(**{name: [] for name in [*lists, groups, "header:List-Post:asURLs"]})["id"]
    assert names_of(jmap.raw(id)) == [
        "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
    ]  # fmt: skip


def test_all_that_is_invalid_is_named(jmap: Client) -> None:
    error = jmap.refused(
        **{"shoe": 1, "subject": 1, "cc": 5, "from": [{}], "header:Content-Type": "x", "sentAt": "x"},
        keywords=5,
        receivedAt="x",
        mailboxIds={},
        textBody=[{"partId": "none"}],
        attachments=[1],
    )
    assert error["type"] == "invalidProperties"
    assert sorted(error["properties"]) == sorted(
        ["shoe", "mailboxIds", "keywords", "receivedAt", "subject", "cc", "from", "header:Content-Type",
         "sentAt", "textBody", "bodyValues", "attachments"]
    )  # fmt: skip


def test_every_missing_blob_is_named(jmap: Client) -> None:
    """RFC 8621 §4.6; also where something else is wrong, as this type says more (RFC 8620 §5.3)."""
    there, gone = upload(jmap, b"x"), "u" + "a" * 26
    parts = [{"blobId": id} for id in ("none", there, "#k", gone, "none", f"{there}_7")]
    tree = {"subParts": [parts[0], {"subParts": parts[1:3]}, *parts[3:]]}
    for body in ({"attachments": parts}, {"bodyStructure": tree}):
        error = jmap.refused(**body, subject=1)
        assert (error["type"], set(error["notFound"])) == ("blobNotFound", {"none", "#k", gone, f"{there}_7"})
        assert len(error["notFound"]) == 4


def test_too_many_parts(jmap: Client) -> None:
    assert jmap.refused(attachments=[{"blobId": "none"}] * 201)["type"] == "tooLarge"


def test_what_is_refused_is_not_read(jmap: Client) -> None:
    blob = upload(jmap, b"x")
    with counted() as calls:
        jmap.refused(subject=1, attachments=[{"blobId": blob}])
    assert "GetObject" not in calls


def test_other_refusals(jmap: Client) -> None:
    inbox, drafts = jmap.roles["inbox"], jmap.roles["drafts"]
    assert jmap.refused(mailboxIds={inbox: True, drafts: True})["type"] == "tooManyMailboxes"
    error = jmap.refused(attachments=[{"blobId": "u" + "a" * 26}])
    assert (error["type"], error["notFound"]) == ("blobNotFound", ["u" + "a" * 26])
    assert jmap.refused(attachments=[{"blobId": "none_1"}])["type"] == "blobNotFound"


def test_S19_too_large(jmap: Client) -> None:
    blob = upload(jmap, b"x" * 4_000_000)
    error = jmap.refused(attachments=[{"blobId": blob} for _ in range(7)])
    assert (error["type"], error["maxSize"]) == ("tooLarge", 25 * MB)
    assert jmap.refused(attachments=[{"blobId": blob} for _ in range(6)])["type"] == "tooLarge"  # as base64


def test_S17_over_quota(jmap: Client) -> None:
    jmap.post.fill(jmap.account.address, jmap.account.quota_bytes - 100)
    assert jmap.refused(**TEXT)["type"] == "overQuota"


def test_several_at_once(jmap: Client) -> None:
    base = {"mailboxIds": {jmap.roles["drafts"]: True}}
    answer = jmap.call(
        "Email/set", create={"a": base, "b": base | {"subject": 1}, "c": base | {"subject": "c"}}
    )
    assert set(answer["created"]) == {"a", "c"}
    assert set(answer["notCreated"]) == {"b"}


def test_a_creation_id_is_whatever_the_client_calls_it(jmap: Client) -> None:
    base = {"mailboxIds": {jmap.roles["drafts"]: True}}
    assert set(jmap.call("Email/set", create={"": base, "a b/é": base})["created"]) == {"", "a b/é"}


def test_created_and_then_changed_in_one_request(jmap: Client) -> None:
    base = {"mailboxIds": {jmap.roles["drafts"]: True}}
    answers = jmap.request(
        ("Email/set", {"create": {"k": base}}, "0"),
        ("Email/set", {"update": {"#k": {"keywords/$flagged": True}}}, "1"),
        createdIds={},
    )
    id = answers[0][1]["created"]["k"]["id"]
    assert answers[1][1]["updated"] == {id: None}


def test_received_at_is_told_where_it_is_not_kept_as_given(jmap: Client) -> None:
    """RFC 8620 §5.3: of a fraction of a second nothing is kept."""
    kept, cut = "2024-02-03T04:05:06Z", "2024-02-03T04:05:06.789Z"
    assert "receivedAt" not in jmap.draft(receivedAt=kept)
    made = jmap.draft(receivedAt=cut)
    assert made["receivedAt"] == kept == jmap.email(made["id"])["receivedAt"]


def test_drafts_that_were_kept_before_a_refusal_are_told(
    jmap: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = {"mailboxIds": {jmap.roles["drafts"]: True}}
    once, left = mailbox.add, [1]

    def add(*args: Any, **kw: Any) -> list[Added]:
        left[0] -= 1
        if left[0] < 0:
            raise ServiceError("unavailable", "The mailbox is busy.")
        return once(*args, **kw)

    with monkeypatch.context() as patched:
        patched.setattr(mailbox, "add", add)
        names = [f"k{n}" for n in range(PER_TRANSACTION + 2)]
        answer = jmap.call("Email/set", create=dict.fromkeys(names, base))
        assert list(answer["created"]) == names[:PER_TRANSACTION]
        assert {error["type"] for error in answer["notCreated"].values()} == {"serverUnavailable"}
        assert set(answer["notCreated"]) == set(names[PER_TRANSACTION:])
        assert jmap.error("Email/set", create={"k": base})["type"] == "serverUnavailable"
