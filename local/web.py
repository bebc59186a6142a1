"""The web port: the edge, the API, blobs, the pages, the outbox page and the control API, by host and path.

A host under `.localhost` needs no set-up in a browser; any other host works too, so that a customer's own
(`mail.newdomain.test`) shows its brand.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.apigateway import ApiGateway
from local.blobs import PREFIX, Blobs
from local.control import Control
from local.httpd import HttpServer, Request, Response, problem
from local.outbox_page import OutboxPage
from local.pages import Pages
from local.status import StatusPage

# As infra/edge.js.
_API = re.compile(r"/(?:v1|jmap|\.well-known|autodiscover)/|/brand\.json$|/mail/config-v1\.1\.xml$", re.I)


@dataclass
class Web:
    """Chooses who answers."""

    api: ApiGateway
    pages: Pages
    outbox: OutboxPage
    control: Control
    status: StatusPage
    blobs: Blobs

    def serve(self, port: int) -> HttpServer:
        """A server for it, not started. Raises OSError when the port is taken."""
        return HttpServer(self.answer, port, "web")

    def answer(self, request: Request) -> Response:
        """One request."""
        host = urlsplit(f"//{request.header('host')}").hostname or ""
        if request.path.startswith("/local/"):
            return self.control.answer(request) if _from_here(request, host) else _STRANGER
        if host.split(".")[0] == "outbox":
            return self.outbox.answer(request)
        if _API.match(request.path):
            return self.api.answer(request)
        if request.path.startswith(f"{PREFIX}/"):
            return self.blobs.answer(request)
        if host.split(".")[0] == "status":
            return self.status.answer(request)
        return self.pages.answer(request)


_STRANGER = problem(403, "forbidden", "the control API answers this machine's own pages and tools only")


def _from_here(request: Request, host: str) -> bool:
    """No page from elsewhere may turn the clock, by its own name or by one that leads here."""
    origin = request.header("origin")
    names = [host, *([urlsplit(origin).hostname or "?"] if origin else [])]
    return all(n in ("localhost", "127.0.0.1", "::1") or n.endswith(".localhost") for n in names)
