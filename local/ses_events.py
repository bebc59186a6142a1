"""The JSON that SES publishes: event publishing for sent mail, "Received" for mail that came in.

Field names, orders and the forms of values are those of the SES developer guide ("Contents of event
data that Amazon SES publishes to Amazon SNS", "Contents of notifications for email receiving").
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local import rawmail
from local.ses_state import ConfigurationSet

Event = dict[str, Any]


def stamp(seconds: float) -> str:
    """`2026-01-31T10:00:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that SES accepted. An empty `mail_from` is the null return path of a bounce."""

    ses_id: str
    source: str  # the address it was sent from
    mail_from: str  # the return path on the wire
    recipients: tuple[str, ...]
    raw: bytes
    accepted_at: float  # seconds since 1970, test clock
    account: str
    tags: Mapping[str, Sequence[str]]
    config: ConfigurationSet | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a remote server said. `status` is RFC 3463's; `text` the reply line with its code."""

    status: str
    text: str


def _mail(message: Outgoing) -> Event:
    headers, truncated = rawmail.notification_headers(message.raw)
    domain = message.source.rpartition("@")[2]
    common = rawmail.common_headers(message.raw) | {"messageId": message.ses_id}
    own = {
        "ses:configuration-set": [message.config.name if message.config else ""],
        "ses:from-domain": [domain],
        "ses:source-ip": ["127.0.0.1"],
        "ses:caller-identity": ["plainpost"],
    }
    return {
        "timestamp": stamp(message.accepted_at),
        "source": message.source,
        "sourceArn": f"arn:aws:ses:us-east-1:{message.account}:identity/{domain}",
        "sendingAccountId": message.account,
        "messageId": message.ses_id,
        "destination": list(message.recipients),
        "headersTruncated": truncated,
        "headers": headers,
        "commonHeaders": common,
        "tags": own | {name: list(values) for name, values in message.tags.items()},
    }


def _event(kind: str, message: Outgoing, key: str, detail: Event) -> Event:
    return {"eventType": kind, "mail": _mail(message), key: detail}


def send(message: Outgoing) -> Event:
    """SES took it."""
    return _event("Send", message, "send", {})


def reject(message: Outgoing, reason: str = "Bad content") -> Event:
    """SES took it, found a virus and will not send it."""
    return _event("Reject", message, "reject", {"reason": reason})


def delivery(message: Outgoing, recipients: Sequence[str], at: float, reply: Reply) -> Event:
    """The remote server took it for these recipients."""
    detail = {
        "timestamp": stamp(at),
        "processingTimeMillis": max(1, round((at - message.accepted_at) * 1000)),
        "recipients": list(recipients),
        "smtpResponse": reply.text,
        "reportingMTA": "a1-1.smtp-out.amazonses.com",
    }
    return _event("Delivery", message, "delivery", detail)


def bounce(message: Outgoing, failed: Mapping[str, Reply], at: float, *, permanent: bool) -> Event:
    """A hard bounce (Permanent General), or the end of SES's own tries (Transient General)."""
    detail = {
        "feedbackId": _feedback_id(),
        "bounceType": "Permanent" if permanent else "Transient",
        "bounceSubType": "General",
        "bouncedRecipients": [
            {
                "emailAddress": address,
                "action": "failed",
                "status": reply.status,
                "diagnosticCode": f"smtp; {reply.text}",
            }
            for address, reply in failed.items()
        ],
        "timestamp": stamp(at),
        "reportingMTA": "dns; a1-1.smtp-out.amazonses.com",
    }
    return _event("Bounce", message, "bounce", detail)


def delay(message: Outgoing, delayed: Mapping[str, Reply], at: float, until: float, kind: str) -> Event:
    """SES will keep trying until `until`. `kind` is a delayType of SES."""
    detail = {
        "timestamp": stamp(at),
        "delayType": kind,
        "expirationTime": stamp(until),
        "delayedRecipients": [
            {"emailAddress": address, "status": reply.status, "diagnosticCode": f"smtp; {reply.text}"}
            for address, reply in delayed.items()
        ],
        "reportingMTA": "a1-1.smtp-out.amazonses.com",
    }
    return _event("DeliveryDelay", message, "deliveryDelay", detail)


def complaint(message: Outgoing, recipients: Sequence[str], at: float) -> Event:
    """Somebody at that provider called it spam; everyone there who got it is listed."""
    detail = {
        "feedbackId": _feedback_id(),
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": address} for address in recipients],
        "timestamp": stamp(at),
        "userAgent": "ISP Feedback Loop",
        "complaintFeedbackType": "abuse",
        "arrivalDate": stamp(message.accepted_at),
    }
    return _event("Complaint", message, "complaint", detail)


def _feedback_id() -> str:
    return f"0100{uuid.uuid4().hex[:12]}-{uuid.uuid4()}-000000"


@dataclass(frozen=True, slots=True)
class Findings:
    """SES's verdicts on mail that came in; `policy` is the sender's DMARC policy when that failed."""

    spam: str
    virus: str
    spf: str
    dkim: str
    dmarc: str
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the raw mail was put, and the topic of the action."""

    bucket: str
    prefix: str
    key: str
    topic: str


def received(
    ses_id: str,
    at: float,
    sender: str,
    recipients: Iterable[str],
    raw: bytes,
    findings: Findings,
    stored: Stored,
) -> Event:
    """The "Received" notification of an S3 action with a topic. `raw` is the mail as stored."""
    headers, truncated = rawmail.notification_headers(raw)
    receipt: Event = {
        "timestamp": stamp(at),
        "processingTimeMillis": 1,
        "recipients": list(recipients),
        "spamVerdict": {"status": findings.spam},
        "virusVerdict": {"status": findings.virus},
        "spfVerdict": {"status": findings.spf},
        "dkimVerdict": {"status": findings.dkim},
        "dmarcVerdict": {"status": findings.dmarc},
        "action": {
            "type": "S3",
            "topicArn": stored.topic,
            "bucketName": stored.bucket,
            "objectKeyPrefix": stored.prefix,
            "objectKey": stored.key,
        },
    }
    if findings.policy:
        receipt["dmarcPolicy"] = findings.policy
    mail = {
        "timestamp": stamp(at),
        "source": sender,
        "messageId": ses_id,
        "destination": rawmail.addresses(raw, "to", "cc"),
        "headersTruncated": truncated,
        "headers": headers,
        "commonHeaders": rawmail.common_headers(raw),
    }
    return {"notificationType": "Received", "mail": mail, "receipt": receipt}
