"""The Idempotency-Key header: a request sent twice is done once, for every POST that makes something."""

import json
from collections.abc import Callable
from typing import Literal

from chalice.app import Request, Response

from chalicelib.api.models import octets
from chalicelib.rules.values import Caller
from chalicelib.services import repeats
from chalicelib.services.platform import Platform

#: What a repeat gets. "same": the same answer. "refused": 409, for the answer shows a secret once and is not
#: kept. "own": the operation sees to it. "no": the header means nothing here.
Repeat = Literal["same", "refused", "own", "no"]
HEADER = "idempotency-key"


def once(p: Platform, caller: Caller, request: Request, how: Repeat, do: Callable[[], Response]) -> Response:
    """`do`, or what it answered before. A refusal frees the key. Raises what repeats.begin and `do` raise."""
    key = request.headers.get(HEADER)
    if how not in ("same", "refused") or key is None:
        return do()
    target = f"{request.method} {request.path} {sorted((request.uri_params or {}).items())} {_query(request)}"
    repeat = repeats.begin(p, caller, target, str(key), octets(request))
    if repeat.status:
        return Response(repeat.text, dict(repeat.headers), repeat.status)
    try:
        response = do()
    except BaseException:
        repeats.forget(p, repeat)
        raise
    _keep(p, repeat, how, response)
    return response


def _query(request: Request) -> str:
    given = request.query_params
    return json.dumps({name: given.getlist(name) for name in sorted(given)}) if given else ""


def _keep(p: Platform, repeat: repeats.Repeat, how: Repeat, response: Response) -> None:
    if response.status_code >= 400:
        repeats.forget(p, repeat)
        return
    body = (
        response.body if isinstance(response.body, str) else json.dumps(response.body, separators=(",", ":"))
    )
    headers = {name: value for name, value in response.headers.items() if isinstance(value, str)}
    repeats.finish(p, repeat, response.status_code, body if how == "same" else None, headers)
