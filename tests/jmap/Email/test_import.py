"""Email/import (RFC 8621 §4.8)."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws import clock
from chalicelib.jmap import blobs, limits
from chalicelib.rules.figures import MB
from chalicelib.services import mailbox
from tests.jmap.client import Client, Json, letter
from tests.services.post import Crash


def upload(jmap: Client, raw: bytes) -> str:
    return blobs.keep(jmap.post.p, jmap.account, raw, "message/rfc822")


def one(jmap: Client, blob: str, role: str = "inbox", **more: Any) -> Json:
    return {"blobId": blob, "mailboxIds": {jmap.roles[role]: True}, **more}


def imported(jmap: Client, blob: str, role: str = "inbox", **more: Any) -> Json:
    answer = jmap.call("Email/import", emails={"k": one(jmap, blob, role, **more)})
    assert answer["created"], answer
    return dict(answer["created"]["k"])


def refused(jmap: Client, blob: str, role: str = "inbox", **more: Any) -> Json:
    answer = jmap.call("Email/import", emails={"k": one(jmap, blob, role, **more)})
    assert answer["notCreated"], answer
    return dict(answer["notCreated"]["k"])


def test_octets_stay_as_they_are(jmap: Client) -> None:
    raw = b"From: a@b.test\nSubject:  odd \n\nbare LFs and \xff\n"
    old = jmap.state()
    answer = jmap.call(
        "Email/import", emails={"k": one(jmap, upload(jmap, raw), keywords={"$Seen": True, "x": True})}
    )
    made = answer["created"]["k"]
    assert (answer["oldState"], answer["notCreated"]) == (old, None)
    assert answer["newState"] == jmap.state() != old
    assert (made["blobId"], made["size"]) == (made["id"], len(raw))
    assert jmap.raw(made["id"]) == raw
    email = jmap.email(made["id"])
    assert email["keywords"] == {"$seen": True, "x": True}
    assert email["mailboxIds"] == {jmap.roles["inbox"]: True}
    assert email["threadId"] == made["threadId"]
    assert jmap.call("Email/changes", sinceState=old)["created"] == [made["id"]]


def test_it_outlives_its_upload(jmap: Client) -> None:
    blob = upload(jmap, letter())
    id = imported(jmap, blob)["id"]
    jmap.post.p.blobs.delete(f"up/{jmap.account.id}/{blob}")
    assert jmap.raw(id) == letter()


def test_received_at(jmap: Client) -> None:
    given = imported(jmap, upload(jmap, letter("a")), receivedAt="2001-02-03T04:05:06Z")
    assert jmap.email(given["id"])["receivedAt"] == "2001-02-03T04:05:06Z"
    received = (
        b"Received: from x by y; Tue, 3 Feb 2015 10:00:00 +0200\r\nReceived: older; 1 Jan 2015 00:00 Z\r\n"
    )
    told = imported(jmap, upload(jmap, received + letter("b")))
    assert jmap.email(told["id"])["receivedAt"] == "2015-02-03T08:00:00Z"
    later = f"{clock.now() + timedelta(days=2):%a, %d %b %Y %H:%M:%S +0000}"
    for line in (b"", b"Received: x; " + later.encode(), b"Received: x; nonsense", b"Received: 1 Jan 2015"):
        id = imported(jmap, upload(jmap, line + b"\r\n" * bool(line) + letter(line.decode())))["id"]
        assert jmap.email(id)["receivedAt"] == f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"


def test_a_repeat_after_a_lost_answer_makes_no_second(jmap: Client) -> None:
    blob = upload(jmap, letter())
    id = imported(jmap, blob)["id"]
    for again in (blob, upload(jmap, letter())):
        error = refused(jmap, again)
        assert (error["type"], error["existingId"]) == ("alreadyExists", id)
    assert imported(jmap, blob, "archive")["id"] != id


def test_twice_in_one_request(jmap: Client) -> None:
    given = one(jmap, upload(jmap, letter()))
    answer = jmap.call("Email/import", emails={"a": given, "b": given})
    error = answer["notCreated"]["b"]
    assert (error["type"], error["existingId"]) == ("alreadyExists", answer["created"]["a"]["id"])


def test_what_was_destroyed_can_be_imported_again(jmap: Client) -> None:
    blob = upload(jmap, letter())
    ids = set()
    for _ in range(3):
        id = imported(jmap, blob)["id"]
        assert jmap.call("Email/set", destroy=[id])["destroyed"] == [id]
        ids.add(id)
    assert len(ids) == 3


def test_an_emails_own_blob_is_shared(jmap: Client) -> None:
    first = jmap.deliver(letter())
    copy = imported(jmap, first, "archive")["id"]
    found = jmap.post.p.mailboxes.get(jmap.account.id, [first, copy])
    assert found[first].blob == found[copy].blob
    jmap.call("Email/set", destroy=[first])
    assert jmap.raw(copy) == letter()


def test_an_upload_for_two_mailboxes_is_kept_once(jmap: Client) -> None:
    blob = upload(jmap, letter())
    answer = jmap.call("Email/import", emails={"a": one(jmap, blob), "b": one(jmap, blob, "archive")})
    ids = [answer["created"][k]["id"] for k in ("a", "b")]
    found = jmap.post.p.mailboxes.get(jmap.account.id, ids)
    assert len({email.blob for email in found.values()}) == 1


def test_an_attached_message(jmap: Client) -> None:
    inner = letter("inner")
    outer = b"Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    id = imported(jmap, f"{jmap.deliver(outer)}_1")["id"]
    assert jmap.raw(id) == inner
    assert jmap.email(id)["subject"] == "inner"


def test_a_blob_made_in_the_same_request(jmap: Client) -> None:
    text = letter().decode()
    answers = jmap.request(
        ("Blob/upload", {"create": {"b": {"data": [{"data:asText": text}]}}}, "0"),
        ("Mailbox/set", {"create": {"m": {"name": "Old mail"}}}, "1"),
        ("Email/import", {"emails": {"e": {"blobId": "#b", "mailboxIds": {"#m": True}}}}, "2"),
        ("Email/set", {"update": {"#e": {"keywords/$flagged": True}}}, "3"),
    )
    id = answers[2][1]["created"]["e"]["id"]
    assert answers[3][1]["updated"] == {id: None}
    assert jmap.email(id)["mailboxIds"] == {answers[1][1]["created"]["m"]["id"]: True}


FILES_THAT_ARE_NO_MESSAGES_CASES: list[bytes] = [
    b"",
    b"\x00\x01\x02",
    b'{"a": 1}',
    b"key: value\n",
    b"\n\nSubject: late\n",
]


def test_files_that_are_no_messages(jmap: Client) -> None:
    for raw in FILES_THAT_ARE_NO_MESSAGES_CASES:
        assert refused(jmap, upload(jmap, raw))["type"] == "invalidEmail"


def test_a_virus_stays_out(jmap: Client) -> None:
    """S25."""
    bad = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    assert refused(jmap, upload(jmap, letter(body=bad.decode())))["type"] == "invalidEmail"


def test_quota(jmap: Client) -> None:
    """S17: what does not fit is refused, what fits is kept."""
    big, small = upload(jmap, letter(body="x" * 2_000)), upload(jmap, letter())
    jmap.post.fill(jmap.account.address, jmap.account.quota_bytes - 1_000)
    answer = jmap.call("Email/import", emails={"a": one(jmap, big), "b": one(jmap, small)})
    assert list(answer["created"]) == ["b"]
    error = answer["notCreated"]["a"]
    assert (error["type"], error["limit"]) == ("overQuota", jmap.account.quota_bytes)


def test_larger_than_a_message(jmap: Client) -> None:
    """S19."""
    blob = upload(jmap, b"")
    jmap.post.p.blobs.put(f"up/{jmap.account.id}/{blob}", b"x" * (25 * MB + 1))
    error = refused(jmap, blob)
    assert (error["type"], error["maxSize"]) == ("tooLarge", 25 * MB)


def test_more_than_a_request_reads(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_READ", 1_000)
    given = {f"k{n}": one(jmap, upload(jmap, letter(body="x" * 200))) for n in range(5)}
    old = jmap.state()
    assert jmap.error("Email/import", emails=given)["type"] == "requestTooLarge"
    assert jmap.state() == old


def test_a_crash_after_any_call_and_a_repeat_leave_one_email(jmap: Client) -> None:
    """Whatever was done before it: the repeated request finds it, or does it."""
    post = jmap.post
    for number in range(1, 40):
        raw = letter(f"crash {number}")
        given = {"k": one(jmap, upload(jmap, raw))}
        post.fuse.left = number
        with suppress(Crash):
            jmap.call("Email/import", emails=given)
        blown, post.fuse.left = post.fuse.left is None, None
        answer = jmap.call("Email/import", emails=given)
        known = answer["created"] or answer["notCreated"]
        [row] = mailbox.page(post.p, jmap.account.id, jmap.roles["inbox"], 10).rows
        assert row.id in (known["k"].get("id"), known["k"].get("existingId"))
        assert jmap.raw(row.id) == raw
        mailbox.destroy(post.p, jmap.account.id, [row.id])
        if not blown:
            break
    assert number > 8


def test_foreign_and_unknown_blobs(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    for blob in ("none", "#none", other.deliver(letter()), upload(other, letter()), None):
        error = refused(jmap, blob)  # type: ignore[arg-type]
        assert (error["type"], error["properties"]) == ("invalidProperties", ["blobId"])


WRONG_DESCRIPTIONS_CASES: list[tuple[Json, str]] = [
    ({"mailboxIds": {}}, "invalidProperties"),
    ({"mailboxIds": None}, "invalidProperties"),
    ({"mailboxIds": {"none": True}}, "invalidProperties"),
    ({"mailboxIds": {"f1": True, "f2": True}}, "tooManyMailboxes"),
    ({"mailboxIds": {"f1": False}}, "invalidProperties"),
    ({"keywords": {"a b": True}}, "invalidProperties"),
    ({"keywords": ["$seen"]}, "invalidProperties"),
    ({"receivedAt": "yesterday"}, "invalidProperties"),
    ({"receivedAt": 5}, "invalidProperties"),
    ({"subject": "x"}, "invalidProperties"),
]


def test_wrong_descriptions(jmap: Client) -> None:
    for given, type in WRONG_DESCRIPTIONS_CASES:
        assert refused(jmap, upload(jmap, letter()), **given)["type"] == type


def test_all_that_is_invalid_is_named(jmap: Client) -> None:
    answer = jmap.call("Email/import", emails={"a": {}, "b": {"shoe": 1, "keywords": 5, "receivedAt": 5}})
    assert answer["notCreated"]["a"]["properties"] == ["blobId", "mailboxIds"]
    named = ["blobId", "shoe", "keywords", "mailboxIds", "receivedAt"]
    assert answer["notCreated"]["b"]["properties"] == named


def test_wrong_arguments(jmap: Client) -> None:
    assert jmap.error("Email/import")["type"] == "invalidArguments"
    assert jmap.error("Email/import", emails=[])["type"] == "invalidArguments"
    assert jmap.error("Email/import", emails={"k": 1})["type"] == "invalidArguments"
    assert jmap.error("Email/import", emails={}, ifInState="none")["type"] == "stateMismatch"
    many: Json = {f"k{n}": {} for n in range(limits.MAX_RAW_READS + 1)}
    assert jmap.error("Email/import", emails=many)["type"] == "requestTooLarge"
    assert jmap.call("Email/import", emails={}, ifInState=jmap.state())["created"] is None
