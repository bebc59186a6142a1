"""Aliases, forwards, lists, catch-all (S9, S20, S22, S26, S28): what comes, what goes on, nothing twice."""

from email import message_from_bytes
from email.policy import default
from typing import Any
from unittest import mock

import pytest

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import SYSTEM, Posting
from chalicelib.services import addresses, audit, fanout, members, send, traces
from tests.services.post import Post, letter

ANN, BOB, ZOE = "ann@x.test", "bob@x.test", "zoe@far.test"
HELLO = letter(ZOE, [BOB])


def domain(post: Post, name: str = "x.test") -> HostedDomain:
    found = post.p.directory.domain(name)
    assert found
    return found


def alias(post: Post, local: str, of: str) -> None:
    addresses.put_alias(post.p, SYSTEM, domain(post), local, of)


def forward(post: Post, local: str, *to: str) -> None:
    addresses.put_forward(post.p, SYSTEM, domain(post), local, to)


def mailing_list(post: Post, local: str, posting: Posting, *people: str, reply_to: Any = "sender") -> None:
    addresses.put_list(post.p, SYSTEM, domain(post), local, ("The team", posting, reply_to))
    members.replace_all(post.p, SYSTEM, domain(post), local, people)


def pass_on(post: Post, address: str, *to: str, keep: bool = True) -> None:
    changed = addresses.set_mailbox_forward(post.p, SYSTEM, post.accounts[address], to, keep)
    post.accounts[address] = changed


def told(post: Post) -> list[str]:
    return [f"{r.address} {r.status}" for t in post.mail.told for r in t.recipients]


def results(post: Post, id: str = "in1") -> dict[str, str]:
    trace = post.p.outbox.trace(id)
    assert trace
    return {a: r["result"] for a, r in trace.results.items()}


# ------------------------------------------------------------------------------------------------ aliases
def test_S22_an_alias_reaches_its_mailbox_in_any_case_and_with_a_tag(post: Post) -> None:
    alias(post, "robert", "bob")
    post.arrive(HELLO, "Robert+news@X.test")
    assert post.inbox(BOB) == [HELLO]


def test_S22_a_dot_makes_another_address(post: Post) -> None:
    post.arrive(HELLO, "b.ob@x.test")
    assert told(post) == ["b.ob@x.test 5.1.1"]


def test_S22_an_alias_and_its_mailbox_get_one_copy(post: Post) -> None:
    alias(post, "robert", "bob")
    post.arrive(HELLO, "robert@x.test", BOB)
    assert post.inbox(BOB) == [HELLO]


def test_S22_the_owner_may_send_under_an_alias_but_not_under_every_unknown_name(post: Post) -> None:
    alias(post, "robert", "bob")
    addresses.set_unknown(post.p, SYSTEM, domain(post), "deliver", "bob")
    sent = post.submission(BOB, [ZOE], raw=letter("robert@x.test", [ZOE]))
    send.submit(post.p, sent)
    with pytest.raises(ServiceError, match="forbidden_from"):
        send.submit(post.p, post.submission(BOB, [ZOE], id="s2", raw=letter("anything@x.test", [ZOE])))


def test_S22_an_alias_follows_its_mailbox_by_id_and_ends_with_it(post: Post) -> None:
    alias(post, "robert", "bob")
    table = post.p.directory.table
    item = table.get({"pk": "DOMAIN#x.test", "sk": "ADDR#bob"})
    assert item
    table.put({**item, "sk": "ADDR#bobby"})
    table.delete({"pk": "DOMAIN#x.test", "sk": "ADDR#bob"})
    table.put({"pk": "ACCOUNT#abobx", "sk": "META", "address": "bobby@x.test"})
    post.arrive(HELLO, "robert@x.test")
    assert post.inbox(BOB) == [HELLO]
    table.delete({"pk": "DOMAIN#x.test", "sk": "ADDR#bobby"})
    post.arrive(HELLO, "robert@x.test", ses_id="in2")
    assert told(post) == ["robert@x.test 5.1.1"]


def test_S9_postmaster_may_be_given_away_and_comes_back(post: Post) -> None:
    alias(post, "abuse", "bob")
    post.arrive(HELLO, "abuse@x.test")
    assert (post.inbox(BOB), post.inbox(ANN)) == ([HELLO], [])
    addresses.remove(post.p, SYSTEM, domain(post), "abuse", "alias")
    post.arrive(HELLO, "abuse@x.test", ses_id="in2")
    assert post.inbox(ANN) == [HELLO]
    for taken in ("all", "emailadmin", "bob", "mailer-daemon"):
        with pytest.raises(ServiceError, match="conflict"):
            alias(post, taken, "ann")


# ---------------------------------------------------------------------------------------------- catch-all
def test_S22_unknown_addresses_bounce_drop_or_go_to_the_catch_all(post: Post) -> None:
    post.arrive(HELLO, "nobody@x.test")
    assert told(post) == ["nobody@x.test 5.1.1"]
    addresses.set_unknown(post.p, SYSTEM, domain(post), "drop", None)
    post.arrive(HELLO, "nobody@x.test", ses_id="in2")
    assert results(post, "in2") == {"nobody@x.test": "dropped"}
    addresses.set_unknown(post.p, SYSTEM, domain(post), "deliver", "bob")
    post.arrive(HELLO, "nobody@x.test", ses_id="in3")
    assert post.inbox(BOB) == [HELLO]
    assert len(post.mail.told) == 1


def test_S22_misaddressed_mail_of_30_days_is_listed_newest_first(post: Post) -> None:
    post.arrive(HELLO, "nobody@x.test", BOB)
    post.clock.advance(days=1)
    addresses.set_unknown(post.p, SYSTEM, domain(post), "deliver", "bob")
    post.arrive(HELLO, "bobb@x.test", ses_id="in2")
    found, _ = traces.misaddressed(post.p, domain(post), 10, "")
    assert all(s.sender == ZOE for s in found)
    assert {a: r for s in found for a, r in s.results.items()} == {
        "bobb@x.test": "delivered",
        "nobody@x.test": "bounced",
    }
    post.clock.advance(days=400)
    assert traces.misaddressed(post.p, domain(post), 10, "") == ([], "")


def test_S28_what_comes_back_to_mailer_daemon_is_dropped_even_by_a_catch_all(post: Post) -> None:
    addresses.set_unknown(post.p, SYSTEM, domain(post), "deliver", "bob")
    post.arrive(HELLO, "mailer-daemon@x.test")
    assert results(post) == {"mailer-daemon@x.test": "dropped"}
    assert traces.misaddressed(post.p, domain(post), 10, "") == ([], "")


# ----------------------------------------------------------------------------------------------- forwards
def test_S22_a_forward_reaches_outside_under_its_own_name_and_inside_as_it_was(post: Post) -> None:
    forward(post, "office", "yan@near.test", BOB)
    raw = letter(
        "Zoe Far <zoe@far.test>", ["office@x.test"], Sender="x@far.test", DKIM_Signature="v=1; d=far.test"
    )
    post.arrive(raw, "office@x.test")
    assert post.inbox(BOB) == [raw]
    [call] = post.mail.calls
    assert (call.sender, call.recipients) == ("mailer-daemon@x.test", ("yan@near.test",))
    seen = message_from_bytes(call.raw, policy=default)
    assert seen["From"] == "Zoe Far via office <office@x.test>"
    assert seen["Reply-To"] == seen["X-Original-From"] == "Zoe Far <zoe@far.test>"
    assert seen["Delivered-To"] == "office@x.test"
    assert seen["Sender"] is None
    assert seen["DKIM-Signature"] is None
    assert seen.get_content() == "Hello.\r\n"


def test_S22_a_mailbox_passes_on_with_a_copy_or_without(post: Post) -> None:
    pass_on(post, BOB, "yan@near.test", keep=False)
    post.arrive(HELLO, BOB)
    pass_on(post, BOB, "yan@near.test")
    post.arrive(HELLO, BOB, ses_id="in2")
    assert len(post.mail.calls) == 2
    assert post.inbox(BOB) == [HELLO]
    assert results(post) == {BOB: "forwarded"}
    assert results(post, "in2") == {BOB: "delivered"}


def test_S22_a_loop_ends_with_5_4_6(post: Post) -> None:
    forward(post, "office", "yan@near.test")
    pass_on(post, BOB, "yan@near.test")
    post.arrive(letter(ZOE, [BOB], Delivered_To="Office@x.test"), "office@x.test")
    post.arrive(letter(ZOE, [BOB], Delivered_To=BOB), BOB, ses_id="in2")
    assert told(post) == ["office@x.test 5.4.6", "bob@x.test 5.4.6"]
    assert post.mail.calls == []


def test_S22_forwards_in_a_ring_end(post: Post) -> None:
    forward(post, "one", "two@x.test")
    forward(post, "two", "one@x.test", BOB)
    post.arrive(HELLO, "one@x.test")
    assert post.inbox(BOB) == [HELLO]
    assert told(post) == []


def test_at_most_50_Received(post: Post) -> None:
    hop = b"Received: from a.test by b.test; Mon, 2 Mar 2026 09:00:00 +0000\r\n"
    post.arrive(hop * 50 + HELLO, BOB)
    post.arrive(hop * 51 + HELLO, BOB, ses_id="in2")
    assert len(post.inbox(BOB)) == 1
    assert told(post) == ["bob@x.test 5.4.6"]


def test_S25_spam_is_not_passed_on_to_the_outside(post: Post) -> None:
    forward(post, "office", "yan@near.test")
    forward(post, "shop", "yan@near.test", BOB)
    pass_on(post, ANN, "yan@near.test", keep=False)
    post.arrive(HELLO, "office@x.test", "shop@x.test", ANN, spam="FAIL")
    assert post.mail.calls == []
    assert told(post) == ["office@x.test 5.7.1"]
    assert post.inbox(BOB, "junk") == post.inbox(ANN, "junk") == [HELLO]


def test_S22_nobody_gets_it_twice_by_two_forwards_however_often_it_comes(post: Post) -> None:
    forward(post, "office", "yan@near.test", BOB)
    forward(post, "shop", "yan@near.test", BOB)
    body = post.receive(HELLO, "office@x.test", "shop@x.test", BOB)
    for _ in range(3):
        post.p.queues.send("https://q/plainpost-arrivals", body)
    post.settle(copies=2)
    assert [c.recipients for c in post.mail.calls] == [("yan@near.test",)]
    assert post.inbox(BOB) == [HELLO]


def test_S26_a_forward_of_a_local_sender_goes_the_same_way(post: Post) -> None:
    forward(post, "office", "yan@near.test", BOB)
    send.submit(post.p, post.submission(ANN, ["office@x.test", "yan@near.test"]))
    post.settle()
    assert [c.sender for c in post.mail.calls] == [ANN], "who is a recipient already is not sent to again"
    assert len(post.inbox(BOB)) == 1
    assert post.states() == {"office@x.test": "delivered", "yan@near.test": "delivered"}


def test_S28_bounces_are_passed_on_and_their_failure_is_told_to_nobody(post: Post) -> None:
    post.mail.behaviour["near.test"] = "refuse"
    forward(post, "office", "yan@near.test")
    post.arrive(letter(ZOE, [], Auto_Submitted="auto-replied"), "office@x.test", source="")
    post.arrive(HELLO, "office@x.test", ses_id="in2")
    assert len(post.mail.calls) == 2
    assert post.mail.told == []
    rows, _ = traces.page(post.p, domain(post), traces.Filter(), 10, "")
    detail = traces.one(post.p, domain(post), rows[0].seen.key)
    [state] = detail.passed["office@x.test"]
    assert (state.address, state.state) == ("yan@near.test", "failed"), "the admin sees it in the trace"


def test_what_cannot_be_sent_stays_in_the_mailbox(post: Post) -> None:
    pass_on(post, BOB, "yan@near.test", keep=False)
    forward(post, "office", "yan@near.test")
    raw = HELLO.replace(b"text/plain", b'application/x; name="run.exe"')
    post.arrive(raw, BOB, "office@x.test")
    assert post.inbox(BOB) == [raw]
    assert told(post) == ["office@x.test 5.6.0"]


def test_S17_a_full_target_bounces_for_the_address_that_was_written_to(post: Post) -> None:
    forward(post, "office", BOB)
    post.fill(BOB, 250 * MB)
    post.arrive(HELLO, "office@x.test")
    assert told(post) == ["office@x.test 5.2.2"]


# -------------------------------------------------------------------------------------------------- lists
def test_S22_a_list_reaches_members_inside_and_outside_once_each(post: Post) -> None:
    mailing_list(post, "team", "anyone", ANN, BOB, "yan@near.test", "xia@near.test")
    body = post.receive(letter(ZOE, ["team@x.test"]), "team@x.test", BOB)
    post.p.queues.send("https://q/plainpost-arrivals", body)
    post.settle(copies=3)
    assert len(post.inbox(ANN)) == len(post.inbox(BOB)) == 1
    [call] = post.mail.calls
    assert sorted(call.recipients) == ["xia@near.test", "yan@near.test"]
    inside = message_from_bytes(post.inbox(ANN)[0], policy=default)
    assert inside["From"] == ZOE
    for seen in (inside, message_from_bytes(call.raw, policy=default)):
        assert seen["List-Id"] == "The team <team.x.test>"
        assert seen["List-Post"] == "<mailto:team@x.test>"
        assert seen["List-Unsubscribe"].startswith("<mailto:emailadmin@x.test?subject=unsubscribe")
        assert seen["Precedence"] == "list"
        assert seen["Delivered-To"] == "team@x.test"
    assert message_from_bytes(call.raw, policy=default)["From"] == "zoe via team <team@x.test>"


def test_S22_answers_go_to_the_list_where_it_says_so(post: Post) -> None:
    mailing_list(post, "team", "anyone", ANN, "yan@near.test", reply_to="list")
    post.arrive(letter(ZOE, [], Reply_To="other@far.test"), "team@x.test")
    for raw in (post.inbox(ANN)[0], post.mail.calls[0].raw):
        assert message_from_bytes(raw, policy=default).get_all("Reply-To") == ["The team <team@x.test>"]


@pytest.mark.parametrize(
    ("posting", "sender", "allowed"),
    [
        ("anyone", ZOE, True),
        ("members", ZOE, False),
        ("members", "yan@near.test", True),
        ("domain", ZOE, False),
        ("admins", ANN, False),
    ],
)
def test_S22_who_may_write_to_a_list_from_outside(
    post: Post, posting: Posting, sender: str, allowed: bool
) -> None:
    mailing_list(post, "team", posting, BOB, "yan@near.test")
    post.arrive(letter(sender, []), "team@x.test", source=sender)
    assert len(post.inbox(BOB)) == allowed
    assert told(post) == ([] if allowed else ["team@x.test 5.7.2"])


def test_S22_a_forged_member_may_not_write_to_a_list(post: Post) -> None:
    mailing_list(post, "team", "members", BOB, "yan@near.test")
    post.arrive(letter("yan@near.test", []), "team@x.test", source="evil@far.test", dmarc="FAIL")
    assert post.inbox(BOB) == []
    assert told(post) == ["team@x.test 5.7.2"]


@pytest.mark.parametrize(
    ("posting", "sender", "allowed"),
    [
        ("members", BOB, True),
        ("members", ANN, False),
        ("domain", ANN, True),
        ("admins", ANN, True),
        ("admins", BOB, False),
    ],
)
def test_S22_who_may_write_to_a_list_from_here(
    post: Post, posting: Posting, sender: str, allowed: bool
) -> None:
    mailing_list(post, "team", posting, BOB)
    send.submit(post.p, post.submission(sender, ["team@x.test"]))
    post.settle()
    assert {r.state for r in post.status("s1", sender).recipients} == {"delivered" if allowed else "failed"}
    assert any(b"List-Id" in raw for raw in post.inbox(BOB)) is allowed
    assert any(b"5.7.2" in raw for raw in post.inbox(sender)) is not allowed


def test_S28_bounces_and_vacation_messages_are_not_posted_but_a_monitors_mail_is(post: Post) -> None:
    mailing_list(post, "team", "anyone", BOB)
    post.arrive(HELLO, "team@x.test", source="")
    post.arrive(letter(ZOE, [], Auto_Submitted="auto-replied"), "team@x.test", ses_id="in2")
    assert post.inbox(BOB) == []
    post.arrive(letter(ZOE, [], Auto_Submitted="auto-generated"), "team@x.test", ses_id="in3")
    assert len(post.inbox(BOB)) == 1
    assert post.mail.told == []


def test_S22_a_list_that_is_a_member_of_itself_through_a_forward_ends(post: Post) -> None:
    forward(post, "office", "team@x.test")
    mailing_list(post, "team", "anyone", BOB, "office@x.test")
    post.arrive(HELLO, "team@x.test")
    assert len(post.inbox(BOB)) == 1
    [traced], _ = traces.page(post.p, domain(post), traces.Filter(), 10, "")
    progress = traces.one(post.p, domain(post), traced.seen.key).expanded["team@x.test"]
    assert [(s.address, s.status) for s in progress.failed] == [("office@x.test", "5.4.6")]


def test_S25_spam_to_a_list_is_junk_inside_and_nothing_outside(post: Post) -> None:
    mailing_list(post, "team", "anyone", BOB, "yan@near.test")
    post.arrive(HELLO, "team@x.test", spam="FAIL")
    assert len(post.inbox(BOB, "junk")) == 1
    assert post.mail.calls == []


def test_S20_a_list_counts_as_one_and_its_members_outside_one_by_one(post: Post) -> None:
    mailing_list(post, "team", "domain", ANN, BOB, *(f"m{i}@far.test" for i in range(49)))
    others = [f"p{i}@far.test" for i in range(201)]
    with pytest.raises(ServiceError, match="too_many_recipients") as caught:
        send.submit(post.p, post.submission(ANN, ["team@x.test", *others]))
    assert (caught.value.extra["limit"], caught.value.extra["used"]) == (250, 251)
    send.submit(post.p, post.submission(ANN, ["team@x.test", *others[:200]]))
    post.settle()
    assert sum(len(c.recipients) for c in post.mail.calls) == 249


def test_S20_a_list_has_249_members_outside_at_most(post: Post) -> None:
    mailing_list(post, "team", "domain", *(f"m{i}@far.test" for i in range(249)))
    send.submit(post.p, post.submission(ANN, ["team@x.test"]))
    with pytest.raises(ServiceError, match="conflict"):
        members.change(post.p, SYSTEM, domain(post), "team", ["one.more@far.test"], [])
    members.change(post.p, SYSTEM, domain(post), "team", [ANN, BOB], ["m0@far.test"])
    entry = addresses.get_list(post.p, domain(post), "team")
    assert (entry.members, entry.outside) == (250, 248)


def test_S22_a_list_takes_10_000_members_at_once_and_no_more(post: Post) -> None:
    mailing_list(post, "team", "domain", ANN)
    entry = addresses.get_list(post.p, domain(post), "team")
    many = dict.fromkeys(
        (f"some.body.with.a.long.name.{i}@a-long-domain-name.example" for i in range(9_999)), False
    )
    event = audit.note(SYSTEM, "list.members-changed", entry.address, reseller="r1", domain="x.test")
    post.p.addresses.set_members(entry, {ANN: False}, many, event)
    members.change(post.p, SYSTEM, domain(post), "team", [ANN], [])
    assert members.change(post.p, SYSTEM, domain(post), "team", [ANN], []).members == 10_000
    with pytest.raises(ServiceError, match="conflict") as caught:
        members.change(post.p, SYSTEM, domain(post), "team", [BOB], [])
    assert (caught.value.extra["limit"], caught.value.extra["used"]) == (10_000, 10_000)


def test_members_refused_in_a_slice_are_named_in_the_trace(post: Post) -> None:
    people = [post.account(f"u{i}@x.test").address for i in range(9)]
    post.fill("u7@x.test", 250 * MB)
    with mock.patch.object(fanout, "FAN_OUT", 4):
        send.submit(post.p, post.submission(ANN, ["all@x.test"]))
        post.settle(copies=2)
    assert [len(post.inbox(a)) for a in people] == [1] * 7 + [0, 1]
    rows, _ = traces.page(post.p, domain(post), traces.Filter(way="in"), 10, "")
    progress = traces.one(post.p, domain(post), rows[0].seen.key).expanded["all@x.test"]
    assert (progress.members, progress.served) == (11, 11)
    assert [(s.address, s.status) for s in progress.failed] == [("u7@x.test", "5.2.2")]


def test_S22_a_crash_after_any_call_leaves_one_copy_each(post: Post) -> None:
    mailing_list(post, "team", "anyone", ANN, "yan@near.test")
    forward(post, "office", "xia@near.test", BOB)
    number = 0
    while True:
        number += 2
        ses_id, before, calls = f"in{number}", post.crashes, len(post.mail.calls)
        raw = letter(ZOE, [], f"number {number}")
        body = post.receive(raw, "team@x.test", "office@x.test", ses_id=ses_id)
        post.p.queues.send("https://q/plainpost-arrivals", body)
        post.fuse.left = number
        post.settle()
        post.fuse.left = None
        sent = sorted(a for c in post.mail.calls[calls:] for a in c.recipients)
        assert sent == ["xia@near.test", "yan@near.test"], f"crash at {number}"
        assert sum(f"number {number}\r\n".encode() in r for r in post.inbox(ANN)) == 1
        assert post.inbox(BOB).count(raw) == 1
        if post.crashes == before:
            break
    assert number > 30


# -------------------------------------------------------------------------------------------------- trace
def test_the_trace_shows_both_ways_and_filters(post: Post) -> None:
    post.mail.behaviour["far.test"] = "refuse"
    post.arrive(HELLO, BOB)
    post.clock.advance(minutes=1)
    send.submit(post.p, post.submission(ANN, [ZOE, BOB]))
    post.settle()

    def ways(**how: Any) -> list[str]:
        rows, _ = traces.page(post.p, domain(post), traces.Filter(**how), 10, "")
        return [f"{r.seen.way} {r.seen.sender}" for r in rows]

    assert sorted(ways()) == [f"in {ANN}", f"in {ZOE}", f"out {ANN}"]
    assert ways(way="out", address=ANN) == [f"out {ANN}"]
    assert ways(sender=ZOE) == [f"in {ZOE}"]
    assert ways(address="else@x.test") == []
    [sent], _ = traces.page(post.p, domain(post), traces.Filter(way="out"), 10, "")
    assert {a: s.state for a, s in sent.states.items()} == {ZOE: "failed", BOB: "delivered"}


def test_the_trace_pages_without_a_gap(post: Post) -> None:
    for number in range(7):
        post.arrive(HELLO, BOB if number % 2 else ANN, ses_id=f"in{number}")
        post.clock.advance(seconds=1)
    seen: list[str] = []
    after = ""
    while True:
        rows, after = traces.page(post.p, domain(post), traces.Filter(address=ANN), 2, after)
        seen += [r.seen.id for r in rows]
        if not after:
            break
    assert seen == ["in6", "in4", "in2", "in0"]
