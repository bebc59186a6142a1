"""The texts that a message is found by (RFC 8621 §4.4.1). Any octets."""

from collections.abc import Iterable

from chalicelib.mime import body
from chalicelib.mime.parse import digest
from chalicelib.rules.values import Correspondent

MOST_TEXT = 512 * 1024  # octets of a part, and characters of all parts, that are looked at


def searchable(raw: bytes) -> dict[str, str]:
    """Texts by the name of the filter that looks at them: from, to, cc, bcc, subject and body."""
    known = digest(raw)
    people = {"from": known.from_, "to": known.to, "cc": known.cc, "bcc": known.bcc}
    found = {name: _people(who) for name, who in people.items()}
    texts: list[str] = []
    room = MOST_TEXT
    for part in body.leaves(known.structure):
        if part.name:
            texts.append(part.name)
        if part.type.startswith("text/") and part.disposition != "attachment" and room > 0:
            text, _ = body.part_text(raw, part, MOST_TEXT)
            text = body.strip_html(text, room) if part.type == "text/html" else text
            texts.append(text[:room])
            room -= len(texts[-1])
    return {**found, "subject": known.subject, "body": "\n".join(texts)}


def _people(who: Iterable[Correspondent]) -> str:
    return "\n".join(f"{c.name} {c.email}" for c in who)
