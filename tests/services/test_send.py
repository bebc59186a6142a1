"""Mail goes out: S5, S9, S19 to S21, S26, and nothing twice whatever crashes."""

from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest

from chalicelib.aws.mail import Paused, Rejected, Throttled, Unclear
from chalicelib.rules import delivery
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.values import Envelope
from chalicelib.services import cleanup, fanout, send, submissions
from tests.services.post import Crash, Post, letter

ANN = "ann@x.test"


def refused(kind: str) -> "pytest.RaisesExc[ServiceError]":
    """An error of that kind."""
    return pytest.RaisesExc(ServiceError, check=lambda e: e.kind == kind)


def test_S26_local_recipients_are_delivered_here_and_all_others_go_out(post: Post) -> None:
    post.domain("pending.test", "pending")
    post.account("eve@pending.test")
    send.submit(post.p, post.submission(ANN, ["bob@x.test", "zoe@far.test", "eve@pending.test"]))
    post.settle()
    assert len(post.inbox("bob@x.test")) == 1
    assert post.inbox("eve@pending.test") == [], "S5: a pending domain is not local"
    [call] = post.mail.calls
    assert call.recipients == ("zoe@far.test", "eve@pending.test")
    assert call.sender == ANN
    assert call.tags == {"submission": "s1", "chunk": "1", "attempt": "1"}
    assert set(post.states().values()) == {"delivered"}


def test_S20_250_recipients_take_five_calls_and_251_are_refused(post: Post) -> None:
    everybody = [f"p{i}@far.test" for i in range(251)]
    with refused("too_many_recipients"):
        send.submit(post.p, post.submission(ANN, everybody))
    send.submit(post.p, post.submission(ANN, everybody[:250]))
    post.settle()
    assert [len(c.recipients) for c in post.mail.calls] == [50] * 5
    assert sorted(post.mail.delivered) == sorted(everybody[:250])
    assert set(post.states().values()) == {"delivered"}


def test_S19_25_MB_go_out_and_a_byte_more_does_not(post: Post) -> None:
    text = (b"z" * 76 + b"\r\n") * (25 * MB // 78 + 1)
    raw = (letter(ANN, ["zoe@far.test"]) + text)[: 25 * MB]
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"], raw=raw))
    with refused("too_large"):
        send.submit(post.p, post.submission(ANN, ["zoe@far.test"], id="s2", raw=raw + b"z"))
    with refused("too_large"):
        send.submit(post.p, replace(post.submission(ANN, ["zoe@far.test"], id="s3", raw=raw + b"z"), size=5))
    post.settle()
    assert len(post.mail.calls) == 1


def test_S21_ten_a_minute_from_webmail_and_a_repeat_does_not_count(post: Post) -> None:
    for number in range(10):
        one = post.submission(ANN, ["bob@x.test"], id=f"s{number}", source="webmail")
        assert send.submit(post.p, one) == send.submit(post.p, one)
    eleventh = post.submission(ANN, ["bob@x.test"], id="s10", source="webmail")
    with refused("rate_limited") as caught:
        send.submit(post.p, eleventh)
    assert caught.value.extra["retry_after"] == 60
    assert send.submit(post.p, post.submission(ANN, ["bob@x.test"], id="s9", source="webmail")).id == "s9"
    send.submit(post.p, post.submission(ANN, ["bob@x.test"], id="by-smtp"))
    post.clock.advance(seconds=60)
    send.submit(post.p, eleventh)
    post.settle()
    assert len(post.inbox("bob@x.test")) == 12


def test_S21_the_count_is_exact_when_another_message_is_quicker(post: Post) -> None:
    for number in range(9):
        send.submit(post.p, post.submission(ANN, ["bob@x.test"], id=f"s{number}", source="webmail"))
    create, quick = post.p.outbox.create, post.submission(ANN, ["bob@x.test"], id="quick", source="webmail")
    pending = [quick]

    def overtaken(*args: object) -> None:
        if pending:
            send.submit(post.p, pending.pop())
        create(*args)  # type: ignore[arg-type]

    with mock.patch.object(post.p.outbox, "create", overtaken), refused("rate_limited"):
        send.submit(post.p, post.submission(ANN, ["bob@x.test"], id="slow", source="webmail"))
    assert submissions.status(post.p, post.accounts[ANN].id, ["slow"]) == []


def test_nobody_sends_under_an_address_that_is_not_theirs(post: Post) -> None:
    with refused("forbidden_from"):
        send.submit(
            post.p, post.submission(ANN, ["zoe@far.test"], raw=letter("bob@x.test", ["zoe@far.test"]))
        )
    sender = post.submission(ANN, ["zoe@far.test"])
    with refused("forbidden_from"):
        send.submit(post.p, replace(sender, envelope=Envelope("bob@x.test", sender.envelope.recipients)))
    forged = letter(ANN, ["zoe@far.test"], Sender="ceo@elsewhere.test")
    with refused("forbidden_from"):
        send.submit(post.p, post.submission(ANN, ["zoe@far.test"], raw=forged))
    twice = b"From: bob@x.test\r\n" + letter(ANN, ["zoe@far.test"])
    for source in ("smtp", "webmail"):
        with refused("invalid_message"):
            send.submit(post.p, post.submission(ANN, ["zoe@far.test"], raw=twice, source=source))
    tagged = post.submission(ANN, ["zoe@far.test"])
    send.submit(post.p, replace(tagged, envelope=Envelope("Ann+tag@x.test", tagged.envelope.recipients)))


def test_S31_an_account_suspended_since_it_signed_in_does_not_send(post: Post) -> None:
    signed_in = post.submission(ANN, ["zoe@far.test"])
    post.account(ANN, admin=True, holds=frozenset({"operator"}))
    with refused("account_suspended"):
        send.submit(post.p, signed_in)


def test_attachments_that_SES_refuses_are_told_before(post: Post) -> None:
    raw = letter(ANN, ["zoe@far.test"]).replace(b"text/plain", b'application/x; name="run.exe"')
    with refused("forbidden_attachment"):
        send.submit(post.p, post.submission(ANN, ["zoe@far.test"], raw=raw))


def test_S25_a_known_virus_does_not_go_out_nor_round(post: Post) -> None:
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
    with refused("virus"):
        raw = letter(ANN, ["bob@x.test"]) + eicar + b"\r\n"
        send.submit(post.p, post.submission(ANN, ["bob@x.test"], raw=raw))


def test_Bcc_and_headers_that_steer_SES_reach_nobody(post: Post) -> None:
    raw = letter(
        ANN,
        ["zoe@far.test"],
        Bcc="bob@x.test",
        X_SES_Configuration_Set="theirs",
        Return_Path="<a@b.test>",
        X_Report_Reference="v1.another.0123456789abcdef0123456789abcdef",
    )
    send.submit(post.p, post.submission(ANN, ["zoe@far.test", "bob@x.test"], raw=raw))
    post.settle()
    stamp, _, sent = post.mail.calls[0].raw.partition(b"\r\n")
    assert stamp.startswith(b"X-Report-Reference: v1.s1.")
    for seen in (sent, *post.inbox("bob@x.test")):
        assert seen == letter(ANN, ["zoe@far.test"])
    assert post.p.blobs.get("own/s1-draft") == raw, "the sender's own copy keeps them"
    post.clock.advance(days=20)
    cleanup.run(post.p)
    assert post.p.blobs.head("own/s1-draft") is None, "no email of the sender held it"
    assert post.p.blobs.head("own/s1-sent") is not None, "a mailbox here holds it"


def test_SES_gets_seven_bit_lines_and_mailboxes_here_get_what_was_sent(post: Post) -> None:
    raw = letter(ANN, []).replace(b"Hello.", "Grüße".encode())
    send.submit(post.p, post.submission(ANN, ["zoe@far.test", "bob@x.test"], raw=raw))
    post.settle()
    assert post.mail.calls[0].raw.isascii()
    assert post.inbox("bob@x.test") == [raw]


def test_S9_an_admin_reaches_all_and_nobody_else_does(post: Post) -> None:
    send.submit(post.p, post.submission(ANN, ["all@x.test"]))
    send.submit(post.p, post.submission("bob@x.test", ["all@x.test"], id="s2"))
    post.settle()
    assert len(post.inbox(ANN)) == 1
    [sent, bounce] = post.inbox("bob@x.test")
    assert b"subject of s1" in sent
    assert b"5.7.2" in bounce


def test_S9_a_large_domain_is_reached_through_the_queue_once_each(post: Post) -> None:
    names = [f"u{i}@x.test" for i in range(7)]
    for name in names:
        post.account(name)
    with mock.patch.object(fanout, "FAN_OUT", 4):
        send.submit(post.p, post.submission(ANN, ["all@x.test", "u3@x.test"]))
        post.settle(copies=3)
    assert [len(post.inbox(name)) for name in [ANN, "bob@x.test", *names]] == [1] * 9
    assert set(post.states().values()) == {"delivered"}


def test_a_throttled_call_comes_again_and_counts_as_no_attempt(post: Post) -> None:
    post.mail.errors = [Throttled("slow down")] * 3
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    post.settle()
    [call] = post.mail.calls
    assert call.tags["attempt"] == "1"
    assert post.states() == {"zoe@far.test": "delivered"}
    assert not post.workflows.executions


def test_a_paused_account_is_a_deferral(post: Post) -> None:
    post.mail.errors = [Paused("paused")]
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    post.settle()
    assert [c.tags["attempt"] for c in post.mail.calls] == ["2"]
    assert post.states() == {"zoe@far.test": "delivered"}


def test_a_refused_message_bounces_at_once(post: Post) -> None:
    post.mail.errors = [Rejected("MessageRejected: Email address is not verified")]
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    post.settle()
    assert post.states() == {"zoe@far.test": "failed"}
    [bounce] = post.inbox(ANN)
    assert b"5.6.0" in bounce
    assert b"verified" not in bounce, "S1: SES's words are for the operator"


def test_a_call_whose_end_nobody_saw_is_made_again_after_an_hour_of_silence(post: Post) -> None:
    post.mail.errors = [Unclear("read time-out")]
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    post.settle(timedelta(minutes=59))
    assert post.mail.calls == []
    post.settle()
    assert [c.tags["attempt"] for c in post.mail.calls] == ["2"]
    assert post.states() == {"zoe@far.test": "delivered"}


def test_a_submission_of_another_account_is_not_shown_or_taken_over(post: Post) -> None:
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    assert submissions.status(post.p, post.accounts["bob@x.test"].id, ["s1"]) == []
    with refused("conflict"):
        send.submit(post.p, post.submission("bob@x.test", ["zoe@far.test"]))


def test_submissions_are_listed_newest_first(post: Post) -> None:
    for number in range(3):
        send.submit(post.p, post.submission(ANN, ["zoe@far.test"], id=f"s{number}"))
        post.clock.advance(seconds=1)
    own = post.accounts[ANN].id
    listed = submissions.status(post.p, own, [row.id for row in submissions.listed(post.p, own, 100)])
    assert [s.id for s in listed] == ["s2", "s1", "s0"]
    assert listed[0].envelope == Envelope(ANN, ("zoe@far.test",))


def test_the_services_own_notices_have_no_rate_and_no_bounce(post: Post) -> None:
    for number in range(12):
        raw = letter("no-reply@x.test", ["bob@x.test"], f"notice {number}")
        notice = post.submission(
            "no-reply@x.test", ["bob@x.test", "nobody@x.test"], id=f"n{number}", source="notice", raw=raw
        )
        send.submit(post.p, notice)
    post.settle()
    assert len(post.inbox("bob@x.test")) == 12


def test_what_nobody_queued_is_taken_up_by_the_hourly_look(post: Post) -> None:
    post.mail.behaviour["refusing.test"] = "refuse"
    number = 0
    while True:
        number += 1
        id = f"s{number}"
        one = post.submission(ANN, ["bob@x.test", f"{id}@far.test", f"{id}@refusing.test"], id=id)
        post.fuse.left = number
        try:
            send.submit(post.p, one)
        except Crash:
            crashed = True
        else:
            crashed = False
        post.fuse.left = None
        post.clock.advance(hours=1)
        kept = submissions.status(post.p, post.accounts[ANN].id, [id])
        send.mend(post.p)
        post.settle()
        expected = 1 if kept else 0
        assert post.mail.delivered.count(f"{id}@far.test") == expected
        assert sum(f"subject of {id}\r\n".encode() in raw for raw in post.inbox("bob@x.test")) == expected
        assert sum(f"{id}@refusing.test".encode() in raw for raw in post.inbox(ANN)) == expected
        if not crashed:
            break
    assert number >= 6
    assert list(post.p.outbox.open_since(post.clock.now())) == [], "settled submissions are looked at no more"


def test_a_crash_after_any_call_of_the_whole_flow_leaves_one_message_and_one_bounce(post: Post) -> None:
    post.mail.behaviour["refusing.test"] = "refuse"
    number = 0
    while True:
        number += 1
        id, before = f"s{number}", post.crashes
        send.submit(
            post.p, post.submission(ANN, ["bob@x.test", f"{id}@far.test", f"{id}@refusing.test"], id=id)
        )
        post.fuse.left = number
        post.settle()
        post.fuse.left = None
        assert post.mail.delivered.count(f"{id}@far.test") == 1, f"crash at {number}"
        assert sum(f"subject of {id}\r\n".encode() in raw for raw in post.inbox("bob@x.test")) == 1
        assert sum(f"{id}@refusing.test".encode() in raw for raw in post.inbox(ANN)) == 1
        assert set(post.states(id).values()) == {"delivered", "failed"}
        if post.crashes == before:
            break
        post.clock.advance(minutes=10)  # else this looks like a stolen mailbox
    assert number > 25
    assert list(post.p.outbox.open_since(post.clock.now())) == []


def test_only_the_chunk_record_decides_whether_a_call_is_made(post: Post) -> None:
    send.submit(post.p, post.submission(ANN, ["zoe@far.test"]))
    chunk = post.p.outbox.chunk("s1", 0)
    assert chunk
    send.dispatch(post.p, [chunk] * 4)
    post.settle()
    assert len(post.mail.calls) == 1
    after = post.p.outbox.chunk("s1", 0)
    assert after
    assert delivery.begin(after, post.clock.now()) == "nothing"
