"""The API function, called as API Gateway calls it."""

import base64
import json
from typing import Any
from unittest import mock

from chalicelib.services import signin
from tests.jmap.client import Client, Json

EDGE = {"x-origin-secret": "the edge of tests"}


class Http:
    """The API function."""

    def __init__(self, jmap: Client) -> None:
        from app import app

        self.app = app
        self.jmap = jmap
        self.token = signin.open_session(jmap.post.p, jmap.account, "192.0.2.1").token

    def __call__(
        self, method: str, path: str, body: bytes = b"", query: Json | None = None, **headers: str
    ) -> tuple[int, Json, Any]:
        """Status, headers in lower case, body."""
        resource, parameters = self._match(path)
        sent = (
            {"authorization": f"Bearer {self.token}", "x-forwarded-host": "mail.x.test"}
            | EDGE
            | {name.replace("_", "-"): value for name, value in headers.items()}
        )
        event = {
            "requestContext": {
                "httpMethod": method,
                "resourcePath": resource,
                "identity": {"sourceIp": "192.0.2.1"},
            },
            "headers": sent,
            "pathParameters": parameters,
            "stageVariables": None,
            "isBase64Encoded": True,
            "multiValueQueryStringParameters": {k: [v] for k, v in (query or {}).items()} or None,
            "body": base64.b64encode(body).decode(),
        }
        answer = self.app(event, mock.Mock())
        shown = answer["body"]
        if shown and "json" in answer["headers"].get("Content-Type", ""):
            shown = json.loads(shown)
        return answer["statusCode"], {k.lower(): v for k, v in answer["headers"].items()}, shown

    def _match(self, path: str) -> tuple[str, dict[str, str]]:
        for resource in self.app.routes:
            names, given = resource.split("/"), path.split("/")
            if len(names) == len(given) and all(
                n == g or n.startswith("{") for n, g in zip(names, given, strict=True)
            ):
                found = {n[1:-1]: g for n, g in zip(names, given, strict=True) if n.startswith("{")}
                return resource, found
        raise AssertionError(path)
