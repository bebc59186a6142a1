"""Blob/get (RFC 9404 §4.2)."""

import base64
import hashlib
from typing import Any

import pytest

from chalicelib.jmap import blobs, limits
from chalicelib.rules.figures import MB
from tests.jmap.client import Client, Json, counted, letter


def upload(jmap: Client, data: bytes) -> str:
    return str(blobs.upload(jmap.post.p, jmap.account, data, "text/plain")["blobId"])


def shown(jmap: Client, id: str, **args: Any) -> Json:
    [one] = jmap.call("Blob/get", ids=[id], **args)["list"]
    assert one.pop("id") == id
    return dict(one)


def test_data_is_text_where_it_can_be(jmap: Client) -> None:
    assert shown(jmap, upload(jmap, "für".encode())) == {"data:asText": "für", "size": 4}
    octets = b"\xff\x00"
    assert shown(jmap, upload(jmap, octets)) == {
        "data:asBase64": base64.b64encode(octets).decode(),
        "isEncodingProblem": True,
        "size": 2,
    }


def test_text_that_is_none_is_null(jmap: Client) -> None:
    answer = shown(jmap, upload(jmap, "€".encode()), properties=["data:asText"], length=2)
    assert answer == {"data:asText": None, "isEncodingProblem": True}


RANGES_CASES: list[tuple[int | None, int | None, str, bool]] = [
    (None, None, "0123456789", False),
    (3, None, "3456789", False),
    (3, 4, "3456", False),
    (0, 10, "0123456789", False),
    (8, 4, "89", True),
    (10, None, "", False),
    (11, None, "", True),
    (99, 5, "", True),
    (5, 0, "", False),
]


def test_ranges(jmap: Client) -> None:
    for offset, length, text, truncated in RANGES_CASES:
        answer = shown(jmap, upload(jmap, b"0123456789"), offset=offset, length=length)
        assert (answer["data:asText"], answer["size"]) == (text, 10)
        assert answer.get("isTruncated", False) is truncated


def test_digests_of_what_was_chosen(jmap: Client) -> None:
    answer = shown(
        jmap, upload(jmap, b"0123456789"), properties=["digest:sha", "digest:sha-256"], offset=1, length=3
    )
    assert base64.b64decode(answer["digest:sha"]) == bytes.fromhex("40bd001563085fc35165329ea1ff5c5ecbdbbeef")
    assert base64.b64decode(answer["digest:sha-256"]) == hashlib.sha256(b"123").digest()


def test_size_alone_reads_nothing(jmap: Client) -> None:
    id = upload(jmap, b"12")
    with counted() as calls:
        assert shown(jmap, id, properties=["size"]) == {"size": 2}
    assert "GetObject" not in calls


def test_messages_and_their_parts(jmap: Client) -> None:
    raw = letter(body="text")
    id = jmap.deliver(raw)
    assert shown(jmap, id)["data:asText"] == raw.decode()
    assert shown(jmap, f"{id}_1") == {"data:asText": "text", "size": 4}


def test_not_found(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    ids = ["none", "#none", other.deliver(letter()), upload(other, b"x"), "a b"]
    answer = jmap.call("Blob/get", ids=ids)
    assert (answer["list"], answer["notFound"]) == ([], ids)


def test_too_much_for_an_answer(jmap: Client) -> None:
    id = upload(jmap, b"")
    jmap.post.p.blobs.put(f"up/{jmap.account.id}/{id}", b"x" * 6 * MB)
    assert jmap.error("Blob/get", ids=[id])["type"] == "requestTooLarge"
    assert shown(jmap, id, properties=["digest:sha"])["digest:sha"]
    assert len(shown(jmap, id, offset=MB, length=MB)["data:asText"]) == MB


WRONG_ARGUMENTS_CASES: list[Json] = [
    {"ids": None},
    {"ids": "x"},
    {"ids": [], "properties": ["digest:md5"]},
    {"ids": [], "offset": -1},
    {"ids": [], "length": "1"},
]


def test_wrong_arguments(jmap: Client) -> None:
    for args in WRONG_ARGUMENTS_CASES:
        assert jmap.error("Blob/get", **args)["type"] == "invalidArguments"


def test_a_message_within_an_uploaded_message(jmap: Client) -> None:
    inner = (
        b'Subject: in\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
    )
    outer = b"Subject: out\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    id = upload(jmap, outer)
    assert shown(jmap, f"{id}_1", properties=["size"])["size"] == len(inner)
    assert shown(jmap, f"{id}_1_2")["data:asText"] == "two"
    email = jmap.deliver(outer)
    assert shown(jmap, f"{email}_1_1")["data:asText"] == "one"
    assert jmap.call("Blob/get", ids=[f"{email}_1_1_1", f"{email}_1_9"])["list"] == []


def test_what_one_request_reads_is_bounded(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for parts of uploads, whose trees are found by reading them."""
    monkeypatch.setattr(limits, "MAX_READ", 10_000)
    ids = [upload(jmap, b"Subject: x\n\n" + b"x" * 2_400) for _ in range(5)]
    assert jmap.error("Blob/get", ids=ids, properties=["digest:sha"])["type"] == "requestTooLarge"
    nested = [f"{id}_1" for id in ids]
    assert jmap.error("Blob/get", ids=nested, properties=["size"])["type"] == "requestTooLarge"
    same = [f"{ids[0]}_1", f"{ids[0]}_2", ids[0]]
    assert len(jmap.call("Blob/get", ids=same, properties=["digest:sha"])["list"]) == 2
