"""S1, S2: what a brand may be made of."""

import pytest

from chalicelib.rules import brands

FIELDS = {"product": "House Mail", "primary": "#0B5c8a", "accent": "#e07a2f"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">%s<rect width="9" height="9"/></svg>'


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({}, None),
        ({"product": ""}, "/product"),
        ({"product": "  "}, "/product"),
        ({"product": "a\nb"}, "/product"),
        ({"product": "x" * 61}, "/product"),
        ({"primary": "red"}, "/primary"),
        ({"accent": "#12345"}, "/accent"),
        ({"support_url": "http://x.test/"}, "/support_url"),
        ({"support_url": "https://"}, "/support_url"),
        ({"support_url": "https://[x/"}, "/support_url"),
        ({"help_url": "javascript:alert(1)"}, "/help_url"),
        ({"help_url": "https://a@x.test/"}, "/help_url"),
        ({"help_url": "https://x.test/help?a=1"}, None),
        ({"support_email": "nobody"}, "/support_email"),
        ({"support_email": "help@x.test"}, None),
    ],
)
def test_S1_fields_of_a_brand(given: dict[str, str], pointer: str | None) -> None:
    assert [f.pointer for f in brands.faults({**FIELDS, **given})] == ([pointer] if pointer else [])


@pytest.mark.parametrize(("name", "good"), [("a", True), ("my-brand-2", True), ("-a", False), ("A", False)])
def test_names_of_brands(name: str, good: bool) -> None:
    assert brands.brand_name(name) is good
    assert not brands.brand_name(name * 41)


def test_S2_a_snippet_is_its_one_picture() -> None:
    hostile = """<script>alert(1)</script><style>*{color:red}</style>
        <a onclick="x()"><IMG SRC='https://x.test/l.png' onerror="x()" style="top:0" alt="X &amp; Co"></a>"""
    assert brands.picture(hostile) == brands.Picture("https://x.test/l.png", "X & Co")


@pytest.mark.parametrize(
    ("snippet", "says"),
    [
        ("", "no <img>"),
        ("<b>House</b>", "no <img>"),
        ("<!-- <img src=https://x.test/a.png> -->", "no <img>"),
        ("<script>'<img src=https://x.test/a.png>'</script>", "no <img>"),
        ("<imgx src='https://x.test/a.png'>", "no <img>"),
        ("<img src=https://x.test/a.png><img src=https://x.test/b.png>", "more than one"),
        ("<img alt=x>", "src"),
        ("<img src='/logo.png'>", "src"),
        ("<img src='http://x.test/a.png'>", "src"),
        ("<img src='javascript:alert(1)'>", "src"),
        ("<img src='data:text/html,<script>alert(1)</script>'>", "src"),
        ("x" * 100_001, "characters"),
    ],
)
def test_S2_other_snippets_are_refused_and_told_why(snippet: str, says: str) -> None:
    with pytest.raises(brands.LogoError, match=says):
        brands.picture(snippet)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF0000WEBPVP8 ", "image/webp"),
        (SVG % b'<linearGradient id="a"/><path fill="url(#a)" d="M0 0"/>', "image/svg+xml"),
        (b'<?xml version="1.0"?><!-- made -->' + SVG % b"", "image/svg+xml"),
    ],
)
def test_S2_pictures_are_known_by_what_they_are(content: bytes, kind: str) -> None:
    assert brands.logo_type(content) == kind


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><img></html>",
        b"%PDF-1.7",
        b"<svg",
        b"<svg><rect/></svg>",
        SVG % b"<script>alert(1)</script>",
        SVG % b"<style>*{}</style>",
        SVG % b'<rect onclick="x()"/>',
        SVG % b'<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
        SVG % b'<a xmlns:x="http://www.w3.org/1999/xlink" x:href="java\nscript:alert(1)"/>',
        SVG % b'<image href="https://x.test/a.png"/>',
        SVG % b'<use href="other.svg#a"/>',
        SVG % b'<rect style="background: url(https://x.test/)"/>',
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG % b"&a;",
        b"\x89PNG\r\n\x1a\n" + bytes(brands.LARGEST_LOGO),
    ],
)
def test_S2_what_is_no_logo_is_refused(content: bytes) -> None:
    with pytest.raises(brands.LogoError):
        brands.logo_type(content)


def test_S1_words_of_the_operator_are_found_as_words() -> None:
    assert brands.operator_words("Sent by PlainPost via Amazon-SES") == ["plainpost", "amazon"]
    assert brands.operator_words("laws of motor awsome") == []
