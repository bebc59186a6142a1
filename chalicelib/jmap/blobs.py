"""Blobs of an account (RFC 8620 §6): uploads, raw messages, parts. A foreign or unknown id is not found.

Ids: `u…` an upload; an email's id its raw message; `<email>_<part>` a part of it, dots as dashes.
"""

import secrets
from base64 import b32encode
from datetime import timedelta
from hashlib import sha256

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.jmap import arguments, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Account, Email, Part
from chalicelib.services.platform import Platform

DOWNLOAD_SECONDS = 300
UPLOAD_SECONDS = 900
_UPLOAD_ID = 26  # characters after the `u`


def part_blob(email_id: str, part_id: str) -> str:
    """The blob id of a part."""
    return f"{email_id}_{part_id.replace('.', '-')}"


def not_found() -> ServiceError:
    """One answer for what is not there and for what is somebody else's."""
    return ServiceError("not_found", "There is no such blob.")


def size(ctx: Context, blob_id: str) -> int:
    """Octets of a blob. Raises ServiceError not_found."""
    if _is_upload(blob_id):
        found = ctx.p.blobs.head(_upload_key(ctx.account, blob_id))
        if found is None:
            raise not_found()
        return found
    email, part = _of_email(ctx, blob_id)
    return part.size if part else email.size


def content(ctx: Context, blob_id: str) -> bytes:
    """The octets of a blob. Raises ServiceError not_found."""
    if _is_upload(blob_id):
        return ctx.p.blobs.get(_upload_key(ctx.account, blob_id))
    email, part = _of_email(ctx, blob_id)
    raw = ctx.raw(email)
    return mime.part_bytes(raw, part) if part else raw


def _is_upload(blob_id: str) -> bool:
    return (
        blob_id.startswith("u") and len(blob_id) == _UPLOAD_ID + 1 and blob_id.isalnum() and blob_id.isascii()
    )


def _upload_key(account: Account, blob_id: str) -> str:
    return f"up/{account.id}/{blob_id}"


def _of_email(ctx: Context, blob_id: str) -> tuple[Email, Part | None]:
    email_id, dot, part_id = blob_id.partition("_")
    email = ctx.emails([email_id]).get(email_id) if arguments.is_id(blob_id) else None
    if email is None:
        raise not_found()
    if not dot:
        return email, None
    wanted = part_id.replace("-", ".")
    part = next((leaf for leaf in mime.leaves(email.structure) if leaf.part_id == wanted), None)
    if part is None:
        raise not_found()
    return email, part


# ---------------------------------------------------------- for the HTTP edge
def upload(p: Platform, account: Account, data: bytes, type: str) -> Json:
    """Keep what was uploaded, for two days unless it is used. Raises ServiceError too_large."""
    if len(data) > limits.MAX_SIZE_UPLOAD:
        raise _too_large(limits.MAX_SIZE_UPLOAD)
    if not _is_type(type):
        type = "application/octet-stream"
    blob_id = _new_id()
    p.blobs.put(_upload_key(account, blob_id), data, type=type)
    return {"accountId": account.id, "blobId": blob_id, "type": type, "size": len(data)}


def upload_slot(p: Platform, account: Account, size: object, type: object) -> Json:
    """An address to PUT one blob at. Raises ServiceError invalid, too_large."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise ServiceError("invalid", "size is the number of octets to be uploaded.")
    if not isinstance(type, str) or not _is_type(type):
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


def download_url(p: Platform, account: Account, blob_id: str, name: str, type: str) -> str:
    """Where the owner can fetch a blob as a file, for five minutes. Raises ServiceError not_found."""
    ctx = Context(p, account)
    if _is_upload(blob_id):
        size(ctx, blob_id)
        key = _upload_key(account, blob_id)
    else:
        key = _key_of(ctx, blob_id)
    return p.blobs.url(key, name=name, type=type, seconds=DOWNLOAD_SECONDS)


def _key_of(ctx: Context, blob_id: str) -> str:
    """The key of a raw message, or of a part, which is cut out of it once a day."""
    email, part = _of_email(ctx, blob_id)
    if part is None:
        return email.blob
    today = clock.now().strftime("%Y%m%d")  # the bucket removes parts a day after they were written
    key = f"part/{today}/{sha256(f'{email.blob} {part.part_id}'.encode()).hexdigest()}"
    if ctx.p.blobs.head(key) is None:
        ctx.p.blobs.put(key, mime.part_bytes(ctx.raw(email), part))
    return key


def _is_type(type: str) -> bool:
    """Whether a media type can be a header's value."""
    return type.isascii() and type.isprintable() and 0 < len(type) <= 200


def _new_id() -> str:
    return "u" + b32encode(secrets.token_bytes(16)).decode().lower().rstrip("=")


def _too_large(limit: int) -> ServiceError:
    return ServiceError("too_large", f"At most {limit} octets can be uploaded here.", extra={"limit": limit})
