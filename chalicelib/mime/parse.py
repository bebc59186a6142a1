"""A message digested once, at arrival (DESIGN: parse once). Never raises, whatever the octets."""

from dataclasses import replace
from datetime import datetime

from chalicelib.mime import addresses, body, split, words
from chalicelib.mime.automatic import is_automatic
from chalicelib.mime.fields import header_fields
from chalicelib.rules.values import Correspondent, Digest, Part

# What a digest keeps of a hostile header; the raw message still has all of it.
MAX_SUBJECT = 1_000  # characters
MAX_CORRESPONDENTS = 500
MAX_IDS = 100
MAX_NAME = 320
_ADDRESSES = ("from", "to", "cc", "bcc", "reply-to", "sender")


def digest(raw: bytes) -> Digest:
    """What lists, threads, routing and IMAP need to know of a message. Any bytes."""
    structure = split.split(raw)
    fields = header_fields(raw)
    head = _Header(fields, hint_of(structure))
    return Digest(
        subject=head.text("subject")[:MAX_SUBJECT],
        from_=head.addresses("from"),
        to=head.addresses("to"),
        cc=head.addresses("cc"),
        bcc=head.addresses("bcc"),
        reply_to=head.addresses("reply-to"),
        sender=head.addresses("sender"),
        message_id=head.ids("message-id"),
        in_reply_to=head.ids("in-reply-to"),
        references=head.ids("references"),
        sent_at=head.date("date"),
        preview=body.preview(raw, structure),
        has_attachment=body.has_attachment(structure),
        structure=structure,
        automatic=is_automatic(fields),
        received_hops=head.received,
        blank=head.blank(),
    )


class _Header:
    """The last field of each name counts (RFC 8621 §4.1.3)."""

    def __init__(self, fields: list[tuple[str, bytes]], hint: str | None) -> None:
        self.last = {name.lower(): value for name, value in fields}
        self.received = sum(1 for name, _ in fields if name.lower() == "received")
        self.hint = hint

    def blank(self) -> frozenset[str]:
        """Fields that are there with nothing in them: not the same as none (RFC 8621 §4.1.2)."""
        empty = {name for name in _ADDRESSES if name in self.last and not self.addresses(name)}
        return frozenset(
            empty | ({"subject"} if "subject" in self.last and not self.text("subject") else set())
        )

    def text(self, name: str) -> str:
        return words.as_text(self.last.get(name, b""), self.hint)

    def addresses(self, name: str) -> tuple[Correspondent, ...]:
        found = addresses.as_addresses(self.last.get(name, b""), self.hint)[:MAX_CORRESPONDENTS]
        return tuple(replace(c, name=c.name[:MAX_NAME], email=c.email[:MAX_NAME]) for c in found)

    def ids(self, name: str) -> tuple[str, ...]:
        ids = words.as_ids(self.last.get(name, b""))
        return ids if len(ids) <= MAX_IDS else (ids[0], *ids[1 - MAX_IDS :])

    def date(self, name: str) -> datetime | None:
        return words.as_date(self.last.get(name, b""))


def hint_of(structure: Part) -> str | None:
    """The charset of the text: what raw 8-bit headers are most likely written in."""
    return next((leaf.charset for leaf in body.leaves(structure) if leaf.type.startswith("text/")), None)
