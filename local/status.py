"""The status page's host: files below status/ of the web's bucket, as its own CloudFront serves them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.httpd import Request, Response, problem

ABSENT = problem(404, "not_found", "There is nothing here, or the page was not put out yet.")


class StatusPage:
    """`s3` gives a client, `bucket` the bucket's name; `headers` is infra/web-headers.json."""

    def __init__(self, s3: Callable[[], Any], bucket: str, headers: Path) -> None:
        self._s3, self._bucket = s3, bucket
        self._headers: dict[str, str] = json.loads(headers.read_text())["/status/*"]

    def answer(self, request: Request) -> Response:
        """A file; the page for "/"."""
        if request.method not in ("GET", "HEAD"):
            return problem(405, "method_not_allowed", "Only GET here.")
        name = request.path.lstrip("/") or "index.html"
        try:
            found = self._s3().get_object(Bucket=self._bucket, Key=f"status/{name}")
        except ClientError:
            return ABSENT
        headers = [("Content-Type", found["ContentType"]), ("ETag", found["ETag"]), *self._headers.items()]
        if found["ETag"] in request.header("if-none-match"):
            return Response(304, b"", headers)
        return Response(200, found["Body"].read(), headers)
