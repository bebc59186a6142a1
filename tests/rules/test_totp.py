"""Codes of a second factor: RFC 6238, and another's implementation of it."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import totp

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
#: RFC 6238, Appendix B (SHA-1), the last six of eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
NOW = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_S23_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert totp.code(RFC_SECRET, seconds // 30) == code


@given(st.binary(min_size=14, max_size=40), st.integers(0, 2**33))
def test_S23_the_codes_are_those_of_others(secret: bytes, seconds: int) -> None:
    text = base64.b32encode(secret).decode().rstrip("=")
    assert totp.code(text, seconds // 30) == pyotp.TOTP(text).at(seconds)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_S23_a_clock_may_be_a_step_off(steps: int, good: bool) -> None:
    given = totp.code(RFC_SECRET, totp.step_of(NOW) + steps)
    found = totp.used_step(RFC_SECRET, given, NOW, 0)
    assert (found is not None) == good
    assert not good or found == totp.step_of(NOW) + steps


def test_S23_a_code_is_good_once_and_none_before_it_afterwards() -> None:
    at = totp.step_of(NOW)
    codes = {step: totp.code(RFC_SECRET, step) for step in (at - 1, at, at + 1)}
    assert totp.used_step(RFC_SECRET, codes[at], NOW, at) is None
    assert totp.used_step(RFC_SECRET, codes[at - 1], NOW, at) is None
    assert totp.used_step(RFC_SECRET, codes[at + 1], NOW, at) == at + 1
    assert totp.used_step(RFC_SECRET, codes[at + 1], NOW + timedelta(seconds=30), at + 1) is None


@given(st.text(max_size=8))
def test_S23_what_is_no_code_is_none(text: str) -> None:
    right = {totp.code(RFC_SECRET, totp.step_of(NOW) + drift) for drift in (-1, 0, 1)}
    assert (totp.used_step(RFC_SECRET, text, NOW, 0) is not None) == (text in right)


def test_S23_an_app_reads_brand_and_address() -> None:
    found = urlsplit(totp.uri(RFC_SECRET, "Müller & Söhne: Post", "ann@x.test"))
    assert (found.scheme, found.netloc) == ("otpauth", "totp")
    assert unquote(found.path) == "/Müller & Söhne: Post:ann@x.test"
    query = parse_qs(found.query)
    assert (query["secret"], query["issuer"]) == ([RFC_SECRET], ["Müller & Söhne: Post"])
    read = pyotp.parse_uri(totp.uri(RFC_SECRET, "House Mail", "ann@x.test"))
    assert (read.secret, read.issuer, read.name) == (RFC_SECRET, "House Mail", "ann@x.test")
