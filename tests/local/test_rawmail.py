"""What the local SES reads of a message for its events: any octets come in, as on AWS."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from local import rawmail


def test_an_address_beyond_ascii_is_told_as_it_stands() -> None:
    raw = b"From: Zo\xc3\xab <zo\xff@far.test>\r\nTo: \xe9@far.test, b@far.test\r\n\r\nhi"
    common = rawmail.common_headers(raw)
    assert [one.partition(" <")[2] for one in common["from"]] == ["zo\ufffd@far.test>"]
    assert common["to"] == ["\ufffd@far.test", "b@far.test"]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"From", b"To", b"Reply-To", b"Subject", b"Message-ID", b"Return-Path", b"Date"]),
    st.lists(st.sampled_from([*b'ab@<>,;:()=?"\\ \xff\xe9\x00', b"=?utf-8?q?=FF?=", b"\r\n "]), max_size=12),
)
def test_any_octets_make_an_event(name: bytes, pieces: list[int | bytes]) -> None:
    value = b"".join(bytes([p]) if isinstance(p, int) else p for p in pieces)
    raw = name + b": " + value + b"\r\n\r\n"
    json.dumps(rawmail.common_headers(raw))
    json.dumps(rawmail.notification_headers(raw))
