"""Positions in a folder's lists without reading past rows: how many emails stand at which moments.

A folder is told as moments (ms, as `receivedAt` is kept) with four counts each, and cut into spans of some
hundred moments, newest first. Where an email stands follows from the counts of the spans before its own, then
of the moments before its own. What transactions change is told as counts to be added at moments, so it can be
added in any order, and need not name emails.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

Counts = tuple[int, int, int, int]  # emails, newest of their thread here, not $seen, $flagged
Entries = dict[int, Counts]  # by moment
NONE: Counts = (0, 0, 0, 0)
LISTS: Mapping[str, Counts] = {  # a list's length is this much of each count
    "all": (1, 0, 0, 0),
    "threads": (0, 1, 0, 0),
    "unseen": (0, 0, 1, 0),
    "flagged": (0, 0, 0, 1),
    "seen": (1, 0, -1, 0),
    "unflagged": (1, 0, 0, -1),
}
SPAN_MADE, SPAN_MOST = 700, 900  # moments: of a new span, and before it is cut in two; below 4 KB packed
ALL = -1  # floor of a folder known to its end


def add(one: Counts, other: Counts) -> Counts:
    """Both together."""
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def total(counts: Iterable[Counts]) -> Counts:
    """All together."""
    out = NONE
    for one in counts:
        out = add(out, one)
    return out


def length(name: str, counts: Counts) -> int:
    """How many emails of a list are counted."""
    return sum(weight * count for weight, count in zip(LISTS[name], counts, strict=True))


def changed(entries: Entries, changes: Mapping[int, Counts]) -> Entries:
    """Entries with counts added; moments that have no email left are dropped."""
    out = dict(entries)
    for moment, counts in changes.items():
        out[moment] = add(out.get(moment, NONE), counts)
    return {moment: counts for moment, counts in out.items() if counts[0] > 0}


def cut(entries: Entries, most: int = SPAN_MADE) -> Iterator[Entries]:
    """Pieces of at most so many moments, newest first."""
    moments = sorted(entries, reverse=True)
    for at in range(0, len(moments), most):
        yield {moment: entries[moment] for moment in moments[at : at + most]}


@dataclass(frozen=True, slots=True)
class Span:
    """Emails younger than `floor`, down from the floor of the span before it."""

    id: int
    floor: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Outline:
    """A folder as of a modseq, newest span first. Emails up to the last floor are not known."""

    modseq: int
    spans: tuple[Span, ...]
    version: int = 0

    @property
    def floor(self) -> int:
        """Emails that are younger are known."""
        return self.spans[-1].floor if self.spans else ALL

    @property
    def complete(self) -> bool:
        """Whether every email of the folder is known."""
        return self.floor == ALL

    def counts(self) -> Counts:
        """Of all that is known."""
        return total(span.counts for span in self.spans)

    def at(self, moment: int) -> int | None:
        """The span that a moment falls into; None below what is known."""
        found = bisect_right(self.spans, -moment, key=lambda span: -span.floor)
        return found if found < len(self.spans) else None

    def before(self, name: str, number: int) -> int:
        """How many emails of a list stand before a span."""
        return sum(length(name, span.counts) for span in self.spans[:number])

    def holding(self, name: str, rank: int) -> int:
        """The span with the list's email at `rank`, from 0 on. Raises IndexError beyond what is known."""
        ends = list(accumulate(length(name, span.counts) for span in self.spans))
        for number, end in enumerate(ends):
            if rank < end:
                return number
        raise IndexError(rank)

    def changed(self, changes: Mapping[int, Counts]) -> "Outline":
        """With counts added to the spans they fall into; what falls below is not known anyway."""
        spans = list(self.spans)
        for moment, counts in changes.items():
            if (number := self.at(moment)) is not None:
                spans[number] = replace(spans[number], counts=add(spans[number].counts, counts))
        return replace(self, spans=tuple(spans))


def shared_out(outline: Outline, changes: Mapping[int, Counts]) -> dict[int, dict[int, Counts]]:
    """Changes by the number of the span that they fall into."""
    shares: dict[int, dict[int, Counts]] = {}
    for moment, counts in changes.items():
        number = outline.at(moment)
        if number is not None and counts != NONE:
            shares.setdefault(number, {})[moment] = counts
    return shares


class Place(NamedTuple):
    """A moment with emails of a list, and how many emails of any kind stand between it and the next newer
    place that was asked for."""

    moment: int
    counts: Counts
    between: int


def rank(name: str, entries: Entries, moment: int) -> int:
    """How many of a list in a span are younger than a moment."""
    return sum(length(name, counts) for at, counts in entries.items() if at > moment)


def places(
    name: str, spans: Iterable[tuple[Counts, Entries]], skip: int, many: int
) -> tuple[int, list[Place]]:
    """Moments that hold `many` emails of a list after `skip` of them; how many to leave out at the first.

    A span that holds none of the list comes without its entries.
    """
    found: list[Place] = []
    between, left_out = 0, 0
    for whole, entries in spans:
        between += 0 if entries else whole[0]
        for moment in sorted(entries, reverse=True):
            if many <= 0:
                return left_out, found
            counts = entries[moment]
            here = length(name, counts)
            if here <= skip:
                skip -= here
                between += counts[0]
                continue
            if not found:
                left_out = skip
            many -= here - skip
            skip = 0
            found.append(Place(moment, counts, between))
            between = 0
    return left_out, found


def runs(found: Sequence[Place], gap: int) -> list[tuple[int, int]]:
    """Ranges of moments (newest, oldest) to be read each in one go: over up to `gap` emails not wanted."""
    out: list[tuple[int, int]] = []
    for place in found:
        if out and place.between <= gap:
            out[-1] = (out[-1][0], place.moment)
        else:
            out.append((place.moment, place.moment))
    return out
