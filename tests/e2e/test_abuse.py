"""S30 to S33 through the public ports: a message is reported, suspensions follow, the operator lifts them."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.e2e.orders import PASSWORD, live_pair
from tools.town import Refused, Town, call, get, until


def report(raw: bytes) -> bytes:
    """Somebody forwards what he got, as mail programs attach it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "offended@far.test", "abuse@emailmx.test", "Fwd: offer"
    mail.set_content("I never asked for this.\n")
    mail.add_attachment(raw, maintype="application", subtype="octet-stream", filename="offer.eml")
    return mail.as_bytes()


def told(town: Town, subject: bytes) -> bool:
    """Whether the reseller got a notice with this subject."""
    return any(b"Subject: " + subject in m["bytes"] for m in town.outbox("postmaster@harbour.example"))


def test_S30_to_S33_from_a_forwarded_message_to_a_lifted_suspension(town: Town) -> None:
    pair = live_pair(town, "spammy.test")
    operator, domain = town.stack["operator"]["api_key"], f"{town.web}/v1/operator/domains/spammy.test"
    pair.bob.send(["offended@far.test"], "offer", "Buy now!")
    [got] = until(lambda: town.outbox("offended@far.test"))
    town.deliver("offended@far.test", ["abuse@emailmx.test"], report(got["bytes"]))
    until(lambda: get(f"{domain}/mailboxes/bob/suspension", token=operator)["suspended"])
    town.advance("16s")
    with pytest.raises(Refused) as refused:
        pair.bob.folders()
    assert refused.value.status == 403
    town.deliver("yan@far.test", [pair.bob.address], b"Subject: still here\r\n\r\nHello.\r\n")

    town.remote("complains.test", "complain")
    pair.ann.send(["yan@complains.test"], "another offer", "Buy more!")
    until(lambda: get(f"{domain}/suspension", token=operator)["suspended"])
    strikes = get(f"{town.api}/domains/spammy.test/strikes", token=town.key())["strikes"]
    assert [s["address"] for s in strikes] == [pair.ann.address, pair.bob.address]
    until(lambda: told(town, b"The mailbox bob@spammy.test is suspended"))
    until(lambda: told(town, b"Email of spammy.test is suspended"))

    for path in ("", "/mailboxes/bob"):
        call("DELETE", f"{domain}{path}/suspension", {"reason": "They said sorry."}, token=operator)
    town.advance("16s")
    town.sign_in(pair.bob.address, PASSWORD).wait_for("still here")
