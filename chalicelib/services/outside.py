"""Servers of others that customers name: where requests may go, and what is fetched from there."""

import time
from urllib.parse import urljoin

from chalicelib.aws import http
from chalicelib.rules.webhooks import LOOPBACK, Target, UrlError, public, target
from chalicelib.services.platform import Platform

SECONDS = 5.0  # for all of a fetch, redirects included
REDIRECTS = 3


def here(p: Platform) -> bool:
    """Whether a URL may lead to this very machine: on a developer's, never in a deployment."""
    return p.settings.stage in ("local", "test")


def address(p: Platform, target: Target) -> str:
    """The address to connect to. One that is not public spoils the others. Raises UrlError."""
    if target.host == LOOPBACK:
        return target.host
    for type in ("A", "AAAA"):
        answer = p.resolver.lookup(target.host, type)
        if answer.status == "failed":
            raise UrlError("The host's name could not be looked up.")
        if answer.values:
            if not all(public(value) for value in answer.values):
                raise UrlError("The host is not one on the public internet.")
            return answer.values[0]
    raise UrlError("The host's name leads nowhere.")


def fetch(p: Platform, url: str, most: int) -> bytes:
    """What an https: URL shows, its first `most` bytes and one. Each redirect is checked as the URL was.

    Raises UrlError, which says why there is nothing.
    """
    stop = time.monotonic() + SECONDS
    for _ in range(REDIRECTS + 1):
        to = target(url, here=here(p))
        if not to.tls:
            raise UrlError("A URL here begins with https://.")
        where = address(p, to)
        left = stop - time.monotonic()
        if left <= 0:
            break
        got = http.get((to.host, to.port, to.path, to.tls), where, {"Accept": "image/*"}, left, most)
        if got.status == 200:
            return got.body
        if got.status not in (301, 302, 303, 307, 308):
            raise UrlError(f"The server answered with status {got.status}." if got.status else got.detail)
        url = _redirected(url, got.location)
    else:
        raise UrlError(f"There are more than {REDIRECTS} redirects.")
    raise UrlError(f"No answer within {SECONDS:g} seconds.")


def _redirected(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise UrlError("The server redirects to what is no URL.") from None
