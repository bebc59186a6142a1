"""Who asks, from where, and under which host name."""

import base64
import binascii
import hmac

from chalice.app import Request

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Account, Caller
from chalicelib.services import signin
from chalicelib.services.platform import platform


def forwarded(request: Request, name: str) -> str:
    """A header that the edge writes (X-Forwarded-…); empty where it was not the edge that wrote it.

    Anybody can talk to the API beside the edge, and claim there to be whoever and wherever: the edge proves
    itself by a secret of its own, which it writes over whatever a browser sent.
    """
    secret = platform().settings.origin_secret.encode()
    given = str(request.headers.get("x-origin-secret") or "").encode("utf-8", "replace")
    if not secret or not hmac.compare_digest(secret, given):
        return ""
    return str(request.headers.get(name) or "").strip()


def host(request: Request) -> str:
    """The host a browser came with, without a port. Behind the edge the Host header is the API's own."""
    name = forwarded(request, "x-forwarded-host") or str(request.headers.get("host") or "").strip()
    bare, colon, port = name.lower().rpartition(":")
    return bare if colon and port.isdigit() else name.lower()


def source(request: Request) -> str:
    """The address a request came from: behind the edge the last hop is the edge's own, and the one before it
    was written by the edge.
    """
    hops = [hop.strip() for hop in forwarded(request, "x-forwarded-for").split(",")]
    if len(hops) > 1:
        return hops[-2]
    return str(request.context.get("identity", {}).get("sourceIp") or "")


def bearer(request: Request) -> str:
    """The bearer token (RFC 6750 §2.1). Raises ServiceError unauthenticated."""
    scheme, _, token = str(request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ServiceError("unauthenticated", "This needs an Authorization header with a bearer token.")
    return token.strip()


def caller(request: Request) -> Caller:
    """Whose API key. Raises ServiceError unauthenticated."""
    return signin.api_caller(platform(), bearer(request), source(request))


def account(request: Request) -> Account:
    """Whose mailbox: by a session's token, or by address and password as mail clients send them (RFC 7617).

    Raises ServiceError: unauthenticated, bad_credentials, throttled, and what signin.authenticate raises.
    """
    scheme, _, credentials = str(request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return signin.session(platform(), bearer(request))
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise ServiceError("unauthenticated", "The Authorization header is malformed.") from None
    address, _, password = text.partition(":")
    return signin.authenticate(platform(), address, password, door="jmap", source=source(request))
