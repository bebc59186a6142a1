"""The built pages of the front end, with the headers that CloudFront would give them."""

import gzip
import hashlib
import html
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from local.httpd import Request, Response

_TEXT = ("text/", "application/javascript", "application/json", "image/svg")
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
#: As infra/edge.js: the first label of the host chooses the page.
BY_HOST = {"admin": "admin.html", "emailadmin": "admin.html", "reseller": "reseller.html"}


@dataclass(frozen=True, slots=True)
class _File:
    modified: float
    content: bytes
    packed: bytes  # gzip
    tag: str
    kind: str


class Pages:
    """Static files below `folder`. `headers`: infra/web-headers.json; `blobs`: origin of presigned URLs."""

    def __init__(self, folder: Path, headers: Path, blobs: str) -> None:
        self._folder = folder.resolve()
        self._headers: Mapping[str, Mapping[str, str]] = json.loads(headers.read_text())
        self._blobs = blobs
        self._cache: dict[Path, _File] = {}

    def answer(self, request: Request) -> Response:
        """A file; a path without a dot is a page's own and gets the page of the host."""
        if request.method not in ("GET", "HEAD"):
            return _plain(405, "Only GET here.")
        path = unquote(request.path)
        name = path.lstrip("/") if "." in path else page_of(request.header("host"))
        file = self._file(name)
        if file is None:
            return self._missing(name)
        headers = [("Content-Type", file.kind), ("ETag", file.tag), ("Vary", "Accept-Encoding")]
        headers += self._headers_of(f"/{name}")
        if file.tag in request.header("if-none-match"):
            return Response(304, b"", headers)
        if file.packed and "gzip" in request.header("accept-encoding"):
            return Response(200, file.packed, [*headers, ("Content-Encoding", "gzip")])
        return Response(200, file.content, headers)

    def _headers_of(self, path: str) -> list[tuple[str, str]]:
        chosen = self._headers.get(path) or self._headers["*"]
        return [(name, value.replace("{blobs}", self._blobs)) for name, value in chosen.items()]

    def _file(self, name: str) -> _File | None:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        modified = path.stat().st_mtime
        if path not in self._cache or self._cache[path].modified != modified:
            self._cache[path] = _read(path, modified)
        return self._cache[path]

    def _missing(self, name: str) -> Response:
        if name.endswith(".html") and not (self._folder / "mail.html").is_file():
            return _plain(503, "The pages are not built yet. `make run` builds them, or: make pages")
        return _plain(404, "There is no such page.")


def page_of(host: str) -> str:
    """The page for a host name."""
    return BY_HOST.get(host.lower().split(".")[0].split(":")[0], "mail.html")


def _read(path: Path, modified: float) -> _File:
    content = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    is_text = kind.startswith(_TEXT)
    packed = gzip.compress(content, 6) if is_text and len(content) > 500 else b""
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return _File(modified, content, packed, tag, f"{kind}; charset=utf-8" if is_text else kind)


def _plain(status: int, text: str) -> Response:
    body = f"<!doctype html><meta charset=utf-8><title>{status}</title><p>{html.escape(text)}</p>\n"
    return Response(status, body.encode(), (("Content-Type", "text/html; charset=utf-8"),))
