"""What S3 asks of whoever comes, and moto does not: a presigned URL that holds, and nothing beside it.

The secret of an access key is the key's id here, whoever uses it.
"""

import hmac
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_STAMP = "%Y%m%dT%H%M%SZ"

Environ = dict[str, Any]


class Refusal(NamedTuple):
    """S3's own words."""

    status: str
    code: str
    message: str

    @property
    def document(self) -> bytes:
        """The body."""
        code, message = escape(self.code), escape(self.message)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        ).encode()


TWICE = Refusal(
    "400 Bad Request",
    "InvalidArgument",
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string"
    " parameter or the Authorization header should be specified",
)
MALFORMED = Refusal(
    "400 Bad Request", "AuthorizationQueryParametersError", "The query parameters are not those of V4."
)
NOBODY = Refusal("403 Forbidden", "AccessDenied", "Access Denied")
LATE = Refusal("403 Forbidden", "AccessDenied", "Request has expired")
FORGED = Refusal(
    "403 Forbidden",
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided."
    " Check your key and signing method.",
)


def refusal(environ: Environ, now: datetime) -> Refusal | None:
    """Why this request to a bucket is not let in. Calls with an Authorization header alone are taken for
    the system's own, and a browser's question before a request is everybody's.
    """
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    presigned, header = "X-Amz-Signature" in query, "HTTP_AUTHORIZATION" in environ
    if environ["REQUEST_METHOD"] == "OPTIONS" or (header and not presigned):
        return None
    if header:
        return TWICE
    return _judge(environ, query, now) if presigned else NOBODY


def _judge(environ: Environ, query: dict[str, str], now: datetime) -> Refusal | None:
    try:
        signed_at = datetime.strptime(query["X-Amz-Date"], _STAMP).replace(tzinfo=UTC)
        key, _, region, _, _ = query["X-Amz-Credential"].split("/")
        seconds, names = int(query["X-Amz-Expires"]), query["X-Amz-SignedHeaders"].split(";")
    except (KeyError, ValueError):
        return MALFORMED
    if (now - signed_at).total_seconds() > seconds:
        return LATE
    given = query["X-Amz-Signature"]
    wanted = _signature(environ, names, S3SigV4QueryAuth(Credentials(key, key), "s3", region), query)
    return None if hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")) else FORGED


def _signature(environ: Environ, names: list[str], auth: S3SigV4QueryAuth, query: dict[str, str]) -> str:
    """What this very request would have been signed with."""
    path, _, pairs = environ["RAW_URI"].partition("?")
    kept = "&".join(pair for pair in pairs.split("&") if not pair.startswith("X-Amz-Signature="))
    url = f"http://{environ['HTTP_HOST']}{path}?{kept}"
    request = AWSRequest(environ["REQUEST_METHOD"], url, {name: _header(environ, name) for name in names})
    request.context["timestamp"] = query["X-Amz-Date"]
    return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))


def _header(environ: Environ, name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", ""))
