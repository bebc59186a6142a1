"""What one transaction changes of where emails stand in their folders, for positions (rules.positions).

Kept with the row of the change log, which is written anyway: some nine bytes for each moment.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from chalicelib.aws.table import Item
from chalicelib.rules.positions import NONE, Counts, add
from chalicelib.store.mailbox_items import item_folder, item_keywords, moment
from chalicelib.store.mailbox_state import Member
from chalicelib.store.packing import pack_numbers, unpack_numbers

Changes = dict[tuple[str, int], Counts]  # by folder and moment
Told = list[tuple[str, int, Counts]]  # the same; NONE where emails came and others of that moment went
_STEPS = (1, 3, 9, 27)


class Standing(NamedTuple):
    """Where an email stands, and what of it is counted there."""

    folder: str
    moment: int
    unseen: bool
    flagged: bool


def standing(item: Item) -> Standing:
    """Of an email's item."""
    words = item_keywords(item)
    return Standing(item_folder(item), moment(item), "$seen" not in words, "$flagged" in words)


class Places:
    """Emails of one transaction, before and after."""

    def __init__(self) -> None:
        self._emails: list[tuple[Standing | None, Standing | None]] = []
        self._moments: dict[str, int] = {}
        self._heads: Changes = {}

    def email(self, id: str, before: Standing | None, after: Standing | None) -> None:
        """An email comes, goes or changes."""
        self._emails.append((before, after))
        for one in (before, after):
            if one:
                self._moments[id] = one.moment

    def thread(
        self, before: Mapping[str, Member], after: Mapping[str, Member], items: Mapping[str, Item]
    ) -> None:
        """A thread's emails were some and are others."""
        for members, sign in ((before, -1), (after, 1)):
            for folder, newest in self._newest(members, items).items():
                _count(self._heads, folder, newest, (0, sign, 0, 0))

    def _newest(self, members: Mapping[str, Member], items: Mapping[str, Item]) -> dict[str, int]:
        found: dict[str, int] = {}
        for id, member in members.items():
            when = self._moments[id] if id in self._moments else moment(items[id])
            found[member.folder] = max(found.get(member.folder, when), when)
        return found

    def told(self) -> Told:
        """Counts to be added, and where emails changed places."""
        out = dict(self._heads)
        for pair in self._emails:
            for one, sign in zip(pair, (-1, 1), strict=True):
                if one:
                    counts = (sign, 0, sign * one.unseen, sign * one.flagged)
                    _count(out, one.folder, one.moment, counts)
        listed = [(*key, counts) for key, counts in out.items() if counts != NONE]
        return listed + [(*key, NONE) for key in self._moved() if out[key][0] == 0]

    def _moved(self) -> list[tuple[str, int]]:
        """Folders and moments at which emails came or went."""
        moved = [(old, new) for old, new in self._emails if not old or not new or old.folder != new.folder]
        return list(dict.fromkeys((one.folder, one.moment) for pair in moved for one in pair if one))


def _count(changes: Changes, folder: str, when: int, counts: Counts) -> None:
    changes[folder, when] = add(changes.get((folder, when), NONE), counts)


def pack_places(told: Told) -> bytes:
    """As numbers: folder, moment, and counts of -1 to 1 in one; more of them again and again."""
    numbers: list[int] = []
    for folder, when, counts in told:
        for step in _steps(counts):
            code = sum((count + 1) * weight for count, weight in zip(step, _STEPS, strict=True))
            numbers += [int(folder[1:]), when, code]
    return pack_numbers(numbers)


def _steps(counts: Counts) -> Iterator[list[int]]:
    for done in range(max(1, *map(abs, counts))):
        yield [(count > done) - (count < -done) for count in counts]


def unpack_places(packed: bytes, folder: str) -> Iterator[tuple[int, Counts]]:
    """Moments of one folder, and counts to be added there."""
    numbers, wanted = unpack_numbers(packed), int(folder[1:])
    for at in range(0, len(numbers), 3):
        if numbers[at] == wanted:
            a, b, c, d = (numbers[at + 2] // weight % 3 - 1 for weight in _STEPS)
            yield numbers[at + 1], (a, b, c, d)


def summed(changes: Iterable[tuple[int, Counts]]) -> dict[int, Counts]:
    """Counts to be added by moment."""
    out: dict[int, Counts] = {}
    for when, counts in changes:
        out[when] = add(out.get(when, NONE), counts)
    return out
