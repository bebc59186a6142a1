"""Emails as items of the mail table, and back.

An email's item: `fk` folder#time#email and `tk` thread#time#email (keys of the local indexes, gone from a
tombstone), `blob`, `size`, `uid`, `modseq`, `kw` keywords, `row` what a list shows, `cold` the rest. A usual
message's item stays below 1 KB, one write unit; its row below 650 bytes, 50 of them 8 read units.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.table import Index, Item
from chalicelib.rules.values import Correspondent, Digest, Email, NewEmail, Part, Row, Verdict, Verdicts
from chalicelib.store.packing import pack, unpack

BY_FOLDER = Index("folder", sk="fk")
BY_THREAD = Index("thread", sk="tk")
BY_BLOB = Index("blob", pk="blob", sk="")

ROW_BYTES = 440  # packed: keeps 50 rows within 8 consistent read units
COLD_BYTES = 8_192  # packed: beyond this the raw message is parsed again when it is opened
PREVIEWS = (256, 160, 80)  # characters tried, longest first
CUT_SUBJECT, CUT_PEOPLE, CUT_NAME = 120, 2, 60

_EPOCH = datetime.min.replace(tzinfo=UTC)  # any date a message can claim sorts as text
_DIGITS = "0123456789abcdefghijklmnopqrstuv"


def account_pk(acct: str) -> str:
    """Partition of an account's mailbox."""
    return f"A#{acct}"


def email_key(acct: str, email: str) -> dict[str, str]:
    """Key of an email's item."""
    return {"pk": account_pk(acct), "sk": f"E#{email}"}


def time_text(when: datetime) -> str:
    """A moment as ten characters that sort like it, to the millisecond."""
    return moment_text((when - _EPOCH) // timedelta(milliseconds=1))


def text_time(text: str) -> datetime:
    """The moment that `time_text` was given, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=int(text, 32))


def moment_of(when: datetime) -> int:
    """Milliseconds that sort like moments do: what `time_text` writes. Rounded up."""
    return -((_EPOCH - when) // timedelta(milliseconds=1))


def moment_text(ms: int) -> str:
    """What `time_text` writes of a moment."""
    return "".join(_DIGITS[ms >> shift & 31] for shift in range(45, -1, -5))


def folder_key(folder: str, received_at: datetime, email: str) -> str:
    """`fk`: newest last within a folder."""
    return f"{folder}#{time_text(received_at)}#{email}"


def unread(keywords: Iterable[str]) -> bool:
    """RFC 8621 §2 unreadEmails: neither $seen nor $draft."""
    return not {"$seen", "$draft"} & set(keywords)


def keywords_text(keywords: Iterable[str]) -> str:
    """Keywords as they are stored. RFC 8621 §4.1.1: lower case, no spaces in any."""
    return " ".join(sorted({k.lower() for k in keywords}))


def _or_blank(name: str, value: Any, digest: Digest) -> Any:
    """A field's value; 0 where the header has the field with nothing in it."""
    return 0 if name in digest.blank else value


def _blank(**values: Any) -> frozenset[str]:
    """Names of the fields that `_or_blank` was told are blank."""
    return frozenset(name.replace("_", "-").strip("-") for name, value in values.items() if value == 0)


def _people(people: Iterable[Correspondent]) -> list[list[str]]:
    return [[p.name, p.email] for p in people]


def _correspondents(people: Iterable[Sequence[str]]) -> tuple[Correspondent, ...]:
    return tuple(Correspondent(name, email) for name, email in people)


def _trimmed(values: list[Any], defaults: list[Any]) -> list[Any]:
    """Values without those at the end that are their defaults."""
    while values and values[-1] == defaults[len(values) - 1]:
        values.pop()
    return values


_PART_DEFAULTS: list[Any] = [None, "", [], 0, 0, 0, 0, 0, "7bit", None, None, None, None, [], None, {}]


def pack_part(part: Part) -> list[Any]:
    """A MIME node as a list, most-used fields first, defaults at the end left out."""
    values = [
        part.part_id,
        part.type,
        [pack_part(p) for p in part.parts],
        part.start,
        part.body,
        part.end,
        part.size,
        part.lines,
        part.encoding,
        part.charset,
        part.disposition,
        part.name,
        part.cid,
        list(part.language),
        part.location,
        dict(part.params),
    ]
    return _trimmed(values, _PART_DEFAULTS)


def unpack_part(packed: list[Any]) -> Part:
    """The node that `pack_part` was given."""
    v = packed + _PART_DEFAULTS[len(packed) :]
    return Part(
        part_id=v[0],
        type=v[1],
        parts=tuple(unpack_part(p) for p in v[2]),
        start=v[3],
        body=v[4],
        end=v[5],
        size=v[6],
        lines=v[7],
        encoding=v[8],
        charset=v[9],
        disposition=v[10],
        name=v[11],
        cid=v[12],
        language=tuple(v[13]),
        location=v[14],
        params=v[15],
    )


def _verdicts(verdicts: Verdicts) -> list[Any]:
    return [
        verdicts.spam,
        verdicts.virus,
        verdicts.spf,
        verdicts.dkim,
        verdicts.dmarc,
        int(verdicts.sender_authentic),
    ]


def _read_verdicts(
    spam: Verdict, virus: Verdict, spf: Verdict, dkim: Verdict, dmarc: Verdict, *more: int
) -> Verdicts:
    return Verdicts(spam, virus, spf, dkim, dmarc, sender_authentic=bool(more[0]))


def _short(people: Sequence[Correspondent]) -> list[list[str]]:
    return [[p.name[:CUT_NAME], p.email[: 2 * CUT_NAME]] for p in people[:CUT_PEOPLE]]


def _pack_row(new: NewEmail, thread: str) -> tuple[bytes, bool]:
    """What a list shows, and whether more than the preview had to be cut to keep pages cheap."""
    d = new.digest
    from_, to = _or_blank("from", _people(d.from_), d), _or_blank("to", _people(d.to), d)
    subject = _or_blank("subject", d.subject, d)
    tail = [from_, to, subject, thread, int(d.has_attachment)]
    for length in PREVIEWS:
        packed = pack([*tail, d.preview[:length]])
        if len(packed) <= ROW_BYTES:
            return packed, False
    from_, to = _or_blank("from", _short(d.from_), d), _or_blank("to", _short(d.to), d)
    subject = _or_blank("subject", d.subject[:CUT_SUBJECT], d)
    tail = [from_, to, subject, thread, int(d.has_attachment)]
    return pack([*tail, d.preview[: PREVIEWS[-1]], 1]), True


def _pack_cold(new: NewEmail, cut: bool) -> bytes:
    """The rest of the record; with what the row lacks. Too large: only what the raw message cannot tell."""
    d = new.digest
    kept = [_verdicts(new.verdicts), new.envelope_from]
    try:
        values: list[Any] = [
            *kept,
            list(d.message_id),
            d.sent_at.isoformat() if d.sent_at else None,
            pack_part(d.structure),
            list(d.in_reply_to),
            list(d.references),
            _or_blank("sender", _people(d.sender), d),
            _or_blank("reply-to", _people(d.reply_to), d),
            _or_blank("cc", _people(d.cc), d),
            _or_blank("bcc", _people(d.bcc), d),
        ]
        packed = pack(values + ([d.subject, _people(d.from_), _people(d.to)] if cut else []))
    except RecursionError:  # MIME nested without end
        return pack(kept)
    return packed if len(packed) <= COLD_BYTES else pack(kept)


def email_item(acct: str, new: NewEmail, *, folder: str, thread: str, uid: int) -> Item:
    """The item of a new email, but for its modseq."""
    row, cut = _pack_row(new, thread)
    when = time_text(new.received_at)
    return {
        **email_key(acct, new.id),
        "fk": folder_key(folder, new.received_at, new.id),
        "tk": f"{thread}#{when}#{new.id}",
        "blob": new.blob,
        "size": new.size,
        "uid": uid,
        "kw": keywords_text(new.keywords),
        "row": row,
        "cold": _pack_cold(new, cut),
    }


def item_id(item: Item) -> str:
    """Email id of an item (or index entry)."""
    return str(item["sk"])[2:]


def item_folder(item: Item) -> str:
    """Folder of a live email's item."""
    return str(item["fk"]).split("#", 1)[0]


def moment(item: Item) -> int:
    """When a live email was received, by its item or index entry: milliseconds that sort."""
    return int(str(item["fk"]).split("#", 2)[1], 32)


def item_keywords(item: Item) -> frozenset[str]:
    """Keywords of an item."""
    return frozenset(str(item["kw"]).split())


def item_thread(item: Item) -> str:
    """Thread of a live email's item."""
    return str(item["tk"]).split("#", 1)[0]


def _row_fields(item: Item) -> tuple[dict[str, Any], bool]:
    from_, to, subject, thread, attached, preview, *cut = unpack(item["row"])
    folder, when, email = str(item["fk"]).split("#")
    fields = {
        "id": email,
        "thread": thread,
        "folder": folder,
        "uid": item["uid"],
        "received_at": text_time(when),
        "size": item["size"],
        "keywords": item_keywords(item),
        "blob": item["blob"],
        "subject": subject or "",
        "from_": _correspondents(from_ or ()),
        "to": _correspondents(to or ()),
        "preview": preview,
        "has_attachment": bool(attached),
        "modseq": item["modseq"],
        "blank": _blank(from_=from_, to=to, subject=subject),
    }
    return fields, bool(cut)


def row_thread(item: Item) -> str:
    """Thread of an email, by its item or its entry in the folder index."""
    return str(unpack(item["row"])[3])


def with_thread(row: bytes, thread: str) -> bytes:
    """A packed row as it is in another thread."""
    values = unpack(row)
    values[3] = thread
    return pack(values)


def item_row(item: Item) -> tuple[Row, bool]:
    """What a list shows of an email, from its entry in the folder index; True: it was cut, read the item."""
    fields, cut = _row_fields(item)
    return Row(**fields), cut


def item_email(item: Item) -> Email:
    """The whole record. `whole` is False when parts of it must be read from the raw message."""
    fields, cut = _row_fields(item)
    verdicts, envelope_from, *rest = unpack(item["cold"])
    known: dict[str, Any] = {
        "verdicts": _read_verdicts(*verdicts),
        "envelope_from": envelope_from,
    }
    if not rest:
        return Email(**fields, **known, whole=False)
    message_id, sent_at, structure, in_reply_to, references, sender, reply_to, cc, bcc = rest[:9]
    if cut:
        fields["subject"] = rest[9]
        fields["from_"], fields["to"] = _correspondents(rest[10]), _correspondents(rest[11])
    fields["blank"] |= _blank(sender=sender, reply_to=reply_to, cc=cc, bcc=bcc)
    return Email(
        **fields,
        **known,
        message_id=tuple(message_id),
        sent_at=datetime.fromisoformat(sent_at) if sent_at else None,
        structure=unpack_part(structure),
        in_reply_to=tuple(in_reply_to),
        references=tuple(references),
        sender=_correspondents(sender or ()),
        reply_to=_correspondents(reply_to or ()),
        cc=_correspondents(cc or ()),
        bcc=_correspondents(bcc or ()),
    )
