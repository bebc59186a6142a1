"""A contact card of JSContact from the lines of a vCard (RFC 9555, RFC 9554)."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from chalicelib.rules.jscontact import is_id, untold
from chalicelib.rules.vcardlines import Line, clean, parts, split, text

Json = dict[str, Any]
MAX_INLINE = 32 * 1024  # octets of pictures and the like within one card
CONTEXTS = {"home": "private", "work": "work", "billing": "billing", "delivery": "delivery"}
FEATURES = {
    "cell": "mobile",
    "voice": "voice",
    "fax": "fax",
    "pager": "pager",
    "text": "text",
    "textphone": "textphone",
    "video": "video",
    "main-number": "main-number",
}
#: Components of N (RFC 9554 §2.2) and of ADR (§2.1), in their order.
NAME_PARTS = ("surname", "given", "given2", "title", "credential", "surname2", "generation")
ADDRESS_PARTS = (
    "postOfficeBox", "apartment", "name", "locality", "region", "postcode", "country",
    "room", "apartment", "floor", "number", "name", "building", "block", "subdistrict", "district",
    "landmark", "direction",
)  # fmt: skip
#: Properties with an entry of one text: (property of the card, its text, what is fixed).
ENTRIES: dict[str, tuple[str, str, Json]] = {
    "EMAIL": ("emails", "address", {}),
    "TITLE": ("titles", "name", {"kind": "title"}),
    "ROLE": ("titles", "name", {"kind": "role"}),
    "NOTE": ("notes", "note", {}),
    "LANG": ("preferredLanguages", "language", {}),
    "HOBBY": ("personalInfo", "value", {"kind": "hobby"}),
    "INTEREST": ("personalInfo", "value", {"kind": "interest"}),
    "EXPERTISE": ("personalInfo", "value", {"kind": "expertise"}),
}
RESOURCES: dict[str, tuple[str, Json]] = {
    "URL": ("links", {}),
    "CONTACT-URI": ("links", {"kind": "contact"}),
    "PHOTO": ("media", {"kind": "photo"}),
    "LOGO": ("media", {"kind": "logo"}),
    "SOUND": ("media", {"kind": "sound"}),
    "KEY": ("cryptoKeys", {}),
    "CALURI": ("calendars", {"kind": "calendar"}),
    "FBURL": ("calendars", {"kind": "freeBusy"}),
    "CALADRURI": ("schedulingAddresses", {}),
    "SOURCE": ("directories", {"kind": "entry"}),
    "ORG-DIRECTORY": ("directories", {"kind": "directory"}),
}
DATES = {"BDAY": "birth", "DEATHDATE": "death", "ANNIVERSARY": "wedding", "X-ANNIVERSARY": "wedding"}
PLAIN = {
    "KIND": "kind",
    "UID": "uid",
    "PRODID": "prodId",
    "LANGUAGE": "language",
    "X-ADDRESSBOOKSERVER-KIND": "kind",
}
TIMES = {"REV": "updated", "CREATED": "created"}
MEMBERS = ("MEMBER", "X-ADDRESSBOOKSERVER-MEMBER")
_NOTHING = {"VERSION", "BEGIN", "END", "X-ABLABEL", "X-ABADR"}
_APPLE = re.compile(r"_\$!<(.*)>!\$_")
_DATE = re.compile(
    r"(?:(?P<year>[0-9]{4})-?(?P<month>[0-9]{2})-?(?P<day>[0-9]{2})|(?P<y>[0-9]{4})(?:-(?P<ym>[0-9]{2}))?"
    r"|--(?P<m>[0-9]{2})(?:-?(?P<md>[0-9]{2}))?)(?P<time>T.*)?"
)
_MOMENT = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:\.[0-9]+)?Z")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")


def card(lines: Sequence[Line]) -> tuple[Json, list[str]]:
    """The card, and what had to be left out of it. Without a UID it has no uid."""
    reader = _Reader(lines)
    for line in lines:
        reader.take(line)
    return reader.finished(), reader.left_out


def moment(value: str) -> str | None:
    """A UTCDateTime."""
    found = _MOMENT.fullmatch(value.strip())
    return "{}-{}-{}T{}:{}:{}Z".format(*found.groups()) if found else None


def partial_date(value: str) -> Json | None:
    """A Timestamp, or what is told of a date; None for what is none."""
    exact = moment(value)
    if exact:
        return {"@type": "Timestamp", "utc": exact}
    found = _DATE.fullmatch(value.strip())
    if not found:
        return None
    given = found.groupdict()
    year, month = given["year"] or given["y"], given["month"] or given["ym"] or given["m"]
    day = given["day"] or given["md"]
    names = (("year", year), ("month", month), ("day", day))
    told = {name: int(number) for name, number in names if number}
    try:
        date(told.get("year", 2000) or 2000, told.get("month", 1), told.get("day", 1))
    except ValueError:
        return None
    if told.get("year") == 1604 and "T" not in value:  # what Apple writes where there is no year
        del told["year"]
    return told if told.keys() & {"year", "month"} else None


class _Reader:
    """A card while it grows."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.card: Json = {}
        self.left_out: list[str] = []
        self.exact: Json = {}
        self.named = {line.group: line for line in lines if line.name == "X-ABLABEL" and line.group}
        self.labels = {group: _label(line) for group, line in self.named.items()}
        self.inline = 0
        self.ways: dict[str, Callable[[Line], bool]] = {
            "FN": self._full,
            "N": self._name,
            "NICKNAME": self._nicknames,
            "ORG": self._organization,
            "TEL": self._phone,
            "ADR": self._address,
            "IMPP": self._online,
            "SOCIALPROFILE": self._online,
            "X-SOCIALPROFILE": self._online,
            "CATEGORIES": self._keywords,
            "RELATED": self._related,
            "JSPROP": self._exactly,
            **dict.fromkeys(ENTRIES, self._entry),
            **dict.fromkeys(RESOURCES, self._resource),
            **dict.fromkeys(DATES, self._anniversary),
            **dict.fromkeys(PLAIN, self._plain),
            **dict.fromkeys(TIMES, self._time),
            **dict.fromkeys(MEMBERS, self._member),
        }

    def take(self, line: Line) -> None:
        """A property; one that has no place is kept as it stands (RFC 9555 §2.15)."""
        if line.name in _NOTHING:
            return
        way = self.ways.get(line.name)
        if way is None or not way(line):
            kept = self.card.setdefault("vCardProps", [])
            kept.append(_kept(line))
            if label := self.named.pop(line.group, None):
                kept.append(_kept(label))

    def finished(self) -> Json:
        """The card. What JSPROP says goes before what was made of others (RFC 9555 §3.2.1)."""
        made = self.card
        if "members" in made and "kind" not in made:
            made["kind"] = "group"
        exact = {name: value for name, value in self.exact.items() if value is not None}
        kept = {name: value for name, value in made.items() if value and name not in self.exact}
        return {**kept, **exact}

    # --------------------------------------------------------------- helpers
    def _add(self, name: str, line: Line, entry: Json) -> bool:
        """An entry of a map, under the id that it had (PROP-ID) or the next one."""
        entries: Json = self.card.setdefault(name, {})
        id = line.param("PROP-ID")
        if not is_id(id) or id in entries:
            number = len(entries) + 1
            while (id := f"{name[0]}{number}") in entries:
                number += 1
        entries[id] = entry
        return True

    def _common(self, line: Line, labelled: bool = True) -> Json:
        """What TYPE, PREF and a label say."""
        found: Json = {}
        contexts = {CONTEXTS[t]: True for t in sorted(line.types) if t in CONTEXTS}
        if contexts:
            found["contexts"] = contexts
        pref = line.param("PREF")
        if "pref" in line.types:
            found["pref"] = 1
        elif pref.isascii() and pref.isdigit() and 1 <= int(pref[:4]) <= 100:
            found["pref"] = int(pref)
        label = self.labels.get(line.group, "")
        if labelled and label:
            found["label"] = label
        return found

    # ------------------------------------------------------------ properties
    def _plain(self, line: Line) -> bool:
        value = clean(text(line.value)).strip()
        if value:
            self.card.setdefault(PLAIN[line.name], value.lower() if PLAIN[line.name] == "kind" else value)
        return True

    def _time(self, line: Line) -> bool:
        when = moment(line.value)
        if when:
            self.card[TIMES[line.name]] = when
        return True

    def _full(self, line: Line) -> bool:
        if line.param("DERIVED").lower() != "true" and text(line.value).strip():
            self.card.setdefault("name", {}).setdefault("full", clean(text(line.value)))
        return True

    def _name(self, line: Line) -> bool:
        given = parts(line.value)
        found = [
            {"kind": kind, "value": clean(value)}
            for kind, values in zip(NAME_PARTS, given, strict=False)
            for value in values
        ]
        if not found:
            return True
        name: Json = self.card.setdefault("name", {})
        if "components" in name:
            return False
        name["components"] = found
        sort_as = [clean(s) for s in ",".join(line.params.get("SORT-AS", ())).split(",") if s]
        if sort_as:
            name["sortAs"] = dict(zip(NAME_PARTS, sort_as, strict=False))
        return True

    def _nicknames(self, line: Line) -> bool:
        for name in map(text, split(line.value, ",")):
            if name.strip():
                self._add("nicknames", line, {"name": clean(name), **self._common(line, labelled=False)})
        return True

    def _organization(self, line: Line) -> bool:
        name, *units = [clean(text(part)) for part in split(line.value, ";")]
        found: Json = {"name": name} if name else {}
        named = [{"name": unit} for unit in units if unit]
        if named:
            found["units"] = named
        common = self._common(line, labelled=False)
        if "contexts" in common:
            found["contexts"] = common["contexts"]
        if line.param("SORT-AS"):
            found["sortAs"] = line.param("SORT-AS")
        return self._add("organizations", line, found) if name or named else True

    def _entry(self, line: Line) -> bool:
        name, key, fixed = ENTRIES[line.name]
        value = clean(text(line.value))
        if not value.strip():
            return True
        common = self._common(line, labelled=name in ("emails", "personalInfo"))
        if name in ("titles", "notes"):
            common = {}
        elif name == "personalInfo":
            common.pop("contexts", None)
            common.pop("pref", None)
        return self._add(name, line, {**fixed, key: value, **common})

    def _phone(self, line: Line) -> bool:
        number = clean(text(line.value))
        features = {FEATURES[t]: True for t in sorted(line.types) if t in FEATURES}
        more: Json = {"features": features} if features else {}
        return self._add("phones", line, {"number": number, **more, **self._common(line)}) if number else True

    def _online(self, line: Line) -> bool:
        value = clean(text(line.value)).strip()
        if not value:
            return True
        service = line.param("SERVICE-TYPE") or line.param("X-SERVICE-TYPE")
        known = line.types - CONTEXTS.keys() - {"pref", "user", "userid"}
        if line.name == "X-SOCIALPROFILE" and not service and known:
            service = sorted(known)[0].capitalize()
        is_text = line.param("VALUE").lower() == "text"
        found: Json = {"service": service} if service else {}
        found["user" if is_text else "uri"] = value
        if line.param("USERNAME") and not is_text:
            found["user"] = line.param("USERNAME")
        return self._add("onlineServices", line, found | self._common(line))

    def _address(self, line: Line) -> bool:
        given = parts(line.value)
        exact = any(given[7:])
        found = [
            {"kind": kind, "value": clean(value)}
            for number, (kind, values) in enumerate(zip(ADDRESS_PARTS, given, strict=False))
            for value in values
            if not (exact and number in (1, 2))  # a summary of what comes behind (RFC 9554 §2.1)
        ]
        entry: Json = {"components": found} if found else {}
        for param, name in (
            ("LABEL", "full"),
            ("TZ", "timeZone"),
            ("GEO", "coordinates"),
            ("CC", "countryCode"),
        ):
            if line.param(param):
                entry[name] = line.param(param)
        common = self._common(line, labelled=False)
        return self._add("addresses", line, entry | common) if entry else True

    def _anniversary(self, line: Line) -> bool:
        when = partial_date(line.value)
        if when is None or line.param("CALSCALE").lower() not in ("", "gregorian"):
            return not line.value.strip()
        return self._add("anniversaries", line, {"kind": DATES[line.name], "date": when})

    def _resource(self, line: Line) -> bool:
        name, fixed = RESOURCES[line.name]
        uri = line.value.strip()
        if line.params.get("ENCODING", ("",))[0].upper() in ("B", "BASE64"):
            uri = _data_uri(line)
        elif line.name == "URL":
            uri = text(uri)
        uri = clean(uri).replace("\n", "")
        if uri.startswith("data:"):
            self.inline += len(uri)
            if self.inline > MAX_INLINE:
                self.left_out.append(f"{line.name} is too large to be kept on a card, and was left out.")
                return True
        kind = line.param("MEDIATYPE")
        more: Json = {"mediaType": kind} if kind else {}
        return self._add(name, line, {**fixed, "uri": uri, **more, **self._common(line)}) if uri else True

    def _keywords(self, line: Line) -> bool:
        found = {clean(text(word)).strip(): True for word in split(line.value, ",")}
        self.card.setdefault("keywords", {}).update({word: True for word in found if word})
        return True

    def _member(self, line: Line) -> bool:
        uid = clean(line.value).strip()
        if uid:
            self.card.setdefault("members", {})[uid] = True
        return True

    def _related(self, line: Line) -> bool:
        known = self.card.setdefault("relatedTo", {})
        uid = clean(text(line.value)).strip()
        if uid:
            relation = {t: True for t in sorted(line.types) if t}
            known[uid] = {"relation": relation} if relation else {}
        return True

    def _exactly(self, line: Line) -> bool:
        """A property of the card as it was, without its detour."""
        name = line.param("JSPTR").removeprefix("/")
        if not name or "/" in name:
            return False
        try:
            value = json.loads(text(line.value))
        except (ValueError, RecursionError):
            return False
        if any(untold(value)):
            return False
        self.exact[name.replace("~1", "/").replace("~0", "~")] = value
        return True


def _label(line: Line) -> str:
    plain = clean(text(line.value)).strip()
    apple = _APPLE.fullmatch(plain)
    return apple[1] if apple else plain


def _data_uri(line: Line) -> str:
    """What 2.1 and 3.0 have in base64."""
    kind = next(iter(sorted(line.types - {"pref", *CONTEXTS})), "")
    if "/" not in kind:
        family = {"SOUND": "audio", "KEY": "application"}.get(line.name, "image")
        kind = f"{family}/{kind}" if re.fullmatch(r"[a-z0-9.+-]+", kind) else "application/octet-stream"
    value = "".join(line.value.split()) if _BASE64.fullmatch(line.value) else ""
    return f"data:{kind};base64,{value}" if value else ""


def _kept(line: Line) -> list[Any]:
    """A property as jCard has it (RFC 7095 §3.3), its value unread."""
    params: Json = {
        name.lower(): values[0] if len(values) == 1 else list(values)
        for name, values in line.params.items()
        if name not in ("VALUE", "CHARSET", "ENCODING") and values
    }
    if line.group:
        params["group"] = line.group
    return [line.name.lower(), params, line.param("VALUE").lower() or "unknown", clean(line.value)]


def lines_of(given: Any) -> Iterator[Line]:
    """The properties that a card keeps as jCard; what is none of them is left out."""
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, list) or len(one) != 4 or not all(isinstance(one[n], str) for n in (0, 2, 3)):
            continue
        name, params, kind, value = one
        if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) or not isinstance(params, dict):
            continue
        if name.upper() in _NOTHING - {"X-ABLABEL"}:
            continue
        listed = {n.upper(): v if isinstance(v, list) else [v] for n, v in params.items()}
        sound = all(
            re.fullmatch(r"[A-Z0-9-]{1,100}", n) and all(isinstance(t, str) for t in v)
            for n, v in listed.items()
        )
        if sound:
            group = "".join(listed.pop("GROUP", []))
            more = {} if kind == "unknown" else {"VALUE": (kind,)}
            yield Line(name.upper(), value, {**{n: tuple(v) for n, v in listed.items()}, **more}, group)
