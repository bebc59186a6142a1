"""S27: fates of recipients, under any order and number of events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import delivery, sesevents
from chalicelib.rules.delivery import Chunk, Event, Fate, Finding
from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.values import RecipientStateName

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MS = delivery.milliseconds(START)
A, B = "ann@far.test", "bob@far.test"
DELAYED = Finding("deferred", status="4.4.1", reply="busy")
GIVEN_UP = Finding("deferred", True, "4.4.7", "expired")
REFUSED = Finding("failed", status="5.1.1", reply="no such user")
TAKEN = Finding("delivered", status="2.0.0", reply="ok")


def chunk(*addresses: str, **changes: Any) -> Chunk:
    """A chunk that was handed to SES at START."""
    fates = {a: Fate("sent") for a in addresses or (A, B)}
    return replace(Chunk("s1", 0, False, fates, "sent", 1, MS, "ses1"), **changes)


def event(findings: dict[str, Finding], attempt: int = 1, at: int = MS + 1000) -> Event:
    return Event("s1", 0, attempt, "ses1", at, findings)


def told(who: set[str], found: Finding, attempt: int, at: int) -> Event:
    """The same said of each."""
    return event(dict.fromkeys(sorted(who), found), attempt, MS + at)


FINDINGS = st.sampled_from(
    [Finding("sent"), DELAYED, GIVEN_UP, REFUSED, TAKEN, Finding("deferred", reply="x")]
)
EVENTS = st.lists(
    st.builds(
        told,
        st.sets(st.sampled_from([A, B, "stranger@far.test"])),
        FINDINGS,
        st.integers(1, 3),
        st.integers(0, 3),
    ),
    max_size=8,
)


@given(EVENTS, st.randoms(use_true_random=False), st.sampled_from([1, 2]))
def test_S27_events_lead_to_one_state_in_any_order_and_number(
    events: list[Event], random: Any, attempt: int
) -> None:
    began = chunk(attempt=attempt, fates={A: Fate("queued", attempt), B: Fate("sent", 1)}, phase="sending")

    def after(order: list[Event]) -> Chunk:
        state = began
        for one in order:
            state = delivery.apply(state, one)
        return state

    five_times = events * 5
    random.shuffle(five_times)
    assert after(five_times) == after(events)


def test_events_of_an_older_attempt_change_nothing() -> None:
    later = delivery.retry(
        delivery.apply(chunk(), event({A: GIVEN_UP, B: TAKEN})), DEFAULT, START + timedelta(hours=3)
    )
    assert later.fates[A] == Fate("queued", 2, False, "4.4.7", "expired")
    assert delivery.apply(later, event({A: REFUSED})) == later


def test_any_event_proves_that_the_call_was_made() -> None:
    begun = chunk(phase="sending", ses_id="", fates={A: Fate()})
    healed = delivery.apply(begun, event({A: Finding("sent")}))
    assert (healed.phase, healed.ses_id, healed.fates[A].state) == ("sent", "ses1", "sent")
    assert delivery.apply(begun, event({A: Finding("sent")}, attempt=2)).phase == "sending"


def test_addresses_match_in_any_case() -> None:
    assert delivery.apply(chunk(), event({A.upper(): TAKEN})).fates[A].state == "delivered"


def test_a_bounce_after_acceptance_is_a_failure_in_either_order() -> None:
    for order in ([TAKEN, REFUSED], [REFUSED, TAKEN]):
        state = chunk(A)
        for found in order:
            state = delivery.apply(state, event({A: found}))
        assert state.fates[A].state == "failed"


def test_a_call_with_no_end_is_waited_for_an_hour_before_it_is_made_again() -> None:
    begun = delivery.sending(chunk(phase="queued", fates={A: Fate()}), START)
    assert begun.phase == "sending"
    assert delivery.begin(begun, START + timedelta(minutes=59)) == "wait"
    assert delivery.begin(begun, START + timedelta(hours=1)) == "resend"
    again = delivery.sending(begun, START + timedelta(hours=1))
    assert (again.attempt, again.fates[A].attempt) == (2, 2)
    assert delivery.begin(chunk(), START) == "nothing"


def test_S27_the_next_attempt_is_three_hours_after_the_last_began() -> None:
    deferred = delivery.apply(chunk(), event({A: GIVEN_UP, B: TAKEN}))
    _, step = delivery.next_step(deferred, DEFAULT, START + timedelta(minutes=5))
    assert (step.action, step.at) == ("retry", START + timedelta(hours=3))
    late = START + timedelta(hours=4)
    assert delivery.next_step(deferred, DEFAULT, late)[1].at == late


def test_S27_a_repeated_retry_task_makes_no_second_attempt() -> None:
    deferred = delivery.apply(chunk(), event({A: GIVEN_UP, B: TAKEN}))
    assert delivery.retry(deferred, DEFAULT, START + timedelta(hours=2)) == deferred, "not due"
    due = START + timedelta(hours=3)
    second = delivery.retry(deferred, DEFAULT, due)
    assert delivery.included(second) == (A,)
    assert delivery.retry(second, DEFAULT, due) == second, "it waits in the queue already"
    called = delivery.apply(delivery.sending(second, due), event({A: GIVEN_UP}, attempt=2))
    assert delivery.retry(called, DEFAULT, due) == called, "not due again"


def test_S27_24_retries_and_then_failure() -> None:
    now, state = START, chunk(A)
    for attempt in range(1, 25):
        state = delivery.apply(state, event({A: GIVEN_UP}, attempt))
        same, step = delivery.next_step(state, DEFAULT, now)
        assert (same, step.action) == (state, "retry")
        now = step.at
        state = delivery.sending(delivery.retry(state, DEFAULT, now), now)
        assert state.attempt == attempt + 1
    assert now == START + timedelta(days=3)
    state = delivery.apply(state, event({A: GIVEN_UP}, 25))
    failed, step = delivery.next_step(state, DEFAULT, now)
    assert step.action == "done"
    assert (failed.fates[A].state, failed.fates[A].status, failed.fates[A].reply) == (
        "failed",
        "4.4.7",
        "expired",
    )
    assert not failed.running


def test_nothing_deferred_is_done() -> None:
    done, step = delivery.next_step(chunk(running=True), DEFAULT, START)
    assert (step.action, done.running, done.runs) == ("done", False, 1)
    assert delivery.machine_name(chunk()) == "s1-0"
    assert delivery.machine_name(done) == "s1-0-1"


def test_an_attempt_still_in_the_queue_is_waited_for() -> None:
    _, step = delivery.next_step(chunk(phase="queued"), DEFAULT, START)
    assert (step.action, step.at) == ("retry", START + timedelta(minutes=15))


def test_an_attempt_has_ended_when_all_it_included_have() -> None:
    mixed = chunk(fates={A: Fate("delivered", 1), B: Fate("sent", 2)}, attempt=2)
    assert not delivery.ended(mixed)
    assert not delivery.ended(delivery.apply(mixed, event({B: DELAYED}, 2))), "SES still tries"
    assert delivery.ended(delivery.apply(mixed, event({B: GIVEN_UP}, 2)))
    assert not delivery.ended(chunk(phase="sending"))


def test_the_first_deferral_calls_for_the_machine_once() -> None:
    assert not delivery.wants_machine(chunk())
    deferred = delivery.apply(chunk(), event({A: DELAYED}))
    assert delivery.wants_machine(deferred)
    assert not delivery.wants_machine(replace(deferred, running=True))
    assert not delivery.wants_machine(replace(deferred, local=True))


def fates(*states: RecipientStateName, attempt: int = 1) -> Chunk:
    return chunk(fates={f"r{i}@far.test": Fate(s, attempt) for i, s in enumerate(states)}, attempt=attempt)


def test_S27_failures_are_reported_once_everybody_has_a_first_outcome() -> None:
    assert not delivery.to_report([fates("failed"), fates("sent")], 0, START)
    assert not delivery.to_report([fates("failed"), fates("queued")], 0, START)
    assert delivery.to_report([fates("failed", "delivered"), fates("deferred")], 0, START)
    assert delivery.to_report([fates("failed", "delivered")], 0, START)
    assert not delivery.to_report([fates("delivered"), fates("deferred")], 0, START)


def test_S27_those_that_fail_later_are_reported_when_all_is_settled() -> None:
    told = delivery.report(fates("failed", "deferred"), 1)
    assert not delivery.to_report([told], 1, START)
    later = replace(told, fates={**told.fates, "r1@far.test": Fate("failed")})
    assert delivery.unreported(later) == ("r1@far.test",)
    assert not delivery.to_report([later, fates("deferred")], 1, START)
    assert delivery.to_report([later, fates("delivered")], 1, START)
    assert not delivery.to_report([delivery.report(later, 2)], 2, START)


def test_a_recipient_under_retry_had_its_first_outcome() -> None:
    assert delivery.to_report([fates("failed"), fates("sent", attempt=2)], 0, START)


def test_a_recipient_of_whom_nothing_is_heard_holds_nobody_up_for_ever() -> None:
    pair = [fates("failed"), fates("sent")]
    assert not delivery.to_report(pair, 0, START + timedelta(hours=3, minutes=59))
    assert delivery.to_report(pair, 0, START + timedelta(hours=4))


# --------------------------------------------------------------------------------- SES's events, read
def ses(kind: str, detail: dict[str, Any], **mail: Any) -> dict[str, Any]:
    """An event publishing record with our tags."""
    tags = {"submission": ["s1"], "chunk": ["0"], "attempt": ["2"]}
    base = {"messageId": "ses1", "timestamp": "2026-03-02T09:00:00.000Z", "destination": [A], "tags": tags}
    return {"eventType": kind, "mail": {**base, **mail}, kind[0].lower() + kind[1:]: detail}


def bounce(kind: str, subtype: str) -> Finding:
    recipient = {"emailAddress": A, "action": "failed", "status": "4.2.2", "diagnosticCode": "smtp; full"}
    read = sesevents.read(
        ses("Bounce", {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [recipient]})
    )
    assert read
    return read.findings[A]


@pytest.mark.parametrize(
    ("kind", "subtype", "again"),
    [
        ("Permanent", "General", False),
        ("Permanent", "NoEmail", False),
        ("Permanent", "Suppressed", False),
        ("Permanent", "OnAccountSuppressionList", False),
        ("Transient", "General", True),
        ("Transient", "MailboxFull", True),
        ("Transient", "MessageTooLarge", False),
        ("Transient", "ContentRejected", False),
        ("Transient", "AttachmentRejected", False),
        ("Undetermined", "Undetermined", True),
    ],
)
def test_which_bounces_are_worth_another_try(kind: str, subtype: str, again: bool) -> None:
    found = bounce(kind, subtype)
    assert (found.state, found.ended) == (("deferred", True) if again else ("failed", False))
    assert (found.status, found.reply) == ("4.2.2", "smtp; full")


def test_a_delay_is_a_deferral_that_SES_is_still_working_on() -> None:
    detail = {"delayedRecipients": [{"emailAddress": A, "status": "4.4.1", "diagnosticCode": "later"}]}
    read = sesevents.read(ses("DeliveryDelay", detail))
    assert read
    assert read.findings == {A: Finding("deferred", False, "4.4.1", "later")}
    assert (read.submission, read.chunk, read.attempt, read.ses_id, read.at) == ("s1", 0, 2, "ses1", MS)


def test_a_rejected_message_failed_for_all() -> None:
    read = sesevents.read(ses("Reject", {"reason": "Bad content"}, destination=[A, B]))
    assert read
    assert {f.state for f in read.findings.values()} == {"failed"}
    assert set(read.findings) == {A, B}


def test_S30_a_complaint_is_kept_beside_the_delivery() -> None:
    read = sesevents.read(ses("Complaint", {"complainedRecipients": [{"emailAddress": A}]}))
    assert read
    after = delivery.apply(chunk(), read)
    assert (after.fates[A].state, after.fates[A].complained) == ("sent", True)
    assert not after.fates[B].complained


@pytest.mark.parametrize(
    "tags", [{}, {"submission": ["s1"]}, {"submission": ["s"], "chunk": ["x"], "attempt": ["1"]}]
)
def test_events_of_other_mail_are_nobodys(tags: dict[str, list[str]]) -> None:
    assert sesevents.read(ses("Send", {}, tags=tags)) is None
    assert sesevents.read({"eventType": "Rendering Failure"}) is None
