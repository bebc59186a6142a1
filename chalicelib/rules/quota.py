"""What a mailbox may hold, and what its owner is told as it fills (S14 to S18). Sizes in bytes, no floats."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from chalicelib.rules.figures import MB, Figures

#: Below 80 %; from 80 %: alerts (S15); from 90 %: warning mails (S16); from 100 %: full (S18).
Band = Literal["ok", "alert", "warning", "full"]
#: S15: webmail has a clock of its own; IMAP, POP3 and SMTP share the other.
AlertClock = Literal["webmail", "clients"]
ClientDoor = Literal["imap", "pop3", "smtp"]


def fits(used_bytes: int, size: int, quota_bytes: int) -> bool:
    """S17: whether a message of `size` may be kept beside what is there already.

    A message that fills the mailbox to the byte still fits. S18: once full, nothing does, however small.
    """
    return used_bytes < quota_bytes and used_bytes + size <= quota_bytes


def reaches(used: int, limit: int, percent: int) -> bool:
    """Whether so many hundredths of the limit are used."""
    return used * 100 >= limit * percent


def band(used: int, limit: int, figures: Figures) -> Band:
    """How full a mailbox is, as the rules tell it."""
    if used >= limit:
        return "full"
    if reaches(used, limit, figures.warning_percent):
        return "warning"
    return "alert" if reaches(used, limit, figures.alert_percent) else "ok"


@dataclass(frozen=True, slots=True)
class Storage:
    """S14: the figure that is shown and enforced."""

    limit: int
    used: int
    band: Band

    @property
    def remaining(self) -> int:
        """What still fits."""
        return max(0, self.limit - self.used)

    @property
    def percent(self) -> int:
        """Rounded down: 100 is full and nothing else."""
        return self.used * 100 // self.limit if self.limit else 100


def storage(used: int, limit: int, figures: Figures) -> Storage:
    """What a mailbox holds, beside what it may."""
    return Storage(limit, used, band(used, limit, figures))


def alert_due(held: Storage, last_shown: datetime | None, now: datetime, figures: Figures) -> bool:
    """S15, S18: whether an alert is to be shown, by one clock. From 90 % and below 100 % none is (S16)."""
    if held.band not in ("alert", "full"):
        return False
    return last_shown is None or now - last_shown >= figures.alert_every


def closed(held: Storage, door: ClientDoor) -> bool:
    """S18: whether a full mailbox cannot be opened by this door. SMTP has the alert, webmail stays open."""
    return held.band == "full" and door in ("imap", "pop3")


def crosses(before: int, after: int, limit: int, figures: Figures) -> bool:
    """S16: whether the mailbox has come over the line from which its owner gets warnings by mail."""
    line = figures.warning_percent
    return not reaches(before, limit, line) and reaches(after, limit, line)


def warning_due(held: Storage, last_warned: date | None, today: date) -> bool:
    """S16: once a day while above the line and not full."""
    return held.band == "warning" and last_warned != today


def _shown(held: Storage, address: str) -> str:
    return f"The mailbox {address} is {held.percent} % full: {held.used // MB} of {held.limit // MB} MB."


def alert_text(held: Storage, address: str) -> str:
    """S15, S18: what is shown, one line of ASCII (a mail client shows it as the reason of a refusal)."""
    if held.band == "full":
        return (
            f"The mailbox {address} is full ({held.limit // MB} MB): new mail to it is refused, and mail"
            " programs cannot open it. Please delete mail in webmail, or ask for more storage."
        )
    return f"{_shown(held, address)} Please delete mail you no longer need, or ask for more storage."


def warning_subject(held: Storage) -> str:
    """S16."""
    return f"Your mailbox is {held.percent} % full"


def warning_text(held: Storage, address: str) -> str:
    """S16."""
    return (
        f"{_shown(held, address)}\n\n"
        "When it is full, new messages to you will be refused and mail programs cannot open it any more.\n"
        "Please delete messages you no longer need (those in Trash count too), or ask for more storage.\n"
    )
