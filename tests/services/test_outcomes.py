"""S27: outcomes of a whole message, in any order and number, and the bounces that follow."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.rules.figures import MB
from chalicelib.services import outcomes, send
from tests.services.post import Post, letter, recorded, ses_event

ANN = "ann@x.test"


def named(raw: bytes) -> list[str]:
    """The recipients that a report names."""
    return [
        line.split(b";")[1].strip().decode()
        for line in raw.replace(b"\r\n ", b" ").splitlines()
        if line.startswith(b"Final-Recipient:")
    ]


def test_S27_one_bounce_names_each_failed_recipient_and_why(post: Post) -> None:
    post.mail.behaviour["refusing.test"] = "refuse"
    post.fill("bob@x.test", 250 * 1_048_576)
    everybody = ["bob@x.test", "nobody@x.test", "a@refusing.test", "b@refusing.test", "zoe@far.test"]
    send.submit(post.p, post.submission(ANN, everybody))
    post.settle()
    [bounce] = post.inbox(ANN)
    assert sorted(named(bounce)) == sorted(set(everybody) - {"zoe@far.test"})
    for words in (b"5.2.2", b"quota exceeded", b"5.1.1", b"user unknown", b"Reporting-MTA: dns; mail.x.test"):
        assert words in bounce
    assert b"emailmx" not in bounce
    state = post.status()
    assert {r.address for r in state.recipients if r.reported} == set(named(bounce))


def test_S27_permanent_failures_are_told_at_once_and_later_ones_in_the_end(post: Post) -> None:
    post.mail.behaviour |= {"refusing.test": "refuse", "asleep.test": "defer"}
    send.submit(post.p, post.submission(ANN, ["a@refusing.test", "b@asleep.test", "zoe@far.test"]))
    post.settle(until=timedelta(minutes=10))
    assert [named(b) for b in post.inbox(ANN)] == [["a@refusing.test"]]
    assert post.states()["b@asleep.test"] == "deferred"
    post.settle()
    assert [named(b) for b in post.inbox(ANN)] == [["a@refusing.test"], ["b@asleep.test"]]


def test_S28_no_bounce_for_a_null_sender_or_an_automatic_message(post: Post) -> None:
    post.mail.behaviour["refusing.test"] = "refuse"
    raw = letter(ANN, ["a@refusing.test"], Auto_Submitted="auto-replied")
    send.submit(post.p, post.submission(ANN, ["a@refusing.test"], raw=raw))
    post.settle()
    assert post.inbox(ANN) == []
    assert post.states() == {"a@refusing.test": "failed"}


def test_S27_a_full_mailbox_still_gets_the_report_of_what_it_sent(post: Post) -> None:
    post.mail.behaviour["refusing.test"] = "refuse"
    send.submit(post.p, post.submission(ANN, ["a@refusing.test"]))
    post.fill(ANN, 250 * MB)
    post.settle()
    assert [named(b) for b in post.inbox(ANN)] == [["a@refusing.test"]]


def test_S18_reports_take_no_more_than_is_spared_for_them_and_leave_no_blob(post: Post) -> None:
    post.mail.behaviour["refusing.test"] = "refuse"
    send.submit(post.p, post.submission(ANN, ["a@refusing.test"]))
    post.fill(ANN, 250 * MB + post.p.figures.report_spare_bytes)
    post.settle()
    assert post.inbox(ANN) == []
    assert list(post.p.outbox.open_since(post.clock.now())) == []


@pytest.mark.parametrize("name", ["send", "delivery", "bounce_transient", "reject", "delay"])
def test_events_of_no_submission_do_nothing(post: Post, name: str) -> None:
    outcomes.record(post.p, recorded(name))
    stripped = recorded(name)
    stripped["mail"]["tags"] = {}
    outcomes.record(post.p, stripped)
    assert post.queues.messages == []


def test_S30_a_complaint_is_recorded(post: Post) -> None:
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    post.settle()
    outcomes.record(post.p, ses_event("complaint", post.mail.calls[0], ["zoe@far.test"], post.clock.seconds))
    chunk = post.p.outbox.chunk("s1", 0)
    assert chunk
    assert chunk.fates["zoe@far.test"].complained
    assert chunk.fates["zoe@far.test"].state == "delivered"


def test_a_virus_that_SES_found_failed_for_all(post: Post) -> None:
    post.mail.behaviour["far.test"] = "silent"
    send.submit(post.p, post.submission(ANN, ["zoe@far.test", "yan@far.test"]))
    post.settle(until=timedelta(minutes=1))
    outcomes.record(post.p, ses_event("reject", post.mail.calls[0], (), post.clock.seconds))
    [bounce] = post.inbox(ANN)
    assert named(bounce) == ["zoe@far.test", "yan@far.test"]


def test_an_account_that_is_gone_gets_no_bounce_and_stops_nothing(post: Post) -> None:
    post.mail.behaviour["refusing.test"] = "refuse"
    send.submit(post.p, post.submission(ANN, ["a@refusing.test"]))
    post.p.directory.table.delete({"pk": f"ACCOUNT#{post.accounts[ANN].id}", "sk": "META"})
    post.settle()
    assert list(post.p.outbox.open_since(post.clock.now())) == []


FLOWS = st.tuples(st.randoms(use_true_random=False), st.integers(0, 3))


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FLOWS)
def test_every_event_five_times_in_any_order_leaves_the_same_state(
    post: Post, flow: tuple[Random, int]
) -> None:
    random, recovers = flow
    post.flows += 1
    id = f"f{post.flows}"
    post.mail.behaviour |= {"refusing.test": "refuse", f"{id}.asleep.test": "defer"}
    everybody = [
        "bob@x.test",
        "nobody@x.test",
        f"{id}@refusing.test",
        f"{id}@far.test",
        f"{id}@{id}.asleep.test",
    ]
    send.submit(post.p, post.submission(ANN, everybody, id=id))
    post.settle(timedelta(hours=3 * recovers, minutes=30), random, copies=5)
    post.mail.behaviour[f"{id}.asleep.test"] = "accept"
    post.settle(random=random, copies=5)
    assert sum(f"subject of {id}\r\n".encode() in raw for raw in post.inbox("bob@x.test")) == 1
    assert post.mail.delivered.count(f"{id}@far.test") == 1
    assert post.mail.delivered.count(f"{id}@{id}.asleep.test") == 1
    bounces = [named(raw) for raw in post.inbox(ANN) if f"{id}@refusing.test" in named(raw)]
    assert [sorted(b) for b in bounces] == [sorted(["nobody@x.test", f"{id}@refusing.test"])]
    assert post.states(id) == dict(
        zip(everybody, ["delivered", "failed", "failed", "delivered", "delivered"], strict=True)
    )
    assert list(post.p.outbox.open_since(post.clock.now())) == []
