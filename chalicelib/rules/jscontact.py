"""Contact cards as JSContact has them (RFC 9553): whether each property has its type. Else kept as given.

Enumerated values are open (§1.7.4): of them only the type is checked.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from chalicelib.rules.errors import Fault

Json = dict[str, Any]
Check = Callable[[Any, str], Iterator[Fault]]

MAX_CARD = 64 * 1024  # octets
MAX_UID = 1_000  # octets
VERSION = "1.0"
MAX_DEPTH = 50  # of JSON: the mailbox API takes no more than 64 in a whole request
_SURROGATE = re.compile("[\ud800-\udfff]")
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_UTC = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]*[1-9])?Z"
)


def octets(card: Json) -> int:
    """What a card counts in the quota (S14): its JSON without spaces, in UTF-8."""
    return len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def is_id(text: str) -> bool:
    """§1.4.1."""
    return _ID.fullmatch(text) is not None


# ------------------------------------------------------------------------------------------------ plain types
def _string(value: Any, at: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(at, "This is a string.")


def _filled(value: Any, at: str) -> Iterator[Fault]:
    if not isinstance(value, str) or not value:
        yield Fault(at, "This is a string that is not empty.")


def _uid(value: Any, at: str) -> Iterator[Fault]:
    if not isinstance(value, str) or not 0 < len(value.encode(errors="surrogatepass")) <= MAX_UID:
        yield Fault(at, f"This is a string of at most {MAX_UID} octets that is not empty.")


def _version(value: Any, at: str) -> Iterator[Fault]:
    if value != VERSION:
        yield Fault(at, f"The version of JSContact here is {VERSION}.")


def _flag(value: Any, at: str) -> Iterator[Fault]:
    if not isinstance(value, bool):
        yield Fault(at, "This is true or false.")


def _moment(value: Any, at: str) -> Iterator[Fault]:
    if not isinstance(value, str) or not _UTC.fullmatch(value):
        yield Fault(at, "This is a moment in UTC, as 2026-03-02T09:15:00Z.")


def _whole(least: int, most: int) -> Check:
    def check(value: Any, at: str) -> Iterator[Fault]:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield Fault(at, f"This is a whole number from {least} to {most}.")

    return check


# --------------------------------------------------------------------------------------------- composed types
def _inside(at: str, name: str) -> str:
    return f"{at}/{name.replace('~', '~0').replace('/', '~1')}"


def _set(value: Any, at: str) -> Iterator[Fault]:
    """String[Boolean], where every value is true."""
    if not isinstance(value, dict) or any(on is not True for on in value.values()):
        yield Fault(at, "This is a map to true.")


def _list_of(check: Check) -> Check:
    def checked(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield Fault(at, "This is a list.")
            return
        for number, one in enumerate(value):
            yield from check(one, f"{at}/{number}")

    return checked


def _map_of(check: Check, ids: bool = True) -> Check:
    """Id[…], or String[…]."""

    def checked(value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(at, "This is a map.")
            return
        for name, one in value.items():
            if ids and not is_id(name):
                yield Fault(_inside(at, name[:255]), "This is no Id: 1 to 255 of A-Z a-z 0-9 - and _.")
            yield from check(one, _inside(at, name))

    return checked


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: the types of its properties, those it must have, those it must have one of."""

    type: str
    fields: Mapping[str, Check]
    needed: tuple[str, ...] = ()
    either: tuple[str, ...] = ()

    def __call__(self, value: Any, at: str) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield Fault(at, f"This is an object ({self.type}).")
            return
        if value.get("@type", self.type) != self.type:
            yield Fault(_inside(at, "@type"), f"This is {self.type}.")
        for name in self.needed:
            if name not in value:
                yield Fault(_inside(at, name), f"Every {self.type} has this.")
        if self.either and not any(name in value for name in self.either):
            yield Fault(at, f"Every {self.type} has one of {', '.join(self.either)}.")
        for name, inner in value.items():
            if name in self.fields:
                yield from self.fields[name](inner, _inside(at, name))


def _either(first: Shape, second: Shape) -> Check:
    """One of two objects, told apart by @type; without it the first."""

    def check(value: Any, at: str) -> Iterator[Fault]:
        is_second = isinstance(value, dict) and value.get("@type") == second.type
        yield from (second if is_second else first)(value, at)

    return check


# ------------------------------------------------------------------------------------------------- the shapes
_PREF: Mapping[str, Check] = {"contexts": _set, "pref": _whole(1, 100)}
_LABELLED: Mapping[str, Check] = {**_PREF, "label": _string}
_PHONETIC: Mapping[str, Check] = {"phoneticScript": _string, "phoneticSystem": _string}
_LISTED: Mapping[str, Check] = {"listAs": _whole(1, 2**53 - 1)}
_RESOURCE: Mapping[str, Check] = {**_LABELLED, "kind": _filled, "uri": _filled, "mediaType": _filled}
_PIECE: Mapping[str, Check] = {"value": _string, "kind": _filled, "phonetic": _string}

_NAME = Shape(
    "Name",
    {
        "components": _list_of(Shape("NameComponent", _PIECE, ("value", "kind"))),
        "isOrdered": _flag,
        "defaultSeparator": _string,
        "full": _string,
        "sortAs": _map_of(_string, ids=False),
        **_PHONETIC,
    },
    either=("components", "full"),
)
_ADDRESS = Shape(
    "Address",
    {
        "components": _list_of(Shape("AddressComponent", _PIECE, ("value", "kind"))),
        "isOrdered": _flag,
        "countryCode": _filled,
        "coordinates": _filled,
        "timeZone": _filled,
        "full": _string,
        "defaultSeparator": _string,
        **_PREF,
        **_PHONETIC,
    },
)
_ORGANIZATION = Shape(
    "Organization",
    {
        "name": _string,
        "units": _list_of(Shape("OrgUnit", {"name": _string, "sortAs": _string}, ("name",))),
        "sortAs": _string,
        "contexts": _set,
    },
    either=("name", "units"),
)
_PARTIAL_DATE = Shape(
    "PartialDate",
    {
        "year": _whole(0, 9999),
        "month": _whole(1, 12),
        "day": _whole(1, 31),
        "calendarScale": _filled,
    },
    either=("year", "month"),
)
_TIMESTAMP = Shape("Timestamp", {"utc": _moment}, ("utc",))
_ANNIVERSARY = Shape(
    "Anniversary",
    {"kind": _filled, "date": _either(_PARTIAL_DATE, _TIMESTAMP), "place": _ADDRESS},
    ("kind", "date"),
)
_SPEAK_TO_AS = Shape(
    "SpeakToAs",
    {
        "grammaticalGender": _filled,
        "pronouns": _map_of(Shape("Pronouns", {"pronouns": _string, **_PREF}, ("pronouns",))),
    },
    either=("grammaticalGender", "pronouns"),
)
_NOTE = Shape(
    "Note",
    {"note": _string, "created": _moment, "author": Shape("Author", {"name": _string, "uri": _filled})},
    ("note",),
)
_PERSONAL = Shape(
    "PersonalInfo",
    {"kind": _filled, "value": _string, "level": _filled, "label": _string, **_LISTED},
    ("kind", "value"),
)
_MEDIA = Shape("Media", {**_RESOURCE, "blobId": _filled}, ("kind",), ("uri", "blobId"))

_CARD = Shape(
    "Card",
    {
        "version": _version,
        "uid": _uid,
        "created": _moment,
        "updated": _moment,
        "kind": _filled,
        "language": _filled,
        "members": _set,
        "prodId": _string,
        "relatedTo": _map_of(Shape("Relation", {"relation": _set}), ids=False),
        "name": _NAME,
        "nicknames": _map_of(Shape("Nickname", {"name": _string, **_PREF}, ("name",))),
        "organizations": _map_of(_ORGANIZATION),
        "speakToAs": _SPEAK_TO_AS,
        "titles": _map_of(
            Shape("Title", {"name": _string, "kind": _filled, "organizationId": _filled}, ("name",))
        ),
        "emails": _map_of(Shape("EmailAddress", {"address": _string, **_LABELLED}, ("address",))),
        "onlineServices": _map_of(
            Shape("OnlineService", {"service": _string, "uri": _filled, "user": _string, **_LABELLED})
        ),
        "phones": _map_of(Shape("Phone", {"number": _string, "features": _set, **_LABELLED}, ("number",))),
        "preferredLanguages": _map_of(Shape("LanguagePref", {"language": _filled, **_PREF}, ("language",))),
        "calendars": _map_of(Shape("Calendar", _RESOURCE, ("kind", "uri"))),
        "schedulingAddresses": _map_of(
            Shape("SchedulingAddress", {"uri": _filled, **_LABELLED}, ("uri",)),
        ),
        "addresses": _map_of(_ADDRESS),
        "cryptoKeys": _map_of(Shape("CryptoKey", _RESOURCE, ("uri",))),
        "directories": _map_of(Shape("Directory", {**_RESOURCE, **_LISTED}, ("kind", "uri"))),
        "links": _map_of(Shape("Link", _RESOURCE, ("uri",))),
        "media": _map_of(_MEDIA),
        "localizations": _map_of(_map_of(lambda _value, _at: iter(()), ids=False), ids=False),
        "anniversaries": _map_of(_ANNIVERSARY),
        "keywords": _set,
        "notes": _map_of(_NOTE),
        "personalInfo": _map_of(_PERSONAL),
    },
)
#: The properties that RFC 9553 and RFC 9555 define.
PROPERTIES = frozenset({"@type", *_CARD.fields, "vCardProps", "vCardParams", "vCardName"})


def faults(card: Json) -> list[Fault]:
    """What is wrong with a card that is complete but for what the server sets; empty: nothing."""
    found = list(untold(card)) or list(_CARD(card, ""))
    if "members" in card and card.get("kind") != "group":
        found.append(Fault("/members", "Only a group has members."))
    return found


def untold(value: Any) -> Iterator[Fault]:
    """What no JSON could tell again (RFC 7493), or what is nested too deep to be told."""
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH):
        if not level:
            return
        inner = [one for outer in level for one in _children(outer)]
        if not all(map(_sound, inner)):
            yield Fault("", "There is a text or a number in it that JSON cannot carry.")
            return
        level = inner
    yield Fault("", f"Nested more than {MAX_DEPTH} deep.")


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _sound(value: Any) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return not isinstance(value, str) or not _SURROGATE.search(value)
