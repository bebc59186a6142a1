"""schemathesis over the whole OpenAPI document: no 5xx, no answer that is not described, for any input.

No operation is left out. Each is called by its own role, with input that fits the document and input that
does not (where there is any that could not); half of the calls name what is there in their paths, so that
they get past the look-ups.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from unittest import mock

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import app
from chalicelib.api import openapi
from chalicelib.api.rest import OPERATIONS
from local.apigateway import event, match, response
from local.httpd import Request
from tests.api.tenant import Tenant, variables

load_all_checks()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4  # of each kind and operation
BY_ID = {operation.id: operation for operation in OPERATIONS}


class Caller:
    """Who calls, whatever headers are generated: without a key every answer would be the same 401."""

    key: str | None = None


def server(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The app as WSGI, by way of API Gateway's events."""
    path, _, query = str(environ["REQUEST_URI"]).partition("?")
    headers = [
        (k.removeprefix("HTTP_").replace("_", "-").title(), v) for k, v in environ.items() if _is_header(k)
    ]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if Caller.key:
        headers = [
            *(h for h in headers if h[0] != "Authorization"),
            ("Authorization", f"Bearer {Caller.key}"),
        ]
    asked = Request(environ["REQUEST_METHOD"], path, query, tuple(headers), body, "192.0.2.9")
    resource, captured = match(app.app.routes, path) or (path, {})
    given_back = app.app(event(asked, resource, captured, 0.0), mock.Mock(aws_request_id="1"))
    answered = response(given_back)
    start_response(f"{answered.status} X", [(name, str(value)) for name, value in answered.headers])
    return [answered.body]


def _is_header(name: str) -> bool:
    return name.startswith("HTTP_") or name == "CONTENT_TYPE"


schema = schemathesis.openapi.from_dict(json.loads(openapi.text()))
schema.app = server
ALL: dict[str, Any] = {}
for found in schema.get_all_operations():
    described: Any = found
    ALL[described.ok().definition.raw["operationId"]] = described.ok()
#: Any text is a form, and any bytes a blob: nothing does not fit.
ANY_FITS = {"public_subscribe_by_form", "public_confirm_subscription", "jmap_upload"}


def cases() -> Iterator[Any]:
    """Each operation with what fits, and with what does not where it takes anything."""
    for id, operation in ALL.items():
        raw = operation.definition.raw
        yield pytest.param(id, GenerationMode.POSITIVE, id=f"{id}-fits")
        takes = [p for p in raw.get("parameters", ()) if p["in"] != "header"]
        if id not in ANY_FITS and (takes or "requestBody" in raw):
            yield pytest.param(id, GenerationMode.NEGATIVE, id=f"{id}-does-not-fit")


def test_nothing_is_left_out() -> None:
    described = [m["operationId"] for path in openapi.document()["paths"].values() for m in path.values()]
    assert sorted(ALL) == sorted(described)


def caller(town: Tenant, id: str) -> str | None:
    """The key or session of who calls."""
    return town.keys[BY_ID[id].role if id in BY_ID else "user"]


def names(town: Tenant, id: str) -> dict[str, str]:
    """What the variables of its path name."""
    if id in BY_ID:
        return {name: town.value(BY_ID[id], name) for name in variables(BY_ID[id])}
    return {"account_id": town.account("bob@x.test").id, "blob_id": "b1", "name": "a.txt"}


@pytest.mark.parametrize(("id", "kind"), list(cases()))
def test_any_input_is_answered_as_described(town: Tenant, id: str, kind: GenerationMode) -> None:
    operation, Caller.key = ALL[id], caller(town, id)
    known = {k: v for k, v in names(town, id).items() if f"{{{k}}}" in operation.path}
    anywhere = operation.as_strategy(generation_mode=kind)
    here = operation.as_strategy(generation_mode=kind, path_parameters=known)
    given_cases = st.one_of(here, anywhere) if known else anywhere

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=given_cases)
    def run(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    with town.undone():
        run()
