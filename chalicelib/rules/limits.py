"""What may be sent, by whom and how fast (S19 to S21, S25, S31, S32): facts in, refusals out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.rules.addresses import AddressError, parse
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB, Figures
from chalicelib.rules.values import Account, Domain, Lookup, MailingList, Part, Source

MINUTE = 60_000  # milliseconds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# File types that SES refuses to carry ("Unsupported attachment types" of its developer guide).
_REFUSED = (
    "ade adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp hta inf ins isp its js jse "
    "ksh lib lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2 "
    "mshxml msh1xml msh2xml msi msp mst ops pcd pif plg prf prg reg scf scr sct shb shs sys ps1 ps1xml ps2 "
    "ps2xml psc1 psc2 tmp url vb vbe vbs vps vsmacros vss vst vsw vxd ws wsc wsf wsh xnk"
)
REFUSED_TYPES = frozenset(_REFUSED.split())

PAUSED = (
    "Sending from this mailbox is paused: it wrote to unusually many new addresses, as stolen mailboxes do."
    " Change the password, then ask your email administrator to let it send again."
)

# The EICAR test file, in pieces so that no scanner takes this file for it.
_EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


def sendable(address: str) -> str | None:
    """An address as SES takes it (domain in A-labels), or None: one it refuses spoils the whole call.

    SES has no SMTPUTF8, and what it makes of quoted local parts is not documented.
    """
    try:
        parsed = parse(address)
    except AddressError:
        return None
    return None if parsed.local.startswith('"') else str(parsed)


def check_size(size: int, figures: Figures) -> None:
    """S19. Raises too_large."""
    limit = figures.max_message_bytes
    if size > limit:
        raise ServiceError(
            "too_large",
            f"The message is larger than {limit // MB} MB, attachments and encoding included.",
            extra={"limit": limit, "used": size, "remaining": 0, "unit": "bytes"},
        )


def check_recipients(recipients: Sequence[str], figures: Figures) -> tuple[str, ...]:
    """S20: the recipients, each once, as they are sent to. Raises no_, too_many_ or invalid_recipients."""
    unique = {r.lower(): r for r in reversed(recipients)}
    given = [unique.pop(r.lower()) for r in recipients if r.lower() in unique]
    limit = figures.max_recipients
    if not given:
        raise ServiceError("no_recipients", "The message has no recipient.")
    if len(given) > limit:
        raise ServiceError(
            "too_many_recipients",
            f"A message can have {limit} recipients at most.",
            extra={"limit": limit, "used": len(given), "remaining": 0, "unit": "recipients"},
        )
    wrong = [a for a in given if sendable(a) is None]
    if wrong:
        raise ServiceError(
            "invalid_recipients",
            "These addresses cannot be sent to: " + ", ".join(wrong),
            extra={"addresses": tuple(wrong)},
        )
    return tuple(dict.fromkeys(sendable(a) or a for a in given))


def check_reach(recipients: Sequence[str], found: Mapping[str, Lookup], figures: Figures) -> None:
    """S20: a list is one recipient, and each of its members outside is one more. Raises too_many_recipients.

    `found`: what each recipient in lower case is here; who is on two lists counts twice.
    """
    known = [found.get(r.lower()) for r in recipients]
    lists = [f.entry for f in known if f and f.local and isinstance(f.entry, MailingList)]
    limit, used = figures.max_recipients, len(recipients) + sum(entry.outside for entry in lists)
    if used > limit:
        raise ServiceError(
            "too_many_recipients",
            f"A message can have {limit} recipients at most. A list counts as one, and each of its members"
            " elsewhere as one more.",
            extra={"limit": limit, "used": used, "remaining": 0, "unit": "recipients"},
        )


def check_sender(account: Account, domain: Domain | None) -> None:
    """S5, S31, S32: who may send at all.

    Raises account_suspended, domain_pending, domain_suspended or sending_paused (the guard's).
    """
    if account.state == "suspended":
        raise ServiceError("account_suspended", "Sending from this mailbox is suspended.")
    if domain is not None and domain.suspended:
        raise ServiceError("domain_suspended", f"Email of {account.domain} is suspended.")
    if account.paused:
        raise ServiceError("sending_paused", PAUSED)
    if domain is None or domain.state != "live":
        raise ServiceError("domain_pending", f"The MX record of {account.domain} does not point here.")


def check_from(account: Account, envelope: str | None, header: Iterable[str | None]) -> None:
    """The sender owns every address it sends under. Arguments are account ids that the addresses belong to.

    Raises forbidden_from; `extra["where"]` says "envelope" or "header" (RFC 8621 §7.5 tells them apart).
    """
    if envelope != account.id:
        raise ServiceError(
            "forbidden_from",
            "The return path is not an address of this mailbox.",
            extra={"where": "envelope"},
        )
    owners = tuple(header)
    if not owners or any(owner != account.id for owner in owners):
        raise ServiceError(
            "forbidden_from", "The From address is not an address of this mailbox.", extra={"where": "header"}
        )


def leaves(part: Part) -> Iterator[Part]:
    """The parts of a tree that have content, in order."""
    if part.parts:
        for child in part.parts:
            yield from leaves(child)
    else:
        yield part


def check_attachments(structure: Part) -> None:
    """File types that would make SES refuse the message. Raises forbidden_attachment naming them."""
    names = [p.name for p in leaves(structure) if p.name]
    wrong = [n for n in names if n.rpartition(".")[2].strip().lower() in REFUSED_TYPES and "." in n]
    if wrong:
        raise ServiceError(
            "forbidden_attachment",
            "Attachments of these types cannot be sent: " + ", ".join(wrong),
            extra={"names": tuple(wrong)},
        )


def check_attachment_count(count: int, source: Source, figures: Figures) -> None:
    """S19: webmail sends at most 4 files with a message. Raises forbidden_attachment."""
    limit = figures.max_attachments
    if source == "webmail" and count > limit:
        raise ServiceError(
            "forbidden_attachment",
            f"A message can have {limit} attachments at most.",
            extra={"limit": limit, "used": count, "remaining": 0, "unit": "attachments"},
        )


def check_virus(contents: Iterable[bytes]) -> None:
    """S25, for mail that never meets SES's scanner: contents of a known signature. Raises virus."""
    if any(_EICAR in content for content in contents):
        raise ServiceError("virus", "The message contains a virus.")


def rate_limit(source: Source, figures: Figures) -> int | None:
    """S21: messages a minute through a door; None is without limit (the service's own notices)."""
    if source == "notice":
        return None
    return figures.webmail_per_minute if source == "webmail" else figures.smtp_per_minute


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used. `resets_at`: when some of it is free again; None: not by time."""

    limit: int
    used: int
    unit: str
    resets_at: datetime | None = None

    @property
    def remaining(self) -> int:
        """What is left."""
        return max(0, self.limit - self.used)


def rate_usage(sent: Sequence[int], now: int, limit: int) -> Usage:
    """S21: how far a minute's messages have come; times as in `admit`."""
    recent = [t for t in sent if t > now - MINUTE]
    resets_at = EPOCH + timedelta(milliseconds=min(recent) + MINUTE) if recent else None
    return Usage(limit, len(recent), "messages/minute", resets_at)


def admit(sent: Sequence[int], now: int, limit: int) -> tuple[int, ...]:
    """S21, exact: no minute, wherever it begins, holds more than `limit` messages.

    `sent` and `now` are milliseconds since 1970. Gives the times to remember with this message among
    them. Raises rate_limited with the seconds to wait.
    """
    recent = tuple(t for t in sent if t > now - MINUTE)
    if len(recent) < limit:
        return (*recent, now)
    usage = rate_usage(sent, now, limit)
    wait = max(1, -(-(min(recent, default=now) + MINUTE - now) // 1000))
    raise ServiceError(
        "rate_limited",
        f"At most {limit} messages a minute can be sent; try again in {wait} seconds.",
        extra={
            "limit": limit,
            "used": usage.used,
            "remaining": usage.remaining,
            "unit": usage.unit,
            "resets_at": usage.resets_at.isoformat() if usage.resets_at else None,
            "retry_after": wait,
        },
    )
