"""Whether an answer is as the OpenAPI document says."""

import json
from typing import Any

import jsonschema_rs

from chalicelib.api import openapi
from tests.registry import Answer


def described(path: str, method: str, status: int) -> dict[str, Any] | None:
    """What the document says of a status; None: nothing."""
    found = openapi.document()["paths"][path][method.lower()]["responses"].get(str(status))
    if found and "$ref" in found:
        found = openapi.document()["components"]["responses"][found["$ref"].rpartition("/")[2]]
    return found  # type: ignore[no-any-return]


def faults(path: str, method: str, answer: Answer) -> list[str]:
    """What is not as described; empty where all is."""
    said = described(path, method, answer.status)
    if said is None:
        return [f"{answer.status} is not described: {answer.text[:300]}"]
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    content = said.get("content", {})
    if not content:
        return [f"a body, where none is described: {answer.text[:100]}"] if answer.text else []
    if kind not in content:
        return [f"{kind} is not among {sorted(content)}"]
    if not kind.endswith("json") or kind.endswith("ndjson"):
        return []
    schema = {**content[kind]["schema"], "components": openapi.document()["components"]}
    wrong = jsonschema_rs.validator_for(schema).iter_errors(json.loads(answer.text))
    return [f"{list(e.instance_path)}: {e.message}" for e in wrong]
