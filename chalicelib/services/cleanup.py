"""The daily removal of what nobody needs any more: tombstones after 15 days, then their raw messages.

Two steps, a day apart: a tombstone goes and leaves a row for its blob; that row is looked at when the index
of who needs a blob has long seen the tombstone go. Any step may be repeated, or be the last before a crash.
"""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Item
from chalicelib.services import indexing
from chalicelib.services.platform import Platform
from chalicelib.store.searchindex import PREFIX

RUN_SECONDS = 780  # of the function's 900
REMOVABLE = ("in/", "own/", PREFIX)  # all else expires by the bucket's own rules


@dataclass(slots=True)
class Cleaned:
    """What one run did. `finished`: nothing that fell due is left."""

    tombstones: int = 0
    blobs: int = 0
    kept: int = 0  # blobs that someone still needs
    finished: bool = True


def run(p: Platform, seconds: float = RUN_SECONDS) -> Cleaned:
    """Remove what fell due before today, for at most so long. The next run goes on where this one stops."""
    cleaned, stop = Cleaned(), time.monotonic() + seconds
    for day in p.mailboxes.purges.days(clock.now().date()):
        for row in p.mailboxes.purges.rows(day):
            if time.monotonic() > stop:
                cleaned.finished = False
                break
            _row(p, row, day, cleaned)
        if not cleaned.finished:
            break
        p.mailboxes.purges.finish(day)
    logger.info("clean-up", extra={"tombstones": cleaned.tombstones, "blobs": cleaned.blobs})
    return cleaned


def _row(p: Platform, row: Item, day: date, cleaned: Cleaned) -> None:
    if "key" in row:
        _blob(p, str(row["key"]), cleaned)
    elif "index" in row:
        indexing.look_again(p, str(row["index"]))
    else:
        _tombstones(p, row, day, cleaned)
    p.mailboxes.purges.done(row)


def _tombstones(p: Platform, row: Item, day: date, cleaned: Cleaned) -> None:
    """Remove tombstones that are old enough: one may have been made anew since, and has a later row then."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    before = (midnight - p.figures.tombstone_life).timestamp()
    items = p.mailboxes.tombstones(row["acct"], str(row["ids"]).split())
    old = [item for item in items if item["gone"] < before]
    for blob in {str(item["blob"]) for item in old}:
        p.mailboxes.purges.later(blob, clock.now())  # due today: seen by the first run after midnight
    p.mailboxes.bury(row["acct"], [str(item["sk"])[2:] for item in old])
    cleaned.tombstones += len(old)


def _blob(p: Platform, key: str, cleaned: Cleaned) -> None:
    """Remove a blob that no email has, nor an index; whoever still has it leaves another row when it goes."""
    if p.indexes.named(key) if key.startswith(PREFIX) else p.mailboxes.holders(key):
        cleaned.kept += 1
    elif key.startswith(REMOVABLE):
        p.blobs.delete(key)
        cleaned.blobs += 1
