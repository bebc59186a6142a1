"""What users see of bodies and trees, whatever was written (RFC 2045, 2046, RFC 8621 §4.1.4): a table."""

import base64
import time

import pytest

from tests.mime.shown import Case, email, head, many, text, tree, view

GERMAN = "Grüße aus Köln"
JAPANESE = "日本語のテスト"
CHINESE = "你好，世界"
RUSSIAN = "Привет, мир"


def charset(label: str, said: str, codec: str, wrong: bool = False) -> Case:
    """A body whose charset has this label, in octets of this codec."""
    name = f"charset {label} holding {codec}: {said[:4]}"
    raw = text(said.encode(codec), f"text/plain; charset={label}")
    return Case(name, raw, {"text": said, "html": said, "problem": wrong})


def octets(label: str, data: bytes, said: str, wrong: bool) -> Case:
    """A body of these octets."""
    raw = text(data, f"text/plain; charset={label}")
    return Case(f"charset {label}: {data[:12]!r}", raw, {"text": said, "problem": wrong})


CHARSETS = [
    charset("us-ascii", "plain", "ascii"),
    charset("utf-8", GERMAN, "utf-8"),
    charset("utf8", GERMAN, "utf-8"),
    charset('"UTF-8"', GERMAN, "utf-8"),
    charset("utf-8 (Plain text)", GERMAN, "utf-8"),
    charset('"utf-8" (as ever)', GERMAN, "utf-8"),
    charset("x-utf-8", GERMAN, "utf-8"),
    charset("unicode-1-1-utf-7", GERMAN, "utf-7"),
    charset("UTF-7", GERMAN, "utf-7"),
    charset("csUnicode11UTF7", GERMAN, "utf-7"),
    charset("utf-16", GERMAN, "utf-16"),
    charset("utf-16le", GERMAN, "utf-16-le"),
    charset("utf-16be", GERMAN, "utf-16-be"),
    charset("utf-16", GERMAN, "utf-16-be"),  # no mark
    charset("utf-16", GERMAN, "utf-16-le"),
    charset("utf-16", CHINESE, "utf-16-be"),  # no zeroes: RFC 2781 §4.3
    charset("utf-16be", GERMAN, "utf-16"),  # the mark knows better
    charset("utf-32", GERMAN, "utf-32"),
    charset("utf-32", GERMAN, "utf-32-be"),
    charset("utf-32", GERMAN, "utf-32-le"),
    charset("utf-32le", GERMAN, "utf-32-le"),
    charset("iso-8859-1", GERMAN, "latin-1"),
    charset("ISO_8859-1:1987", "“Zitat” – 5 €", "cp1252"),  # said Latin-1, meant Windows
    charset("iso-8859-2", "žluťoučký kůň", "iso8859_2"),
    charset("iso-8859-3", "ĉevalo ĝojo", "iso8859_3"),
    charset("iso-8859-4", "ķirsis āboli", "iso8859_4"),
    charset("iso-8859-5", RUSSIAN, "iso8859_5"),
    charset("iso-8859-6", "سلام", "iso8859_6"),
    charset("iso-8859-7", "Γειά σου", "iso8859_7"),
    charset("iso-8859-8", "שלום", "iso8859_8"),
    charset("iso-8859-8-i", "שלום", "iso8859_8"),
    charset("iso-8859-9", "İşçi ğ", "iso8859_9"),
    charset("iso-8859-10", "Þingvellir ŋ", "iso8859_10"),
    charset("iso-8859-11", "สวัสดี", "iso8859_11"),
    charset("iso-8859-13", "Ąžuolas", "iso8859_13"),
    charset("iso-8859-14", "Ŵyr Ŷd", "iso8859_14"),
    charset("iso-8859-15", "5 € œuvre", "iso8859_15"),
    charset("iso-8859-16", "Țară și", "iso8859_16"),
    charset("iso88592", "žluťoučký", "iso8859_2"),
    charset("windows-1250", "žluťoučký kůň", "cp1250"),
    charset("windows-1251", RUSSIAN, "cp1251"),
    charset("win-1251", RUSSIAN, "cp1251"),
    charset("windows-1252", "“Zitat” – 5 €", "cp1252"),
    charset("windows-1253", "Γειά σου", "cp1253"),
    charset("windows-1254", "İşçi ğ", "cp1254"),
    charset("windows-1255", "שָׁלוֹם", "cp1255"),
    charset("windows-1256", "سلام", "cp1256"),
    charset("windows-1257", "Ąžuolas", "cp1257"),
    charset("windows-1258", "Đêm", "cp1258"),
    charset("cp-850", GERMAN, "cp850"),
    charset("IBM437", GERMAN, "cp437"),
    charset("koi8-r", RUSSIAN, "koi8_r"),
    charset("koi8-u", "Привіт, їжак", "koi8_u"),
    charset("iso-2022-jp", JAPANESE, "iso2022_jp"),
    charset("shift_jis", JAPANESE, "shift_jis"),
    charset("Windows-31J", "①髙﨑㈱", "cp932"),
    charset("euc-jp", JAPANESE, "euc_jp"),
    octets("iso-2022-jp", b"\x1b$B-!|b\x1b(B abc", "①髙 abc", False),  # rows that NEC and IBM added
    octets("iso-2022-jp-ms", b"\x1b(I1\x1b$B-!\x1b(B.", "ｱ①.", False),
    octets("euc-jp", b"\xad\xa1\xfc\xe2 \x8e\xb1", "①髙 ｱ", False),
    charset("gb2312", CHINESE, "gb2312"),
    charset("gb2312", "朱镕基", "gbk"),  # a character that only GBK has
    charset("gbk", CHINESE, "gbk"),
    charset("gb18030", "𠀀€" + CHINESE, "gb18030"),
    charset("hz-gb-2312", CHINESE, "hz"),
    charset("big5", "你好世界", "big5"),
    charset("big5-hkscs", "喺呢度", "big5hkscs"),
    charset("big5", "喺呢度", "big5hkscs"),  # Hong Kong's characters under the plain name
    charset("euc-kr", "안녕하세요", "euc_kr"),
    charset("ks_c_5601-1987", "똠방각하", "cp949"),
    charset("csEUCKR", "똠방각하", "cp949"),
    charset("csGB2312", CHINESE, "gb2312"),
    charset("iso-2022-kr", "안녕", "iso2022_kr"),
    charset("tis-620", "สวัสดี", "tis_620"),
    charset("macintosh", GERMAN, "mac_roman"),
    charset("x-mac-cyrillic", RUSSIAN, "mac_cyrillic"),
    charset("x-unheard-of", GERMAN, "utf-8", wrong=True),
    charset("x-unheard-of", GERMAN, "latin-1", wrong=True),
    charset("x-unheard-of", "plain", "ascii", wrong=True),
    charset("iso-8859-1", GERMAN, "utf-8", wrong=True),  # labelled without looking
    charset("us-ascii", GERMAN, "utf-8", wrong=True),
    charset("us-ascii", GERMAN, "latin-1", wrong=True),
    charset("utf-8", GERMAN, "latin-1", wrong=True),
    octets("iso-8859-1", "« CAFÉ\xa0»".encode("latin-1"), "« CAFÉ\xa0»", False),
    octets("windows-1252", b"CAF\xc9\x94", "CAFÉ”", False),  # by chance a pair of UTF-8
    octets("utf-8", "日本語".encode()[:-1], "日本\ufffd", True),
    octets("utf-8", b"\xef\xbb\xbfmarked", "marked", False),
    octets("shift_jis", b"\x93\xfa\x96", "日\ufffd", True),
    Case("charset missing, ASCII", text(b"plain", "text/plain"), {"text": "plain", "problem": False}),
    Case("charset missing, UTF-8", text(GERMAN.encode(), "text/plain"), {"text": GERMAN, "problem": True}),
    Case("charset in RFC 2231", text(GERMAN.encode(), "text/plain; charset*=us-ascii'en'utf-8"),
         {"text": GERMAN, "problem": False}),
    Case("charset of the HTML itself", text("<meta charset=koi8-r>Привет".encode("koi8_r"), "text/html"),
         {"html": "<meta charset=koi8-r>Привет", "problem": False}),
    Case("the header's charset before the HTML's",
         text("<meta charset=koi8-r>Привет".encode("cp1251"), "text/html; charset=windows-1251"),
         {"html": "<meta charset=koi8-r>Привет", "problem": False}),
    Case("the HTML's charset where the header says ASCII",
         text("<meta charset=koi8-r>Привет".encode("koi8_r"), "text/html; charset=us-ascii"),
         {"html": "<meta charset=koi8-r>Привет", "problem": False}),
]  # fmt: skip


def coded(encoding: str, body: bytes, said: str, wrong: bool = False) -> Case:
    """A UTF-8 body in a transfer encoding."""
    raw = text(body, "text/plain; charset=utf-8", encoding)
    return Case(f"{encoding}: {body[:24]!r}", raw, {"text": said, "problem": wrong})


ENCODINGS = [
    coded("quoted-printable", b"Gr=C3=BC=C3=9Fe=20=\r\naus", "Grüße aus"),
    coded("Quoted-Printable", b"Gr=c3=bc=c3=9fe", "Grüße"),
    coded("quoted-printable", b"soft=  \t\r\nbreak", "softbreak"),
    coded("quoted-printable", b"trailing  \t\r\nspaces", "trailing\nspaces"),
    coded("quoted-printable", b"1=1, 50=% =", "1=1, 50=% ", wrong=True),
    coded("quoted-printable", b"=G1 =41", "=G1 A", wrong=True),
    coded("quoted-printable", b"cut =C3=BC=", "cut ü"),
    coded("quoted-printable", "raw ü".encode(), "raw ü"),
    coded("base64", base64.b64encode(GERMAN.encode()), GERMAN),
    coded("BASE64", b"R3LD\r\nvMOf\r\n\r\n ZQ==\r\n", "Grüße"),
    coded("base64", b"R3LDvMOfZQ", "Grüße"),
    coded("base64", b"R3LD!vMOf*ZQ==", "Grüße", wrong=True),
    coded("base64", b"R3I=\r\nw7zDnw==\r\nZQ==", "Grüße"),
    coded("base64 (of course)", b"R3LDvMOfZQ==", "Grüße"),
    coded("8bit", GERMAN.encode(), GERMAN),
    coded("7bit", GERMAN.encode(), GERMAN),
    coded("binary", b"no\rline\nends\r\nhere", "no\nline\nends\nhere"),
    coded("uuencode", b"begin 644 a.txt\n#86)C\n`\nend\n", "abc"),
    coded("x-uuencode", b"As you wish:\n\nbegin 644 a.txt\n#86)C\n`\nend\n", "abc"),
    coded("x-yencode", b"=ybegin line=128\r\n", "=ybegin line=128\n", wrong=True),
    coded("x-unheard-of", GERMAN.encode(), GERMAN, wrong=True),
    coded("", b"plain", "plain"),
    coded('"8-bit"', GERMAN.encode(), GERMAN),
    Case("quoted-printable with bare CRs",
         text(b"one=\rtwo \rthree", "text/plain", "quoted-printable").replace(b"\r\n", b"\r"),
         {"text": "onetwo\nthree", "problem": False}),
    Case("an encoding on a multipart means nothing",
         b"Content-Transfer-Encoding: base64\r\n" + many(b"\r\nhello"),
         {"text": "hello", "tree": "mixed[plain]"}),
    Case("format=flowed stays as it is", text(b"> a \r\n> b\r\n-- \r\n", "text/plain; format=flowed"),
         {"text": "> a \n> b\n-- \n"}),
    Case("cut between characters", text("aüü".encode(), "text/plain; charset=utf-8"),
         {"text": "aü", "truncated": True}, {"maxBodyValueBytes": 4}),
    Case("cut not within a tag", text(b"ab<b>c</b>", "text/html"),
         {"html": "ab", "truncated": True}, {"maxBodyValueBytes": 4}),
    Case("just as long as asked", text(b"abcd"), {"text": "abcd", "truncated": False},
         {"maxBodyValueBytes": 4}),
]  # fmt: skip

PLAIN = b"Content-Type: text/plain\r\n\r\nhello"
HTML = b"Content-Type: text/html\r\n\r\n<b>hello</b>"
PNG = b"Content-Type: image/png\r\nContent-ID: <i@x>\r\n\r\npng"
PDF = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\npdf"
LETTER = b"From: b@y.test\r\nSubject: within\r\n\r\nletter"
RELATED = many(HTML, PNG, kind="related", boundary="r")
SIGNATURE = b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\nsig"
STATUS = b"Content-Type: message/delivery-status\r\n\r\nStatus: 5.1.1"


def nested(depth: int) -> bytes:
    """Multiparts within each other."""
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth)
    )
    return opened + PLAIN + b"".join(b"\r\n--b%d--" % n for n in reversed(range(depth)))


NESTING = [
    Case("mixed", many(PLAIN, PDF), {"tree": "mixed[plain,pdf]", "text": "hello", "html": "hello",
                                     "attachments": [("a.pdf", "application/pdf")], "sizes": [3]}),
    Case("alternative", many(PLAIN, HTML, kind="alternative"),
         {"tree": "alternative[plain,html]", "text": "hello", "html": "<b>hello</b>", "attachments": []}),
    Case("related in alternative in mixed",
         many(many(PLAIN, RELATED, kind="alternative", boundary="a"), PDF, boundary="m"),
         {"tree": "mixed[alternative[plain,related[html,png]],pdf]", "text": "hello", "html": "<b>hello</b>",
          "attachments": [(None, "image/png"), ("a.pdf", "application/pdf")]}),
    Case("report", many(PLAIN, STATUS, b"Content-Type: message/rfc822\r\n\r\n" + LETTER, kind="report"),
         {"tree": "report[plain,delivery-status,rfc822]", "text": "hello",
          "attachments": [(None, "message/delivery-status"), (None, "message/rfc822")]}),
    Case("signed", many(PLAIN, SIGNATURE, kind="signed"),
         {"tree": "signed[plain,pgp-signature]", "text": "hello",
          "attachments": [("signature.asc", "application/pgp-signature")]}),
    Case("digest: messages unless told otherwise", many(b"\r\n" + LETTER, PLAIN, kind="digest"),
         {"tree": "digest[rfc822,plain]"}),
    Case("an unheard-of multipart is mixed", many(PLAIN, PDF, kind="x-new"), {"tree": "x-new[plain,pdf]",
                                                                            "text": "hello"}),
    Case("empty multipart", many(), {"tree": "mixed[plain]", "text": "", "problem": False}),
    Case("multipart that only opens", many().replace(b"--b--\r\n", b"--b\r\n"), {"tree": "mixed[plain]",
                                                                             "text": ""}),
    Case("an empty part", many(b"", PLAIN), {"tree": "mixed[plain,plain]", "text": "|hello"}),
    Case("closing boundary missing", many(PLAIN, PDF).removesuffix(b"\r\n--b--\r\n"),
         {"tree": "mixed[plain,pdf]", "sizes": [3]}),
    Case("white space behind boundaries", many(PLAIN, PDF).replace(b"--b\r\n", b"--b \t \r\n"),
         {"tree": "mixed[plain,pdf]", "text": "hello"}),
    Case("a boundary that another begins with",
         many(many(PLAIN, HTML, kind="alternative", boundary="b-1"), PDF, boundary="b"),
         {"tree": "mixed[alternative[plain,html],pdf]"}),
    Case("a boundary that begins with another",
         many(many(PLAIN, HTML, kind="alternative", boundary="b"), PDF, boundary="b-1"),
         {"tree": "mixed[alternative[plain,html],pdf]"}),
    Case("an inner multipart that never closes",
         many(many(PLAIN, HTML, kind="alternative", boundary="i").removesuffix(b"--i--\r\n"), PDF),
         {"tree": "mixed[alternative[plain,html],pdf]", "text": "hello"}),
    Case("boundary unsaid, but seen", many(PLAIN, PDF).replace(b'; boundary="b"', b""),
         {"tree": "mixed[plain,pdf]", "text": "hello"}),
    Case("boundary unsaid and unseen", b"Content-Type: multipart/mixed\r\n\r\nhello", {"tree": "plain",
                                                                                      "text": "hello"}),
    Case("boundary with all its signs", many(PLAIN, boundary="a b'()+_,-./:=?z"), {"tree": "mixed[plain]",
                                                                                  "text": "hello"}),
    Case("boundary with a comment",
         many(PLAIN).replace(b'boundary="b"', b"boundary=b (it is b)"), {"tree": "mixed[plain]"}),
    Case("boundary only in the middle of a line", many(b"\r\nsee --b here"), {"text": "see --b here"}),
    Case("preamble and epilogue",
         many(PLAIN).replace(b"\r\n\r\n--b", b"\r\n\r\nold reader!\r\n--b", 1) + b"end",
         {"text": "hello"}),
    Case("a message within", many(PLAIN, b"Content-Type: message/rfc822\r\n\r\n" + LETTER),
         {"subject": None, "tree": "mixed[plain,rfc822]", "text": "hello", "sizes": [len(LETTER)]}),
    Case("an internationalized message within", many(PLAIN, b"Content-Type: message/global\r\n\r\n" + LETTER),
         {"tree": "mixed[plain,global]", "attachments": [(None, "message/global")]}),
    Case("a hundred deep", nested(100), {"tree": "mixed[" * 32 + "plain" + "]" * 32, "problem": False}),
    Case("thirty deep", nested(30), {"tree": "mixed[" * 30 + "plain" + "]" * 30, "text": "hello"}),
    Case("text behind an attachment", many(PLAIN, PDF, PLAIN), {"text": "hello|hello"}),
    Case("no type at all", head(b"Subject: s"), {"tree": "plain", "text": "body\n"}),
    Case("a type without sense", text(b"x", "words"), {"tree": "plain", "text": "x"}),
    Case("the header alone", b"Subject: s\r\nFrom: a@x.test", {"subject": "s", "text": "", "tree": "plain"}),
    Case("nothing at all", b"", {"subject": None, "from": None, "text": "", "tree": "plain"}),
    Case("an mbox's line", b"From a@x.test Tue Jan  2 10:00:00 2024\n" + LETTER,
         {"subject": "within", "from": [(None, "b@y.test")], "text": "letter"}),
    Case("bare line feeds", many(PLAIN, PDF).replace(b"\r\n", b"\n"), {"tree": "mixed[plain,pdf]"}),
    Case("bare carriage returns", many(PLAIN, PDF).replace(b"\r\n", b"\r"), {"tree": "mixed[plain,pdf]",
                                                                         "text": "hello", "sizes": [3]}),
]  # fmt: skip

CASES = [*CHARSETS, *ENCODINGS, *NESTING]


@pytest.mark.parametrize("case", CASES, ids=[f"{n} {case.name}" for n, case in enumerate(CASES)])
def test_what_is_shown(case: Case) -> None:
    assert view(case) == case.shows


LONG: dict[str, bytes] = {
    "escapes of ISO-2022-JP": text(b"\x1b$B-!" * 100_000, "text/plain; charset=iso-2022-jp"),
    "pairs of EUC": text(b"\xad\xa1" * 200_000, "text/plain; charset=euc-jp"),
    "bare breaks": text(b"=\r" * 200_000, "text/plain", "quoted-printable"),
    "spaces before bare breaks": text(b" " * 400_000 + b"x\r", "text/plain", "quoted-printable"),
    "words that only open": b"Subject: " + b"=?utf-8?q?" * 40_000 + b"?=\r\n\r\n",
    "words with one end": b"To: " + b"=?utf-8?q?a" * 40_000 + b"?=\r\n\r\n",
    "quoted names": b"To: " + b'"a" ' * 100_000 + b"\r\n\r\n",
    "brackets": b"To: " + b"<<" * 100_000 + b"a@x.test\r\n\r\n",
    "a message a hundred deep": nested(100),
    "begins": text(b"begin 644 a\n" * 40_000, "text/plain", "uuencode"),
}


@pytest.mark.parametrize("name", LONG)
def test_long_input_is_shown_in_bounded_time(name: str) -> None:
    begun = time.process_time()
    assert tree(email(LONG[name], {})["bodyStructure"])
    assert time.process_time() - begun < 2
