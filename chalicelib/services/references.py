"""The signed reference in mail that leaves the platform, by which a report is tied to it (S30)."""

from chalicelib import mime
from chalicelib.rules import abuse as rules
from chalicelib.rules.abuse import Sent
from chalicelib.services.platform import Platform

PURPOSE = "abuse"
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
