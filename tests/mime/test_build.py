"""Writing messages: what is composed can be read back, is 7-bit clean, folded, and the same each time."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import mime
from chalicelib.rules.values import Attachment, BounceReport, Correspondent, Draft, RecipientState

DRAFT = Draft(
    from_=(Correspondent("Zoë", "zoe@x.test"),),
    to=(Correspondent("", "a@x.test"), Correspondent("Müller, Anna", "b@y.test")),
    subject="Grüße",
    date=datetime(2024, 1, 2, 10, tzinfo=UTC),
    message_id="id@x.test",
    bcc=(Correspondent("", "secret@x.test"),),
    in_reply_to=("p@x.test",),
    references=("o@x.test", "p@x.test"),
    text="hello\nthere",
)
PDF = Attachment("ä report.pdf", "application/pdf", bytes(range(256)) * 40)
IMAGE = Attachment("i.png", "image/png", b"png", "inline", "image1")


def carried(raw: bytes) -> bool:
    lines = raw.split(b"\r\n")
    return raw.isascii() and all(
        len(line) <= 998 and b"\n" not in line and b"\r" not in line for line in lines
    )


def test_what_is_written_is_read_back() -> None:
    raw = mime.compose(DRAFT)
    found = mime.digest(raw)
    assert carried(raw)
    assert (found.subject, found.from_, found.to, found.bcc) == ("Grüße", DRAFT.from_, DRAFT.to, DRAFT.bcc)
    assert (found.message_id, found.in_reply_to, found.references) == (
        ("id@x.test",), ("p@x.test",), ("o@x.test", "p@x.test"),
    )  # fmt: skip
    assert found.sent_at == DRAFT.date
    assert mime.part_text(raw, found.structure) == ("hello\nthere", False)


def test_same_draft_same_octets() -> None:
    draft = replace(DRAFT, html="<p>x", attachments=(PDF, IMAGE))
    assert mime.compose(draft) == mime.compose(draft)


def test_text_html_inline_and_attachment() -> None:
    raw = mime.compose(replace(DRAFT, html="<p>hé</p>", attachments=(PDF, IMAGE)))
    structure = mime.digest(raw).structure
    leaves = {leaf.part_id: leaf for leaf in mime.leaves(structure)}
    assert [leaf.type for leaf in leaves.values()] == [
        "text/plain",
        "text/html",
        "image/png",
        "application/pdf",
    ]
    assert mime.part_bytes(raw, leaves["2"]) == PDF.content
    assert (leaves["2"].name, leaves["2"].disposition) == ("ä report.pdf", "attachment")
    assert (leaves["1.2.2"].cid, leaves["1.2.2"].disposition) == ("image1", "inline")
    assert mime.part_text(raw, leaves["1.2.1"]) == ("<p>hé</p>", False)


def test_html_alone_and_nothing_at_all() -> None:
    assert mime.digest(mime.compose(replace(DRAFT, text=None, html="<p>x"))).structure.type == "text/html"
    assert mime.digest(mime.compose(replace(DRAFT, text=None))).structure.type == "text/plain"


def test_an_attached_message_stays_a_message() -> None:
    eml = Attachment("m.eml", "message/rfc822", b"Subject: \xc3\xa4\nContent-Type: text/plain\n\nb\xe4d")
    raw = mime.compose(replace(DRAFT, attachments=(eml,)))
    assert carried(raw)
    part = mime.digest(raw).structure.parts[1]
    inner = mime.part_bytes(raw, part)
    assert (part.type, mime.digest(inner).subject) == ("message/rfc822", "ä")
    assert mime.part_bytes(inner, mime.digest(inner).structure) == b"b\xe4d"


def test_no_value_becomes_a_field() -> None:
    evil = "x\r\nBcc: victim@x.test\r\n\r\nbody"
    who = (Correspondent(evil, "a@x.test\r\nBcc: v@x.test"),)
    raw = mime.compose(
        replace(DRAFT, subject=evil, to=who, bcc=(), message_id=evil,
                headers=(("X-A", evil), ("Bad Name", "x")),
                attachments=(Attachment(evil, "application/x\r\nBcc: v@x.test", b"x", "inline", evil),))
    )  # fmt: skip
    assert {name.lower() for name, _ in mime.header_fields(raw)} == {
        "date", "from", "to", "subject", "message-id", "in-reply-to", "references", "x-a", "mime-version",
        "content-type",
    }  # fmt: skip
    assert mime.digest(raw).bcc == ()


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=600)


@settings(max_examples=150, deadline=None)
@given(PLAIN, PLAIN, TEXTS, st.binary(max_size=300), PLAIN)
def test_any_draft_survives(subject: str, name: str, text: str, content: bytes, file_name: str) -> None:
    raw = mime.compose(
        replace(DRAFT, subject=subject, from_=(Correspondent(name, "a@x.test"),), text=text,
                attachments=(Attachment(file_name, "application/octet-stream", content),))
    )  # fmt: skip
    assert carried(raw)
    found = mime.digest(raw)
    shown, attached = found.structure.parts
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert mime.part_text(raw, shown)[0] == lines.removeprefix("\ufeff")
    assert mime.part_bytes(raw, attached) == content
    assert found.from_[0].email == "a@x.test"
    import unicodedata

    wanted = unicodedata.normalize("NFC", mime_line(subject))
    assert found.subject == wanted[: len(found.subject)]
    assert len(found.subject) >= min(len(wanted), 1_000)


def mime_line(text: str) -> str:
    from chalicelib.mime.encode import one_line

    return one_line(text).strip(" \t")


def test_long_words_and_many_spaces_fold() -> None:
    for subject in ("x" * 5_000, " " * 3_000 + "x", "a" + " " * 3_000 + "b", "=?utf-8?Q?fake?="):
        raw = mime.compose(replace(DRAFT, subject=subject))
        assert carried(raw)
        assert mime.digest(raw).subject == subject.strip()[:1_000]


@pytest.mark.parametrize(
    "text", ["From here\n.\n..\ntrailing \n", "a\0b", "=_", "x" * 5_000, "\n\n", "ä" * 900]
)
def test_texts_that_relays_change(text: str) -> None:
    raw = mime.compose(replace(DRAFT, text=text))
    body = raw.partition(b"\r\n\r\n")[2]
    assert carried(raw)
    assert not any(line.startswith((b"From ", b".")) for line in body.split(b"\r\n"))
    assert mime.part_text(raw, mime.digest(raw).structure)[0] == text


REPORT = BounceReport(
    to="anna@x.test",
    reporting_mta="mail.x.test",
    message_id="bounce@x.test",
    date=datetime(2024, 1, 5, tzinfo=UTC),
    original_message_id="o@x.test",
    original_header="Subject: Grüße\r\nTo: b@y.test\r\nX-Long: ".encode() + b"x " * 900 + b"\r\n",
    arrived_at=datetime(2024, 1, 2, tzinfo=UTC),
    recipients=(
        RecipientState("b@y.test", "failed", 1, "5.2.2", "552 5.2.2 quota exceeded"),
        RecipientState("c@z.test", "failed", 25, "4.4.1", "no answer\r\nX: injected"),
    ),
)


def test_S27_one_report_names_each_recipient_and_why() -> None:
    raw = mime.dsn(REPORT)
    assert carried(raw)
    found = mime.digest(raw)
    human, status, header = found.structure.parts
    assert [found.structure.type, human.type, status.type, header.type] == [
        "multipart/report", "text/plain", "message/delivery-status", "text/rfc822-headers",
    ]  # fmt: skip
    assert found.structure.params["report-type"] == "delivery-status"
    text = mime.part_text(raw, human)[0]
    assert "b@y.test" in text
    assert "quota exceeded" in text
    assert "c@z.test" in text
    blocks = mime.part_bytes(raw, status).split(b"\r\n\r\n")
    assert len(blocks) == 3
    assert b"Reporting-MTA: dns; mail.x.test" in blocks[0]
    assert b"Final-Recipient: rfc822; b@y.test\r\nAction: failed\r\nStatus: 5.2.2\r\n" in blocks[1]
    assert b"Diagnostic-Code: smtp; no answer X: injected" in blocks[2]
    assert mime.digest(mime.part_bytes(raw, header)).subject == "Grüße"


def test_S28_a_report_is_automatic_and_threads() -> None:
    found = mime.digest(mime.dsn(REPORT))
    assert found.automatic
    assert found.in_reply_to == ("o@x.test",)


def test_a_status_that_is_none_becomes_5_0_0() -> None:
    odd = replace(REPORT, recipients=(RecipientState("b@y.test", "failed", 1, "bad"),), original_header=b"")
    assert b"Status: 5.0.0\r\n" in mime.dsn(odd)
