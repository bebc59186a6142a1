"""Messages changed no more than needed."""

from chalicelib import mime

EIGHT = (
    "From: Zoë <z@x.test>\r\nSubject: Grüße\r\nX-Kept:  spaced   value\r\n"
    "Content-Type: multipart/mixed; boundary=b; name=ä\r\nContent-Transfer-Encoding: 8bit\r\n\r\npreämble\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nhällo\r\n"
    '--b\r\nContent-Type: application/pdf; name="ü.pdf"\r\nContent-Transfer-Encoding: BINARY\r\n\r\n'
).encode()
EIGHT += b"\x00\xff\n\r\r\n--b\r\nContent-Type: text/plain\r\n\r\nuntouched   \r\n--b--\r\n"


def test_only_unwanted_fields_go() -> None:
    raw = b"To: a@x.test\r\nBcc: b@x.test,\r\n c@x.test\r\nbcc : d@x.test\r\nSubject: x\r\n\r\nBcc: body\r\n"
    assert mime.without_headers(raw, ["bcc"]) == b"To: a@x.test\r\nSubject: x\r\n\r\nBcc: body\r\n"
    assert mime.without_headers(raw, ["x-none"]) == raw


def test_clean_message_is_returned_as_it_is() -> None:
    raw = b"Subject: x\nContent-Transfer-Encoding: 8bit\n\nodd \r line ends\n"
    assert mime.seven_bit(raw) is raw


def test_8_bit_parts_are_encoded_and_the_rest_kept() -> None:
    clean = mime.seven_bit(EIGHT)
    assert clean.isascii()
    before, after = mime.digest(EIGHT), mime.digest(clean)
    assert (after.subject, after.from_) == (before.subject, before.from_)
    old, new = mime.leaves(before.structure), mime.leaves(after.structure)
    assert [mime.part_bytes(clean, p) for p in new] == [mime.part_bytes(EIGHT, p) for p in old]
    assert [p.encoding for p in new] == ["quoted-printable", "base64", "7bit"]
    assert new[1].name == "ü.pdf"
    assert b"X-Kept:  spaced   value\r\n" in clean
    assert b"--b\r\nContent-Type: text/plain\r\n\r\nuntouched   \r\n--b--" in clean
    assert mime.seven_bit(clean) == clean


def test_long_lines_are_encoded() -> None:
    raw = b"Subject: x\r\nContent-Type: text/html\r\n\r\n" + b"y" * 3_000
    clean = mime.seven_bit(raw)
    assert max(map(len, clean.split(b"\r\n"))) <= 998
    assert mime.part_bytes(clean, mime.digest(clean).structure) == b"y" * 3_000


def test_long_header_line_is_folded() -> None:
    raw = b"References: " + b" ".join(b"<%d@x.test>" % n for n in range(300)) + b"\r\n\r\nx"
    clean = mime.seven_bit(raw)
    assert max(map(len, clean.split(b"\r\n"))) <= 998
    assert mime.digest(clean).references == mime.digest(raw).references


def test_group_of_8_bit_names() -> None:
    raw = "To: team: Zoë <z@x.test>, b@y.test;, c@z.test\r\n\r\n".encode()
    clean = mime.seven_bit(raw)
    assert mime.digest(clean).to == mime.digest(raw).to


def test_8_bit_message_within_a_message() -> None:
    inner = "Subject: ä\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nö".encode()
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    raw += inner + b"\r\n--b--\r\n"
    clean = mime.seven_bit(raw)
    part = mime.digest(clean).structure.parts[0]
    message = mime.part_bytes(clean, part)
    assert clean.isascii()
    assert mime.digest(message).subject == "ä"
    assert mime.part_text(message, mime.digest(message).structure)[0] == "ö"


def test_header_fields_in_order() -> None:
    raw = b"B: 1\r\nA:  2\r\n 3\r\nB: 4\r\n\r\nx"
    assert mime.header_fields(raw) == [("B", b" 1"), ("A", b"  2\r\n 3"), ("B", b" 4")]
