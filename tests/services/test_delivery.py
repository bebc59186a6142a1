"""S27: three days of retries, and what the state machine's tasks answer."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from chalicelib.services import delivery, send
from tests.services.post import Post
from tests.services.test_outcomes import named

ANN = "ann@x.test"


@pytest.mark.parametrize("copies", [1, 5])
def test_S27_25_attempts_three_hours_apart_and_then_one_bounce(post: Post, copies: int) -> None:
    post.mail.behaviour["asleep.test"] = "defer"
    begin = post.clock.seconds
    send.submit(post.p, post.submission(ANN, ["a@asleep.test", "b@asleep.test"]))
    random = Random(7) if copies > 1 else None
    post.settle(timedelta(hours=72, minutes=30), random, copies)
    assert len(post.mail.calls) == 25
    assert post.inbox(ANN) == []
    post.settle(random=random, copies=copies)
    assert [round((c.at - begin) / 3600, 2) for c in post.mail.calls] == [3.0 * n for n in range(25)]
    assert [c.tags["attempt"] for c in post.mail.calls] == [str(n) for n in range(1, 26)]
    [bounce] = post.inbox(ANN)
    assert sorted(named(bounce)) == ["a@asleep.test", "b@asleep.test"]
    assert b"4.4.7" in bounce
    assert list(post.workflows.executions) == ["s1-0"]


def test_S27_a_domain_that_recovers_at_the_fourth_attempt_gets_it_once(post: Post) -> None:
    post.mail.behaviour["naps.test"] = "defer"
    send.submit(post.p, post.submission(ANN, ["x@naps.test", "zoe@far.test"]))
    post.settle(timedelta(hours=8))
    assert len(post.mail.calls) == 3
    post.mail.behaviour["naps.test"] = "accept"
    post.settle()
    assert post.mail.delivered == ["zoe@far.test", "x@naps.test"]
    assert [c.recipients for c in post.mail.calls[1:]] == [("x@naps.test",)] * 3
    assert post.inbox(ANN) == []
    assert set(post.states().values()) == {"delivered"}


def test_an_ordinary_send_starts_no_state_machine(post: Post) -> None:
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    post.settle()
    assert post.workflows.executions == {}


def test_a_lost_terminal_event_does_not_hold_the_machine(post: Post) -> None:
    post.mail.behaviour["asleep.test"] = "defer"
    send.submit(post.p, post.submission(ANN, ["a@asleep.test"]))
    post.settle(timedelta(minutes=5))
    post.queues.messages = [m for m in post.queues.messages if m.body.get("eventType") != "Bounce"]
    post.mail.behaviour["asleep.test"] = "accept"
    post.settle()
    assert post.mail.delivered == ["a@asleep.test"]
    assert post.mail.calls[1].at - post.mail.calls[0].at == pytest.approx(4 * 3600, abs=120)


def test_a_deferral_after_the_machine_ended_starts_another(post: Post) -> None:
    post.mail.behaviour["asleep.test"] = "defer"
    send.submit(post.p, post.submission(ANN, ["a@asleep.test"]))
    post.settle(timedelta(minutes=5))
    post.workflows.executions["s1-0"].step = "done"
    chunk = post.p.outbox.chunk("s1", 0)
    assert chunk
    post.p.outbox.save(replace(chunk, running=False, runs=1))
    post.settle(timedelta(hours=4))
    assert list(post.workflows.executions) == ["s1-0", "s1-0-1"]


def test_a_crash_after_any_call_of_a_retry_leaves_one_message(post: Post) -> None:
    number = 0
    while True:
        number += 1
        id, before = f"s{number}", post.crashes
        post.mail.behaviour["naps.test"] = "defer"
        send.submit(post.p, post.submission(ANN, [f"{id}@naps.test"], id=id))
        post.settle(timedelta(minutes=30))
        post.mail.behaviour["naps.test"] = "accept"
        post.fuse.left = number
        post.settle()
        post.fuse.left = None
        assert post.mail.delivered.count(f"{id}@naps.test") == 1, f"crash at {number}"
        assert post.states(id) == {f"{id}@naps.test": "delivered"}
        if post.crashes == before:
            break
    assert number > 20
    assert post.inbox(ANN) == []
    assert list(post.p.outbox.open_since(post.clock.now())) == []


def test_tasks_of_a_submission_that_is_gone_end(post: Post) -> None:
    assert delivery.next_step(post.p, "gone", 0) == {"action": "done", "at": "2026-03-02T09:00:00Z"}
    delivery.retry(post.p, "gone", 0)
    delivery.watch(post.p, "gone", 0, "token")


def test_a_retry_is_never_named_earlier_than_it_is_due(post: Post) -> None:
    post.mail.behaviour["asleep.test"] = "defer"
    post.clock.advance(milliseconds=400)
    send.submit(post.p, post.submission(ANN, ["a@asleep.test"]))
    post.settle(timedelta(minutes=5))
    assert delivery.next_step(post.p, "s1", 0) == {"action": "retry", "at": "2026-03-02T12:00:01Z"}
