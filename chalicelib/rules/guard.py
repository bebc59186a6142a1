"""The guard against stolen mailboxes: whether what a mailbox sends looks like its owner (pure).

It counts, over the last hour, recipients, those never written to before, bounces and complaints. Who was
written to before is kept in two Bloom filters per mailbox, the older of which is forgotten when the newer is
full: some 190 to 3,000 addresses in at most 3 KB. A false "known" only makes the guard milder.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal

from chalicelib.rules.figures import Figures

SLOT = 600_000  # ms
SLOTS = 7  # those that the last hour touches
SMALLEST, LARGEST = 192, 1_536  # bytes of a filter; one address a byte: 2.4 % of strangers seem known
HASHES = 4
FEW = 10  # recipients of a message that is not worth a write when all are known

Why = Literal["complaints", "bounces", "strangers"]


@dataclass(frozen=True, slots=True)
class Known:
    """Addresses that were written to."""

    current: bytes = bytes(SMALLEST)
    count: int = 0  # addresses in `current`
    previous: bytes = b""


@dataclass(frozen=True, slots=True)
class Slot:
    """What happened in ten minutes."""

    number: int
    recipients: int = 0
    strangers: int = 0
    bounces: int = 0
    complaints: int = 0


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of a mailbox."""

    known: Known = field(default_factory=Known)
    slots: tuple[Slot, ...] = ()


def _places(salt: str, address: str, size: int) -> list[int]:
    """The bits of an address in a filter of `size` bytes."""
    digest = sha256(f"{salt}\0{address.lower()}".encode("utf-8", "replace")).digest()
    return [int.from_bytes(digest[at : at + 4], "big") % (8 * size) for at in range(0, 4 * HASHES, 4)]


def _has(bits: bytes | bytearray, salt: str, address: str) -> bool:
    return bool(bits) and all(bits[b >> 3] & (1 << (b & 7)) for b in _places(salt, address, len(bits)))


def strangers(known: Known, salt: str, addresses: Iterable[str]) -> list[str]:
    """Those never written to, each once."""
    unique = {a.lower(): a for a in addresses}.values()
    return [a for a in unique if not (_has(known.current, salt, a) or _has(known.previous, salt, a))]


def learn(known: Known, salt: str, addresses: Iterable[str]) -> Known:
    """With these written to, again or for the first time: who is written to regularly is not forgotten.

    A full filter becomes the previous one, and the next is twice as large.
    """
    bits, count, previous = bytearray(known.current), known.count, known.previous
    for address in addresses:
        if _has(bits, salt, address):
            continue
        if count >= len(bits):
            previous, bits, count = bytes(bits), bytearray(min(2 * len(bits), LARGEST)), 0
        for place in _places(salt, address, len(bits)):
            bits[place >> 3] |= 1 << (place & 7)
        count += 1
    return Known(bytes(bits), count, previous)


def recent(watch: Watch, now: int) -> tuple[Slot, ...]:
    """The slots of the last hour; `now` in ms."""
    return tuple(s for s in watch.slots if now // SLOT - SLOTS < s.number)


def count(watch: Watch, now: int, **more: int) -> Watch:
    """With more recipients, strangers, bounces or complaints at this moment."""
    number, kept = now // SLOT, {s.number: s for s in recent(watch, now)}
    present = kept.get(number, Slot(number))
    kept[number] = replace(present, **{name: getattr(present, name) + n for name, n in more.items()})
    return replace(watch, slots=tuple(kept[n] for n in sorted(kept))[-SLOTS:])


def sending(watch: Watch, salt: str, addresses: Iterable[str], now: int) -> Watch | None:
    """With a message to these addresses; None where it is too small a matter to be written down."""
    everybody = tuple(addresses)
    new = strangers(watch.known, salt, everybody)
    if not new and len(everybody) <= FEW:
        return None
    counted = count(watch, now, recipients=len(everybody), strangers=len(new))
    return replace(counted, known=learn(watch.known, salt, everybody))


def hard(status: str) -> bool:
    """Whether a failure speaks of an address that nobody has, or of a sender that is not wanted."""
    return status.startswith(("5.0.", "5.1.", "5.4.", "5.7."))


def trips(watch: Watch, now: int, figures: Figures) -> Why | None:
    """Why sending is to be paused; None: it looks like the owner's.

    A complaint weighs where more than S29's 25 recipients were new; bounces where many were new, many bounced
    and they are a fifth of all; new recipients alone only in a number that no mailbox writes by hand.
    """
    slots = recent(watch, now)
    new, bounces = sum(s.strangers for s in slots), sum(s.bounces for s in slots)
    everybody, complaints = sum(s.recipients for s in slots), sum(s.complaints for s in slots)
    if complaints and new > figures.unsolicited:
        return "complaints"
    many = new >= figures.guard_strangers_bounced and bounces >= figures.guard_bounces
    if many and 100 * bounces >= figures.guard_bounce_percent * everybody:
        return "bounces"
    return "strangers" if new > figures.guard_strangers else None
