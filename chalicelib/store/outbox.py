"""What was sent and what came in: submissions with their chunks, SES's ids, traces of arrivals.

Keys in the `mail` table (ARCHITECTURE.md has all of them):
  O#id      META    the submission          A#account  S#time#id  the account's list of submissions
  O#id      C#nn    a chunk                 A#account  RATE#door  times of the last minute's messages (S21)
  OPEN#n    id      not settled yet         A#account  GUARD      what the guard remembers (rules/guard)
  V#id      META    trace of an arrival     X#ses id   X          SES's message id → ours
  L#id      SENT    the send log: whose message it was (S30)
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.table import ABSENT, ConditionFailed, Item, Put, Table, Update, Write, equals
from chalicelib.rules.abuse import Sent
from chalicelib.rules.delivery import Chunk, Fate, milliseconds
from chalicelib.rules.guard import Known, Slot, Watch
from chalicelib.rules.values import Envelope

SUBMISSION_LIFE = timedelta(days=30)
TRACE_LIFE = timedelta(days=30)
ID_LIFE = timedelta(days=400)  # of SES's ids and of the send log: reports may come late (S30)
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


@dataclass(frozen=True, slots=True)
class Rate:
    """S21: times (ms) of the messages that a door let through in the last minute."""

    account: str
    door: str
    times: tuple[int, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """What the guard remembers of an account, as read."""

    account: str
    watch: Watch = field(default_factory=Watch)
    version: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of each recipient of an arrival, and of the bounce it called for.

    `bounce`: "" none, "due", "claimed" (SendBounce may have been called), "done".
    """

    id: str
    sender: str
    arrived_at: int  # ms
    results: Mapping[str, Mapping[str, str]]  # address → result, status, text, account
    bounce: str = ""


class Repeated(Exception):
    """The submission is there already."""


class Stale(Exception):
    """Somebody else changed it meanwhile: read again and decide again."""


class Outbox:
    """The outbox in the mail table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # ------------------------------------------------------------ submissions
    def create(
        self, out: Outgoing, chunks: Sequence[Chunk], rate: Rate | None, also: Sequence[Write] = ()
    ) -> None:
        """Keep a submission, its chunks and the sender's rate in one transaction, with `also` in it.

        Raises Repeated, Stale.
        """
        writes: list[Write] = [Put(_meta_item(out), ABSENT)]
        writes += [Put(_chunk_item(c, _expiry(out.sent_at, SUBMISSION_LIFE))) for c in chunks]
        writes.append(Put({**_open_key(out.id), "at": milliseconds(out.sent_at)}))
        if out.account:
            writes.append(Put(_listing(out)))
        if rate:
            writes.append(_rate_write(rate, out.sent_at))
        writes += also
        try:
            self._table.transact(writes)
        except ConditionFailed as error:
            raise (Repeated if 0 in error.indexes else Stale) from error

    def outgoing(self, id: str) -> Outgoing | None:
        """A submission without its chunks."""
        item = self._table.get({"pk": f"O#{id}", "sk": "META"})
        return _outgoing(item) if item else None

    def load(self, id: str) -> tuple[Outgoing, list[Chunk]] | None:
        """A submission and all its chunks, as of now."""
        rows = list(self._table.query_all(f"O#{id}", consistent=True))
        meta = [r for r in rows if r["sk"] == "META"]
        if not meta:
            return None
        return _outgoing(meta[0]), [_chunk(r) for r in rows if r["sk"].startswith("C#")]

    def listed(self, account: str, limit: int) -> list[str]:
        """Ids of an account's submissions, newest first."""
        rows = self._table.query(f"A#{account}", begins="S#", descending=True, limit=limit)
        return [r["submission"] for r in rows.items]

    def lately(self, account: str, door: str) -> tuple[Rate, Watched]:
        """What the door let through lately, and what the guard remembers, in one call."""
        keys = [{"pk": f"A#{account}", "sk": sk} for sk in (f"RATE#{door}", "GUARD")]
        rows = {r["sk"]: r for r in self._table.batch_get(keys, consistent=True)}
        rate, guard = rows.get(f"RATE#{door}"), rows.get("GUARD")
        times = Rate(account, door, tuple(rate["times"]), rate["v"]) if rate else Rate(account, door)
        return times, _watched(account, guard)

    def watched(self, account: str) -> Watched:
        """What the guard remembers of an account."""
        return _watched(account, self._table.get(_guard_key(account)))

    def watch_put(self, watched: Watched) -> Put:
        """The write that remembers it, where it was not changed since it was read."""
        return _watch_write(watched)

    def watch(self, watched: Watched) -> None:
        """Remember it. Raises Stale when it was changed since it was read."""
        write = _watch_write(watched)
        try:
            self._table.put(write.item, check=write.check)
        except ConditionFailed as error:
            raise Stale from error

    # ----------------------------------------------------------------- chunks
    def chunk(self, submission: str, number: int) -> Chunk | None:
        """A chunk, as of now."""
        item = self._table.get({"pk": f"O#{submission}", "sk": f"C#{number:02}"})
        return _chunk(item) if item else None

    def fates(self, wanted: Iterable[tuple[str, int]]) -> dict[str, dict[str, Fate]]:
        """The fate of each recipient by submission, for submissions of so many chunks."""
        keys = [{"pk": f"O#{id}", "sk": f"C#{n:02}"} for id, chunks in wanted for n in range(chunks)]
        found: dict[str, dict[str, Fate]] = {}
        for item in sorted(self._table.batch_get(keys), key=lambda i: str(i["sk"])) if keys else []:
            chunk = _chunk(item)
            found.setdefault(chunk.submission, {}).update(chunk.fates)
        return found

    def save(self, chunk: Chunk) -> Chunk:
        """Write a changed chunk. Raises Stale when it was changed since it was read."""
        try:
            self._table.update(_chunk_write(chunk))
        except ConditionFailed as error:
            raise Stale from error
        return replace(chunk, version=chunk.version + 1)

    # ---------------------------------------------------------------- reports
    def claim_report(self, out: Outgoing, chunks: Iterable[Chunk], now: datetime) -> Outgoing:
        """Decide on the next bounce together with whom it names. Raises Stale."""
        claimed = replace(out, reports=out.reports + 1, reported_at=milliseconds(now))
        key = {"pk": f"O#{out.id}", "sk": "META"}
        new = {"reports": claimed.reports, "reported_at": claimed.reported_at}
        writes: list[Write] = [Update(key, set=new, check=equals(reports=out.reports, told=out.told))]
        writes += [_chunk_write(c) for c in chunks]
        try:
            self._table.transact(writes)
        except ConditionFailed as error:
            raise Stale from error
        return claimed

    def told(self, out: Outgoing) -> None:
        """The latest bounce is in the sender's mailbox."""
        self._table.update(Update({"pk": f"O#{out.id}", "sk": "META"}, set={"told": out.reports}))

    # -------------------------------------------------------------- reminders
    def close(self, id: str) -> None:
        """All is settled and told: the submission needs no looking after any more."""
        self._table.delete(_open_key(id))

    def open_since(self, before: datetime) -> Iterator[str]:
        """Submissions from before a moment that are not settled yet."""
        limit = milliseconds(before)
        for shard in range(OPEN_SHARDS):
            for row in self._table.query_all(f"OPEN#{shard}"):
                if row["at"] <= limit:
                    yield row["sk"]

    # -------------------------------------------------------------- SES's ids
    def remember(self, ses_id: str, out: Outgoing, now: datetime) -> None:
        """SES took the message under this id, and will show it to the world as its Message-ID. Two writes in
        one call: the id, and the line of the send log.
        """
        ttl = _expiry(now, ID_LIFE)
        id = {"pk": f"X#{ses_id}", "sk": "X", "submission": out.id, "message_id": out.message_id, "ttl": ttl}
        line = {
            "pk": f"L#{out.id}",
            "sk": "SENT",
            "account": out.account,
            "sender": out.envelope.sender,
            "domain": out.domain,
            "message_id": out.message_id,
            "at": milliseconds(out.sent_at),
            "ttl": ttl,
        }
        self._table.batch_write(put=[id, line])

    def sent(self, submission: str) -> Sent | None:
        """The line of the send log; None for what never left by SES, or more than 400 days ago."""
        item = self._table.get({"pk": f"L#{submission}", "sk": "SENT"})
        if item is None:
            return None
        at = datetime.fromtimestamp(item["at"] / 1000, UTC)
        return Sent(submission, item["account"], item["sender"], item["domain"], item["message_id"], at)

    def submissions(self, ses_ids: Iterable[str]) -> dict[str, str]:
        """SES's message ids that are known → the submissions they are of."""
        keys = [{"pk": f"X#{i}", "sk": "X"} for i in ses_ids]
        return {r["pk"][2:]: r["submission"] for r in self._table.batch_get(keys)} if keys else {}

    def originals(self, ses_ids: Iterable[str]) -> dict[str, str]:
        """SES's message ids that are known → the Message-IDs that our messages left with."""
        keys = [{"pk": f"X#{i}", "sk": "X"} for i in ses_ids]
        return {r["pk"][2:]: r["message_id"] for r in self._table.batch_get(keys)} if keys else {}

    # ----------------------------------------------------------------- traces
    def trace(self, arrival: str) -> Trace | None:
        """What became of an arrival; None while nothing is decided."""
        item = self._table.get({"pk": f"V#{arrival}", "sk": "META"})
        if item is None:
            return None
        return Trace(arrival, item["sender"], item["at"], item["results"], item["bounce"])

    def keep_trace(self, trace: Trace, now: datetime) -> bool:
        """Write what became of an arrival. False when that is written already, and holds."""
        item = {
            "pk": f"V#{trace.id}",
            "sk": "META",
            "sender": trace.sender,
            "at": trace.arrived_at,
            "results": trace.results,
            "bounce": trace.bounce,
            "ttl": _expiry(now, TRACE_LIFE),
        }
        try:
            self._table.put(item, check=ABSENT)
        except ConditionFailed:
            return False
        return True

    def move_bounce(self, arrival: str, old: str, new: str) -> bool:
        """The bounce of an arrival from one state to the next. False when it is not in the old one."""
        key = {"pk": f"V#{arrival}", "sk": "META"}
        try:
            self._table.update(Update(key, set={"bounce": new}, check=equals(bounce=old)))
        except ConditionFailed:
            return False
        return True


def _expiry(start: datetime, life: timedelta) -> int:
    return int((start + life).timestamp())


def _open_key(id: str) -> dict[str, str]:
    shard = hashlib.sha256(id.encode()).digest()[0] % OPEN_SHARDS
    return {"pk": f"OPEN#{shard}", "sk": id}


def _listing(out: Outgoing) -> Item:
    """The row that lists a submission under its account, by time."""
    return {
        "pk": f"A#{out.account}",
        "sk": f"S#{milliseconds(out.sent_at):015}#{out.id}",
        "submission": out.id,
        "ttl": _expiry(out.sent_at, SUBMISSION_LIFE),
    }


def _rate_write(rate: Rate, now: datetime) -> Write:
    item = {
        "pk": f"A#{rate.account}",
        "sk": f"RATE#{rate.door}",
        "times": rate.times,
        "v": rate.version + 1,
        "ttl": _expiry(now, timedelta(minutes=5)),
    }
    return Put(item, equals(v=rate.version) if rate.version else ABSENT)


def _guard_key(account: str) -> dict[str, str]:
    return {"pk": f"A#{account}", "sk": "GUARD"}


def _watch_write(watched: Watched) -> Put:
    known, slots = watched.watch.known, watched.watch.slots
    item: Item = {
        **_guard_key(watched.account),
        "now": known.current,
        "n": known.count,
        "before": known.previous,
        "slots": [[s.number, s.recipients, s.strangers, s.bounces, s.complaints] for s in slots],
        "v": watched.version + 1,
    }
    return Put(item, equals(v=watched.version) if watched.version else ABSENT)


def _watched(account: str, item: Mapping[str, Any] | None) -> Watched:
    if item is None:
        return Watched(account)
    known = Known(item["now"], item["n"], item["before"])
    return Watched(account, Watch(known, tuple(Slot(*row) for row in item["slots"])), item["v"])


def _meta_item(out: Outgoing) -> Item:
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
        "ttl": _expiry(out.sent_at, SUBMISSION_LIFE),
    }


def _outgoing(item: Mapping[str, Any]) -> Outgoing:
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


def _chunk_item(chunk: Chunk, ttl: int) -> Item:
    key = {"pk": f"O#{chunk.submission}", "sk": f"C#{chunk.number:02}"}
    return {**key, **_chunk_values(chunk), "local": chunk.local, "v": chunk.version, "ttl": ttl}


def _chunk_write(chunk: Chunk) -> Update:
    return Update(
        {"pk": f"O#{chunk.submission}", "sk": f"C#{chunk.number:02}"},
        set={**_chunk_values(chunk), "v": chunk.version + 1},
        check=equals(v=chunk.version),
    )


def _chunk(item: Mapping[str, Any]) -> Chunk:
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
