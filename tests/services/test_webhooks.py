"""S40: webhooks post what changed to a real server, in order, at least once."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from unittest import mock

import pytest

from chalicelib.aws import clock
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import SYSTEM
from chalicelib.rules.webhooks import Webhook
from chalicelib.services import audit, events, webhooks
from chalicelib.store.webhooks import Webhooks
from tests.registry import Registry
from tests.services.hooks import Listener, listening


@pytest.fixture
def server() -> Iterator[Listener]:
    """Somebody's server."""
    with listening() as made:
        yield made


def made(registry: Registry, url: str, *types: str) -> Webhook:
    """A webhook of the first reseller, after all that was."""
    registry.clock.advance(seconds=10)
    hook = webhooks.create(registry.platform, registry.caller, url, types)
    registry.clock.advance(seconds=10)
    webhooks.run(registry.platform)
    return now(registry, hook)


def now(registry: Registry, hook: Webhook) -> Webhook:
    """As it is now."""
    return webhooks.find(registry.platform, hook.reseller, hook.id)


def happen(registry: Registry, *subjects: str, type: str = "mailbox.created") -> None:
    """Events, each a second after the other, and some time."""
    for subject in subjects:
        note = audit.note(SYSTEM, type, subject, reseller="house", domain="x.test", after={"a": 1})
        registry.platform.journal.table.transact([note])
        registry.clock.advance(seconds=1)
    registry.clock.advance(seconds=10)


def subjects(server: Listener) -> list[str]:
    """What was told of, in the order of telling."""
    return [json.loads(r.body)["subject"] for r in server.received]


def test_S40_events_are_posted_in_order_signed_and_once(registry: Registry, server: Listener) -> None:
    hook = made(registry, server.url)
    server.received.clear()
    happen(registry, "a", "b", "c")
    assert webhooks.run(registry.platform).delivered == 3
    assert webhooks.run(registry.platform).delivered == 0
    assert subjects(server) == ["a", "b", "c"]
    for received in server.received:
        assert received.path == "/hook?a=1"
        parts = dict(part.split("=", 1) for part in received.headers["Webhook-Signature"].split(","))
        signed = f"{parts['t']}.".encode() + received.body
        assert hmac.new(hook.secret.encode(), signed, hashlib.sha256).hexdigest() == parts["v1"]
        assert int(parts["t"]) == int(registry.clock.seconds)
    followed = registry.call("GET", f"/v1/events?after={hook.after}").json["events"]
    assert [json.loads(r.body) for r in server.received] == followed
    assert server.ids == [e["id"] for e in followed]


def test_S40_what_was_before_is_not_told_unless_it_is_asked_for(registry: Registry, server: Listener) -> None:
    happen(registry, "before")
    hook = made(registry, server.url, "mailbox.*")
    assert server.received == []
    happen(registry, "after")
    webhooks.run(registry.platform)
    assert subjects(server) == ["after"]
    webhooks.change(registry.platform, registry.caller, now(registry, hook), {"after": ""})
    webhooks.run(registry.platform)
    assert subjects(server) == ["after", "before", "after"]


def test_S40_types_choose_what_is_told(registry: Registry, server: Listener) -> None:
    hook = made(registry, server.url, "alias.created", "list.*")
    happen(registry, "no", type="mailbox.created")
    happen(registry, "yes", type="alias.created")
    happen(registry, "also", type="list.deleted")
    happen(registry, "not", type="alias.deleted")
    assert webhooks.run(registry.platform).delivered == 2
    assert subjects(server) == ["yes", "also"]
    last = registry.call("GET", "/v1/events").json["events"][-1]
    assert now(registry, hook).after == last["id"], "what is of no interest is not looked at again"


def test_S40_a_failure_is_tried_again_later_and_later_and_holds_the_rest_up(
    registry: Registry, server: Listener
) -> None:
    hook = made(registry, server.url)
    server.received.clear()
    server.answer = 500
    happen(registry, "a", "b")
    for failures, minutes in enumerate((1, 2, 4, 8), 1):
        assert webhooks.run(registry.platform).failed == 1
        assert webhooks.run(registry.platform).failed == 0, "not before its time"
        assert now(registry, hook).failures == failures
        registry.clock.advance(minutes=minutes, seconds=-1)
        assert webhooks.run(registry.platform).failed == 0
        registry.clock.advance(seconds=1)
    assert set(subjects(server)) == {"a"}
    assert len(set(server.ids)) == 1
    server.answer = 204
    assert webhooks.run(registry.platform).delivered == 2
    assert subjects(server)[-2:] == ["a", "b"]
    after = now(registry, hook)
    assert (after.failures, after.failing_since, after.next_at) == (0, None, None)


def test_S40_one_that_fails_holds_up_no_other(registry: Registry, server: Listener) -> None:
    with listening() as broken:
        made(registry, broken.url)
        made(registry, server.url, "mailbox.*")
        broken.answer = 503
        happen(registry, "a", "b")
        done = webhooks.run(registry.platform)
        assert (done.delivered, done.failed) == (2, 1)
    assert subjects(server) == ["a", "b"]


def test_S40_after_three_days_it_is_switched_off_and_its_reseller_told_once(
    registry: Registry, server: Listener
) -> None:
    hook = made(registry, server.url, "mailbox.*")
    server.answer = 500
    happen(registry, "a")
    began = registry.clock.seconds
    while now(registry, hook).state == "active":
        webhooks.run(registry.platform)
        registry.clock.advance(hours=6)
    days = (registry.clock.seconds - began) / 86_400
    assert 3 <= days < 3.6
    assert len(registry.outgoing()) == 1
    last = registry.call("GET", "/v1/audit?limit=1").json["events"][0]
    assert (last["type"], last["subject"], last["actor"]) == ("webhook.disabled", hook.id, "system")
    webhooks.run(registry.platform)
    assert registry.outgoing() == []
    server.answer = 200
    server.received.clear()
    webhooks.change(registry.platform, registry.caller, now(registry, hook), {"state": "active"})
    webhooks.run(registry.platform)
    assert subjects(server) == ["a"]


def test_S40_a_redirect_is_not_followed_and_a_server_that_is_away_has_failed(
    registry: Registry, server: Listener
) -> None:
    hook = made(registry, server.url, "mailbox.*")
    for status in (301, 302, 307, 308):
        server.answer = status
        attempt = webhooks.probe(registry.platform, hook)
        assert (attempt.status, attempt.ok) == (status, False)
    assert {r.path for r in server.received} == {"/hook?a=1"}
    with listening() as gone:
        away = webhooks.create(registry.platform, registry.caller, gone.url, [])
    assert webhooks.probe(registry.platform, away).detail == "No answer: the connection was refused."


def drip(handler: BaseHTTPRequestHandler) -> None:
    """An answer that never ends, and never pauses for long."""
    stop = threading.Event()
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200):
            handler.wfile.write(b"X: y\r\n")
            handler.wfile.flush()
            stop.wait(0.02)
    except OSError:
        return


def hang(handler: BaseHTTPRequestHandler) -> None:
    """No answer at all, until the other side goes away."""
    handler.connection.recv(1)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    """No HTTP."""
    handler.wfile.write(b"hello\r\n\r\n")


def test_S40_a_server_that_is_slow_or_talks_nonsense_has_failed(registry: Registry, server: Listener) -> None:
    hook = made(registry, server.url, "mailbox.*")
    slow = "No answer within 0.3 seconds."
    for answer, detail in (
        (hang, slow),
        (drip, slow),
        (nonsense, "No answer: what was answered is not HTTP."),
    ):
        server.answer = answer
        with mock.patch.object(webhooks, "POST_SECONDS", 0.3):
            attempt = webhooks.probe(registry.platform, hook)
        assert (attempt.status, attempt.detail) == (None, detail)
        assert attempt.milliseconds < 2_500
    attempts, _ = registry.platform.webhooks.attempts(hook, 10)
    assert len(attempts) == 3


def test_S40_a_crash_between_the_post_and_writing_it_down_posts_again(
    registry: Registry, server: Listener
) -> None:
    made(registry, server.url, "mailbox.*")
    happen(registry, "a", "b")
    with mock.patch.object(Webhooks, "advance", side_effect=RuntimeError("died")):
        webhooks.run(registry.platform)
    assert subjects(server) == ["a"]
    webhooks.run(registry.platform)
    assert subjects(server) == ["a"], "whoever died still holds it"
    registry.clock.advance(seconds=webhooks.LEASE.total_seconds() + 1)
    webhooks.run(registry.platform)
    assert subjects(server) == ["a", "a", "b"]
    assert server.ids[0] == server.ids[1], "by which the repeat is known"


def test_S40_two_runs_do_not_post_at_once(registry: Registry, server: Listener) -> None:
    hook = made(registry, server.url, "mailbox.*")
    happen(registry, "a")
    p = registry.platform
    first = p.webhooks.lease(now(registry, hook), "one", clock.now(), webhooks.LEASE)
    assert first
    assert p.webhooks.lease(now(registry, hook), "two", clock.now(), webhooks.LEASE) is None
    assert webhooks.run(p).delivered == 0
    p.webhooks.release(first, "one")
    assert webhooks.run(p).delivered == 1


def test_S40_a_change_takes_the_webhook_from_who_works_on_it(registry: Registry, server: Listener) -> None:
    hook = made(registry, server.url, "mailbox.*")
    happen(registry, "a")
    p = registry.platform
    held = p.webhooks.lease(now(registry, hook), "one", clock.now(), webhooks.LEASE)
    assert held
    changed = webhooks.change(p, registry.caller, held, {"after": ""})
    assert not p.webhooks.advance(held, "one", events.latest(), clock.now())
    assert now(registry, hook).after == changed.after == ""


def test_S40_for_a_day_after_a_rotation_both_secrets_sign(registry: Registry, server: Listener) -> None:
    hook = made(registry, server.url, "mailbox.*")
    turned = webhooks.rotate(registry.platform, registry.caller, hook)
    assert turned.secret != hook.secret
    happen(registry, "a")
    registry.clock.advance(seconds=timedelta(hours=23).total_seconds())
    webhooks.run(registry.platform)
    registry.clock.advance(seconds=timedelta(hours=2).total_seconds())
    happen(registry, "b")
    webhooks.run(registry.platform)
    signatures = [r.headers["Webhook-Signature"].split(",")[1:] for r in server.received]
    assert [len(s) for s in signatures] == [2, 1]


def test_S40_only_servers_on_the_internet_are_posted_to(registry: Registry) -> None:
    registry.zone.put("inside.test", "A", ["10.0.0.5"])
    registry.zone.put("meta.test", "A", ["169.254.169.254"])
    registry.zone.put("mixed.test", "A", ["93.184.216.34", "127.0.0.1"])
    registry.zone.put("six.test", "AAAA", ["::1"])
    for host in ("inside.test", "meta.test", "mixed.test", "six.test", "nowhere.test"):
        hook = webhooks.create(registry.platform, registry.caller, f"https://{host}/", [])
        with mock.patch("chalicelib.aws.http.post", side_effect=AssertionError("connected")):
            attempt = webhooks.probe(registry.platform, hook)
        assert attempt.status is None
        assert "host" in attempt.detail.lower()


def test_S40_what_was_looked_up_is_what_is_connected_to(registry: Registry) -> None:
    registry.zone.put("hooks.test", "A", ["93.184.216.34"])
    hook = webhooks.create(registry.platform, registry.caller, "https://hooks.test/a", [])
    with mock.patch("socket.create_connection", side_effect=ConnectionRefusedError) as connect:
        attempt = webhooks.probe(registry.platform, hook)
    assert connect.call_args.args[0] == ("93.184.216.34", 443)
    assert attempt.detail == "No answer: the connection was refused."


def test_S40_a_certificate_must_be_right(registry: Registry, server: Listener) -> None:
    """A server that speaks no TLS at all, too."""
    url = server.url.replace("http://", "https://")
    hook = webhooks.create(registry.platform, registry.caller, url, [])
    assert "TLS" in webhooks.probe(registry.platform, hook).detail


def test_tests_are_limited_by_the_minute(registry: Registry, server: Listener) -> None:
    hook = made(registry, server.url, "mailbox.*")
    for _ in range(webhooks.TESTS_A_MINUTE):
        assert webhooks.probe(registry.platform, hook).ok
    with pytest.raises(ServiceError, match="throttled"):
        webhooks.probe(registry.platform, hook)
