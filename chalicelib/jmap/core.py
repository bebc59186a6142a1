"""Requests (RFC 8620 §3): from the octets of a body to the answer. Never raises."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

from chalicelib.aws.log import logger
from chalicelib.jmap import limits, session
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError, RequestError, method_error
from chalicelib.jmap.methods import METHODS
from chalicelib.jmap.references import Answer, resolve
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Account
from chalicelib.services.platform import Platform


@dataclass(frozen=True, slots=True)
class Request:
    """RFC 8620 §3.3."""

    using: frozenset[str]
    calls: tuple[tuple[str, Json, str], ...]
    created: dict[str, str] | None


def handle(p: Platform, account: Account, body: bytes, base_url: str, source: str = "") -> tuple[int, Json]:
    """HTTP status and answer to the body of a request. `base_url`: the origin that the client used;
    `source`: the network address that it came from.
    """
    try:
        request = parse(body)
    except RequestError as error:
        return 400, error.problem
    ctx = Context(p, account, source, dict(request.created or {}), request.using)
    answers = _run(ctx, request)
    told = session.state(account, base_url, p.figures.max_message_bytes)
    response: Json = {"methodResponses": answers, "sessionState": told}
    if request.created is not None:
        response["createdIds"] = ctx.created
    return 200, response


# ------------------------------------------------------------------ reading
def parse(body: bytes) -> Request:
    """The request in a body. Raises RequestError notJSON, notRequest, unknownCapability, limit."""
    if len(body) > limits.MAX_SIZE_REQUEST:
        raise _limit("maxSizeRequest", limits.MAX_SIZE_REQUEST)
    given = read_json(body)
    if not isinstance(given, dict) or not _is_request(given):
        raise RequestError("notRequest", "This is JSON, but no Request object.")
    unknown = [u for u in given["using"] if u not in session.CAPABILITIES]
    if unknown:
        raise RequestError("unknownCapability", f"Not supported here: {', '.join(unknown)[:500]}")
    if len(given["methodCalls"]) > limits.MAX_CALLS_IN_REQUEST:
        raise _limit("maxCallsInRequest", limits.MAX_CALLS_IN_REQUEST)
    calls = tuple((name, args, call) for name, args, call in given["methodCalls"])
    return Request(frozenset(given["using"]), calls, given.get("createdIds"))


def read_json(body: bytes) -> Any:
    """I-JSON (RFC 7493): UTF-8, no name twice, no NaN, no lone surrogate. Raises RequestError notJSON."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        if _depth(value) > limits.MAX_DEPTH:
            raise RequestError("notRequest", f"Nested more than {limits.MAX_DEPTH} deep.")
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RequestError("notJSON", "The body is not valid I-JSON.") from None
    return value


def _finite(text: str) -> float:
    """A number that a double can hold (RFC 7493 §2.2)."""
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= limits.MAX_DEPTH:
        depth += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return depth


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _is_request(given: Json) -> bool:
    using, calls, created = given.get("using"), given.get("methodCalls"), given.get("createdIds")
    if not isinstance(using, list) or not isinstance(calls, list):
        return False
    if created is not None and not (
        isinstance(created, dict) and all(isinstance(i, str) for i in created.values())
    ):
        return False
    return all(isinstance(u, str) for u in using) and all(_is_call(c) for c in calls)


def _is_call(call: Any) -> bool:
    if not isinstance(call, list) or len(call) != 3:
        return False
    return isinstance(call[0], str) and isinstance(call[1], dict) and isinstance(call[2], str)


def _limit(name: str, most: int) -> RequestError:
    return RequestError("limit", f"At most {most}.", limit=name)


# ------------------------------------------------------------------ running
def _run(ctx: Context, request: Request) -> list[Answer]:
    """The calls one after the other; what would make the answer too large is refused."""
    answers: list[Answer] = []
    room = limits.MAX_RESPONSE
    for name, args, call in request.calls:
        made = _call(ctx, (name, args, call), answers)
        size = limits.weight(made)
        if size > room:
            made = [_error("requestTooLarge", "The answer would be too large.", call)]
        else:
            room -= size
        answers += made
    return answers


def _error(type: str, description: str, call: str) -> Answer:
    return "error", {"type": type, "description": description}, call


def _call(ctx: Context, asked: tuple[str, Json, str], answers: list[Answer]) -> list[Answer]:
    """One call's answers: its own, then those of the calls that follow from it."""
    name, given, call = asked
    ctx.implied.clear()

    def work() -> Json:
        known = METHODS.get(name)
        if known is None or not known.open_to(ctx.using):
            raise MethodError("unknownMethod", "There is no such method under what the request uses.")
        args = resolve(given, answers)
        if known.arguments is not None:
            _check_arguments(args, known.arguments)
            _check_account(ctx, args)
        return known.run(ctx, args)

    first = _answered(ctx, name, call, work)
    return [first, *(_answered(ctx, n, call, partial(METHODS[n].run, ctx, a)) for n, a in ctx.implied)]


def _answered(ctx: Context, name: str, call: str, work: Callable[[], Json]) -> Answer:
    """The answer of a method, or its error: the other calls of the request still get theirs."""
    try:
        return name, work(), call
    except MethodError as error:
        return "error", error.answer, call
    except ServiceError as error:
        return "error", method_error(error), call
    except Exception:
        logger.exception("method failed", extra={"method": name, "account": ctx.acct})
        return _error("serverFail", "Something went wrong here.", call)


def _check_arguments(args: Json, known: frozenset[str]) -> None:
    """RFC 8620 §3.9: an argument that the method does not have is an invalid one."""
    unknown = [name for name in args if name not in known and name != "accountId"]
    if unknown:
        told = ", ".join(name[:100] for name in unknown[:20])
        raise MethodError("invalidArguments", f"This method has no {told}.", arguments=unknown[:20])


def _check_account(ctx: Context, args: Json) -> None:
    given = args.get("accountId")
    if not isinstance(given, str):
        raise MethodError("invalidArguments", "accountId is missing.")
    if given != ctx.acct:
        raise MethodError("accountNotFound", "There is no such account.")
