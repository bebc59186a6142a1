"""What is to be removed later: rows under the day they fall due, for the daily clean-up.

`PURGE#day#shard`: `A#acct#modseq` emails destroyed in one transaction, `B#key` a blob to look at again,
`I#acct` a mailbox whose search index may have fallen behind.
`PURGE` / `CURSOR`: the last day that is finished. A row is removed once what it asks for is done, so a
clean-up that was cut off goes on where it stopped.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zlib import crc32

from chalicelib.aws.table import Item, Table

SHARDS = 4
FIRST_LOOK = timedelta(days=60)  # how far back the very first clean-up looks
_CURSOR = {"pk": "PURGE", "sk": "CURSOR"}


def _pk_of(day: date, spread_by: str) -> str:
    return f"PURGE#{day.isoformat()}#{crc32(spread_by.encode()) % SHARDS}"


def _pk(due: datetime, spread_by: str) -> str:
    return _pk_of(due.date(), spread_by)


def emails_row(acct: str, modseq: int, ids: Sequence[str], due: datetime) -> Item:
    """Tombstones to be removed."""
    return {"pk": _pk(due, acct), "sk": f"A#{acct}#{modseq:012d}", "acct": acct, "ids": " ".join(ids)}


def blob_row(key: str, due: datetime) -> Item:
    """A blob to be removed unless it is needed then. Not named `blob`: it must not count as a need."""
    return {"pk": _pk(due, key), "sk": f"B#{key}", "key": key}


class Purges:
    """The rows in the mail table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def days(self, before: date) -> Iterator[date]:
        """Days before this one that are not finished, oldest first."""
        cursor = self._table.get(_CURSOR)
        day = date.fromisoformat(cursor["day"]) if cursor else before - FIRST_LOOK
        while (day := day + timedelta(days=1)) < before:
            yield day

    def finish(self, day: date) -> None:
        """This day and all before it are done."""
        self._table.put({**_CURSOR, "day": day.isoformat()})

    def rows(self, day: date) -> Iterator[Item]:
        """What falls due on a day."""
        for shard in range(SHARDS):
            yield from self._table.query_all(f"PURGE#{day.isoformat()}#{shard}", consistent=True)

    def emails_of(self, acct: str, day: date) -> Iterator[Item]:
        """An account's rows of a day, those destroyed last first."""
        yield from self._table.query_all(
            _pk_of(day, acct), begins=f"A#{acct}#", consistent=True, descending=True
        )

    def later(self, key: str, due: datetime) -> None:
        """Look at a blob again on the due day."""
        self._table.put(blob_row(key, due))

    def index_later(self, acct: str, due: datetime) -> None:
        """Look at a mailbox's search index on the due day: a mailbox may have fallen silent by then."""
        self._table.put({"pk": _pk(due, acct), "sk": f"I#{acct}", "index": acct})

    def done(self, row: Item) -> None:
        """What the row asks for is done."""
        self._table.delete({"pk": row["pk"], "sk": row["sk"]})
