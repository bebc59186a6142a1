"""Where the parts of a mailbox's search index are: one small item per account, and segments in the bucket.

The item (`A#acct` / `INDEX`) is written only where it still is as it was read, so two that index at once lose
nothing: the slower one's segment is not named, and goes with the clean-up. It is created only where there is
a mailbox: one that was deleted meanwhile leaves none behind.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from chalicelib.aws.table import ABSENT, PRESENT, ConditionFailed, Item, Put, Table, Verify, equals
from chalicelib.store.mailbox_items import account_pk
from chalicelib.store.mailbox_state import state_key

PREFIX = "idx/"  # of segments: idx/<account>/<id>
UNNAMED = timedelta(days=2)  # a part that is named no more may still be read by a search that began before


@dataclass(frozen=True, slots=True)
class Part:
    """A segment: `head` octets of directory at its end; times are those of its documents, in milliseconds."""

    key: str
    count: int
    size: int
    head: int
    oldest: int
    newest: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is indexed: every email that came up to modseq `upto`.

    `walk`: where a reading of the whole mailbox stands ("folder cursor"), "" where none is under way.
    """

    version: int
    upto: int
    parts: tuple[Part, ...] = ()
    walk: str = ""
    walk_from: int = 0  # the modseq at which the reading began
    at: int = 0  # when it was written, in seconds

    @property
    def count(self) -> int:
        """Documents, of destroyed emails too."""
        return sum(part.count for part in self.parts)


def _key(acct: str) -> dict[str, str]:
    return {"pk": account_pk(acct), "sk": "INDEX"}


def part_keys(item: Item) -> list[str]:
    """Segments that an item names; none unless it is a manifest's."""
    return [str(part["key"]) for part in item["parts"]] if item["sk"] == "INDEX" else []


def _part(item: Mapping[str, Any]) -> Part:
    return Part(**item)


class SearchIndexes:
    """The items of the mail table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, acct: str) -> Manifest | None:
        """What is indexed of an account: one read unit. None: nothing ever was."""
        item = self._table.get(_key(acct))
        if item is None:
            return None
        parts = tuple(map(_part, item["parts"]))
        return Manifest(
            item["version"], item["upto"], parts, item["walk"], item["walk_from"], item.get("at", 0)
        )

    def named(self, key: str) -> bool:
        """Whether a segment is in use: one read unit."""
        manifest = self.get(key.split("/")[1])
        return manifest is not None and any(part.key == key for part in manifest.parts)

    def save(self, acct: str, manifest: Manifest) -> bool:
        """Write the successor of the manifest that was read. Whether nobody was quicker."""
        was = manifest.version - 1
        item: Item = {**_key(acct), **asdict(manifest), "parts": [asdict(p) for p in manifest.parts]}
        try:
            if was:
                self._table.put(item, check=equals(version=was))
            else:
                self._table.transact([Put(item, ABSENT), Verify(state_key(acct), PRESENT)])
        except ConditionFailed:
            return False
        return True
