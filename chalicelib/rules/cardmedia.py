"""Pictures and other media that a contact card has within it, as data: URIs (RFC 2397)."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

Json = dict[str, Any]
_DATA = re.compile(r"data:([^,;]*)((?:;[^,;]*)*?);base64,(.*)", re.DOTALL | re.IGNORECASE)
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.IGNORECASE)
#: How files of images begin. SVG is none of them: it can hold scripts.
_IMAGES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "image/avif"),
    (re.compile(rb"....ftyp(hei[cx]|mif1)", re.DOTALL), "image/heic"),
    (re.compile(rb"BM....\0\0\0\0", re.DOTALL), "image/bmp"),
    (re.compile(rb"II\*\0|MM\0\*"), "image/tiff"),
)


def is_type(text: str) -> bool:
    """Whether this is a media type that can stand in a data: URI."""
    return _TYPE.fullmatch(text) is not None


def image_type(octets: bytes) -> str | None:
    """The type of an image by its first octets."""
    return next((type for begins, type in _IMAGES if begins.match(octets)), None)


def inline(uri: str) -> tuple[str, bytes] | None:
    """Media type and octets of a data: URI in base64; None for any other URI."""
    found = _DATA.fullmatch(uri)
    if found is None:
        return None
    try:
        return found[1].lower() or "text/plain", b64decode(found[3], validate=True)
    except (Error, ValueError):
        return None


def picture_fault(uri: str, media_type: str | None) -> str | None:
    """What keeps a URI from being a photo (RFC 9610 §3.5): one within the card must be an image; of one that
    is elsewhere, what is said of it."""
    held = inline(uri)
    told = media_type or (held[0] if held else "image/")
    if uri[:5].lower() == "data:" and (held is None or image_type(held[1]) is None):
        return "A photo is an image: PNG, JPEG, GIF, WebP, AVIF, HEIC, BMP or TIFF."
    return None if told.lower().startswith("image/") else "The media type of a photo is that of an image."


def digest(octets: bytes) -> str:
    """What names octets within the blob ids of their card."""
    return sha256(octets).hexdigest()[:32]


def held(card: Mapping[str, Any]) -> dict[str, tuple[str, str, bytes]]:
    """What a card has within it, by the id of each of its media: digest, media type and octets."""
    found = {id: inline(entry["uri"]) for id, entry in card.get("media", {}).items()}
    return {id: (digest(one[1]), *one) for id, one in found.items() if one is not None}
