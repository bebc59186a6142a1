"""The OpenAPI 3.1 document, written from what the routes declare: once per process, when first asked for."""

import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.api import bulk, otherdocs
from chalicelib.api.docwords import INFO, METHODS_THAT_CHANGE, ORDER, SECURITY, VARIABLES, header_parameters
from chalicelib.api.problems import PROBLEM_SCHEMAS, ProblemResponses, kinds_of
from chalicelib.api.rest import BODY_TYPES, JSON, OPERATIONS, Example, Operation, Out, Query

Json = dict[str, Any]
RECORDED = Path(__file__).with_name("examples.json")
REF = "#/components/schemas/"
ROLE_WORDS = {
    "reseller": "Called with a reseller's API key.",
    "operator": "Called with an API key of the service's operator.",
    "admin": "Called with the session of an email administrator, for the administrator's own domain.",
    "user": "Called with a session, for the mailbox that is signed in.",
    "public": "Anybody may call it.",
}
TAGGED = {
    "ETag": {
        "description": "The entity tag of the document, for If-Match and If-None-Match.",
        "schema": {"type": "string"},
    }
}
LOCATION = {
    "Location": {"description": "Where it is.", "schema": {"type": "string", "format": "uri-reference"}}
}


@cache
def document() -> Json:
    """The whole document."""
    schemas = _Schemas()
    problems = ProblemResponses()
    paths: Json = {}
    for operation in OPERATIONS:
        described = _operation(operation, schemas, problems)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    for path, methods in otherdocs.PATHS.items():
        paths.setdefault(path, {}).update(methods)
    components = {
        "securitySchemes": SECURITY,
        "schemas": {**PROBLEM_SCHEMAS, **otherdocs.SCHEMAS, **schemas.kept()},
        "responses": problems.made,
    }
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "tags": _tags(),
        "paths": dict(sorted(paths.items())),
        "components": components,
    }


@cache
def text() -> str:
    """The document as it is served."""
    return json.dumps(document(), ensure_ascii=False, separators=(",", ":"))


@cache
def recorded() -> dict[str, Any]:
    """Answers that the examples were given when they were last recorded, by operationId."""
    found: dict[str, Any] = json.loads(RECORDED.read_text())
    return found


def _tags() -> list[Json]:
    """A tag for each section, with the first paragraph of the file that declares it."""
    words: dict[str, str] = {}
    for operation in OPERATIONS:
        module = inspect.getmodule(operation.view)
        words.setdefault(operation.tag, _unnumbered(inspect.getdoc(module) or "").split("\n\n")[0])
    names = sorted(words, key=lambda name: (name not in ORDER, ORDER.index(name) if name in ORDER else 0))
    return [{"name": n, "description": " ".join(words[n].split())} for n in names] + otherdocs.TAGS


def _unnumbered(text: str) -> str:
    """Words without the numbers of the service's rules, which say nothing outside."""
    without = re.sub(r"\s*\((?:S\d+(?:,? (?:and|to) |, )?)+\)", "", text)
    return re.sub(r"\((?:S\d+, )+", "(", without)


# ------------------------------------------------------------------------------------------------ schemas
class _Schemas:
    """JSON Schemas of every model that an operation names, under the models' own names."""

    def __init__(self) -> None:
        wanted: list[tuple[type[BaseModel], Any]] = []
        for operation in OPERATIONS:
            how = operation.how
            wanted += [(how[part], "validation") for part in ("body", "query", "rows") if part in how]
            wanted += [(m, "serialization") for m in how["answers"].values() if isinstance(m, type)]
        wanted.append((bulk.ResultOut, "validation"))
        self._names, made = models_json_schema(list(dict.fromkeys(wanted)), ref_template=REF + "{model}")
        self.defined: Json = made["$defs"]
        self._queries: set[str] = set()

    def ref(self, model: type[BaseModel], mode: Any) -> Json:
        """A reference to a model's schema."""
        return dict(self._names[model, mode])

    def query(self, model: type[Query]) -> Iterator[Json]:
        """A model's fields as parameters. Null has no form behind a question mark: it is left out."""
        name = self._names[model, "validation"]["$ref"].removeprefix(REF)
        self._queries.add(name)
        schema = self.defined[name]
        for field, given in schema.get("properties", {}).items():
            about = {k: v for k, v in given.items() if k not in ("title", "description")}
            if "anyOf" in about:
                kinds = [kind for kind in about.pop("anyOf") if kind != {"type": "null"}]
                about |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
            if about.get("default", 0) in (None, ""):  # as if it were not there
                del about["default"]
            parameter = {
                "name": field,
                "in": "query",
                "required": field in schema.get("required", ()),
                "schema": about,
            }
            yield parameter | ({"description": given["description"]} if "description" in given else {})

    def kept(self) -> Json:
        """Every schema but those of queries, which are told as parameters."""
        return {name: _plain(schema) for name, schema in self.defined.items() if name not in self._queries}


def _plain(schema: Any) -> Any:
    """A schema without the titles that repeat its names, and without numbers of rules in its words."""
    if isinstance(schema, list):
        return [_plain(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: _plain(v) for k, v in schema.items() if k != "title" or not isinstance(v, str)}
    if kept.get("minLength") and kept.get("default") == "":  # stands for "not given", and is no value
        del kept["default"]
    if isinstance(kept.get("description"), str):
        kept["description"] = _unnumbered(kept["description"])
    return kept


# --------------------------------------------------------------------------------------------- operations
def _operation(operation: Operation, schemas: _Schemas, problems: ProblemResponses) -> Json:
    how = operation.how
    summary, _, rest = _unnumbered(inspect.getdoc(operation.view) or "").partition("\n")
    scope = (
        f"The key needs the scope `{how['scope']}`."
        if how.get("scope") and operation.role in ("reseller", "operator")
        else ""
    )
    words = [rest.strip(), ROLE_WORDS[operation.role], scope, _repeat_words(operation)]
    made: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "description": "\n\n".join(part for part in words if part),
        "security": _security(operation),
    }
    if parameters := [*_parameters(operation, schemas)]:
        made["parameters"] = parameters
    if body := _body(operation, schemas):
        made["requestBody"] = body
    responses = {str(s): _answer(operation, s, m, schemas) for s, m in how["answers"].items()}
    if _tagged(operation):
        responses["304"] = {"description": "It is as If-None-Match says.", "headers": TAGGED}
    responses |= problems.of(kinds_of(operation))
    made["responses"] = dict(sorted(responses.items()))
    return made


def _repeat_words(operation: Operation) -> str:
    match operation.repeat:
        case "same":
            return (
                "With an `Idempotency-Key`, a repeat within 24 hours gets the same answer and does nothing."
            )
        case "refused":
            return (
                "With an `Idempotency-Key`, a repeat within 24 hours does nothing and is answered with 409: "
                "the answer shows a secret once, and is not kept."
            )
    return ""


def _security(operation: Operation) -> list[Json]:
    if operation.role == "public":
        return []
    if operation.role in ("reseller", "operator"):
        scope = operation.how.get("scope", "")
        return [{"apiKey": [scope] if scope else []}]
    return [{"session": []}]


def _tagged(operation: Operation) -> bool:
    return operation.method == "GET" and isinstance(operation.how["answers"].get(200), type)


def _parameters(operation: Operation, schemas: _Schemas) -> Iterator[Json]:
    example = operation.how.get("example", Example())
    for name in re.findall(r"{(\w+)}", operation.path):
        words, usual = VARIABLES.get(name, (f"The {name.replace('_', ' ')}.", name))
        schema = {"type": "string", "minLength": 1, "maxLength": 320}
        shown = example.path.get(name, usual)
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": words,
            "schema": schema,
            "example": shown,
        }
    if "query" in operation.how:
        for parameter in schemas.query(operation.how["query"]):
            if parameter["name"] in example.query:
                parameter["example"] = _typed(example.query[parameter["name"]], parameter["schema"])
            yield parameter
    yield from header_parameters(
        read=_tagged(operation),
        changes=operation.method in METHODS_THAT_CHANGE
        and "precondition_failed" in operation.how.get("errors", ()),
        repeats=operation.repeat != "no" and operation.method == "POST",
    )


def _typed(text: str, schema: Json) -> Any:
    return json.loads(text) if schema.get("type") in ("integer", "boolean") else text


def _body(operation: Operation, schemas: _Schemas) -> Json:
    how = operation.how
    content: Json = {}
    example = how.get("example", Example()).body
    if "body" in how:
        media = {"schema": schemas.ref(how["body"], "validation")}
        if example is not None:
            media["example"] = example
        content |= dict.fromkeys(BODY_TYPES.get(operation.method, [JSON]), media)
    if "rows" in how:
        content |= _rows_in(how["rows"], example, schemas)
    for kind in how.get("raw", ()):
        is_text = kind.startswith(("text/", "application/x-www-form"))
        media = {"schema": {"type": "string"}} if is_text else {"schema": {}}
        content[kind] = media | ({"example": example} if is_text and isinstance(example, str) else {})
    return {"required": True, "content": content} if content else {}


def _rows_in(model: type[BaseModel], example: Any, schemas: _Schemas) -> Json:
    """Both forms of many rows. OpenAPI 3.1 has no word for the schema of a line: it is referred to."""
    ref = schemas.ref(model, "validation")
    name = ref["$ref"].removeprefix(REF)
    lines = (
        f"A JSON document a line, each a `{name}`; at most {bulk.MOST_ROWS} lines and {bulk.LARGEST} bytes."
    )
    cells = (
        f"A header line with names of fields of `{name}`, then a line a row. true and false; lists by `;`."
    )
    shown = example if isinstance(example, str) else ""
    ndjson = "\n".join(line for line in shown.splitlines() if line.startswith("{"))
    media = {"schema": {"type": "string", "description": lines}, "x-item-schema": ref}
    csv = {"schema": {"type": "string", "description": cells}, "x-item-schema": ref}
    return {
        bulk.NDJSON: media | ({"example": ndjson + "\n"} if ndjson else {}),
        bulk.CSV: csv | ({"example": shown} if shown and not ndjson else {}),
    }


def _answer(operation: Operation, status: int, model: type[Out] | str | None, schemas: _Schemas) -> Json:
    made: Json = {"description": _SUCCESS.get(status, "Done.")}
    headers: Json = {}
    if isinstance(model, type):
        media: Json = {"schema": schemas.ref(model, "serialization")}
        shown = recorded().get(operation.id, {})
        if shown.get("status") == status:
            media["example"] = shown["body"]
        made["content"] = {JSON: media}
        headers |= TAGGED
    elif "rows" in operation.how:
        made["content"] = _rows_out(schemas)
    elif model:
        media = {"schema": {"type": "string"}}
        shown = recorded().get(operation.id, {})
        if shown.get("status") == status:
            media["example"] = shown["body"]
        made["content"] = {model.partition(";")[0]: media}
        if model == JSON:
            media["schema"] = {"type": "object"}
    if status in (201, 202, 303):
        headers |= LOCATION
    return made | ({"headers": headers} if headers else {})


_SUCCESS = {
    200: "As asked.",
    201: "Made.",
    202: "Taken; it goes on by itself.",
    204: "Done. There is nothing to say.",
    304: "It is as If-None-Match says.",
    303: "It is at the address that Location gives, for a few minutes.",
}


def _rows_out(schemas: _Schemas) -> Json:
    ref = schemas.ref(bulk.ResultOut, "validation")
    lines = {"type": "string", "description": "A line a row, each a `ResultOut`."}
    cells = {"type": "string", "description": f"Columns {', '.join(bulk.COLUMNS)}."}
    shown = '{"row": 1, "status": 201, "address": "eve@x.test"}\n'
    return {
        bulk.NDJSON: {"schema": lines, "x-item-schema": ref, "example": shown},
        bulk.CSV: {"schema": cells, "example": f"{','.join(bulk.COLUMNS)}\r\n1,201,,eve@x.test,,\r\n"},
    }
