"""Values that rooms hand to each other. Plain data: no behaviour beyond what derives from a field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

DomainState = Literal["pending", "live", "mx_lost", "reversed"]
Unknown = Literal["bounce", "drop", "deliver"]  # S22: what happens to mail for unknown addresses
Posting = Literal["anyone", "members", "domain", "admins"]  # who may write to a list
ReplyTo = Literal["sender", "list"]


@dataclass(frozen=True, slots=True)
class Correspondent:
    """An address as a header shows it: decoded display name (may be empty) and addr-spec."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a MIME tree (RFC 8621 §4.1.4). Offsets are octets in the raw message."""

    part_id: str | None  # "1", "1.2"; None for a multipart
    type: str  # lower case, e.g. "text/plain"
    charset: str | None = None
    disposition: str | None = None  # lower case
    name: str | None = None  # decoded file name
    cid: str | None = None  # without angle brackets
    language: tuple[str, ...] = ()
    location: str | None = None
    encoding: str = "7bit"  # Content-Transfer-Encoding, lower case
    start: int = 0  # of the part's header
    body: int = 0  # of its body
    end: int = 0  # past its body
    size: int = 0  # decoded octets
    lines: int = 0  # lines of the encoded body, for IMAP
    params: Mapping[str, str] = field(default_factory=dict)
    parts: tuple["Part", ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """What is learned from a message when it is parsed, once, at arrival."""

    subject: str
    from_: tuple[Correspondent, ...]
    to: tuple[Correspondent, ...]
    cc: tuple[Correspondent, ...]
    bcc: tuple[Correspondent, ...]
    reply_to: tuple[Correspondent, ...]
    sender: tuple[Correspondent, ...]
    message_id: tuple[str, ...]  # without angle brackets
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sent_at: datetime | None
    preview: str  # at most 256 characters of plain text
    has_attachment: bool
    structure: Part
    automatic: bool = False  # RFC 3834: a bounce, list or auto-reply
    received_hops: int = 0
    blank: frozenset[str] = frozenset()  # names of these fields that the header has, with nothing in them


@dataclass(frozen=True, slots=True)
class Domain:
    """A hosted domain as routing and sign-in see it."""

    name: str
    state: DomainState
    reseller: str
    suspended: bool = False
    unknown: Unknown = "bounce"
    catch_all: str = ""  # id of the mailbox that mail for unknown addresses is delivered to


@dataclass(frozen=True, slots=True)
class Away:
    """When a mailbox answers by itself: from and until these moments, where they are set."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox in the directory."""

    id: str
    address: str
    domain: str
    quota_bytes: int
    reseller: str = ""
    name: str = ""
    imap: bool = False
    admin: bool = False
    recovery: str | None = None
    holds: frozenset[str] = frozenset()  # who suspended it: "operator", "reseller", "guard"
    forward: tuple[str, ...] = ()  # its mail goes on to these addresses
    keep_copy: bool = True  # and stays here, too
    away: Away | None = None  # its auto-reply is on
    epoch: int = 0  # grows when its password changes: what was opened under an older one is over (S23)
    two_step: bool = False  # a second factor is on (S23)

    @property
    def state(self) -> Literal["active", "suspended"]:
        """Suspended for as long as anybody holds it; the guard holds its sending alone."""
        return "suspended" if self.holds - {"guard"} else "active"

    @property
    def paused(self) -> bool:
        """Whether the guard against stolen mailboxes holds its sending."""
        return "guard" in self.holds


@dataclass(frozen=True, slots=True)
class Automatic:
    """An address every domain has (S9): emailadmin, all, postmaster, abuse."""

    address: str
    #: postmaster@ and abuse@ are of kind emailadmin; nobody reads mailer-daemon@, which bounces come from.
    kind: Literal["emailadmin", "all", "daemon"]


@dataclass(frozen=True, slots=True)
class Forward:
    """An address without a mailbox: its mail goes on to others (S22)."""

    address: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailingList:
    """A distribution list. `outside`: how many of its members are not on the platform (S20)."""

    address: str
    id: str = ""
    name: str = ""
    posting: Posting = "domain"
    reply_to: ReplyTo = "sender"
    members: int = 0
    outside: int = 0
    version: int = 0  # of its membership


Entry = Account | Automatic | Forward | MailingList


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the directory knows of an address. `domain` None: not hosted here.

    `via`: how a mailbox was reached, when not by its own name.
    """

    domain: Domain | None
    entry: Entry | None
    via: Literal["", "alias", "catch_all"] = ""

    @property
    def local(self) -> bool:
        """S5, S26: only a live domain is delivered here."""
        return self.domain is not None and self.domain.state == "live"


@dataclass(frozen=True, slots=True)
class Envelope:
    """RFC 5321 envelope. An empty sender is the null return path."""

    sender: str
    recipients: tuple[str, ...]


Verdict = Literal["PASS", "FAIL", "GRAY", "PROCESSING_FAILED", "DISABLED"]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """SES's findings (S25), or our own for mail that never left the platform."""

    spam: Verdict = "DISABLED"
    virus: Verdict = "DISABLED"
    spf: Verdict = "DISABLED"
    dkim: Verdict = "DISABLED"
    dmarc: Verdict = "DISABLED"
    sender_authentic: bool = False  # SPF or DKIM passed, aligned with the envelope sender (S28)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message at the door, whichever door. `id` is stable under repeats."""

    id: str
    envelope: Envelope
    blob: str
    size: int
    verdicts: Verdicts
    received_at: datetime
    source: Literal["ses", "local"]
    ses_id: str | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A mailbox of RFC 8621 §2, with its counters."""

    id: str
    name: str
    parent: str | None
    role: str | None
    sort: int
    total: int
    unread: int
    threads: int
    unread_threads: int
    uidnext: int
    uidvalidity: int
    subscribed: bool = True


@dataclass(frozen=True, slots=True)
class MailboxState:
    """The account's one state item."""

    modseq: int
    types: Mapping[str, int]  # last modseq of Email, Mailbox, Thread, EmailSubmission, …
    used_bytes: int
    floor: int  # oldest state that the change log may still explain
    counters: Mapping[
        str, tuple[int, int, int, int, int]
    ]  # folder → total, unread, threads, unread threads, uidnext


@dataclass(frozen=True, slots=True)
class Row:
    """What a list shows of an email: read from the folder index alone."""

    id: str
    thread: str
    folder: str
    uid: int
    received_at: datetime
    size: int
    keywords: frozenset[str]
    blob: str
    subject: str
    from_: tuple[Correspondent, ...]
    to: tuple[Correspondent, ...]
    preview: str
    has_attachment: bool
    modseq: int
    blank: frozenset[str] = frozenset()  # of subject, from, to: the header has it, with nothing in it


@dataclass(frozen=True, slots=True)
class Email(Row):
    """The whole record of an email."""

    cc: tuple[Correspondent, ...] = ()
    bcc: tuple[Correspondent, ...] = ()
    reply_to: tuple[Correspondent, ...] = ()
    sender: tuple[Correspondent, ...] = ()
    message_id: tuple[str, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    structure: Part = field(default_factory=lambda: Part("1", "text/plain"))
    verdicts: Verdicts = field(default_factory=Verdicts)
    envelope_from: str = ""
    whole: bool = True  # False: the record was too large to keep, parse the raw message for the rest


@dataclass(frozen=True, slots=True)
class NewEmail:
    """An email to be added. `id` is derived from what brought it, so a repeat is seen."""

    id: str
    folder: str | None  # folder id, or None when `role` names it
    role: str | None
    blob: str
    size: int
    received_at: datetime
    digest: Digest
    keywords: frozenset[str] = frozenset()
    verdicts: Verdicts = field(default_factory=Verdicts)
    envelope_from: str = ""
    thread_by: Digest | None = None  # whose Message-IDs thread it, where those of its header are aliases


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one NewEmail. On over_quota nothing was kept.

    `warn`: with this one the mailbox came over the line of S16. `index`: the search index is to catch up.
    """

    id: str
    outcome: Literal["added", "repeat", "over_quota"]
    email: Email | None = None
    warn: bool = False
    index: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A change to one email: None leaves as is."""

    keywords: Mapping[str, bool] | None = None  # patch: True sets, False clears
    replace_keywords: frozenset[str] | None = None
    folder: str | None = None
    most_keywords: int | None = None  # a change that leads to more, and adds any, is refused as a whole


@dataclass(frozen=True, slots=True)
class Updated:
    """Outcome of update or destroy; ids not there are `missing`, those with too many keywords `overfull`."""

    modseq: int
    done: tuple[str, ...]
    missing: tuple[str, ...] = ()
    overfull: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Rows newest first, and a cursor when there are more."""

    rows: tuple[Row, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to a type after a state (RFC 8620 §5.2)."""

    new_state: int
    created: tuple[str, ...]
    updated: tuple[str, ...]
    destroyed: tuple[str, ...]
    more: bool = False
    counts_only: bool = False  # of Mailbox: no more than counters changed in `updated` (RFC 8621 §2.2)


Source = Literal["webmail", "smtp", "notice"]
RecipientStateName = Literal["queued", "sent", "deferred", "delivered", "failed"]
Undo = Literal["pending", "final", "canceled"]  # RFC 8621 §7: whether a submission can be called back


@dataclass(frozen=True, slots=True)
class Submission:
    """A message to be sent, whichever door it came by. `id` is the caller's, stable under repeats."""

    id: str
    account: Account | None  # None: the service itself (a bounce or notice)
    envelope: Envelope
    blob: str
    size: int
    message_id: str
    source: Source
    email_id: str | None = None
    identity: str | None = None
    thread: str | None = None
    held: Mapping[str, str] = field(default_factory=dict)  # HOLDFOR, HOLDUNTIL (RFC 4865)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A message taken for sending. `sent_at`: when it leaves, or left."""

    id: str
    sent_at: datetime
    undo: Undo


@dataclass(frozen=True, slots=True)
class RecipientState:
    """One recipient's fate (S27). `reply` is the last SMTP reply seen."""

    address: str
    state: RecipientStateName
    attempts: int = 0
    status: str = ""  # RFC 3463, e.g. "5.2.2"
    reply: str = ""
    reported: bool = False
    here: bool = False  # its mailbox is on this platform


@dataclass(frozen=True, slots=True)
class SubmissionState:
    """A submission as its sender sees it."""

    id: str
    email_id: str | None
    identity: str | None
    thread: str | None
    envelope: Envelope
    sent_at: datetime
    recipients: tuple[RecipientState, ...]
    undo: Undo = "final"
    held: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListedSubmission:
    """What an account's list has of a submission."""

    id: str
    sent_at: int  # ms
    email_id: str
    identity: str
    thread: str
    undo: Undo


@dataclass(frozen=True, slots=True)
class BounceReport:
    """The makings of an RFC 3464 report."""

    to: str
    reporting_mta: str  # host name under the recipient-facing brand, never the operator's (S1)
    message_id: str
    date: datetime
    original_message_id: str | None
    original_header: bytes
    arrived_at: datetime
    recipients: tuple[RecipientState, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a message being composed."""

    name: str
    type: str
    content: bytes
    disposition: Literal["attachment", "inline"] = "attachment"
    cid: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The makings of a message (RFC 8621 §4.6)."""

    from_: tuple[Correspondent, ...]
    to: tuple[Correspondent, ...]
    subject: str
    date: datetime
    message_id: str
    cc: tuple[Correspondent, ...] = ()
    bcc: tuple[Correspondent, ...] = ()
    reply_to: tuple[Correspondent, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


Role = Literal["reseller", "operator", "admin", "user", "public", "system"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, from the key or session alone: what may be touched follows from this and nothing else.

    `domain`: the wall of an email admin or user, empty for all others. `account`: theirs.
    """

    reseller: str
    key_id: str
    scopes: frozenset[str]
    source: str = ""
    role: Role = "reseller"
    domain: str = ""
    account: str = ""
    address: str = ""

    @property
    def actor(self) -> str:
        """Who it was, for the audit (S40): a role and a name that its readers know."""
        return f"{self.role}:{self.address or self.key_id[:16]}".rstrip(":")


SYSTEM = Caller("", "", frozenset(), role="system")
