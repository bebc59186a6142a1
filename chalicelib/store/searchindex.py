"""Where the parts of a mailbox's search index are: one small item per account, and segments in the bucket.

The item (`A#acct` / `INDEX`) is written only where it still is as it was read, so two that index at once lose
nothing: the slower one's segment is not named, and goes with the clean-up.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.aws.table import ABSENT, ConditionFailed, Item, Table, equals
from chalicelib.store.mailbox_items import account_pk


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


def _key(acct: str) -> dict[str, str]:
    return {"pk": account_pk(acct), "sk": "INDEX"}


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
        return Manifest(item["version"], item["upto"], parts, item["walk"], item["walk_from"])

    def save(self, acct: str, manifest: Manifest) -> bool:
        """Write the successor of the manifest that was read. Whether nobody was quicker."""
        was = manifest.version - 1
        item: Item = {**_key(acct), **asdict(manifest), "parts": [asdict(p) for p in manifest.parts]}
        try:
            self._table.put(item, check=equals(version=was) if was else ABSENT)
        except ConditionFailed:
            return False
        return True
