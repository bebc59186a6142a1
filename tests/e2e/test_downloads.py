"""Downloads as clients follow them: with credentials on every hop, to no other host, from pages elsewhere."""

import html
import http.client
import random
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser

from local.httpd import HttpServer, Request, Response
from tests.e2e.orders import Pair, live_pair
from tools.town import Mailbox, Town

OCTETS = random.Random(5).randbytes(300_000)
KIND = "application/pdf"
FETCH = """async ([url, token]) => {
  const answer = await fetch(url, {headers: {Authorization: `Bearer ${token}`}});
  const octets = new Uint8Array(await answer.arrayBuffer());
  return [answer.status, answer.redirected, octets.length, octets[0]];
}"""

Answer = tuple[int, http.client.HTTPMessage, bytes]


@pytest.fixture(scope="module")
def pair(town: Town) -> Pair:
    """A domain whose people only this file writes to."""
    return live_pair(town, "downloads.test")


@pytest.fixture(scope="module")
def address(pair: Pair) -> str:
    """Of Ann's download."""
    return download(pair.ann, pair.ann.upload(OCTETS, KIND))


def download(user: Mailbox, blob: str, kind: str = KIND) -> str:
    """The address of a download."""
    url: str = user.session["downloadUrl"]
    values = {"accountId": user.account, "blobId": blob, "name": "schöne grüße.pdf", "type": kind}
    for key, value in values.items():
        url = url.replace("{" + key + "}", quote(value, safe=""))
    return url


def hop(url: str, token: str = "", method: str = "GET", **headers: str) -> Answer:
    """One request; no redirect is followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
    who = {"Authorization": f"Bearer {token}"} if token else {}
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request(method, target, headers={"Host": parts.netloc, **who, **headers})
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def link(address: str, token: str) -> str:
    """Where a download leads to."""
    status, headers, _ = hop(address, token)
    assert status == 302
    return headers["Location"]


def test_it_stays_on_the_host_and_takes_credentials_along(pair: Pair, address: str) -> None:
    to = link(address, pair.ann.token)
    assert (urlsplit(to).scheme, urlsplit(to).netloc) == ("http", urlsplit(address).netloc)
    for token in (pair.ann.token, "", "anything"):
        status, headers, octets = hop(to, token)
        assert (status, octets, headers["Content-Type"]) == (200, OCTETS, KIND)
        assert headers["Content-Disposition"].startswith("attachment;")
        assert "sch%C3%B6ne%20gr%C3%BC%C3%9Fe.pdf" in headers["Content-Disposition"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "private, no-store"


def test_any_host_of_ours_has_its_own_links(town: Town, pair: Pair, address: str) -> None:
    host = f"mail.downloads.test:{urlsplit(town.web).port}"
    status, headers, _ = hop(address, pair.ann.token, Host=host)
    assert (status, urlsplit(headers["Location"]).netloc) == (302, host)
    assert hop(headers["Location"])[2] == OCTETS


def test_a_part_of_it(pair: Pair, address: str) -> None:
    status, headers, octets = hop(link(address, pair.ann.token), pair.ann.token, Range="bytes=1000-1999")
    assert (status, octets) == (206, OCTETS[1000:2000])
    assert headers["Content-Range"] == f"bytes 1000-1999/{len(OCTETS)}"


def test_a_message_and_its_parts(town: Town, pair: Pair) -> None:
    raw = b"From: far@far.test\r\nSubject: parts\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n"
    town.deliver("far@far.test", [pair.ann.address], raw)
    row = pair.ann.wait_for("parts")
    blob = pair.ann.one("Email/get", ids=[row["id"]], properties=["blobId", "htmlBody"])["list"][0]
    assert hop(link(download(pair.ann, blob["blobId"]), pair.ann.token))[2].endswith(raw.partition(b"\n")[2])
    part = download(pair.ann, blob["htmlBody"][0]["blobId"])
    assert hop(link(part, pair.ann.token))[2] == b"<p>Hi</p>\r\n"


def test_it_is_the_owners_and_ends(town: Town, pair: Pair, address: str) -> None:
    assert hop(address, pair.bob.token)[0] == 404
    assert hop(address)[0] == 401
    to = link(address, pair.ann.token)
    assert hop(to.partition("?")[0], pair.ann.token)[0] == 403
    other = link(download(pair.bob, pair.bob.upload(b"other", KIND)), pair.bob.token)
    assert hop(f"{to.partition('?')[0]}?{urlsplit(other).query}", pair.bob.token)[0] == 403
    for method in ("POST", "PUT"):
        assert hop(to, pair.ann.token, method)[0] == 403, method
    assert hop(to)[0] == 200
    town.advance("6m")
    assert hop(to)[0] == 403
    assert hop(link(address, pair.ann.token))[2] == OCTETS


def page_elsewhere(_: Request) -> Response:
    """An empty one."""
    return Response(200, b"<title>x</title>", [("Content-Type", "text/html")])


def test_a_page_of_any_origin_gets_it(browser: Browser, pair: Pair, address: str) -> None:
    elsewhere = HttpServer(page_elsewhere, 0, "page")
    elsewhere.start()
    page = browser.new_page()  # without routes: with one, Playwright answers the browser's own questions
    page.goto(f"http://127.0.0.1:{elsewhere.port}/")
    assert page.evaluate(FETCH, [address, pair.ann.token]) == [200, True, len(OCTETS), OCTETS[0]]
    page.close()
    elsewhere.stop()


def test_our_own_page_gets_it(town: Town, browser: Browser, pair: Pair, address: str) -> None:
    page = browser.new_page()
    page.goto(town.web)
    assert page.evaluate(FETCH, [address, pair.ann.token]) == [200, True, len(OCTETS), OCTETS[0]]
    page.close()


def test_what_a_mailbox_holds_does_not_run_in_a_page(browser: Browser, pair: Pair) -> None:
    script = pair.ann.upload(b"window.ran = true;", "text/javascript")
    address = download(pair.ann, script, kind="text/javascript")
    to = link(address, pair.ann.token)
    page = browser.new_page()
    here = f"{address.partition('/jmap')[0]}/x.html"
    tag = f'<script src="{html.escape(to)}"></script><title>x</title>'
    page.route(here, lambda route: route.fulfill(body=tag, content_type="text/html"))
    with page.expect_response(to) as answer:
        page.goto(here)
    assert answer.value.status == 403
    assert page.evaluate("window.ran") is None
    page.close()
    assert hop(to)[0] == 200
