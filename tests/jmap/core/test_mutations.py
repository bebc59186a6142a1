"""Nearly valid calls of every method: one or two places of each wrong in some way, and never serverFail."""

import copy
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.jmap.methods import METHODS
from tests.jmap.client import USING, Client, Json
from tests.jmap.core.requests import things, valid
from tests.jmap.core.test_fuzz import answered

REFUSED = {
    "Quota/queryChanges": "cannotCalculateChanges",
    "Blob/copy": "fromAccountNotFound",
    "Email/copy": "fromAccountNotFound",
    "ContactCard/copy": "fromAccountNotFound",
}
DEEP: Any = {}
for _ in range(30):
    DEEP = {"operator": "AND", "conditions": [DEEP]}
HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53 - 1, 2**53, 2**70, -(2**70), 0.5, -0.0, 1e300, "", " ", "0",
    "x", "é", "\x00", "\ud800", "a" * 300, "x" * 70_000, "1" * 4_000, "#k", "#", "a/b", "~", "null", "NaN",
    "2026-13-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "2026-01-01T00:00:00-23:59",
    "header:X:asAddresses:all", "header:", "=?utf-8?q?x?=", "a@b\r\nBcc: c@d", "<script>", "../..", [], {},
    [None], [[]], [{}], ["x"] * 600, [1, "a", None], {"": ""}, {"a": None}, {"x": {"y": {}}},
    {"@type": "Card"}, {"id": "x"}, {"operator": "NOT", "conditions": []},
    {"resultOf": "0", "name": "x", "path": "/*"}, DEEP,
]  # fmt: skip
KEYS = ["", "id", "#ids", "a/b", "~1", "é", "x" * 300, "keywords/$seen", "mailboxIds/x", "header:X", "\ud800"]


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to everything within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, part in inner for path in places(part, (*at, key)))]


def mutated(call: Json, random: Random) -> Json:
    """The call with one or two places changed, moved, renamed or taken away."""
    args: Any = copy.deepcopy(call)
    for _ in range(random.choice((1, 1, 2))):
        if not (found := places(args)[1:]):
            break
        *path, last = random.choice(found)
        holder = args
        for key in path:
            holder = holder[key]
        match random.randrange(6):
            case 0:
                holder.pop(last)
            case 1 if isinstance(holder, dict):
                holder[random.choice(KEYS)] = holder.pop(last, None)
            case 2 if isinstance(holder, dict):
                holder[f"#{last}"] = holder.pop(last, None)
            case 3 if isinstance(holder, list):
                holder.extend(holder[:1] * random.choice((1, 200)))
            case _:
                holder[last] = copy.deepcopy(random.choice(HOSTILE))
    return dict(args)


@pytest.fixture
def calls(jmap: Client) -> dict[str, Json]:
    return valid(jmap, things(jmap))


def test_every_method_has_a_valid_call(jmap: Client, calls: dict[str, Json]) -> None:
    assert calls.keys() == METHODS.keys()
    for name, args in calls.items():
        if name in REFUSED:
            assert jmap.error(name, **args)["type"] == REFUSED[name]
            continue
        answer = jmap.call(name, **args)
        refused = [answer[n] for n in ("notCreated", "notUpdated", "notDestroyed") if answer.get(n)]
        assert not refused, (name, refused)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(st.sampled_from(sorted(METHODS)), st.randoms(use_true_random=False))
def test_nearly_valid_calls_are_answered(
    jmap: Client, calls: dict[str, Json], name: str, random: Random
) -> None:
    call = [name, {"accountId": jmap.account.id, **mutated(calls[name], random)}, "0"]
    answered(jmap, {"using": USING, "methodCalls": [call]})
