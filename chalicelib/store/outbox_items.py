"""How submissions and their chunks are kept: values to items of the `mail` table, and back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.table import Item, Update, equals
from chalicelib.rules.delivery import Chunk, Fate, milliseconds
from chalicelib.rules.values import Envelope, ListedSubmission, Undo

SUBMISSION_LIFE = timedelta(days=30)
OPEN_SHARDS = 8


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A submission as it is kept. `reports`: bounces decided on; `told`: bounces delivered."""

    id: str
    account: str  # id; empty for the service's own mail
    domain: str  # of the account, or of the sender
    envelope: Envelope
    raw: str  # blob that is sent: without Bcc
    size: int
    message_id: str
    sent_at: datetime
    chunks: int
    automatic: bool = False
    email_id: str | None = None
    identity: str | None = None
    thread: str | None = None
    reports: int = 0
    told: int = 0
    reported_at: int = 0  # ms, of the latest report
    undo: Undo = "final"
    held: Mapping[str, str] = field(default_factory=dict)  # parameters of MAIL that hold it
    hidden: bool = False  # its sender wants to see it no more


def expiry(start: datetime, life: timedelta) -> int:
    """When an item may go, as DynamoDB has it."""
    return int((start + life).timestamp())


def open_key(id: str) -> dict[str, str]:
    """Key of the reminder of what is not settled."""
    shard = hashlib.sha256(id.encode()).digest()[0] % OPEN_SHARDS
    return {"pk": f"OPEN#{shard}", "sk": id}


def meta_item(out: Outgoing) -> Item:
    """The item of a submission."""
    return {
        "pk": f"O#{out.id}",
        "sk": "META",
        "account": out.account,
        "domain": out.domain,
        "sender": out.envelope.sender,
        "recipients": out.envelope.recipients,
        "raw": out.raw,
        "size": out.size,
        "message_id": out.message_id,
        "sent_at": milliseconds(out.sent_at),
        "chunks": out.chunks,
        "automatic": out.automatic,
        "email_id": out.email_id,
        "identity": out.identity,
        "thread": out.thread,
        "reports": out.reports,
        "told": out.told,
        "reported_at": out.reported_at,
        "undo": out.undo,
        "held": out.held,
        "hidden": out.hidden,
        "ttl": expiry(out.sent_at, SUBMISSION_LIFE),
    }


def outgoing(item: Mapping[str, Any]) -> Outgoing:
    """The submission of an item."""
    return Outgoing(
        id=item["pk"][2:],
        account=item["account"],
        domain=item["domain"],
        envelope=Envelope(item["sender"], tuple(item["recipients"])),
        raw=item["raw"],
        size=item["size"],
        message_id=item["message_id"],
        sent_at=datetime.fromtimestamp(item["sent_at"] / 1000, UTC),
        chunks=item["chunks"],
        automatic=item["automatic"],
        email_id=item["email_id"],
        identity=item["identity"],
        thread=item["thread"],
        reports=item["reports"],
        told=item["told"],
        reported_at=item["reported_at"],
        undo=item["undo"],
        held=item["held"],
        hidden=item["hidden"],
    )


def meta_key(id: str) -> dict[str, str]:
    """Key of a submission."""
    return {"pk": f"O#{id}", "sk": "META"}


def _listing_key(out: Outgoing) -> dict[str, str]:
    return {"pk": f"A#{out.account}", "sk": f"S#{milliseconds(out.sent_at):015}#{out.id}"}


def listing(out: Outgoing) -> Item:
    """The row that lists a submission under its account, by time."""
    return {
        **_listing_key(out),
        "submission": out.id,
        "email": out.email_id or "",
        "identity": out.identity or "",
        "thread": out.thread or "",
        "undo": out.undo,
        "ttl": expiry(out.sent_at, SUBMISSION_LIFE),
    }


def relisted(out: Outgoing) -> Update:
    """The write of what changes in that row."""
    return Update(_listing_key(out), set={"undo": out.undo, "hidden": out.hidden})


def listed(item: Mapping[str, Any]) -> ListedSubmission | None:
    """What that row says; None: it is not to be seen."""
    if item.get("hidden"):
        return None
    at = int(item["sk"].split("#")[1])
    return ListedSubmission(
        item["submission"], at, item["email"], item["identity"], item["thread"], item["undo"]
    )


def _chunk_values(chunk: Chunk) -> Item:
    """What of a chunk changes."""
    return {
        "fates": {a: _fate_item(f) for a, f in chunk.fates.items()},
        "phase": chunk.phase,
        "attempt": chunk.attempt,
        "started": chunk.started,
        "ses_id": chunk.ses_id,
        "token": chunk.token,
        "runs": chunk.runs,
        "running": chunk.running,
    }


def chunk_item(chunk: Chunk, ttl: int) -> Item:
    """The item of a chunk."""
    key = {"pk": f"O#{chunk.submission}", "sk": f"C#{chunk.number:02}"}
    return {**key, **_chunk_values(chunk), "local": chunk.local, "v": chunk.version, "ttl": ttl}


def chunk_write(chunk: Chunk) -> Update:
    """The write of a chunk that is as it was read."""
    return Update(
        {"pk": f"O#{chunk.submission}", "sk": f"C#{chunk.number:02}"},
        set={**_chunk_values(chunk), "v": chunk.version + 1},
        check=equals(v=chunk.version),
    )


def chunk(item: Mapping[str, Any]) -> Chunk:
    """The chunk of an item."""
    return Chunk(
        submission=item["pk"][2:],
        number=int(item["sk"][2:]),
        local=item["local"],
        fates={a: _fate(f) for a, f in item["fates"].items()},
        phase=item["phase"],
        attempt=item["attempt"],
        started=item["started"],
        ses_id=item["ses_id"],
        token=item["token"],
        runs=item["runs"],
        running=item["running"],
        version=item["v"],
    )


def _fate_item(fate: Fate) -> list[Any]:
    """A fate in little room: there may be 50 in an item."""
    return [
        fate.state,
        fate.attempt,
        fate.ended,
        fate.status,
        fate.reply,
        fate.at,
        fate.reported,
        fate.complained,
    ]


def _fate(stored: Sequence[Any]) -> Fate:
    return Fate(*stored)
