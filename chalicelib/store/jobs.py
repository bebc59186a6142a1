"""Work on many targets, some at a time: JOB# items of the directory table, open ones also under JOBS#open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.table import ABSENT, ConditionFailed, Index, Item, Put, Table, equals
from chalicelib.store.records import meta_key, time_or_none

GSI = Index("gsi1", "gpk", "gsk")
OPEN = "JOBS#open"
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Job:
    """`given` is for the kind's own use. Targets after `cursor` come next, until all are `listed`;
    those that failed are tried again, `rounds` so far. What is left in `again` at the end has failed.
    """

    id: str
    kind: str
    created_at: datetime
    given: Mapping[str, Any] = field(default_factory=dict)
    cursor: str = ""
    listed: bool = False
    again: tuple[str, ...] = ()
    rounds: int = 0
    done: int = 0
    skipped: int = 0  # targets at which there was nobody to tell
    moved_at: datetime | None = None
    finished_at: datetime | None = None
    turn: int = 0


PLAIN = ("kind", "given", "cursor", "listed", "rounds", "done", "skipped", "turn")


def job_put(job: Job) -> Put:
    """The write of a new job, for the transaction of what it is about."""
    return Put(_item(job), ABSENT)


def _item(job: Job) -> Item:
    item: Item = {
        **meta_key("JOB", job.id),
        **{name: getattr(job, name) for name in PLAIN},
        "again": list(job.again),
        "created_at": job.created_at.isoformat(),
        "ttl": int((job.created_at + KEPT).timestamp()),
    }
    if job.moved_at:
        item["moved_at"] = job.moved_at.isoformat()
    if job.finished_at:
        return item | {"finished_at": job.finished_at.isoformat()}
    return item | {"gpk": OPEN, "gsk": f"{job.created_at.isoformat()}#{job.id}"}


def _job(item: Mapping[str, Any]) -> Job:
    return Job(
        id=item["pk"].removeprefix("JOB#"),
        created_at=datetime.fromisoformat(item["created_at"]),
        again=tuple(item["again"]),
        moved_at=time_or_none(item.get("moved_at")),
        finished_at=time_or_none(item.get("finished_at")),
        **{name: item[name] for name in PLAIN},
    )


class Jobs:
    """Reading and moving them on. Written first by the transactions of what they are about."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def get(self, id: str) -> Job | None:
        """A job."""
        item = self.table.get(meta_key("JOB", id))
        return _job(item) if item else None

    def many(self, ids: list[str]) -> dict[str, Job]:
        """Those of the jobs that are there."""
        items = self.table.batch_get(meta_key("JOB", id) for id in ids)
        return {job.id: job for job in map(_job, items)}

    def save(self, job: Job) -> bool:
        """Write a job that has moved on; False where somebody else moved it since it was read."""
        try:
            self.table.put(_item(replace(job, turn=job.turn + 1)), check=equals(turn=job.turn))
        except ConditionFailed:
            return False
        return True

    def open(self) -> Iterator[Job]:
        """Jobs that are not finished, oldest first."""
        yield from map(_job, self.table.query_all(OPEN, index=GSI))
