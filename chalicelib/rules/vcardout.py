"""Contact cards as vCards 4.0 (RFC 6350, RFC 9554, RFC 9555).

What a vCard cannot say, or says in a way that reads back as something else, goes along as JSPROP, so that a
card that was handed out and brought in again is the same card.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib.rules import vcardin
from chalicelib.rules.vcardin import ADDRESS_PARTS, CONTEXTS, DATES, ENTRIES, FEATURES, NAME_PARTS, RESOURCES
from chalicelib.rules.vcardlines import Line, cards, escaped, structured, written

Json = dict[str, Any]
_TYPES = {context: kind for kind, context in CONTEXTS.items()}
_FEATURES = {feature: kind for kind, feature in FEATURES.items()}
_KINDS = {kind: name for name, kind in DATES.items() if not name.startswith("X-")}
_STREET, _EXACT = 2, 7  # places in ADR: the street as one text, and the first of RFC 9554
_UNREAD = {"@type", "version"}
_BEGIN, _END = "BEGIN:VCARD\r\nVERSION:4.0\r\n", "END:VCARD\r\n"


def document(given: Iterable[Json]) -> str:
    """A file."""
    return "".join(map(vcard, given))


def vcard(card: Json) -> str:
    """One card."""
    body = "".join(map(written, _lines(card)))
    back = _read(body)
    wanted = {name: value for name, value in card.items() if name not in _UNREAD}
    exact = [
        Line("JSPROP", _exact(wanted.get(name)), {"JSPTR": (name.replace("~", "~0").replace("/", "~1"),)})
        for name in sorted({*wanted, *back})
        if wanted.get(name) != back.get(name)
    ]
    return f"{_BEGIN}{body}{''.join(map(written, exact))}{_END}"


def _read(body: str) -> Json:
    """What a card with these lines is read as."""
    for lines in cards(f"{_BEGIN}{body}{_END}".encode("utf-8", "replace")):
        if not isinstance(lines, str):
            return vcardin.card(lines)[0]
    return {}


def _exact(value: Any) -> str:
    return escaped(json.dumps(value, separators=(",", ":")))


class _Groups:
    """Groups that tie labels to what they label."""

    def __init__(self) -> None:
        self.count = 0

    def labelled(self, line: Line, entry: Json) -> Iterator[Line]:
        """The line, with its label."""
        label = entry.get("label")
        if not label:
            yield line
            return
        self.count += 1
        group = f"label{self.count}"  # vCardProps may have item1 and so on
        yield Line(line.name, line.value, line.params, group)
        yield Line("X-ABLABEL", escaped(label), {}, group)


def _lines(card: Json) -> Iterator[Line]:
    groups = _Groups()
    yield from _heads(card)
    yield from _named(card)
    for id, entry in _entries(card, "organizations"):
        units = [[unit["name"]] for unit in entry.get("units", ())]
        yield Line("ORG", structured([[entry.get("name", "")], *units]), _params(id, entry))
    for name, (prop, key, fixed) in ENTRIES.items():
        for id, entry in _entries(card, prop, fixed):
            yield from groups.labelled(Line(name, escaped(entry[key]), _params(id, entry)), entry)
    for id, entry in _entries(card, "phones"):
        features = [_FEATURES[f] for f in entry.get("features", {}) if f in _FEATURES]
        line = Line("TEL", escaped(entry["number"]), _params(id, entry, features))
        yield from groups.labelled(line, entry)
    for id, entry in _entries(card, "onlineServices"):
        yield from groups.labelled(_online(id, entry), entry)
    for id, entry in _entries(card, "addresses"):
        yield _address(id, entry)
    for id, entry in _entries(card, "anniversaries"):
        yield from _anniversary(id, entry)
    yield from _resources(card, groups)
    yield from _tails(card)


def _entries(card: Json, name: str, fixed: Mapping[str, str] | None = None) -> Iterator[tuple[str, Json]]:
    """Entries of a map that have just these fixed values; `kind` beside them only where one is fixed."""
    for id, entry in card.get(name, {}).items():
        if fixed is None or (fixed.items() <= entry.items() and ("kind" in entry) == ("kind" in fixed)):
            yield id, entry


def _params(id: str, entry: Json, types: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    contexts = [_TYPES[c] for c in entry.get("contexts", {}) if c in _TYPES]
    found: dict[str, tuple[str, ...]] = {"PROP-ID": (id,)}
    if contexts or types:
        found["TYPE"] = (*contexts, *types)
    if "pref" in entry:
        found["PREF"] = (str(entry["pref"]),)
    return found


def _heads(card: Json) -> Iterator[Line]:
    for name, prop in (("PRODID", "prodId"), ("UID", "uid"), ("KIND", "kind"), ("LANGUAGE", "language")):
        if card.get(prop):
            yield Line(name, escaped(card[prop]))
    for name, prop in (("REV", "updated"), ("CREATED", "created")):
        if prop in card:
            yield Line(name, card[prop].replace("-", "").replace(":", ""))


def _named(card: Json) -> Iterator[Line]:
    """FN must be there (RFC 6350 §6.2.1): one that is made up says so."""
    name = card.get("name", {})
    pieces = [c for c in name.get("components", ()) if c["kind"] in NAME_PARTS]
    if "full" in name:
        yield Line("FN", escaped(name["full"]))
    else:
        order = ("title", "given", "given2", "surname", "surname2", "generation", "credential")
        in_order = sorted(pieces, key=lambda c: order.index(c["kind"]))
        full = " ".join(c["value"] for c in in_order) or _stand_in(card)
        yield Line("FN", escaped(full), {"DERIVED": ("true",)})
    if pieces:
        value = structured([[c["value"] for c in pieces if c["kind"] == kind] for kind in NAME_PARTS])
        sort_as = name.get("sortAs", {})
        keys = [sort_as.get(kind, "") for kind in ("surname", "given")]
        yield Line("N", value, {"SORT-AS": (",".join(keys).rstrip(","),)} if any(keys) else {})
    for id, entry in _entries(card, "nicknames"):
        yield Line("NICKNAME", escaped(entry["name"]), _params(id, entry))


def _stand_in(card: Json) -> str:
    """What a card without a name is called."""
    for prop, key in (
        ("nicknames", "name"),
        ("organizations", "name"),
        ("emails", "address"),
        ("phones", "number"),
    ):
        for entry in card.get(prop, {}).values():
            if entry.get(key):
                return str(entry[key])
    return "?"


def _online(id: str, entry: Json) -> Line:
    params = _params(id, entry)
    if "service" in entry:
        params["SERVICE-TYPE"] = (entry["service"],)
    if "uri" in entry:
        if "user" in entry:
            params["USERNAME"] = (entry["user"],)
        return Line("SOCIALPROFILE", escaped(entry["uri"]), params)
    return Line("SOCIALPROFILE", escaped(entry.get("user", "")), {**params, "VALUE": ("text",)})


def _address(id: str, entry: Json) -> Line:
    pieces = [(c["kind"], c["value"]) for c in entry.get("components", ()) if c["kind"] in ADDRESS_PARTS]
    places: list[list[str]] = [[] for _ in ADDRESS_PARTS]
    exact = any(kind in ADDRESS_PARTS[_EXACT:] and kind not in ("name", "apartment") for kind, _ in pieces)
    for kind, value in pieces:
        place = ADDRESS_PARTS.index(kind, _EXACT if exact and kind in ADDRESS_PARTS[_EXACT:] else 0)
        places[place].append(value)
    if exact:  # for who reads seven of them only (RFC 9554 §2.1)
        places[_STREET] = [" ".join(value for kind, value in pieces if kind in ("number", "name"))]
        places[_STREET - 1] = [value for kind, value in pieces if kind == "apartment"]
    params = _params(id, entry)
    for param, name in (("LABEL", "full"), ("TZ", "timeZone"), ("GEO", "coordinates"), ("CC", "countryCode")):
        if entry.get(name):
            params[param] = (entry[name],)
    return Line("ADR", structured(places), params)


def _anniversary(id: str, entry: Json) -> Iterator[Line]:
    """Of each kind one; what more there is goes along as it is."""
    name, when = _KINDS.get(entry["kind"]), entry["date"]
    value = when["utc"].replace("-", "").replace(":", "") if "utc" in when else _date(when)
    if name and value:
        yield Line(name, value, {"PROP-ID": (id,)})


def _date(when: Json) -> str:
    """A date as ISO 8601 cuts it short (RFC 6350 §4.3.1)."""
    year, month, day = (when.get(name) for name in ("year", "month", "day"))
    if year is not None and month is not None:
        return f"{year:04}{month:02}{day:02}" if day is not None else f"{year:04}-{month:02}"
    if year is not None:
        return f"{year:04}"
    return f"--{month:02}" + (f"{day:02}" if day is not None else "") if month is not None else ""


def _resources(card: Json, groups: _Groups) -> Iterator[Line]:
    for name, (prop, fixed) in RESOURCES.items():
        for id, entry in _entries(card, prop, fixed):
            if "uri" not in entry:
                continue
            params = _params(id, entry)
            if "mediaType" in entry:
                params["MEDIATYPE"] = (entry["mediaType"],)
            value = escaped(entry["uri"]) if name == "URL" else entry["uri"]
            yield from groups.labelled(Line(name, value, params), entry)


def _tails(card: Json) -> Iterator[Line]:
    if card.get("keywords"):
        yield Line("CATEGORIES", ",".join(map(escaped, card["keywords"])))
    for uid in card.get("members", {}):
        yield Line("MEMBER", uid)
    for uid, entry in card.get("relatedTo", {}).items():
        kinds = tuple(entry.get("relation", {}))
        yield Line("RELATED", escaped(uid), {"TYPE": kinds} if kinds else {})
    yield from vcardin.lines_of(card.get("vCardProps"))
