"""Answers kept for a day, so that a request sent twice with one Idempotency-Key is done once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.aws.table import ABSENT, Check, ConditionFailed, Item, Table, Update, equals
from chalicelib.store.records import meta_key


@dataclass(frozen=True, slots=True)
class Repeat:
    """A request with a key. `mark`: of its body; `status` 0: it is being done; `text` None: not kept."""

    id: str
    mark: str
    claimed_at: datetime
    expires_at: datetime
    status: int = 0
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Repeats:
    """REPEAT# items of the directory table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def claim(self, repeat: Repeat, instead_of: Repeat | None = None) -> bool:
        """Note that a request is being done: where none is, or in place of one left by a crash. Whether it
        was noted.
        """
        item: Item = {
            **meta_key("REPEAT", repeat.id),
            "mark": repeat.mark,
            "claimed_at": repeat.claimed_at.isoformat(),
            "ttl": int(repeat.expires_at.timestamp()),
        }
        try:
            self.table.put(item, check=_as_is(instead_of) if instead_of else ABSENT)
        except ConditionFailed:
            return False
        return True

    def get(self, id: str) -> Repeat | None:
        """A request by the hash of caller, path and key; one that expired too."""
        item = self.table.get(meta_key("REPEAT", id))
        if not item:
            return None
        claimed = datetime.fromisoformat(item["claimed_at"])
        expires = datetime.fromtimestamp(item["ttl"], claimed.tzinfo)
        rest = item.get("status", 0), item.get("text"), item.get("headers", {})
        return Repeat(id, item["mark"], claimed, expires, *rest)

    def finish(self, repeat: Repeat, status: int, text: str | None, headers: Mapping[str, str]) -> bool:
        """Keep the answer. Whether the request was still this caller's."""
        kept = {"status": status, "text": text, "headers": dict(headers)}
        key = meta_key("REPEAT", repeat.id)
        try:
            self.table.update(Update(key, set=kept, check=_as_is(repeat)))
        except ConditionFailed:
            return False
        return True

    def forget(self, repeat: Repeat) -> None:
        """The request came to nothing: its key is free again."""
        try:
            self.table.delete(meta_key("REPEAT", repeat.id), check=_as_is(repeat))
        except ConditionFailed:
            return  # another has taken it over since


def _as_is(repeat: Repeat) -> Check:
    return equals(claimed_at=repeat.claimed_at.isoformat())
