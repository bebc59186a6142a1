"""The OpenAPI document: valid, whole, true to the routes, and in nobody's name."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import app
from chalicelib.api import openapi, reference
from chalicelib.api.problems import kinds_of, status_of
from chalicelib.api.rest import OPERATIONS, Operation
from chalicelib.rules.brands import operator_words
from tests.api.tenant import Tenant

Json = dict[str, Any]
#: Addresses that other standards' clients ask, in forms of their own: Thunderbird and Outlook.
ELSEWHERE = re.compile(r"/mail/config|/\.well-known/autoconfig|/[Aa]utodiscover/")
VERBS = {"get", "put", "post", "patch", "delete"}
#: Names of fields that are shown once and kept nowhere.
SECRETS = {"token", "secret", "api_key", "password", "recovery_codes"}


def operations() -> list[tuple[str, str, Json]]:
    """(path, verb, operation) of the document."""
    paths = openapi.document()["paths"]
    return [(path, verb, one) for path, verbs in paths.items() for verb, one in verbs.items()]


def test_it_is_valid() -> None:
    assert not [e.message for e in OpenAPIV31SpecValidator(json.loads(openapi.text())).iter_errors()]


def test_every_route_is_described_and_nothing_else() -> None:
    served = {(path, m.lower()) for path, methods in app.app.routes.items() for m in methods}
    served = {(path, m) for path, m in served if m in VERBS and not ELSEWHERE.match(path)}
    assert served == {(path, verb) for path, verb, _ in operations()}


def test_every_operation_has_a_name_of_its_own_a_summary_a_tag_and_says_who_calls() -> None:
    ids = [one["operationId"] for _, _, one in operations()]
    assert len(ids) == len(set(ids))
    tags = {tag["name"]: tag["description"] for tag in openapi.document()["tags"]}
    assert all(tags.values())
    for path, verb, one in operations():
        assert one["summary"].strip(), (path, verb)
        assert set(one["tags"]) <= set(tags)
        assert all(set(needed) <= {"apiKey", "session", "password"} for needed in one["security"])
        assert bool(one["security"]) or one["operationId"].startswith(("public_", "jmap_"))


def test_every_body_and_every_answer_has_an_example() -> None:
    missing = []
    for path, verb, one in operations():
        body = one.get("requestBody", {}).get("content", {})
        if body and not any("example" in media for media in body.values()) and "upload" not in path:
            missing.append(f"{verb} {path}: body")
        if one["tags"] in (["Mailbox (JMAP)"], ["Reference"]):
            continue
        media = [m for s, a in one["responses"].items() if s < "300" for m in a.get("content", {}).values()]
        if media and "204" not in one["responses"] and not any("example" in m for m in media):
            missing.append(f"{verb} {path}: answer")
    assert not missing


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)
def test_every_refusal_is_described_with_its_codes(operation: Operation) -> None:
    described = openapi.document()["paths"][operation.path][operation.method.lower()]["responses"]
    found: set[str] = set()
    for status, response in described.items():
        if name := response.get("$ref", "").rpartition("/")[2]:
            problem = openapi.document()["components"]["responses"][name]
            (media,) = problem["content"].values()
            codes = media["schema"]["allOf"][1]["properties"]["code"]["enum"]
            assert media["example"]["status"] == int(status)
            assert {status_of(code) for code in codes} == {int(status)}
            found |= set(codes)
    assert found == kinds_of(operation)


def test_schemas_have_names_that_say_something() -> None:
    """Two models of one name would be told apart by the names of our files."""
    assert not [name for name in openapi.document()["components"]["schemas"] if "__" in name]


def test_S1_it_names_no_operator_and_no_rules_of_ours() -> None:
    for text in (openapi.text(), reference.page()):
        assert not operator_words(text)
        assert not re.search(r"\bS[1-9]\d?\b(?!\d)", text)


def _secrets(schema: Json) -> set[str]:
    found = SECRETS & set(schema.get("properties", {}))
    return {name for name in found if schema["properties"][name].get("type") in ("string", "array")}


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.repeat == "same"], ids=lambda o: o.id)
def test_no_secret_is_kept_for_a_repeat(operation: Operation) -> None:
    for model in operation.how["answers"].values():
        if isinstance(model, type):
            schema = model.model_json_schema(mode="serialization")
            shown = {name for one in [schema, *schema.get("$defs", {}).values()] for name in _secrets(one)}
            assert not shown, "declare repeat='refused'"


def test_it_is_served_to_anybody_and_cached(town: Tenant) -> None:
    call = town.registry.call
    for path, kind in (("/v1/openapi.json", "application/json"), ("/v1/docs", "text/html; charset=utf-8")):
        first = call("GET", path, key=None)
        assert (first.status, first.headers["Content-Type"]) == (200, kind)
        assert first.headers["Cache-Control"] == "public, max-age=300"
        again = call("GET", path, key=None, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.text) == (304, "")
    assert call("GET", "/v1/openapi.json", key=None).json == json.loads(openapi.text())


def test_head_is_answered_like_get_without_a_body(town: Tenant) -> None:
    get, head = (town.registry.call(m, "/v1/domains/x.test") for m in ("GET", "HEAD"))
    assert (head.status, head.text) == (200, "")
    assert head.headers == get.headers
    assert town.registry.call("HEAD", "/v1/domains/x.test", key=None).status == 401
    assert town.registry.call("HEAD", "/v1/domains/x.test/check").status == 405
