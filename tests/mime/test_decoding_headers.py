"""What users see of subjects, names, addresses and file names (RFC 2047, 2231, 5322, 6532): a table."""

import base64

import pytest

from tests.mime.shown import Case, head, many, view

JAPANESE = "日本語の件名"


def subject(raw: bytes, said: str) -> Case:
    """A Subject field, and what is shown of it."""
    return Case(f"subject {raw[:50]!r}", head(b"Subject: " + raw), {"subject": said})


def sender(raw: bytes, *said: tuple[str | None, str]) -> Case:
    """A From field, and the names and addresses shown of it."""
    return Case(f"from {raw[:50]!r}", head(b"From: " + raw), {"from": list(said)})


def attached(disposition: bytes, said: str | None, kind: bytes = b"application/pdf") -> Case:
    """An attachment's fields, and the name shown of it."""
    part = b"Content-Type: " + kind + b"\r\nContent-Disposition: " + disposition + b"\r\n\r\nx"
    raw = many(b"\r\nhello", part)
    shown = kind.split(b";")[0].decode()
    return Case(f"file {disposition[:60]!r} {kind[15:45]!r}", raw, {"attachments": [(said, shown)]})


def word(said: str, charset: str, codec: str = "") -> bytes:
    """An encoded word."""
    data = base64.b64encode(said.encode(codec or charset)).decode()
    return f"=?{charset}?B?{data}?=".encode()


LONG = "ü" * 2_000

SUBJECTS = [
    subject(b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    subject(b"=?UTF-8?q?Gr=c3=bc=c3=9fe?=", "Grüße"),
    subject(b"=?utf-8?b?R3LDvMOfZQ==?=", "Grüße"),
    subject(b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
    subject(b"=?utf-8?Q?a_b=5Fc?=", "a b_c"),
    subject(b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
    subject(b"=?utf-8?Q?a?=\r\n =?utf-8?Q?_b?=", "a b"),
    subject(b"=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?=", "aé"),
    subject(b"=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
    subject(b"=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
    subject(b"Re:=?utf-8?Q?=C3=BC?=", "Re:ü"),
    subject(b"=?utf-8?B?5pc=?= =?utf-8?B?pQ==?=", "日"),
    subject(b"=?utf-8?Q?=E6=97?=\r\n =?utf-8?B?pQ==?=", "日"),
    subject(b"=?iso-2022-jp?B?GyRCRnw=?=\r\n =?iso-2022-jp?B?GyRCS1wbKEI=?=", "日本"),
    subject(b"=?utf-8*en?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    subject(b"=?x-unheard-of?Q?a?=", "=?x-unheard-of?Q?a?="),
    subject(b"=?utf-8?Q?open", "=?utf-8?Q?open"),
    subject(b"=?utf-8?Q?open =?utf-8?Q?=C3=BC?=", "=?utf-8?Q?open ü"),
    subject(b"=?utf-8?B?***?= x", "=?utf-8?B?***?= x"),
    subject(b"=?utf-8?Q?two words?=", "two words"),
    subject(b"=?utf-8?Q?what??=", "what?"),
    subject(b"=?utf-8?Q??= x", "x"),
    subject(b"=?utf-8?Q?bad =ZZ?=", "bad =ZZ"),
    subject(b"=?iso-8859-1?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),  # labelled without looking
    subject(b"=?utf-8?Q?caf=E9?=", "café"),
    subject(b"=?utf-8?Q?" + b"=C3=BC" * 2_000 + b"?=", LONG[:1_000]),
    subject(word(JAPANESE, "shift_jis"), JAPANESE),
    subject(word(JAPANESE, "euc-jp"), JAPANESE),
    subject(word("①髙", "Windows-31J", "cp932"), "①髙"),
    subject(b"=?iso-2022-jp?B?" + base64.b64encode(b"\x1b$B-!|b\x1b(B") + b"?=", "①髙"),
    subject(word("你好", "gb2312"), "你好"),
    subject(word("喺呢度", "big5", "big5hkscs"), "喺呢度"),
    subject(word("똠방각하", "ks_c_5601-1987", "cp949"), "똠방각하"),
    subject(word("Привет", "koi8-r"), "Привет"),
    subject(word("Grüße", "utf-16", "utf-16-be"), "Grüße"),
    subject(b"=?unicode-1-1-utf-7?Q?Gr+APwA3w-e?=", "Grüße"),
    subject(b"=?utf-8?Q?a=00b=0D=0ABcc:_c?=", "abBcc: c"),
    subject("Grüße".encode(), "Grüße"),
    subject("Grüße".encode("latin-1"), "Grüße"),
    subject("e\u0301".encode(), "é"),
    subject(b"a\r\n b\r\n\tc", "a b\tc"),
    subject(b"", ""),
    subject(b"a\x00b\rc", "abc"),
    Case("raw Shift_JIS as the body is",
         head(b"Subject: " + JAPANESE.encode("cp932"), b"Content-Type: text/plain; charset=shift_jis"),
         {"subject": JAPANESE}),
    Case("of two subjects the last", head(b"Subject: one", b"Subject: two"), {"subject": "two"}),
    Case("no subject", head(b"To: a@x.test"), {"subject": None, "from": None}),
    Case("spaces before the colon", head(b"Subject : s"), {"subject": "s"}),
]  # fmt: skip

PEOPLE = [
    sender(b"a@x.test", (None, "a@x.test")),
    sender(b"Anna <a@x.test>", ("Anna", "a@x.test")),
    sender(b'"M\xc3\xbcller, \\"A\\"" <a@x.test>', ('Müller, "A"', "a@x.test")),
    sender(b"=?utf-8?Q?Zo=C3=AB?= M. <a@x.test>", ("Zoë M.", "a@x.test")),
    sender(b'"=?utf-8?Q?Zo=C3=AB?=" <a@x.test>', ("Zoë", "a@x.test")),  # wrong, and everywhere
    sender(b"=?utf-8?Q?M=C3=BCller,_Anna?= <a@x.test>", ("Müller, Anna", "a@x.test")),
    sender(b"=?utf-8?Q?Sales:_M=C3=BC?= <a@x.test>", ("Sales: Mü", "a@x.test")),
    sender(b"=?utf-8?Q?M=C3=BC?=\r\n =?utf-8?Q?ller?= <a@x.test>", ("Müller", "a@x.test")),
    sender(b"=?utf-8?Q?Anna?=", ("Anna", "")),
    sender("Zoë <zoë@bücher.test>".encode(), ("Zoë", "zoë@bücher.test")),
    sender("Zoë <a@x.test>".encode("latin-1"), ("Zoë", "a@x.test")),
    sender(b"a@x.test (Anna (M))", ("Anna (M)", "a@x.test")),
    sender(b"a@x.test (=?utf-8?Q?Zo=C3=AB?=)", ("Zoë", "a@x.test")),
    sender(b"Anna (at work) <a@x.test>", ("Anna", "a@x.test")),
    sender(b"<a@x.test (c)>", (None, "a@x.test")),
    sender(b"<@relay.test,@b.test:a@x.test>", (None, "a@x.test")),
    sender(b"Anna <<a@x.test>>", ("Anna", "a@x.test")),
    sender(b"Anna <a@x.test", ("Anna", "a@x.test")),
    sender(b'"Anna M" a@x.test', ("Anna M", "a@x.test")),
    sender(b"Anna a@x.test", ("Anna", "a@x.test")),
    sender(b'"a b"@x.test', (None, '"a b"@x.test')),
    sender(b"a @ x . test", (None, "a@x.test")),
    sender(b"root", (None, "root")),
    sender(b"Anna <root>", ("Anna", "root")),
    sender(b"Anna <>", ("Anna", "")),
    sender(b"a@[192.0.2.1]", (None, "a@[192.0.2.1]")),
    sender(b"a@x.test,, b@y.test;c@z.test", (None, "a@x.test"), (None, "b@y.test"), (None, "c@z.test")),
    sender(b"team: a@x.test, B <b@y.test>;, c@z.test", (None, "a@x.test"), ("B", "b@y.test"),
           (None, "c@z.test")),
    sender(b"undisclosed-recipients:;"),
    sender(b""),
    sender(b"An\x00na <a\x00@x.test>", ("Anna", "a@x.test")),
    sender(b"Anna\r\n\t<a@x.test>", ("Anna", "a@x.test")),
    Case("raw Shift_JIS names",
         head(b"From: \x93\xfa\x96{ <a@x.test>", b"Content-Type: text/plain; charset=sjis"),
         {"from": [("日本", "a@x.test")]}),
    Case("several fields", head(b"To: a@x.test", b"To: b@x.test", b"Cc: c@x.test"),
         {"to": [(None, "b@x.test")], "cc": [(None, "c@x.test")]}),
]  # fmt: skip

FILES = [
    attached(b'attachment; filename="a b.pdf"', "a b.pdf"),
    attached(b"attachment; filename=a b (1).pdf", "a b (1).pdf"),
    attached(b'attachment; filename="a;b\\".pdf"', 'a;b".pdf'),
    attached(b"attachment; filename*=utf-8''%C3%A4%20b.pdf", "ä b.pdf"),
    attached(b"attachment; filename*=iso-8859-1'de'%e4.pdf", "ä.pdf"),
    attached(b"attachment; filename*=shift_jis''%93%FA%96%7B.pdf", "日本.pdf"),
    attached(b"attachment; filename*=\"utf-8''%C3%A4.pdf\"", "ä.pdf"),
    attached(b"attachment; filename*0=long; filename*1=name; filename*2=.pdf", "longname.pdf"),
    attached(b"attachment; filename*2=.pdf; filename*1=name; filename*0=long", "longname.pdf"),
    attached(b"attachment; filename*0*=utf-8''%C3; filename*1*=%A4; filename*2=%20.pdf", "ä%20.pdf"),
    attached(b"attachment; filename*0=a; filename*2=c", "a"),
    attached(b"attachment; filename*1=a; filename*2=.pdf", "a.pdf"),
    attached(b"attachment; filename=a.pdf; filename*3=c", "a.pdf"),
    attached(b"attachment; filename*=utf-8''50%25%ZZ.pdf", "50%%ZZ.pdf"),
    attached(b"attachment; filename*=%C3%A4.pdf", "ä.pdf"),
    attached(b"attachment; filename*=''%C3%A4.pdf", "ä.pdf"),
    attached(b"attachment; filename*=x-unheard-of''%C3%A4.pdf", "ä.pdf"),
    attached(b"attachment; filename=old.pdf; filename*=utf-8''n%C3%A4w.pdf", "näw.pdf"),
    attached(b"attachment; filename*=utf-8''n%C3%A4w.pdf; filename=old.pdf", "näw.pdf"),
    attached(b"attachment", "ä.pdf", b"application/pdf; name*=utf-8''%C3%A4.pdf"),
    attached(b"attachment", "a.pdf", b'application/pdf; name="a.pdf"'),
    attached(b"attachment; filename=shown.pdf", "shown.pdf", b"application/pdf; name=other.pdf"),
    attached(b'attachment; filename="=?utf-8?B?w6QucGRm?="', "ä.pdf"),
    attached(b"attachment; filename==?utf-8?Q?=C3=A4?=.pdf", "ä.pdf"),
    attached(b'attachment; filename="=?utf-8?Q?=C3=A4?=\r\n =?utf-8?Q?b.pdf?="', "äb.pdf"),
    attached(b'attachment; filename*0="=?utf-8?Q?=C3"; filename*1="=A4?=.pdf"', "ä.pdf"),
    attached('attachment; filename="ä.pdf"'.encode(), "ä.pdf"),
    attached('attachment; filename="ä.pdf"'.encode("latin-1"), "ä.pdf"),
    attached(b'attachment; filename="a.pdf', "a.pdf"),
    attached(b"attachment; filename=a.pdf; filename=b.pdf", "a.pdf"),
    attached(b"attachment; FILENAME = a.pdf ;", "a.pdf"),
    attached(b'attachment; filename="a\x00\r\n b.pdf"', "a b.pdf"),
    attached(b'attachment; filename="%C3%A4.pdf"', "%C3%A4.pdf"),  # no RFC calls this encoded
    attached(b'attachment; filename=""', None),
    attached(b"attachment", None),
    Case("raw Shift_JIS file name, as the text is",
         many(b"Content-Type: text/plain; charset=shift_jis\r\n\r\nx",
              b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="'
              + "日本.pdf".encode("cp932") + b'"\r\n\r\nx'),
         {"attachments": [("日本.pdf", "application/pdf")]}),
]  # fmt: skip

CASES = [*SUBJECTS, *PEOPLE, *FILES]


@pytest.mark.parametrize("case", CASES, ids=[f"{n} {case.name}" for n, case in enumerate(CASES)])
def test_what_is_shown(case: Case) -> None:
    assert view(case) == case.shows
