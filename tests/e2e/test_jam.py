"""A JMAP client that we did not write, jmap-jam, in a running mailbox: jam/walk.js walks, this judges."""

import base64
import email
import email.policy
import json
import random
import subprocess
import sys
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.orders import Pair, live_pair
from tools.town import Mailbox, Town, until

JAM = Path(__file__).with_name("jam")
NODE = Path(sys.executable).with_name("node")
Walk = Callable[..., Any]


@pytest.fixture(scope="module")
def pair(town: Town) -> Pair:
    """A domain whose people only this file writes to."""
    return live_pair(town, "jam.test")


def walks(town: Town, user: Mailbox) -> Walk:
    """A user's walks through the mailbox: what the client got."""

    def walk(name: str, /, **given: Any) -> Any:
        known = {"sessionUrl": f"{town.web}/.well-known/jmap", "token": user.token}
        done = subprocess.run(
            [NODE, JAM / "walk.js", name, json.dumps(known | given)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return walk


@pytest.fixture
def ann(town: Town, pair: Pair) -> Walk:
    """Ann's client."""
    return walks(town, pair.ann)


@pytest.fixture
def bob(town: Town, pair: Pair) -> Walk:
    """Bob's client; his mailbox gets what tests deliver."""
    return walks(town, pair.bob)


def arrived(town: Town, user: Mailbox, subject: str, text: str = "Hello.\n", **headers: str) -> Any:
    """A message from outside, once it is in the inbox."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = "Far <far@jamfar.test>", user.address, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    town.deliver("far@jamfar.test", [user.address], message.as_bytes())
    return user.wait_for(subject)


def test_the_session_is_found_by_the_well_known_address(town: Town, pair: Pair, ann: Walk) -> None:
    session = ann("session")
    assert session["username"] == pair.ann.address
    assert session["apiUrl"] == f"{town.web}/jmap/api"
    assert session["capabilities"]["urn:ietf:params:jmap:core"]["maxCallsInRequest"] == 16
    assert session == pair.ann.session


def test_mailboxes(ann: Walk) -> None:
    rows = ann("mailboxes")
    assert {row["role"] for row in rows} >= {"inbox", "drafts", "sent", "trash", "junk"}
    assert all(set(row) == {"id", "name", "role", "totalEmails"} for row in rows)


def test_query_thread_and_get_in_one_request_by_back_references(town: Town, pair: Pair, bob: Walk) -> None:
    first = arrived(town, pair.bob, "jam list", "one\n", Message_ID="<list1@jamfar.test>")
    second = arrived(
        town,
        pair.bob,
        "Re: jam list",
        "two\n",
        Message_ID="<list2@jamfar.test>",
        References="<list1@jamfar.test>",
    )
    got = bob("list")
    assert got["query"]["ids"][:2] == [second["id"], first["id"]]
    [thread] = [t for t in got["threads"]["list"] if t["id"] == first["threadId"]]
    assert thread["emailIds"] == [first["id"], second["id"]]
    shown = {e["id"]: e for e in got["emails"]["list"]}
    texts = [
        shown[i]["bodyValues"][shown[i]["textBody"][0]["partId"]]["value"].strip() for i in thread["emailIds"]
    ]
    assert texts == ["one", "two"]
    assert shown[second["id"]]["from"] == [{"name": "Far", "email": "far@jamfar.test"}]
    assert got["sessionState"] == pair.bob.session["state"]


def test_a_draft_is_sent_and_becomes_a_sent_message_in_one_request(town: Town, ann: Walk) -> None:
    done = ann("send", to="sent-by-jam@jamfar.test", subject="Grüße from jam", text="Zażółć gęślą jaźń\n")
    assert done["followed"]["updated"] == {done["id"]: None}
    assert done["createdIds"]["letter"] == done["id"]
    assert done["email"]["mailboxIds"] == {done["sent"]: True}
    assert done["email"]["keywords"] == {"$seen": True}
    submission = done["submission"]
    assert (submission["id"], submission["emailId"]) == (done["createdIds"]["sending"], done["id"])
    assert list(submission["deliveryStatus"]) == ["sent-by-jam@jamfar.test"]
    [out] = until(lambda: town.outbox("sent-by-jam@jamfar.test"))
    parsed = email.message_from_bytes(out["bytes"], policy=email.policy.default)
    assert parsed["Subject"] == "Grüße from jam"
    assert parsed["To"] == "Far Away <sent-by-jam@jamfar.test>"
    assert parsed.get_content().strip() == "Zażółć gęślą jaźń"


def test_an_upload_is_downloaded_and_attached(town: Town, ann: Walk) -> None:
    octets = random.Random(8).randbytes(70_000)
    content = base64.b64encode(octets).decode()
    done = ann("blob", base64=content, type="image/png", name="schöne grüße.png")
    assert (done["uploaded"]["size"], done["uploaded"]["type"]) == (70_000, "image/png")
    assert done["got"] == content
    kind, disposition = done["headers"]
    assert kind == "image/png"
    assert disposition.startswith("attachment;")
    assert "sch%C3%B6ne%20gr%C3%BC%C3%9Fe.png" in disposition
    attached = {
        "blobId": done["uploaded"]["blobId"],
        "type": "image/png",
        "name": "a.png",
        "disposition": "attachment",
    }
    ann("send", to="jam-blob@jamfar.test", subject="with a picture", text="see", attachments=[attached])
    [out] = until(lambda: town.outbox("jam-blob@jamfar.test"))
    [part] = email.message_from_bytes(out["bytes"], policy=email.policy.default).iter_attachments()
    assert part.get_content() == octets


def test_flags_are_set_and_only_in_the_state_that_was_seen(town: Town, pair: Pair, bob: Walk) -> None:
    row = arrived(town, pair.bob, "jam flags")
    done = bob("flags", id=row["id"])
    assert done["before"] == {}
    assert done["set"]["updated"] == {row["id"]: None}
    assert done["after"] == {"$seen": True, "$flagged": True, "blue": True}
    assert done["set"]["newState"] == done["state"]
    assert done["stale"]["type"] == "stateMismatch"
    assert pair.bob.open(row["id"])["keywords"] == done["after"]


def test_changes_tell_what_was_made_changed_and_destroyed(town: Town, pair: Pair, bob: Walk) -> None:
    changed, destroyed = arrived(town, pair.bob, "jam changed"), arrived(town, pair.bob, "jam destroyed")
    done = bob("changes", changed=changed["id"], destroyed=destroyed["id"])
    made = done["set"]["created"]["made"]["id"]
    assert done["set"]["destroyed"] == [destroyed["id"]]
    told = done["changes"]
    assert (told["created"], told["updated"], told["destroyed"]) == (
        [made],
        [changed["id"]],
        [destroyed["id"]],
    )
    assert told["hasMoreChanges"] is False
    assert set(done["mailboxes"]["updated"]) == {done["drafts"], done["inbox"]}
    assert [e["subject"] for e in done["created"]["list"]] == ["made"]
    assert [e["keywords"] for e in done["updated"]["list"]] == [{"$answered": True}]
    assert (done["gone"]["list"], done["gone"]["notFound"]) == ([], [destroyed["id"]])
    assert [done["idle"][k] for k in ("created", "updated", "destroyed")] == [[], [], []]
    assert done["unknown"]["type"] == "cannotCalculateChanges"


def test_search_finds_words_in_the_text_and_shows_where(town: Town, pair: Pair, bob: Walk) -> None:
    row = arrived(town, pair.bob, "jam search", "The quokka sleeps under the eucalyptus.\n")
    arrived(town, pair.bob, "jam other", "Nothing of that kind.\n")
    found = until(lambda: (got := bob("search", text="quokka eucalyptus"))["query"]["ids"] and got)
    assert found["query"]["ids"] == [row["id"]]
    assert [e["subject"] for e in found["emails"]["list"]] == ["jam search"]
    [snippet] = found["snippets"]["list"]
    assert "<mark>quokka</mark>" in snippet["preview"]
    assert bob("search", text="quokka giraffe")["query"]["ids"] == []


def test_refusals_reach_the_client_as_it_expects_them(ann: Walk) -> None:
    refused = ann("refusals")
    assert refused["method"]["type"] == "accountNotFound"
    assert refused["request"]["type"] == "urn:ietf:params:jmap:error:unknownCapability"
    assert (refused["upload"]["type"], refused["upload"]["status"]) == ("about:blank", 404)
