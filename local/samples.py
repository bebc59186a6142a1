"""Mail to look at after the first log-in: written for this, sent by real SMTP."""

import email.policy
import email.utils
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from local.verdicts import GTUBE

_SMTP = email.policy.SMTP


@dataclass(frozen=True, slots=True)
class Sample:
    """One message and its envelope."""

    sender: str
    to: str
    message: bytes


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes letters to one mailbox, dated before `now`."""

    to: str
    name: str
    now: datetime

    def letter(self, sender: str, subject: str, text: str, hours: float, **headers: str) -> EmailMessage:
        """A plain message, `hours` old."""
        message = EmailMessage(policy=_SMTP)
        message["From"] = sender
        message["To"] = email.utils.formataddr((self.name, self.to), "utf-8")
        message["Subject"] = subject
        message["Date"] = email.utils.format_datetime(self.now - timedelta(hours=hours))
        domain = email.utils.parseaddr(sender)[1].rpartition("@")[2]
        stem = "".join(c for c in subject.lower() if c.isascii() and c.isalnum())[:20]
        message["Message-ID"] = f"<{stem}.{round(hours * 10)}@{domain}>"
        for key, value in headers.items():
            message[key.replace("_", "-")] = value
        message.set_content(text)
        return message


def samples(to: str, name: str, now: datetime) -> list[Sample]:
    """A dozen for one mailbox, oldest first."""
    writer = Writer(to, name, now)
    made = [message for write in _WRITERS for message in write(writer)]
    made.sort(key=lambda message: email.utils.parsedate_to_datetime(str(message["Date"])))
    return [
        Sample(email.utils.parseaddr(str(message["From"]))[1], to, message.as_bytes()) for message in made
    ]


def _thread(w: Writer) -> list[EmailMessage]:
    """A conversation of three."""
    subject = "Stand at the spring market"
    first = w.letter("Marta Okoye <marta@gardenworks.test>", subject, _MARKET[0], 50)
    root = str(first["Message-ID"])
    second = w.letter(
        "Jonas Lindqvist <jonas@tidal.example>",
        f"Re: {subject}",
        _MARKET[1],
        47,
        In_Reply_To=root,
        References=root,
    )
    both = f"{root} {second['Message-ID']}"
    third = w.letter(
        "Marta Okoye <marta@gardenworks.test>",
        f"Re: {subject}",
        _MARKET[2],
        5,
        In_Reply_To=str(second["Message-ID"]),
        References=both,
    )
    return [first, second, third]


_MARKET = (
    "Hello,\n\nthe town has opened bookings for the spring market. A corner stand is 45 a day;"
    " shall we take one together again?\n\nI would bring seedlings and the folding table.\n\nMarta\n",
    "Gladly! Saturday suits me better than Sunday. I can collect the awning on Friday evening.\n\nJonas\n\n"
    "> shall we take one together again?\n",
    "Booked: stand 14, by the fountain. Saturday, from 7:30.\n\n> Saturday suits me better.\n\nMarta\n",
)


def _newsletter(w: Writer) -> list[EmailMessage]:
    """HTML with a remote image and a list's header fields."""
    message = w.letter(
        "The Paper Lantern <news@paperlantern.example>",
        "Five walks for short days",
        "Five walks for short days\n\n1. Along the old canal\n2. Heron pond at dusk\n",
        30,
        List_Id="The Paper Lantern <news.paperlantern.example>",
        List_Unsubscribe="<https://paperlantern.example/leave>",
    )
    message.add_alternative(_NEWS, subtype="html")
    return [message]


_NEWS = """<!doctype html><html><head><style>h1{font-family:Georgia,serif}</style></head>
<body style="margin:0;background:#f4efe6"><table width="100%" cellpadding="0" cellspacing="0"><tr>
<td align="center" style="padding:32px"><table width="560" style="background:#fff;border-radius:8px">
<tr><td style="padding:32px"><img src="https://paperlantern.example/lantern.png" alt="A lantern" width="64">
<h1 style="color:#7a3e1d">Five walks for short days</h1><p style="font:16px/1.6 Georgia,serif;color:#333">
The light goes early, so these are all under an hour and end somewhere warm.</p>
<ol style="font:16px/1.8 Georgia">
<li><b>Along the old canal</b>, from the lock to the mill</li><li><b>Heron pond at dusk</b></li>
<li>The <i>hundred steps</i> and back</li><li>Orchard loop</li><li>Harbour wall, if there is no wind</li></ol>
<p><a href="https://paperlantern.example/walks" style="background:#7a3e1d;color:#fff;padding:10px 18px;
border-radius:6px;text-decoration:none">See the maps</a></p></td></tr></table></td></tr></table></body></html>
"""


def _attachments(w: Writer) -> list[EmailMessage]:
    """A table and a picture attached; a picture inside the text."""
    invoice = w.letter(
        "Accounts <accounts@millandco.example>", "Invoice 2041 for flour", "The invoice is attached.\n", 26
    )
    rows = "item;kg;price\r\nwheat 550;50;41.00\r\nrye 1150;25;23.50\r\n"
    invoice.add_attachment(rows.encode(), maintype="text", subtype="csv", filename="invoice-2041.csv")
    invoice.add_attachment(_picture(200, 60, 30), maintype="image", subtype="png", filename="stamp.png")
    photo = w.letter("Ines <ines@far.example>", "The new shop sign ✨", "See the picture.\n", 9)
    photo.add_alternative(
        '<p>Here it is!</p><p><img src="cid:sign@far.example" alt="The sign"></p>', subtype="html"
    )
    html_part = photo.get_payload()[1]  # type: ignore[index]
    assert isinstance(html_part, EmailMessage)
    html_part.add_related(_picture(30, 120, 90), maintype="image", subtype="png", cid="<sign@far.example>")
    return [invoice, photo]


def _picture(red: int, green: int, blue: int, side: int = 96) -> bytes:
    """A small PNG with a gradient."""
    rows = b"".join(
        b"\0" + b"".join(bytes((red, green, (blue + x + y) % 256)) for x in range(side)) for y in range(side)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    header = struct.pack("!IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _plain(w: Writer) -> list[EmailMessage]:
    """Letters in several languages, one of them long."""
    parcel = w.letter(*_LETTERS[-1], Auto_Submitted="auto-generated")
    welcome = f"Dear {w.name},\n\nthis mailbox works. Write back: the answer reaches my domain.\n\nRosa\n"
    return [
        w.letter("Rosa Vidal <rosa@elsewhere.example>", "Welcome to your new mailbox", welcome, 72),
        w.letter("Oli Brandt <oli@brandt.example>", "Notes from the meeting", _NOTES, 12),
        *(w.letter(*letter) for letter in _LETTERS[:-1]),
        parcel,
    ]


_LETTERS = (
    (
        "Ελένη Δήμου <eleni@thalassa.example>",
        "Καλημέρα από την Πάρο",
        "Γεια σας,\n\nτο ελαιόλαδο φεύγει αύριο με το πλοίο.\n\nΕλένη\n",
        20,
    ),
    (
        "Łukasz Żak <lukasz@zak.example>",
        "Zażółć gęślą jaźń",
        "Dzień dobry,\n\nczy piątek o 10:00 pasuje?\n\nŁukasz\n",
        15,
    ),
    (
        "Nadia <nadia@far.example>",
        "(no hurry) the book you lent me",
        "I finished it on the train. Coffee on Thursday, and I bring it along?\n\nNadia\n",
        1,
    ),
    (
        "Parcel Post <no-reply@parcelpost.example>",
        "Your parcel arrives today between 14:00 and 16:00",
        "Parcel 00340 4341 is on its way.\n\nNobody reads answers to this message.\n",
        3,
    ),
)


_NOTES = "Present: four of us.\n\n" + "".join(
    f"{number}. {topic}\n   Agreed; whoever opens first does it.\n\n"
    for number, topic in enumerate(
        ("Opening hours in winter", "The oven door", "Bread for the school", "New aprons", "A key for Jonas")
        * 8,
        1,
    )
)


def _junk(w: Writer) -> list[EmailMessage]:
    """What every spam filter knows (GTUBE)."""
    text = f"You have won!!!\n\n{GTUBE.decode()}\n"
    return [w.letter("Prize Office <win@lucky.example>", "You are our lucky winner", text, 7)]


_WRITERS: tuple[Callable[[Writer], list[EmailMessage]], ...] = (
    _thread,
    _newsletter,
    _attachments,
    _plain,
    _junk,
)
