"""Raw messages, uploads and extracted parts. A blob never changes once it is written.

Keys: `in/<ses id>` received, `own/<id>` composed here, `idx/<account>/<id>` of search indexes (searchindex),
`up/<account>/<id>` uploads and `part/<…>` parts for download (these two expire by the bucket's lifecycle).
"""

import re
from urllib.parse import quote

from chalicelib.aws.bucket import Bucket, NoSuchObject
from chalicelib.rules.errors import ServiceError

_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")
_TYPE = re.compile(
    r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}"
    r"(?: ?; ?[a-z0-9!#$&^_.+-]{1,64}=(?:[a-z0-9!#$&^_.+-]{1,128}|\"[ !#-\[\]-~]{0,128}\")){0,8}",
    re.ASCII | re.IGNORECASE,
)  # with parameters, of which no character could end the field or a quoted value
FALLBACK_TYPE = "application/octet-stream"


def disposition(name: str) -> str:
    """`attachment` with the file name in both forms of RFC 6266, whatever the name holds."""
    name = name.replace("\r", " ").replace("\n", " ")[:200] or "download"
    name = name.encode(errors="replace").decode()  # a lone surrogate cannot be percent-encoded
    return f"attachment; filename=\"{_UNSAFE.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"


class Blobs:
    """Blobs in their bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def get(self, key: str) -> bytes:
        """The blob. Raises ServiceError not_found."""
        try:
            return self._bucket.get(key)
        except NoSuchObject as error:
            raise ServiceError("not_found", "This content is no longer kept.") from error

    def get_range(self, key: str, start: int, end: int) -> bytes:
        """Octets start … end - 1. Raises ServiceError not_found."""
        try:
            return self._bucket.get_range(key, start, end)
        except NoSuchObject as error:
            raise ServiceError("not_found", "This content is no longer kept.") from error

    def put(self, key: str, content: bytes, *, type: str = FALLBACK_TYPE) -> None:
        """Keep a blob."""
        self._bucket.put(key, content, type=type)

    def head(self, key: str) -> int | None:
        """Its size in bytes; None when there is none."""
        return self._bucket.head(key)

    def url(self, key: str, *, name: str, type: str, seconds: int = 300, under: str = "") -> str:
        """A link to download it as a file, never shown in place (a page from our origin would be XSS).

        `under`: the address below which the edge serves the bucket, for a link under its host.
        """
        safe = type if _TYPE.fullmatch(type) else FALLBACK_TYPE
        said = disposition(name)
        return self._bucket.get_url(key, disposition=said, type=safe, seconds=seconds, under=under)

    def upload_url(self, key: str, size: int, type: str, seconds: int = 900) -> str:
        """A link to PUT exactly this many bytes of this type."""
        return self._bucket.put_url(key, size=size, type=type, seconds=seconds)

    def delete(self, key: str) -> None:
        """Remove a blob, which need not be there."""
        self._bucket.delete(key)
