"""Mail from the internet, as SES takes it in."""

import base64
import smtplib
from collections.abc import Iterator
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local import rawmail
from local.ses_events import Event
from local.verdicts import EICAR, GTUBE
from tests.local.world import World, world

HEADER = b"From: Zoe <zoe@far.test>\r\nTo: ann@live.test, list@else.test\r\nSubject: hi\r\n"
RAW = HEADER + b"\r\nHello\r\n.\r\n..two\r\n"


@pytest.fixture
def ses() -> Iterator[World]:
    with world() as made:
        made.host("live.test")
        yield made


def take(ses: World, raw: bytes = RAW, sender: str = "zoe@far.test") -> tuple[Event, bytes]:
    """The notification and the stored object."""
    ses.deliver(sender, ["ann@live.test"], raw)
    event = [event for topic, event in ses.published if topic == "received"][-1]
    action = event["receipt"]["action"]
    return event, ses.objects[action["bucketName"], action["objectKey"]]


def verdicts(event: Event) -> dict[str, str]:
    return {
        k.removesuffix("Verdict"): v["status"] for k, v in event["receipt"].items() if k.endswith("Verdict")
    }


def test_the_message_is_stored_byte_for_byte_behind_SES_own_fields(ses: World) -> None:
    event, stored = take(ses)
    assert stored.endswith(RAW)
    names = [name for name, _ in rawmail.fields(stored[: -len(RAW)])]
    assert names == [
        "return-path",
        "received",
        "x-ses-spam-verdict",
        "x-ses-virus-verdict",
        "received-spf",
        "authentication-results",
    ]
    assert event["receipt"]["action"]["objectKey"] == f"in/{event['mail']['messageId']}"


def test_the_notification_has_SES_form(ses: World) -> None:
    event, _ = take(ses)
    assert event["notificationType"] == "Received"
    assert event["receipt"]["recipients"] == ["ann@live.test"]
    assert event["receipt"]["action"]["type"] == "S3"
    mail = event["mail"]
    assert mail["source"] == "zoe@far.test"
    assert mail["destination"] == ["ann@live.test", "list@else.test"], "from the header, as SES does"
    assert mail["commonHeaders"] == {
        "returnPath": "zoe@far.test",
        "from": ["Zoe <zoe@far.test>"],
        "to": ["ann@live.test", "list@else.test"],
        "subject": "hi",
    }
    assert {"name": "Subject", "value": "hi"} in mail["headers"]


def test_bytes_no_text_could_carry_arrive_as_they_are(ses: World) -> None:
    body = bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n" + b"w" * 5000 + b"\r\n"
    _, stored = take(ses, b"Subject: raw\r\n\r\n" + body)
    assert stored.endswith(body)


@pytest.mark.parametrize(
    "raw",
    [b".\r\n", b"..\r\n.\r\n", b"\r\n", b"a\nb\r\n.c\r\n", b".\r\n\r\n.\r\n.\r\n"],
)
def test_dots_and_bare_line_ends_come_through(ses: World, raw: bytes) -> None:
    _, stored = take(ses, raw)
    assert stored[stored.index(b"header.from=;\r\n") + len(b"header.from=;\r\n") :] == raw
    ses.deliver("zoe@far.test", ["ann@live.test"], raw)  # and the next on a fresh connection


def test_only_verified_domains_get_mail(ses: World) -> None:
    ses.state.create_identity("pending.test")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        ses.deliver("zoe@far.test", ["x@pending.test", "x@nowhere.test"], RAW)
    assert {code for code, _ in refused.value.recipients.values()} == {550}
    assert set(ses.deliver("zoe@far.test", ["ann@live.test", "x@nowhere.test"], RAW)) == {"x@nowhere.test"}


def test_more_than_40_MB_is_refused(ses: World) -> None:
    with pytest.raises(smtplib.SMTPException):
        ses.deliver(
            "zoe@far.test",
            ["ann@live.test"],
            b"Subject: x\r\n\r\n" + b"y" * 76 + b"\r\n" * (21 * 1024 * 1024),
        )
    assert ses.objects == {}


def test_S25_viruses_and_spam_are_recognised_encoded_or_not(ses: World) -> None:
    assert verdicts(take(ses)[0])["virus"] == "PASS"
    hidden = base64.encodebytes(EICAR).replace(b"\n", b"\r\n")
    encoded = b"Content-Transfer-Encoding: base64\r\n\r\n" + hidden
    for raw in (b"Subject: v\r\n\r\n" + EICAR + b"\r\n", encoded):
        assert verdicts(take(ses, raw)[0])["virus"] == "FAIL"
    event, stored = take(ses, b"Subject: s\r\n\r\n" + GTUBE + b"\r\n")
    assert verdicts(event)["spam"] == "FAIL"
    assert b"X-SES-Spam-Verdict: FAIL" in stored


def test_S28_spf_by_the_local_dns(ses: World) -> None:
    assert verdicts(take(ses)[0])["spf"] == "PASS", "a test domain nobody spoke of is well kept"
    ses.zone.put("far.test", "TXT", ["v=spf1 ip4:192.0.2.1 -all"])
    event, stored = take(ses)
    assert verdicts(event)["spf"] == "FAIL"
    assert b"Received-SPF: fail" in stored
    ses.zone.put("far.test", "TXT", ["v=spf1 include:_spf.host.test ~all"])
    ses.zone.put("_spf.host.test", "TXT", ["v=spf1 ip4:127.0.0.1 -all"])
    assert verdicts(take(ses)[0])["spf"] == "PASS"
    ses.zone.put("far.test", "TXT", ["v=spf1 -all", "v=spf1 +all"])
    assert verdicts(take(ses)[0])["spf"] == "PROCESSING_FAILED"
    assert verdicts(take(ses, sender="x@live.test")[0])["spf"] == "GRAY", (
        "a hosted domain is what its DNS says"
    )
    assert verdicts(take(ses, sender="x@far.org")[0])["spf"] == "GRAY"


def sign(raw: bytes, key: Any, domain: bytes) -> bytes:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return bytes(dkim.sign(raw, b"sel", domain, pem, include_headers=[b"from", b"subject"])) + raw


def test_dkim_and_dmarc_by_the_local_dns(ses: World) -> None:
    assert verdicts(take(ses)[0])["dkim"] == "GRAY"
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    ses.zone.put("sel._domainkey.far.test", "TXT", ["v=DKIM1; k=rsa; p=" + base64.b64encode(public).decode()])
    signed = sign(RAW, key, b"far.test")
    event, stored = take(ses, signed)
    assert verdicts(event)["dkim"] == "PASS"
    assert b"dkim=pass header.i=@far.test;" in stored
    assert verdicts(event)["dmarc"] == "GRAY", "no policy"
    ses.zone.put("_dmarc.far.test", "TXT", ["v=DMARC1; p=reject"])
    assert verdicts(take(ses, signed, "x@mailer.test")[0])["dmarc"] == "PASS"
    broken = signed.replace(b"Hello", b"Hallo")
    event, _ = take(ses, broken, "x@mailer.test")
    assert (verdicts(event)["dkim"], verdicts(event)["dmarc"]) == ("FAIL", "FAIL")
    assert event["receipt"]["dmarcPolicy"] == "reject"


def test_a_hostile_message_is_taken_like_any_other(ses: World) -> None:
    hostile = (
        b"DKIM-Signature: v=1; a=rsa-sha256; d=;;; s=\xff; h=:::; bh=!; b=\r\n"
        b'From: <<<>>@@\r\nContent-Type: multipart/mixed; boundary="\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n\x00--\r\n"
    )
    event, stored = take(ses, hostile, "a@" + "x" * 60 + ".test")
    assert stored.endswith(hostile)
    assert event["receipt"]["dkimVerdict"]["status"] == "FAIL"
