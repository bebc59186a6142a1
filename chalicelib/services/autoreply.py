"""Auto-replies: what a mailbox answers by itself while its owner is away (S22, RFC 3834)."""

from collections.abc import Mapping
from typing import Any

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.mime.addresses import as_addresses
from chalicelib.rules import autoreply
from chalicelib.rules.autoreply import Asking, AutoReply
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.ids import passing_id
from chalicelib.rules.values import Account, Caller, Correspondent, Draft, Envelope, Submission
from chalicelib.services import audit, send
from chalicelib.services.deposit import Message
from chalicelib.services.platform import Platform
from chalicelib.store.addresses import Overtaken
from chalicelib.store.directory import DAEMON

#: RFC 3834 §5: nobody's auto-reply answers. The others keep old responders quiet.
MARKS = (
    ("Auto-Submitted", "auto-replied"),
    ("Precedence", "auto_reply"),
    ("X-Auto-Response-Suppress", "All"),
)
_RESENT = ("resent-to", "resent-cc", "resent-bcc")


def get(p: Platform, account: Account) -> AutoReply:
    """A mailbox's auto-reply."""
    return p.addresses.auto_reply(account)


def set_(p: Platform, caller: Caller, account: Account, reply: AutoReply) -> None:
    """Write it. Raises ServiceError: invalid, conflict."""
    faults = _faults(reply)
    if faults:
        raise ServiceError("invalid", "This auto-reply cannot be set.", tuple(faults))
    event = audit.note(
        caller,
        "mailbox.auto-reply-changed",
        account.address,
        reseller=account.reseller,
        domain=account.domain,
        before=_shown(get(p, account)),
        after=_shown(reply),
    )
    try:
        p.addresses.set_auto_reply(account, reply, event)
    except Overtaken as error:
        raise ServiceError("conflict", "The mailbox has changed meanwhile.") from error


def _faults(reply: AutoReply) -> list[Fault]:
    found = []
    if len(reply.subject) > autoreply.LONGEST_SUBJECT:
        found.append(Fault("/subject", f"Use at most {autoreply.LONGEST_SUBJECT} characters."))
    for name, text in (("text", reply.text), ("html", reply.html)):
        if len(text) > autoreply.LONGEST_TEXT:
            found.append(Fault(f"/{name}", f"Use at most {autoreply.LONGEST_TEXT:,} characters."))
    if reply.start and reply.end and reply.end <= reply.start:
        found.append(Fault("/until", "It ends after it begins."))
    return found


def _shown(reply: AutoReply) -> Mapping[str, Any]:
    """For the audit: when, and not what; the text is its owner's."""
    return {
        "enabled": reply.enabled,
        "from": reply.start.isoformat() if reply.start else None,
        "until": reply.end.isoformat() if reply.end else None,
    }


# ---------------------------------------------------------------------------------------------- answering
def answer(p: Platform, message: Message, account: Account, address: str) -> None:
    """Answer a message that came to `address` and was delivered, if it is to be answered. Once, whatever
    repeats: the claim names the arrival, and the answer's id follows from it.
    """
    if account.away is None:
        return
    arrival, now = message.arrival, clock.now()
    asking = _asking(message)
    if not autoreply.answers(account, {account.address, address}, asking, now):
        return
    if not p.tracks.claim_answer(account.id, asking.sender, arrival.id, now):
        return
    try:
        _send(p, message, account, get(p, account))
    except ServiceError as error:
        if error.kind == "unavailable":
            raise
        logger.warning("not answered", extra={"arrival": arrival.id, "kind": error.kind})


def _asking(message: Message) -> Asking:
    digest, sender = message.digest, message.arrival.envelope.sender.lower()
    resent = [c for name, value in message.header if name.lower() in _RESENT for c in as_addresses(value)]
    return Asking(
        sender=sender,
        automatic=mime.is_automatic(message.header, sender),
        named={c.email.lower() for c in (*digest.to, *digest.cc, *digest.bcc, *resent)},
        verdicts=message.arrival.verdicts,
    )


def _send(p: Platform, message: Message, account: Account, reply: AutoReply) -> None:
    """RFC 3834 §3.3 would have a null return path, which SES cannot send: it is the domain's own
    mailer-daemon@, which answers nothing and which nothing here answers.
    """
    id = passing_id(message.arrival.id, account.id)
    blob, digest = f"own/{id}", message.digest
    message_id = f"{id}@mail.{account.domain}"
    if p.blobs.head(blob) is None:
        draft = Draft(
            from_=(Correspondent(account.name, account.address),),
            to=(Correspondent("", message.arrival.envelope.sender),),
            subject=autoreply.subject_of(reply, digest.subject),
            date=clock.now(),
            message_id=message_id,
            in_reply_to=digest.message_id[:1],
            references=(*digest.references, *digest.message_id)[-20:],
            text=autoreply.text_of(reply) or None,
            html=reply.html or None,
            headers=MARKS,
        )
        p.blobs.put(blob, mime.compose(draft), type="message/rfc822")
    envelope = Envelope(f"{DAEMON}@{account.domain}", (message.arrival.envelope.sender,))
    send.submit(p, Submission(id, None, envelope, blob, 0, message_id, "notice"))
