"""SES's event publishing records, read as findings (AWS_FACTS: which bounces are worth another try)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.rules.delivery import Event, Finding, milliseconds

Json = Mapping[str, Any]
REPLY_LENGTH = 500  # characters kept of a remote server's words
WORTH_ANOTHER_TRY = {"General", "MailboxFull"}  # subtypes of a Transient bounce
VIRUS = Finding("failed", status="5.7.1", reply="message refused: it contains a virus")


def read(event: Json) -> Event | None:
    """The event in our terms; None when it is of no message of ours (no tags) or of an unknown kind."""
    kind, mail = str(event.get("eventType", "")), event.get("mail", {})
    tags = mail.get("tags", {})
    reader = _READERS.get(kind)
    try:
        submission, chunk, attempt = (str(tags[name][0]) for name in ("submission", "chunk", "attempt"))
    except (KeyError, IndexError, TypeError):
        return None
    if reader is None or not chunk.isdecimal() or not attempt.isdecimal():
        return None
    detail = event.get(_DETAIL.get(kind, ""), {})
    complaints = frozenset(_addresses(detail.get("complainedRecipients", ())))
    return Event(
        submission,
        int(chunk),
        int(attempt),
        str(mail.get("messageId", "")),
        _time(detail.get("timestamp") or mail.get("timestamp")),
        dict(reader(detail, mail)),
        complaints,
    )


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a Complaint event says (S30). `submission` is empty where SES gives no tags back."""

    id: str  # SES's own of the report
    ses_id: str
    submission: str
    feedback: str  # RFC 5965 type; empty where the provider gives none


def complaint(event: Json) -> Complaint | None:
    """The complaint that an event is; None for other events, and for SES's own refusals.

    `OnAccountSuppressionList`: nobody complained, SES did not send because somebody had once.
    """
    detail = event.get("complaint") or {}
    if event.get("eventType") != "Complaint" or detail.get("complaintSubType"):
        return None
    mail = event.get("mail") or {}
    named = (mail.get("tags") or {}).get("submission") or [""]
    feedback = str(detail.get("complaintFeedbackType") or "")
    return Complaint(
        str(detail.get("feedbackId", "")), str(mail.get("messageId", "")), str(named[0]), feedback
    )


def _time(stamp: Any) -> int:
    """Milliseconds of an ISO 8601 time stamp; 0 for none."""
    return milliseconds(datetime.fromisoformat(str(stamp).replace("Z", "+00:00"))) if stamp else 0


def _addresses(recipients: Iterable[Json]) -> list[str]:
    return [str(r["emailAddress"]) for r in recipients]


def _send(_: Json, mail: Json) -> Iterable[tuple[str, Finding]]:
    return ((str(a), Finding("sent")) for a in mail.get("destination", ()))


def _delivery(detail: Json, _: Json) -> Iterable[tuple[str, Finding]]:
    reply = str(detail.get("smtpResponse", ""))[:REPLY_LENGTH]
    return ((str(a), Finding("delivered", status="2.0.0", reply=reply)) for a in detail.get("recipients", ()))


def _delay(detail: Json, _: Json) -> Iterable[tuple[str, Finding]]:
    for r in detail.get("delayedRecipients", ()):
        reply = str(r.get("diagnosticCode", ""))[:REPLY_LENGTH]
        yield str(r["emailAddress"]), Finding("deferred", False, str(r.get("status", "")), reply)


def _bounce(detail: Json, _: Json) -> Iterable[tuple[str, Finding]]:
    kind, subtype = str(detail.get("bounceType", "")), str(detail.get("bounceSubType", ""))
    again = kind == "Undetermined" or (kind == "Transient" and subtype in WORTH_ANOTHER_TRY)
    for r in detail.get("bouncedRecipients", ()):
        status = str(r.get("status", "")) or ("4.0.0" if again else "5.0.0")
        reply = str(r.get("diagnosticCode", ""))[:REPLY_LENGTH] or f"{kind}: {subtype}"
        yield str(r["emailAddress"]), Finding("deferred" if again else "failed", again, status, reply)


def _reject(_: Json, mail: Json) -> Iterable[tuple[str, Finding]]:
    return ((str(a), VIRUS) for a in mail.get("destination", ()))


def _complaint(_: Json, __: Json) -> Iterable[tuple[str, Finding]]:
    return ()


_DETAIL = {
    "Delivery": "delivery",
    "Bounce": "bounce",
    "DeliveryDelay": "deliveryDelay",
    "Complaint": "complaint",
}
_READERS = {
    "Send": _send,
    "Delivery": _delivery,
    "DeliveryDelay": _delay,
    "Bounce": _bounce,
    "Reject": _reject,
    "Complaint": _complaint,
}
