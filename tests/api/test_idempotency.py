"""A POST with an Idempotency-Key is done once, whatever becomes of its answer."""

from collections.abc import Callable
from typing import Any

import pytest
from chalice.app import Request, Response

from chalicelib.api.errors import Headers
from chalicelib.api.idempotency import Repeat, once
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Caller
from chalicelib.store.repeats import Repeats
from tests.registry import Registry

REPEATED = {"Idempotency-Key": "7f1c"}


class Maker:
    """An operation that counts how often it was done."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.done = registry, 0
        self.fails: Exception | None = None

    def __call__(self, body: str = "{}", how: Repeat = "same", **more: Any) -> Response:
        caller: Caller = more.get("caller", self.registry.caller)
        query = more.get("query")
        event = {
            "multiValueQueryStringParameters": query,
            "headers": more.get("headers", REPEATED),
            "pathParameters": {"domain": more.get("domain", "x.test")},
            "requestContext": {"httpMethod": "POST", "resourcePath": "/v1/domains/{domain}/things"},
            "body": body,
            "stageVariables": None,
        }
        return once(self.registry.platform, caller, Request(event), how, more.get("do", self._do))

    def _do(self) -> Response:
        if self.fails:
            raise self.fails
        self.done += 1
        headers: Headers = {"Content-Type": "application/json", "Location": f"/v1/things/{self.done}"}
        return Response({"id": self.done}, headers, 201)


@pytest.fixture
def make(registry: Registry) -> Maker:
    return Maker(registry)


def refusal(call: Callable[[], Response]) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        call()
    return refused.value


def test_a_repeat_gets_the_same_answer_with_its_headers(make: Maker) -> None:
    first, again = make(), make()
    assert (again.status_code, again.headers) == (201, first.headers)
    assert again.body == '{"id":1}'
    assert make.done == 1


def test_without_a_key_each_is_done(make: Maker) -> None:
    make(headers={}), make(headers={})
    assert make.done == 2


def test_another_body_is_told_apart(make: Maker) -> None:
    make()
    assert refusal(lambda: make('{"a": 1}')).kind == "idempotency_mismatch"


def test_a_key_is_the_callers_and_the_paths_own(make: Maker) -> None:
    make(), make(caller=make.registry.other), make(domain="y.test"), make(query={"dry_run": ["true"]})
    assert make.done == 4


def test_two_at_once_are_done_once(make: Maker) -> None:
    """The second comes while the first is being done."""
    found: list[ServiceError] = []

    def meanwhile() -> Response:
        found.append(refusal(make))
        return make._do()

    make(do=meanwhile)
    assert (found[0].kind, found[0].extra["retry_after"], make.done) == ("conflict", 2, 1)


def test_a_refusal_or_a_bug_frees_the_key(make: Maker) -> None:
    for error in (ServiceError("conflict", "There is one."), RuntimeError("a bug")):
        make.fails = error
        with pytest.raises(type(error)):
            make()
    make.fails = None
    assert make().status_code == 201


def test_a_crash_frees_the_key_after_its_lease(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Repeats, "forget", lambda *_: None)
        make.fails = RuntimeError("the process ends")
        with pytest.raises(RuntimeError):
            make()
    make.fails = None
    assert refusal(make).kind == "conflict"
    make.registry.clock.advance(seconds=60)
    assert make('{"b": 2}').status_code == 201


def test_who_was_overtaken_keeps_nothing(make: Maker) -> None:
    """A request that outlives its lease and is sent again meanwhile: the second's answer holds."""

    def slow() -> Response:
        make.registry.clock.advance(seconds=61)
        make()
        return Response({"id": "late"}, {}, 201)

    make(do=slow)
    assert make().body == '{"id":1}'


def test_an_answer_holds_for_a_day(make: Maker) -> None:
    make()
    make.registry.clock.advance(hours=23, minutes=59)
    make()
    assert make.done == 1
    make.registry.clock.advance(minutes=1)
    make()
    assert make.done == 2


def test_a_secret_is_not_kept_and_a_repeat_says_so(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str | None] = []
    finish = Repeats.finish

    def watched(*given: Any) -> bool:
        kept.append(given[3])
        return finish(*given)

    monkeypatch.setattr(Repeats, "finish", watched)
    make(how="refused")
    refused = refusal(lambda: make(how="refused"))
    assert kept == [None]
    assert (refused.kind, "retry_after" in refused.extra, make.done) == ("conflict", False, 1)


def test_a_large_answer_is_not_kept(make: Maker) -> None:
    make(do=lambda: Response({"text": "x" * 100_001}, {}, 201))
    assert refusal(make).kind == "conflict"


@pytest.mark.parametrize("key", ["", "k" * 256, "ü"])
def test_a_key_that_is_none_is_refused(make: Maker, key: str) -> None:
    assert refusal(lambda: make(headers={"Idempotency-Key": key})).kind == "bad_request"
