"""Order, activate, receive, read, send, retry on the packaged template, deployed: the template runs."""

import email
import email.policy
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from chalicelib.services import accounts
from local import ses_events
from local.ses_events import Reply
from tests.ministack.calls import Need
from tests.ministack.deployment import Deployment
from tests.ministack.engine import ACCOUNT, REGION
from tests.ministack.visitor import PASSWORD, Visitor, letter, visitor
from tests.packaged import functions
from tools.town import Refused, call, get, until

DOMAIN = "shop.test"
#: What EventBridge sends for a schedule.
SCHEDULED = {
    "version": "0",
    "id": "1",
    "source": "aws.events",
    "account": ACCOUNT,
    "time": "2026-03-02T09:00:00Z",
    "region": REGION,
    "resources": [],
    "detail-type": "Scheduled Event",
    "detail": {},
}


@pytest.fixture(scope="module")
def town(place: Deployment) -> Visitor:
    return visitor(place)


@pytest.fixture(scope="module")
def live(town: Visitor) -> Visitor:
    """A domain that was ordered, refused, published and found."""
    town.order(DOMAIN, "ann", "bob")
    assert town.state(DOMAIN) == "pending"
    with pytest.raises(Refused) as refused:
        town.sign_in(f"ann@{DOMAIN}", PASSWORD)
    assert refused.value.status == 403
    until(lambda: polls(town.place) >= 2)
    assert town.state(DOMAIN) == "pending"
    town.publish(DOMAIN, token=town.key())
    until(lambda: town.state(DOMAIN) == "live", seconds=60)
    return town


def polls(place: Deployment) -> int:
    return sum(place.visited(run).count("Poll") for run in place.machine("activation"))


def test_S4_the_activation_machine_polls_and_ends_when_the_MX_is_there(live: Visitor) -> None:
    [run] = until(lambda: [r for r in live.place.machine("activation") if r["status"] != "RUNNING"])
    assert run["status"] == "SUCCEEDED"
    states = live.place.visited(run)
    assert states[:3] == ["Poll", "Again", "Wait"]
    assert states[-3:] == ["Poll", "Again", "Done"]
    assert live.place.state.verified(DOMAIN), "the domain became an identity"


def test_mail_is_received_read_answered_and_its_delivery_is_known(live: Visitor) -> None:
    ann = live.sign_in(f"ann@{DOMAIN}", PASSWORD)
    sent = letter("zoe@far.test", ann.address, "lunch on Friday", "Shall we?\n")
    live.receive("zoe@far.test", ann.address, sent)
    row = ann.wait_for("lunch on Friday", seconds=60)
    opened = ann.open(row["id"])
    assert opened["bodyValues"][opened["textBody"][0]["partId"]]["value"].strip() == "Shall we?"
    raw = ann.blob(opened["blobId"], "message/rfc822", "m.eml")
    assert raw.endswith(sent.as_bytes(policy=email.policy.SMTP))

    content = bytes(range(256)) * 400
    blob = ann.upload(content, "application/zip")
    attached = {"blobId": blob, "type": "application/zip", "name": "menu.zip", "disposition": "attachment"}
    made = ann.send(["zoe@far.test"], "Re: lunch on Friday", "Yes.", attachments=[attached])
    [out] = until(lambda: live.place.outside.outbox("zoe@far.test"), seconds=60)
    parsed = email.message_from_bytes(out.raw, policy=email.policy.default)
    assert isinstance(parsed, email.message.EmailMessage)
    [part] = parsed.iter_attachments()
    assert part.get_content() == content, "bytes through API Gateway, S3 and SES"
    until(lambda: fate(ann, made["id"], "zoe@far.test")["delivered"] == "unknown", seconds=60)


def test_S28_mail_to_nobody_bounces_to_a_sender_who_is_one(live: Visitor) -> None:
    live.dns("true.test", "TXT", "v=spf1 ip4:127.0.0.1 -all")
    live.receive(
        "zoe@true.test", f"nobody@{DOMAIN}", letter("zoe@true.test", f"nobody@{DOMAIN}", "hello?", "?\n")
    )
    [bounce] = until(lambda: live.place.outside.outbox("zoe@true.test"), seconds=60)
    assert bounce.sender == ""
    assert b"5.1.1" in bounce.raw


@pytest.mark.parametrize("name", ["watch_domains", "mend_outbox", "warn_mailboxes", "webhooks", "cleanup"])
def test_what_happens_by_the_clock_runs(live: Visitor, name: str) -> None:
    """ministack's rules do not fire within a test: the rule leads to the function, the function runs."""
    events, lambda_ = live.place.engine.client("events"), live.place.engine.client("lambda")
    arn = lambda_.get_function_configuration(FunctionName=f"plainpost-test-{name}")["FunctionArn"]
    [rule] = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    assert events.describe_rule(Name=rule)["ScheduleExpression"].startswith("rate(1 ")
    answer = lambda_.invoke(FunctionName=arn, Payload=json.dumps(SCHEDULED).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_S36_what_the_operator_tells_reaches_whom_it_concerns(live: Visitor) -> None:
    """The status page is in the bucket; a reseller, a subscriber and an email admin have their mail."""
    operator = accounts.issue_key(live.place.operator(), "", ["*"])

    def tell(path: str, body: Any) -> None:
        call("POST", f"{live.api}/operator/{path}", body, token=operator)

    call("POST", f"{live.api}/status/subscriptions", {"email": "zoe@far.test"})
    [asked] = until(lambda: told(live, "zoe@far.test", "Please confirm"), seconds=60)
    [token] = re.findall(r"confirm\?token=([\w.-]+)", asked.get_content())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    confirmed = call("POST", f"{live.api}/status/confirm", f"token={token}".encode(), headers=headers)
    assert b"You are subscribed" in confirmed[1]
    parts = {"components": ["webmail"], "text": "We look into it."}
    tell("incidents", {"title": "Webmail is slow", "kind": "degradation", **parts})
    ends_at = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    tell("maintenance", {"ends_at": ends_at, **parts})
    tell("announcements", {"subject": "For email admins", "text": "We have news."})
    until(lambda: told(live, "zoe@far.test", "[Investigating] Webmail is slow"), seconds=60)
    until(lambda: told(live, "hello@house.test", "Unplanned maintenance"), seconds=60)
    live.sign_in(f"ann@{DOMAIN}", PASSWORD).wait_for("For email admins", seconds=60)
    s3, bucket = live.place.engine.client("s3"), live.place.outputs["WebBucketName"]
    page = s3.get_object(Bucket=bucket, Key="status/index.html")["Body"].read().decode()
    assert "Webmail is slow" in page


def told(live: Visitor, address: str, subject: str) -> list[EmailMessage]:
    """Mails to somebody outside whose subject begins like this."""
    mails = [
        email.message_from_bytes(m.raw, policy=email.policy.default)
        for m in live.place.outside.outbox(address)
    ]
    return [m for m in mails if isinstance(m, EmailMessage) and str(m["Subject"]).startswith(subject)]


def test_S26_mail_within_the_platform_never_meets_SES(live: Visitor) -> None:
    ann, bob = (live.sign_in(f"{name}@{DOMAIN}", PASSWORD) for name in ("ann", "bob"))
    ann.send([bob.address], "just between us", "hello")
    bob.wait_for("just between us", seconds=60)
    assert live.place.outside.outbox(bob.address) == []


def test_S27_a_deferral_starts_the_delivery_machine_and_the_answer_ends_it(live: Visitor) -> None:
    ann = live.sign_in(f"ann@{DOMAIN}", PASSWORD)
    live.place.outside.behave("asleep.test", "defer")
    made = ann.send(["x@asleep.test"], "are you there", "hello")
    [try_] = until(lambda: live.place.outside.remote("asleep.test").attempts, seconds=60)
    live.place.advance(hours=3)  # SES gives up
    [run] = until(lambda: live.place.machine("delivery"), seconds=60)
    wanted = ["Watch", "Next", "Again", "Pause", "Attempt", "Watch"]
    until(lambda: live.place.visited(run)[:6] == wanted, seconds=60)

    # The deployment's own clock is real: its second attempt is due in three hours. SES's word comes first.
    reply = Reply("2.0.0", "250 2.0.0 OK: queued after all")
    event = ses_events.delivery(
        accepted(live, try_.ses_id), ["x@asleep.test"], live.place.clock.time(), reply
    )
    live.place.engine.client("sns").publish(
        TopicArn=live.place.outputs["MailEventsTopicArn"], Message=json.dumps(event)
    )
    until(lambda: fate(ann, made["id"], "x@asleep.test")["delivered"] == "unknown", seconds=60)
    until(lambda: live.place.machine("delivery")[0]["status"] == "SUCCEEDED", seconds=60)


def accepted(live: Visitor, ses_id: str) -> ses_events.Outgoing:
    """A message as the local SES took it."""
    return live.place.outside._sent[ses_id]


def fate(mailbox: Any, submission: str, address: str) -> dict[str, Any]:
    return dict(mailbox.fate(submission)["deliveryStatus"][address])


def test_status_and_brand_are_open_to_everyone(live: Visitor) -> None:
    assert get(f"{live.api}/status")
    assert get(f"{live.web}/brand.json")["product"]


def test_nothing_was_left_in_a_queue_and_no_function_failed(live: Visitor) -> None:
    until(lambda: not any(live.place.waiting().values()), seconds=60)
    mappings = live.place.engine.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert len(mappings) == 5
    assert not [m for m in mappings if "FAILED" in m.get("LastProcessingResult", "")]
    assert "Traceback" not in live.place.engine.log(10_000_000)


def test_every_call_of_the_functions_is_allowed_by_their_roles(live: Visitor) -> None:
    called = {need.function.removeprefix("plainpost-test-") for need in live.place.ledger.needs()}
    made = {f["FunctionName"]["Fn::Sub"].removeprefix("plainpost-${Stage}-") for f in functions().values()}
    assert called == made, "every function has run"
    identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{DOMAIN}"
    assert Need("plainpost-test-attempt", "ses:SendEmail", identity) in live.place.ledger.needs()
    assert live.place.ledger.refused() == []
