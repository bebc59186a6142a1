"""The arrivals queue: SES's notifications of received mail, and local recipients of what our users send."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from chalicelib.events.batch import each
from chalicelib.rules.values import Arrival, Envelope, Verdict, Verdicts
from chalicelib.services import abuse, receive
from chalicelib.services.platform import platform

Json = Mapping[str, Any]
_VERDICTS = frozenset(get_args(Verdict))
_SIGNED = re.compile(r"\bdkim=pass\b[^;]*?\bheader\.[id]=@?([A-Za-z0-9.-]+)")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch. Many arrivals at one mailbox get in each other's way: those put off come again soon."""
    return each(event, context, _one, _postpone)


def _postpone(receipt: str, seconds: int) -> None:
    p = platform()
    p.queues.postpone(p.settings.arrivals_queue, receipt, seconds)


def _one(body: Json) -> None:
    if body.get("kind") == "local":
        receive.local(platform(), str(body["submission"]), int(body["part"]))
    elif body.get("kind") == "fan":
        receive.part(platform(), str(body["fan"]), int(body["part"]))
    elif body.get("kind") == "complaint":
        abuse.by_complaint(platform(), body)
    elif body.get("kind") == "pause":
        abuse.pause_sending(platform(), str(body["account"]), str(body["why"]))
    elif body.get("notificationType") == "Received":
        _received(arrival(body))
    # AMAZON_SES_SETUP_NOTIFICATION is plain text SES sends once; it is of another type and ends here.


def _received(came: Arrival) -> None:
    """S30: what is for the operator's abuse address, then the others."""
    if rest := abuse.take(platform(), came):
        receive.arrive(platform(), rest)


def arrival(body: Json) -> Arrival:
    """An SES "Received" notification as a value. Raises KeyError where SES's own fields are missing.

    Recipients are the envelope's (`receipt.recipients`), never those of the header; the size is known when
    the message is read.
    """
    mail, receipt = body["mail"], body["receipt"]
    sender = str(mail.get("source") or "").strip("<>")
    return Arrival(
        id=str(mail["messageId"]),
        envelope=Envelope(sender, tuple(str(r) for r in receipt["recipients"])),
        blob=str(receipt["action"]["objectKey"]),
        size=0,
        verdicts=verdicts(receipt, mail, sender),
        received_at=datetime.fromisoformat(str(mail["timestamp"]).replace("Z", "+00:00")),
        source="ses",
        ses_id=str(mail["messageId"]),
    )


def verdicts(receipt: Json, mail: Json, sender: str) -> Verdicts:
    """SES's findings. One that is missing or unknown was not made: DISABLED."""
    spam, virus, spf, dkim, dmarc = (
        _verdict(receipt, f"{name}Verdict") for name in ("spam", "virus", "spf", "dkim", "dmarc")
    )
    return Verdicts(spam, virus, spf, dkim, dmarc, _authentic(sender, spf, dkim, mail.get("headers") or ()))


def _verdict(receipt: Json, name: str) -> Verdict:
    status = str((receipt.get(name) or {}).get("status", "")).upper()
    return status if status in _VERDICTS else "DISABLED"  # type: ignore[return-value]


def _authentic(sender: str, spf: Verdict, dkim: Verdict, headers: Sequence[Json]) -> bool:
    """S28: SPF passed (it is about the envelope sender), or a DKIM signature of the sender's own domain did.

    SES says only that some signature is good; whose it is stands in the topmost Authentication-Results,
    which SES prepends. Any further down are the sender's own and prove nothing.
    """
    if not sender:
        return False
    if spf == "PASS":
        return True
    results = [str(h["value"]) for h in headers if str(h.get("name", "")).lower() == "authentication-results"]
    if dkim != "PASS" or not results or not results[0].lstrip().startswith("amazonses.com"):
        return False
    domain = sender.rpartition("@")[2].lower()
    return any(_aligned(domain, signer.lower()) for signer in _SIGNED.findall(results[0]))


def _aligned(domain: str, signer: str) -> bool:
    """The signer's domain, or one above or below it (relaxed alignment, RFC 7489 §3.1)."""
    if "." not in signer:
        return False
    return domain == signer or domain.endswith(f".{signer}") or signer.endswith(f".{domain}")
