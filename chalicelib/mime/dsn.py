"""Delivery status notifications (RFC 3464, RFC 6522), naming the reader's own mail host only (S1)."""

from email.utils import format_datetime

from chalicelib.mime import build, encode
from chalicelib.mime.rewrite import seven_bit
from chalicelib.rules.values import BounceReport, Correspondent, RecipientState

_INTRO = (
    "Your message could not be delivered to one or more of its recipients.\n"
    "This is a permanent failure: it will not be tried again.\n"
)


def dsn(report: BounceReport) -> bytes:
    """The report for a sender. It travels with a null return path (S28); the caller's envelope says so."""
    human = build.text_node("text/plain", _human(report))
    status = build.Node("message/delivery-status", _status(report), "verbatim")
    original = build.Node("text/rfc822-headers", _original(report.original_header), "verbatim")
    root = build.Node(
        "multipart/report", params=(("report-type", "delivery-status"),), children=(human, status, original)
    )
    return build.message(_headers(report), root, report.message_id)


def _headers(report: BounceReport) -> list[bytes]:
    sender = Correspondent("Mail Delivery System", f"mailer-daemon@{report.reporting_mta}")
    out = [
        encode.text_field("Date", format_datetime(report.date)),
        encode.address_field("From", [sender]),
        encode.address_field("To", [Correspondent("", report.to)]),
        encode.text_field("Subject", "Undeliverable: your message was not delivered"),
        encode.ids_field("Message-ID", [report.message_id]),
        encode.text_field("Auto-Submitted", "auto-replied"),
    ]
    if report.original_message_id:
        out.append(encode.ids_field("In-Reply-To", [report.original_message_id]))
        out.append(encode.ids_field("References", [report.original_message_id]))
    return out


def _human(report: BounceReport) -> str:
    lines = [_INTRO]
    for recipient in report.recipients:
        why = encode.one_line(recipient.reply) or "no reason was given"
        lines.append(f"{encode.one_line(recipient.address)}\n    {why} ({_code(recipient)})\n")
    lines.append("The header of your message follows below.\n")
    return "\n".join(lines)


def _status(report: BounceReport) -> bytes:
    """RFC 3464 §2.2 and §2.3: a block for the message, then one for each recipient."""
    blocks = [
        [
            encode.text_field("Reporting-MTA", f"dns; {report.reporting_mta}"),
            encode.text_field("Arrival-Date", format_datetime(report.arrived_at)),
        ]
    ]
    blocks.extend(_recipient(recipient) for recipient in report.recipients)
    return b"\r\n".join(b"".join(block) for block in blocks)


def _recipient(recipient: RecipientState) -> list[bytes]:
    kind = "rfc822" if recipient.address.isascii() else "utf-8"
    out = [
        encode.fold("Final-Recipient", [f"{kind};", encode.one_line(recipient.address)]),
        b"Action: failed\r\n",
        f"Status: {_code(recipient)}\r\n".encode(),
    ]
    reply = encode.one_line(recipient.reply).encode("ascii", "replace").decode()[:800]
    if reply:
        out.append(encode.fold("Diagnostic-Code", ["smtp;", *reply.split()]))
    return out


def _code(recipient: RecipientState) -> str:
    """RFC 3463; 5.0.0 where only the failure itself is known."""
    pieces = recipient.status.split(".")
    known = len(pieces) == 3 and all(p.isascii() and p.isdigit() for p in pieces)
    return recipient.status if known else "5.0.0"


def _original(header: bytes) -> bytes:
    """The header alone, in ASCII, closed by its empty line."""
    clean = seven_bit(header.rstrip(b"\r\n") + b"\r\n\r\n")
    return build.crlf(clean).rstrip(b"\r\n") + b"\r\n"
