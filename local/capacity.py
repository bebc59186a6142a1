"""DynamoDB's capacity units by AWS's rules, from true item sizes.

Rules: "Read and write operations", "Item sizes and formats", "Local secondary indexes" and
"Global secondary indexes: throughput" of the DynamoDB developer guide. Pure: items come as
attribute name → AttributeValue ({"S": "…"}, …), indexes as `View`.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

Attributes = Mapping[str, Mapping[str, Any]]
READ_BLOCK, WRITE_BLOCK = 4096, 1024


@dataclass(frozen=True, slots=True)
class View:
    """An index: its key attributes (index and table) and what it projects; None: everything."""

    keys: tuple[str, ...]
    projected: frozenset[str] | None

    def entry(self, item: Attributes | None) -> Attributes | None:
        """What the index holds of an item; None when the item is not in it."""
        if item is None or any(key not in item for key in self.keys):
            return None
        if self.projected is None:
            return item
        return {name: value for name, value in item.items() if name in self.projected}


def _number(text: str) -> int:
    """About one byte per two significant digits, one more, and one for a sign."""
    digits = text.lstrip("-+").split("e")[0].split("E")[0].replace(".", "").strip("0")
    return ceil(max(1, len(digits)) / 2) + 1 + text.startswith("-")


def _binary(value: Any) -> int:
    return len(value) if isinstance(value, bytes) else len(base64.b64decode(value))


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one attribute value. Raises ValueError for an unknown type."""
    [(kind, inside)] = value.items()
    match kind:
        case "S":
            return len(inside.encode())
        case "N":
            return _number(str(inside))
        case "B":
            return _binary(inside)
        case "BOOL" | "NULL":
            return 1
        case "SS" | "NS" | "BS":
            return sum(value_size({kind[0]: one}) for one in inside)
        case "L":
            return 3 + sum(1 + value_size(one) for one in inside)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_size(one) for name, one in inside.items())
    raise ValueError(f"no attribute type {kind}")


def item_size(item: Attributes | None) -> int:
    """Bytes of an item: names and values. An absent item has none."""
    return sum(len(name.encode()) + value_size(value) for name, value in (item or {}).items())


def read_units(size: int, consistent: bool) -> float:
    """Units of one read of that many bytes; one block at least."""
    return max(1, ceil(size / READ_BLOCK)) * (1.0 if consistent else 0.5)


def write_units(before: Attributes | None, after: Attributes | None) -> float:
    """Units of one write of an item or index entry: by the larger of old and new; one at least."""
    return float(max(1, ceil(max(item_size(before), item_size(after)) / WRITE_BLOCK)))


def entry_units(view: View, before: Attributes | None, after: Attributes | None) -> float:
    """Units an index takes for a change of an item: 0 unless its entry changes, 2 when its key does."""
    old, new = view.entry(before), view.entry(after)
    if old == new:
        return 0.0
    if old is not None and new is not None and any(old[key] != new[key] for key in view.keys):
        return write_units(old, None) + write_units(None, new)
    return write_units(old, new)


@dataclass
class Meter:
    """What one request consumes. `factor` is 2 in transactions (for the table, not its indexes)."""

    factor: int = 1
    read: float = 0.0
    write: float = 0.0

    def item_read(self, size: int, consistent: bool) -> None:
        """GetItem, or one item of a batch or transaction."""
        self.read += self.factor * read_units(size, consistent)

    def page_read(self, sizes: Iterable[int], consistent: bool) -> None:
        """A page of Query or Scan: the sum is rounded, not each."""
        self.read += read_units(sum(sizes), consistent)

    def item_written(
        self, before: Attributes | None, after: Attributes | None, views: Iterable[View]
    ) -> None:
        """A change of one item, its indexes included."""
        self.write += self.factor * write_units(before, after)
        self.write += sum(entry_units(view, before, after) for view in views)

    def refused(self, current: Attributes | None) -> None:
        """A condition that failed, or only a check: charged as a write of the item as it is."""
        self.write += self.factor * write_units(current, None)
