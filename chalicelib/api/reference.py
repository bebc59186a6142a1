"""The reference as one page: no host but its own, no script but its own filter, and readable without it."""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from chalicelib.api import openapi

Json = dict[str, Any]
HERE = Path(__file__).parent
SCRIPT, STYLE = (HERE / "reference.js").read_text(), (HERE / "reference.css").read_text()
VERBS = ("get", "post", "put", "patch", "delete")


def policy() -> str:
    """The page's Content-Security-Policy: its own style and script by hash, and nothing else."""
    return (
        f"default-src 'none'; script-src '{_hash(SCRIPT)}'; style-src '{_hash(STYLE)}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def page() -> str:
    """The whole page."""
    return render(openapi.document())


def render(described: Json) -> str:
    """A document as a page."""
    title = escape(described["info"]["title"])
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            '<a class="skip" href="#main">To the text</a><div class="all">',
            *_navigation(described),
            f'<main id="main" tabindex="-1"><h1>{title}</h1>{_prose(described["info"]["description"])}',
            '<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
            *_security(described),
            *_sections(described),
            *_models(described),
            f"</main></div><script>{SCRIPT}</script></body></html>",
        )
    )


# --------------------------------------------------------------------------------------------- navigation
def _of_tag(described: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    """(path, verb, operation) of a tag."""
    for path, methods in described["paths"].items():
        for verb in VERBS:
            if verb in methods and tag in methods[verb]["tags"]:
                yield path, verb, methods[verb]


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _words(path: str, verb: str, operation: Json) -> str:
    """What the filter looks through."""
    return escape(f"{verb} {path} {operation['summary']} {operation['operationId']}".lower(), quote=True)


def _navigation(described: Json) -> Iterator[str]:
    yield '<nav aria-label="Operations"><label for="filter">Filter (press /)</label>'
    yield '<input id="filter" type="search" autocomplete="off"><p id="found" class="soft" role="status"></p>'
    yield '<div class="tags" tabindex="0" role="group" aria-label="By subject">'
    for tag in described["tags"]:
        yield f"<details><summary>{escape(tag['name'])}</summary><ul>"
        for path, verb, operation in _of_tag(described, tag["name"]):
            words, id = _words(path, verb, operation), operation["operationId"]
            verb_mark = f'<span class="verb {verb}">{verb.upper()}</span>'
            yield f'<li data-words="{words}"><a href="#{id}">{verb_mark} {escape(_short(operation))}</a></li>'
        yield "</ul></details>"
    yield '<p><a href="#models">Schemas</a></p></div></nav>'


def _short(operation: Json) -> str:
    """The summary, with who calls, since the same is often served to several."""
    role = str(operation["operationId"]).partition("_")[0]
    return (
        f"{operation['summary']} ({role})" if role in ("admin", "operator", "user") else operation["summary"]
    )


def _security(described: Json) -> Iterator[str]:
    yield f'<h2 id="keys">Keys and sessions</h2>{_table("Name", "What it is")}'
    for name, scheme in described["components"]["securitySchemes"].items():
        yield f"<tr><td><code>{escape(name)}</code></td><td>{_inline(scheme['description'])}</td></tr>"
    yield "</tbody></table>"


# --------------------------------------------------------------------------------------------- operations
def _sections(described: Json) -> Iterator[str]:
    for tag in described["tags"]:
        name, id = escape(tag["name"]), f"tag-{_anchor(tag['name'])}"
        yield f'<section class="tag" aria-labelledby="{id}"><h2 id="{id}">{name}</h2>'
        yield f"<p>{_inline(tag.get('description', ''))}</p>"
        for path, verb, operation in _of_tag(described, tag["name"]):
            yield from _operation(described, path, verb, operation)
        yield "</section>"


def _operation(described: Json, path: str, verb: str, operation: Json) -> Iterator[str]:
    id = operation["operationId"]
    yield f'<details class="op" id="{id}" data-words="{_words(path, verb, operation)}"><summary>'
    yield f'<h3><span class="verb {verb}">{verb.upper()}</span> <code>{escape(path)}</code></h3>'
    yield f'<span>{escape(operation["summary"])}</span></summary><div class="in">'
    yield f"{_prose(operation.get('description', ''))}"
    yield f'<p class="soft">{_caller(operation)} <a href="#{id}">Link to this: {escape(id)}</a></p>'
    yield from _parameters(operation.get("parameters", []))
    yield from _body(operation.get("requestBody", {}).get("content", {}))
    yield f'<h4>Example</h4><pre tabindex="0">{escape(curl(path, verb, operation))}</pre>'
    yield from _answers(described, operation["responses"])
    yield "</div></details>"


def _table(*names: str) -> str:
    """The beginning of a table."""
    return f"<table><thead><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr></thead><tbody>"


def _caller(operation: Json) -> str:
    needed = [f"<code>{name}</code>" for one in operation["security"] for name in one]
    scopes = [
        f"<code>{escape(s)}</code>" for one in operation["security"] for kinds in one.values() for s in kinds
    ]
    told = f"Needs {' or '.join(needed)}" if needed else "Needs nothing"
    return f"{told}{', scope ' + ', '.join(scopes) if scopes else ''}."


def _parameters(parameters: list[Json]) -> Iterator[str]:
    if not parameters:
        return
    yield f"<h4>Parameters</h4>{_table('Name', 'In', 'Type', 'What it is')}"
    for given in parameters:
        needed = " (needed)" if given.get("required") else ""
        kind, words = _type(given["schema"]), _inline(given.get("description", ""))
        yield f"<tr><td><code>{escape(given['name'])}</code>{needed}</td><td>{given['in']}</td>"
        yield f"<td>{kind}</td><td>{words}</td></tr>"
    yield "</tbody></table>"


def _body(content: Json) -> Iterator[str]:
    if not content:
        return
    yield "<h4>Body</h4><ul>"
    for kind, media in content.items():
        schema = media.get("x-item-schema", media["schema"])
        words = _inline(media["schema"].get("description", ""))
        yield f"<li><code>{escape(kind)}</code>: {_type(schema)} {words}</li>"
    yield "</ul>"


def _answers(described: Json, responses: Json) -> Iterator[str]:
    yield f"<h4>Answers</h4>{_table('Status', 'Body', 'When')}"
    shown: list[tuple[str, Any]] = []
    for status, given in responses.items():
        answer = _resolved(described, given)
        kinds = [_answer_type(kind, media) for kind, media in answer.get("content", {}).items()]
        headers = ", ".join(f"<code>{escape(name)}</code>" for name in answer.get("headers", {}))
        headers = f' <span class="soft">Headers: {headers}.</span>' if headers else ""
        yield f"<tr><td>{status}</td><td>{'<br>'.join(kinds) or 'none'}</td>"
        yield f"<td>{_inline(answer['description'])}{headers}</td></tr>"
        if status < "300":
            shown += [(status, m["example"]) for m in answer.get("content", {}).values() if "example" in m][
                :1
            ]
    yield "</tbody></table>"
    for status, example in shown:
        text = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
        yield f'<h4>Answer {status}, for example</h4><pre tabindex="0">{escape(text[:4_000])}</pre>'


def _resolved(described: Json, given: Json) -> Json:
    name = given.get("$ref", "").rpartition("/")[2]
    found: Json = described["components"]["responses"][name] if name else given
    return found


def _answer_type(kind: str, media: Json) -> str:
    """A schema by its name; of a refusal, its codes."""
    codes = media["schema"].get("allOf", [{}])[-1].get("properties", {}).get("code", {}).get("enum", [])
    if codes:
        return ", ".join(f"<code>{code}</code>" for code in codes)
    schema = media["x-item-schema"] if "x-item-schema" in media else media["schema"]
    return f"<code>{escape(kind)}</code>: {_type(schema)}"


def curl(path: str, verb: str, operation: Json) -> str:
    """The operation as a command line, with the example's values."""
    given = operation.get("parameters", [])
    values = {p["name"]: str(p.get("example", p["name"])) for p in given if p["in"] == "path"}
    query = [f"{p['name']}={_plain(p['example'])}" for p in given if p["in"] == "query" and "example" in p]
    target = re.sub(r"{(\w+)}", lambda m: values[m[1]], path) + ("?" + "&".join(query) if query else "")
    line = ["curl"] if verb == "get" else ["curl", "-X", verb.upper()]
    parts = [f'{" ".join(line)} "$API{target}"']
    if operation["security"]:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if any(p["name"] == "Idempotency-Key" for p in given):
        parts.append('-H "Idempotency-Key: $(uuidgen)"')
    content = operation.get("requestBody", {}).get("content", {})
    for kind, media in [(kind, media) for kind, media in content.items() if "example" in media][-1:]:
        example = media["example"]
        text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        quoted = text.replace("'", "'\\''")
        parts += [f'-H "Content-Type: {kind}"', f"--data-binary '{quoted}'"]
    return " \\\n  ".join(parts)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


# ------------------------------------------------------------------------------------------------- schemas
def _models(described: Json) -> Iterator[str]:
    yield '<section aria-labelledby="models"><h2 id="models">Schemas</h2>'
    for name, schema in sorted(described["components"]["schemas"].items()):
        yield f'<section id="schema-{name}"><h3>{name}</h3><p>{_inline(schema.get("description", ""))}</p>'
        if fields := schema.get("properties"):
            yield _table("Field", "Type", "What it is")
            for field, about in fields.items():
                needed = " (needed)" if field in schema.get("required", ()) else ""
                yield f"<tr><td><code>{escape(field)}</code>{needed}</td><td>{_type(about)}</td>"
                yield f"<td>{_inline(about.get('description', ''))}{_bounds(about)}</td></tr>"
            yield "</tbody></table>"
        elif "enum" in schema:
            yield f"<p>{_type(schema)}</p>"
        yield "</section>"
    yield "</section>"


def _type(schema: Json) -> str:
    """A schema in a few words, with a link where it has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if kinds := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(_type(kind) for kind in kinds)
    if "const" in schema or "enum" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in values)
    kind: Any = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_type(schema['additionalProperties'])}"
    return escape(" or ".join(kind) if isinstance(kind, list) else str(kind))


def _bounds(schema: Json) -> str:
    """Limits and the default, in words."""
    known = {
        "minimum": "at least", "maximum": "at most", "minLength": "characters at least",
        "maxLength": "characters at most", "minItems": "items at least", "maxItems": "items at most",
        "default": "default",
    }  # fmt: skip
    told = [f"{words} {escape(json.dumps(schema[name]))}" for name, words in known.items() if name in schema]
    return f' <span class="soft">({"; ".join(told)})</span>' if told else ""


# --------------------------------------------------------------------------------------------------- words
def _inline(text: str) -> str:
    """A line of text with `code` and **strong**."""
    safe = escape(" ".join(text.split()), quote=False)
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", re.sub(r"`([^`]+)`", r"<code>\1</code>", safe))


def _prose(text: str) -> str:
    """Paragraphs."""
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part.strip())
