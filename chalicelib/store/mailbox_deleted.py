"""Destroyed emails that can still be had back: their tombstones keep all but their places (S14: uncounted).

They are found by the rows that tell the clean-up what to remove (store/purges): no index entry is written for
what is destroyed, and hardly ever is any of it asked for. A page costs a query for each of at most 15 days,
and a read for each email that was destroyed since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from chalicelib.aws import clock
from chalicelib.aws.table import ConditionFailed, Item, Table, Update, equals
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.ids import thread_id
from chalicelib.rules.quota import crosses, fits
from chalicelib.rules.values import Row
from chalicelib.store.mailbox_items import (
    email_key,
    folder_key,
    item_id,
    item_row,
    time_text,
    with_thread,
)
from chalicelib.store.mailbox_marks import warn_row
from chalicelib.store.mailbox_state import ROLES
from chalicelib.store.mailbox_turn import Turn, WriteRefused, in_turn
from chalicelib.store.mailbox_write import THREAD_MAX, batches
from chalicelib.store.purges import Purges

READ_AT_ONCE = 100  # tombstones in one call, DynamoDB's most
INBOX = ROLES["inbox"][0]


@dataclass(frozen=True, slots=True)
class Deleted:
    """A destroyed email. `row.folder` is where it was. `place`: to go on after it."""

    row: Row
    at: datetime
    place: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restoration. `warn`: with these the mailbox came over the line of S16.

    `more`: others that were asked for are still to be had.
    """

    done: tuple[str, ...] = ()
    over_quota: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    warn: bool = False
    more: bool = False

    def __add__(self, other: "Restored") -> "Restored":
        return Restored(
            self.done + other.done,
            self.over_quota + other.over_quota,
            self.missing + other.missing,
            self.warn or other.warn,
        )


@dataclass(frozen=True, slots=True)
class _Note:
    """An id that a purge row names: when it was destroyed, as (day due, modseq, number in the row)."""

    day: date
    modseq: int
    number: int
    id: str

    @property
    def place(self) -> str:
        return f"{self.day.isoformat()} {self.modseq} {self.number}"


def _bound(place: str, latest: date) -> tuple[date, int, int]:
    """The place to go on after. Raises ServiceError bad_request."""
    try:
        day, modseq, number = place.split(" ")
        bound = date.fromisoformat(day), int(modseq), int(number)
    except ValueError:
        bound = latest, 0, 0
    if bound[0] > latest or bound[1] < 1 or bound[2] < 0:
        raise ServiceError("bad_request", "cursor is not one that was given out here.")
    return bound


class DeletedEmails:
    """Tombstones young enough. Every method: ServiceError not_found, unavailable."""

    def __init__(self, table: Table, purges: Purges, figures: Figures) -> None:
        self._table, self._purges, self._figures = table, purges, figures

    def listed(
        self, acct: str, *, after: str = "", since: datetime | None = None, at_once: int = READ_AT_ONCE
    ) -> Iterator[Deleted]:
        """Those destroyed last first, from `since` at the earliest, each once; read as they are asked for."""
        earliest = self._earliest()
        floor = max(earliest, int(since.timestamp())) if since else earliest
        waiting: list[_Note] = []
        for note in self._notes(acct, after, floor):
            waiting.append(note)
            if len(waiting) == at_once:
                yield from self._read(acct, waiting, floor)
                waiting = []
        yield from self._read(acct, waiting, floor)

    def _earliest(self) -> int:
        return int((clock.now() - self._figures.undelete_window).timestamp())

    def _notes(self, acct: str, after: str, floor: int) -> Iterator[_Note]:
        """What the purge rows name, latest first. Later rows of an id that was restored name it again."""
        life = self._figures.tombstone_life
        last = (datetime.fromtimestamp(floor, UTC) + life).date()
        latest = (clock.now() + life).date()
        day, modseq, number = _bound(after, latest) if after else (latest, 0, 0)
        while day >= last:
            for row in self._purges.emails_of(acct, day):
                own = int(str(row["sk"]).rpartition("#")[2])
                if modseq and own > modseq:
                    continue
                ids = str(row["ids"]).split()
                first = number + 1 if own == modseq else 0
                yield from (_Note(day, own, n, ids[n]) for n in range(first, len(ids)))
            day, modseq = day - timedelta(days=1), 0

    def _read(self, acct: str, notes: Sequence[_Note], floor: int) -> Iterator[Deleted]:
        """Those that are tombstones still, of just this destruction, and young enough."""
        keys = [email_key(acct, note.id) for note in notes]
        found = {item_id(i): i for i in self._table.batch_get(keys, consistent=True)} if keys else {}
        for note in notes:
            item = found.get(note.id, {})
            if "gone" in item and item["modseq"] == note.modseq and item["gone"] >= floor:
                row, _ = item_row(item | {"fk": item["was"]})
                yield Deleted(row, datetime.fromtimestamp(item["gone"], UTC), note.place)

    # --------------------------------------------------------------- back again
    def restore(self, acct: str, ids: Sequence[str], *, quota_bytes: int) -> Restored:
        """Put emails back where they were, or into the inbox where that is gone, as far as the quota goes."""
        outcome = Restored()
        for batch in batches(list(dict.fromkeys(ids))):
            outcome += in_turn(partial(self._attempt, acct, batch, quota_bytes))
        return outcome

    def _attempt(self, acct: str, ids: Sequence[str], quota: int) -> Restored:
        turn, earliest = Turn(self._table, acct, self._figures), self._earliest()
        items, before = turn.emails(ids), turn.state.used
        done: list[str] = []
        over: list[str] = []
        missing: list[str] = []
        for id in ids:
            item = items.get(id, {})
            if "gone" not in item or item["gone"] < earliest:
                missing.append(id)
            elif not fits(turn.state.used, int(item["size"]), quota):
                over.append(id)
            else:
                self._bring_back(turn, item)
                done.append(id)
        warn = crosses(before, turn.state.used, quota, self._figures)
        if warn:
            turn.write(lambda modseq: warn_row(acct, modseq))
        try:
            turn.commit()
        except WriteRefused as refused:  # the clean-up was quicker
            raise ConditionFailed(refused.indexes) from refused
        return Restored(tuple(done), tuple(over), tuple(missing), warn)

    def _bring_back(self, turn: Turn, item: Item) -> None:
        """One tombstone is an email again: a new one to IMAP (uid) and to the change log."""
        row, _ = item_row(item | {"fk": item["was"]})
        folder = row.folder if row.folder in turn.state.tallies else INBOX
        thread = row.thread
        while len(turn.thread(thread)) >= THREAD_MAX:
            thread = thread_id(thread, row.id)
        places: Item = {
            "fk": folder_key(folder, row.received_at, row.id),
            "tk": f"{thread}#{time_text(row.received_at)}#{row.id}",
            "uid": turn.take_uid(folder),
        }
        if thread != row.thread:
            places["row"] = with_thread(item["row"], thread)
        turn.place(item | places)
        turn.log.note("Email", "c", row.id)
        key, known = email_key(turn.acct, row.id), equals(gone=item["gone"])
        turn.write(
            lambda modseq: Update(key, set=places | {"modseq": modseq}, remove=("gone", "was"), check=known)
        )
