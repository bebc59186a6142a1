"""The change log: what each transaction did, for `/changes` of RFC 8620 §5.2.

A transaction that changed n things takes n modseqs, old + 1 … old + n, and writes one row under the last.
So a state is always one integer, even between two changes of one transaction (where `maxChanges` may cut).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.aws.table import Item, Table
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.positions import NONE, Counts
from chalicelib.rules.values import Changes
from chalicelib.store.mailbox_places import Told, pack_places, unpack_places
from chalicelib.store.mailbox_state import State

OPS = "cudn"  # created, updated, destroyed; of folders also n: only numbers changed


def log_pk(acct: str) -> str:
    """Partition of an account's change log."""
    return f"A#{acct}#L"


def padded(modseq: int) -> str:
    """A modseq as a sort key."""
    return f"{modseq:012d}"


@dataclass(slots=True)
class Entry:
    """What one transaction did: (type, op) → ids; and where emails stand since, as counts."""

    ids: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    places: Told = field(default_factory=list)

    def note(self, kind: str, op: str, *ids: str) -> None:
        """Record ids once, by a type of JMAP and an op of OPS."""
        known = self.ids.setdefault((kind, op), [])
        known.extend(i for i in ids if i not in known)

    def kinds(self) -> set[str]:
        """Types that changed."""
        return {kind for (kind, _), ids in self.ids.items() if ids}

    def of(self, kind: str) -> list[tuple[str, str]]:
        """(op, id) of a type, in the one order that states between them rely on."""
        return [(op, i) for op in OPS for i in self.ids.get((kind, op), [])]

    def length(self) -> int:
        """How many modseqs the transaction takes."""
        return max([1, *(len(self.of(kind)) for kind in self.kinds())])

    def item(self, acct: str, last: int, *, now: datetime, life: timedelta) -> Item:
        """The log's row."""
        ids = {f"{kind}.{op}": " ".join(ids) for (kind, op), ids in self.ids.items() if ids}
        expires = int((now + life).timestamp())
        places = {"pl": pack_places(self.places)} if self.places else {}
        key = {"pk": log_pk(acct), "sk": padded(last)}
        return {**key, "n": self.length(), "ttl": expires, **ids, **places}


def read_entry(item: Item) -> Entry:
    """The entry of a row."""
    named = ([*name.split("."), str(ids)] for name, ids in item.items() if "." in name)
    return Entry({(kind, op): ids.split() for kind, op, ids in named})


@dataclass(slots=True)
class _Collapsed:
    """Ops per id as one: created and destroyed is nothing, destroyed and created again an update."""

    first: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    named: bool = False  # some folder changed beyond its numbers

    def take(self, op: str, id_: str) -> None:
        self.first.setdefault(id_, op)
        self.last[id_] = op
        self.named |= op == "u"

    def changes(self, new_state: int, more: bool) -> Changes:
        created: list[str] = []
        updated: list[str] = []
        destroyed: list[str] = []
        for id_, first in self.first.items():
            is_new, is_gone = first == "c", self.last[id_] == "d"
            if is_gone and not is_new:
                destroyed.append(id_)
            elif not is_gone:
                (created if is_new else updated).append(id_)
        counts_only = bool(updated) and not self.named
        return Changes(new_state, tuple(created), tuple(updated), tuple(destroyed), more, counts_only)


def _lost() -> ServiceError:
    return ServiceError("cannot_calculate_changes", "Changes since that state are no longer known.")


def _joined(rows: Iterable[Item], since: int, until: int) -> Iterator[tuple[int, Item]]:
    """(its first modseq, row) after `since`. A row that expired leaves a gap: cannot_calculate_changes."""
    reached = since
    for row in rows:
        last = int(row["sk"])
        first = last - int(row["n"]) + 1
        if first > reached + 1:
            raise _lost()
        yield first, row
        reached = last
    if reached < until:
        raise _lost()


def _steps(rows: Iterable[Item], since: int, until: int, kind: str) -> Iterator[tuple[int, str, str]]:
    """(modseq, op, id) of a type after `since`."""
    for first, row in _joined(rows, since, until):
        for offset, (op, id_) in enumerate(read_entry(row).of(kind)):
            if first + offset > since:
                yield first + offset, op, id_


def since_then(table: Table, acct: str, since: int, until: int) -> Iterator[Item]:
    """The log's rows from one state to another. Raises ServiceError cannot_calculate_changes."""
    if since < until:
        span = (padded(since + 1), padded(until))
        rows = table.query_all(log_pk(acct), between=span, consistent=True)
        yield from (row for _, row in _joined(rows, since, until))


def moved(row: Item, folder: str) -> list[tuple[str, str]]:
    """(op, id) of emails of a row's transaction, if any of them came into a folder or left it."""
    if not any(counts[0] or counts == NONE for _, counts in placed(row, folder)):
        return []
    return read_entry(row).of("Email")


def placed(row: Item, folder: str) -> list[tuple[int, Counts]]:
    """Where emails of a folder stand since a row's transaction: counts to be added at moments."""
    return list(unpack_places(row["pl"], folder)) if "pl" in row else []


def changes(table: Table, acct: str, state: State, since: int, limit: int | None, kind: str) -> Changes:
    """What happened to a type after `since`, in at most `limit` ids; nothing new costs no read.

    Raises ServiceError cannot_calculate_changes when the log no longer tells.
    """
    current = state.types.get(kind, state.floor)
    if since < state.floor or since > state.modseq:
        raise _lost()
    collapsed = _Collapsed()
    if since >= current:
        return collapsed.changes(current, False)
    span = (padded(since + 1), padded(current))
    rows = table.query_all(log_pk(acct), between=span, consistent=True)
    for modseq, op, id_ in _steps(rows, since, current, kind):
        if limit is not None and id_ not in collapsed.first and len(collapsed.first) >= limit:
            return collapsed.changes(modseq - 1, True)
        collapsed.take(op, id_)
    return collapsed.changes(current, False)
