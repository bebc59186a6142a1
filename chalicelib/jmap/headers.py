"""Header fields as JMAP has them: `header:{name}[:as{form}][:all]` (RFC 8621 §4.1.2, §4.1.3)."""

import re
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from chalicelib.jmap import arguments
from chalicelib.jmap.errors import Json, MethodError, SetError, invalid
from chalicelib.mime import addresses, encode, rewrite, words
from chalicelib.rules.header import ONCE
from chalicelib.rules.values import Correspondent

_ADDRESSES = frozenset(
    {"from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-sender", "resent-reply-to",
     "resent-to", "resent-cc", "resent-bcc"}
)  # fmt: skip
_IDS = frozenset({"message-id", "in-reply-to", "references", "resent-message-id"})
_DATES = frozenset({"date", "resent-date"})
_URLS = frozenset(
    {"list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive"}
)
_TEXT = frozenset({"subject", "comments", "keywords", "list-id"})
_OTHER = frozenset({"return-path", "received"})  # of RFC 5322, with no form but Raw
_DEFINED = _ADDRESSES | _IDS | _DATES | _URLS | _TEXT | _OTHER
_FORMS: dict[str, frozenset[str]] = {
    "Text": _TEXT, "Addresses": _ADDRESSES, "GroupedAddresses": _ADDRESSES, "MessageIds": _IDS,
    "Date": _DATES, "URLs": _URLS, "Raw": _DEFINED,
}  # fmt: skip
_LISTS = ("Addresses", "GroupedAddresses", "MessageIds", "URLs")
_LINE_END = re.compile(r"\r?\n")
#: A line that is folded has more than white space on it (RFC 5322 §3.2.2): some take a blank one for the end.
_RAW = re.compile(r"(?:[^\x00-\x08\x0a-\x1f\x7f]|\r?\n[ \t]++(?=[^\s\x00-\x1f\x7f]))*+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A header property taken apart."""

    name: str
    form: str
    every: bool


def parse(property: str) -> Asked | None:
    """The header property, or None where it is not one, or its form not allowed for the field."""
    pieces = property.split(":")
    if pieces[0] != "header" or not 2 <= len(pieces) <= 4:
        return None
    name, rest = pieces[1], pieces[2:]
    every = bool(rest) and rest[-1] == "all"
    forms = rest[:-1] if every else rest
    form = "Raw" if not forms else forms[0].removeprefix("as") if forms[0].startswith("as") else ""
    if len(forms) > 1 or form not in _FORMS or not _is_name(name):
        return None
    lower = name.lower()
    allowed = lower in _FORMS[form] or lower not in _DEFINED
    return Asked(name, form, every) if allowed else None


def _is_name(name: str) -> bool:
    return bool(name) and all(33 <= ord(c) <= 126 for c in name)


def show(asked: Asked, fields: list[tuple[str, bytes]], hint: str | None = None) -> Any:
    """The value of a header property; the last field of the name counts. `hint`: the charset of raw 8-bit
    octets where the message tells.
    """
    values = [value for name, value in fields if name.lower() == asked.name.lower()]
    if asked.every:
        return [_shown(asked.form, value, hint) for value in values]
    return _shown(asked.form, values[-1], hint) if values else None


def _shown(form: str, value: bytes, hint: str | None) -> Any:
    match form:
        case "Text":
            return words.as_text(value, hint)
        case "Addresses":
            return people(addresses.as_addresses(value, hint))
        case "GroupedAddresses":
            groups = addresses.as_groups(value, hint)
            return [{"name": group.name, "addresses": people(group.members)} for group in groups]
        case "MessageIds":
            return list(words.as_ids(value)) or None
        case "Date":
            when = words.as_date(value)
            return when.isoformat(timespec="seconds").replace("+00:00", "Z") if when else None
        case "URLs":
            return list(words.as_urls(value)) or None
    return words.as_raw(value)


def people(correspondents: tuple[Correspondent, ...]) -> list[Json]:
    """EmailAddress objects (RFC 8621 §4.1.2.3)."""
    return [{"name": c.name or None, "email": c.email} for c in correspondents]


def show_all(fields: list[tuple[str, bytes]]) -> list[Json]:
    """The `headers` property."""
    return [{"name": name, "value": words.as_raw(value)} for name, value in fields]


# ------------------------------------------------------------------ writing
def write(asked: Asked, value: Any, property: str) -> list[bytes]:
    """Complete fields for a property of a new email; none for an empty list, which no field can say.

    Raises SetError invalidProperties.
    """
    if asked.every and not isinstance(value, list):
        raise invalid("This takes a list.", property)
    values = value if asked.every else [value]
    if len(values) > 1 and (asked.name.lower() in ONCE or is_content(asked.name)):
        raise invalid("There is one such field at most.", property)
    return [_written(asked, one, property) for one in values if not (asked.form in _LISTS and one == [])]


def is_content(name: str) -> bool:
    """Whether a field tells of a body (RFC 2045 §3): not of an Email, but of its parts."""
    return name.lower().startswith("content-")


def _written(asked: Asked, value: Any, property: str) -> bytes:
    match asked.form:
        case "Addresses":
            return encode.address_field(asked.name, read_people(value, property))
        case "GroupedAddresses":
            return _groups(asked.name, value, property)
        case "MessageIds":
            return encode.ids_field(asked.name, _strings(value, property))
        case "URLs":
            urls = [[f"<{encode.one_line(url)}>"] for url in _strings(value, property)]
            return encode.fold(asked.name, encode.joined(urls))
        case "Date":
            when = arguments.date(value)
            if when is None:
                raise invalid("This is no date.", property)
            return encode.text_field(asked.name, format_datetime(when))
    if not isinstance(value, str):
        raise invalid("This takes a string.", property)
    return encode.text_field(asked.name, value) if asked.form == "Text" else _raw(asked.name, value, property)


def _raw(name: str, value: str, property: str) -> bytes:
    """RFC 8621 §4.1.2.1: what is ASCII stands as it is given, with a space after the colon."""
    if not _RAW.fullmatch(value):
        raise invalid(
            "A raw value has no control characters, and line ends only where it is folded.", property
        )
    value = _LINE_END.sub("\r\n", value)
    return rewrite.field(name, value if value[:1] in (" ", "\t", "\r") else f" {value}")


def _strings(value: Any, property: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v for v in value):
        raise invalid("This takes a list of strings.", property)
    return value


def read_people(value: Any, property: str) -> list[Correspondent]:
    """From EmailAddress objects. Raises SetError invalidProperties."""
    if not isinstance(value, list):
        raise invalid("This takes a list of addresses.", property)
    return [_person(entry, property) for entry in value]


def _person(entry: Any, property: str) -> Correspondent:
    wrong: SetError = invalid("An address is an object with an email and perhaps a name.", property)
    if not isinstance(entry, dict):
        raise wrong
    name, email = entry.get("name"), entry.get("email")
    if not isinstance(email, str) or not (name is None or isinstance(name, str)):
        raise wrong
    if len(email) > 500 or len(name or "") > 1_000:
        raise invalid("This address is too long.", property)
    return Correspondent(name or "", email)


def _groups(name: str, value: Any, property: str) -> bytes:
    if not isinstance(value, list) or not all(isinstance(group, dict) for group in value):
        raise invalid("This takes a list of groups.", property)
    return encode.fold(name, encode.joined(_group(group, property) for group in value))


def _group(group: Json, property: str) -> list[str]:
    title, listed = group.get("name"), encode.mailboxes(read_people(group.get("addresses"), property))
    if title is None:
        return listed
    if not isinstance(title, str) or not encode.one_line(title):
        raise invalid("A group's name is a string or null.", property)
    pieces = encode.phrase(title)
    pieces[-1] += ":"
    pieces += listed
    pieces[-1] += ";"
    return pieces


def known_or_error(property: str) -> Asked:
    """A header property of a /get. Raises MethodError invalidArguments."""
    asked = parse(property)
    if asked is None:
        raise MethodError(
            "invalidArguments", f"There is no property {property[:200]}.", arguments=["properties"]
        )
    return asked
