"""Whether a mailbox answers by itself: S22, RFC 3834."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import autoreply
from chalicelib.rules.autoreply import Asking, AutoReply
from chalicelib.rules.figures import MB
from chalicelib.rules.values import Account, Away, Verdicts

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BOB = Account("a2", "bob@x.test", "x.test", 250 * MB, away=Away())
ASKING = Asking("zoe@far.test", False, {"bob@x.test"}, Verdicts(sender_authentic=True))
OWN = {"bob@x.test", "robert@x.test"}


def test_S22_a_person_who_named_the_mailbox_is_answered() -> None:
    assert autoreply.answers(BOB, OWN, ASKING, NOW)
    assert autoreply.answers(BOB, OWN, replace(ASKING, named={"robert@x.test"}), NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"automatic": True},
        {"named": {"team@x.test"}},
        {"named": ()},
        {"sender": ""},
        {"sender": "bob@x.test"},
        {"verdicts": Verdicts(sender_authentic=False)},
        {"verdicts": Verdicts(spam="FAIL", sender_authentic=True)},
    ],
    ids=["machine", "not named", "nobody named", "null sender", "itself", "forged", "spam"],
)
def test_S22_nobody_else_is(changes: dict[str, object]) -> None:
    assert not autoreply.answers(BOB, OWN, replace(ASKING, **changes), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("local", sorted(autoreply.MACHINES | {"MAILER-DAEMON", "DoNotReply"}))
def test_S22_names_behind_which_nobody_reads(local: str) -> None:
    assert not autoreply.answerable(f"{local}@far.test")


@pytest.mark.parametrize(
    "local", ["owner-team", "team-owner", "team-request", "bounces+abc", "bounce-1", "orders-noreply"]
)
def test_S22_names_of_lists_and_return_paths(local: str) -> None:
    assert not autoreply.answerable(f"{local}@far.test")


@pytest.mark.parametrize("sender", ["owner@far.test", "requests@far.test", "noreplyman@far.test"])
def test_S22_people_with_such_names_are_answered(sender: str) -> None:
    assert autoreply.answerable(sender)


@pytest.mark.parametrize("text", ["", "zoe", "@far.test", "zoe@"])
def test_what_is_no_address_is_not_answered(text: str) -> None:
    assert not autoreply.answerable(text)


def test_it_answers_from_the_first_moment_to_before_the_last() -> None:
    second = timedelta(seconds=1)
    away = Away(NOW, NOW + timedelta(days=1))
    assert not autoreply.on(away, NOW - second)
    assert autoreply.on(away, NOW)
    assert autoreply.on(away, NOW + timedelta(days=1) - second)
    assert not autoreply.on(away, NOW + timedelta(days=1))
    assert not autoreply.on(None, NOW)


@pytest.mark.parametrize("holder", ["operator", "reseller", "guard"])
def test_S31_a_suspended_or_paused_mailbox_answers_nobody(holder: str) -> None:
    assert not autoreply.answers(replace(BOB, holds=frozenset({holder})), OWN, ASKING, NOW)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)))
def test_S22_once_per_sender_and_7_days(passed: timedelta) -> None:
    assert autoreply.due(NOW, NOW + passed) is (passed >= timedelta(days=7))
    assert autoreply.due(None, NOW)


def test_the_subject_is_its_own_or_says_that_it_is_automatic() -> None:
    assert autoreply.subject_of(AutoReply(subject="Away"), "hello") == "Away"
    assert autoreply.subject_of(AutoReply(), "hello") == "Auto: hello"
    assert autoreply.subject_of(AutoReply(), "") == "Auto:"
