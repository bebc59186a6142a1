"""S30 to S33: reports by every way, strikes, suspensions, letters; forged, repeated, and cut off anywhere."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.events.arrivals import arrival
from chalicelib.rules.abuse import Letter, Report, State
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import Brand, HostedDomain
from chalicelib.rules.values import SYSTEM, Account, Arrival
from chalicelib.services import abuse, accounts, outcomes, references, send, suspension
from tests.mime.test_arf import arf, forwarded, original, part
from tests.services.post import Crash, Post, letter, ses_event

ANN, BOB, ABUSE = "ann@x.test", "bob@x.test", "abuse@emailmx.test"


@pytest.fixture
def town(post: Post) -> Post:
    """The post office, with a reseller to be told."""
    accounts.create_reseller(post.p, "r1", "House", Brand(id="r1", product="House Mail"), "office@house.test")
    return post


def sent(post: Post, id: str = "s1", sender: str = ANN) -> str:
    """A message that left; its reference, as the recipient finds it."""
    before = len(post.mail.calls)
    send.submit(post.p, post.submission(sender, [f"{id}@far.test"], id=id))
    post.settle()
    line = post.mail.calls[before].raw.partition(b"\r\n")[0].decode()
    return line.removeprefix("X-Report-Reference: ")


def by_mail(
    post: Post, reference: str, name: str, message_id: str = "<a@b.test>", at: datetime | None = None
) -> None:
    """Somebody outside forwards a message with this reference."""
    abuse.take(post.p, reported(post, reference, name, message_id, at))
    post.settle()


def reported(
    post: Post, reference: str, name: str, message_id: str = "<a@b.test>", at: datetime | None = None
) -> Arrival:
    """The report as it arrives."""
    message = original(reference)
    message.replace_header("Message-ID", message_id)
    body = post.receive(forwarded(message).as_bytes(), ABUSE, ses_id=name)
    body["mail"]["timestamp"] = (at or post.clock.now()).isoformat().replace("+00:00", "Z")
    return arrival(body)


def account(post: Post, address: str = ANN) -> Account:
    entry = post.p.directory.lookup([address])[address].entry
    assert isinstance(entry, Account)
    return entry


def hosted(post: Post) -> HostedDomain:
    found = post.p.directory.domain("x.test")
    assert found
    return found


def reports(post: Post) -> list[Report]:
    return post.p.abuse.reports(100, "")[0]


def states(post: Post) -> list[State]:
    return sorted(r.state for r in reports(post))


def told(post: Post) -> list[str]:
    """Subjects of the notices that left for the reseller."""
    raws = [c.raw.decode() for c in post.mail.calls if c.recipients == ("office@house.test",)]
    return [line for raw in raws for line in raw.splitlines() if line.startswith("Subject:")]


def events(post: Post) -> list[str]:
    found, _ = post.p.journal.page("r1", 100, domain="x.test")
    return [e.type for e in found]


# ---------------------------------------------------------------------------------------------- the reference
def test_S30_the_reference_leaves_with_the_message_and_is_kept_nowhere_else(town: Post) -> None:
    reference = sent(town)
    assert reference == references.reference(town.p, "s1")
    assert references.tied(town.p, reference) == town.p.outbox.sent("s1")
    found = town.p.outbox.sent("s1")
    assert found
    assert (found.account, found.sender, found.domain) == (account(town).id, ANN, "x.test")
    assert b"X-Report-Reference" not in town.p.blobs.get("own/s1-draft")


def test_S30_the_send_log_outlives_the_outbox(town: Post) -> None:
    reference = sent(town)
    town.clock.advance(days=399)
    assert references.tied(town.p, reference)
    key = {"pk": "L#s1", "sk": "SENT"}
    row = town.p.outbox._table.get(key)
    assert row
    assert row["ttl"] == int(town.p.outbox.sent("s1").at.timestamp()) + 400 * 86_400  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------------------ first event
def arrives_as_arf(post: Post, reference: str) -> None:
    header = part("text/rfc822-headers", f"X-Report-Reference: {reference}\n\n")
    post.arrive(arf("abuse", header), ABUSE)


def arrives_forwarded(post: Post, reference: str) -> None:
    by_mail(post, reference, "in1", f"<{post.mail.calls[0].ses_id}@email.amazonses.com>")


def arrives_inline(post: Post, reference: str) -> None:
    raw = letter("zoe@far.test", [ABUSE], text=f"> X-Report-Reference: {reference}\n")
    post.arrive(raw, ABUSE)


def is_complained_of(post: Post, reference: str) -> None:
    assert reference
    event = ses_event("complaint", post.mail.calls[0], ["s1@far.test"], post.clock.seconds)
    outcomes.record(post.p, event)
    post.settle()


WAYS = (arrives_as_arf, arrives_forwarded, arrives_inline, is_complained_of)


@pytest.mark.parametrize("way", WAYS)
def test_S31_the_first_event_suspends_the_account_and_tells_reseller_and_admins(
    town: Post, way: Callable[[Post, str], None]
) -> None:
    way(town, sent(town))
    assert account(town).holds == {"operator"}
    assert not hosted(town).holds
    assert not account(town, BOB).holds
    assert states(town) == ["counted"]
    assert told(town) == [f"Subject: The mailbox {ANN} is suspended"]
    [notice] = town.inbox(ANN)  # she is the email admin: mail to a suspended mailbox is still accepted
    assert b"is suspended: no sending and no log-in" in notice
    assert b"zoe@far.test" not in notice, "who reported is not told"
    assert events(town) == ["mailbox.suspended"]
    with pytest.raises(ServiceError, match="account_suspended"):
        send.submit(town.p, town.submission(ANN, ["zoe@far.test"], id="s2"))


def test_S32_two_reports_of_one_message_are_one_event_by_whatever_ways(town: Post) -> None:
    reference = sent(town)
    for way in (arrives_as_arf, is_complained_of, is_complained_of):
        way(town, reference)
    by_mail(town, reference, "in2")
    assert states(town) == ["counted", "repeat", "repeat"], "the same complaint again is not even a report"
    assert not hosted(town).holds
    assert len(told(town)) == 1
    assert len(town.inbox(ANN)) == 1


@pytest.mark.parametrize(("days", "whole"), [(29, True), (30, True), (31, False)])
def test_S32_a_second_event_within_30_days_suspends_the_domain(town: Post, days: int, whole: bool) -> None:
    first = town.clock.now()
    by_mail(town, sent(town), "in1", at=first)
    by_mail(town, sent(town, "s2", BOB), "in2", at=first + timedelta(days=days))
    assert bool(hosted(town).holds) == whole
    assert bool(account(town, BOB).holds) == (not whole)
    subject = "Email of x.test is suspended" if whole else f"The mailbox {BOB} is suspended"
    assert told(town)[1:] == [f"Subject: {subject}"]


# ------------------------------------------------------------------------------------- what suspends nobody
def test_S30_forged_and_unknown_references_suspend_nobody(town: Post) -> None:
    reference = sent(town)
    sent(town, "s2", BOB)
    other = f"<{town.mail.calls[1].ses_id}@email.amazonses.com>"
    by_mail(town, reference[:-1] + ("0" if reference[-1] != "0" else "1"), "in1")
    by_mail(town, references.reference(town.p, "never-sent"), "in2")
    by_mail(town, reference, "in3", other)  # put on another's message
    by_mail(town, reference, "in4", "<0100-never@email.amazonses.com>")
    by_mail(town, reference.replace("s1", "s2"), "in5")
    town.arrive(letter("zoe@far.test", [ABUSE], text="This is spam!\n"), ABUSE, ses_id="in6")
    assert states(town) == ["unverified"] * 6
    assert not account(town).holds
    assert not hosted(town).holds
    assert told(town) == []
    assert town.p.abuse.strikes("x.test", hosted(town)) == ([], 0)


def test_S30_who_forwards_from_a_mailbox_here_does_not_report_himself(town: Post) -> None:
    own = sent(town, "s1", BOB)
    mail = forwarded(original(""))
    mail.replace_header("X-Report-Reference", own)
    town.arrive(mail.as_bytes(), ABUSE)
    assert states(town) == ["unverified"]
    assert not account(town, BOB).holds


def test_S30_feedback_that_is_no_complaint_is_noted(town: Post) -> None:
    header = part("text/rfc822-headers", f"X-Report-Reference: {sent(town)}\n\n")
    for feedback in ("not-spam", "other", "auth-failure"):
        town.arrive(arf(feedback, header), ABUSE, ses_id=feedback)
    assert states(town) == ["noted"] * 3
    assert not account(town).holds


def test_S30_the_services_own_mail_suspends_nobody(town: Post) -> None:
    by_mail(town, sent(town), "in1")
    [notice] = [c for c in town.mail.calls if c.recipients == ("office@house.test",)]
    reference = notice.raw.partition(b"\r\n")[0].decode().removeprefix("X-Report-Reference: ")
    by_mail(town, reference, "in2")
    assert sorted(states(town)) == ["counted", "noted"]


def test_S30_a_complaint_that_SES_gives_no_tags_with_is_found_by_its_id(town: Post) -> None:
    sent(town)
    event = ses_event("complaint", town.mail.calls[0], ["s1@far.test"], town.clock.seconds)
    event["mail"]["tags"] = {}
    outcomes.record(town.p, event)
    town.settle()
    assert states(town) == ["counted"]
    assert account(town).holds == {"operator"}


def test_S30_a_complaint_of_a_message_that_was_never_sent_suspends_nobody(town: Post) -> None:
    sent(town)
    event = ses_event("complaint", replace(town.mail.calls[0], ses_id="0100-9999"), [], town.clock.seconds)
    event["mail"]["tags"]["submission"] = ["never-sent"]
    outcomes.record(town.p, event)
    suppressed = ses_event("complaint", town.mail.calls[0], [], town.clock.seconds)
    suppressed["complaint"]["complaintSubType"] = "OnAccountSuppressionList"
    outcomes.record(town.p, suppressed)
    town.settle()
    assert states(town) == ["unverified"]
    assert not account(town).holds


def test_mail_to_others_beside_the_abuse_address_is_delivered(town: Post) -> None:
    town.arrive(letter("zoe@far.test", [BOB]), BOB, ABUSE.upper())
    assert len(town.inbox(BOB)) == 1
    assert states(town) == ["unverified"]


# ----------------------------------------------------------------------------------------------- what follows
def test_S31_what_has_not_left_when_a_mailbox_is_suspended_leaves_when_that_is_lifted(town: Post) -> None:
    ann = account(town)
    send.submit(town.p, town.submission(ANN, ["zoe@far.test"]))
    suspension.hold(town.p, SYSTEM, ann, "operator", "a test")
    town.settle(until=timedelta(hours=4))
    assert town.mail.calls == []
    assert town.states() == {"zoe@far.test": "deferred"}
    suspension.release(town.p, SYSTEM, ann, "operator", "a mistake")
    town.settle()
    assert town.mail.delivered == ["zoe@far.test"]


def test_S31_what_a_suspension_stops_for_three_days_comes_back_to_its_sender(town: Post) -> None:
    send.submit(town.p, town.submission(ANN, ["zoe@far.test"]))
    suspension.hold(town.p, SYSTEM, hosted(town), "reseller", "a test")
    town.settle()
    assert town.mail.calls == []
    assert town.states() == {"zoe@far.test": "failed"}
    assert len(town.inbox(ANN)) == 1


def test_a_mailbox_that_is_gone_leaves_the_strike(town: Post) -> None:
    reference = sent(town, "s1", BOB)
    bob = account(town, BOB)
    town.p.directory.table.delete({"pk": "DOMAIN#x.test", "sk": "ADDR#bob"})
    town.p.directory.table.delete({"pk": f"ACCOUNT#{bob.id}", "sk": "META"})
    by_mail(town, reference, "in1")
    [strike], _ = town.p.abuse.strikes("x.test", hosted(town))
    assert (strike.account, strike.address, strike.measure) == (bob.id, BOB, "account")
    by_mail(town, sent(town, "s2"), "in2")
    assert hosted(town).holds == {"operator"}


def test_a_domain_that_is_another_customers_now_does_not_inherit_strikes(town: Post) -> None:
    by_mail(town, sent(town), "in1")
    anew = replace(hosted(town), order="o2")
    assert town.p.abuse.strikes("x.test", anew)[0] == []


def test_S33_strikes_of_wrong_reports_can_be_cleared(town: Post) -> None:
    by_mail(town, sent(town), "in1")
    town.p.abuse.clear(hosted(town), "somebody else")
    assert len(town.p.abuse.strikes("x.test", hosted(town))[0]) == 1
    town.p.abuse.clear(hosted(town), account(town).id)
    assert town.p.abuse.strikes("x.test", hosted(town))[0] == []
    by_mail(town, sent(town, "s2", BOB), "in2")
    assert not hosted(town).holds


def test_a_crash_after_any_call_suspends_once_and_tells_once(town: Post) -> None:
    """Each report of another mailbox, months apart, so that each is a first event."""
    number, crashed = 0, True
    while crashed:
        number += 1
        address = f"p{number}@x.test"
        town.account(address)
        reference = sent(town, f"c{number}", address)
        report = reported(town, reference, f"crash{number}")
        before = len(told(town))
        town.fuse.left = number
        crashed = _again(town, report)
        town.fuse.left = None
        town.settle()
        assert account(town, address).holds == {"operator"}, number
        assert len(told(town)) == before + 1, number
        assert list(town.p.abuse.letters()) == []
        town.clock.advance(days=40)
    assert number > 15
    assert not hosted(town).holds
    assert len([e for e in events(town) if e == "mailbox.suspended"]) == number
    assert len(town.inbox(ANN)) == number


def _again(post: Post, report: Arrival) -> bool:
    """Handle the arrival; once more when the process ended. Whether it did."""
    try:
        abuse.take(post.p, report)
    except Crash:
        post.fuse.left = None
        abuse.take(post.p, report)
        return True
    return False


def test_letters_that_nobody_repeats_are_sent_by_the_hour(town: Post) -> None:
    late = Letter("abuse-r1", "r1", "x.test", "Late", "To the reseller.", "To the admins.")
    town.p.directory.table.transact([town.p.abuse.letter_put(late)])
    assert abuse.mend(town.p) == 1
    assert abuse.mend(town.p) == 0
    town.settle()
    assert told(town) == ["Subject: Late"]
    assert len(town.inbox(ANN)) == 1
