"""Uploads, raw messages, parts: whose they are, and how they are downloaded (RFC 8620 §6)."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from chalicelib.jmap import blobs, limits
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from tests.jmap.client import Client, counted, letter

MESSAGE = (
    b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n"
    b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\n"
)


def url(jmap: Client, blob_id: str, name: str = "a.pdf", type: str = "application/pdf") -> str:
    return blobs.download_url(jmap.post.p, jmap.account, blob_id, name, type)


def fetched(jmap: Client, link: str) -> bytes:
    """What the link leads to: it is presigned, its path is the key."""
    bucket = jmap.post.p.settings.mail_bucket
    key = unquote(urlsplit(link).path).lstrip("/").removeprefix(f"{bucket}/")
    return jmap.post.p.blobs.get(key)


def test_upload_and_download(jmap: Client) -> None:
    made = blobs.upload(jmap.post.p, jmap.account, b"data", "application/pdf")
    assert (made["accountId"], made["type"], made["size"]) == (jmap.account.id, "application/pdf", 4)
    assert fetched(jmap, url(jmap, made["blobId"])) == b"data"


def test_raw_message_and_part(jmap: Client) -> None:
    id = jmap.deliver(MESSAGE)
    [pdf] = jmap.email(id)["attachments"]
    assert fetched(jmap, url(jmap, id)) == MESSAGE
    assert fetched(jmap, url(jmap, pdf["blobId"])) == b"ABC"


def test_a_part_is_cut_out_once(jmap: Client) -> None:
    id = jmap.deliver(MESSAGE)
    url(jmap, f"{id}_2")
    with counted() as calls:
        url(jmap, f"{id}_2")
    assert "GetObject" not in calls
    assert "PutObject" not in calls


def test_link_says_name_type_and_attachment_for_five_minutes(jmap: Client) -> None:
    id = jmap.deliver(MESSAGE)
    query = parse_qs(urlsplit(url(jmap, f"{id}_2", 'ä"\r\n.pdf')).query)
    [disposition] = query["response-content-disposition"]
    assert disposition.startswith("attachment;")
    assert "%C3%A4" in disposition
    assert "\r" not in disposition
    assert query["response-content-type"] == ["application/pdf"]
    [seconds] = query.get("X-Amz-Expires", ["300"])
    assert int(seconds) <= 300


def told_type(jmap: Client, type: str) -> str:
    """The type that a download is answered with."""
    [told] = parse_qs(urlsplit(url(jmap, "u" + "a" * 26, type=type)).query)["response-content-type"]
    return told


@pytest.fixture
def uploaded(jmap: Client) -> Client:
    jmap.post.p.blobs.put(f"up/{jmap.account.id}/u{'a' * 26}", b"x")
    return jmap


def test_a_type_keeps_its_parameters(uploaded: Client) -> None:
    for type in (
        "application/pdf", "Text/Plain", "text/plain;charset=utf-8", 'text/plain; charset="utf-8"',
        "text/plain; format=flowed; delsp=yes", 'application/octet-stream; name="a b (1).pdf"',
    ):  # fmt: skip
        assert told_type(uploaded, type) == type


def test_a_type_that_is_none_is_octets(uploaded: Client) -> None:
    for type in (
        "", "text", "text/", "text/html\r\nX: y", "text/html\n", "text/plain; charset", "text/plain; a=b c",
        'text/plain; a="b', 'text/plain; a="b\r\nX: y"', 'text/plain; a="b\\"', 'text/plain; a="b"c"',
        "text/plain; a=b\0", 'text/plain; a="ü"', "text/plain; charset=utf-8;", "text/plain, text/html",
        "text/plain" + "; a=b" * 9, "text/pla\u0131n", "text/plain; charset=\u212aoi8",
    ):  # fmt: skip
        assert told_type(uploaded, type) == "application/octet-stream", type


def test_foreign_and_unknown_blobs_are_not_found(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    message = other.deliver(letter())
    upload = blobs.upload(jmap.post.p, other.account, b"x", "text/plain")["blobId"]
    for blob_id in (
        message,
        f"{message}_1",
        upload,
        "none",
        "",
        "u" + "a" * 26,
        "../in/x",
        "x/y",
        "ü",
        "m_1_2",
    ):
        with pytest.raises(ServiceError) as error:
            url(jmap, blob_id)
        assert error.value.kind == "not_found"
        assert jmap.refused(attachments=[{"blobId": blob_id}])["type"] == "blobNotFound"


def test_part_that_is_not_there(jmap: Client) -> None:
    id = jmap.deliver(MESSAGE)
    for part in ("9", "1-1", "", "1.1", "-1"):
        with pytest.raises(ServiceError):
            url(jmap, f"{id}_{part}")


def test_upload_size_is_limited(jmap: Client) -> None:
    with pytest.raises(ServiceError) as error:
        blobs.upload(jmap.post.p, jmap.account, b"x" * (limits.MAX_SIZE_UPLOAD + 1), "text/plain")
    assert error.value.kind == "too_large"


def test_presigned_upload(jmap: Client) -> None:
    slot = blobs.upload_slot(jmap.post.p, jmap.account, 5 * MB, "application/pdf")
    assert slot["method"] == "PUT"
    assert slot["headers"] == {"Content-Type": "application/pdf"}
    assert slot["url"].startswith("http")
    assert slot["expires"].endswith("Z")
    with pytest.raises(ServiceError):
        url(jmap, slot["blobId"])  # nothing was put there
    jmap.post.p.blobs.put(f"up/{jmap.account.id}/{slot['blobId']}", b"big")
    assert jmap.draft(attachments=[{"blobId": slot["blobId"]}])["size"] > 0


@pytest.mark.parametrize(
    ("size", "type", "kind"),
    [
        (-1, "text/plain", "invalid"),
        ("5", "text/plain", "invalid"),
        (True, "text/plain", "invalid"),
        (5, None, "invalid"),
        (5, "", "invalid"),
        (5, "a\r\nb", "invalid"),
        (26 * MB, "text/plain", "too_large"),
    ],
)
def test_presigned_upload_refusals(jmap: Client, size: object, type: object, kind: str) -> None:
    with pytest.raises(ServiceError) as error:
        blobs.upload_slot(jmap.post.p, jmap.account, size, type)
    assert error.value.kind == kind
