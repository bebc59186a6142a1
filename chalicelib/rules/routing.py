"""Where a message goes that has come to a recipient here (S5, S9, S19, S22, S25, S26, S28, S31)."""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.rules.figures import MB, Figures
from chalicelib.rules.values import (
    Account,
    Arrival,
    Automatic,
    Domain,
    Forward,
    Lookup,
    MailingList,
    Verdicts,
)

JUNK_KEYWORD = "$junk"  # RFC 8621 §4.1.1, registered by RFC 5788's registry


@dataclass(frozen=True, slots=True)
class Deliver:
    """Keep a copy in an account's folder of that role."""

    account: Account
    role: str
    keywords: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expand:
    """Keep a copy in each member's mailbox; the address itself counts as delivered once one took it."""

    members: tuple[Deliver, ...]


@dataclass(frozen=True, slots=True)
class Bounce:
    """Not deliverable: RFC 3463 status and the text the sender reads."""

    status: str
    text: str


@dataclass(frozen=True, slots=True)
class Discard:
    """Never delivered and never answered (S25: a virus's return path is somebody else's)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Taken and thrown away, as the admin wants it; the sender hears nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class PassOn:
    """Send on to other addresses (S22). `barred`: why none of those outside gets it, if so."""

    address: str
    to: tuple[str, ...]
    keep: Deliver | None = None  # the mailbox's own copy
    spare: Deliver | None = None  # where it is kept when it can be sent to nobody
    barred: Bounce | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A copy to every member of a list. `barred`: why none of those outside gets it, if so."""

    list: MailingList
    barred: Bounce | None = None


Decision = Deliver | Expand | Bounce | Discard | Drop | PassOn | Post


@dataclass(frozen=True, slots=True)
class Facts:
    """What the message itself says. `passed`: Delivered-To addresses in lower case."""

    hops: int = 0  # Received fields
    passed: frozenset[str] = frozenset()
    author: str = ""  # its only From address, in lower case
    reply: bool = False  # a bounce or an answer that a machine wrote
    member: bool = False  # the author is a member of the list that is written to


NO_FACTS = Facts()
MAX_HOPS = 50

UNKNOWN = Bounce("5.1.1", "no such mailbox")
NOT_SERVED = Bounce("5.1.2", "mail for this domain is not accepted here")
NOBODY_YET = Bounce("5.1.1", "nobody receives mail at this address yet")
NOT_PERMITTED = Bounce("5.7.2", "only the domain's email administrators may send to this address")
OVER_QUOTA = Bounce("5.2.2", "quota exceeded")
LOOP = Bounce("5.4.6", "this message has been here before: mail forwarding loop")
MAY_NOT_POST = Bounce("5.7.2", "you may not write to this list")
EMPTY_LIST = Bounce("5.1.1", "this list has no members")
SPAM = Bounce("5.7.1", "the message looks like spam and is not passed on")
NOT_SENDING = Bounce("5.7.1", "this address does not pass mail on at present")


def too_large(figures: Figures) -> Bounce:
    """S19, said to the sender."""
    return Bounce("5.3.4", f"message larger than {figures.max_message_bytes // MB} MB")


def folder(account: Account, verdicts: Verdicts) -> Deliver:
    """S25: spam goes to Junk."""
    if verdicts.spam == "FAIL":
        return Deliver(account, "junk", frozenset({JUNK_KEYWORD}))
    return Deliver(account, "inbox")


def decide(
    found: Lookup,
    arrival: Arrival,
    sender: Account | None,
    members: Iterable[Account],
    figures: Figures,
    facts: Facts = NO_FACTS,
) -> Decision:
    """What happens to one recipient of an arrival.

    `sender` is the account that signed in to submit the message, None for mail from outside; `members`
    are the accounts of the recipient's domain, needed for automatic addresses only. Suspended accounts
    and domains still receive (S31): nothing that people write to them is lost.
    """
    if arrival.verdicts.virus == "FAIL":
        return Discard("virus")
    if not found.domain or not found.local:
        return NOT_SERVED
    if facts.hops > MAX_HOPS:
        return LOOP
    if found.entry is None:
        return Drop("no such mailbox") if found.domain.unknown == "drop" else UNKNOWN
    if arrival.size > figures.max_message_bytes:
        return too_large(figures)
    barred = _barred(found.domain, arrival)
    match found.entry:
        case Automatic():
            return _automatic(found.entry, found, arrival, sender, members)
        case Forward(address, to):
            return LOOP if address in facts.passed else PassOn(address, to, barred=barred)
        case MailingList():
            return _list(found.entry, found.domain, arrival, sender, facts)
        case Account():
            return _mailbox(found.entry, arrival, facts, barred)


def _barred(domain: Domain, arrival: Arrival) -> Bounce | None:
    """Why nothing is passed on to the outside: spam would cost all customers their reputation (S25)."""
    if arrival.verdicts.spam == "FAIL":
        return SPAM
    return NOT_SENDING if domain.suspended else None


def _mailbox(account: Account, arrival: Arrival, facts: Facts, barred: Bounce | None) -> Decision:
    """A mailbox, which may pass its mail on. What cannot leave stays in it."""
    here = folder(account, arrival.verdicts)
    if not account.forward or barred or account.holds:
        return here
    if account.address in facts.passed:
        return LOOP
    return PassOn(account.address, account.forward, here if account.keep_copy else None, here)


def _list(
    entry: MailingList, domain: Domain, arrival: Arrival, sender: Account | None, facts: Facts
) -> Decision:
    """A distribution list: who may post, and nothing that would make it answer itself."""
    if entry.address in facts.passed:
        return LOOP
    if facts.reply or not arrival.envelope.sender:
        return Drop("bounces and automatic replies are not posted to lists")
    if not may_post(entry, domain, author(arrival, sender, facts), sender, facts.member):
        return MAY_NOT_POST
    return Post(entry, _barred(domain, arrival)) if entry.members else EMPTY_LIST


def author(arrival: Arrival, sender: Account | None, facts: Facts) -> str:
    """Who wrote it, as far as that is proven: the account that signed in, or a From address that DMARC, or
    the envelope sender's authentication, vouches for. Empty: nobody knows.
    """
    if sender is not None:
        return sender.address
    verdicts = arrival.verdicts
    same = arrival.envelope.sender.lower() == facts.author
    return facts.author if verdicts.dmarc == "PASS" or (verdicts.sender_authentic and same) else ""


def may_post(entry: MailingList, domain: Domain, writer: str, sender: Account | None, member: bool) -> bool:
    """S22: whether this writer may write to the list."""
    match entry.posting:
        case "anyone":
            return True
        case "members":
            return bool(writer) and member
        case "domain":
            return writer.endswith(f"@{domain.name}")
        case "admins":
            return _is_admin(sender, domain)


def _automatic(
    entry: Automatic, found: Lookup, arrival: Arrival, sender: Account | None, members: Iterable[Account]
) -> Decision:
    """S9: emailadmin@ reaches each admin; all@ everybody, from the domain's admins alone."""
    if entry.kind == "daemon":
        return Drop("nobody reads what is written to this address")
    if entry.kind == "all":
        if not _is_admin(sender, found.domain):
            return NOT_PERMITTED
        chosen = list(members)
    else:
        chosen = [m for m in members if m.admin]
    if not chosen:
        return NOBODY_YET
    return Expand(tuple(folder(m, arrival.verdicts) for m in chosen))


def _is_admin(sender: Account | None, domain: Domain | None) -> bool:
    """A header can say anything: only an account that signed in counts as an admin."""
    return (
        sender is not None
        and sender.admin
        and domain is not None
        and sender.domain == domain.name
        and sender.state == "active"
    )


def by_machine(header: Iterable[tuple[str, bytes]]) -> bool:
    """S28: whether a message is a bounce or an automatic answer, by its header.

    List mail is neither: its envelope sender wants to know which addresses are dead.
    """
    return any(_tells(name.lower(), value.decode("latin-1").strip().lower()) for name, value in header)


def is_reply(header: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a machine wrote it in answer to something: bounces and vacation messages, not a monitor's."""
    for name, value in header:
        text = value.decode("latin-1").strip().lower()
        if name.lower() == "auto-submitted" and not text.startswith("auto-replied"):
            continue
        if _tells(name.lower(), text):
            return True
    return False


def _tells(name: str, value: str) -> bool:
    """RFC 3834 §5, RFC 6522, and what older responders write."""
    if name == "auto-submitted":
        return value.split(";")[0].split("(")[0].strip() not in ("", "no")
    if name == "precedence":
        return value == "auto_reply"
    if name == "content-type":
        return value.startswith("multipart/report")
    return name in ("x-autoreply", "x-autorespond", "x-failed-recipients")


def may_bounce(arrival: Arrival, automatic: bool) -> bool:
    """S28: no bounce for a bounce, for automatic mail, or to a sender who may not have sent it."""
    sender = arrival.envelope.sender.lower()
    return (
        bool(sender)
        and not sender.startswith("mailer-daemon@")
        and not automatic
        and arrival.verdicts.sender_authentic
    )
