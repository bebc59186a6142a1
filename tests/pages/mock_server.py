"""Small servers for the page tests: pages with their response headers, sessions, JMAP, blobs, a canary."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.pages.mock_mail import Json, Mailroom
from tests.pages.mock_reseller import API_KEY, Console

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "webmail-frontend" / "dist"
HEADERS = json.loads((ROOT / "infra" / "web-headers.json").read_text())
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}
ADDRESS, PASSWORD = "bea@moss.test", "correct horse"
PRESIGNED = "urn:x-mail:params:jmap:presigned-upload"
BRAND = {
    "product": "Heron Mail",
    "logo": "",
    "colors": {"primary": "#0f766e", "accent": "#0f766e"},
    "support": {"email": "help@heron.test", "url": ""},
    "help_url": "https://heron.test/help",
}
JMAP_SESSION: Json = {
    "capabilities": {
        "urn:ietf:params:jmap:core": {"maxSizeUpload": 4_000_000, "maxObjectsInGet": 500},
        "urn:ietf:params:jmap:mail": {},
        "urn:ietf:params:jmap:submission": {},
        "urn:ietf:params:jmap:quota": {},
        PRESIGNED: {},
    },
    "primaryAccounts": {"urn:ietf:params:jmap:mail": "a1"},
    "username": ADDRESS,
    "apiUrl": "/jmap/api",
    "downloadUrl": "/jmap/download/{accountId}/{blobId}/{name}?type={type}",
    "uploadUrl": "/jmap/upload/{accountId}",
    "state": "1",
}


class Server(ThreadingHTTPServer):
    """One server of the mock; `serve` decides what its paths mean. Closed by `with`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.shutdown()
        self.server_close()

    def answer(self, handler: "Handler") -> None:
        raise LookupError(handler.path)


class Canary(Server):
    """Counts whoever comes: hostile mail points here."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        super().__init__()

    def answer(self, handler: "Handler") -> None:
        self.hits.append(handler.path)
        handler.reply(200, b"", "image/gif")


class BlobStore(Server):
    """Presigned uploads: another origin, as a bucket is."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        super().__init__()

    def answer(self, handler: "Handler") -> None:
        cors = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "PUT",
            "Access-Control-Allow-Headers": "*",
        }
        if handler.command == "PUT":
            assert "Authorization" not in handler.headers
            self.kept[handler.path] = handler.body()
        handler.reply(200, b"", "text/plain", cors)


class Pages(Server):
    """The web host: pages, brand, sessions and JMAP."""

    def __init__(self, blobs: BlobStore) -> None:
        self.blobs = blobs
        self.room = Mailroom(ADDRESS)
        self.console = Console()
        self.brand: Json = dict(BRAND)
        self.tokens: set[str] = set()
        self.opened = 0
        self.down = False
        super().__init__()

    def answer(self, handler: "Handler") -> None:
        path = urlsplit(handler.path).path
        if path == "/brand.json":
            handler.json(200, self.brand)
        elif path == "/v1/sessions":
            self._sessions(handler)
        elif path.startswith("/v1/"):
            self._reseller(handler, path.removeprefix("/v1"))
        elif path.startswith("/jmap/"):
            self._jmap(handler, path)
        else:
            self._file(handler, "/mail.html" if path == "/" else path)

    def _sessions(self, handler: "Handler") -> None:
        if handler.command == "DELETE":
            self.tokens.discard(handler.token())
            return handler.reply(204, b"", "text/plain")
        given = json.loads(handler.body())
        if given != {"address": ADDRESS, "password": PASSWORD}:
            return handler.problem(401, "The address or the password is wrong.")
        self.opened += 1
        token = f"token-{self.opened}"
        self.tokens.add(token)
        body = {"token": token, "account_id": "a1", "address": ADDRESS, "expires_at": "2099-01-01T00:00:00Z"}
        return handler.json(201, body)

    def _reseller(self, handler: "Handler", path: str) -> None:
        body = handler.body()
        if handler.token() != API_KEY:
            return handler.problem(401, "This API key is not known.")
        once = handler.headers.get("Idempotency-Key") or ""
        return handler.json(*self.console.answer(handler.command, path, body, once))

    def _jmap(self, handler: "Handler", path: str) -> None:
        body = handler.body()
        if handler.token() not in self.tokens:
            return handler.problem(401, "Sign in first.")
        if self.down:
            return handler.problem(503, "The mailbox is being moved. Try again in a minute.")
        if path == "/jmap/session":
            return handler.json(200, JMAP_SESSION)
        if path == "/jmap/api":
            return handler.json(200, self.room.handle(json.loads(body)))
        return self._blob(handler, path, body)

    def _blob(self, handler: "Handler", path: str, body: bytes) -> None:
        if path.startswith("/jmap/upload-url/"):
            blob = self.room.blob(b"")
            target = {"url": f"{self.blobs.url}/{blob}", "method": "PUT", "headers": {}, "blobId": blob}
            return handler.json(200, target)
        if path.startswith("/jmap/upload/"):
            assert len(body) <= 4_000_000
            blob = self.room.blob(body)
            return handler.json(201, {"accountId": "a1", "blobId": blob, "type": "", "size": len(body)})
        blob = unquote(path.split("/")[4])
        asked = parse_qs(urlsplit(handler.path).query).get("type", [""])[0]
        assert asked
        content = self.blobs.kept.get(f"/{blob}") or self.room.blobs[blob]
        return handler.reply(200, content, "application/octet-stream", {"Content-Disposition": "attachment"})

    def _file(self, handler: "Handler", path: str) -> None:
        file = (DIST / path.lstrip("/")).resolve()
        if not file.is_relative_to(DIST) or not file.is_file():
            return handler.problem(404, "There is no such page.")
        own = {k: v.replace("{blobs}", self.blobs.url) for k, v in HEADERS.get(path, HEADERS["*"]).items()}
        own.pop("Strict-Transport-Security")
        kind = TYPES.get(file.suffix, "application/octet-stream")
        return handler.reply(200, file.read_bytes(), kind, own)


class Handler(BaseHTTPRequestHandler):
    """Hands every request to its server's `answer`."""

    protocol_version = "HTTP/1.1"
    server: Server

    def _any(self) -> None:
        self.server.answer(self)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = _any

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def json(self, status: int, body: Any) -> None:
        self.reply(status, json.dumps(body).encode(), "application/json")

    def problem(self, status: int, detail: str) -> None:
        self.reply(
            status, json.dumps({"status": status, "detail": detail}).encode(), "application/problem+json"
        )

    def reply(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: a test's output is its assertions."""
