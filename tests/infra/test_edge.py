"""What browsers meet: headers of the pages, and the function that chooses page and brand by host."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.services.status import CACHE
from local.blobs import HARMLESS
from tests.packaged import resources, template
from tools.template import INFRA

HEADERS: dict[str, dict[str, str]] = json.loads((INFRA / "web-headers.json").read_text())
POLICIES = {"*": "PagesHeaders", "/frame.html": "FrameHeaders", "/frame-images.html": "FrameImagesHeaders"}
POLICIES |= {"/status/*": "StatusHeaders", "/blobs/*": "BlobsHeaders"}
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
        said = said["Fn::Sub"].replace("https://${MailBucket.RegionalDomainName}", "{blobs}")
    assert said == HEADERS[path]["Content-Security-Policy"]
    custom = policy(path).get("CustomHeadersConfig", {"Items": []})["Items"]
    named = {
        "Content-Security-Policy": said,
        "X-Content-Type-Options": "nosniff" if "ContentTypeOptions" in security else None,
        "X-Frame-Options": security.get("FrameOptions", {}).get("FrameOption"),
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
    } | {item["Header"]: item["Value"] for item in custom}
    elsewhere = ("Cache-Control", "Strict-Transport-Security", "Access-Control-")
    assert {k: v for k, v in named.items() if v} == {
        k: v for k, v in HEADERS[path].items() if not k.startswith(elsewhere)
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


def test_blobs_come_from_the_bucket_by_their_link_alone() -> None:
    config = template()["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    [origin] = [origin for origin in config["Origins"] if origin["Id"] == "blobs"]
    assert origin == {
        "Id": "blobs",
        "DomainName": {"Fn::GetAtt": ["MailBucket", "RegionalDomainName"]},  # what links are signed for
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behavior = behaviors()["/blobs/*"]
    assert behavior["TargetOriginId"] == "blobs"
    assert behavior["ViewerProtocolPolicy"] == "https-only"
    assert behavior["AllowedMethods"] == ["GET", "HEAD", "OPTIONS"]
    assert "OriginRequestPolicyId" not in behavior
    assert behavior["CachePolicyId"] == {"Ref": "BlobsCaching"}
    [policy] = resources("AWS::CloudFront::CachePolicy").values()
    caching = policy["Properties"]["CachePolicyConfig"]
    assert (caching["MinTTL"], caching["DefaultTTL"], caching["MaxTTL"]) == (0, 0, 1)
    assert caching["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "EnableAcceptEncodingGzip": False,
        "EnableAcceptEncodingBrotli": False,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }


def test_the_mail_bucket_opens_to_nobody_but_by_signature() -> None:
    bucket = template()["Resources"]["MailBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    allowed = [
        statement
        for policy in resources("AWS::S3::BucketPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "MailBucket" in str(policy["Properties"]["Bucket"]) and statement["Effect"] == "Allow"
    ]
    assert [statement["Principal"] for statement in allowed] == [{"Service": "ses.amazonaws.com"}]


def test_blobs_can_be_read_by_every_page_and_run_in_none() -> None:
    assert csp("/blobs/*")["sandbox"] == []
    assert csp("/blobs/*")["default-src"] == ["'none'"]
    assert HEADERS["/blobs/*"]["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert policy("/blobs/*")["CorsConfig"] == {
        "AccessControlAllowOrigins": {"Items": ["*"]},
        "AccessControlAllowMethods": {"Items": ["GET", "HEAD"]},
        "AccessControlAllowHeaders": {"Items": ["Authorization", "Range"]},
        "AccessControlMaxAgeSec": 86400,
        "AccessControlAllowCredentials": False,
        "OriginOverride": True,
    }


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


def run_at_the_edge(function: str, request: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """A function run by Node, as CloudFront runs it for one request."""
    request = request | {"headers": {k: {"value": v} for k, v in headers.items()}}
    code = (
        INFRA / function
    ).read_text() + f"\nconsole.log(JSON.stringify(handler({{request: {json.dumps(request)}}})));"
    node = Path(sys.executable).with_name("node")
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def at_the_edge(host: str, uri: str, **headers: str) -> dict[str, Any]:
    """What edge.js makes of a request."""
    return run_at_the_edge("edge.js", {"uri": uri}, {"host": host, **headers})


def of_a_blob(uri: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    """What blobs.js makes of a request."""
    query = {"X-Amz-Signature": {"value": "a%2Fb"}}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return run_at_the_edge("blobs.js", {"uri": uri, "method": method, "querystring": query}, names)


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


def test_a_link_is_the_key_as_it_was_signed() -> None:
    for key in ("/up/a1/u2", "/in/a%20b%23%C3%BC~%2B%3F%26%3D%25", "/blobs/x", "/part/x.html"):
        seen = of_a_blob(f"/blobs{key}", authorization="Bearer t")
        assert seen["uri"] == key
        assert seen["querystring"] == {"X-Amz-Signature": {"value": "a%2Fb"}}


def test_blobs_do_not_run_in_pages() -> None:
    for use in (
        "script",
        "style",
        "worker",
        "serviceworker",
        "iframe",
        "object",
        "embed",
        "font",
        "manifest",
    ):
        assert of_a_blob("/blobs/up/a1/u2", sec_fetch_dest=use)["statusCode"] == 403, use
    for use in HARMLESS - {""}:
        assert of_a_blob("/blobs/up/a1/u2", sec_fetch_dest=use)["uri"] == "/up/a1/u2", use


def test_a_page_elsewhere_may_ask_for_a_blob_with_its_credentials() -> None:
    answer = of_a_blob("/blobs/up/a1/u2", "OPTIONS", origin="https://app.test")
    assert answer["statusCode"] == 204
    told = {name: header["value"] for name, header in answer["headers"].items()}
    said = HEADERS["/blobs/*"].items()
    assert told == {name.lower(): value for name, value in said if name.startswith("Access-Control-")}
