"""Identities: as whom, and with what signature, a mailbox sends (RFC 8621 §6)."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.rules.addresses import AddressError, parse
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.values import Correspondent

MOST = 50  # made by the owner, beside those of the mailbox's addresses
LONGEST_NAME, LONGEST_TEXT, LONGEST_HTML = 200, 10_000, 20_000  # characters
MOST_PEOPLE = 20  # in replyTo, in bcc


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity. `name` None: as the mailbox is called. `made`: by the owner, who may remove it.

    The HTML of a signature is kept as it was given: whoever shows it cleans it, as with any mail.
    """

    id: str
    email: str
    name: str | None = None
    reply_to: tuple[Correspondent, ...] | None = None
    bcc: tuple[Correspondent, ...] | None = None
    text: str = ""
    html: str = ""
    made: bool = False


def check(identity: Identity) -> None:
    """Raises ServiceError invalid, with pointers to RFC 8621's names."""
    faults = []
    name = identity.name or ""
    if len(name) > LONGEST_NAME or any(ord(c) < 32 or ord(c) == 127 for c in name):
        faults.append(Fault("/name", f"A name has one line of at most {LONGEST_NAME} characters."))
    for pointer, text, most in (
        ("/textSignature", identity.text, LONGEST_TEXT),
        ("/htmlSignature", identity.html, LONGEST_HTML),
    ):
        if len(text) > most:
            faults.append(Fault(pointer, f"Use at most {most:,} characters."))
    for pointer, people in (("/replyTo", identity.reply_to), ("/bcc", identity.bcc)):
        faults += _people(pointer, people or ())
    if faults:
        raise ServiceError("invalid", faults[0].detail, tuple(faults))


def _people(pointer: str, people: Sequence[Correspondent]) -> list[Fault]:
    if len(people) > MOST_PEOPLE:
        return [Fault(pointer, f"Name at most {MOST_PEOPLE} addresses.")]
    for person in people:
        try:
            parse(person.email)
        except AddressError as error:
            return [Fault(pointer, str(error))]
        if len(person.name) > LONGEST_NAME:
            return [Fault(pointer, f"A name has at most {LONGEST_NAME} characters.")]
    return []
