"""Result references (RFC 8620 §3.7): arguments taken from the answer to an earlier call."""

from typing import Any

from chalicelib.jmap.errors import Json, MethodError

Answer = tuple[str, Json, str]
_MAX_VALUES = 100_000


def resolve(args: Json, answers: list[Answer]) -> Json:
    """Arguments with `#name` replaced by what it refers to. Raises MethodError."""
    out: Json = {}
    for name, value in args.items():
        if not name.startswith("#"):
            out[name] = value
            continue
        if name[1:] in args:
            raise MethodError("invalidArguments", f'"{name[1:]}" is given twice, once by reference.')
        out[name[1:]] = _referred(value, answers)
    return out


def _referred(reference: Any, answers: list[Answer]) -> Any:
    fields = ("resultOf", "name", "path")
    if not isinstance(reference, dict) or not all(isinstance(reference.get(f), str) for f in fields):
        raise _invalid("A reference has the strings resultOf, name and path.")
    answer = next((a for a in answers if a[2] == reference["resultOf"]), None)
    if answer is None or answer[0] != reference["name"]:
        raise _invalid("No earlier call of this request has that name and call id.")
    return follow(answer[1], reference["path"])


def follow(value: Any, path: str) -> Any:
    """A JSON pointer (RFC 6901) in which `*` stands for every entry of a list, their lists joined."""
    if path and not path.startswith("/"):
        raise _invalid("A path begins with a slash.")
    tokens = [t.replace("~1", "/").replace("~0", "~") for t in path.split("/")[1:]]
    return _walk(value, tokens)


def _walk(value: Any, tokens: list[str]) -> Any:
    for at, token in enumerate(tokens):
        if isinstance(value, list) and token == "*":
            return _each(value, tokens[at + 1 :])
        value = _step(value, token)
    return value


def _each(values: list[Any], tokens: list[str]) -> list[Any]:
    out: list[Any] = []
    for entry in values:
        found = _walk(entry, tokens)
        out.extend(found if isinstance(found, list) else [found])
        if len(out) > _MAX_VALUES:
            raise _invalid("The path leads to too many values.")
    return out


def _step(value: Any, token: str) -> Any:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list) and token.isascii() and token.isdigit() and len(token) < 10:
        plain = token == "0" or not token.startswith("0")
        if plain and int(token) < len(value):
            return value[int(token)]
    raise _invalid("The path leads nowhere.")


def _invalid(description: str) -> MethodError:
    return MethodError("invalidResultReference", description)
