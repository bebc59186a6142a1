"""Entries of tables and indexes in order, by partition, so that Query reads its own partition only."""

import base64
import bisect
from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_to_dict

from local.capacity import Attributes, View, item_size

PAGE_BYTES = 1_048_576

Key = tuple[Any, ...]
_ORDERED: dict[str, Callable[[Any], Any]] = {
    "S": lambda value: value,
    "N": Decimal,
    "B": lambda value: value if isinstance(value, bytes) else base64.b64decode(value),
}


def plain(item: Item | None) -> Attributes | None:
    """An item as attribute name → AttributeValue."""
    return None if item is None else dynamo_to_dict(dict(item.attrs))


def sortable(value: Mapping[str, Any]) -> Any:
    [(kind, inside)] = value.items()
    return _ORDERED[kind](inside)


def _raw(attributes: Mapping[str, DynamoType]) -> dict[str, dict[str, Any]]:
    return {name: {value.type: value.value} for name, value in attributes.items()}


class Ordered:
    """The entries of a table or index: per partition, keys in order and the items at them."""

    def __init__(self, table: Table, index: Any = None) -> None:
        self.hash = index.schema[0]["AttributeName"] if index else table.hash_key_attr
        ranges = [part["AttributeName"] for part in index.schema[1:]] if index else []
        self.ranges = [*ranges, *([table.hash_key_attr] if index else [])]
        self.ranges += [table.range_key_attr] if table.range_key_attr else []
        self.view = View((self.hash, *self.ranges), _projected(table, index))
        self.parts: defaultdict[Any, tuple[list[Key], dict[Key, Item]]] = defaultdict(lambda: ([], {}))

    def key(self, values: Mapping[str, Mapping[str, Any]]) -> Key:
        """The sort key of an entry; KeyError when the attributes do not belong in here."""
        return tuple(sortable(values[name]) for name in self.ranges)

    def place(self, item: Item) -> tuple[Any, Key] | None:
        """Partition and sort key of an item; None when the index does not hold it."""
        if any(name not in item.attrs for name in (self.hash, *self.ranges)):
            return None
        values = _raw({name: item.attrs[name] for name in (self.hash, *self.ranges)})
        return sortable(values[self.hash]), self.key(values)

    def replace(self, before: Item | None, after: Item | None) -> None:
        """Follow a change of one item."""
        old = self.place(before) if before else None
        new = self.place(after) if after else None
        if old is not None and old != new:
            keys, items = self.parts[old[0]]
            del keys[bisect.bisect_left(keys, old[1])], items[old[1]]
        if new is not None and after is not None:
            keys, items = self.parts[new[0]]
            if new[1] not in items:
                bisect.insort(keys, new[1])
            items[new[1]] = after

    def between(self, part: Any, comparison: str | None, values: list[Any]) -> tuple[int, int]:
        """The range of positions in a partition whose first sort key passes the comparison."""
        keys = self.parts[part][0] if part in self.parts else []
        if not comparison:
            return 0, len(keys)
        low = bisect.bisect_left(keys, values[0], key=lambda key: key[0])
        high = bisect.bisect_right(keys, values[-1], key=lambda key: key[0])
        if comparison.upper() == "BEGINS_WITH":
            after = bisect.bisect_left(keys, values[0] + chr(0x10FFFF), key=lambda key: key[0])
            return low, after
        limits = {"=": (low, high), "BETWEEN": (low, high), "<": (0, low), "<=": (0, high)}
        limits |= {">": (high, len(keys)), ">=": (low, len(keys))}
        aliases = {"EQ": "=", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
        return limits[aliases.get(comparison.upper(), comparison.upper())]


def _projected(table: Table, index: Any) -> frozenset[str] | None:
    if index is None or index.projection.get("ProjectionType", "ALL") == "ALL":
        return None
    named = index.projection.get("NonKeyAttributes", [])
    return frozenset([*index.schema_key_attrs, *table.table_key_attrs, *named])


def page_of(order: Ordered, asked: Mapping[str, Any]) -> tuple[list[tuple[Item, int]], Item | None]:
    """What a Query reads (moto's arguments of it): entries with their sizes, and the last one when the limit
    or 1 MB ended the page; as on AWS also when nothing follows a page that the limit filled."""
    part = sortable(_typed(asked["hash_key"]))
    if part not in order.parts:
        return [], None
    limit, forward, start = asked["limit"], asked["scan_index_forward"], asked["exclusive_start_key"]
    values = [sortable(_typed(value)) for value in asked["range_objs"]]
    low, high = order.between(part, asked["range_comparison"], values)
    keys, items = order.parts[part]
    if start is not None:
        at = order.key(start)
        low = max(low, bisect.bisect_right(keys, at)) if forward else low
        high = high if forward else min(high, bisect.bisect_left(keys, at))
    page: list[tuple[Item, int]] = []
    total = 0
    for position in range(low, high) if forward else range(high - 1, low - 1, -1):
        item = items[keys[position]]
        size = item_size(order.view.entry(plain(item)))
        if page and total + size > PAGE_BYTES:
            return page, page[-1][0]
        page.append((item, size))
        total += size
        if limit and len(page) == limit:
            return page, item
    return page, None


def _typed(value: DynamoType) -> dict[str, Any]:
    return {value.type: value.value}
