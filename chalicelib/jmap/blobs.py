"""Blobs of an account (RFC 8620 §6): uploads, raw messages, parts. A foreign or unknown id is not found.

Ids: `u…` an upload; an email's id its raw message; `<either>_<part>` a part of it, dots as dashes, and so on
where the part is a message itself; `<contact>_<digest>` what a contact's card has within it; `#k` what an
earlier call created as `k`.
"""

import secrets
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.jmap import arguments, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json
from chalicelib.mime import split
from chalicelib.rules import cardmedia
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import is_contact_id
from chalicelib.rules.values import Account, Email, Part
from chalicelib.services import contacts
from chalicelib.services.platform import Platform

DOWNLOAD_SECONDS = 300
UPLOAD_SECONDS = 900
_UPLOAD_ID = 26  # characters after the `u`
_NESTED = 8  # messages within messages that are looked into


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that is there: the object that holds it, and which part of which part of that it is."""

    id: str
    key: str
    stored: int  # octets of the object
    parts: tuple[Part, ...] = ()
    email: Email | None = None
    inline: bytes | None = None  # octets that are no object of their own: `key` names what they would be

    @property
    def size(self) -> int:
        """Octets of the blob."""
        return self.parts[-1].size if self.parts else self.stored


def part_blob(blob_id: str, part_id: str) -> str:
    """The blob id of a part of a message."""
    return f"{blob_id}_{part_id.replace('.', '-')}"


def not_found() -> ServiceError:
    """One answer for what is not there and for what is somebody else's."""
    return ServiceError("not_found", "There is no such blob.")


def find(ctx: Context, blob_id: str) -> Blob:
    """A blob by its id or its creation id. Reads octets only for a message within a message, or an upload.

    Raises ServiceError not_found.
    """
    known = ctx.resolve(blob_id)
    if known is None or not arguments.is_id(known):
        raise not_found()
    root, *path = known.split("_")
    if len(path) > _NESTED:
        raise not_found()
    if is_contact_id(root):
        return _on_card(ctx, known, root)
    blob = _upload(ctx, root) if is_upload(root) else _message(ctx, root)
    for number in path:
        blob = _inner(ctx, blob, number)
    return blob


def find_all(ctx: Context, ids: Iterable[str]) -> tuple[dict[str, Blob], list[str]]:
    """Blobs that are there by the id that each was asked for by, and the ids of all others."""
    asked = list(dict.fromkeys(ids))
    roots = {(ctx.resolve(id) or "").partition("_")[0] for id in asked}
    ctx.emails(r for r in roots if arguments.is_id(r) and not is_upload(r) and not is_contact_id(r))
    found: dict[str, Blob] = {}
    missing: list[str] = []
    for id in asked:
        try:
            found[id] = find(ctx, id)
        except ServiceError:
            missing.append(id)
    return found, missing


def to_read(blobs: Iterable[Blob]) -> int:
    """Octets that have to be read for all of these."""
    return sum({blob.key: blob.stored for blob in blobs}.values())


def is_upload(blob_id: str) -> bool:
    """Whether this is an upload's id by its form."""
    return (
        blob_id.startswith("u") and len(blob_id) == _UPLOAD_ID + 1 and blob_id.isalnum() and blob_id.isascii()
    )


def _upload(ctx: Context, blob_id: str) -> Blob:
    key = _upload_key(ctx.account, blob_id)
    size = ctx.p.blobs.head(key)
    if size is None:
        raise not_found()
    return Blob(blob_id, key, size)


def _message(ctx: Context, email_id: str) -> Blob:
    email = ctx.emails([email_id]).get(email_id)
    if email is None:
        raise not_found()
    return Blob(email_id, email.blob, email.size, email=email)


def card_blob(contact: str, digest: str) -> str:
    """The blob id of what a contact's card has within it; other octets have another one."""
    return f"{contact}_{digest}"


def _on_card(ctx: Context, blob_id: str, contact: str) -> Blob:
    """What a card has as a data: URI (RFC 9610 §3)."""
    there = contacts.get(ctx.p, ctx.acct, [contact]).get(contact)
    for digest, _, octets in cardmedia.held(there.card).values() if there else ():
        if blob_id == card_blob(contact, digest):
            return Blob(blob_id, f"card {blob_id}", len(octets), inline=octets)
    raise not_found()


def _inner(ctx: Context, outer: Blob, number: str) -> Blob:
    """A part of a message, whose tree is on record where the message is an email."""
    if outer.parts and not outer.parts[-1].type.startswith("message/"):
        raise not_found()
    known = outer.email is not None and not outer.parts
    structure = outer.email.structure if outer.email and known else split.split(content(ctx, outer))
    wanted = number.replace("-", ".")
    part = next((leaf for leaf in mime.leaves(structure) if leaf.part_id == wanted), None)
    if part is None:
        raise not_found()
    return Blob(f"{outer.id}_{number}", outer.key, outer.stored, (*outer.parts, part), outer.email)


def size(ctx: Context, blob_id: str) -> int:
    """Octets of a blob. Raises ServiceError not_found."""
    return find(ctx, blob_id).size


def content(ctx: Context, blob: Blob | str) -> bytes:
    """The octets of a blob. Raises ServiceError not_found, MethodError requestTooLarge."""
    if isinstance(blob, str):
        blob = find(ctx, blob)
    if blob.inline is not None:
        return blob.inline
    octets = ctx.octets(blob.key, blob.stored)
    for part in blob.parts:
        octets = mime.part_bytes(octets, part)
    return octets


def piece(ctx: Context, blob: Blob, start: int, end: int) -> bytes:
    """Octets start … end - 1 of a blob: no more is read than these, unless it is a part of something."""
    if start >= end:
        return b""
    if blob.parts or blob.inline is not None or (start == 0 and end >= blob.size):
        return content(ctx, blob)[start:end]
    ctx.charge(end - start)
    return ctx.p.blobs.get_range(blob.key, start, end)


def _upload_key(account: Account, blob_id: str) -> str:
    return f"up/{account.id}/{blob_id}"


# ---------------------------------------------------------- for the HTTP edge
def upload(p: Platform, account: Account, data: bytes, type: str) -> Json:
    """Keep what was uploaded, for two days unless it is used. Raises ServiceError too_large."""
    if len(data) > limits.MAX_SIZE_UPLOAD:
        raise _too_large(limits.MAX_SIZE_UPLOAD)
    if not is_type(type):
        type = "application/octet-stream"
    blob_id = keep(p, account, data, type)
    return {"accountId": account.id, "blobId": blob_id, "type": type, "size": len(data)}


def keep(p: Platform, account: Account, data: bytes, type: str) -> str:
    """The id of a new upload, which is kept for two days."""
    blob_id = _new_id()
    p.blobs.put(_upload_key(account, blob_id), data, type=type)
    return blob_id


def upload_slot(p: Platform, account: Account, size: object, type: object) -> Json:
    """An address to PUT one blob at. Raises ServiceError invalid, too_large."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ServiceError("invalid", "size is the number of octets to be uploaded.")
    if not isinstance(type, str) or not is_type(type):
        raise ServiceError("invalid", "type is the media type of what is uploaded.")
    if size > p.figures.max_message_bytes:
        raise _too_large(p.figures.max_message_bytes)
    blob_id = _new_id()
    url = p.blobs.upload_url(_upload_key(account, blob_id), size, type, UPLOAD_SECONDS)
    expires = clock.now() + timedelta(seconds=UPLOAD_SECONDS)
    return {
        "accountId": account.id,
        "blobId": blob_id,
        "url": url,
        "method": "PUT",
        "headers": {"Content-Type": type},
        "expires": arguments.show_date(expires),
    }


def download_url(p: Platform, account: Account, blob_id: str, name: str, type: str, under: str = "") -> str:
    """Where the owner can fetch a blob as a file, for five minutes: `under` the edge's address for blobs, or
    in the bucket itself. Raises ServiceError not_found.
    """
    ctx = Context(p, account)
    blob = find(ctx, blob_id)
    key = _cut_out(ctx, blob) if blob.parts or blob.inline is not None else blob.key
    return p.blobs.url(key, name=name, type=type, seconds=DOWNLOAD_SECONDS, under=under)


def _cut_out(ctx: Context, blob: Blob) -> str:
    """The key of a part by itself: cut out of what holds it once a day."""
    today = clock.now().strftime("%Y%m%d")  # the bucket removes parts a day after they were written
    named = " ".join([blob.key, *(part.part_id or "" for part in blob.parts)])
    key = f"part/{today}/{sha256(named.encode()).hexdigest()}"
    if ctx.p.blobs.head(key) is None:
        ctx.p.blobs.put(key, content(ctx, blob))
    return key


def is_type(type: str) -> bool:
    """Whether a media type can be a header's value."""
    return type.isascii() and type.isprintable() and 0 < len(type) <= 200


def _new_id() -> str:
    return "u" + b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")


def _too_large(limit: int) -> ServiceError:
    return ServiceError("too_large", f"At most {limit} octets can be uploaded here.", extra={"limit": limit})
