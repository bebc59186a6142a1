"""Mail comes in: S9, S17, S19, S25, S28, S31, and nothing twice."""

from dataclasses import replace
from random import Random
from typing import Any
from unittest import mock

import pytest

from chalicelib.aws.table import Busy
from chalicelib.events.arrivals import arrival
from chalicelib.rules.figures import MB
from chalicelib.services import deposit, mailbox, receive, send
from chalicelib.services.platform import Platform
from tests.services.post import Crash, Post, letter

HELLO = letter("zoe@far.test", ["else@far.test"])


def test_a_message_is_kept_byte_for_byte_for_each_envelope_recipient(post: Post) -> None:
    post.arrive(HELLO, "bob@x.test", "Ann+news@x.test")
    assert post.inbox("bob@x.test") == post.inbox("ann@x.test") == [HELLO]
    assert post.mail.told == []


def test_S17_246_of_250_MB_and_6_more_is_refused_and_the_sender_told(post: Post) -> None:
    post.fill("bob@x.test", 246 * MB)
    big = letter("zoe@far.test", ["bob@x.test"], text="x" * 70 + "\n") + b"y" * 76 + b"\r\n"
    big += (b"z" * 76 + b"\r\n") * (6 * MB // 78)
    post.arrive(big, "bob@x.test", "ann@x.test")
    assert post.inbox("bob@x.test") == []
    assert len(post.inbox("ann@x.test")) == 1
    [told] = post.mail.told
    assert (told.original, told.sender, told.mta) == (
        "in1",
        "mailer-daemon@x.test",
        "inbound.x.test.emailmx.test",
    )
    assert [(r.address, r.status, r.text) for r in told.recipients] == [
        ("bob@x.test", "5.2.2", "quota exceeded")
    ]


def test_S17_246_of_250_MB_and_3_more_is_delivered(post: Post) -> None:
    post.fill("bob@x.test", 246 * MB)
    big = HELLO + (b"z" * 76 + b"\r\n") * (3 * MB // 78)
    post.arrive(big, "bob@x.test")
    assert post.inbox("bob@x.test") == [big]
    assert post.mail.told == []


def test_S19_above_25_MB_bounces(post: Post) -> None:
    post.arrive(HELLO + b"\r\n" * (25 * MB // 2), "bob@x.test")
    assert post.inbox("bob@x.test") == []
    assert [r.status for r in post.mail.told[0].recipients] == ["5.3.4"]


def test_an_unknown_address_bounces_and_the_others_are_delivered(post: Post) -> None:
    post.arrive(HELLO, "nobody@x.test", "bob@x.test", "stray@elsewhere.test")
    assert post.inbox("bob@x.test") == [HELLO]
    assert [(r.address, r.status) for r in post.mail.told[0].recipients] == [
        ("nobody@x.test", "5.1.1"),
        ("stray@elsewhere.test", "5.1.2"),
    ]


def test_S25_spam_goes_to_junk_and_its_verdict_is_kept(post: Post) -> None:
    post.arrive(HELLO, "bob@x.test", spam="FAIL")
    assert post.inbox("bob@x.test") == []
    assert post.inbox("bob@x.test", "junk") == [HELLO]
    bob = post.accounts["bob@x.test"].id
    [junk] = [f for f in mailbox.folders(post.p, bob) if f.role == "junk"]
    [row] = mailbox.page(post.p, bob, junk.id, 10).rows
    assert "$junk" in row.keywords
    assert mailbox.get(post.p, bob, [row.id])[row.id].verdicts.spam == "FAIL"


def test_S25_a_virus_is_neither_delivered_nor_answered_and_its_blob_goes(post: Post) -> None:
    post.arrive(HELLO, "bob@x.test", "nobody@x.test", virus="FAIL")
    assert post.inbox("bob@x.test") == post.inbox("bob@x.test", "junk") == []
    assert post.mail.told == []
    trace = post.p.outbox.trace("in1")
    assert trace
    assert trace.results["bob@x.test"]["result"] == "discarded"
    assert post.p.mailboxes.holders("in/in1") == []


def test_S31_a_suspended_account_still_receives(post: Post) -> None:
    post.account("carl@x.test", holds=frozenset({"operator"}))
    post.arrive(HELLO, "carl@x.test")
    assert post.inbox("carl@x.test") == [HELLO]


def test_S9_emailadmin_goes_to_every_admin_once(post: Post) -> None:
    post.account("dora@x.test", admin=True)
    post.arrive(HELLO, "emailadmin@x.test", "abuse@x.test", "ann@x.test")
    assert post.inbox("ann@x.test") == post.inbox("dora@x.test") == [HELLO]
    assert post.inbox("bob@x.test") == []


def test_S9_emailadmin_bounces_until_there_is_an_admin_or_when_all_are_full(post: Post) -> None:
    post.domain("y.test")
    post.arrive(HELLO, "emailadmin@y.test")
    assert [r.status for r in post.mail.told[0].recipients] == ["5.1.1"]
    post.fill("ann@x.test", 250 * MB)
    post.arrive(HELLO, "emailadmin@x.test", ses_id="in2")
    assert [r.status for r in post.mail.told[1].recipients] == ["5.2.2"]


def test_S9_all_is_closed_to_the_outside_even_under_an_admins_name(post: Post) -> None:
    post.arrive(HELLO, "all@x.test", source="ann@x.test")
    assert post.inbox("bob@x.test") == []
    assert [r.status for r in post.mail.told[0].recipients] == ["5.7.2"]


@pytest.mark.parametrize(
    ("raw", "changes"),
    [
        (HELLO, {"source": ""}),
        (HELLO, {"spf": "FAIL", "dkim": "FAIL"}),
        (letter("zoe@far.test", [], Auto_Submitted="auto-replied"), {}),
        (HELLO.replace(b"text/plain", b'multipart/report; boundary="x"'), {}),
    ],
    ids=["null sender", "forged", "auto-reply", "report"],
)
def test_S28_no_bounce_to_who_must_not_get_one(post: Post, raw: bytes, changes: dict[str, str]) -> None:
    post.arrive(raw, "nobody@x.test", **changes)
    assert post.mail.told == []


def test_a_reply_to_SESs_message_id_joins_its_conversation(post: Post) -> None:
    sent = post.submission("ann@x.test", ["zoe@far.test", "bob@x.test"])
    send.submit(post.p, sent)
    post.settle()
    ses_id = post.mail.calls[0].ses_id
    answer = letter(
        "zoe@far.test", [], f"Re: subject of {sent.id}", In_Reply_To=f"<{ses_id}@email.amazonses.com>"
    )
    post.arrive(answer, "bob@x.test")
    bob = post.accounts["bob@x.test"].id
    [inbox] = [f for f in mailbox.folders(post.p, bob) if f.role == "inbox"]
    rows = mailbox.page(post.p, bob, inbox.id, 10).rows
    assert len(rows) == 2
    assert len({row.thread for row in rows}) == 1
    email = mailbox.get(post.p, bob, [rows[0].id])[rows[0].id]
    assert email.in_reply_to == (f"{ses_id}@email.amazonses.com",), "shown as the header has it"


def test_one_bounce_however_often_the_notification_comes(post: Post) -> None:
    body = post.receive(HELLO, "nobody@x.test", "bob@x.test")
    for _ in range(5):
        receive.arrive(post.p, arrival(body))
    post.settle(random=Random(1), copies=5)
    assert len(post.mail.told) == 1
    assert post.inbox("bob@x.test") == [HELLO]


def test_a_repeat_after_room_was_made_does_not_deliver_what_was_bounced(post: Post) -> None:
    post.fill("bob@x.test", 250 * MB)
    body = post.receive(HELLO, "bob@x.test")
    receive.arrive(post.p, arrival(body))
    post.fill("bob@x.test", 0)
    receive.arrive(post.p, arrival(body))
    post.settle()
    assert post.inbox("bob@x.test") == []
    assert len(post.mail.told) == 1


def test_one_throttled_recipient_neither_loses_nor_repeats_the_others(post: Post) -> None:
    body = post.receive(HELLO, "ann@x.test", "bob@x.test", "nobody@x.test")
    keep: Any = deposit.keep

    def throttled(p: Platform, message: Any, where: Any) -> bool:
        if where.account.address == "ann@x.test":
            raise Busy("too fast")
        return bool(keep(p, message, where))

    with mock.patch.object(receive, "keep", throttled), pytest.raises(Busy):
        receive.arrive(post.p, arrival(body))
    assert post.inbox("bob@x.test") == [HELLO]
    assert post.mail.told == []
    receive.arrive(post.p, arrival(body))
    post.settle()
    assert post.inbox("ann@x.test") == post.inbox("bob@x.test") == [HELLO]
    assert len(post.mail.told) == 1


def test_a_crash_after_any_call_leaves_one_copy_each_and_one_bounce(post: Post) -> None:
    number = 0
    while True:
        number += 1
        ses_id, before = f"in{number}", post.crashes
        raw = letter("zoe@far.test", [], f"number {number}")
        body = post.receive(raw, "ann@x.test", "nobody@x.test", "bob@x.test", ses_id=ses_id)
        post.p.queues.send("https://q/plainpost-arrivals", body)
        post.fuse.left = number
        post.settle()
        post.fuse.left = None
        assert [t.original for t in post.mail.told].count(ses_id) <= 1
        assert post.inbox("ann@x.test").count(raw) == post.inbox("bob@x.test").count(raw) == 1
        if post.crashes == before:
            break
    told = {t.original for t in post.mail.told}
    missing = {f"in{i}" for i in range(1, number + 1)} - told
    assert len(missing) <= 1, (
        "only a crash between the claim and the call may cost a bounce, for none is sent twice"
    )
    assert number > 8


def test_a_crash_is_not_an_error_that_anything_handles(post: Post) -> None:
    post.fuse.left = 1
    with pytest.raises(Crash):
        receive.arrive(post.p, arrival(post.receive(HELLO, "bob@x.test")))


def test_results_are_kept_for_the_trace(post: Post) -> None:
    post.arrive(HELLO, "bob@x.test", "nobody@x.test", spam="FAIL")
    trace = post.p.outbox.trace("in1")
    assert trace
    assert {a: r["result"] for a, r in trace.results.items()} == {
        "bob@x.test": "junk",
        "nobody@x.test": "bounced",
    }
    assert replace(trace, results={}).bounce == "done"
