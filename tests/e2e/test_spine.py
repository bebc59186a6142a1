"""The whole walk through the public ports: order, activate, receive, read, reply, retry."""

import email
import email.policy
import random
from email.message import EmailMessage

import pytest

from tests.e2e.orders import PASSWORD, activate, live_pair, mailbox, order, state
from tools.town import Refused, Town, get, until

#: A long Message-ID stays as it is; the package would fold it into an encoded word.
UNFOLDED = email.policy.SMTP.clone(max_line_length=998)


def letter(sender: str, to: str, subject: str, text: str = "Hello.\n", **headers: str) -> EmailMessage:
    """A plain message."""
    message = EmailMessage(policy=UNFOLDED)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@sender.test>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def test_S3_to_S5_an_ordered_domain_goes_live_by_its_MX_and_not_before(town: Town) -> None:
    placed = order(town, "newdomain.test", mailbox("ann", admin=True), mailbox("bob"))
    assert get(f"{town.api}/orders/{placed['id']}", token=town.key())["domain"] == "newdomain.test"
    assert state(town, "newdomain.test") == "pending"

    with pytest.raises(Refused) as refused:
        town.sign_in("ann@newdomain.test", PASSWORD)
    assert refused.value.status == 403
    assert "not active yet" in refused.value.problem["detail"]

    user = town.seeded()
    user.send(["ann@newdomain.test"], "before activation", "to the outside")
    [gone_out] = until(lambda: town.outbox("ann@newdomain.test"))
    assert b"to the outside" in gone_out["bytes"]

    town.advance("3h")
    assert state(town, "newdomain.test") == "pending"
    activate(town, "newdomain.test")

    ann = town.sign_in("ann@newdomain.test", PASSWORD)
    assert ann.listing() == [], "S5: what was sent before activation never comes here"
    user.send(["ann@newdomain.test"], "after activation", "to the inside")
    ann.wait_for("after activation")
    assert len(town.outbox("ann@newdomain.test")) == 1


def test_mail_from_the_internet_is_read_and_answered_with_5_MB(town: Town) -> None:
    pair = live_pair(town, "replies.test")
    sent = letter("Zoë <zoe@replying.test>", pair.ann.address, "lunch on Friday", "Shall we?\n")
    town.deliver("zoe@replying.test", [pair.ann.address], sent.as_bytes())
    row = pair.ann.wait_for("lunch on Friday")
    assert row["from"] == [{"name": "Zoë", "email": "zoe@replying.test"}]
    opened = pair.ann.open(row["id"])
    assert opened["bodyValues"][opened["textBody"][0]["partId"]]["value"].strip() == "Shall we?"
    assert pair.ann.blob(opened["blobId"], "message/rfc822", "m.eml").endswith(sent.as_bytes())

    content = random.Random(5).randbytes(5 * 1024 * 1024)
    blob = pair.ann.upload(content, "application/zip")
    attached = {"blobId": blob, "type": "application/zip", "name": "menü.zip", "disposition": "attachment"}
    made = pair.ann.send(
        ["zoe@replying.test"],
        "Re: lunch on Friday",
        "Yes.",
        attachments=[attached],
        inReplyTo=opened["messageId"],
        references=opened["messageId"],
    )
    [out] = until(lambda: town.outbox("zoe@replying.test"))
    parsed = email.message_from_bytes(out["bytes"], policy=email.policy.default)
    [part] = parsed.iter_attachments()
    assert part.get_filename() == "menü.zip"
    assert part.get_content() == content
    assert parsed["In-Reply-To"] == "<lunch.on.Friday@sender.test>"
    [kept] = [r for r in pair.ann.listing("sent") if r["subject"] == "Re: lunch on Friday"]
    assert kept["id"] == made["emailId"]
    assert kept["threadId"] == row["threadId"]

    answer = letter(
        "zoe@replying.test", pair.ann.address, "Re: AW: Lunch on Friday", In_Reply_To=parsed["Message-ID"]
    )
    town.deliver("zoe@replying.test", [pair.ann.address], answer.as_bytes())
    assert pair.ann.wait_for("Re: AW: Lunch on Friday")["threadId"] == row["threadId"], (
        "SES's own Message-ID is mapped"
    )
    until(lambda: pair.ann.fate(made["id"])["deliveryStatus"]["zoe@replying.test"]["delivered"] == "unknown")


def test_S17_a_message_over_quota_bounces_and_the_sender_sees_why(town: Town) -> None:
    pair = live_pair(town, "full.test")
    filler = "x" * 900 + "\r\n"
    big = letter("fill@far.test", pair.bob.address, "filler", filler * (24 * 1024 * 1024 // len(filler)))
    for number in range(11):
        del big["Subject"]
        big["Subject"] = f"filler {number}"
        town.deliver("fill@far.test", [pair.bob.address], big.as_bytes())
    bounces = until(lambda: town.outbox("fill@far.test"), seconds=120)
    fillers = [row for row in pair.bob.listing() if row["subject"].startswith("filler")]
    assert len(fillers) == 10, "the warning of S16 stands beside them"
    parsed = email.message_from_bytes(bounces[0]["bytes"], policy=email.policy.default)
    assert parsed.get_content_type() == "multipart/report"
    assert b"5.2.2" in bounces[0]["bytes"]
    assert b"quota exceeded" in bounces[0]["bytes"]
    assert bounces[0]["envelope"]["from"] in ("", "<>", None)

    heavy = pair.ann.upload(random.Random(3).randbytes(14 * 1024 * 1024), "application/zip")
    attached = {"blobId": heavy, "type": "application/zip", "name": "heavy.zip", "disposition": "attachment"}
    pair.ann.send([pair.bob.address], "too much for bob", "see attached", attachments=[attached])
    told = until(lambda: pair.ann.listing())
    text = pair.ann.blob(pair.ann.open(told[0]["id"])["blobId"], "message/rfc822", "b.eml")
    assert b"5.2.2" in text
    assert b"too much for bob" in text


def test_S27_a_deferring_domain_is_tried_25_times_over_3_days_then_bounces_once(town: Town) -> None:
    pair = live_pair(town, "patient.test")
    town.remote("asleep.test", "defer")
    made = pair.ann.send(["x@asleep.test", "y@asleep.test"], "are you there", "hello")
    until(lambda: pair.ann.fate(made["id"])["deliveryStatus"]["x@asleep.test"]["delivered"] == "queued")
    town.advance("71h")
    assert pair.ann.listing() == []
    town.advance("12h")
    told = until(lambda: pair.ann.listing())
    town.advance("24h")
    assert len(pair.ann.listing()) == len(told) == 1
    raw = pair.ann.blob(pair.ann.open(told[0]["id"])["blobId"], "message/rfc822", "b.eml")
    assert raw.count(b"Final-Recipient:") == 2
    assert town.control("GET", "remote/asleep.test")["attempts"] == 25
    assert town.outbox("x@asleep.test") == []


def test_S27_a_domain_that_recovers_at_the_fourth_attempt_gets_it_once(town: Town) -> None:
    pair = live_pair(town, "hopeful.test")
    town.remote("naps.test", "defer")
    made = pair.ann.send(["x@naps.test"], "wake up", "hello")
    town.advance("8h")
    assert town.control("GET", "remote/naps.test")["attempts"] == 3
    town.remote("naps.test", "accept")
    town.advance("90h")
    assert len(town.outbox("x@naps.test")) == 1
    assert pair.ann.listing() == []
    assert pair.ann.fate(made["id"])["deliveryStatus"]["x@naps.test"]["delivered"] == "unknown"


def test_S27_a_refusal_is_told_at_once_in_one_bounce(town: Town) -> None:
    pair = live_pair(town, "direct.test")
    town.remote("closed.test", "refuse")
    pair.ann.send(["a@closed.test", "b@closed.test", "ok@far.test"], "knock", "hello")
    [told] = until(lambda: pair.ann.listing())
    raw = pair.ann.blob(pair.ann.open(told["id"])["blobId"], "message/rfc822", "b.eml")
    assert b"a@closed.test" in raw
    assert b"b@closed.test" in raw
    assert b"ok@far.test" not in raw.split(b"message/delivery-status", 1)[1].split(b"\r\n--", 1)[0]
