"""Whether a mailbox answers by itself (S22, RFC 3834): facts in, yes or no out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.rules.values import Account, Away, Verdicts

AGAIN_AFTER = timedelta(days=7)  # S22: once per sender
LONGEST_SUBJECT, LONGEST_TEXT = 200, 20_000  # characters
#: What is answered where the owner wrote nothing (RFC 8621 §8).
UNSAID = "I am away and will read your message when I am back."
#: Local parts behind which nobody reads (RFC 3834 §2, and what writes mail by itself today).
MACHINES = frozenset(
    {
        "mailer-daemon",
        "postmaster",
        "majordomo",
        "listserv",
        "bounce",
        "bounces",
        "noreply",
        "no-reply",
        "no_reply",
        "donotreply",
        "do-not-reply",
        "do_not_reply",
    }
)
_ENDINGS = ("-request", "-relay", "-bounces", "-bounce", "-owner", "-noreply", "-no-reply")
_BEGINNINGS = (
    "owner-",
    "bounce-",
    "bounces-",
    "bounce+",
    "bounces+",
    "noreply-",
    "noreply+",
    "no-reply-",
)


@dataclass(frozen=True, slots=True)
class AutoReply:
    """An auto-reply as its owner wrote it. Without a subject it says "Auto: " and the message's own."""

    enabled: bool = False
    start: datetime | None = None
    end: datetime | None = None
    subject: str = ""
    text: str = ""
    html: str = ""

    @property
    def away(self) -> Away | None:
        """What delivery needs to know of it."""
        return Away(self.start, self.end) if self.enabled else None


@dataclass(frozen=True, slots=True)
class Asking:
    """A message that might be answered. Addresses in lower case.

    `automatic`: its header says that a machine or a list wrote it. `named`: every address of its header.
    """

    sender: str  # of the envelope
    automatic: bool
    named: Collection[str]
    verdicts: Verdicts


def on(away: Away | None, now: datetime) -> bool:
    """Whether it answers at this moment: from the first to before the last."""
    return (
        away is not None
        and (away.start is None or away.start <= now)
        and (away.end is None or now < away.end)
    )


def answers(account: Account, own: Collection[str], asking: Asking, now: datetime) -> bool:
    """Whether a message that was delivered to this mailbox is answered.

    `own`: addresses of the mailbox as the message may name it: its own, and the one that it came to.
    """
    verdicts = asking.verdicts
    return (
        on(account.away, now)
        and not account.holds
        and not asking.automatic
        and answerable(asking.sender)
        and asking.sender not in own
        and verdicts.sender_authentic
        and verdicts.spam != "FAIL"
        and bool(set(own) & set(asking.named))
    )


def answerable(sender: str) -> bool:
    """Whether somebody may read an answer there."""
    local, at, domain = sender.lower().rpartition("@")
    if not (local and at and domain):
        return False
    return not (local in MACHINES or local.endswith(_ENDINGS) or local.startswith(_BEGINNINGS))


def due(last: datetime | None, now: datetime) -> bool:
    """S22: whether seven days have passed since this sender was answered."""
    return last is None or now >= last + AGAIN_AFTER


def subject_of(reply: AutoReply, subject: str) -> str:
    """RFC 3834 §3.1.5."""
    return reply.subject or f"Auto: {subject}".strip()


def text_of(reply: AutoReply) -> str:
    """What is said without HTML: where the owner wrote nothing at all, a sentence of ours."""
    return reply.text if reply.text.strip() or reply.html.strip() else UNSAID
