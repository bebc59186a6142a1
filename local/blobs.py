"""Links to blobs under the host of page and API, as CloudFront and infra/blobs.js serve them."""

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from local.httpd import Request, Response, problem

PREFIX = "/blobs"
#: As infra/blobs.js.
HARMLESS = {"", "empty", "document", "image", "audio", "video"}
_KEPT = ("content-type", "content-disposition", "content-range", "accept-ranges", "etag", "last-modified")


class Blobs:
    """`bucket`: the bucket's own address, asked for at each request; `headers`: infra/web-headers.json."""

    def __init__(self, bucket: Callable[[], str], headers: Path) -> None:
        self._bucket = bucket
        self._headers: dict[str, str] = json.loads(headers.read_text())["/blobs/*"]

    def answer(self, request: Request) -> Response:
        """An object, if the bucket lets the link in. Nothing but the link and the range goes there."""
        if request.method == "OPTIONS":
            return Response(204, b"", list(self._headers.items()))
        if request.method not in ("GET", "HEAD") or request.header("sec-fetch-dest") not in HARMLESS:
            return problem(403, "forbidden", "Blobs are fetched here, by GET, to be kept or shown.")
        bucket = urlsplit(self._bucket())
        connection = http.client.HTTPConnection(bucket.netloc, timeout=30)
        wanted = {"Range": request.header("range")} if request.header("range") else {}
        target = f"{bucket.path}{request.path.removeprefix(PREFIX)}?{request.query}"
        try:
            connection.request(request.method, target, headers=wanted)
            found = connection.getresponse()
            kept = [(name, value) for name, value in found.getheaders() if name.lower() in _KEPT]
            return Response(found.status, found.read(), [*kept, *self._headers.items()])
        finally:
            connection.close()
