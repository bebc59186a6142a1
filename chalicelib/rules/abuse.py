"""Abuse: which reports count, what a strike brings with it (S29 to S33), who holds a suspension."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Holder = Literal["operator", "reseller", "guard"]
Way = Literal["mail", "complaint", "operator"]  # how a report came in (S30)
#: S29, as the operator judges it; `spam` is unsolicited mail to more than `Figures.unsolicited` recipients.
Kind = Literal["spam", "chain_letter", "harassment", "unlawful", "virus", "fraud", "other"]
#: counted: a strike. repeat: of a message that was reported before. unverified: not tied to a message that
#: was sent here. noted: tied, but no complaint about abuse, or of the service's own mail.
State = Literal["counted", "repeat", "unverified", "noted"]
Measure = Literal["account", "domain"]

WINDOW = timedelta(days=30)  # S32
MARK = re.compile(r"\bv1\.([A-Za-z0-9_-]{1,128})\.([0-9a-f]{32})\b")
#: RFC 5965 §7.3 and RFC 6591 feedback types → what they are here; others, and none, are spam: most
#: providers' forms know but one button.
FEEDBACK: dict[str, Kind | None] = {
    "abuse": "spam",
    "fraud": "fraud",
    "virus": "virus",
    "other": None,
    "not-spam": None,
    "auth-failure": None,
}


@dataclass(frozen=True, slots=True)
class Held:
    """One suspension: who holds it, why, by whom it was put and when."""

    holder: Holder
    reason: str = ""
    by: str = ""
    at: datetime | None = None
    secret: str = ""  # the guard's: a hash of what the password was


@dataclass(frozen=True, slots=True)
class Strike:
    """A message that was rightly reported. `at`: when the first report of it came in."""

    message: str  # the submission's id
    account: str
    address: str
    at: datetime
    report: str
    kind: Kind
    measure: Measure


@dataclass(frozen=True, slots=True)
class Sent:
    """A line of the send log: whose message it was."""

    submission: str
    account: str  # empty: the service's own
    sender: str
    domain: str
    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it came in, and what became of it. `submission` is as claimed where it is unverified."""

    id: str
    at: datetime
    way: Way
    kind: Kind | None
    state: State
    submission: str = ""
    account: str = ""
    address: str = ""
    domain: str = ""
    reseller: str = ""
    measure: Measure | None = None
    of: str = ""  # repeat: the first report of the message
    reporter: str = ""  # told to nobody but the operator
    note: str = ""
    evidence: str = ""  # blob of the mail


@dataclass(frozen=True, slots=True)
class Letter:
    """What is still to be told: to the reseller, and to the domain's email admins. Once per key."""

    key: str
    reseller: str
    domain: str
    subject: str
    text: str
    admins: str  # their text; empty: they are not told


def kind_of(feedback: str | None) -> Kind | None:
    """What a feedback type complains of; None: of nothing that counts."""
    return FEEDBACK.get((feedback or "abuse").strip().lower(), "spam")


def read_mark(text: str) -> tuple[str, str] | None:
    """(submission, mark) of the first reference in a text; None where there is none."""
    found = MARK.search(text)
    return (found[1], found[2]) if found else None


def marked(submission: str) -> str:
    """What the mark of a reference is made of."""
    return f"v1.{submission}"


def measure(strikes: Iterable[Strike], message: str, at: datetime) -> Measure | None:
    """S31, S32: whom an event suspends; None for a message that struck before (two reports are one event).

    `strikes` are the domain's. "Within 30 days" includes the last moment of the thirtieth day: only a strike
    older than 30 days starts the count anew. Reports may be handled out of order, so the distance counts.
    """
    known = tuple(strikes)
    if any(s.message == message for s in known):
        return None
    return "domain" if any(abs(at - s.at) <= WINDOW for s in known) else "account"


def judge(kind: Kind | None, sent: Sent | None) -> State:
    """S30: whether a report counts, before it is known whether its message was reported earlier."""
    if sent is None:
        return "unverified"
    return "counted" if kind is not None and sent.account else "noted"
