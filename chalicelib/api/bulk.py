"""Many rows in one request: NDJSON or CSV in, what became of each out, in the same form or as Accept says.

A route declares `rows=RowModel` and hands `call.rows` to `answered` with a function for one row. Rows are
done one after another, each by itself: a row that fails keeps no other from being done.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

from chalice.app import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chalicelib.api.errors import STATUS, document, problem_document
from chalicelib.api.models import octets, read_json, validated
from chalicelib.aws.log import logger
from chalicelib.rules import csvtext
from chalicelib.rules.errors import Fault, ServiceError

NDJSON, CSV = "application/x-ndjson", "text/csv"
TYPES = (NDJSON, CSV)
MOST_ROWS = 1_000
LARGEST = 1_048_576  # bytes
SECONDS = 20.0  # API Gateway waits for 29; rows that are not reached are told to come again
COLUMNS = ("row", "status", "id", "address", "code", "detail")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Row(Generic[M]):
    """A row as it came. `number` counts from 1, without header and empty lines. No value: it has `fault`."""

    number: int
    value: M | None
    fault: ServiceError | None = None


class Done(BaseModel):
    """What became of a row that was done: 201 made, 200 changed or there already, 202, 204 gone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: int = 201
    id: str | None = None
    address: str | None = None


class ResultOut(Done):
    """A line of the answer: the row's number, and what became of it or why it was refused."""

    row: int
    problem: dict[str, Any] | None = Field(None, description="A problem document, where it was refused.")


# ---------------------------------------------------------------------------------------------------- in
def rows(request: Request, model: type[M]) -> list[Row[M]]:
    """The rows of a body. Raises ServiceError: too_large, bad_request, invalid (a wrong header line)."""
    raw = octets(request)
    if len(raw) > LARGEST:
        raise ServiceError(
            "too_large", f"A body has at most {LARGEST} bytes.", extra=_limit(LARGEST, len(raw))
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ServiceError("bad_request", "The body is not UTF-8.") from None
    kind = str(request.headers.get("content-type") or "").lower()
    read = _csv_rows(text, model) if CSV in kind else _json_rows(text, model)
    found: list[Row[M]] = []
    for row in read:
        if len(found) == MOST_ROWS:
            raise ServiceError("too_large", f"A request has at most {MOST_ROWS} rows.")
        found.append(row)
    if not found:
        raise ServiceError("bad_request", "There is no row in the body.")
    return found


def _limit(limit: int, used: int) -> dict[str, Any]:
    return {"limit": limit, "used": used, "unit": "bytes"}


def _json_rows(text: str, model: type[M]) -> Iterator[Row[M]]:
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            yield Row(number, validated(model, read_json(line.encode())))
        except ServiceError as fault:
            yield Row(number, None, fault)


def _csv_rows(text: str, model: type[M]) -> Iterator[Row[M]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [line for line in reader if any(line)]
    except csv.Error as error:
        raise ServiceError("bad_request", f"The body is not CSV: {error}.") from None
    header = [name.strip() for name in lines[0]] if lines else []
    if lines:
        _check_header(header, model)
    for number, line in enumerate(lines[1:], 1):
        if len(line) != len(header):
            detail = f"This row has {len(line)} cells, the header line {len(header)}."
            yield Row(number, None, ServiceError("invalid", detail))
            continue
        try:
            yield Row(number, validated(model, _typed(dict(zip(header, line, strict=True)), model)))
        except ServiceError as fault:
            yield Row(number, None, fault)


def _check_header(header: Sequence[str], model: type[BaseModel]) -> None:
    """Raises ServiceError invalid naming the columns that are unknown, twice there or missing."""
    fields = model.model_fields
    faults = [Fault(f"/{name}", "There is no such column.") for name in header if name not in fields]
    faults += [
        Fault(f"/{n}", "This column is there twice.") for n in sorted(set(header)) if header.count(n) > 1
    ]
    needed = [name for name, field in fields.items() if field.is_required() and name not in header]
    faults += [Fault(f"/{name}", "This column is needed.") for name in needed]
    if faults:
        raise ServiceError("invalid", "The header line does not name the right columns.", tuple(faults))


def _typed(cells: dict[str, str], model: type[BaseModel]) -> dict[str, Any]:
    """Cells as the fields' types want them; an empty cell is a field that was not given."""
    given = {name: text for name, text in cells.items() if text != ""}
    return {name: _value(text, model.model_fields[name].annotation) for name, text in given.items()}


def _value(text: str, annotation: Any) -> Any:
    """A cell as a value. What does not fit stays text, for the model to refuse."""
    kinds = set(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else {annotation}
    if bool in kinds and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if int in kinds and text.removeprefix("-").isdecimal() and len(text) < 20:
        return int(text)
    if any(get_origin(kind) is list for kind in kinds):
        return [part.strip() for part in text.split(";") if part.strip()]
    return text


# --------------------------------------------------------------------------------------------------- out
def answered(request: Request, given: Sequence[Row[M]], one: Callable[[M], Done]) -> Response:
    """Do every row with `one`, which gives what became of it or raises ServiceError, and answer them all."""
    stop = time.monotonic() + SECONDS
    results = [_result(row, one, late=time.monotonic() > stop) for row in given]
    if _wants_csv(request):
        return Response(_as_csv(results), {"Content-Type": csvtext.TYPE}, 200)
    lines = [json.dumps(result, ensure_ascii=False) + "\n" for result in results]
    return Response("".join(lines), {"Content-Type": NDJSON}, 200)


def _result(row: Row[M], one: Callable[[M], Done], *, late: bool) -> dict[str, Any]:
    try:
        if row.fault:
            raise row.fault
        if late:
            raise ServiceError("unavailable", "Not done: time ran out before this row. Please send it again.")
        assert row.value is not None
        done = one(row.value)
    except ServiceError as error:
        return {"row": row.number, "status": STATUS[error.kind], "problem": problem_document(error)}
    except Exception:
        logger.exception("a row failed", extra={"row": row.number})
        detail = "Something went wrong here. It has been noted; please try again later."
        return {"row": row.number, "status": 500, "problem": document(500, "internal", detail)}
    return {"row": row.number, **done.model_dump(exclude_none=True)}


def _wants_csv(request: Request) -> bool:
    """By Accept; where that leaves it open, by what was sent."""
    accept = str(request.headers.get("accept") or "").lower()
    for kind in (part.partition(";")[0].strip() for part in accept.split(",")):
        if kind in (CSV, NDJSON, "application/json"):
            return kind == CSV
    return CSV in str(request.headers.get("content-type") or "").lower()


def _as_csv(results: Sequence[dict[str, Any]]) -> str:
    return csvtext.document(COLUMNS, [_cells(result) for result in results])


def _cells(result: dict[str, Any]) -> list[object]:
    problem = result.get("problem", {})
    faults = "; ".join(f"{e['pointer']}: {e['detail']}" for e in problem.get("errors", []))
    detail = f"{problem['detail']} {faults}".strip() if problem else None
    return [
        result["row"],
        result["status"],
        result.get("id"),
        result.get("address"),
        problem.get("code"),
        detail,
    ]
