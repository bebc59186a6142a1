"""Blob/upload (RFC 9404 §4.1)."""

import base64
from typing import Any

import pytest

from chalicelib.jmap import blobs, limits
from chalicelib.rules.figures import MB
from tests.jmap.client import Client, Json, letter


def refused(jmap: Client, **given: Any) -> Json:
    answer = jmap.call("Blob/upload", create={"k": given})
    assert answer["created"] is None, answer
    return dict(answer["notCreated"]["k"])


def made(jmap: Client, *sources: Json, **more: Any) -> Json:
    answer = jmap.call("Blob/upload", create={"k": {"data": list(sources), **more}})
    assert answer["notCreated"] is None, answer
    return dict(answer["created"]["k"])


def content(jmap: Client, id: str) -> bytes:
    [shown] = jmap.call("Blob/get", ids=[id], properties=["data:asBase64"])["list"]
    return base64.b64decode(shown["data:asBase64"])


def test_pieces_of_text_base64_and_blobs_by_creation_id(jmap: Client) -> None:
    """RFC 9404's own example."""
    answers = jmap.request(
        ("Blob/upload", {"create": {"b4": {"data": [{"data:asText": "The quick brown fox jumped"}]}}}, "0"),
        (
            "Blob/upload",
            {
                "create": {
                    "cat": {
                        "type": "text/plain",
                        "data": [
                            {"data:asText": "How"},
                            {"blobId": "#b4", "length": 7, "offset": 3},
                            {"data:asText": "was t"},
                            {"blobId": "#b4", "length": 1, "offset": 1},
                            {"data:asBase64": "YXQ/"},
                        ],
                    }
                }
            },
            "1",
        ),
        ("Blob/get", {"ids": ["#cat"], "properties": ["data:asText", "size"]}, "2"),
    )
    created = answers[1][1]["created"]["cat"]
    assert (created["type"], created["size"]) == ("text/plain", 19)
    assert answers[2][1]["list"] == [{"id": created["id"], "data:asText": "How quick was that?", "size": 19}]


def test_a_later_creation_of_a_call_takes_an_earlier_one(jmap: Client) -> None:
    create = {"a": {"data": [{"data:asText": "ab"}]}, "b": {"data": [{"blobId": "#a"}, {"blobId": "#a"}]}}
    answer = jmap.call("Blob/upload", create=create)
    assert content(jmap, answer["created"]["b"]["id"]) == b"abab"


def test_creations_come_before_those_that_name_them(jmap: Client) -> None:
    """RFC 8620 §5.3, in whatever order they are written."""
    create = {
        "c": {"data": [{"blobId": "#b"}, {"blobId": "#a"}]},
        "b": {"data": [{"blobId": "#a"}, {"data:asText": "b"}]},
        "a": {"data": [{"data:asText": "a"}]},
        "x": {"data": [{"blobId": "#y"}]},
        "y": {"data": [{"blobId": "#x"}]},
        "z": {"data": [{"blobId": "#z"}]},
        "w": {"data": "#a"},
    }
    answer = jmap.call("Blob/upload", create=create)
    assert {k: content(jmap, made["id"]) for k, made in answer["created"].items()} == {
        "a": b"a", "b": b"ab", "c": b"aba",
    }  # fmt: skip
    assert {k: error["type"] for k, error in answer["notCreated"].items()} == {
        "x": "blobNotFound", "y": "blobNotFound", "z": "blobNotFound", "w": "invalidProperties",
    }  # fmt: skip


def test_nothing_makes_an_empty_blob(jmap: Client) -> None:
    empty = made(jmap)
    assert (empty["size"], empty["type"]) == (0, None)
    assert content(jmap, empty["id"]) == b""


def test_pieces_of_a_message_and_of_a_part(jmap: Client) -> None:
    raw = letter(body="some text")
    id = jmap.deliver(raw)
    both = made(jmap, {"blobId": id, "length": 4}, {"blobId": f"{id}_1", "offset": 5})
    assert content(jmap, both["id"]) == raw[:4] + b"text"


def test_uploaded_pieces_make_a_message_of_25_mb(jmap: Client) -> None:
    """What a client that can only use the standard endpoint does with a large attachment."""
    octets = bytes(range(256)) * (limits.MAX_SIZE_UPLOAD // 256)
    part = blobs.upload(jmap.post.p, jmap.account, octets, "application/octet-stream")["blobId"]
    pieces = [{"blobId": part}] * (25 * MB // len(octets))
    whole = made(jmap, *pieces, {"blobId": part, "length": 25 * MB % len(octets)})
    assert whole["size"] == 25 * MB
    [digest] = jmap.call("Blob/get", ids=[whole["id"]], properties=["digest:sha", "size"])["list"]
    assert digest["size"] == 25 * MB
    error = refused(jmap, data=[{"blobId": whole["id"]}, {"data:asText": "x"}])
    assert (error["type"], error["maxSize"]) == ("tooLarge", 25 * MB)


def test_what_one_request_reads_is_bounded(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_READ", 10_000)
    id = blobs.keep(jmap.post.p, jmap.account, b"x" * 2_000, "text/plain")
    create = {f"k{n}": {"data": [{"blobId": id, "offset": 1}]} for n in range(6)}
    assert jmap.error("Blob/upload", create=create)["type"] == "requestTooLarge"
    create.popitem()
    assert len(jmap.call("Blob/upload", create=create)["created"]) == 5


SOURCES_THAT_ARE_NONE_CASES: list[Json] = [
    {},
    {"data:asText": "a", "data:asBase64": "YQ=="},
    {"data:asText": "a", "offset": 0},
    {"data:asText": 1},
    {"data:asBase64": "YQ"},
    {"data:asBase64": "Y Q="},
    {"data:asBase64": "ä"},
    {"data:asText": "a", "more": 1},
    {"blobId": "ID", "offset": 10},
    {"blobId": "ID", "offset": 1, "length": 9},
    {"blobId": "ID", "offset": -1},
    {"blobId": "ID", "length": True},
    {"blobId": "ID", "length": "1"},
]


def test_sources_that_are_none(jmap: Client) -> None:
    for source in SOURCES_THAT_ARE_NONE_CASES:
        id = made(jmap, {"data:asText": "123456789"})["id"]
        given = {name: id if value == "ID" else value for name, value in source.items()}
        assert refused(jmap, data=[given])["type"] == "invalidProperties"


DESCRIPTIONS_THAT_ARE_NONE_CASES: list[Json] = [
    {},
    {"data": "x"},
    {"data": [1]},
    {"data": [], "type": "a\nb"},
    {"data": [], "size": 1},
]


def test_descriptions_that_are_none(jmap: Client) -> None:
    for given in DESCRIPTIONS_THAT_ARE_NONE_CASES:
        assert refused(jmap, **given)["type"] == "invalidProperties"


def test_unknown_and_foreign_blobs(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    for id in (other.deliver(letter()), made(other, {"data:asText": "x"})["id"], "none", "#none", 5):
        error = refused(jmap, data=[{"blobId": id}])
        assert (error["type"], error["notFound"]) == ("blobNotFound", [id])


def test_too_many_sources_or_blobs(jmap: Client) -> None:
    assert refused(jmap, data=[{"data:asText": ""}] * (limits.MAX_DATA_SOURCES + 1))["type"] == "tooLarge"
    many: Json = {f"k{n}": {"data": []} for n in range(limits.MAX_OBJECTS_IN_SET + 1)}
    assert jmap.error("Blob/upload", create=many)["type"] == "requestTooLarge"


def test_a_new_blob_is_attached_by_its_creation_id(jmap: Client) -> None:
    answers = jmap.request(
        ("Blob/upload", {"create": {"b": {"data": [{"data:asText": "hello"}]}}}, "0"),
        (
            "Email/set",
            {
                "create": {
                    "e": {
                        "mailboxIds": {jmap.roles["drafts"]: True},
                        "attachments": [{"blobId": "#b", "type": "text/csv", "name": "a.csv"}],
                    }
                }
            },
            "1",
        ),
    )
    id = answers[1][1]["created"]["e"]["id"]
    [part] = jmap.email(id, properties=["attachments"])["attachments"]
    assert content(jmap, part["blobId"]) == b"hello"
