"""What a message says of itself when an address passes it on (S22, RFC 2369, RFC 2919).

SES sends under verified identities only, and DMARC asks that From be aligned with who sends: so From becomes
the address that passes the message on, Reply-To who wrote it, and X-Original-From keeps what was there.
"""

from dataclasses import dataclass
from urllib.parse import quote

from chalicelib.rules.values import Correspondent, MailingList

#: Said by the writer's own server about the writer's own From; or a promise that only the writer can keep.
STALE = frozenset(
    {
        "sender",
        "return-path",
        "dkim-signature",
        "domainkey-signature",
        "x-original-from",
        "disposition-notification-to",
        "return-receipt-to",
    }
)
#: RFC 2369 §4, RFC 2919 §6: a message has these fields once, of the list that sent it last.
OF_LISTS = frozenset(
    {
        "list-id",
        "list-post",
        "list-owner",
        "list-help",
        "list-subscribe",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "list-archive",
        "precedence",
    }
)


@dataclass(frozen=True, slots=True)
class Passing:
    """How a copy differs from the message: fields `removed` (lower case), and new ones on top.

    `via`: the new From, `authors`: who it was from. `fields`: name and value of others, in ASCII.
    """

    address: str  # noted as Delivered-To: seen again, it is a loop
    removed: frozenset[str]
    via: Correspondent | None = None
    authors: tuple[Correspondent, ...] = ()
    reply_to: tuple[Correspondent, ...] = ()
    list: MailingList | None = None
    fields: tuple[tuple[str, str], ...] = ()


def outward(
    address: str, authors: tuple[Correspondent, ...], reply_to: tuple[Correspondent, ...], sender: str
) -> Passing:
    """The copy for people outside. `sender`: of the envelope, for a message without a From.

    A list's copy comes here as `listed` made it, and keeps its fields.
    """
    written = authors or ((Correspondent("", sender),) if sender else ())
    name = next((a.name or a.email.partition("@")[0] for a in written), "")
    via = Correspondent(f"{name} via {address.partition('@')[0]}".strip(), address)
    return Passing(address, STALE | {"from", "reply-to"}, via, written, reply_to or written)


def listed(entry: MailingList) -> Passing:
    """The copy for a list's members: as it was written, with the fields of the list."""
    own = (Correspondent(entry.name, entry.address),) if entry.reply_to == "list" else ()
    removed = OF_LISTS | ({"reply-to"} if own else frozenset())
    return Passing(entry.address, removed, reply_to=own, list=entry, fields=_list_fields(entry))


def _list_fields(entry: MailingList) -> tuple[tuple[str, str], ...]:
    """RFC 2369. Membership is the administrators' affair, so that is where requests go."""
    admin = f"mailto:emailadmin@{entry.address.rpartition('@')[2]}"
    wish = quote(f"unsubscribe {entry.address}")
    post = "NO" if entry.posting == "admins" else f"<mailto:{entry.address}>"
    return (
        ("List-Post", post),
        ("List-Owner", f"<{admin}>"),
        ("List-Unsubscribe", f"<{admin}?subject={wish}>"),
        ("Precedence", "list"),
    )
