"""Blob/lookup (RFC 9404 §4.3)."""

from chalicelib.jmap import blobs
from chalicelib.jmap.session import BLOB, CORE, MAIL
from tests.jmap.client import Client, Json, letter


def test_what_refers_to_a_blob(jmap: Client) -> None:
    id = jmap.deliver(letter())
    upload = blobs.upload(jmap.post.p, jmap.account, b"x", "text/plain")["blobId"]
    thread = jmap.email(id, properties=["threadId"])["threadId"]
    answer = jmap.call("Blob/lookup", typeNames=["Mailbox", "Thread", "Email"], ids=[id, f"{id}_1", upload])
    mine = {"Mailbox": [jmap.roles["inbox"]], "Thread": [thread], "Email": [id]}
    nobodys: Json = {"Mailbox": [], "Thread": [], "Email": []}
    assert answer["list"] == [
        {"id": id, "matchedIds": mine},
        {"id": f"{id}_1", "matchedIds": mine},
        {"id": upload, "matchedIds": nobodys},
    ]
    assert answer["notFound"] == []


def test_unknown_and_foreign_blobs(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    ids = ["none", other.deliver(letter())]
    answer = jmap.call("Blob/lookup", typeNames=["Email"], ids=ids)
    assert (answer["list"], answer["notFound"]) == ([], ids)


def test_types_that_are_not_known(jmap: Client) -> None:
    error = jmap.error("Blob/lookup", typeNames=["Email", "CalendarEvent"], ids=[])
    assert error["type"] == "unknownDataType"


def test_types_of_a_capability_that_is_not_used(jmap: Client) -> None:
    """RFC 9404 §4.3."""
    for name in ("Email", "Mailbox", "Thread"):
        error = jmap.using([CORE, BLOB], "Blob/lookup", typeNames=[name], ids=[])
        assert error["type"] == "unknownDataType"
    assert jmap.using([CORE, BLOB, MAIL], "Blob/lookup", typeNames=["Email"], ids=[])["list"] == []


WRONG_ARGUMENTS_CASES: list[Json] = [{"ids": []}, {"typeNames": ["Email"]}, {"typeNames": "Email", "ids": []}]


def test_wrong_arguments(jmap: Client) -> None:
    for args in WRONG_ARGUMENTS_CASES:
        assert jmap.error("Blob/lookup", **args)["type"] == "invalidArguments"
