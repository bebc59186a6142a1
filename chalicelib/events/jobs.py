"""The jobs queue: what is told to many, wishes to subscribe, forgotten passwords, status pages, indexes."""

from datetime import datetime
from typing import Any

from chalicelib.events.batch import each
from chalicelib.services import indexing, jobs, notices, resets, status, subscribers
from chalicelib.services.platform import Platform, platform

WORKS = {**notices.WORKS, **subscribers.WORKS}


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS batch: a step of a job, a wish to subscribe, a forgotten password, the status page, an index."""
    return each(event, context, lambda body: one(platform(), body))


def one(p: Platform, body: dict[str, Any]) -> None:
    """One message."""
    match body.get("kind"):
        case "step":
            jobs.step(p, str(body["job"]), WORKS)
        case "subscription":
            subscribers.invite(p, str(body["address"]), str(body["secret"]))
        case "password_reset":
            until = datetime.fromisoformat(str(body["until"]))
            resets.send(p, str(body["address"]), str(body["token"]), until, str(body["source"]))
        case "page":
            status.publish(p)
        case "index":
            indexing.work(p, str(body["account"]))
