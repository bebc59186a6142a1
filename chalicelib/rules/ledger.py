"""What billing reads (S13): the events of the ledger, as values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

#: `restored` undoes `removed`; `reversed`: the order was a mistake (S10), free within 5 days (S13).
Kind = Literal["ordered", "created", "resized", "renamed", "removed", "restored", "reversed"]


@dataclass(frozen=True, slots=True)
class Line:
    """One mailbox of an entry, with the price agreed then: invoices follow from the ledger alone."""

    account: str
    address: str
    storage_mb: int
    base_mills: int
    steps: int
    step_mills: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that billing reads. `id` is stable under repeats; each line is a mailbox as it is after it."""

    id: str
    at: datetime
    reseller: str
    kind: Kind
    domain: str
    order: str
    lines: tuple[Line, ...]
