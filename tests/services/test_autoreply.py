"""Auto-replies as they are sent: S22, RFC 3834."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from chalicelib.rules.autoreply import UNSAID, AutoReply
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import SYSTEM
from chalicelib.services import addresses, autoreply, send
from tests.services.post import Post, letter

BOB, ZOE = "bob@x.test", "zoe@far.test"
AWAY = AutoReply(True, subject="", text="Back on Monday. Grüße\n")


def away(post: Post, reply: AutoReply = AWAY) -> None:
    autoreply.set_(post.p, SYSTEM, post.accounts[BOB], reply)


def hello(subject: str = "hello", to: str = BOB, **headers: str) -> bytes:
    return letter(ZOE, [to], subject, **headers)


def test_S22_a_sender_is_answered_once_in_seven_days(post: Post) -> None:
    away(post)
    for number, day in enumerate((0, 1, 6, 7)):
        post.clock.advance(days=day - post.flows)
        post.flows = day
        post.arrive(hello(), BOB, ses_id=f"in{number}")
    assert [c.recipients for c in post.mail.calls] == [(ZOE,)] * 2
    assert len(post.inbox(BOB)) == 4


def test_RFC3834_the_answer_says_what_it_is(post: Post) -> None:
    away(post)
    post.arrive(hello("lunch"), BOB)
    [call] = post.mail.calls
    assert call.sender == "mailer-daemon@x.test"
    seen = message_from_bytes(call.raw, policy=default)
    assert seen["Subject"] == "Auto: lunch"
    assert seen["From"] == BOB
    assert seen["To"] == ZOE
    assert seen["Auto-Submitted"] == "auto-replied"
    assert seen["In-Reply-To"] == seen["References"] == "<lunch@far.test>"
    body = seen.get_body()
    assert body is not None
    assert "Grüße" in body.get_content()


def test_S22_where_nothing_is_written_something_is_said(post: Post) -> None:
    """RFC 8621 §8: the text is made when it answers."""
    away(post, AutoReply(True))
    post.arrive(hello(), BOB)
    assert UNSAID.encode() in post.mail.calls[0].raw
    assert autoreply.get(post.p, post.accounts[BOB]).text == ""


@pytest.mark.parametrize(
    ("raw", "how"),
    [
        (hello(List_Id="<l.far.test>"), {}),
        (hello(Precedence="bulk"), {}),
        (hello(Auto_Submitted="auto-generated"), {}),
        (hello(), {"source": ""}),
        (hello(), {"source": "noreply@far.test"}),
        (hello(to="else@x.test"), {}),
        (hello(), {"spam": "FAIL"}),
        (hello(), {"spf": "FAIL", "dkim": "FAIL"}),
    ],
    ids=["list", "bulk", "machine", "null sender", "noreply", "not named", "spam", "forged"],
)
def test_S22_lists_machines_spam_and_strangers_are_not_answered(
    post: Post, raw: bytes, how: dict[str, str]
) -> None:
    away(post)
    post.arrive(raw, BOB, **how)
    assert post.mail.calls == []


def test_S22_two_mailboxes_away_do_not_answer_each_other(post: Post) -> None:
    away(post)
    autoreply.set_(post.p, SYSTEM, post.accounts["ann@x.test"], AWAY)
    send.submit(post.p, post.submission("ann@x.test", [BOB]))
    post.settle()
    assert len(post.inbox(BOB)) == 1
    [answer] = post.inbox("ann@x.test")
    assert b"auto-replied" in answer


def test_S22_all_is_answered_by_nobody_and_an_alias_is(post: Post) -> None:
    away(post)
    send.submit(post.p, post.submission("ann@x.test", ["all@x.test"]))
    post.settle()
    assert len(post.inbox("ann@x.test")) == 1
    domain = post.p.directory.domain("x.test")
    assert domain
    addresses.put_alias(post.p, SYSTEM, domain, "robert", "bob")
    post.arrive(hello(to="Robert@x.test"), "robert@x.test")
    assert len(post.mail.calls) == 1


def test_S22_S32_a_catch_all_and_a_suspended_domain_answer_nobody(post: Post) -> None:
    away(post)
    domain = post.p.directory.domain("x.test")
    assert domain
    addresses.set_unknown(post.p, SYSTEM, domain, "deliver", "bob")
    post.arrive(hello(to="typo@x.test"), "typo@x.test")
    assert post.p.directory.change_domain("x.test", {"holds": {"operator"}}, given={})
    post.arrive(hello(), BOB, ses_id="in2")
    assert len(post.inbox(BOB)) == 2
    assert post.mail.calls == []


def test_it_answers_between_its_dates_only(post: Post) -> None:
    now = post.clock.now()
    away(post, AutoReply(True, now + timedelta(days=1), now + timedelta(days=2), text="Away"))
    for number in range(3):
        post.arrive(
            letter(f"p{number}@far.test", [BOB]), BOB, source=f"p{number}@far.test", ses_id=f"in{number}"
        )
        post.clock.advance(days=1)
    assert [c.recipients for c in post.mail.calls] == [("p1@far.test",)]


def test_off_keeps_its_text_and_answers_nobody(post: Post) -> None:
    away(post)
    away(post, AutoReply(False, text=AWAY.text))
    post.arrive(hello(), BOB)
    assert post.mail.calls == []
    assert autoreply.get(post.p, post.accounts[BOB]).text == AWAY.text


def test_a_crash_after_any_call_leaves_one_answer(post: Post) -> None:
    away(post)
    number = 0
    while True:
        number += 2
        sender, before = f"p{number}@far.test", post.crashes
        body = post.receive(letter(sender, [BOB]), BOB, ses_id=f"in{number}", source=sender)
        post.p.queues.send("https://q/plainpost-arrivals", body)
        post.fuse.left = number
        post.settle()
        post.fuse.left = None
        assert [c.recipients for c in post.mail.calls].count((sender,)) == 1, f"crash at {number}"
        if post.crashes == before:
            break
    assert number > 20


@pytest.mark.parametrize(
    ("reply", "pointer"),
    [
        (AutoReply(True, text="x" * 20_001), "/text"),
        (AutoReply(True, subject="x" * 201, text="x"), "/subject"),
    ],
)
def test_what_cannot_be_set(post: Post, reply: AutoReply, pointer: str) -> None:
    with pytest.raises(ServiceError) as caught:
        away(post, reply)
    assert [f.pointer for f in caught.value.faults] == [pointer]
