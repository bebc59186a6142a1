"""Any bytes: never an exception, never long. Limits are generous; nothing may be quadratic."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import mime
from chalicelib.mime import split
from chalicelib.rules.values import Part

BIG = 400_000


def everything(raw: bytes) -> None:
    """All that is ever asked of a message."""
    found = mime.digest(raw)
    assert len(found.preview) <= 256
    for part in mime.leaves(found.structure):
        assert 0 <= part.start <= part.body <= part.end <= len(raw)
        mime.part_bytes(raw, part)
        mime.part_text(raw, part)
    mime.header_fields(raw)
    clean = mime.seven_bit(raw)
    assert clean.isascii()
    assert max(map(len, clean.split(b"\n"))) <= 999 or not raw.isascii() or len(raw) > 998
    mime.without_headers(raw, ["Bcc", "subject"])


HOSTILE: dict[str, Callable[[], bytes]] = {
    "100k headers": lambda: b"X-A: b\r\n" * 100_000 + b"\r\nbody",
    "headers without end": lambda: b"a:\n" * 200_000,
    "continuations": lambda: b"Subject: x" + b"\r\n y" * 100_000 + b"\r\n\r\nb",
    "one long header": lambda: b"Subject: " + b"x" * BIG + b"\r\n\r\nb",
    "encoded words opened": lambda: b"Subject: " + b"=?a?q?" * (BIG // 6) + b"\r\n\r\n",
    "encoded words with question marks": lambda: b"Subject: =?utf-8?q?" + b"?" * BIG + b"\r\n\r\n",
    "brackets": lambda: b"To: " + b"<" * BIG + b"\r\n\r\n",
    "comments": lambda: b"To: " + b"(" * BIG + b"\r\n\r\n",
    "comment ends": lambda: b"Date: " + b"(a)" * BIG + b"\r\n\r\n",
    "quotes": lambda: b"To: " + b'"\\' * BIG + b"\r\n\r\n",
    "commas": lambda: b"To: " + b"," * BIG + b"\r\n\r\n",
    "many addresses": lambda: b"To: " + b"a@x.test, " * 40_000 + b"\r\n\r\n",
    "ids": lambda: b"References: " + b"<a@b> " * 60_000 + b"\r\n\r\n",
    "parameters": lambda: b"Content-Type: text/plain" + b"; a=b" * 80_000 + b"\r\n\r\n",
    "continued parameters": lambda: b"Content-Type: text/plain" + b"; a*0=b" * 50_000 + b"\r\n\r\n",
    "spaces in parameters": lambda: b"Content-Type: text/plain;" + b" " * BIG + b"x\r\n\r\n",
    "quoted-printable spaces": lambda: (
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b" " * BIG + b"x"
    ),
    "base64 pads": lambda: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"AA=" * (BIG // 3),
    "html tags": lambda: b"Content-Type: text/html\r\n\r\n" + b"<" * BIG,
    "html heads": lambda: b"Content-Type: text/html\r\n\r\n" + b"<head><style></styl" * (BIG // 19),
    "html comments": lambda: b"Content-Type: text/html\r\n\r\n" + b"<!--" * (BIG // 4),
    "html entities": lambda: b"Content-Type: text/html\r\n\r\n" + b"&amp" * (BIG // 4),
    "parts": lambda: b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 60_000,
    "delimiters": lambda: b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\n" * 100_000,
    "almost delimiters": lambda: b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"-" * BIG,
    "nested": lambda: b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2_000)
    ),
    "nested with one boundary": lambda: b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 5_000,
    "nested messages": lambda: b"Content-Type: message/rfc822\r\n\r\n" * 2_000 + b"\xff",
    "carriage returns": lambda: b"\r" * BIG,
    "nothing": lambda: b"",
    "zeroes": lambda: b"\0" * BIG,
    "high octets": lambda: b"Subject: " + b"\xff" * BIG + b"\r\n\r\n" + b"\xff" * BIG,
    "utf-7": lambda: b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+AA" * (BIG // 3),
    "iso-2022": lambda: b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + b"\x1b$B" * (BIG // 3),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_message_is_read_in_bounded_time(name: str) -> None:
    raw = HOSTILE[name]()
    begun = time.process_time()
    everything(raw)
    assert time.process_time() - begun < 5


def test_depth_and_parts_are_capped() -> None:
    def depth(part: Part) -> int:
        return 1 + max(map(depth, part.parts), default=0)

    deep = split.split(HOSTILE["nested"]())
    assert depth(deep) <= split.MAX_DEPTH + 1
    wide = split.split(HOSTILE["parts"]())
    assert len(mime.leaves(wide)) <= split.MAX_PARTS + 1
    assert wide.parts[-1].end > wide.end - 10  # the last leaf holds the rest


PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b";", b"=", b'"', b"--b", b"--b--", b"--b\r\n",
     b"\xff", b"\x00", b"\xc3\xa4", b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/html",
     b"message/rfc822", b"text/plain; charset=utf-8", b"charset=", b"Content-Transfer-Encoding: ", b"base64",
     b"quoted-printable", b"8bit", b"Subject: ", b"From: ", b"From a@b", b"=?utf-8?q?=C3=A4?=", b"=?", b"?=",
     b"<a@b>", b"<", b">", b"(", b")", b"QUJD", b"=20", b"=\r\n", b"name*0*=utf-8''%C3",
     b"Content-Disposition: attachment", b"x"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=60).map(b"".join)))
def test_any_octets(raw: bytes) -> None:
    everything(raw)
    again = mime.seven_bit(mime.seven_bit(raw))
    assert again.isascii()


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=40).map(b"".join), st.integers(0, 400), st.integers(0, 255))
def test_a_mutated_message(extra: bytes, at: int, octet: int) -> None:
    base = (
        b"From: =?utf-8?Q?Zo=C3=AB?= <z@x.test>\r\nTo: a@x.test\r\nSubject: hello\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
        b"--b\r\nContent-Type: application/pdf; name*=utf-8''%C3%A4\r\nContent-Transfer-Encoding: base64\r\n"
        b"\r\nQUJD\r\n--b--\r\n"
    )
    everything(base[:at] + bytes([octet]) + extra + base[at + 1 :])
