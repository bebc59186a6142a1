"""Messages as they are passed on (S22, RFC 2369, RFC 2919): new fields on top, the body octet for octet."""

from email import message_from_bytes
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from chalicelib import mime
from chalicelib.rules import forwarding
from chalicelib.rules.values import Correspondent, MailingList

ZOE = Correspondent("Zoë, far", "zoe@far.test")
RAW = (
    b"Received: a\r\nFrom: =?utf-8?q?Zo=C3=AB=2C_far?= <zoe@far.test>\r\nSender: s@far.test\r\n"
    b"DKIM-Signature: v=1;\r\n b=x\r\nList-Id: <old.far.test>\r\n"
    b"Delivered-To: a@far.test\r\n\r\nFrom: body\r\n"
)


def test_a_forward_has_a_From_of_its_own_and_keeps_hops_and_body() -> None:
    how = forwarding.outward("office@x.test", (ZOE,), (), "zoe@far.test")
    out = mime.passed_on(RAW, how)
    seen = message_from_bytes(out, policy=default)
    assert seen["From"].addresses[0].addr_spec == "office@x.test"
    assert seen["From"].addresses[0].display_name == "Zoë, far via office"
    assert seen["Reply-To"].addresses[0].addr_spec == "zoe@far.test"
    assert seen.get_all("Delivered-To") == ["office@x.test", "a@far.test"]
    assert (seen["Received"], seen["DKIM-Signature"], seen["Sender"]) == ("a", None, None)
    assert seen["List-Id"] == "<old.far.test>", "a forward is no list"
    assert out.endswith(b"\r\n\r\nFrom: body\r\n")
    assert out.isascii()


def test_a_message_without_From_is_from_its_envelope_sender() -> None:
    how = forwarding.outward("office@x.test", (), (), "zoe@far.test")
    seen = message_from_bytes(mime.passed_on(b"Subject: x\r\n\r\n", how), policy=default)
    assert str(seen["From"]) == "zoe via office <office@x.test>"
    bounce = forwarding.outward("office@x.test", (), (), "")
    seen = message_from_bytes(mime.passed_on(b"Subject: x\r\n\r\n", bounce), policy=default)
    assert str(seen["From"]) == "via office <office@x.test>"
    assert seen["Reply-To"] is None


def test_RFC2919_a_list_replaces_the_fields_of_another() -> None:
    entry = MailingList("team@x.test", name="Größe", posting="admins", reply_to="list")
    seen = message_from_bytes(mime.passed_on(RAW, forwarding.listed(entry)), policy=default)
    assert seen.get_all("List-Id") == ["Größe <team.x.test>"]
    assert seen["List-Post"] == "NO"
    assert str(seen["Reply-To"]) == "Größe <team@x.test>"
    assert seen["From"].addresses[0].addr_spec == "zoe@far.test"


def test_the_first_line_of_an_mbox_does_not_end_the_header() -> None:
    how = forwarding.outward("office@x.test", (ZOE,), (), "")
    out = mime.passed_on(b"From zoe Mon Mar  2\nSubject: x\n\nbody\n", how)
    assert mime.digest(out).subject == "x"


@given(st.binary(max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_no_message_and_no_name_makes_a_field_of_its_own(body: bytes, name: str, subject: str) -> None:
    raw = b"Subject: x\r\n\r\n" + body
    entry = MailingList("team@x.test", name=name)
    for how in (
        forwarding.listed(entry),
        forwarding.outward("office@x.test", (Correspondent(subject, "z@far.test"),), (), ""),
    ):
        out = mime.passed_on(raw, how)
        names = {field for field, _ in mime.header_fields(out)}
        assert names <= {"Subject", "Delivered-To", "From", "Reply-To", "X-Original-From", "List-Id"} | {
            name for name, _ in how.fields
        }
        assert out.endswith(raw)
