"""The DynamoDB wrapper: values, conditions, transactions, patience."""

from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws import clients
from chalicelib.aws import table as tables
from chalicelib.aws.expressions import plain_item, wire, wire_item
from chalicelib.aws.table import (
    ABSENT,
    PRESENT,
    Busy,
    ConditionFailed,
    Delete,
    Index,
    Put,
    Table,
    TransactionConflict,
    Update,
    Verify,
    equals,
)

KEY = {"pk": "A", "sk": "1"}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_values_come_back_as_they_went(item: dict[str, Any]) -> None:
    assert plain_item(wire_item(item)) == item


def test_a_float_is_refused_and_an_empty_set_left_out() -> None:
    with pytest.raises(TypeError):
        wire(1.5)
    assert wire_item({"a": set(), "b": {"x"}}) == {"b": {"SS": ["x"]}}
    assert plain_item({"b": {"SS": ["x"]}}) == {"b": {"x"}}


def test_put_get_update_delete(table: Table) -> None:
    assert table.get(KEY) is None
    table.put({**KEY, "n": 1, "name": "x", "m": {"a.b": 1}}, check=ABSENT)
    with pytest.raises(ConditionFailed):
        table.put({**KEY, "n": 2}, check=ABSENT)
    change = Update(
        KEY,
        set={"status": 7},
        add={"n": 2},
        remove=("name",),
        paths={("m", "a.b"): 2},
        check=equals(n=1, gone=None),
    )
    assert table.update(change) == {**KEY, "n": 3, "status": 7, "m": {"a.b": 2}}
    with pytest.raises(ConditionFailed):
        table.update(change)
    with pytest.raises(ConditionFailed):
        table.delete(KEY, check=equals(n=9) & PRESENT)
    table.delete(KEY)
    table.delete(KEY)
    assert table.get(KEY, consistent=False) is None


def test_transactions_are_whole_and_say_which_condition_failed(table: Table) -> None:
    table.put({**KEY, "n": 1})
    other = {"pk": "A", "sk": "2"}
    with pytest.raises(ConditionFailed) as failed:
        table.transact([Verify(KEY, ABSENT), Put(other, ABSENT), Delete({"pk": "A", "sk": "3"}, PRESENT)])
    assert failed.value.indexes == (0, 2)
    assert table.get(other) is None
    table.transact([Put(other, ABSENT), Verify(KEY, equals(n=1))])
    assert table.get(other) == other
    assert table.get(KEY) == {**KEY, "n": 1}


def test_query_by_range_prefix_and_index_page_by_page(table: Table) -> None:
    table.batch_write(put=[{"pk": "A", "sk": f"E#{n:02}", "tk": f"t#{n % 2}{n:02}"} for n in range(30)])
    assert [i["sk"] for i in table.query_all("A", begins="E#", limit=7)] == [f"E#{n:02}" for n in range(30)]
    newest = table.query("A", between=("E#05", "E#09"), descending=True, limit=2, consistent=True)
    assert [i["sk"] for i in newest.items] == ["E#09", "E#08"]
    assert newest.next
    odd = table.query("A", begins="t#1", index=Index("thread", sk="tk"))
    assert len(odd.items) == 15
    table.batch_write(delete=[{"pk": "A", "sk": f"E#{n:02}"} for n in range(30)])
    assert table.query("A").items == []


def test_batch_get_takes_any_number_and_repeats(table: Table) -> None:
    keys = [{"pk": "A", "sk": f"{n:03}"} for n in range(130)]
    table.batch_write(put=keys)
    found = table.batch_get([*keys, *keys, {"pk": "A", "sk": "absent"}], attributes=("sk",))
    assert sorted(i["sk"] for i in found) == [k["sk"] for k in keys]
    assert table.batch_get([]) == []


class Scripted:
    """A client whose calls fail by a list of error codes first."""

    def __init__(self, real: Any, operation: str, codes: list[Any]) -> None:
        self._real, self._operation, self.codes, self.requests = real, operation, codes, []  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._real, name)
        return self._scripted(call) if name == self._operation else call

    def _scripted(self, call: Any) -> Any:
        def answer(**request: Any) -> Any:
            self.requests.append(request)
            script = self.codes.pop(0) if self.codes else None
            if isinstance(script, str):
                raise ClientError({"Error": {"Code": script}}, "operation")
            if isinstance(script, list):
                reasons: Any = {
                    "Error": {"Code": "TransactionCanceledException"},
                    "CancellationReasons": [{"Code": c} for c in script],
                }
                raise ClientError(reasons, "operation")
            return script(call, request) if script else call(**request)

        return answer


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pauses asked for; none is taken."""
    taken: list[int] = []
    monkeypatch.setattr(tables, "pause", taken.append)
    return taken


def scripted(operation: str, codes: list[Any]) -> Any:
    return mock.patch.dict(clients._clients, {"dynamodb": Scripted(clients.dynamodb(), operation, codes)})


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "TransactionConflictException"]
)
def test_throttles_and_conflicts_are_waited_out(table: Table, naps: list[int], code: str) -> None:
    with scripted("put_item", [code] * 3):
        table.put(KEY)
    assert naps == [0, 1, 2]
    assert table.get(KEY) == KEY


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (["ThrottlingException"] * 99, Busy),
        ([["None", "TransactionConflict"]] * 99, TransactionConflict),
        ([["TransactionConflict", "ConditionalCheckFailed"]], ConditionFailed),
        (["ResourceNotFoundException"], ClientError),
    ],
)
def test_errors_in_the_end(table: Table, naps: list[int], codes: list[Any], error: type[Exception]) -> None:
    with scripted("transact_write_items", codes), pytest.raises(error) as raised:
        table.transact([Put(KEY)])
    assert raised.type is error
    assert len(naps) == (tables.ATTEMPTS - 1 if issubclass(error, Busy) else 0)
    if isinstance(raised.value, Busy):
        assert raised.value.kind == "unavailable"


def test_what_a_batch_left_undone_is_done_again(table: Table, naps: list[int]) -> None:
    keys = [{"pk": "A", "sk": str(n)} for n in range(3)]

    def half(call: Any, request: dict[str, Any]) -> Any:
        left = request["RequestItems"][table.name]
        answer = call(RequestItems={table.name: left[1:]})
        return {**answer, "UnprocessedItems": {table.name: left[:1]}}

    def half_read(call: Any, request: dict[str, Any]) -> Any:
        left = request["RequestItems"][table.name]
        answer = call(RequestItems={table.name: {**left, "Keys": left["Keys"][1:]}})
        return {**answer, "UnprocessedKeys": {table.name: {**left, "Keys": left["Keys"][:1]}}}

    with scripted("batch_write_item", [half]):
        table.batch_write(put=keys)
    with scripted("batch_get_item", [half_read]):
        assert len(table.batch_get(keys)) == 3
    assert naps == [0, 0]


def test_pauses_have_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    for attempt in range(20):
        tables.pause(attempt)
    assert all(0 <= s <= tables.CAP_SECONDS for s in slept)
    assert slept[0] <= tables.BASE_SECONDS
    assert len(set(slept)) > 15
