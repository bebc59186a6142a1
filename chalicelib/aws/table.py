"""A DynamoDB table: plain items in and out, conditions, transactions, back-off. Nothing of the service."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from botocore.exceptions import ClientError

from chalicelib.aws import clients
from chalicelib.aws.expressions import (
    ABSENT,
    PRESENT,
    Check,
    Delete,
    Item,
    Key,
    Put,
    Update,
    Verify,
    Write,
    equals,
    plain_item,
    request,
    wire,
    wire_item,
)
from chalicelib.rules.errors import ServiceError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

__all__ = [
    "ABSENT",
    "PRESENT",
    "Busy",
    "Check",
    "ConditionFailed",
    "Delete",
    "Index",
    "Item",
    "Key",
    "Put",
    "Rows",
    "Table",
    "TransactionConflict",
    "Update",
    "Verify",
    "Write",
    "equals",
]

T = TypeVar("T")
ATTEMPTS = 8
BASE_SECONDS, CAP_SECONDS = 0.025, 1.0
BATCH_GET, BATCH_WRITE = 100, 25  # items in one call, by DynamoDB's limits

_THROTTLED = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "LimitExceededException",
}
_CONFLICTS = {"TransactionConflictException", "TransactionInProgressException", "TransactionConflict"}


class ConditionFailed(Exception):
    """A condition did not hold. `indexes`: which writes of the transaction (0 for a single write)."""

    def __init__(self, indexes: tuple[int, ...] = (0,)) -> None:
        super().__init__(f"condition failed at {indexes}")
        self.indexes = indexes


class Busy(ServiceError):
    """Throttled, again and again: ServiceError unavailable, so every protocol has an answer for it."""

    def __init__(self, code: str) -> None:
        super().__init__("unavailable", "Too busy just now. Please try again in a moment.")
        self.code = code


class TransactionConflict(Busy):
    """Others kept writing the same items, again and again."""


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index and the attributes that are its keys. Without a name: the table itself."""

    name: str
    pk: str = "pk"
    sk: str = "sk"


PRIMARY = Index("")


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of a query; `next` continues it."""

    items: list[Item]
    next: dict[str, Any] | None


def pause(attempt: int) -> None:
    """Wait before attempt + 1: exponential, with full jitter."""
    time.sleep(random.uniform(0, min(CAP_SECONDS, BASE_SECONDS * 2**attempt)))


def _reasons(error: ClientError) -> list[str]:
    """Codes of a cancelled transaction, one per write ("None" where nothing was wrong)."""
    given: Any = error.response.get("CancellationReasons", [])
    return [str(reason.get("Code", "None")) for reason in given]


def _translate(error: ClientError) -> NoReturn:
    """One of our errors for the error code, or the error itself."""
    code = error.response["Error"].get("Code", "")
    reasons = _reasons(error) if code == "TransactionCanceledException" else [code]
    failed = tuple(i for i, r in enumerate(reasons) if r.startswith("ConditionalCheckFailed"))
    if failed:
        raise ConditionFailed(failed) from error
    if _CONFLICTS & set(reasons):
        raise TransactionConflict(code) from error
    if _THROTTLED & set(reasons):
        raise Busy(code) from error
    raise error


def _patiently(call: Callable[[], T]) -> T:
    """The call's answer, tried again after throttles and conflicts. Raises Busy in the end."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except ClientError as error:
            try:
                _translate(error)
            except Busy:
                if attempt == ATTEMPTS - 1:
                    raise
        pause(attempt)
    raise AssertionError("not reached: the last attempt answers or raises")


class Table:
    """A table whose keys are the strings pk and sk."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def _client(self) -> "DynamoDBClient":
        return clients.dynamodb()

    def get(self, key: Key, *, consistent: bool = True) -> Item | None:
        """The item, or None."""
        answer = _patiently(
            lambda: self._client.get_item(
                TableName=self.name,
                Key=wire_item(key),
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
            )
        )
        found = answer.get("Item")
        return plain_item(found) if found else None

    def batch_get(
        self, keys: Iterable[Key], *, consistent: bool = False, attributes: Sequence[str] = ()
    ) -> list[Item]:
        """The items that are there, in no order. Keys DynamoDB left unprocessed are asked for again."""
        unique = list({(k["pk"], k["sk"]): k for k in keys}.values())
        found: list[Item] = []
        for at in range(0, len(unique), BATCH_GET):
            found += self._batch_get(unique[at : at + BATCH_GET], consistent, attributes)
        return found

    def _batch_get(self, keys: Sequence[Key], consistent: bool, attributes: Sequence[str]) -> list[Item]:
        asked: dict[str, Any] = {"Keys": [wire_item(k) for k in keys], "ConsistentRead": consistent}
        asked |= _projection(attributes)
        pending: Any = {self.name: asked}
        found: list[Item] = []
        for attempt in range(ATTEMPTS):
            ask = partial(self._client.batch_get_item, RequestItems=pending, ReturnConsumedCapacity="TOTAL")
            answer = _patiently(ask)
            found += [plain_item(i) for i in answer["Responses"].get(self.name, [])]
            pending = answer.get("UnprocessedKeys")
            if not pending:
                return found
            pause(attempt)
        raise Busy("unprocessed keys")

    def query(
        self,
        pk: str,
        *,
        begins: str | None = None,
        between: tuple[str, str] | None = None,
        index: Index = PRIMARY,
        descending: bool = False,
        consistent: bool = False,
        limit: int | None = None,
        start: Mapping[str, Any] | None = None,
    ) -> Rows:
        """One page (at most 1 MB, or `limit` items) of a partition of the table or of an index.

        `begins` and `between` (both ends included) choose by sort key. A global index refuses `consistent`.
        """
        ask = _key_condition(pk, index, begins, between)
        if limit:
            ask["Limit"] = limit
        if start:
            ask["ExclusiveStartKey"] = wire_item(start)
        answer = _patiently(
            lambda: self._client.query(
                TableName=self.name,
                ScanIndexForward=not descending,
                ConsistentRead=consistent,
                ReturnConsumedCapacity="TOTAL",
                **ask,
            )
        )
        last = answer.get("LastEvaluatedKey")
        return Rows([plain_item(i) for i in answer["Items"]], plain_item(last) if last else None)

    def query_all(self, pk: str, **how: Any) -> Iterator[Item]:
        """Every item of a query, page after page. Takes what `query` takes, but `start`."""
        start: Mapping[str, Any] | None = None
        while True:
            rows = self.query(pk, start=start, **how)
            yield from rows.items
            if not rows.next:
                return
            start = rows.next

    def put(self, item: Mapping[str, Any], *, check: Check | None = None) -> None:
        """Write an item. Raises ConditionFailed."""
        _, ask = request(Put(item, check))
        _patiently(lambda: self._client.put_item(TableName=self.name, ReturnConsumedCapacity="TOTAL", **ask))

    def update(self, write: Update) -> Item:
        """Change an item; its new state is returned. Raises ConditionFailed."""
        _, ask = request(write)
        answer = _patiently(
            lambda: self._client.update_item(
                TableName=self.name, ReturnValues="ALL_NEW", ReturnConsumedCapacity="TOTAL", **ask
            )
        )
        return plain_item(answer["Attributes"])

    def delete(self, key: Key, *, check: Check | None = None) -> None:
        """Remove an item, which need not be there. Raises ConditionFailed."""
        _, ask = request(Delete(key, check))
        _patiently(
            lambda: self._client.delete_item(TableName=self.name, ReturnConsumedCapacity="TOTAL", **ask)
        )

    def transact(self, writes: Sequence[Write]) -> None:
        """All writes or none. Raises ConditionFailed with the indexes, TransactionConflict, Busy.

        A repeat by the SDK after a lost answer carries the same ClientRequestToken, so DynamoDB does it once.
        """
        items: list[Any] = []
        for write in writes:
            kind, ask = request(write)
            items.append({kind: {"TableName": self.name, **ask}})
        _patiently(
            lambda: self._client.transact_write_items(TransactItems=items, ReturnConsumedCapacity="TOTAL")
        )

    def batch_write(self, *, put: Iterable[Mapping[str, Any]] = (), delete: Iterable[Key] = ()) -> None:
        """Unconditional puts and deletes, 25 a call; what DynamoDB left unprocessed is sent again."""
        requests: list[Any] = [{"PutRequest": {"Item": wire_item(i)}} for i in put]
        requests += [{"DeleteRequest": {"Key": wire_item(k)}} for k in delete]
        for at in range(0, len(requests), BATCH_WRITE):
            self._batch_write(requests[at : at + BATCH_WRITE])

    def _batch_write(self, requests: list[Any]) -> None:
        pending: Any = {self.name: requests}
        for attempt in range(ATTEMPTS):
            ask = partial(self._client.batch_write_item, RequestItems=pending, ReturnConsumedCapacity="TOTAL")
            pending = _patiently(ask).get("UnprocessedItems")
            if not pending:
                return
            pause(attempt)
        raise Busy("unprocessed items")


def _projection(attributes: Sequence[str]) -> dict[str, Any]:
    """The part of a request that asks for some attributes only."""
    if not attributes:
        return {}
    aliases = {f"#p{i}": name for i, name in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(aliases), "ExpressionAttributeNames": aliases}


def _key_condition(
    pk: str, index: Index, begins: str | None, between: tuple[str, str] | None
) -> dict[str, Any]:
    """The part of a query that chooses index and items."""
    names, values, expression = {"#pk": index.pk}, {":pk": wire(pk)}, "#pk = :pk"
    if begins is not None:
        expression += " AND begins_with(#sk, :from)"
        names["#sk"], values[":from"] = index.sk, wire(begins)
    elif between is not None:
        expression += " AND #sk BETWEEN :from AND :to"
        names["#sk"], values[":from"], values[":to"] = index.sk, wire(between[0]), wire(between[1])
    ask: dict[str, Any] = {
        "KeyConditionExpression": expression,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    if index.name:
        ask["IndexName"] = index.name
    return ask
