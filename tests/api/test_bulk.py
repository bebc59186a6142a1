"""Many rows in one request."""

import json
from typing import Any

import pytest
from chalice.app import Request
from pydantic import Field

from chalicelib.api import bulk
from chalicelib.api.bulk import Done
from chalicelib.api.models import Body
from chalicelib.rules.errors import Fault, ServiceError


class RowIn(Body):
    """A row."""

    local: str
    imap: bool = False
    storage_mb: int | None = None
    to: list[str] = Field(default=[])


def request(body: bytes | str, kind: str, accept: str = "") -> Request:
    """A request with this body."""
    headers = {"content-type": kind} | ({"accept": accept} if accept else {})
    event: dict[str, Any] = {
        "multiValueQueryStringParameters": None,
        "headers": headers,
        "pathParameters": None,
        "requestContext": {"httpMethod": "POST", "resourcePath": "/"},
        "body": body,
        "stageVariables": None,
    }
    return Request(event)


def values(body: bytes | str, kind: str) -> list[Any]:
    """Each row's value, or the pointers of its faults."""
    return [
        row.value.model_dump() if row.value else [f.pointer for f in row.fault.faults] if row.fault else None
        for row in bulk.rows(request(body, kind), RowIn)
    ]


def row(local: str, **more: Any) -> dict[str, Any]:
    return {"local": local, "imap": False, "storage_mb": None, "to": [], **more}


def test_lines_of_json_are_rows() -> None:
    text = '{"local": "ann", "imap": true}\r\n\n{"local": 1}\n{"local": "bob", "storage_mb": "5"}\nx'
    assert values(text, bulk.NDJSON) == [row("ann", imap=True), ["/local"], ["/storage_mb"], []]


def test_lines_of_csv_are_rows_and_cells_get_the_types_of_their_fields() -> None:
    text = '\ufefflocal,imap,storage_mb,to\r\nann,TRUE,500,"a@x.test; b@x.test"\r\n'
    text += "\r\nbob,,,\r\n,x,5.5,\r\ny\r\n"
    assert values(text.encode(), "text/csv; charset=utf-8") == [
        row("ann", imap=True, storage_mb=500, to=["a@x.test", "b@x.test"]),
        row("bob"),
        ["/local", "/imap", "/storage_mb"],
        [],
    ]


BROKEN = [
    ("local,nope\nann,1\n", "invalid", "/nope"),
    ("local,local\nann,bob\n", "invalid", "/local"),
    ("imap\ntrue\n", "invalid", "/local"),
    ('local\n"ann\n', "bad_request", ""),
    ("local\n", "bad_request", ""),
    ("", "bad_request", ""),
    (b"local\n\xff\n", "bad_request", ""),
    ("local\n" + "a\n" * 1_001, "too_large", ""),
    ("local\n" + "a" * 1_048_576, "too_large", ""),
]


@pytest.mark.parametrize(("body", "kind", "pointer"), BROKEN)
def test_what_is_no_table_is_refused_whole(body: bytes | str, kind: str, pointer: str) -> None:
    with pytest.raises(ServiceError) as refused:
        bulk.rows(request(body, bulk.CSV), RowIn)
    assert refused.value.kind == kind
    assert pointer in [*(f.pointer for f in refused.value.faults), ""]


def one(wanted: RowIn) -> Done:
    """ann is made, bob is taken, eve is a fault of ours."""
    if wanted.local == "bob":
        raise ServiceError(
            "conflict", "=There is one.", (Fault("/local", "Choose another."),), {"retry_after": 9}
        )
    if wanted.local == "eve":
        raise RuntimeError("a bug")
    return Done(status=201, address=f"{wanted.local}@x.test")


BODY = "local\nann\nbob\neve\nzoe\n"


def test_each_row_is_answered_and_none_keeps_another_from_being_done() -> None:
    asked = request(BODY, bulk.CSV, "application/x-ndjson")
    answer = bulk.answered(asked, bulk.rows(asked, RowIn), one)
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert answer.headers["Content-Type"] == bulk.NDJSON
    assert [(line["row"], line["status"]) for line in lines] == [(1, 201), (2, 409), (3, 500), (4, 201)]
    assert lines[0] == {"row": 1, "status": 201, "address": "ann@x.test"}
    problem = lines[1]["problem"]
    assert (problem["code"], problem["retry_after"], problem["errors"][0]["pointer"]) == (
        "conflict",
        9,
        "/local",
    )


def test_the_answer_is_csv_for_who_sent_csv_and_opens_safely() -> None:
    asked = request(BODY, bulk.CSV)
    answer = bulk.answered(asked, bulk.rows(asked, RowIn), one)
    lines = answer.body.splitlines()
    assert lines[:2] == ["row,status,id,address,code,detail", "1,201,,ann@x.test,,"]
    assert lines[2] == "2,409,,,conflict,'=There is one. /local: Choose another."


def test_rows_that_are_not_reached_in_time_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "SECONDS", -1.0)
    asked = request('{"local": "ann"}', bulk.NDJSON)
    (line,) = bulk.answered(asked, bulk.rows(asked, RowIn), one).body.splitlines()
    assert (json.loads(line)["status"], json.loads(line)["problem"]["code"]) == (503, "unavailable")
