"""Passwords and reset links over HTTP (S23): who may set them, what they end, and what strangers learn."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from chalicelib.aws import clients
from chalicelib.events import jobs
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.signin import Door
from chalicelib.services import accounts, resets, signin
from chalicelib.store.sessions import SIGNED_IN
from tests.registry import PASSWORD, Answer, Registry, box

NEW = "a longer walk by the river"
HOME = "192.0.2.7"
ASKED = "/v1/password-resets"


@pytest.fixture
def live(registry: Registry) -> Registry:
    """x.test is live: ann (admin), bob with a recovery address, carl without one."""
    bob = box("bob", name="Bob", recovery_address="bob@elsewhere.test")
    registry.order("x.test", box("ann", admin=True), bob, box("carl"))
    registry.set_state("x.test", "live")
    return registry


def enters(registry: Registry, password: str, local: str = "bob", door: Door = "webmail") -> bool:
    """Whether the password opens that door."""
    address = f"{local}@x.test"
    try:
        signin.authenticate(registry.platform, address, password, door=door, source="198.51.100.4")
    except ServiceError:
        return False
    return True


def is_open(registry: Registry, token: str) -> bool:
    """Whether the session is."""
    return registry.call("GET", "/v1/mailbox/sessions", key=token).status == 200


def audited(registry: Registry) -> list[dict[str, Any]]:
    """The audit of x.test, newest first."""
    return list(registry.call("GET", "/v1/domains/x.test/audit").json["events"])


# --------------------------------------------------------------------------------------------- by the owner
def test_S23_the_owner_changes_it_and_all_other_sessions_end(live: Registry) -> None:
    here, there = live.token("bob@x.test"), live.token("bob@x.test")
    made = live.call("POST", "/v1/mailbox/app-passwords", {"label": "Phone", "doors": ["imap"]}, key=here)
    assert is_open(live, there)
    wrong = live.call("PUT", "/v1/mailbox/password", {"current": "no", "new": NEW}, key=here)
    assert (wrong.status, wrong.json["errors"][0]["pointer"]) == (422, "/current")
    weak = live.call("PUT", "/v1/mailbox/password", {"current": PASSWORD, "new": "bob12345"}, key=here)
    assert (weak.status, weak.json["errors"][0]["pointer"]) == (422, "/new")
    assert "made of" in weak.json["errors"][0]["detail"]
    changed = live.call("PUT", "/v1/mailbox/password", {"current": PASSWORD, "new": NEW}, key=here)
    assert (changed.status, changed.text) == (204, "")
    assert (is_open(live, here), is_open(live, there)) == (True, False)
    assert (enters(live, PASSWORD), enters(live, NEW)) == (False, True)
    kept = live.call("GET", "/v1/mailbox/app-passwords", key=here).json["app_passwords"]
    assert [app["id"] for app in kept] == [made.json["id"]]
    event = audited(live)[0]
    assert (event["type"], event["subject"], event["actor"]) == (
        "password.changed",
        "bob@x.test",
        "user:bob@x.test",
    )
    assert NEW not in live.call("GET", "/v1/domains/x.test/audit").text


def test_S23_the_present_password_is_not_guessed_through_a_stolen_session(live: Registry) -> None:
    token = live.token("bob@x.test")
    body = {"current": "guess", "new": NEW}
    tries = [live.call("PUT", "/v1/mailbox/password", body, key=token).status for _ in range(11)]
    assert tries == [422] * 10 + [429]


def test_S23_a_change_reaches_other_processes_within_seconds(live: Registry) -> None:
    token = live.token("bob@x.test")
    elsewhere = live.platform.sessions.accounts
    account = signin.session(live.platform, token)
    live.call("PUT", "/v1/domains/x.test/mailboxes/bob/password", {"password": NEW})
    elsewhere.put(signin.digest(token), account)  # a process that looked just before
    assert is_open(live, token)
    live.clock.advance(seconds=SIGNED_IN.total_seconds())
    assert not is_open(live, token)


# ------------------------------------------------------------------------------------------------ by others
def test_S23_admin_and_reseller_set_it_and_everything_else_ends(live: Registry) -> None:
    admin, bob = live.token("ann@x.test"), live.token("bob@x.test")
    made = live.call("POST", "/v1/mailbox/app-passwords", {"label": "Phone", "doors": ["imap"]}, key=bob)
    given = live.call("PUT", "/v1/admin/mailboxes/bob/password", {"password": NEW}, key=admin)
    assert given.status == 204
    assert not is_open(live, bob)
    assert (enters(live, PASSWORD), enters(live, NEW)) == (False, True)
    assert not enters(live, made.json["password"], door="imap")
    assert audited(live)[0]["type"] == "password.set"
    path = "/v1/domains/x.test/mailboxes/bob/password"
    assert live.call("PUT", path, {"password": PASSWORD}).status == 204
    assert enters(live, PASSWORD)
    weak = live.call("PUT", path, {"password": "password1"})
    assert (weak.status, weak.json["errors"][0]["pointer"]) == (422, "/password")


def test_S23_who_may_not(live: Registry) -> None:
    admin, bob = live.token("ann@x.test"), live.token("bob@x.test")
    body = {"password": NEW}
    own = live.call("PUT", "/v1/admin/mailboxes/ann/password", body, key=admin)
    assert (own.status, own.json["code"]) == (403, "forbidden"), "a stolen session sets no password"
    assert live.call("PUT", "/v1/admin/mailboxes/carl/password", body, key=bob).status == 403
    assert live.call("PUT", "/v1/admin/mailboxes/nobody/password", body, key=admin).status == 404
    path = "/v1/domains/x.test/mailboxes/bob/password"
    assert live.call("PUT", path, body, key=live.other_key).status == 404
    reading = accounts.issue_key(live.platform, "house", ["mailboxes:read"])
    assert live.call("PUT", path, body, key=reading).status == 403


# ------------------------------------------------------------------------------------------------ forgotten
def ask(registry: Registry, address: str, **how: Any) -> Answer:
    """Somebody forgot a password."""
    return registry.call("POST", ASKED, {"address": address}, key=None, **how)


def work(registry: Registry) -> int:
    """Do what waits in the jobs queue; how many messages that were."""
    client, url = boto3.client("sqs"), registry.platform.settings.jobs_queue
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        jobs.one(registry.platform, json.loads(message["Body"]))
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return len(found)


def mailed(registry: Registry) -> list[tuple[str, str]]:
    """(recipient, raw message) of what is to be sent outside; nothing waits then."""
    found = []
    for body in registry.outgoing():
        loaded = registry.platform.outbox.load(body["submission"])
        assert loaded
        out = loaded[0]
        found.append((out.envelope.recipients[0], registry.platform.blobs.get(out.raw).decode()))
    return found


def token_for(registry: Registry, address: str = "bob@x.test") -> str:
    """The token of a link that was mailed."""
    assert ask(registry, address).status == 202
    work(registry)
    ((_, raw),) = mailed(registry)
    found = re.search(r"#reset=3D([\w=\r\n-]+)\r?\n\r?\n|#reset=([\w-]+)", raw)
    assert found, raw
    return re.sub(r"=\r?\n", "", found[1] or found[2])


def confirm(registry: Registry, token: str, password: str = NEW) -> Answer:
    """Follow the link."""
    return registry.call("POST", f"{ASKED}/confirm", {"token": token, "password": password}, key=None)


def test_S23_S1_the_link_goes_to_the_recovery_address_under_the_brand(live: Registry) -> None:
    answer = ask(live, "BOB@x.test")
    assert "administrator" in answer.json["detail"]
    assert work(live) == 1
    ((to, raw),) = mailed(live)
    assert to == "bob@elsewhere.test"
    assert "From: House Mail <postmaster@x.test>" in raw
    assert "https://mail.x.test/#reset=" in raw
    assert "help@house.test" in raw
    assert "Auto-Submitted: auto-generated" in raw
    assert not re.search(r"plainpost|amazon|emailmx|\bSES\b", raw, re.IGNORECASE)
    event = audited(live)[0]
    assert (event["type"], event["actor"], event["source"]) == ("password.reset_requested", "public", HOME)


def test_S23_a_link_sets_the_password_once_and_ends_everything_else(live: Registry) -> None:
    session = live.token("bob@x.test")
    older, token = token_for(live), token_for(live)
    kept = live.platform.sessions.table.get({"pk": f"RESET#{signin.digest(token)}", "sk": "META"})
    assert kept
    assert token not in str(kept)
    weak = confirm(live, token, "password1")
    assert (weak.status, weak.json["errors"][0]["pointer"]) == (422, "/password")
    done = confirm(live, token)
    assert (done.status, done.json) == (200, {"address": "bob@x.test"})
    assert (enters(live, NEW), enters(live, PASSWORD)) == (True, False)
    assert not is_open(live, session)
    for used in (token, older, "", "x", "pps_" + token):
        again = confirm(live, used, "another walk by the river")
        assert (again.status, again.json["errors"][0]["pointer"]) == (422, "/token")
    assert enters(live, NEW)
    assert audited(live)[0]["type"] == "password.reset"


def test_S23_a_link_ends_after_an_hour_and_with_the_password_it_was_for(live: Registry) -> None:
    token = token_for(live)
    live.clock.advance(minutes=60)
    assert confirm(live, token).status == 422
    token = token_for(live)
    live.clock.advance(minutes=59)
    live.call("PUT", "/v1/domains/x.test/mailboxes/bob/password", {"password": "a third walk by the river"})
    assert confirm(live, token).status == 422
    token = token_for(live)
    assert live.call("POST", "/v1/domains/x.test/mailboxes/bob/rename", {"local": "robert"}).status < 300
    assert confirm(live, token).json == {"address": "robert@x.test"}, "a rename leaves it good"


def test_S23_nothing_is_sent_for_who_could_not_log_in(live: Registry) -> None:
    live.order("y.test", box("dora", recovery_address="dora@elsewhere.test"))
    for address in ("carl@x.test", "nobody@x.test", "dora@y.test", "all@x.test", "a@b.test", "no address"):
        live.clock.advance(hours=1)
        assert ask(live, address).status == 202
    live.platform.directory.change_domain("x.test", {"holds": {"operator"}}, given={})
    ask(live, "bob@x.test")
    assert work(live) == 7
    assert mailed(live) == []


def test_S23_a_repeated_message_sends_nothing_new_and_revives_no_link(live: Registry) -> None:
    ask(live, "bob@x.test")
    client, url = boto3.client("sqs"), live.platform.settings.jobs_queue
    body = json.loads(client.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    jobs.one(live.platform, body)
    jobs.one(live.platform, body)
    assert len(mailed(live)) == 1
    assert confirm(live, body["token"]).status == 200
    jobs.one(live.platform, body)
    assert mailed(live) == []
    assert confirm(live, body["token"], "another walk by the river").status == 422


@contextmanager
def aws_calls() -> Iterator[list[str]]:
    """The AWS calls that are made meanwhile."""
    made: list[str] = []
    hear = [
        (c, lambda model, **_: made.append(model.name)) for c in (clients.dynamodb(), clients.client("sqs"))
    ]
    for client, heard in hear:
        client.meta.events.register("before-call.*.*", heard)
    yield made
    for client, heard in hear:
        client.meta.events.unregister("before-call.*.*", heard)


def test_S23_asking_costs_the_same_and_says_the_same_whoever_it_is_for(live: Registry) -> None:
    told, made = [], []
    for address in ("bob@x.test", "carl@x.test", "nobody@x.test", "who@nowhere.test", "dora@y.test", "x"):
        with aws_calls() as calls:
            answer = ask(live, address)
        told.append((answer.status, answer.text, sorted(answer.headers.items())))
        made.append(calls)
    assert all(one == told[0] for one in told)
    assert made[0] == ["UpdateItem"] * 3 + ["SendMessage"]
    assert all(one == made[0] for one in made)


def test_S23_asking_is_throttled_alike_for_those_who_are_not_there(live: Registry) -> None:
    for address in ("bob@x.test", "nobody@x.test"):
        answers = [ask(live, address) for _ in range(resets.PER_PAIR + 1)]
        assert [a.status for a in answers] == [202] * resets.PER_PAIR + [429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        more = [ask(live, address, source=f"198.51.100.{n}").status for n in range(4)]
        assert more == [202, 202, 429, 429], "for one address, wherever it is asked from"
    others = [ask(live, f"u{n}@x.test").status for n in range(resets.PER_SOURCE)]
    assert others[-1] == 429
    live.clock.advance(minutes=15)
    assert ask(live, "bob@x.test").status == 202
