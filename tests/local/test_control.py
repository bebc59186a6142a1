"""The control API, as the tester's scripts use it."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from local.control import BadInput, Control, duration
from local.httpd import Request
from tests.local.test_ses_api import send
from tests.local.world import World, world


@pytest.fixture
def ses() -> Iterator[World]:
    with world() as made:
        made.host("live.test")
        yield made


@pytest.fixture
def control(ses: World) -> Control:
    return Control(ses.clock, ses.zone, ses.outside, ses.ops)


def call(control: Control, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    where, _, query = path.partition("?")
    answer = control.answer(Request(method, f"/local/{where}", query, (), raw, "127.0.0.1"))
    return answer.status, json.loads(answer.body) if answer.body else None


@pytest.mark.parametrize(
    ("text", "seconds"), [("3h", 10_800), ("30d", 2_592_000), ("45m", 2700), ("90s", 90), ("1d12h", 129_600)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "3", "h", "-3h", "3 h", "3x", None, 3, "401d", "3h!"])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(BadInput):
        duration(text)


def test_the_clock_moves_and_stops_at_what_is_due(control: Control) -> None:
    fired: list[float] = []
    control.clock.at(control.clock.time() + 3600, lambda: fired.append(control.clock.time()))
    status, shown = call(control, "POST", "clock", {"advance": "3h"})
    assert status == 200
    assert 10_799 < shown["offset"] < 10_805
    assert len(fired) == 1
    assert call(control, "GET", "clock")[1]["now"].endswith("Z")


def test_records_are_set_shown_and_removed(control: Control) -> None:
    record = {"name": "new.test", "type": "mx", "values": ["10 inbound.new.test.emailmx.test"]}
    assert call(control, "PUT", "dns", record)[0] == 200
    assert {**record, "type": "MX"} in call(control, "GET", "dns")[1]["records"]
    assert call(control, "DELETE", "dns", {"name": "new.test", "type": "MX"}) == (204, None)
    assert "new.test" not in {row["name"] for row in call(control, "GET", "dns")[1]["records"]}


def test_remote_domains_and_their_attempts(control: Control, ses: World) -> None:
    assert call(control, "PUT", "remote/slow.test", {"behaviour": "defer"})[1]["behaviour"] == "defer"
    send(ses, ["a@slow.test", "b@slow.test"])
    ses.clock.quiesce(10)
    shown = call(control, "GET", "remote/slow.test")[1]
    assert shown["attempts"] == 1
    assert shown["log"][0]["recipients"] == ["a@slow.test", "b@slow.test"]
    assert shown["log"][0]["outcome"] == "deferred"
    assert [r["domain"] for r in call(control, "GET", "remote")[1]["remotes"]] == ["slow.test"]


def test_the_outbox_by_recipient(control: Control, ses: World) -> None:
    ses_id = send(ses, ["a@far.test", "b@near.test"])
    ses.clock.quiesce(10)
    [row] = call(control, "GET", "outbox?to=a@far.test")[1]
    assert row["envelope"] == {"from": "ann@live.test", "to": ["a@far.test"]}
    assert row["ses_id"] == ses_id
    assert row["subject"] == "hello"
    assert b"\r\nSubject: hello\r\n" in base64.b64decode(row["raw"])
    assert len(call(control, "GET", "outbox")[1]) == 2
    assert call(control, "GET", "outbox?to=nobody@far.test")[1] == []


def test_counted_calls_can_be_forgotten(control: Control, ses: World) -> None:
    ses.client("sesv2").list_email_identities()
    assert call(control, "GET", "ops")[1]["totals"]["calls"] == 1
    assert call(control, "DELETE", "ops")[0] == 204
    assert call(control, "GET", "ops")[1]["totals"]["calls"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "clock", {"advance": "soon"}, 400, "'soon' is not a duration"),
        ("POST", "clock", {}, 400, "missing: advance"),
        ("POST", "clock", b"{", 400, "not JSON"),
        ("POST", "clock", [1], 400, "JSON object"),
        ("PUT", "dns", {"name": "a.test", "type": "A", "values": ["x"]}, 400, "'x' is not a value of type A"),
        ("PUT", "dns", {"name": "a.test", "type": "Q", "values": ["x"]}, 400, "type 'Q'"),
        ("PUT", "dns", {"name": 7, "type": "A", "values": ["x"]}, 400, "'name' is a string"),
        ("PUT", "dns", {"name": "a.test", "type": "A", "values": 7}, 400, "'values' is a list"),
        ("PUT", "remote/a.test", {"behaviour": "sleep"}, 400, "'behaviour' is one of accept"),
        ("GET", "nothing", None, 404, "no /local/nothing"),
        ("POST", "ops", None, 405, "not POST"),
    ],
)
def test_bad_input_is_told_what_is_wrong(
    control: Control, method: str, path: str, body: Any, status: int, says: str
) -> None:
    answered, told = call(control, method, path, body)
    assert (answered, told["status"]) == (status, status)
    assert says in told["detail"]
