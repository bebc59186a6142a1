"""What becomes of mail outside, told by SES's events."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.outside import Behaviour, Route
from tests.local.test_ses_api import send
from tests.local.world import World, world
from tools.town import free_ports

HOUR = timedelta(hours=1)


@pytest.fixture
def ses() -> Iterator[World]:
    with world() as made:
        made.host("live.test")
        yield made


def test_a_refusing_domain_bounces_for_good_at_once(ses: World) -> None:
    ses.outside.behave("closed.test", "refuse")
    send(ses, ["a@closed.test", "b@closed.test", "c@far.test"])
    [bounce] = [event["bounce"] for event in ses.events("Bounce")]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Permanent", "General")
    assert [r["emailAddress"] for r in bounce["bouncedRecipients"]] == ["a@closed.test", "b@closed.test"]
    assert bounce["bouncedRecipients"][0]["diagnosticCode"] == "smtp; 550 5.1.1 No such user here"
    assert bounce["bouncedRecipients"][0]["status"] == "5.1.1"
    [delivery] = ses.events("Delivery")
    assert delivery["delivery"]["recipients"] == ["c@far.test"]


@pytest.mark.parametrize("behaviour", ["defer", "down"])
def test_S27_a_deferral_ends_after_MaxDeliverySeconds(ses: World, behaviour: Behaviour) -> None:
    ses.outside.behave("slow.test", behaviour)
    send(ses, ["x@slow.test"])
    [delay] = ses.events("DeliveryDelay")
    assert [r["emailAddress"] for r in delay["deliveryDelay"]["delayedRecipients"]] == ["x@slow.test"]
    ses.clock.advance(HOUR * 2.9)
    assert ses.events("Bounce") == []
    ses.clock.advance(HOUR * 0.2)
    [bounce] = [event["bounce"] for event in ses.events("Bounce")]
    assert (bounce["bounceType"], bounce["bounceSubType"]) == ("Transient", "General")
    assert bounce["bouncedRecipients"][0]["status"] == "4.4.7"
    assert ses.outside.outbox() == []
    assert [a.outcome for a in ses.outside.remote("slow.test").attempts] == ["deferred"]


def test_S30_a_complaining_domain_takes_it_and_complains(ses: World) -> None:
    ses.outside.behave("angry.test", "complain")
    send(ses, ["x@angry.test"])
    assert [e["eventType"] for e in ses.events()] == ["Send", "Delivery", "Complaint"]
    complaint = ses.events("Complaint")[0]["complaint"]
    assert complaint["complainedRecipients"] == [{"emailAddress": "x@angry.test"}]
    assert complaint["complaintFeedbackType"] == "abuse"


def test_one_address_can_answer_for_itself(ses: World) -> None:
    ses.outside.behave("gone@far.test", "refuse")
    send(ses, ["gone@far.test", "here@far.test"])
    assert ses.events("Delivery")[0]["delivery"]["recipients"] == ["here@far.test"]
    assert [o.recipients for o in ses.outside.outbox("far.test")] == [("here@far.test",)]


class _Picky:
    """A real SMTP server outside."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("no"):
            return "550 5.7.1 Not you"
        if address.startswith("later"):
            return "450 4.2.0 Greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.taken.append(
            (envelope.mail_from or "", envelope.rcpt_tos, bytes(envelope.original_content or b""))
        )
        return "250 OK"


def test_a_given_smtp_host_gets_real_smtp(ses: World) -> None:
    picky = _Picky()
    [port] = free_ports(1)
    host = Controller(picky, hostname="127.0.0.1", port=port)
    host.start()
    try:
        ses.outside.smtp_out = Route("127.0.0.1", port)
        ses_id = send(ses, ["ok@far.test", "no@far.test", "later@far.test"])
        ses.clock.quiesce(20)
    finally:
        host.stop()
    [(mail_from, to, raw)] = picky.taken
    assert (mail_from, to) == (f"{ses_id}@email.amazonses.com", ["ok@far.test"])
    assert b"\r\n.dot\r\n" in raw
    assert (
        ses.events("Bounce")[0]["bounce"]["bouncedRecipients"][0]["diagnosticCode"]
        == "smtp; 550 5.7.1 Not you"
    )
    [late] = ses.events("DeliveryDelay")[0]["deliveryDelay"]["delayedRecipients"]
    assert (late["emailAddress"], late["status"]) == ("later@far.test", "4.2.0")


def test_a_domain_whose_mx_is_here_comes_back_by_smtp(ses: World) -> None:
    ses.zone.put("live.test", "MX", ["10 inbound.live.test.emailmx.test"])
    ses.outside.loop_back = Route("127.0.0.1", ses.smtp.port)
    send(ses, ["bob@live.test"])
    assert ses.events("Delivery")
    [received] = [event for topic, event in ses.published if topic == "received"]
    assert received["receipt"]["recipients"] == ["bob@live.test"]


def test_a_bounce_to_SES_own_return_path_becomes_an_event(ses: World) -> None:
    ses.zone.put("live.test", "MX", ["10 inbound.live.test.emailmx.test"])
    ses.outside.loop_back = Route("127.0.0.1", ses.smtp.port)
    ses_id = send(ses, ["bob@live.test"])
    ses.clock.quiesce(10)
    [received] = [event for topic, event in ses.published if topic == "received"]
    ses.client("ses").send_bounce(
        OriginalMessageId=received["mail"]["messageId"],
        BounceSender="postmaster@live.test",
        BouncedRecipientInfoList=[{"Recipient": "bob@live.test", "BounceType": "ExceededQuota"}],
    )
    [bounce] = ses.events("Bounce")
    assert bounce["mail"]["messageId"] == ses_id
    assert bounce["bounce"]["bouncedRecipients"][0]["status"] == "5.2.2"
