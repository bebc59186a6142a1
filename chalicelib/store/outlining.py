"""Outlines of folders made from their index, newest email first, as deep as is asked for.

Reading takes a while, and mail comes meanwhile: emails that the change log names since are read once more by
their items, until nothing has changed, so an outline is right as of one modseq.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.aws.table import Item, Table
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.positions import ALL, NONE, Counts, Entries, add
from chalicelib.store import mailbox_log
from chalicelib.store.mailbox_items import (
    BY_FOLDER,
    account_pk,
    email_key,
    item_folder,
    item_id,
    item_keywords,
    moment,
    row_thread,
)
from chalicelib.store.mailbox_turn import read_or_refuse
from chalicelib.store.positions import Folder, Positions

FIRST = 512  # emails of a new outline, so that the next pages need none
MOST = 100_000  # emails that one request reads: some seconds
TRIES = 10

Enough = Callable[[Counts, int], bool]  # by what is counted, and the oldest moment that is


class TooDeep(Exception):
    """There are more emails to look at than a request can."""


class Seen(NamedTuple):
    """What of an email is counted."""

    id: str
    thread: str
    moment: int
    unseen: bool
    flagged: bool


def _seen(item: Item) -> Seen:
    words = item_keywords(item)
    return Seen(item_id(item), row_thread(item), moment(item), "$seen" not in words, "$flagged" in words)


@dataclass
class _Reading:
    """Emails read so far, newest first."""

    enough: Enough
    least: int
    emails: list[Seen] = field(default_factory=list)
    counts: Counts = NONE
    threads: set[str] = field(default_factory=set)

    def take(self, one: Seen) -> bool:
        """Whether it was enough before this one. Emails of one moment stay together."""
        last = self.emails[-1].moment if self.emails else one.moment
        if one.moment != last and len(self.emails) >= self.least and self.enough(self.counts, last):
            return True
        if len(self.emails) >= MOST:
            raise TooDeep
        self.emails.append(one)
        self.counts = add(self.counts, (1, one.thread not in self.threads, one.unseen, one.flagged))
        self.threads.add(one.thread)
        return False


class Outlines(Positions):
    """Outlines that are there, and those that are made."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)

    def make(self, acct: str, folder: str, enough: Enough, known: int = 0) -> Folder:
        """An outline that tells enough, or all; `known` emails of it were told before, too few.

        Reads every email down to there. Raises TooDeep, ServiceError unavailable.
        """
        version = self.version(acct, folder)
        modseq = read_or_refuse(self._table, acct).modseq
        reading = _Reading(enough, max(FIRST, 2 * known))
        stopped = any(map(reading.take, map(_seen, self._rows(acct, folder, reading.least + 1))))
        floor = reading.emails[-1].moment - 1 if stopped else ALL
        emails, modseq = self._settled(acct, folder, reading.emails, modseq)
        return self.keep(acct, folder, _counted(emails, floor), floor, modseq, version)

    def _rows(self, acct: str, folder: str, first: int) -> Iterator[Item]:
        return self._table.query_all(
            account_pk(acct),
            between=(f"{folder}#", f"{folder}#~"),
            index=BY_FOLDER,
            descending=True,
            consistent=True,
            limit=max(first, 1_000),
        )

    def _settled(self, acct: str, folder: str, emails: list[Seen], modseq: int) -> tuple[list[Seen], int]:
        """The folder's emails as of one modseq."""
        by_id = {one.id: one for one in emails}
        for _ in range(TRIES):
            now = read_or_refuse(self._table, acct).modseq
            if now == modseq:
                return list(by_id.values()), modseq
            rows = mailbox_log.since_then(self._table, acct, modseq, now)
            touched = {id for row in rows for _, id in mailbox_log.read_entry(row).of("Email")}
            for id in touched:
                by_id.pop(id, None)
            items = self._table.batch_get((email_key(acct, id) for id in touched), consistent=True)
            here = [item for item in items if "fk" in item and item_folder(item) == folder]
            by_id |= {item_id(item): _seen(item) for item in here}
            modseq = now
        raise ServiceError("unavailable", "The mailbox is busy. Please try again in a moment.")


def _counted(emails: list[Seen], floor: int) -> Entries:
    """Counts by moment, of those above the floor."""
    known = [one for one in emails if one.moment > floor]
    newest: dict[str, int] = {}
    for one in known:
        newest[one.thread] = max(newest.get(one.thread, one.moment), one.moment)
    entries: Entries = {}
    for one in known:
        entries[one.moment] = add(entries.get(one.moment, NONE), (1, 0, one.unseen, one.flagged))
    for when in newest.values():
        entries[when] = add(entries[when], (0, 1, 0, 0))
    return entries
