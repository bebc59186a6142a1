"""The control API under `/local` on the web port: clock, DNS, remote domains, outbox, counted calls.

- `GET /local/clock`: `{"now", "offset"}`, test time and how many seconds it is ahead.
- `POST /local/clock` `{"advance": "3h"}` (also `1d12h`, `45m`, `90s`); answers when all is quiet again.
- `GET /local/dns`: every record set.
- `PUT /local/dns` `{"name", "type", "values": [...]}`: replace a record set.
- `DELETE /local/dns` `{"name", "type"?}`: remove one record set, or all of the name.
- `GET /local/remote[/{domain}]`: `{"domain", "behaviour", "attempts", "log"}`.
- `PUT /local/remote/{domain}` `{"behaviour": accept, defer, refuse, complain or down}`; an address works too.
- `GET /local/outbox?to=`: what was delivered outside, oldest first; `raw` is base64, `to` address or domain.
- `GET|DELETE /local/ops`: AWS calls by service, operation and function; forget them.
"""

import email.errors
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, cast
from urllib.parse import unquote

from local import rawmail
from local.clock import Clock
from local.dns import BadRecord, Zone
from local.httpd import Request, Response, json_response, problem
from local.ops import Ops
from local.outside import BEHAVIOURS, Delivered, Outside, Remote, delivered_json
from local.ses_events import stamp

Json = dict[str, Any]
_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")
_LONGEST = timedelta(days=400)


class BadInput(ValueError):
    """What the caller sent cannot be used; the text says why."""


def duration(text: object) -> timedelta:
    """`3h`, `30d`, `1d12h`, `90s`. Raises BadInput."""
    if not isinstance(text, str) or not _DURATION.fullmatch(text):
        raise BadInput(f"'{text}' is not a duration such as 3h, 30d, 45m, 90s or 1d12h")
    parts = re.findall(r"([\d.]+)([dhms])", text)
    span = timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    if span > _LONGEST:
        raise BadInput(f"'{text}' is more than {_LONGEST.days} days; advance in smaller steps")
    return span


@dataclass
class Control:
    """Everything that a tester may turn."""

    clock: Clock
    zone: Zone
    outside: Outside
    ops: Ops
    settled: float = 120  # seconds that one due event may take

    def answer(self, request: Request) -> Response:
        """One call of the control API."""
        what, _, rest = request.path.removeprefix("/local/").strip("/").partition("/")
        handler = _HANDLERS.get((request.method, what, bool(rest)))
        if handler is None:
            known = any(name == what and deep == bool(rest) for _, name, deep in _HANDLERS)
            return (
                problem(405, "method_not_allowed", f"not {request.method} on {request.path}")
                if known
                else problem(404, "not_found", f"no {request.path} in the control API")
            )
        try:
            return handler(self, request, unquote(rest))
        except (BadInput, BadRecord) as error:
            return problem(400, "bad_request", str(error))

    # clock
    def get_clock(self, _request: Request, _rest: str) -> Response:
        """The test time."""
        now = self.clock.time()
        return json_response(200, {"now": stamp(now), "offset": round(now - time.time(), 3)})

    def post_clock(self, request: Request, rest: str) -> Response:
        """Move the time."""
        span = duration(_body(request, "advance")["advance"])
        try:
            self.clock.advance(span, step_seconds=self.settled)
        except TimeoutError as error:
            return problem(504, "not_settled", str(error))
        return self.get_clock(request, rest)

    # DNS
    def get_dns(self, _request: Request, _rest: str) -> Response:
        """Every record set."""
        return json_response(200, {"records": self.zone.all()})

    def put_dns(self, request: Request, _rest: str) -> Response:
        """Replace a record set."""
        body = _body(request, "name", "type", "values")
        values = [body["values"]] if isinstance(body["values"], str) else body["values"]
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise BadInput("'values' is a list of strings")
        name, kind = _text(body, "name"), _text(body, "type")
        self.zone.put(name, kind, values)
        shown = self.zone.get(name.strip().rstrip(".").lower(), kind.upper())
        return json_response(200, {"name": name, "type": kind.upper(), "values": list(shown) or values})

    def delete_dns(self, request: Request, _rest: str) -> Response:
        """Remove one record set, or all of a name; gone is gone, also when it never was."""
        body = _body(request, "name")
        self.zone.delete(_text(body, "name"), _text(body, "type") if body.get("type") else None)
        return Response(204)

    # the world outside
    def get_remotes(self, _request: Request, _rest: str) -> Response:
        """Every domain that was set or tried."""
        return json_response(200, {"remotes": [_remote(remote) for remote in self.outside.remotes()]})

    def get_remote(self, _request: Request, rest: str) -> Response:
        """One domain, with its attempts."""
        return json_response(200, _remote(self.outside.remote(rest)))

    def put_remote(self, request: Request, rest: str) -> Response:
        """How a domain answers from now on."""
        behaviour = _text(_body(request, "behaviour"), "behaviour")
        if behaviour not in BEHAVIOURS:
            raise BadInput(f"'behaviour' is one of {', '.join(BEHAVIOURS)}, not '{behaviour}'")
        return json_response(200, _remote(self.outside.behave(rest, behaviour)))

    def get_outbox(self, request: Request, _rest: str) -> Response:
        """What was delivered outside."""
        found = self.outside.outbox(request.parameter("to"))
        return json_response(200, [delivered_json(one, subject(one)) for one in found])

    # counted calls
    def get_ops(self, _request: Request, _rest: str) -> Response:
        """Calls since the start or the last DELETE."""
        return json_response(200, self.ops.snapshot())

    def delete_ops(self, _request: Request, _rest: str) -> Response:
        """Start again at nothing."""
        self.ops.reset()
        return Response(204)


_HANDLERS: dict[tuple[str, str, bool], Callable[[Control, Request, str], Response]] = {
    ("GET", "clock", False): Control.get_clock,
    ("POST", "clock", False): Control.post_clock,
    ("GET", "dns", False): Control.get_dns,
    ("PUT", "dns", False): Control.put_dns,
    ("DELETE", "dns", False): Control.delete_dns,
    ("GET", "remote", False): Control.get_remotes,
    ("GET", "remote", True): Control.get_remote,
    ("PUT", "remote", True): Control.put_remote,
    ("GET", "outbox", False): Control.get_outbox,
    ("GET", "ops", False): Control.get_ops,
    ("DELETE", "ops", False): Control.delete_ops,
}


def subject(delivered: Delivered) -> str:
    """The decoded subject, or empty."""
    found = rawmail.values(delivered.raw, "subject")
    try:
        return rawmail.decoded(found[0]) if found else ""
    except email.errors.MessageError:
        return found[0]


def _body(request: Request, *needed: str) -> Json:
    try:
        body = json.loads(request.body or b"null")
    except ValueError as error:
        raise BadInput(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadInput("the body is a JSON object")
    missing = [name for name in needed if name not in body]
    if missing:
        raise BadInput(f"missing: {', '.join(missing)}")
    return body


def _text(body: Json, name: str) -> str:
    if not isinstance(body[name], str):
        raise BadInput(f"'{name}' is a string")
    return cast(str, body[name])


def _remote(remote: Remote) -> Json:
    log = [asdict(attempt) | {"at": stamp(attempt.at)} for attempt in list(remote.attempts)]
    return {
        "domain": remote.name,
        "behaviour": remote.behaviour,
        "attempts": len(log),
        "log": log,
    }
