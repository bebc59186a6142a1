"""Tasks of the delivery state machine (infra/delivery.asl.json): wait for an attempt, what is next, retry."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.aws import clock
from chalicelib.aws.table import Busy, pause
from chalicelib.rules import delivery
from chalicelib.rules.delivery import Chunk, Step
from chalicelib.services import outcomes
from chalicelib.services.platform import Platform
from chalicelib.services.send import dispatch
from chalicelib.store.outbox import Stale


def watch(p: Platform, submission: str, chunk: int, token: str) -> None:
    """Keep the token that the attempt's terminal event answers; one that came before is answered now."""
    if outcomes.update(p, submission, chunk, lambda c: replace(c, token=token)) is None:
        p.workflows.succeed(token, {})


def next_step(p: Platform, submission: str, chunk: int) -> dict[str, str]:
    """What the machine does now: {"action": "retry" | "done", "at": time stamp}."""
    for attempt in range(outcomes.TRIES):
        found = p.outbox.chunk(submission, chunk)
        if found is None:
            return _shown(Step("done", clock.now()))
        changed, step = delivery.next_step(found, p.figures, clock.now())
        try:
            _save(p, found, changed)
        except Stale:
            pause(min(attempt, 4))
            continue
        return _shown(step)
    raise Busy("chunk overtaken again and again")


def _save(p: Platform, old: Chunk, new: Chunk) -> None:
    if new != old:
        outcomes.follow(p, p.outbox.save(new, told=delivery.told(old, new)))


def _shown(step: Step) -> dict[str, str]:
    """Whole seconds, never earlier than meant: a retry that comes early would find itself not due."""
    at = step.at.replace(microsecond=0)
    at += timedelta(seconds=1) if at < step.at else timedelta()
    return {"action": step.action, "at": _stamp(at)}


def _stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def retry(p: Platform, submission: str, chunk: int) -> None:
    """Begin the next attempt of those still deferred, by the queue as the first was. A repeat is harmless."""
    changed = outcomes.update(p, submission, chunk, lambda c: delivery.retry(c, p.figures, clock.now()))
    if changed is not None and changed.phase == "queued":
        dispatch(p, [changed])
