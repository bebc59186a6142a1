"""What browsers meet: headers of the pages, and the function that chooses page and brand by host."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.services.status import CACHE
from tests.packaged import resources, template
from tools.template import INFRA

HEADERS: dict[str, dict[str, str]] = json.loads((INFRA / "web-headers.json").read_text())
POLICIES = {"*": "PagesHeaders", "/frame.html": "FrameHeaders", "/frame-images.html": "FrameImagesHeaders"}
POLICIES["/status/*"] = "StatusHeaders"
API = (
    "/v1/*",
    "/jmap/*",
    "/.well-known/*",
    "/brand.json",
    "/?utodiscover/*",
    "/mail/config-v1.1.xml",
)


def csp(path: str) -> dict[str, list[str]]:
    parts = (part.split() for part in HEADERS[path]["Content-Security-Policy"].split(";"))
    return {part[0]: part[1:] for part in parts}


def policy(path: str) -> dict[str, Any]:
    found: dict[str, Any] = resources("AWS::CloudFront::ResponseHeadersPolicy")[POLICIES[path]]["Properties"]
    return found["ResponseHeadersPolicyConfig"]  # type: ignore[no-any-return]


def behaviors() -> dict[str, dict[str, Any]]:
    config = template()["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    return {b["PathPattern"]: b for b in config["CacheBehaviors"]} | {"*": config["DefaultCacheBehavior"]}


def test_pages_run_only_their_own_scripts() -> None:
    page = csp("*")
    assert (
        page["default-src"]
        == page["base-uri"]
        == page["form-action"]
        == page["frame-ancestors"]
        == ["'none'"]
    )
    assert page["script-src"] == page["style-src"] == page["frame-src"] == ["'self'"]
    assert page["require-trusted-types-for"] == ["'script'"]
    assert page["connect-src"] == ["'self'", "{blobs}"]


@pytest.mark.parametrize("path", ["/frame.html", "/frame-images.html"])
def test_mail_is_shown_where_nothing_runs(path: str) -> None:
    frame = csp(path)
    assert frame["sandbox"] == ["allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"]
    assert frame["default-src"] == frame["base-uri"] == frame["form-action"] == ["'none'"]
    assert frame["frame-ancestors"] == ["'self'"]
    assert "script-src" not in frame
    assert "https:" not in csp("/frame.html")["img-src"]


@pytest.mark.parametrize("path", POLICIES)
def test_headers_on_AWS_are_those_of_the_file(path: str) -> None:
    security = policy(path)["SecurityHeadersConfig"]
    said = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    if path == "*":
        hosts = "https://${MailBucket.RegionalDomainName} https://${MailBucket.DomainName}"
        said = said["Fn::Sub"].replace(hosts, "{blobs}")
    assert said == HEADERS[path]["Content-Security-Policy"]
    custom = policy(path).get("CustomHeadersConfig", {"Items": []})["Items"]
    named = {
        "Content-Security-Policy": said,
        "X-Content-Type-Options": "nosniff" if "ContentTypeOptions" in security else None,
        "X-Frame-Options": security.get("FrameOptions", {}).get("FrameOption"),
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
    } | {item["Header"]: item["Value"] for item in custom}
    elsewhere = {"Cache-Control", "Strict-Transport-Security"}
    assert {k: v for k, v in named.items() if v} == {
        k: v for k, v in HEADERS[path].items() if k not in elsewhere
    }
    age = security["StrictTransportSecurity"]["AccessControlMaxAgeSec"]
    assert HEADERS[path]["Strict-Transport-Security"].startswith(f"max-age={age}")


def test_each_path_has_its_headers_and_the_api_is_never_cached() -> None:
    assert set(behaviors()) == {*POLICIES, *API} - {"/status/*"}
    for path, name in POLICIES.items() - {("/status/*", "StatusHeaders")}:
        assert behaviors()[path]["ResponseHeadersPolicyId"] == {"Ref": name}
    for path in API:
        assert behaviors()[path]["TargetOriginId"] == "api"
        assert behaviors()[path]["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        assert "PATCH" in behaviors()[path]["AllowedMethods"]


def test_the_edge_proves_itself_to_the_api() -> None:
    for name in ("Distribution", "StatusDistribution"):
        config = template()["Resources"][name]["Properties"]["DistributionConfig"]
        origins = {origin["Id"]: origin for origin in config["Origins"]}
        [header] = origins["api"]["OriginCustomHeaders"]
        assert header["HeaderName"] == "X-Origin-Secret"
        shared = template()["Globals"]["Function"]["Environment"]["Variables"]["ORIGIN_SECRET"]
        assert header["HeaderValue"] == shared
        assert "resolve:secretsmanager:${OriginSecret}" in str(shared)
        assert "OriginCustomHeaders" not in origins["web"]


def test_S36_the_status_page_stands_by_itself() -> None:
    config = template()["Resources"]["StatusDistribution"]["Properties"]["DistributionConfig"]
    assert config["DefaultRootObject"] == "index.html"
    page, api = config["DefaultCacheBehavior"], config["CacheBehaviors"]
    origins = {origin["Id"]: origin for origin in config["Origins"]}
    assert origins["web"]["OriginPath"] == "/status"
    assert page["TargetOriginId"] == "web"
    assert page["ResponseHeadersPolicyId"] == {"Ref": "StatusHeaders"}
    assert "FunctionAssociations" not in page
    assert [(b["PathPattern"], b["TargetOriginId"]) for b in api] == [("/v1/status/*", "api")]
    assert csp("/status/*")["default-src"] == ["'none'"]
    assert "script-src" not in csp("/status/*")
    assert HEADERS["/status/*"]["Cache-Control"] == CACHE
    [policy] = [p for p in resources("AWS::S3::BucketPolicy").values() if "WebBucket" in str(p["Properties"])]
    assert str(policy).count("distribution/${") == 2


def at_the_edge(host: str, uri: str, **headers: str) -> dict[str, Any]:
    """edge.js run by Node, as CloudFront runs it for one request."""
    request = {"uri": uri, "headers": {k: {"value": v} for k, v in {"host": host, **headers}.items()}}
    code = (
        INFRA / "edge.js"
    ).read_text() + f"\nconsole.log(JSON.stringify(handler({{request: {json.dumps(request)}}})));"
    node = Path(sys.executable).with_name("node")
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("host", "uri", "page"),
    [
        ("mail.customer.test", "/", "/mail.html"),
        ("Mail.Customer.test", "/folder/inbox", "/mail.html"),
        ("emailadmin.customer.test", "/", "/admin.html"),
        ("admin.example.test", "/domains", "/admin.html"),
        ("reseller.example.test", "/", "/reseller.html"),
        ("mail.customer.test", "/frame.html", "/frame.html"),
        ("mail.customer.test", "/assets/mail-1a2b.js", "/assets/mail-1a2b.js"),
        ("mail.customer.test", "/v1/sessions", "/v1/sessions"),
        ("mail.customer.test", "/jmap/api", "/jmap/api"),
        ("mail.customer.test", "/.well-known/jmap", "/.well-known/jmap"),
        ("mail.customer.test", "/brand.json", "/brand.json"),
    ],
)
def test_the_host_chooses_the_page(host: str, uri: str, page: str) -> None:
    assert at_the_edge(host, uri)["uri"] == page


def test_S1_the_host_travels_on_for_the_brand_and_cannot_be_forged() -> None:
    seen = at_the_edge("mail.customer.test", "/brand.json", **{"x-forwarded-host": "other.test"})
    assert seen["headers"]["x-forwarded-host"] == {"value": "mail.customer.test"}
    assert seen["headers"]["accept"] == {"value": "*/*"}
    kept = at_the_edge("mail.customer.test", "/brand.json", accept="application/json")
    assert kept["headers"]["accept"] == {"value": "application/json"}
