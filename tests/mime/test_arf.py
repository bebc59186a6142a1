"""Reports of abuse in every form they come in (RFC 5965, forwards), and out of any octets."""

from email.message import EmailMessage, Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import mime
from chalicelib.mime.arf import Original

MARK = "v1.s1." + "0123456789abcdef" * 2
ID = "0100-0000@email.amazonses.com"


def original(reference: str = MARK, text: str = "Buy now.\n") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    if reference:
        message["X-Report-Reference"] = reference
    message["From"], message["To"], message["Subject"] = "ann@x.test", "zoe@far.test", "offer"
    message["Message-ID"] = f"<{ID}>"
    message.set_content(text)
    return message


def part(kind: str, content: str) -> Message:
    main, sub = kind.split("/")
    made = MIMENonMultipart(main, sub)
    made.set_payload(content)
    return made


def arf(feedback: str, third: Message) -> bytes:
    report = MIMEMultipart("report", report_type="feedback-report")
    report["From"], report["To"] = "fbl@far.test", "abuse@emailmx.test"
    report["X-Report-Reference"] = "v1.reporter." + "f" * 32
    report.attach(MIMEText("This is an email abuse report."))
    fields = f"Feedback-Type: {feedback}\nUser-Agent: FBL/1\nVersion: 1\n"
    report.attach(part("message/feedback-report", fields))
    report.attach(third)
    return report.as_bytes()


def forwarded(*messages: EmailMessage) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "zoe@far.test", "abuse@emailmx.test", "Fwd: offer"
    mail["X-Report-Reference"] = "v1.reporter." + "f" * 32
    mail.set_content("See below.\n")
    for message in messages:
        mail.add_attachment(message)
    return mail


WANTED = (Original(MARK, (ID,)),)


def test_S30_arf_with_the_whole_message() -> None:
    found = mime.reported(arf("abuse", MIMEMessage(original())))
    assert (found.form, found.feedback, found.originals) == ("arf", "abuse", WANTED)


def test_S30_arf_with_the_header_alone() -> None:
    header = original().as_bytes().partition(b"\r\n\r\n")[0].decode() + "\r\n\r\n"
    found = mime.reported(arf("Fraud", part("text/rfc822-headers", header)))
    assert (found.feedback, found.originals) == ("fraud", WANTED)


def test_S30_forwarded_as_an_attachment_also_inside_another_forward() -> None:
    assert mime.reported(forwarded(original()).as_bytes()).originals == WANTED
    twice = forwarded(original())
    del twice["X-Report-Reference"]
    assert mime.reported(forwarded(twice).as_bytes()).originals == WANTED


def test_S30_several_messages_in_one_forward_are_reported_each_once() -> None:
    other = MARK.replace("s1", "s2")
    found = mime.reported(forwarded(original(), original(other), original()).as_bytes())
    assert [o.reference for o in found.originals] == [MARK, other]


def test_S30_a_file_of_a_mail_program_is_a_message_too() -> None:
    mail = forwarded()
    content = original().as_bytes()
    mail.add_attachment(content, maintype="application", subtype="octet-stream", filename="offer.eml")
    assert mime.reported(mail.as_bytes()).originals == WANTED


@pytest.mark.parametrize(
    "text",
    [
        f"X-Report-Reference: {MARK}\nMessage-ID: <{ID}>\n",
        f"> X-Report-Reference: {MARK}\n> Message-ID: <{ID}>\n",
        f"*X-Report-Reference:* {MARK}\n*Message-ID:* <{ID}>\n",
        f"X-Report-Reference:\n {MARK}\nMessage-ID:\n <{ID}>\n",
    ],
)
def test_S30_forwarded_inline_with_its_header(text: str) -> None:
    mail = forwarded()
    mail.set_content("Look at this:\n\n" + text)
    found = mime.reported(mail.as_bytes())
    assert (found.form, found.originals) == ("text", WANTED)


def test_S30_forwarded_inline_as_html() -> None:
    mail = forwarded()
    rows = f"<td><b>X-Report-Reference:</b></td><td>{MARK}</td></tr><tr><td>Message-ID: &lt;{ID}&gt;</td>"
    mail.set_content(f"<table><tr>{rows}</tr></table>", subtype="html")
    assert mime.reported(mail.as_bytes()).originals == WANTED


def test_the_reporters_own_header_is_never_the_reported_one() -> None:
    found = mime.reported(forwarded(original("")).as_bytes())
    assert (found.form, found.originals) == ("none", ())


@pytest.mark.parametrize(
    "hostile",
    [
        b"X-Report-Reference: " * 20_000,
        b"\n" * 300_000,
        b"\n\nx-report-reference:" + b" " * 300_000,
        b"\n\n" + b"x-report-reference: > * " * 20_000,
        b"Content-Type: text/html\n\n" + b"<br " * 100_000,
        b"Content-Type: message/rfc822\n\n" * 1_000,
        b'Content-Type: multipart/report; report-type="feedback-report"; boundary=b\n\n--b\n' * 300,
    ],
)
def test_hostile_reports_take_no_time(hostile: bytes) -> None:
    assert len(mime.reported(hostile).originals) <= 10


@given(st.binary(max_size=2_000))
def test_any_octets_are_read(raw: bytes) -> None:
    mime.reported(raw)
    mime.reported(arf("abuse", part("message/rfc822", "(here)")).replace(b"(here)", raw))
