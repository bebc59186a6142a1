"""How long a message is held (RFC 4865, RFC 8621 §7)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import holding
from chalicelib.rules.errors import ServiceError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("held", "seconds"),
    [
        ({}, 0),
        ({"HOLDFOR": "0"}, 0),
        ({"HOLDFOR": "20"}, 20),
        ({"HOLDFOR": "000000020"}, 20),
        ({"HOLDFOR": "604800"}, 604_800),
        ({"HOLDUNTIL": "2026-03-02T09:01:00Z"}, 60),
        ({"HOLDUNTIL": "2026-03-02T10:01:00.5+01:00"}, 60.5),
        ({"HOLDUNTIL": "2026-03-02T08:00:00Z"}, 0),
        ({"HOLDUNTIL": "1970-01-01T00:00:00Z"}, 0),
    ],
)
def test_when_it_leaves(held: dict[str, str], seconds: float) -> None:
    assert holding.until(held, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "held",
    [
        {"HOLDFOR": ""},
        {"HOLDFOR": "-1"},
        {"HOLDFOR": "1.5"},
        {"HOLDFOR": "٣"},
        {"HOLDFOR": "604801"},
        {"HOLDFOR": "9999999999"},
        {"HOLDUNTIL": "tomorrow"},
        {"HOLDUNTIL": "2026-03-02"},
        {"HOLDUNTIL": "2026-03-02T10:00:00"},
        {"HOLDUNTIL": "2026-03-10T09:00:00Z"},
        {"HOLDUNTIL": "9999-12-31T23:59:59-12:00"},
        {"HOLDFOR": "1", "HOLDUNTIL": "2026-03-02T10:00:00Z"},
    ],
)
def test_what_cannot_be_held_so(held: dict[str, str]) -> None:
    with pytest.raises(ServiceError) as refused:
        holding.until(held, NOW)
    assert refused.value.kind == "invalid"
    assert refused.value.faults[0].pointer == "/envelope"


@given(st.sampled_from(sorted(holding.NAMES)), st.text(max_size=40))
def test_any_value_is_a_moment_or_refused(name: str, value: str) -> None:
    try:
        at = holding.until({name: value}, NOW)
    except ServiceError:
        return
    assert NOW <= at <= NOW + holding.LONGEST
