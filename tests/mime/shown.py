"""What Email/get shows of a message: through the record that is stored of it, without a mailbox around."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, cast

from chalicelib import mime
from chalicelib.jmap import email_get
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json
from chalicelib.rules.values import Digest, Email

_KEPT = {f.name for f in fields(Digest)} & {f.name for f in fields(Email)}
_ASKED: Json = {
    "properties": ["subject", "from", "to", "cc", "bodyStructure", "textBody", "htmlBody", "attachments",
                   "bodyValues", "preview", "hasAttachment", "headers"],
    "bodyProperties": ["partId", "size", "name", "type", "charset", "subParts"],
    "fetchAllBodyValues": True,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A message, and what must be shown of it; of `shows` only what is named is compared."""

    name: str
    raw: bytes
    shows: Json
    asked: Json = field(default_factory=dict)


def email(raw: bytes, asked: Json) -> Json:
    """An Email object as Email/get answers it."""
    digest = mime.digest(raw)
    kept: dict[str, Any] = {name: getattr(digest, name) for name in _KEPT}
    record = Email(
        id="e", thread="t", folder="f", uid=1, received_at=datetime(2024, 1, 2, tzinfo=UTC), size=len(raw),
        keywords=frozenset(), blob="b", modseq=1, **kept,
    )  # fmt: skip
    wanted = email_get.read_wanted(_ASKED | asked, [])
    return email_get.show(Context(cast(Any, None), cast(Any, None)), record, raw, wanted)


def view(case: Case) -> Json:
    """What is shown, in a form short enough for a table."""
    shown = email(case.raw, case.asked)
    values = shown["bodyValues"]
    texts = [values[part["partId"]] for part in shown["textBody"] if part["partId"] in values]
    htmls = [values[part["partId"]] for part in shown["htmlBody"] if part["partId"] in values]
    everything: Json = {
        "subject": shown["subject"],
        "from": _pairs(shown["from"]),
        "to": _pairs(shown["to"]),
        "cc": _pairs(shown["cc"]),
        "text": "|".join(value["value"] for value in texts),
        "html": "|".join(value["value"] for value in htmls),
        "problem": any(value["isEncodingProblem"] for value in values.values()),
        "truncated": any(value["isTruncated"] for value in values.values()),
        "tree": tree(shown["bodyStructure"]),
        "attachments": [(part["name"], part["type"]) for part in shown["attachments"]],
        "sizes": [part["size"] for part in shown["attachments"]],
        "preview": shown["preview"],
    }
    return {name: everything[name] for name in case.shows}


def tree(part: Json) -> str:
    """Types with what they hold in brackets: `mixed[plain,pdf]`."""
    inner = ",".join(tree(child) for child in part.get("subParts") or [])
    return str(part["type"]).split("/")[1] + (f"[{inner}]" if inner else "")


def _pairs(people: list[Json] | None) -> list[tuple[str | None, str]] | None:
    return None if people is None else [(person["name"], person["email"]) for person in people]


def text(body: bytes, kind: str = "text/plain", encoding: str = "8bit") -> bytes:
    """A message of one part."""
    head = f"From: a@x.test\r\nSubject: s\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}"
    return head.encode() + b"\r\n\r\n" + body


def head(*lines: bytes) -> bytes:
    """A message with these header lines."""
    return b"\r\n".join(lines) + b"\r\n\r\nbody\r\n"


def many(*parts: bytes, kind: str = "mixed", boundary: str = "b") -> bytes:
    """A multipart of complete parts (header fields, empty line, body)."""
    mark = b"--" + boundary.encode()
    inner = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    opening = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
    return opening + inner + mark + b"--\r\n"
