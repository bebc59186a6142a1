"""S38: the kit in a reseller's own brand, and what mail clients ask a domain's own hosts for."""

import io
import plistlib
import xml.etree.ElementTree as xml
import zipfile

import pytest

from chalicelib.rules.brands import operator_words
from chalicelib.services.kit.setup import CLIENTS
from tests.registry import Registry

ASK = """<?xml version="1.0"?><Autodiscover
 xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>
 <EMailAddress>%s</EMailAddress><AcceptableResponseSchema>
 http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a
 </AcceptableResponseSchema></Request></Autodiscover>"""
OUTLOOK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"


@pytest.fixture
def live(registry: Registry) -> Registry:
    """x.test is live."""
    registry.order()
    registry.set_state("x.test", "live")
    return registry


def ask(registry: Registry, path: str, host: str, method: str = "GET", raw: str | None = None) -> str:
    """What a client is answered under a host."""
    headers = {"Host": host} if raw is None else {"Host": host, "Content-Type": "text/xml"}
    got = registry.call(method, path, key=None, headers=headers, raw=raw)
    assert got.status == 200, got
    return got.text


def test_S38_every_file_shows_the_brand_and_hosts_of_its_reseller(live: Registry) -> None:
    listed = live.call("GET", "/v1/kit?domain=x.test").json["files"]
    names = [f["name"] for f in listed]
    assert {f"setup-{name}.html" for name in CLIENTS} | {"faq.html", "web-copy.html"} <= set(names)
    for file in listed:
        got = live.call("GET", f"/v1/kit/{file['name']}?domain=x.test")
        assert (got.status, len(got.text.encode())) == (200, file["size"])
        assert "House Mail" in got.text
        assert "<script" not in got.text
        assert not operator_words(got.text)
        if file["name"].startswith("setup-"):
            assert "imap.x.test" in got.text
            assert "995" in got.text
    assert live.call("GET", "/v1/kit/nothing.html").status == 404


def test_S38_names_in_the_kit_are_text_and_nothing_else(live: Registry) -> None:
    hostile = {"product": "<b>&\"'House", "primary": "#112233", "accent": "#445566"}
    live.call("PUT", "/v1/brands/default", hostile)
    for file in live.call("GET", "/v1/kit").json["files"]:
        text = live.call("GET", f"/v1/kit/{file['name']}").text
        if file["name"].endswith((".html", ".svg")):
            assert "<b>" not in text
            assert "&lt;b&gt;" in text


def test_S38_the_kit_comes_as_a_zip_as_well(live: Registry) -> None:
    got = live.call("GET", "/v1/kit.zip?domain=x.test")
    assert got.status == 303
    key = got.headers["Location"].partition("?")[0].rpartition("/part/")[2]
    with zipfile.ZipFile(io.BytesIO(live.platform.blobs.get(f"part/{key}"))) as archive:
        names = [f["name"] for f in live.call("GET", "/v1/kit?domain=x.test").json["files"]]
        assert sorted(archive.namelist()) == sorted(names)
        assert b"imap.x.test" in archive.read("setup-ios.html")
    assert live.call("GET", "/v1/kit.zip?domain=x.test").headers["Location"].partition("?")[0].endswith(key)


def test_S38_another_resellers_domain_or_brand_is_not_there(live: Registry) -> None:
    for query in ("domain=x.test", "brand=house", "domain=nowhere.test", "brand=nothing"):
        assert live.call("GET", f"/v1/kit?{query}", key=live.other_key).status == 404
    assert live.call("GET", "/v1/kit?domain=").status == 200
    assert live.call("GET", "/v1/kit?domain=x").status == 400


def test_S38_a_domains_own_host_shows_its_set_up_pages(live: Registry) -> None:
    for name in CLIENTS:
        text = ask(live, f"/v1/setup/{name}", "mail.x.test")
        assert "House Mail" in text
        assert not operator_words(text)
    assert live.call("GET", "/v1/setup/ios?address=ann@x.test", key=None).status == 200
    for path in ("/v1/setup/telnet?address=ann@x.test", "/v1/setup/ios", "/v1/setup/ios?address=a@y.test"):
        assert live.call("GET", path, key=None).status == 404


def test_thunderbird_finds_its_settings(live: Registry) -> None:
    paths = (
        "/mail/config-v1.1.xml?emailaddress=ann%40x.test",
        "/.well-known/autoconfig/mail/config-v1.1.xml",
    )
    for path in paths:
        text = ask(live, path, "autoconfig.x.test")
        provider = xml.fromstring(text)[0]
        servers = [s for s in provider if s.tag.endswith("Server")]
        assert [(s.get("type"), s.findtext("hostname"), s.findtext("port")) for s in servers] == [
            ("pop3", "imap.x.test", "995"),
            ("smtp", "imap.x.test", "465"),
        ]
        assert provider.findtext("displayName") == "House Mail"
        assert not operator_words(text)


def test_outlook_finds_its_settings(live: Registry) -> None:
    for path in ("/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"):
        text = ask(live, path, "autodiscover.x.test", "POST", ASK % "ann@x.test")
        found = xml.fromstring(text).iter(f"{OUTLOOK}Protocol")
        rows = [(p.findtext(f"{OUTLOOK}Type"), p.findtext(f"{OUTLOOK}Port")) for p in found]
        assert rows == [("POP3", "995"), ("SMTP", "465")]
        assert "<LoginName>ann@x.test</LoginName>" in text
    for raw in ("", "<", "<a/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', ASK % "a&amp;&lt;b"):
        assert "<Protocol>" in ask(live, path, "autodiscover.x.test", "POST", raw)


def test_apple_devices_get_a_profile_without_a_password(live: Registry) -> None:
    text = ask(live, "/v1/setup/profile?address=Ann@x.test", "mail.x.test")
    profile = plistlib.loads(text.encode())
    [mail] = profile["PayloadContent"]
    assert (mail["EmailAddress"], mail["IncomingMailServerHostName"]) == ("ann@x.test", "imap.x.test")
    assert not [name for name in mail if name.endswith("Password") and mail[name] is not True]
    assert not operator_words(text)
    assert ask(live, "/v1/setup/profile?address=Ann@x.test", "mail.x.test") == text
    for address in ("", "ann", "ann@y.test"):
        got = live.call(
            "GET", f"/v1/setup/profile?address={address}", key=None, headers={"Host": "mail.x.test"}
        )
        assert got.status == 400


def test_S5_a_domain_that_is_not_live_has_no_settings(registry: Registry) -> None:
    registry.order()
    for host in ("autoconfig.x.test", "mail.x.test", "autoconfig.nowhere.test"):
        got = registry.call("GET", "/mail/config-v1.1.xml", key=None, headers={"Host": host})
        assert got.status == 404
