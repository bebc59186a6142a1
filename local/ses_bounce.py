"""SendBounce: the RFC 3464 report that SES composes, with a null return path."""

import email.utils
from collections.abc import Mapping, Sequence
from typing import Any

from local.ses_events import Outgoing, Reply
from local.ses_send import addr_spec, message_id, rewritten
from local.ses_state import Received, SesError, SesState

Fields = Mapping[str, Any]

_REPLIES = {
    "DoesNotExist": Reply("5.1.1", "550 5.1.1 user unknown"),
    "MessageTooLarge": Reply("5.3.4", "552 5.3.4 message too large"),
    "ExceededQuota": Reply("5.2.2", "552 5.2.2 mailbox full"),
    "ContentRejected": Reply("5.6.1", "550 5.6.1 content rejected"),
    "TemporaryFailure": Reply("4.0.0", "450 4.0.0 temporary failure"),
    "Undefined": Reply("5.0.0", "550 5.0.0 undefined failure"),
}


def compose(request: Fields, original: Received, state: SesState) -> Outgoing:
    """The report to the return path of the original. Raises SesError."""
    sender = addr_spec(request.get("BounceSender", ""))
    if not state.may_send_from(sender):
        raise SesError("MessageRejected", f"Email address is not verified: {sender}")
    if not original.sender:
        raise SesError("MessageRejected", "The original message has a null return path.")
    now, ses_id = state.now(), message_id(state.account)
    return Outgoing(
        ses_id=ses_id,
        source=sender,
        mail_from="",
        recipients=(original.sender,),
        raw=rewritten(_report(request, original, ses_id, state), ses_id, now, state.id_domain),
        accepted_at=now,
        account=state.account,
        tags={},
    )


def replies(request: Fields) -> dict[str, Reply]:
    """What the request says of each recipient."""
    found: dict[str, Reply] = {}
    for info in request.get("BouncedRecipientInfoList") or []:
        fields = info.get("RecipientDsnFields") or {}
        usual = _REPLIES.get(info.get("BounceType", "Undefined"), _REPLIES["Undefined"])
        text = str(fields.get("DiagnosticCode", usual.text)).removeprefix("smtp;").strip()
        found[info["Recipient"]] = Reply(fields.get("Status", usual.status), text)
    return found


def _report(request: Fields, original: Received, ses_id: str, state: SesState) -> bytes:
    """multipart/report (RFC 6522): text, delivery status, the original's header."""
    failed = request.get("BouncedRecipientInfoList") or []
    boundary = f"_{ses_id}"
    head = [
        f"From: {request['BounceSender']}",
        f"To: {original.sender}",
        "Subject: Delivery Status Notification (Failure)",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "Auto-Submitted: auto-replied",
    ]
    text = str(request.get("Explanation") or _explanation(failed)).replace("\r\n", "\n").replace("\n", "\r\n")
    parts = [
        ("text/plain; charset=utf-8", text.encode()),
        ("message/delivery-status", _status(request.get("MessageDsn") or {}, failed, original, state)),
        ("text/rfc822-headers", original.header),
    ]
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + content + b"\r\n"
        for kind, content in parts
    )
    return "\r\n".join([*head, "", ""]).encode() + body + f"--{boundary}--\r\n".encode()


def _explanation(failed: Sequence[Fields]) -> str:
    names = "\n".join(str(info.get("Recipient")) for info in failed)
    return f"An error occurred while trying to deliver the mail to the following recipients:\n{names}\n"


def _status(message: Fields, failed: Sequence[Fields], original: Received, state: SesState) -> bytes:
    """RFC 3464 §2: a block for the message, one for each recipient."""
    said = replies({"BouncedRecipientInfoList": failed})
    about = [
        f"Reporting-MTA: {message.get('ReportingMta') or f'dns; {state.id_domain}'}",
        f"Arrival-Date: {message.get('ArrivalDate') or email.utils.formatdate(original.at)}",
        *_extensions(message),
    ]
    blocks = [about, *(_recipient(info, said[info["Recipient"]]) for info in failed)]
    return "\r\n\r\n".join("\r\n".join(block) for block in blocks).encode() + b"\r\n"


def _recipient(info: Fields, reply: Reply) -> list[str]:
    fields = info.get("RecipientDsnFields") or {}
    final = str(fields.get("FinalRecipient") or info["Recipient"])
    return [
        f"Final-Recipient: {final if final.startswith('rfc822;') else f'rfc822; {final}'}",
        f"Action: {fields.get('Action', 'failed')}",
        f"Status: {reply.status}",
        f"Diagnostic-Code: smtp; {reply.text}",
        *_extensions(fields),
    ]


def _extensions(fields: Fields) -> list[str]:
    return [f"{extension['Name']}: {extension['Value']}" for extension in fields.get("ExtensionFields") or ()]
