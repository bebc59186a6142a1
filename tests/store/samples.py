"""Messages for mailbox tests, as they look after parsing."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from chalicelib.rules.ids import email_id
from chalicelib.rules.values import Correspondent, Digest, NewEmail, Part, Verdicts

ACCOUNT = "aabcdefghijklmnop"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PREVIEW = (
    "Hi Dana, the surveyor rang this morning about the north wall. He can come on Thursday at ten, or else "
    "not before the 19th. Could you tell me by tonight which you would rather have? I attach his drawing of "
    "the cellar and the old estimate so that we can compare. Greetings"
)[:256]


def structure() -> Part:
    """Text and HTML with a PDF beside them, with the offsets of a message of 75 KB."""
    text = Part(
        "1",
        "text/plain",
        "utf-8",
        encoding="quoted-printable",
        start=2_210,
        body=2_310,
        end=3_402,
        size=1_022,
        lines=31,
    )
    html = replace(
        text, part_id="2", type="text/html", start=3_440, body=3_548, end=9_702, size=6_020, lines=102
    )
    bodies = Part(
        None, "multipart/alternative", start=2_101, body=2_172, end=9_744, lines=142, parts=(text, html)
    )
    name = "estimate north wall.pdf"
    pdf = Part(
        "3",
        "application/pdf",
        None,
        "attachment",
        name,
        encoding="base64",
        start=9_790,
        body=9_960,
        end=75_800,
        size=48_100,
        lines=845,
        params={"name": name},
    )
    return Part(None, "multipart/mixed", start=0, body=2_050, end=76_000, lines=1_004, parts=(bodies, pdf))


def usual(number: int = 0, references: Iterable[str] = ()) -> Digest:
    """What parsing a usual message gives."""
    named = tuple(references)
    return Digest(
        subject="Re: Surveyor for the north wall, and the estimate",
        from_=(Correspondent("Robin Castellanos", "robin.castellanos@building-office.test"),),
        to=(Correspondent("Dana Whitfield", "dana@newdomain.test"),),
        cc=(Correspondent("Office", "office@building-office.test"),),
        bcc=(),
        reply_to=(),
        sender=(),
        message_id=(f"CAF{number:06}xk29fjw8Q+sfk2@mail.building-office.test",),
        in_reply_to=named[-1:],
        references=named,
        sent_at=datetime(2026, 3, 2, 10, 0, 2, tzinfo=timezone(timedelta(hours=1))),
        preview=PREVIEW,
        has_attachment=True,
        structure=structure(),
    )


def new_email(
    number: int, *, role: str | None = "inbox", references: Iterable[str] = (), **more: Any
) -> NewEmail:
    """A usual message as it is handed to the mailbox; `more` replaces fields."""
    made = NewEmail(
        id=email_id(f"arrival-{number}", ACCOUNT),
        folder=None,
        role=role,
        blob=f"in/{number:040}",
        size=76_000,
        received_at=START + timedelta(seconds=number),
        digest=usual(number, references),
        verdicts=Verdicts("PASS", "PASS", "PASS", "PASS", "PASS", True),
        envelope_from="robin.castellanos@building-office.test",
    )
    return replace(made, **more)


def message_id(number: int) -> str:
    """The Message-ID of `new_email(number)`."""
    return usual(number).message_id[0]
