"""Where an arrival goes: S5, S9, S19, S25, S26, S28, S31."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.rules import routing
from chalicelib.rules.figures import DEFAULT, MB
from chalicelib.rules.routing import (
    Bounce,
    Decision,
    Deliver,
    Discard,
    Drop,
    Expand,
    Facts,
    PassOn,
    Post,
)
from chalicelib.rules.values import (
    Account,
    Arrival,
    Automatic,
    Domain,
    DomainState,
    Envelope,
    Forward,
    Lookup,
    MailingList,
    Verdict,
    Verdicts,
)

LIVE = Domain("x.test", "live", "r")
ANN = Account("a1", "ann@x.test", "x.test", 250 * MB, admin=True)
BOB = Account("a2", "bob@x.test", "x.test", 250 * MB)
ARRIVAL = Arrival(
    "in1",
    Envelope("zoe@far.test", ("bob@x.test",)),
    "in/in1",
    1000,
    Verdicts("PASS", "PASS", "PASS", "PASS", "PASS", sender_authentic=True),
    datetime(2026, 3, 2, tzinfo=UTC),
    "ses",
)


def decide(
    found: Lookup,
    arrival: Arrival = ARRIVAL,
    sender: Account | None = None,
    members: tuple[Account, ...] = (),
) -> Decision:
    return routing.decide(found, arrival, sender, members, DEFAULT)


def test_a_mailbox_of_a_live_domain_gets_it_in_its_inbox() -> None:
    assert decide(Lookup(LIVE, BOB)) == Deliver(BOB, "inbox")


def test_an_unknown_address_bounces() -> None:
    assert decide(Lookup(LIVE, None)) == Bounce("5.1.1", "no such mailbox")


@pytest.mark.parametrize("state", ["pending", "mx_lost", "reversed"])
def test_S5_a_domain_that_is_not_live_is_not_served(state: DomainState) -> None:
    decision = decide(Lookup(replace(LIVE, state=state), BOB))
    assert isinstance(decision, Bounce)
    assert decision.status == "5.1.2"


def test_S31_suspended_accounts_and_domains_still_receive() -> None:
    barred = replace(BOB, holds=frozenset({"operator"}))
    assert decide(Lookup(replace(LIVE, suspended=True), barred)) == Deliver(barred, "inbox")


def test_S19_a_message_above_25_MB_bounces() -> None:
    assert decide(Lookup(LIVE, BOB), replace(ARRIVAL, size=25 * MB)) == Deliver(BOB, "inbox")
    assert decide(Lookup(LIVE, BOB), replace(ARRIVAL, size=25 * MB + 1)) == Bounce(
        "5.3.4", "message larger than 25 MB"
    )


@pytest.mark.parametrize("verdict", ["PASS", "GRAY", "PROCESSING_FAILED", "DISABLED"])
def test_S25_only_a_failed_spam_verdict_makes_junk(verdict: Verdict) -> None:
    mild = replace(ARRIVAL, verdicts=replace(ARRIVAL.verdicts, spam=verdict, virus=verdict))
    assert decide(Lookup(LIVE, BOB), mild) == Deliver(BOB, "inbox")
    spam = replace(ARRIVAL, verdicts=replace(ARRIVAL.verdicts, spam="FAIL"))
    assert decide(Lookup(LIVE, BOB), spam) == Deliver(BOB, "junk", frozenset({"$junk"}))


def test_S25_a_virus_is_never_delivered_nor_answered() -> None:
    virus = replace(ARRIVAL, verdicts=replace(ARRIVAL.verdicts, virus="FAIL", spam="FAIL"))
    for found in (Lookup(LIVE, BOB), Lookup(LIVE, None), Lookup(None, None)):
        assert decide(found, virus) == Discard("virus")


def test_S9_emailadmin_reaches_every_admin_a_copy_each() -> None:
    found = Lookup(LIVE, Automatic("emailadmin@x.test", "emailadmin"))
    other = replace(ANN, id="a3")
    assert decide(found, members=(ANN, BOB, other)) == Expand(
        (Deliver(ANN, "inbox"), Deliver(other, "inbox"))
    )


def test_S9_emailadmin_cannot_be_delivered_while_there_is_no_admin() -> None:
    decision = decide(Lookup(LIVE, Automatic("emailadmin@x.test", "emailadmin")), members=(BOB,))
    assert isinstance(decision, Bounce)


def test_S9_all_takes_mail_from_the_domains_signed_in_admins_only() -> None:
    found, members = Lookup(LIVE, Automatic("all@x.test", "all")), (ANN, BOB)
    everybody = Expand((Deliver(ANN, "inbox"), Deliver(BOB, "inbox")))
    assert decide(found, sender=ANN, members=members) == everybody
    strangers = [None, BOB, replace(ANN, domain="y.test"), replace(ANN, holds=frozenset({"operator"}))]
    for sender in strangers:
        decision = decide(found, sender=sender, members=members)
        assert isinstance(decision, Bounce)
        assert decision.status == "5.7.2"


def test_spam_to_an_automatic_address_is_junk_for_each() -> None:
    spam = replace(ARRIVAL, verdicts=replace(ARRIVAL.verdicts, spam="FAIL"))
    decision = decide(Lookup(LIVE, Automatic("abuse@x.test", "emailadmin")), spam, members=(ANN,))
    assert decision == Expand((Deliver(ANN, "junk", frozenset({"$junk"})),))


def test_S28_a_bounce_goes_only_to_an_authentic_human_sender() -> None:
    assert routing.may_bounce(ARRIVAL, automatic=False)
    assert not routing.may_bounce(ARRIVAL, automatic=True)
    forged = replace(ARRIVAL, verdicts=replace(ARRIVAL.verdicts, sender_authentic=False))
    assert not routing.may_bounce(forged, automatic=False)
    for sender in ("", "MAILER-DAEMON@far.test"):
        null = replace(ARRIVAL, envelope=Envelope(sender, ("bob@x.test",)))
        assert not routing.may_bounce(null, automatic=False)


@pytest.mark.parametrize(
    ("name", "value", "machine"),
    [
        ("Auto-Submitted", b" auto-replied (vacation)", True),
        ("auto-submitted", b" auto-generated; x=y", True),
        ("Auto-Submitted", b" no", False),
        ("Content-Type", b' Multipart/Report; report-type="delivery-status"', True),
        ("X-Autoreply", b" yes", True),
        ("Precedence", b" auto_reply", True),
        ("Precedence", b" list", False),
        ("List-Id", b" <l.far.test>", False),
        ("Subject", b" Auto-Submitted", False),
    ],
)
def test_S28_bounces_and_auto_replies_are_known_by_their_header(
    name: str, value: bytes, machine: bool
) -> None:
    assert routing.by_machine([("From", b" zoe@far.test"), (name, value)]) is machine


# ------------------------------------------------------------------------------------------- S22
TEAM = MailingList("team@x.test", "l1", posting="members", members=2)
FACTS = Facts(author="zoe@far.test")


def routed(
    found: Lookup, arrival: Arrival = ARRIVAL, facts: Facts = FACTS, sender: Account | None = None
) -> Decision:
    return routing.decide(found, arrival, sender, (), DEFAULT, facts)


def test_S22_unknown_addresses_bounce_or_are_dropped() -> None:
    assert routed(Lookup(LIVE, None)) == routing.UNKNOWN
    assert routed(Lookup(replace(LIVE, unknown="drop"), None)) == Drop("no such mailbox")


def test_S22_a_forward_passes_on_unless_the_message_was_there() -> None:
    found = Lookup(LIVE, Forward("office@x.test", ("yan@near.test",)))
    assert routed(found) == PassOn("office@x.test", ("yan@near.test",))
    assert routed(found, facts=Facts(passed=frozenset({"office@x.test"}))) == routing.LOOP


def test_S22_a_mailbox_keeps_a_copy_or_not() -> None:
    bob = replace(BOB, forward=("yan@near.test",))
    here = Deliver(bob, "inbox")
    assert routed(Lookup(LIVE, bob)) == PassOn(BOB.address, bob.forward, here, here)
    away = replace(bob, keep_copy=False)
    gone = Deliver(away, "inbox")
    assert routed(Lookup(LIVE, away)) == PassOn(BOB.address, bob.forward, None, gone)


def test_S25_S31_spam_and_mail_of_the_suspended_stay_here() -> None:
    spam = replace(ARRIVAL, verdicts=replace(ARRIVAL.verdicts, spam="FAIL"))
    bob = replace(BOB, forward=("yan@near.test",), keep_copy=False)
    office = Forward("office@x.test", ("yan@near.test",))
    assert routed(Lookup(LIVE, bob), spam) == Deliver(bob, "junk", frozenset({"$junk"}))
    assert routed(Lookup(LIVE, office), spam) == PassOn("office@x.test", office.to, barred=routing.SPAM)
    held = replace(bob, holds=frozenset({"guard"}))
    assert routed(Lookup(LIVE, held)) == Deliver(held, "inbox")
    suspended = replace(LIVE, suspended=True)
    assert routed(Lookup(suspended, bob)) == Deliver(bob, "inbox")
    assert routed(Lookup(suspended, office)) == PassOn(office.address, office.to, barred=routing.NOT_SENDING)


@pytest.mark.parametrize(("hops", "bounced"), [(50, False), (51, True)])
def test_at_most_50_Received(hops: int, bounced: bool) -> None:
    assert (routed(Lookup(LIVE, BOB), facts=Facts(hops=hops)) == routing.LOOP) is bounced


def test_S22_members_may_post_where_they_prove_who_they_are() -> None:
    found, member = Lookup(LIVE, TEAM), replace(FACTS, member=True)
    assert routed(found, facts=member) == Post(TEAM)
    assert routed(found) == routing.MAY_NOT_POST
    forged = replace(ARRIVAL, verdicts=Verdicts(dmarc="FAIL", spf="PASS", sender_authentic=True))
    assert routed(found, forged, member) == Post(TEAM), "the envelope sender is the author, and is proven"
    other = replace(forged, envelope=Envelope("evil@far.test", ()))
    assert routed(found, other, member) == routing.MAY_NOT_POST
    nobody = replace(ARRIVAL, verdicts=Verdicts())
    assert routed(found, nobody, member) == routing.MAY_NOT_POST


def test_S22_an_empty_list_bounces_and_bounces_are_not_posted() -> None:
    empty = replace(TEAM, posting="anyone", members=0)
    assert routed(Lookup(LIVE, empty)) == routing.EMPTY_LIST
    null = replace(ARRIVAL, envelope=Envelope("", ()))
    assert isinstance(routed(Lookup(LIVE, replace(TEAM, posting="anyone")), null), Drop)
    assert isinstance(routed(Lookup(LIVE, TEAM), facts=replace(FACTS, reply=True)), Drop)


def test_S22_admins_post_when_they_are_signed_in_here() -> None:
    found = Lookup(LIVE, replace(TEAM, posting="admins"))
    assert isinstance(routed(found, sender=ANN), Post)
    assert routed(found, facts=Facts(author=ANN.address, member=True)) == routing.MAY_NOT_POST


def test_nobody_reads_what_bounces_come_from() -> None:
    assert isinstance(routed(Lookup(LIVE, Automatic("mailer-daemon@x.test", "daemon"))), Drop)


@pytest.mark.parametrize(
    ("name", "value", "reply"),
    [
        ("Auto-Submitted", b" auto-replied", True),
        ("Auto-Submitted", b" auto-generated", False),
        ("Content-Type", b" multipart/report", True),
        ("Subject", b" auto-replied", False),
    ],
)
def test_S28_a_reply_of_a_machine_is_no_monitors_mail(name: str, value: bytes, reply: bool) -> None:
    assert routing.is_reply([(name, value)]) is reply
