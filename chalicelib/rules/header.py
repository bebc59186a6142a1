"""What the header of a message must be like before its author may send it (RFC 5322 §3.6)."""

from collections import Counter
from collections.abc import Iterable, Iterator

from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.values import Digest

#: Fields of which there is one at most, in the order people expect, with their names in the mailbox API (RFC
#: 8621 §4.1.3).
ONCE = {
    "date": "sentAt",
    "from": "from",
    "sender": "sender",
    "reply-to": "replyTo",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "subject": "subject",
    "message-id": "messageId",
    "in-reply-to": "inReplyTo",
    "references": "references",
}
_NOT_IN_DOMAINS = frozenset(' \t\r\n<>(),;:\\"')


def check(names: Iterable[str], digest: Digest) -> None:
    """Refuse what readers could understand in two ways, or a relay not at all: `names` are those of all
    fields. Who wrote a message must be plain: else one may show as written by somebody else.

    Raises invalid_message, naming every field that is wrong.
    """
    faults = tuple(_faults(names, digest))
    if faults:
        detail = " ".join(dict.fromkeys(fault.detail for fault in faults))
        raise ServiceError("invalid_message", detail, faults)


def _faults(names: Iterable[str], digest: Digest) -> Iterator[Fault]:
    counts = Counter(name.lower() for name in names)
    for field, shown in ONCE.items():
        if counts[field] > 1:
            yield Fault(f"/{shown}", f"There is more than one {field.title()} field.")
    if not digest.from_:
        yield Fault("/from", "The message has no From address.")
    if len(digest.sender) > 1:
        yield Fault("/sender", "There is more than one Sender address.")
    if len(digest.from_) > 1 and not digest.sender:
        yield Fault("/sender", "A message from several people needs a Sender.")
    people = {
        "from": digest.from_,
        "sender": digest.sender,
        "replyTo": digest.reply_to,
        "to": digest.to,
        "cc": digest.cc,
        "bcc": digest.bcc,
    }
    for shown, found in people.items():
        if wrong := [one.email for one in found if not _is_address(one.email)]:
            yield Fault(f"/{shown}", f"This is no email address: {wrong[0][:200]}")


def _is_address(text: str) -> bool:
    """Whether it has an address's form; not whether anybody can be reached there."""
    local, at, domain = text.rpartition("@")
    return bool(local and at and domain) and not _NOT_IN_DOMAINS & set(domain)
