"""What moto 5.2.5 lacks in DynamoDB, and the measuring of capacity.

moto's Query reads (and sorts) the whole table, its TransactWriteItems copies the table and leaves
half of a failed UpdateItem behind, and it forgets ClientRequestToken. Here: entries of the table and of
each index kept in order by partition, an undo log, and tokens. Everything runs under the
engine's DynamoDB lock. tests/local/test_engine_needed.py tells when a newer moto makes this needless.
"""

import base64
import copy
import json
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.models as models
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler, DynamoResult

from local.capacity import Attributes, Meter, item_size
from local.partitions import Ordered, page_of, plain
from local.patching import Patches

TOKENS_KEPT = 10_000
_QUERY = (
    "hash_key",
    "range_comparison",
    "range_objs",
    "limit",
    "exclusive_start_key",
    "scan_index_forward",
    "projection_expressions",
    "index_name",
    "consistent_read",
    "filter_expression",
)
_KNOWN = frozenset({*_QUERY, "hash_key_conditions", "range_key_conditions"})
_ITEM_OPERATIONS = frozenset({"Query", "Scan", "GetItem", "BatchGetItem", "TransactGetItems"})


class Dynamo:
    """The patches, while the engine runs, and the meter of the request being served."""

    def __init__(self) -> None:
        self.meter = Meter()
        self._undo: list[tuple[Table, DynamoType, DynamoType | None, Item | None]] | None = None
        self._inside = False
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self._patches = Patches()

    def install(self) -> None:
        """Replace moto's methods."""
        swap = self._patches.method
        swap(Table, "put_item", self._put_item)
        swap(Table, "delete_item", self._delete_item)
        swap(Table, "query", self._query)
        swap(Table, "scan", self._scan)
        swap(Table, "all_items", self._all_items)
        swap(DynamoDBBackend, "update_item", self._update_item)
        swap(DynamoDBBackend, "transact_write_items", self._transact)
        swap(DynamoHandler, "transact_write_items", self._once)
        swap(DynamoHandler, "get_item", self._get_item)
        swap(DynamoHandler, "batch_get_item", self._batch_get_item)
        swap(DynamoHandler, "transact_get_items", self._transact_get)
        self._patches.set(DynamoResult, "execute_result", _serialised)
        self._patches.set(models, "copy", SimpleNamespace(deepcopy=_copy_no_table))

    def remove(self) -> None:
        """Give moto its own methods back."""
        self._patches.undo()

    def orders(self, table: Table) -> dict[str | None, Ordered]:
        """The ordered entries of a table (None) and of its indexes by name."""
        known: dict[str | None, Ordered] = vars(table).setdefault("local_orders", {})
        for name, index in [(None, None), *((index.name, index) for index in table.all_indexes())]:
            if name not in known:
                known[name] = Ordered(table, index)
                for item in _every(table):
                    known[name].replace(None, item)
        return known

    @contextmanager
    def _touch(
        self, table: Table, hash_key: DynamoType, range_key: DynamoType | None
    ) -> Iterator[Item | None]:
        """Around a change of one item: indexes, undo and measuring. An error leaves it as it was."""
        before = table.get_item(hash_key, range_key)
        if self._inside:
            yield before
            return
        self._inside, orders = True, self.orders(table)
        try:
            yield before
        except Exception as error:
            _store(table, hash_key, range_key, before)
            if isinstance(error, ConditionalCheckFailed):
                self.meter.refused(plain(before))
            raise
        finally:
            self._inside = False
        after = table.get_item(hash_key, range_key)
        for order in orders.values():
            order.replace(before, after)
        if self._undo is not None:
            self._undo.append((table, hash_key, range_key, before))
        views = [order.view for name, order in orders.items() if name]
        self.meter.item_written(plain(before), plain(after), views)

    def _put_item(
        self, original: Any, table: Table, item_attrs: dict[str, Any], *more: Any, **named: Any
    ) -> Any:
        if any(name not in item_attrs for name in table.table_key_attrs):
            return original(table, item_attrs, *more, **named)
        with self._touch(table, *_keys(table, item_attrs)):
            return original(table, item_attrs, *more, **named)

    def _delete_item(
        self, original: Any, table: Table, hash_key: DynamoType, range_key: DynamoType | None
    ) -> Any:
        with self._touch(table, hash_key, range_key):
            return original(table, hash_key, range_key)

    def _update_item(
        self, original: Any, backend: DynamoDBBackend, table_name: str, key: Any, *a: Any, **k: Any
    ) -> Any:
        table = backend.get_table(table_name)
        if any(name not in key for name in table.table_key_attrs):
            return original(backend, table_name, key, *a, **k)
        keys = _keys(table, key)
        with self._touch(table, *keys) as before:
            if before is not None:  # moto changes the item in place; `before` must stay what it was
                _store(table, *keys, copy.deepcopy(before))
            return original(backend, table_name, key, *a, **k)

    def _transact(self, original: Any, backend: DynamoDBBackend, items: list[dict[str, Any]]) -> None:
        self._undo, self.meter.factor = [], 2
        try:
            original(backend, items)
            for check in (item["ConditionCheck"] for item in items if "ConditionCheck" in item):
                self.meter.refused(self._current(backend, check))
        except Exception:
            self._rollback()
            self.meter.write = 0.0
            for operation in (next(iter(item.values())) for item in items):
                self.meter.refused(self._current(backend, operation) or operation.get("Item"))
            raise
        finally:
            self._undo = None

    def _current(self, backend: DynamoDBBackend, operation: dict[str, Any]) -> Attributes | None:
        table = backend.get_table(operation["TableName"])
        return plain(table.get_item(*_keys(table, operation.get("Key") or operation["Item"])))

    def _rollback(self) -> None:
        for table, hash_key, range_key, before in reversed(self._undo or []):
            current = table.get_item(hash_key, range_key)
            _store(table, hash_key, range_key, before)
            for order in self.orders(table).values():
                order.replace(current, before)

    def _once(self, original: Any, handler: DynamoHandler) -> Any:
        """ClientRequestToken: the same transaction twice is done once."""
        token = handler.body.get("ClientRequestToken")
        asked = json.dumps(handler.body["TransactItems"], sort_keys=True, default=str)
        if token in self._tokens:
            if self._tokens[token] != asked:
                raise JsonRESTError(
                    "IdempotentParameterMismatchException", "parameters differ for this token"
                )
            return ActionResult({"ConsumedCapacity": [], "ItemCollectionMetrics": {}})
        answer = original(handler)
        if token:
            self._tokens[token] = asked
            while len(self._tokens) > TOKENS_KEPT:
                self._tokens.popitem(last=False)
        return answer

    def _read(self, handler: DynamoHandler, name: str, key: Any, consistent: bool) -> None:
        current = self._current(handler.dynamodb_backend, {"TableName": name, "Key": key})
        self.meter.item_read(item_size(current), consistent)

    def _get_item(self, original: Any, handler: DynamoHandler) -> Any:
        answer, body = original(handler), handler.body
        self._read(handler, body["TableName"], body["Key"], bool(body.get("ConsistentRead")))
        return answer

    def _batch_get_item(self, original: Any, handler: DynamoHandler) -> Any:
        answer = original(handler)
        for name, wanted in handler.body["RequestItems"].items():
            for key in wanted["Keys"]:
                self._read(handler, name, key, bool(wanted.get("ConsistentRead")))
        return answer

    def _transact_get(self, original: Any, handler: DynamoHandler) -> Any:
        answer, self.meter.factor = original(handler), 2
        for wanted in (item["Get"] for item in handler.body["TransactItems"]):
            self._read(handler, wanted["TableName"], wanted["Key"], True)
        return answer

    def _query(self, original: Any, table: Table, *more: Any, **named: Any) -> Any:
        asked: dict[str, Any] = {"index_name": None, "consistent_read": False, "filter_expression": None}
        asked |= dict(zip(_QUERY, more, strict=False)) | named
        name, consistent = asked["index_name"], bool(asked["consistent_read"])
        order = self.orders(table).get(name)
        local = any(index.name == name for index in table.indexes)
        if order is None or set(asked) - _KNOWN or (consistent and name and not local):
            return original(table, *more, **named)  # old conditions, or an error for moto to tell
        page, last = page_of(order, asked)
        self.meter.page_read((size for _, size in page), consistent)
        found, projection = [item for item, _ in page], asked["projection_expressions"]
        shown = order.view.projected
        if local and shown is not None and any(path[0] not in shown for path in projection or []):
            for item in found:  # AWS fetches the rest from the table, item by item
                self.meter.item_read(item_size(plain(item)), consistent)
        else:
            found = [_pick(item, shown) for item in found]
        if (condition := asked["filter_expression"]) is not None:
            found = [item for item in found if condition.expr(item)]
        if projection:
            found = [_narrow(item, projection) for item in found]
        return found, len(page), table._get_last_evaluated_key(last, name) if last else None

    def _scan(
        self, original: Any, table: Table, filters: Any, limit: Any, start: Any, *more: Any, **named: Any
    ) -> Any:
        names = ("filter_expression", "index_name", "consistent_read", "projection_expression")
        given = dict(zip(names, more, strict=False)) | named
        late = {name: given.pop(name, None) for name in ("filter_expression", "projection_expression")}
        items, scanned, last = original(table, filters, limit, start, **given)
        self.meter.page_read((item_size(plain(item)) for item in items), bool(given.get("consistent_read")))
        if (condition := late["filter_expression"]) is not None:
            items = [item for item in items if condition.expr(item)]
        if late["projection_expression"]:
            items = [item.project(late["projection_expression"]) for item in items]
        return items, scanned, last

    def _all_items(self, original: Any, table: Table) -> list[Item]:  # noqa: ARG002 - replaces it
        parts = self.orders(table)[None].parts
        return [parts[name][1][key] for name in sorted(parts) for key in parts[name][0]]


def _keys(table: Table, values: Mapping[str, Any]) -> tuple[DynamoType, DynamoType | None]:
    name = table.range_key_attr
    return DynamoType(values[table.hash_key_attr]), DynamoType(values[name]) if name else None


def _serialised(result: DynamoResult, context: Any) -> tuple[int, dict[str, str], str]:
    """Items are in the wire's form already; moto walks them by the service model, 50 ms for a page of 50."""
    if context.operation_model.name not in _ITEM_OPERATIONS:
        return ActionResult.execute_result(result, context)  # type: ignore[return-value]
    body = json.dumps(result.result, default=lambda raw: base64.b64encode(raw).decode())
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, body


def _pick(item: Item, names: Collection[str] | None) -> Item:
    """An item with these attributes only; moto's own way of it copies every value by serialising it."""
    if names is None:
        return item
    picked = copy.copy(item)
    picked.attrs = {name: value for name, value in item.attrs.items() if name in names}  # type: ignore[assignment]
    return picked


def _narrow(item: Item, paths: list[list[str]]) -> Item:
    if all(len(path) == 1 and "[" not in path[0] for path in paths):
        return _pick(item, {path[0] for path in paths})
    return item.project(paths)


def _store(table: Table, hash_key: DynamoType, range_key: DynamoType | None, item: Item | None) -> None:
    """Put exactly this item (or none) at a key, past all rules."""
    holder: Any = table.items if range_key is None else table.items[hash_key]
    key = hash_key if range_key is None else range_key
    if item is None:
        holder.pop(key, None)
    else:
        holder[key] = item


def _every(table: Table) -> Iterator[Item]:
    for held in table.items.values():
        if isinstance(held, Item):
            yield held
        else:
            yield from held.values()


def _copy_no_table(value: Any, memo: Any = None) -> Any:
    """deepcopy, but for the backup of a whole table that moto's transactions make and we undo without."""
    return value if isinstance(value, Table) else copy.deepcopy(value, memo)
