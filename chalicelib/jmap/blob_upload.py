"""Blob/upload (RFC 9404 §4.1): blobs from text, base64, and pieces of other blobs."""

import base64
import binascii
from typing import Any

from chalicelib.jmap import arguments, blobs, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError, SetError, invalid
from chalicelib.rules.errors import ServiceError

_CONTENT = ("data:asText", "data:asBase64", "blobId")
_RANGE = ("offset", "length")


def upload(ctx: Context, args: Json) -> Json:
    """Each after those of the same call that it takes pieces of, by `#k`. What is made before a request has
    read all that it may is nobody's and goes after two days.
    """
    given = arguments.objects(args, "create")
    if len(given) > limits.MAX_OBJECTS_IN_SET:
        raise MethodError(
            "requestTooLarge", f"At most {limits.MAX_OBJECTS_IN_SET} blobs can be made at once."
        )
    created: dict[str, Json] = {}
    refused: dict[str, Json] = {}
    for creation in _ordered(given):
        wanted = given[creation]
        try:
            created[creation] = _create(ctx, wanted)
            ctx.created[creation] = created[creation]["id"]
        except SetError as error:
            refused[creation] = error.answer
    return {"accountId": ctx.acct, "created": created or None, "notCreated": refused or None}


def _ordered(given: dict[str, Json]) -> list[str]:
    """Creation ids, none of which refers to a later one (RFC 8620 §5.3) unless they go in a circle."""
    order: list[str] = []
    waiting = {creation: _named(wanted) - {creation} for creation, wanted in given.items()}
    while waiting:
        ready = [creation for creation, named in waiting.items() if waiting.keys().isdisjoint(named)]
        ready = ready or list(waiting)
        order += ready
        waiting = {creation: named for creation, named in waiting.items() if creation not in ready}
    return order


def _named(given: Json) -> set[str]:
    """Creation ids that a blob's sources name."""
    sources = given.get("data") if isinstance(given.get("data"), list) else []
    ids = [source.get("blobId") for source in sources or [] if isinstance(source, dict)]
    return {id[1:] for id in ids if isinstance(id, str) and id.startswith("#")}


def _create(ctx: Context, given: Json) -> Json:
    unknown = [name for name in given if name not in ("data", "type")]
    if unknown:
        raise invalid("These cannot be set.", *unknown)
    sources, type = given.get("data"), given.get("type")
    if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
        raise invalid("A blob is made of a list of sources.", "data")
    if len(sources) > limits.MAX_DATA_SOURCES:
        raise SetError("tooLarge", f"At most {limits.MAX_DATA_SOURCES} sources make a blob.")
    if type is not None and not (isinstance(type, str) and blobs.is_type(type)):
        raise invalid("This is no media type.", "type")
    data = _joined(ctx, sources)
    id = blobs.keep(ctx.p, ctx.account, data, type or "application/octet-stream")
    return {"id": id, "type": type, "size": len(data)}


def _joined(ctx: Context, sources: list[Json]) -> bytes:
    """The sources one after the other. No more is held than the result and one piece of it."""
    out, most = bytearray(), ctx.p.figures.max_message_bytes
    for source in sources:
        kinds = [name for name in _CONTENT if source.get(name) is not None]
        if len(kinds) != 1 or any(name not in (*_CONTENT, *_RANGE) for name in source):
            raise invalid(f"A source has one of {', '.join(_CONTENT)}.", "data")
        if kinds == ["blobId"]:
            out += _piece(ctx, source, most - len(out))
        else:
            out += _inline(source, kinds[0])
        if len(out) > most:
            raise _too_large(most)
    return bytes(out)


def _inline(source: Json, kind: str) -> bytes:
    """Octets that the source itself has."""
    value = source[kind]
    if not isinstance(value, str) or any(source.get(name) is not None for name in _RANGE):
        raise invalid("Text and base64 are strings, taken whole.", "data")
    if kind == "data:asText":
        return value.encode()
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("This is no base64.", "data") from None


def _piece(ctx: Context, source: Json, room: int) -> bytes:
    """Octets of another blob. Raises SetError blobNotFound, invalidProperties, tooLarge."""
    id = source["blobId"]
    try:
        blob = blobs.find(ctx, id if isinstance(id, str) else "")
        start, length = _number(source, "offset", 0), _number(source, "length", None)
        end = blob.size if length is None else (start or 0) + length
        if start is None or not start <= end <= blob.size:
            raise invalid("The blob ends before this.", "data")
        if end - start > room:
            raise _too_large(ctx.p.figures.max_message_bytes)
        return blobs.piece(ctx, blob, start, end)
    except ServiceError as error:
        raise SetError("blobNotFound", error.detail, notFound=[id]) from None


def _number(source: Json, name: str, default: int | None) -> int | None:
    value: Any = source.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= arguments.MAX_INT:
        raise invalid("This is a number of octets.", "data")
    return value


def _too_large(most: int) -> SetError:
    return SetError("tooLarge", f"A blob has at most {most} octets.", maxSize=most)
