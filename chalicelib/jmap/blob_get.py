"""Blob/get and /lookup (RFC 9404 §4.2, §4.3), and Blob/copy (RFC 8620 §6.3)."""

import base64
import hashlib

from chalicelib.jmap import arguments, blobs, limits, standard
from chalicelib.jmap.blobs import Blob
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.session import MAIL

_DATA = ("data", "data:asText", "data:asBase64")
_PROPERTIES = ("id", "size", *_DATA, *(f"digest:{name}" for name in limits.BLOB_DIGESTS))
_STATE = "0"  # a blob never changes


# ---------------------------------------------------------------------- get
def get(ctx: Context, args: Json) -> Json:
    """Octets, digests and sizes; what is read and what is answered is bounded before anything is."""
    properties = standard.wanted_properties(args, _PROPERTIES) or ["id", "data", "size"]
    start = arguments.integer(args, "offset", 0, least=0) or 0
    length = arguments.integer(args, "length", None, least=0)
    found, missing = _found(ctx, args)
    spans = {id: _span(blob, start, length) for id, blob in found.items()}
    read = any(name in _DATA or name.startswith("digest:") for name in properties)
    if read:
        _afford(ctx, found, spans, data=any(name in _DATA for name in properties))
    shown = []
    for asked, blob in found.items():
        one = _show(ctx, blob, spans[asked], properties, read)
        if read and (start > blob.size or (length is not None and start + length > blob.size)):
            one["isTruncated"] = True
        shown.append(one)
    return {"accountId": ctx.acct, "state": _STATE, "list": shown, "notFound": missing}


def _found(ctx: Context, args: Json) -> tuple[dict[str, Blob], list[str]]:
    """The blobs that are there by the id that each was asked for by, and the ids of all others."""
    ids = standard.wanted_ids(args)
    if ids is None:
        raise arguments.wrong("ids", "a list of strings")
    return blobs.find_all(ctx, ids)


def _span(blob: Blob, start: int, length: int | None) -> tuple[int, int]:
    end = blob.size if length is None else min(blob.size, start + length)
    return min(start, end), end


def _afford(ctx: Context, found: dict[str, Blob], spans: dict[str, tuple[int, int]], *, data: bool) -> None:
    """Raises MethodError requestTooLarge."""
    chosen = {id: end - start for id, (start, end) in spans.items()}
    if data and sum(chosen.values()) > limits.MAX_RESPONSE:
        raise MethodError("requestTooLarge", "So much data does not fit into an answer: ask for pieces.")
    whole = blobs.to_read(blob for blob in found.values() if blob.parts)
    ctx.check_room(whole + sum(chosen[id] for id, blob in found.items() if not blob.parts))


def _show(ctx: Context, blob: Blob, span: tuple[int, int], properties: list[str], read: bool) -> Json:
    octets = blobs.piece(ctx, blob, *span) if read else b""
    out: Json = {}
    for name in properties:
        if name == "id":
            out["id"] = blob.id
        elif name == "size":
            out["size"] = blob.size
        elif name.startswith("digest:"):
            out[name] = base64.b64encode(_digest(name, octets)).decode()
        else:
            out |= _data(name, octets)
    return out


def _digest(name: str, octets: bytes) -> bytes:
    """RFC 3230's names."""
    if name == "digest:sha":
        return hashlib.sha1(octets, usedforsecurity=False).digest()
    return hashlib.sha256(octets).digest()


def _data(name: str, octets: bytes) -> Json:
    """`data` is text where it can be; isEncodingProblem: text was asked for and the octets are none."""
    if name != "data:asBase64":
        try:
            return {"data:asText": octets.decode()}
        except UnicodeDecodeError:
            if name == "data:asText":
                return {"data:asText": None, "isEncodingProblem": True}
    problem = {"isEncodingProblem": True} if name == "data" else {}
    return {"data:asBase64": base64.b64encode(octets).decode(), **problem}


# ------------------------------------------------------------------- lookup
def lookup(ctx: Context, args: Json) -> Json:
    """What refers to a blob: its email, the email's mailbox and thread. An upload is nobody's yet.

    Types are those of capabilities that the request uses; all of ours are of mail.
    """
    types = arguments.strings(args, "typeNames")
    if types is None:
        raise arguments.wrong("typeNames", "a list of strings")
    unknown = [name for name in types if name not in limits.BLOB_TYPES or MAIL not in ctx.using]
    if unknown:
        raise MethodError("unknownDataType", f"Blobs cannot be looked up in {unknown[0][:100]}.")
    found, missing = _found(ctx, args)
    shown = [{"id": blob.id, "matchedIds": _matched(blob, types)} for blob in found.values()]
    return {"accountId": ctx.acct, "list": shown, "notFound": missing}


def _matched(blob: Blob, types: list[str]) -> dict[str, list[str]]:
    if blob.email is None:
        return {name: [] for name in types}
    holders = {"Email": blob.email.id, "Mailbox": blob.email.folder, "Thread": blob.email.thread}
    return {name: [holders[name]] for name in types}


# --------------------------------------------------------------------- copy
def copy(ctx: Context, args: Json) -> Json:
    """Blob/copy. There is no account to copy from: a log-in has one account."""
    arguments.strings(args, "blobIds")
    return standard.no_other_account(ctx, args)
