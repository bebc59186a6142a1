"""A message as an address passes it on: some fields taken out, some put on top, the body octet for octet."""

from chalicelib.mime import encode, fields, rewrite
from chalicelib.rules.forwarding import Passing
from chalicelib.rules.values import MailingList


def passed_on(raw: bytes, how: Passing) -> bytes:
    """The copy that goes on. Delivered-To of each address it came through stays."""
    begin = fields.first(fields.view(raw))  # an mbox's first line would end the header
    rest = rewrite.without_headers(raw[begin:], how.removed)
    return b"".join(_added(how)) + rest


def _added(how: Passing) -> list[bytes]:
    out = [encode.text_field("Delivered-To", how.address)]
    if how.list:
        out.append(_list_id(how.list))
    out += [encode.fold(name, value.split(" ")) for name, value in how.fields]
    if how.via:
        out.append(encode.address_field("From", [how.via]))
    if how.reply_to:
        out.append(encode.address_field("Reply-To", how.reply_to))
    if how.via and how.authors:
        out.append(encode.address_field("X-Original-From", how.authors))
    return out


def _list_id(entry: MailingList) -> bytes:
    """RFC 2919 §2: a phrase, and a label that looks like a host name."""
    name = encode.phrase(entry.name) if entry.name else []
    return encode.fold("List-Id", [*name, f"<{entry.address.replace('@', '.')}>"])
