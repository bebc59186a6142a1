"""How header fields and bodies are decoded: a table of what mailers write."""

import base64

import pytest

from chalicelib import mime
from chalicelib.mime import addresses, words

SUBJECTS = [
    (b"plain", "plain"),
    (b" leading and trailing ", "leading and trailing"),
    (b"a\r\n folded line", "a folded line"),
    (b"a\r\n\tfolded by tab", "a\tfolded by tab"),
    (b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    (b"=?UTF-8?b?R3LDvMOfZQ==?=", "Grüße"),
    (b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),  # padding left out
    (b"=?iso-8859-1?q?caf=E9_cr=E8me?=", "café crème"),
    (b"=?windows-1252?Q?=93quoted=94?=", "“quoted”"),
    (b"=?iso-8859-1?Q?=93quoted=94?=", "“quoted”"),  # labelled Latin-1, meant windows-1252
    (b"=?iso-8859-15?Q?=A4?=", "€"),
    (b"=?koi8-r?B?8NLJ18XU?=", "Привет"),
    (b"=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=", "Привет"),
    (b"=?gb2312?B?xOO6ww==?=", "你好"),
    (b"=?gbk?B?xOO6ww==?=", "你好"),
    (b"=?big5?B?p0Gmbg==?=", "你好"),
    (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
    (b"=?shift_jis?B?k/qWew==?=", "日本"),
    (b"=?euc-jp?B?xvzL3A==?=", "日本"),
    (b"=?euc-kr?B?vsiz5w==?=", "안녕"),
    (b"=?ks_c_5601-1987?B?vsiz5w==?=", "안녕"),
    (b"=?tis-620?B?ysfRyrTV?=", "สวัสดี"),
    (b"=?utf-7?Q?Fr+APY-sche?=", "Frösche"),
    (b"=?utf-8*de?Q?M=C3=BC?=", "Mü"),  # RFC 2231 §5 language
    (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
    (b"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
    (b"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
    (b"=?utf-8?Q?=E6=97?= =?utf-8?Q?=A5?=", "日"),  # a character cut in two
    (b"=?utf-8?B?5pc=?= =?utf-8?B?pQ==?=", "日"),
    (b"=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?=", "aé"),
    (b"Re: =?utf-8?Q?=E2=82=AC?= 5", "Re: € 5"),
    (b"=?utf-8?Q?really??=", "really?"),  # an unencoded question mark
    (b"=?utf-8?Q?two words?=", "two words"),  # an unencoded space
    (b"=?nonsense?Q?a?=", "=?nonsense?Q?a?="),
    (b"=?utf-8?X?a?=", "=?utf-8?X?a?="),
    (b"=?utf-8?Q?open", "=?utf-8?Q?open"),
    (b"=?utf-8?Q??=", ""),
    (b"=?utf-8?Q?a=00=07b?=", "ab"),  # controls do not survive
    (b"=?utf-8?Q?a=0D=0ABcc:_x?=", "aBcc: x"),
    ("Grüße".encode(), "Grüße"),  # RFC 6532
    ("Grüße".encode("latin-1"), "Grüße"),
    (b"\xffA", "ÿA"),
    (b"=?rot13?Q?abc?=", "=?rot13?Q?abc?="),
    (b"=?unicode_escape?Q?=5Cn?=", "=?unicode_escape?Q?=5Cn?="),
    (b"", ""),
    ("e\u0301".encode(), "é"),  # NFC
]


@pytest.mark.parametrize(("raw", "text"), SUBJECTS)
def test_text(raw: bytes, text: str) -> None:
    assert words.as_text(raw) == text


ADDRESSES = [
    (b"a@x.test", [("", "a@x.test")]),
    (b"<a@x.test>", [("", "a@x.test")]),
    (b"Anna <a@x.test>", [("Anna", "a@x.test")]),
    (b'"Mueller, Anna" <a@x.test>', [("Mueller, Anna", "a@x.test")]),
    (b'"a \\"b\\" c" <a@x.test>', [('a "b" c', "a@x.test")]),
    (b"a@x.test (Anna M)", [("Anna M", "a@x.test")]),
    (b"a@x.test, b@y.test", [("", "a@x.test"), ("", "b@y.test")]),
    (b"a@x.test,, ,b@y.test,", [("", "a@x.test"), ("", "b@y.test")]),
    (b"A <a@x.test>; B <b@y.test>", [("A", "a@x.test"), ("B", "b@y.test")]),
    (b"=?utf-8?Q?Zo=C3=AB?= <a@x.test>", [("Zoë", "a@x.test")]),
    (b'"=?utf-8?Q?Zo=C3=AB?=" <a@x.test>', [("Zoë", "a@x.test")]),
    (b"=?utf-8?Q?M=2C_A?= <a@x.test>", [("M, A", "a@x.test")]),
    ("Zoë <zoë@x.test>".encode(), [("Zoë", "zoë@x.test")]),
    (b"team: a@x.test, B <b@y.test>;, c@z.test", [("", "a@x.test"), ("B", "b@y.test"), ("", "c@z.test")]),
    (b"undisclosed-recipients:;", []),
    (b"<@relay.test,@b.test:a@x.test>", [("", "a@x.test")]),
    (b"Anna a@x.test", [("Anna", "a@x.test")]),
    (b"a @ x . test", [("", "a@x.test")]),
    (b'"a b"@x.test', [("", '"a b"@x.test')]),
    (b"Anna <a@x.test", [("Anna", "a@x.test")]),
    (b"Anna <>", [("Anna", "")]),
    (b"John Q. Public <j@x.test>", [("John Q. Public", "j@x.test")]),
    (b"a@x.test <a@x.test>", [("a@x.test", "a@x.test")]),
    (b"A (c (nested)) <a@x.test>", [("A", "a@x.test")]),
    (b"a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
    (b"", []),
    (b'"', []),
    (b"(", []),
]


@pytest.mark.parametrize(("raw", "expected"), ADDRESSES)
def test_addresses(raw: bytes, expected: list[tuple[str, str]]) -> None:
    assert [(a.name, a.email) for a in addresses.as_addresses(raw)] == expected


def test_groups() -> None:
    groups = addresses.as_groups(b"x@x.test, team: a@x.test;, empty:;, y@y.test")
    assert [(g.name, [m.email for m in g.members]) for g in groups] == [
        (None, ["x@x.test"]), ("team", ["a@x.test"]), ("empty", []), (None, ["y@y.test"]),
    ]  # fmt: skip


IDS = [
    (b"<a@b>", ("a@b",)),
    (b" <a@b>\r\n <c@d> ", ("a@b", "c@d")),
    (b"<a@b> <a@b>", ("a@b", "a@b")),
    (b"(c) <a@b>", ("a@b",)),
    (b"a@b", ("a@b",)),
    (b"Your message of Monday <a@b>", ("a@b",)),
    (b"<a @ b>", ("a@b",)),
    (b"", ()),
    (b"nothing", ()),
    (b"=?utf-8?q?=3C0100-00=40a=2Etest?=\r\n =?utf-8?q?=3E?=", ("0100-00@a.test",)),
]


@pytest.mark.parametrize(("raw", "expected"), IDS)
def test_message_ids(raw: bytes, expected: tuple[str, ...]) -> None:
    assert words.as_ids(raw) == expected


DATES = [
    (b"Tue, 02 Jan 2024 10:00:00 +0100", "2024-01-02T10:00:00+01:00"),
    (b"2 Jan 2024 10:00 +0000 (UTC)", "2024-01-02T10:00:00+00:00"),
    (b"Tue, 2 Jan 2024 10:00:00 GMT", "2024-01-02T10:00:00+00:00"),
    (b"Tue, 2 Jan 24 10:00:00 EST", "2024-01-02T10:00:00-05:00"),
    (b"Tue, 2 Jan 2024 10:00:00", "2024-01-02T10:00:00+00:00"),
    (b"Tue, 2 Jan 2024\r\n 10:00:00 -0000", "2024-01-02T10:00:00+00:00"),
    (b"soon", None),
    (b"Tue, 99 Jan 2024 10:00:00 +0000", None),
    (b"Tue, 2 Jan 2024 10:00:00 +9999999999", None),
    (b"", None),
]


@pytest.mark.parametrize(("raw", "expected"), DATES)
def test_dates(raw: bytes, expected: str | None) -> None:
    found = words.as_date(raw)
    assert (found.isoformat() if found else None) == expected


NAMES = [
    (b'attachment; filename="report.pdf"', "report.pdf"),
    (b"attachment; filename=report.pdf", "report.pdf"),
    (b"attachment; filename=my report.pdf", "my report.pdf"),
    (b'attachment; filename="a;b.pdf"', "a;b.pdf"),
    (b'attachment; filename="a\\"b.pdf"', 'a"b.pdf'),
    (b'attachment; filename="C:\\dir\\a.pdf"', "C:\\dir\\a.pdf"),
    (b'attachment; filename="=?utf-8?B?w6QucGRm?="', "ä.pdf"),
    (b"attachment; filename==?utf-8?Q?=C3=A4?=.pdf", "ä.pdf"),
    (b"attachment; filename*=utf-8''%C3%A4.pdf", "ä.pdf"),
    (b"attachment; filename*=UTF-8'de'%C3%A4.pdf", "ä.pdf"),
    (b"attachment; filename*=iso-8859-1''%E4.pdf", "ä.pdf"),
    (b"attachment; filename*0=long; filename*1=name.pdf", "longname.pdf"),
    (b"attachment; filename*1=name.pdf; filename*0=long", "longname.pdf"),
    (b"attachment; filename*0*=utf-8''%C3; filename*1*=%A4.pdf", "ä.pdf"),
    (b"attachment; filename*0*=utf-8''%C3%A4; filename*1=%20.pdf", "ä%20.pdf"),
    (b"attachment; filename*0=a; filename*2=c", "a"),
    (b"attachment; filename=old.pdf; filename*=utf-8''new.pdf", "new.pdf"),
    (b"attachment; filename=a.pdf; filename=b.pdf", "a.pdf"),
    (b"attachment;; filename=a.pdf;", "a.pdf"),
    (b'attachment; filename="open.pdf', "open.pdf"),
    (b"attachment; filename*=bogus''%E4.pdf", "ä.pdf"),
    (b"attachment; filename*=no-quotes.pdf", "no-quotes.pdf"),
    ('attachment; filename="ä.pdf"'.encode(), "ä.pdf"),
    ('attachment; filename="ä.pdf"'.encode("latin-1"), "ä.pdf"),
    (b'attachment; filename="a\r\n b.pdf"', "a b.pdf"),
    (b"filename=a.pdf", "a.pdf"),
    (b"attachment", None),
    (b'attachment; filename=""', None),
]


@pytest.mark.parametrize(("raw", "expected"), NAMES)
def test_file_names(raw: bytes, expected: str | None) -> None:
    message = b"Content-Type: application/pdf\r\nContent-Disposition: " + raw + b"\r\n\r\nx"
    assert mime.digest(message).structure.name == expected


BODIES = [
    ("us-ascii", b"plain", "plain", False),
    ("utf-8", "Grüße".encode(), "Grüße", False),
    ("UTF8", "Grüße".encode(), "Grüße", False),
    ("iso-8859-1", "Grüße".encode("latin-1"), "Grüße", False),
    ("windows-1252", b"\x80 5", "€ 5", False),
    ("windows-1250", "žluťoučký".encode("cp1250"), "žluťoučký", False),
    ("windows-1255", "שלום".encode("cp1255"), "שלום", False),
    ("windows-1256", "سلام".encode("cp1256"), "سلام", False),
    ("iso-8859-8-i", "שלום".encode("iso8859_8"), "שלום", False),
    ("iso-8859-7", "Γειά".encode("iso8859_7"), "Γειά", False),
    ("koi8-u", "Привіт".encode("koi8_u"), "Привіт", False),
    ("gb18030", "你好€".encode("gb18030"), "你好€", False),
    ("hz-gb-2312", "你好".encode("hz"), "你好", False),
    ("iso-2022-jp", "日本語".encode("iso2022_jp"), "日本語", False),
    ("iso-2022-kr", "안녕".encode("iso2022_kr"), "안녕", False),
    ("cp932", "①日本".encode("cp932"), "①日本", False),
    ("euc-tw", b"abc", "abc", True),  # unknown charset
    ("utf-16", "Grüße".encode("utf-16"), "Grüße", False),
    ("utf-8", b"caf\xe9 cr\xe8me", "café crème", True),  # mislabelled
    ("utf-8", "Grüße".encode()[:-3] + b"\xc3", "Gr\u00fc\ufffd", True),  # cut off
    ("us-ascii", "Grüße".encode(), "Grüße", True),
    ("", "Grüße".encode(), "Grüße", True),
    ("x-nonsense", "Grüße".encode("latin-1"), "Grüße", True),
    ("utf-8", b"\xef\xbb\xbfwith BOM", "with BOM", False),
    ("utf-8", b"a\r\nb\nc\rd", "a\nb\nc\nd", False),
]


@pytest.mark.parametrize(("charset", "data", "text", "problem"), BODIES)
@pytest.mark.parametrize("encoding", ["base64", "8bit"])
def test_bodies(charset: str, data: bytes, text: str, problem: bool, encoding: str) -> None:
    body = base64.b64encode(data) if encoding == "base64" else data
    kind = f"text/plain; charset={charset}" if charset else "text/plain"
    raw = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body
    part = mime.digest(raw).structure
    assert mime.part_text(raw, part) == (text, problem)


ENCODED = [
    ("quoted-printable", b"a=20b=\r\nc", b"a bc"),
    ("quoted-printable", b"a=  \r\nb", b"ab"),  # white space after a soft break
    ("quoted-printable", b"trailing   \r\nb", b"trailing\r\nb"),
    ("quoted-printable", b"bad =ZZ =", b"bad =ZZ "),
    ("quoted-printable", b"=c3=a4", "ä".encode()),
    ("Quoted-Printable", b"=41", b"A"),
    ("base64", b"QUJD", b"ABC"),
    ("base64", b"QU JD\r\n\r\n", b"ABC"),
    ("base64", b"QUJDRA", b"ABCD"),
    ("base64", b"Q", b""),
    ("base64", b"QQ==\r\nQg==\r\n", b"AB"),  # blocks padded one by one
    ("base64", b"QUI=\r\n-- \r\nfooter of a list", b"AB"),
    ("BASE64 ", b"QUJD", b"ABC"),
    ("base64 (comment)", b"QUJD", b"ABC"),
    ("x-uuencode", b"begin 644 a\n#86)C\n`\nend\n", b"abc"),
    ("x-uuencode", b"begin 644 a\n#\x01\x02\x03\x04\n#86)C\n", b"abc"),
    ("binary", b"\x00\xff", b"\x00\xff"),
    ("x-unknown", b"abc", b"abc"),
    ("", b"abc", b"abc"),
]


@pytest.mark.parametrize(("encoding", "body", "data"), ENCODED)
def test_transfer_encodings(encoding: str, body: bytes, data: bytes) -> None:
    raw = f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body
    part = mime.digest(raw).structure
    assert mime.part_bytes(raw, part) == data
    assert part.size == len(data)


def test_raw_8bit_header_uses_the_charset_of_the_body() -> None:
    subject = "Привет".encode("koi8_r")
    raw = b"Subject: " + subject + b"\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\nx"
    assert mime.digest(raw).subject == "Привет"


def test_html_says_its_charset_itself() -> None:
    page = "<meta charset=koi8-r><p>Привет".encode("koi8_r")
    raw = b"Content-Type: text/html\r\n\r\n" + page
    assert "Привет" in mime.part_text(raw, mime.digest(raw).structure)[0]
