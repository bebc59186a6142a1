"""Telling senders that mail was not delivered: SendBounce to the outside, a report into mailboxes here."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.mail import Paused, Rejected, Throttled, Unclear, Undelivered
from chalicelib.rules import delivery
from chalicelib.rules.delivery import Chunk
from chalicelib.rules.routing import Deliver
from chalicelib.rules.values import Account, Arrival, BounceReport, Envelope, RecipientState, Verdicts
from chalicelib.services.deposit import keep, open_message
from chalicelib.services.platform import Platform
from chalicelib.store.outbox import Trace
from chalicelib.store.outbox_items import Outgoing

BOUNCE_LIFE = timedelta(hours=24)  # SES takes bounces for a day after the arrival
SPREAD_SECONDS = 60  # throttled bounces come again within this time: SES takes one a second


def ask(p: Platform, trace: Trace) -> None:
    """Queue the bounce of an arrival from outside."""
    failed = {a: r for a, r in trace.results.items() if r["result"] == "bounced"}
    body = {
        "original": trace.id,
        "sender": trace.sender,
        "from_domain": next(iter(failed)).rpartition("@")[2],
        "recipients": [
            {"address": a, "status": r["status"], "diagnostic": r["text"]} for a, r in failed.items()
        ],
    }
    p.queues.send(p.settings.bounces_queue, body)


def send(p: Platform, body: Mapping[str, Any]) -> None:
    """SendBounce, at most once per arrival: claimed before the call, never again when its end is unclear."""
    original = str(body["original"])
    trace = p.outbox.trace(original)
    if trace is None or delivery.moment(trace.arrived_at, clock.now()) + BOUNCE_LIFE < clock.now():
        logger.warning("bounce too late", extra={"arrival": original})
        return
    if not p.outbox.move_bounce(original, "due", "claimed"):
        return
    try:
        _send_bounce(p, body, trace)
    except (Throttled, Paused):
        p.outbox.move_bounce(original, "claimed", "due")
        p.queues.send(p.settings.bounces_queue, body, delay=random.randint(1, SPREAD_SECONDS))
    except (Rejected, Unclear) as error:
        logger.error("bounce not sent", extra={"arrival": original, "error": str(error)})
    else:
        p.outbox.move_bounce(original, "claimed", "done")


def _send_bounce(p: Platform, body: Mapping[str, Any], trace: Trace) -> None:
    """S1: sender and reporting host are the recipients' own domain's."""
    domain = str(body["from_domain"])
    p.mail.bounce(
        str(body["original"]),
        f"mailer-daemon@{domain}",
        f"inbound.{domain}.{p.settings.mail_zone}",
        delivery.moment(trace.arrived_at, clock.now()),
        [Undelivered(str(r["address"]), str(r["status"]), str(r["diagnostic"])) for r in body["recipients"]],
    )


def tell(p: Platform, out: Outgoing, chunks: Sequence[Chunk]) -> None:
    """S27: the latest report of a submission as an RFC 3464 message in its sender's mailbox, exactly once.

    It is written once (a repeat finds the blob) and kept once (its id follows from the report's number).
    S18 refuses every new message, but without this one a full mailbox's owner would believe the mail sent:
    so it may take what is spared for reports beyond the quota. A sender that is gone does not get it.
    """
    account = p.directory.account(out.account)
    if account is None:
        return
    name = f"{out.id}-b{out.reports}"
    blob = f"own/{name}"
    if p.blobs.head(blob) is None:
        p.blobs.put(blob, mime.dsn(_report(p, out, chunks, account)), type="message/rfc822")
    arrival = Arrival(
        id=name,
        envelope=Envelope("", (account.address,)),
        blob=blob,
        size=0,
        verdicts=Verdicts(sender_authentic=True),
        received_at=delivery.moment(out.reported_at, out.sent_at),
        source="local",
    )
    if not keep(p, open_message(p, arrival), Deliver(account, "inbox"), p.figures.report_spare_bytes):
        p.mailboxes.purge_blob(blob, clock.now())


def _report(p: Platform, out: Outgoing, chunks: Sequence[Chunk], account: Account) -> BounceReport:
    """What the report says; all of it from what was written when it was claimed."""
    host = f"mail.{account.domain}"
    raw = p.blobs.get(out.raw)
    return BounceReport(
        to=account.address,
        reporting_mta=host,
        message_id=f"{out.id}-b{out.reports}@{host}",
        date=delivery.moment(out.reported_at, out.sent_at),
        original_message_id=out.message_id,
        original_header=raw[: _header_end(raw)],
        arrived_at=out.sent_at,
        recipients=tuple(_named(chunks, out.reports)),
    )


def _named(chunks: Sequence[Chunk], number: int) -> list[RecipientState]:
    return [delivery.shown(a, f) for c in chunks for a, f in c.fates.items() if f.reported == number]


def _header_end(raw: bytes) -> int:
    """Where the header ends: at the first empty line."""
    ends = [raw.find(b"\r\n\r\n"), raw.find(b"\n\n")]
    found = [e for e in ends if e >= 0]
    return min(found) if found else len(raw)
