"""The signed reference in mail that leaves the platform, by which a report is tied to it (S30)."""

from chalicelib import mime
from chalicelib.rules import abuse as rules
from chalicelib.rules.abuse import Sent
from chalicelib.rules.values import Account
from chalicelib.services.platform import Platform

PURPOSE = "abuse"
LOOKED_THROUGH = 500  # newest messages of an account that a Message-ID is looked for in
HEADER = "X-Report-Reference"  # names no operator (S1); what users write under this name is taken out


def reference(p: Platform, submission: str) -> str:
    """The reference of a submission. Only who has the service's secret can make one."""
    text = rules.marked(submission)
    return f"{text}.{p.secrets.mark(PURPOSE, text)}"


def stamped(p: Platform, submission: str, raw: bytes) -> bytes:
    """The message with its reference, for the one call of SES: what is stored stays as it is."""
    return mime.with_header(raw, HEADER, reference(p, submission))


def tied(p: Platform, text: str, message_ids: tuple[str, ...] = ()) -> Sent | None:
    """The message of ours that a reference (with the Message-IDs beside it) names; None: of none.

    The mark must be ours, the message in the send log, and an id that SES gave must be that message's: a
    reference that was put on another message says nothing about that one.
    """
    read = rules.read_mark(text)
    if read is None or not p.secrets.marked(PURPOSE, rules.marked(read[0]), read[1]):
        return None
    ids = [i for i in (ses_id(p, m) for m in message_ids) if i]
    known = p.outbox.submissions(ids)
    if any(known.get(i) != read[0] for i in ids):
        return None
    return p.outbox.sent(read[0])


def ses_id(p: Platform, message_id: str) -> str:
    """SES's id in a Message-ID that SES wrote; empty for any other."""
    left, _, right = message_id.strip(" <>").partition("@")
    return left if right.lower() == p.settings.ses_id_domain.lower() else ""


def named(p: Platform, *, submission: str = "", message_id: str = "", sender: str = "") -> Sent | None:
    """The message that the operator names: by its submission; by the Message-ID that its recipients saw; or,
    for mail that never left the platform, by its own Message-ID and the address that sent it.
    """
    if message_id and not submission:
        id = ses_id(p, message_id)
        submission = p.outbox.submissions([id]).get(id, "") if id else _by_sender(p, message_id, sender)
    if not submission:
        return None
    out = p.outbox.sent(submission)
    return out or _inside(p, submission)


def _inside(p: Platform, submission: str) -> Sent | None:
    """A message of the last 30 days, wherever it went."""
    out = p.outbox.outgoing(submission)
    if out is None:
        return None
    return Sent(out.id, out.account, out.envelope.sender, out.domain, out.message_id, out.sent_at)


def _by_sender(p: Platform, message_id: str, sender: str) -> str:
    entry = p.directory.lookup([sender])[sender].entry if sender else None
    if not isinstance(entry, Account):
        return ""
    wanted = message_id.strip(" <>")
    for id in p.outbox.listed(entry.id, LOOKED_THROUGH):
        out = p.outbox.outgoing(id)
        if out is not None and out.message_id == wanted:
            return id
    return ""
