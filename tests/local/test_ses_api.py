"""The local SES API, called by boto3 as the service calls it."""

import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import rawmail
from local.ses_api import nested
from local.verdicts import EICAR
from tests.local.world import World, world

RAW = (
    b"From: Ann <ann@live.test>\r\nTo: x@far.test\r\nSubject: hello\r\nMessage-ID: <ours@live.test>\r\n"
    b"Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nBcc: hidden@far.test\r\n\r\n.dot\r\n\x00\xff bytes\r\n"
)


@pytest.fixture
def ses() -> Iterator[World]:
    with world() as made:
        made.host("live.test")
        yield made


def send(ses: World, to: list[str], raw: bytes = RAW, sender: str = "ann@live.test") -> str:
    answer = ses.client("sesv2").send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": to},
        Content={"Raw": {"Data": raw}},
        EmailTags=[{"Name": "submission", "Value": "s1"}],
        ConfigurationSetName="set",
    )
    return str(answer["MessageId"])


def refused(call: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call()
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_a_message_leaves_with_SES_own_id_and_date_and_the_same_body(ses: World) -> None:
    ses_id = send(ses, ["x@far.test"])
    assert [e["eventType"] for e in ses.events()] == ["Send", "Delivery"]
    [out] = ses.outside.outbox("x@far.test")
    assert out.sender == "ann@live.test"
    assert out.raw.endswith(b"\r\n\r\n.dot\r\n\x00\xff bytes\r\n")
    assert rawmail.values(out.raw, "message-id") == [f"<{ses_id}@email.amazonses.com>"]
    assert len(rawmail.values(out.raw, "date")) == 1
    assert "2026 00:00:00" not in rawmail.values(out.raw, "date")[0]
    assert rawmail.values(out.raw, "bcc") == []


def test_events_carry_tags_and_configuration_set(ses: World) -> None:
    ses_id = send(ses, ["x@far.test"])
    [delivery] = ses.events("Delivery")
    assert delivery["mail"]["messageId"] == ses_id
    assert delivery["mail"]["tags"]["submission"] == ["s1"]
    assert delivery["mail"]["tags"]["ses:configuration-set"] == ["set"]
    assert delivery["delivery"]["recipients"] == ["x@far.test"]
    assert delivery["mail"]["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("to", "raw", "sender", "code"),
    [
        ([f"r{n}@far.test" for n in range(51)], RAW, "ann@live.test", "BadRequestException"),
        (["ok@far.test", "not an address"], RAW, "ann@live.test", "BadRequestException"),
        (["jörg@far.test"], RAW, "ann@live.test", "BadRequestException"),
        (["x@far"], RAW, "ann@live.test", "BadRequestException"),
        (["x@far.test"], RAW, "ann@elsewhere.test", "MessageRejected"),
        (["x@far.test"], RAW.replace(b"ann@live", b"ann@other"), "ann@live.test", "MessageRejected"),
        (["x@far.test"], RAW + b"y" * 999, "ann@live.test", "BadRequestException"),
        (
            ["x@far.test"],
            RAW.replace(b"Bcc: ", b'Content-Type: x/y;\r\n name="a.EXE"\r\nBcc: '),
            "ann@live.test",
            "BadRequestException",
        ),
        (["x@far.test"], RAW.replace(b"hello", "grün".encode()), "ann@live.test", "BadRequestException"),
        (["x@far.test"], RAW + b"z\r\n" * (14 * 1024 * 1024), "ann@live.test", "BadRequestException"),
    ],
    ids=["51", "malformed", "eai", "no dot", "unverified", "From", "long line", "exe", "8-bit", "40 MB"],
)
def test_what_SES_refuses_is_refused_whole(
    ses: World, to: list[str], raw: bytes, sender: str, code: str
) -> None:
    assert refused(lambda: send(ses, to, raw, sender))[0] == code
    assert ses.events() == []


def test_S25_a_virus_is_taken_and_then_rejected(ses: World) -> None:
    send(ses, ["x@far.test"], RAW + EICAR + b"\r\n")
    assert [e["eventType"] for e in ses.events()] == ["Send", "Reject"]
    assert ses.outside.outbox() == []


def test_an_identity_is_verified_once_its_records_are_published(ses: World) -> None:
    client = ses.client("sesv2")
    made = client.create_email_identity(EmailIdentity="new.test", ConfigurationSetName="set")
    tokens = made["DkimAttributes"]["Tokens"]
    assert len(set(tokens)) == 3
    assert not client.get_email_identity(EmailIdentity="new.test")["VerifiedForSendingStatus"]
    for token in tokens:
        ses.zone.put(f"{token}._domainkey.new.test", "CNAME", [f"{token}.dkim.amazonses.com."])
    seen = client.get_email_identity(EmailIdentity="new.test")
    assert (seen["VerifiedForSendingStatus"], seen["DkimAttributes"]["Status"]) == (True, "SUCCESS")
    assert {row["IdentityName"] for row in client.list_email_identities()["EmailIdentities"]} >= {"new.test"}
    again = refused(lambda: client.create_email_identity(EmailIdentity="new.test"))
    assert again[0] == "AlreadyExistsException"
    client.delete_email_identity(EmailIdentity="new.test")
    assert refused(lambda: client.get_email_identity(EmailIdentity="new.test"))[0] == "NotFoundException"


def test_configuration_sets_and_rules_are_made_by_the_api(ses: World) -> None:
    client = ses.client("sesv2")
    client.create_configuration_set(ConfigurationSetName="c", DeliveryOptions={"MaxDeliverySeconds": 10_800})
    client.create_configuration_set_event_destination(
        ConfigurationSetName="c",
        EventDestinationName="e",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["SEND"],
            "SnsDestination": {"TopicArn": "arn:aws:sns:us-east-1:1:t"},
        },
    )
    shown = client.get_configuration_set_event_destinations(ConfigurationSetName="c")["EventDestinations"]
    assert shown[0]["SnsDestination"]["TopicArn"] == "arn:aws:sns:us-east-1:1:t"
    assert ses.state.config_set("c").max_delivery_seconds == 10_800
    first = ses.client("ses")
    first.create_receipt_rule_set(RuleSetName="r")
    action = {"S3Action": {"BucketName": "b", "ObjectKeyPrefix": "in/", "TopicArn": "t"}}
    rule = {"Name": "inbound", "Enabled": True, "ScanEnabled": True, "Actions": [action]}
    first.create_receipt_rule(RuleSetName="r", Rule=rule)
    first.set_active_receipt_rule_set(RuleSetName="r")
    found = ses.state.receipt_rule()
    assert found is not None
    assert (found.bucket, found.prefix, found.topic, found.scan) == ("b", "in/", "t", True)
    assert first.describe_active_receipt_rule_set()["Rules"][0]["Name"] == "inbound"


def receive(ses: World, sender: str = "far@far.test") -> str:
    ses.deliver(sender, ["ann@live.test"], b"Subject: too big\r\nMessage-ID: <theirs@far.test>\r\n\r\nx\r\n")
    return str([event for topic, event in ses.published if topic == "received"][-1]["mail"]["messageId"])


def bounce(ses: World, original: str, **more: Any) -> Any:
    info = {
        "Recipient": "ann@live.test",
        "RecipientDsnFields": {
            "FinalRecipient": "rfc822; ann@live.test",
            "Action": "failed",
            "Status": "5.2.2",
            "DiagnosticCode": "smtp; 550 5.2.2 quota exceeded",
        },
    }
    fields = {"BounceSender": "postmaster@live.test", "BouncedRecipientInfoList": [info], **more}
    return ses.client("ses").send_bounce(OriginalMessageId=original, **fields)


def test_S17_S28_a_bounce_is_a_report_with_a_null_return_path(ses: World) -> None:
    bounce(ses, receive(ses), MessageDsn={"ReportingMta": "dns; mx.live.test"})
    ses.clock.quiesce(10)
    [out] = ses.outside.outbox("far@far.test")
    assert (out.sender, out.return_path) == ("", "")
    report = email.message_from_bytes(out.raw, policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    text, status, headers = report.iter_parts()
    assert [p.get_content_type() for p in (status, headers)] == [
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert b"Reporting-MTA: dns; mx.live.test" in out.raw
    assert b"Final-Recipient: rfc822; ann@live.test" in out.raw
    assert b"Diagnostic-Code: smtp; 550 5.2.2 quota exceeded" in out.raw
    assert b"theirs@far.test" in out.raw
    assert "ann@live.test" in text.get_content()


def test_a_bounce_is_refused_after_24_hours_for_strangers_and_for_null_senders(ses: World) -> None:
    assert refused(lambda: bounce(ses, "unknown"))[0] == "MessageRejected"
    from_nobody = receive(ses, "")
    assert refused(lambda: bounce(ses, from_nobody))[0] == "MessageRejected"
    original = receive(ses)
    assert refused(lambda: bounce(ses, original, BounceSender="x@other.test"))[0] == "MessageRejected"
    ses.clock.advance(timedelta(hours=25))
    assert refused(lambda: bounce(ses, original))[0] == "MessageRejected"


def test_calls_are_counted_by_function(ses: World) -> None:
    send(ses, ["x@far.test"])
    rows = {(c["service"], c["operation"]): c["calls"] for c in ses.ops.snapshot()["calls"]}
    assert rows["sesv2", "SendEmail"] == 1


def test_the_query_protocol_is_undone() -> None:
    values = {"A.member.2.B": "two", "A.member.1.B": "one", "C.D": "x", "E": "y"}
    assert nested(values) == {"A": [{"B": "one"}, {"B": "two"}], "C": {"D": "x"}, "E": "y"}
