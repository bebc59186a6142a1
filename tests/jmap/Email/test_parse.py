"""Email/parse (RFC 8621 §4.9)."""

from typing import Any

import pytest

from chalicelib.jmap import blobs, limits
from chalicelib.rules.figures import MB
from tests.jmap.client import Client, Json, letter

INNER = (
    b"From: In Ner <in@far.test>\r\nTo: \r\nSubject: inner\r\nMessage-ID: <i@far.test>\r\n"
    b'Content-Type: multipart/mixed; boundary="i"\r\n\r\n--i\r\n\r\nhello\r\n--i\r\n'
    b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--i--\r\n"
)
OUTER = (
    b'Subject: outer\r\nContent-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\n\r\nsee\r\n--o\r\n'
    b"Content-Type: message/rfc822\r\n\r\n" + INNER + b"\r\n--o--\r\n"
)


def upload(jmap: Client, raw: bytes) -> str:
    return blobs.keep(jmap.post.p, jmap.account, raw, "message/rfc822")


def parsed(jmap: Client, blob: str, **args: Any) -> Json:
    answer = jmap.call("Email/parse", blobIds=[blob], **args)
    assert (answer["notParsable"], answer["notFound"]) == (None, None)
    return dict(answer["parsed"][blob])


def test_an_attached_message(jmap: Client) -> None:
    blob = f"{jmap.deliver(OUTER)}_2"
    email = parsed(jmap, blob, fetchTextBodyValues=True)
    assert (email["subject"], email["messageId"], email["to"]) == ("inner", ["i@far.test"], [])
    assert email["from"] == [{"name": "In Ner", "email": "in@far.test"}]
    assert email["bodyValues"]["1"]["value"] == "hello"
    [pdf] = email["attachments"]
    assert pdf["blobId"] == f"{blob}_2"
    assert jmap.call("Blob/get", ids=[pdf["blobId"]])["list"][0]["data:asText"] == "ABC"
    assert "id" not in email


def test_its_attachment_can_be_downloaded_and_attached(jmap: Client) -> None:
    blob = f"{jmap.deliver(OUTER)}_2_2"
    assert blobs.download_url(jmap.post.p, jmap.account, blob, "a.pdf", "application/pdf")
    draft = jmap.draft(attachments=[{"blobId": blob, "type": "application/pdf"}])
    [part] = jmap.email(draft["id"])["attachments"]
    assert part["size"] == 3


def test_an_upload(jmap: Client) -> None:
    blob = upload(jmap, INNER)
    email = parsed(jmap, blob, properties=["subject", "header:Subject:asRaw", "size", "blobId", "headers"])
    assert (email["subject"], email["header:Subject:asRaw"]) == ("inner", " inner")
    assert (email["size"], email["blobId"]) == (len(INNER), blob)
    assert email["headers"][0] == {"name": "From", "value": " In Ner <in@far.test>"}


def test_what_only_an_email_of_a_mailbox_has_is_null(jmap: Client) -> None:
    names = ["id", "threadId", "mailboxIds", "keywords", "receivedAt"]
    assert parsed(jmap, upload(jmap, letter()), properties=names) == dict.fromkeys(names)


def test_same_as_email_get(jmap: Client) -> None:
    id = jmap.deliver(INNER)
    names = [
        "from",
        "to",
        "cc",
        "subject",
        "sentAt",
        "bodyStructure",
        "preview",
        "hasAttachment",
        "bodyValues",
    ]
    args: Json = {
        "properties": names,
        "fetchAllBodyValues": True,
        "bodyProperties": ["type", "blobId", "partId"],
    }
    email = jmap.email(id, **args)
    assert parsed(jmap, id, **args) == {name: email[name] for name in names}


def test_not_parsable_and_not_found(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    file = upload(jmap, b"\x89PNG")
    large = upload(jmap, b"")
    jmap.post.p.blobs.put(f"up/{jmap.account.id}/{large}", b"Subject: x\n\n" + b"x" * 25 * MB)
    foreign = [upload(other, letter()), other.deliver(letter()), "none"]
    answer = jmap.call("Email/parse", blobIds=[file, large, *foreign])
    assert answer["parsed"] is None
    assert answer["notParsable"] == [file, large]
    assert answer["notFound"] == foreign


def test_what_came_as_a_message_is_one_whatever_its_header(jmap: Client) -> None:
    bare = jmap.deliver(b"Content-Type: text/plain\r\n\r\nonly a body")
    outer = jmap.deliver(
        b'Subject: o\r\nContent-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\n'
        b"Content-Type: message/rfc822\r\n\r\nX-Any: 1\r\n\r\ninside\r\n--o--\r\n"
    )
    for blob, text in ((bare, "only a body"), (f"{outer}_1", "inside")):
        [value] = parsed(jmap, blob, fetchAllBodyValues=True)["bodyValues"].values()
        assert value["value"] == text


def test_reads_are_bounded(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_READ", 10_000)
    ids = [upload(jmap, b"Subject: x\n\n" + b"x" * 2_400) for _ in range(5)]
    assert jmap.error("Email/parse", blobIds=ids, properties=["subject"])["type"] == "requestTooLarge"
    calls = [("Email/parse", {"blobIds": [id], "properties": ["subject"]}, id) for id in ids]
    answers = jmap.request(*calls)
    assert [name for name, _, _ in answers] == ["Email/parse"] * 4 + ["error"]
    assert answers[4][1]["type"] == "requestTooLarge"


WRONG_ARGUMENTS_CASES: list[Json] = [
    {},
    {"blobIds": "x"},
    {"blobIds": [], "properties": ["none"]},
    {"blobIds": [], "bodyProperties": 1},
]


def test_wrong_arguments(jmap: Client) -> None:
    for args in WRONG_ARGUMENTS_CASES:
        assert jmap.error("Email/parse", **args)["type"] == "invalidArguments"


def test_too_many(jmap: Client) -> None:
    ids = [f"x{n}" for n in range(limits.MAX_RAW_READS + 1)]
    assert jmap.error("Email/parse", blobIds=ids)["type"] == "requestTooLarge"
