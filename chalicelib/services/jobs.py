"""Work on many targets, resumable: a message is a step, a step takes some targets and then saves its place.

A target is handled at least once, and what is done to it must be such that more than once is once. A step
that dies comes again by its queue; one whose message was never sent is found by `mend`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Busy
from chalicelib.services.platform import Platform
from chalicelib.store.jobs import Job

STEP = 50  # targets
ROUNDS = 5  # in which failed targets are tried again
ROUND_SECONDS = 120  # before the first of them; longer before each later one
NEGLECTED = timedelta(minutes=20)  # what did not move for longer is looked at by `mend`


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of job. `targets(p, job, cursor)`: at most STEP of them, and the cursor to go on after ("": no
    more). `handle(p, job, target)`: whether there was anybody to tell; raises where it is to be tried again.
    """

    targets: Callable[[Platform, Job, str], tuple[Sequence[str], str]]
    handle: Callable[[Platform, Job, str], bool]


def queue(p: Platform, id: str, delay: int = 0) -> None:
    """Have the next step done. Twice does no harm."""
    p.queues.send(p.settings.jobs_queue, {"kind": "step", "job": id}, delay=delay)


def step(p: Platform, id: str, works: Mapping[str, Work]) -> None:
    """Some targets more. Raises Busy where so many fail that something greater must be wrong."""
    job = p.jobs.get(id)
    if job is None or job.finished_at:
        return
    work = works[job.kind]
    targets, cursor = (job.again, "") if job.listed else work.targets(p, job, job.cursor)
    told, failed = 0, []
    for target in targets:
        try:
            told += work.handle(p, job, target)
        except Exception:
            logger.exception("a target could not be handled", extra={"job": id, "target": target})
            failed.append(target)
    again = tuple(failed) if job.listed else (*job.again, *failed)
    if len(again) > STEP:
        raise Busy(f"job {id}: {len(again)} targets failed")
    skipped = len(targets) - len(failed) - told
    moved = replace(job, cursor=cursor, again=again, done=job.done + told, skipped=job.skipped + skipped)
    _go_on(p, _settled(moved, now_listed=not cursor, was=job))


def _settled(job: Job, *, now_listed: bool, was: Job) -> Job:
    """The job as it is saved: in the next round where targets are to be tried again, or finished."""
    now = clock.now()
    job = replace(job, listed=now_listed, moved_at=now, rounds=was.rounds + int(was.listed))
    over = now_listed and (not job.again or job.rounds >= ROUNDS)
    return replace(job, finished_at=now) if over else job


def _go_on(p: Platform, job: Job) -> None:
    if not p.jobs.save(job):
        return  # another delivery of this message was quicker, and goes on
    if not job.finished_at:
        queue(p, job.id, ROUND_SECONDS * (job.rounds + 1) if job.listed else 0)
        return
    counts = {"done": job.done, "skipped": job.skipped, "failed": len(job.again)}
    logger.info("job finished", extra={"job": job.id, **counts})


def mend(p: Platform) -> int:
    """Hourly: queue again what a crash left unqueued; how many."""
    before = clock.now() - NEGLECTED
    neglected = [job for job in p.jobs.open() if (job.moved_at or job.created_at) < before]
    for job in neglected:
        queue(p, job.id)
    return len(neglected)
