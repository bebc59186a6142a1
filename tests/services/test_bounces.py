"""S28: bounces to the outside, at most one per arrival; SES takes one a second for a day."""

from datetime import timedelta

import pytest

from chalicelib.aws.mail import Paused, Rejected, Throttled, Unclear
from chalicelib.events.arrivals import arrival
from chalicelib.services import bounces, receive
from tests.services.post import Post, letter

HELLO = letter("zoe@far.test", ["nobody@x.test"])


def ask(post: Post) -> dict[str, object]:
    """An arrival that bounces, and the queued wish to say so."""
    receive.arrive(post.p, arrival(post.receive(HELLO, "nobody@x.test")))
    [message] = post.queues.messages
    return message.body


def test_the_wish_says_who_failed_and_why(post: Post) -> None:
    assert ask(post) == {
        "original": "in1",
        "sender": "zoe@far.test",
        "from_domain": "x.test",
        "recipients": [{"address": "nobody@x.test", "status": "5.1.1", "diagnostic": "no such mailbox"}],
    }


@pytest.mark.parametrize("error", [Throttled("slow"), Paused("paused")])
def test_a_bounce_that_was_not_taken_comes_again(post: Post, error: Exception) -> None:
    ask(post)
    post.mail.errors = [error] * 7
    post.settle()
    assert len(post.mail.told) == 1


@pytest.mark.parametrize("error", [Rejected("no"), Unclear("time-out")])
def test_a_bounce_that_may_have_gone_out_is_not_repeated(post: Post, error: Exception) -> None:
    body = ask(post)
    post.mail.errors = [error]
    post.settle()
    bounces.send(post.p, body)
    assert post.mail.told == []


def test_after_a_day_nobody_is_told(post: Post) -> None:
    body = ask(post)
    post.queues.messages = []
    post.clock.advance(hours=24, seconds=1)
    bounces.send(post.p, body)
    assert post.mail.told == []


def test_a_wish_of_no_arrival_is_let_go(post: Post) -> None:
    bounces.send(post.p, {"original": "x", "sender": "s", "from_domain": "d", "recipients": []})
    assert post.mail.told == []
    assert timedelta(hours=24) == bounces.BOUNCE_LIFE
