"""What was sent and what came in: submissions with their chunks, SES's ids, traces of arrivals.

Keys in the `mail` table (ARCHITECTURE.md has all of them):
  O#id      META    the submission          A#account  S#time#id  the account's list of submissions
  O#id      C#nn    a chunk                 A#account  RATE#door  times of the last minute's messages (S21)
  OPEN#n    id      not settled yet         A#account  GUARD      what the guard remembers (rules/guard)
  V#id      META    trace of an arrival     X#ses id   X          SES's message id → ours
  L#id      SENT    the send log: whose message it was (S30)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.table import ABSENT, ConditionFailed, Delete, Item, Put, Table, Update, Write, equals
from chalicelib.rules.abuse import Sent
from chalicelib.rules.delivery import Chunk, Fate, milliseconds
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import DEFAULT, Figures
from chalicelib.rules.guard import Known, Slot, Watch
from chalicelib.rules.values import ListedSubmission, Undo
from chalicelib.store import outbox_items as items
from chalicelib.store.mailbox_turn import Turn, in_turn
from chalicelib.store.outbox_items import Outgoing

TRACE_LIFE = timedelta(days=30)
ID_LIFE = timedelta(days=400)  # of SES's ids and of the send log: reports may come late (S30)


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

    def __init__(self, table: Table, figures: Figures = DEFAULT) -> None:
        self._table, self._figures = table, figures

    # ------------------------------------------------------------ submissions
    def create(
        self, out: Outgoing, chunks: Sequence[Chunk], rate: Rate | None, also: Sequence[Write] = ()
    ) -> None:
        """Keep a submission, its chunks and the sender's rate in one transaction, with `also` in it.

        Raises Repeated, Stale.
        """
        writes: list[Write] = [Put(items.meta_item(out), ABSENT)]
        writes += [Put(items.chunk_item(c, items.expiry(out.sent_at, items.SUBMISSION_LIFE))) for c in chunks]
        writes.append(Put({**items.open_key(out.id), "at": milliseconds(out.sent_at)}))
        if out.account:
            writes.append(Put(items.listing(out)))
        if rate:
            writes.append(_rate_write(rate, out.sent_at))
        writes += also
        try:
            self._tell(out, "c", writes)
        except ConditionFailed as error:
            raise (Repeated if 0 in error.indexes else Stale) from error

    def _tell(self, out: Outgoing, op: str, writes: Sequence[Write]) -> None:
        """Write, and in the same transaction tell those who follow the account's submissions, if any may.

        Raises ConditionFailed, its indexes into `writes`.
        """
        if not out.account or out.hidden:
            self._table.transact(writes)
            return

        def attempt() -> None:
            turn = Turn(self._table, out.account, self._figures)
            turn.log.note("EmailSubmission", op, out.id)
            turn.commit(writes)

        try:
            in_turn(attempt)
        except ServiceError as error:
            if error.kind != "not_found":  # the mailbox is gone; what it sent goes on
                raise
            self._table.transact(writes)

    def decide(self, out: Outgoing, undo: Undo, also: Sequence[Write] = ()) -> bool:
        """A held message leaves ("final") or never will ("canceled"): whoever comes first.

        `also` is written with it. False: it was decided the other way, or before.
        """
        while out.undo == "pending":
            decided = replace(out, undo=undo)
            check = equals(undo="pending", hidden=out.hidden)
            writes: list[Write] = [Update(items.meta_key(out.id), set={"undo": undo}, check=check)]
            writes.append(items.relisted(decided))
            if undo == "canceled":
                writes.append(Delete(items.open_key(out.id)))
            try:
                self._tell(decided, "u", [*writes, *also])
            except ConditionFailed:
                out = self.outgoing(out.id) or decided
            else:
                return True
        return False

    def hide(self, out: Outgoing) -> None:
        """Its sender sees it no more; what becomes of it stays as it is. Raises Stale."""
        check = equals(undo=out.undo, hidden=False)
        hidden = Update(items.meta_key(out.id), set={"hidden": True}, check=check)
        try:
            self._tell(out, "d", [hidden, items.relisted(replace(out, hidden=True))])
        except ConditionFailed as error:
            raise Stale from error

    def outgoing(self, id: str) -> Outgoing | None:
        """A submission without its chunks."""
        item = self._table.get(items.meta_key(id))
        return items.outgoing(item) if item else None

    def load(self, id: str) -> tuple[Outgoing, list[Chunk]] | None:
        """A submission and all its chunks, as of now."""
        rows = list(self._table.query_all(f"O#{id}", consistent=True))
        meta = [r for r in rows if r["sk"] == "META"]
        if not meta:
            return None
        return items.outgoing(meta[0]), [items.chunk(r) for r in rows if r["sk"].startswith("C#")]

    def listed(self, account: str, limit: int) -> list[str]:
        """Ids of what an account sent, newest first; what its owner sees no more among them."""
        rows = self._table.query(f"A#{account}", begins="S#", descending=True, limit=limit)
        return [r["submission"] for r in rows.items]

    def seen(self, account: str, limit: int) -> list[ListedSubmission]:
        """Submissions that an account's owner sees, newest first, at most so many."""
        found: list[ListedSubmission] = []
        start = None
        while len(found) < limit:
            room = limit - len(found)
            rows = self._table.query(f"A#{account}", begins="S#", descending=True, limit=room, start=start)
            found += [row for item in rows.items if (row := items.listed(item))]
            start = rows.next
            if not start:
                break
        return found

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
        return items.chunk(item) if item else None

    def fates(self, wanted: Iterable[tuple[str, int]]) -> dict[str, dict[str, Fate]]:
        """The fate of each recipient by submission, for submissions of so many chunks."""
        keys = [{"pk": f"O#{id}", "sk": f"C#{n:02}"} for id, chunks in wanted for n in range(chunks)]
        found: dict[str, dict[str, Fate]] = {}
        for item in sorted(self._table.batch_get(keys), key=lambda i: str(i["sk"])) if keys else []:
            chunk = items.chunk(item)
            found.setdefault(chunk.submission, {}).update(chunk.fates)
        return found

    def save(self, chunk: Chunk, *, told: bool = False) -> Chunk:
        """Write a changed chunk; `told`: so that its sender comes to know. Raises Stale when it was changed
        since it was read.
        """
        out = self.outgoing(chunk.submission) if told else None
        try:
            if out and out.account and not out.hidden:
                self._tell(out, "u", [items.chunk_write(chunk)])
            else:
                self._table.update(items.chunk_write(chunk))
        except ConditionFailed as error:
            raise Stale from error
        return replace(chunk, version=chunk.version + 1)

    # ---------------------------------------------------------------- reports
    def claim_report(self, out: Outgoing, chunks: Iterable[Chunk], now: datetime) -> Outgoing:
        """Decide on the next bounce together with whom it names. Raises Stale."""
        claimed = replace(out, reports=out.reports + 1, reported_at=milliseconds(now))
        key = items.meta_key(out.id)
        new = {"reports": claimed.reports, "reported_at": claimed.reported_at}
        writes: list[Write] = [Update(key, set=new, check=equals(reports=out.reports, told=out.told))]
        writes += [items.chunk_write(c) for c in chunks]
        try:
            self._table.transact(writes)
        except ConditionFailed as error:
            raise Stale from error
        return claimed

    def told(self, out: Outgoing) -> None:
        """The latest bounce is in the sender's mailbox."""
        self._table.update(Update(items.meta_key(out.id), set={"told": out.reports}))

    # -------------------------------------------------------------- reminders
    def close(self, id: str) -> None:
        """All is settled and told: the submission needs no looking after any more."""
        self._table.delete(items.open_key(id))

    def open_since(self, before: datetime) -> Iterator[str]:
        """Submissions from before a moment that are not settled yet."""
        limit = milliseconds(before)
        for shard in range(items.OPEN_SHARDS):
            for row in self._table.query_all(f"OPEN#{shard}"):
                if row["at"] <= limit:
                    yield row["sk"]

    # -------------------------------------------------------------- SES's ids
    def remember(self, ses_id: str, out: Outgoing, now: datetime) -> None:
        """SES took the message under this id, and will show it to the world as its Message-ID. Two writes in
        one call: the id, and the line of the send log.
        """
        ttl = items.expiry(now, ID_LIFE)
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
            "ttl": items.expiry(now, TRACE_LIFE),
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


def _rate_write(rate: Rate, now: datetime) -> Write:
    item = {
        "pk": f"A#{rate.account}",
        "sk": f"RATE#{rate.door}",
        "times": rate.times,
        "v": rate.version + 1,
        "ttl": items.expiry(now, timedelta(minutes=5)),
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
