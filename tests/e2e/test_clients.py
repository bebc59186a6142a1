"""Real mail clients of the standard library against the gateway: POP3 and submission, over TLS."""

import poplib
import smtplib
import ssl

import pytest

from tests.e2e.orders import PASSWORD, live_pair, mailbox, order
from tests.e2e.test_spine import letter
from tools.town import Town, until


def trusted(town: Town) -> ssl.SSLContext:
    """A context that trusts the local authority and nobody else."""
    return ssl.create_default_context(cafile=town.stack["ca"])


def pop3(town: Town) -> poplib.POP3:
    """A connection that has gone over to TLS."""
    host, port = town.stack["pop3"].split(":")
    client = poplib.POP3(host, int(port), timeout=30)
    client.stls(trusted(town))
    return client


def submission(town: Town) -> smtplib.SMTP:
    """A connection that has gone over to TLS."""
    host, port = town.stack["submission"].split(":")
    client = smtplib.SMTP(host, int(port), local_hostname="client.test", timeout=30)
    client.starttls(context=trusted(town))
    client.ehlo()
    return client


def test_S24_POP3_reads_and_deletes_the_inbox(town: Town) -> None:
    pair = live_pair(town, "pop.test")
    dotted = letter("zoe@far.test", pair.ann.address, "dots", "one\n.two\n..three\n")
    for message in (letter("zoe@far.test", pair.ann.address, "first"), dotted):
        town.deliver("zoe@far.test", [pair.ann.address], message.as_bytes())
        pair.ann.wait_for(str(message["Subject"]))
    client = pop3(town)
    client.user(pair.ann.address)
    client.pass_(PASSWORD)
    count, size = client.stat()
    assert count == 2
    assert [line.split()[0] for line in client.uidl()[1]] == [b"1", b"2"]
    _, lines, _ = client.retr(2)
    assert b"".join(line + b"\r\n" for line in lines).endswith(dotted.as_bytes())
    assert size == sum(int(row.split()[1]) for row in client.list()[1])
    assert b"Subject: first" in client.top(1, 0)[1]
    client.dele(1)
    client.quit()
    assert [row["subject"] for row in pair.ann.listing()] == ["dots"]


def test_S24_no_password_is_taken_in_the_clear(town: Town) -> None:
    host, port = town.stack["pop3"].split(":")
    client = poplib.POP3(host, int(port), timeout=30)
    with pytest.raises(poplib.error_proto, match="start TLS"):
        client.user("ann@pop.test")
    client.quit()
    host, port = town.stack["submission"].split(":")
    with smtplib.SMTP(host, int(port), local_hostname="client.test", timeout=30) as smtp:
        smtp.ehlo()
        assert not smtp.has_extn("auth")
        assert smtp.docmd("AUTH", "PLAIN AGEAYg==")[0] == 538


def test_S5_a_pending_domain_is_refused_with_the_reason(town: Town) -> None:
    order(town, "waiting.test", mailbox("ann"))
    client = pop3(town)
    client.user("ann@waiting.test")
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\].*not active"):
        client.pass_(PASSWORD)
    with submission(town) as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        smtp.login("ann@waiting.test", PASSWORD)
    assert b"not active" in refused.value.smtp_error


def test_submission_sends_inside_and_outside_by_the_same_services(town: Town) -> None:
    pair = live_pair(town, "submit.test")
    message = letter(pair.ann.address, pair.bob.address, "from a client")
    with submission(town) as smtp:
        smtp.login(pair.ann.address, PASSWORD)
        assert not smtp.sendmail(pair.ann.address, [pair.bob.address, "x@far.test"], message.as_bytes())
        with pytest.raises(smtplib.SMTPDataError) as forged:
            smtp.sendmail(
                pair.bob.address, ["x@far.test"], letter(pair.bob.address, "x", "not me").as_bytes()
            )
    assert forged.value.smtp_code == 550
    pair.bob.wait_for("from a client")
    [out] = until(lambda: town.outbox("x@far.test"))
    assert b"Subject: from a client" in out["bytes"]


def test_S19_S20_limits_are_said_in_SMTP(town: Town) -> None:
    pair = live_pair(town, "limits.test")
    with submission(town) as smtp:
        smtp.login(pair.ann.address, PASSWORD)
        assert int(smtp.esmtp_features["size"]) == 25 * 1_048_576
        smtp.mail(pair.ann.address)
        answers = [smtp.rcpt(f"r{number}@far.test")[0] for number in range(251)]
    assert answers == [250] * 250 + [452]
