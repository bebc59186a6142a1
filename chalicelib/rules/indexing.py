"""When a mailbox's search index takes in what came, though nobody searches."""

from dataclasses import dataclass

CHANGES = 64  # of a mailbox, whatever they are
DAYS = 7


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a mailbox was when its index was last asked to catch up. `day`: an ordinal of the calendar."""

    modseq: int = 0
    day: int = 0


def due(last: Mark, now: Mark) -> bool:
    """Whether a message that comes now is to ask: enough happened since, or enough time passed."""
    return now.modseq - last.modseq >= CHANGES or now.day - last.day >= DAYS
