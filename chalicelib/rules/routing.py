"""Where a message goes that has come to a recipient here (S5, S9, S19, S25, S26, S28, S31)."""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.rules.figures import MB, Figures
from chalicelib.rules.values import Account, Arrival, Automatic, Lookup, Verdicts

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


Decision = Deliver | Expand | Bounce | Discard

UNKNOWN = Bounce("5.1.1", "no such mailbox")
NOT_SERVED = Bounce("5.1.2", "mail for this domain is not accepted here")
NOBODY_YET = Bounce("5.1.1", "nobody receives mail at this address yet")
NOT_PERMITTED = Bounce("5.7.2", "only the domain's email administrators may send to this address")
OVER_QUOTA = Bounce("5.2.2", "quota exceeded")


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
) -> Decision:
    """What happens to one recipient of an arrival.

    `sender` is the account that signed in to submit the message, None for mail from outside; `members`
    are the accounts of the recipient's domain, needed for automatic addresses only. Suspended accounts
    and domains still receive (S31): nothing that people write to them is lost.
    """
    if arrival.verdicts.virus == "FAIL":
        return Discard("virus")
    if not found.local:
        return NOT_SERVED
    if found.entry is None:
        return UNKNOWN
    if arrival.size > figures.max_message_bytes:
        return too_large(figures)
    if isinstance(found.entry, Automatic):
        return _automatic(found.entry, found, arrival, sender, members)
    return folder(found.entry, arrival.verdicts)


def _automatic(
    entry: Automatic, found: Lookup, arrival: Arrival, sender: Account | None, members: Iterable[Account]
) -> Decision:
    """S9: emailadmin@ reaches each admin; all@ everybody, from the domain's admins alone."""
    if entry.kind == "all":
        if not _may_address_all(sender, found):
            return NOT_PERMITTED
        chosen = list(members)
    else:
        chosen = [m for m in members if m.admin]
    if not chosen:
        return NOBODY_YET
    return Expand(tuple(folder(m, arrival.verdicts) for m in chosen))


def _may_address_all(sender: Account | None, found: Lookup) -> bool:
    """A header can say anything: only an account that signed in counts as an admin."""
    return (
        sender is not None
        and sender.admin
        and found.domain is not None
        and sender.domain == found.domain.name
        and sender.state == "active"
    )


def by_machine(header: Iterable[tuple[str, bytes]]) -> bool:
    """S28: whether a message is a bounce or an automatic answer, by its header.

    List mail is neither: its envelope sender wants to know which addresses are dead.
    """
    return any(_tells(name.lower(), value.decode("latin-1").strip().lower()) for name, value in header)


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
