"""Contacts as CSV: in with the columns of Google and Outlook, out with those of Google and a UID.

A table holds less than a card: names, addresses, phones, a birthday, notes and the like. Groups are no rows.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.rules import csvtext, vcardin
from chalicelib.rules.errors import ServiceError

Json = dict[str, Any]
MOST_NUMBERED = 20  # emails, phones and so on of one contact that get columns
BOM = "\ufeff"  # without it Excel takes UTF-8 for something else
_SPACES = re.compile(r"\s+")
_DELIMITERS = ",;\t"

#: Columns of one text: header → what it is. Google's, Google's of before 2024, Outlook's, and plain ones.
_PLAIN: Mapping[str, str] = {
    **dict.fromkeys(("first name", "given name"), "given"),
    **dict.fromkeys(("middle name", "additional name"), "given2"),
    **dict.fromkeys(("last name", "family name", "surname"), "surname"),
    **dict.fromkeys(("name prefix", "title", "prefix"), "title"),
    **dict.fromkeys(("name suffix", "suffix"), "credential"),
    **dict.fromkeys(("name", "full name", "display name"), "full"),
    "nickname": "nickname",
    **dict.fromkeys(("organization name", "organization 1 - name", "company", "organization"), "company"),
    **dict.fromkeys(("organization department", "organization 1 - department", "department"), "department"),
    **dict.fromkeys(("organization title", "organization 1 - title", "job title"), "job"),
    "birthday": "birthday",
    "anniversary": "anniversary",
    **dict.fromkeys(("notes", "note"), "note"),
    **dict.fromkeys(("labels", "group membership", "categories"), "keywords"),
    "uid": "uid",
}
_SIMPLE: Mapping[str, tuple[str, str, str]] = {  # header → (list, label, part)
    **dict.fromkeys(("email", "e-mail", "email address", "mail"), ("email", "", "value")),
    **dict.fromkeys(("phone", "telephone", "phone number", "primary phone"), ("phone", "", "value")),
    **dict.fromkeys(("mobile", "mobile phone", "cell phone"), ("phone", "mobile", "value")),
    "pager": ("phone", "pager", "value"),
    "car phone": ("phone", "car", "value"),
    "company main phone": ("phone", "main", "value"),
    **dict.fromkeys(("web page", "website", "url"), ("website", "", "value")),
    "personal web page": ("website", "home", "value"),
}
_NUMBERED = re.compile(r"(e-mail|phone|address|website) (\d+) - (.+)")
_OUTLOOK_MAIL = re.compile(r"e-?mail(?: (\d+))? address")
_OUTLOOK_PHONE = re.compile(r"(business|home|other) (phone|fax)(?: (\d+))?")
_OUTLOOK_ADDRESS = re.compile(
    r"(business|home|other) (street|city|state|postal code|country|country/region|po box|address po box)"
)
_PARTS = {
    "po box": "postOfficeBox",
    "address po box": "postOfficeBox",
    "extended address": "apartment",
    "street": "name",
    "city": "locality",
    "region": "region",
    "state": "region",
    "postal code": "postcode",
    "country": "country",
    "country/region": "country",
}
_NAME = ("surname", "given", "given2", "title", "credential")
_LISTS = {"email": "emails", "phone": "phones", "address": "addresses", "website": "links"}
_VALUE = {"email": "address", "phone": "number", "website": "uri"}
_CONTEXTS = {"work": "work", "business": "work", "home": "private", "personal": "private"}
_FEATURES = {"mobile": "mobile", "cell": "mobile", "fax": "fax", "pager": "pager", "main": "main-number"}
_DATE = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})")

Place = tuple[str, str, str]  # a list and its number, the label that the header has, the part


# ---------------------------------------------------------------------------------------------------- in
def rows(octets: bytes, most: int) -> Iterator[tuple[Json, list[str]]]:
    """Each row's card, without a uid where it has none, and what was left out of it.

    Raises ServiceError bad_request, invalid (no column is known), too_large.
    """
    table = _table(_text(octets))
    header = next(table, [])
    places = [_place(name) for name in header]
    if not any(places):
        raise ServiceError("invalid", "No column of the first line is known here: no name, email or phone.")
    for number, cells in enumerate(table):
        if number >= most:
            raise ServiceError("too_large", f"A file has at most {most} contacts.")
        yield _card([(p, _unguarded(c)) for p, c in zip(places, cells, strict=False) if p and c.strip()])


def unknown(octets: bytes) -> list[str]:
    """Columns whose names say nothing here."""
    return [name for name in next(_table(_text(octets)), []) if name.strip() and not _place(name)]


def _text(octets: bytes) -> str:
    if octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return octets.decode("utf-16", "replace")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _table(text: str) -> Iterator[list[str]]:
    """Lines that are not empty. Raises ServiceError bad_request."""
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        yield from (line for line in reader if any(cell.strip() for cell in line))
    except csv.Error as error:
        raise ServiceError("bad_request", f"The file is not CSV: {error}.") from None


def _unguarded(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from computing it."""
    rest = cell[1:].lstrip()
    return cell[1:] if cell[:1] == "'" and rest.startswith(tuple(csvtext.FORMULA)) else cell.strip()


def _place(header: str) -> Place | None:
    """Where a column's cells go."""
    name = _SPACES.sub(" ", header.strip().lower())
    if name in _PLAIN:
        return "", "", _PLAIN[name]
    if name in _SIMPLE:
        return _SIMPLE[name]
    if found := _NUMBERED.fullmatch(name):
        return f"{found[1].replace('-', '')} {found[2]}", "", found[3]
    if found := _OUTLOOK_MAIL.fullmatch(name):
        return f"email {found[1] or 1}", "", "value"
    if found := _OUTLOOK_PHONE.fullmatch(name):
        fax = " fax" if found[2] == "fax" else ""
        return f"phone {found[1]}{fax} {found[3] or 1}", f"{found[1]}{fax}", "value"
    if found := _OUTLOOK_ADDRESS.fullmatch(name):
        return f"address {found[1]}", found[1], found[2]
    return None


def _card(cells: Sequence[tuple[Place, str]]) -> tuple[Json, list[str]]:
    plain: dict[str, str] = {}
    listed: dict[tuple[str, str], dict[str, str]] = {}
    for (where, label, part), value in cells:
        if not where:
            plain.setdefault(part, value)
            continue
        entry = listed.setdefault((where, label), {"label": label} if label else {})
        entry["label" if part == "type" else part] = value
    left_out: list[str] = []
    card: Json = {"uid": plain["uid"]} if "uid" in plain else {}
    card |= _named(plain) | _dates(plain, left_out)
    if "note" in plain:
        card["notes"] = {"n1": {"note": plain["note"]}}
    labels = plain.get("keywords", "")
    words = [w.strip() for w in labels.split(":::" if ":::" in labels else ";")]
    keywords = {w: True for w in words if w and not w.startswith("* ")}  # Google's own have stars
    if keywords:
        card["keywords"] = keywords
    for (where, _), entry in listed.items():
        for found in _entries(where.partition(" ")[0], entry):
            entries = card.setdefault(_LISTS[where.partition(" ")[0]], {})
            entries[f"{where[0]}{len(entries) + 1}"] = found
    return card, left_out


def _named(plain: Mapping[str, str]) -> Json:
    card: Json = {}
    pieces = [{"kind": kind, "value": plain[kind]} for kind in _NAME if kind in plain]
    name: Json = {"components": pieces} if pieces else {}
    if "full" in plain:
        name["full"] = plain["full"]
    if name:
        card["name"] = name
    if "nickname" in plain:
        card["nicknames"] = {"n1": {"name": plain["nickname"]}}
    company: Json = {"name": plain["company"]} if "company" in plain else {}
    if "department" in plain:
        company["units"] = [{"name": plain["department"]}]
    if company:
        card["organizations"] = {"o1": company}
    if "job" in plain:
        card["titles"] = {"t1": {"kind": "title", "name": plain["job"]}}
    return card


def _dates(plain: Mapping[str, str], left_out: list[str]) -> Json:
    found: Json = {}
    for column, kind in (("birthday", "birth"), ("anniversary", "wedding")):
        if column not in plain or plain[column].startswith("0/0"):  # Outlook's word for none
            continue
        when = vcardin.partial_date(_iso(plain[column]))
        if when is None:
            left_out.append(f"{column.capitalize()} is no date, and was left out.")
        else:
            found[f"a{len(found) + 1}"] = {"kind": kind, "date": when}
    return {"anniversaries": found} if found else {}


def _iso(text: str) -> str:
    """A date with slashes is month first, unless that cannot be; with dots, day first."""
    found = _DATE.fullmatch(text.strip())
    if not found:
        return text
    first, second, year = int(found[1]), int(found[2]), found[3]
    day_first = "." in text or first > 12
    month, day = (second, first) if day_first else (first, second)
    return f"{year}-{month:02}-{day:02}"


def _entries(kind: str, entry: Mapping[str, str]) -> Iterator[Json]:
    """What numbered columns say; Google puts several values into one cell."""
    more = _labelled(entry.get("label", ""), kind)
    if kind == "address":
        pieces = [{"kind": _PARTS[p], "value": v} for p, v in entry.items() if p in _PARTS]
        whole: Json = {"components": pieces} if pieces else {}
        if "formatted" in entry:
            whole["full"] = entry["formatted"]
        if whole:
            yield whole | {n: v for n, v in more.items() if n != "label"}
        return
    for value in entry.get("value", "").split(":::"):
        if value.strip():
            yield {_VALUE[kind]: value.strip(), **more}


def _labelled(label: str, kind: str) -> Json:
    """Contexts, features, and what is neither as the label."""
    found: Json = {}
    plain = label.removeprefix("* ").strip()
    if plain != label.strip():
        found["pref"] = 1  # how Google marks the first of several
    rest = []
    for word in plain.lower().split():
        if word in _CONTEXTS:
            found.setdefault("contexts", {})[_CONTEXTS[word]] = True
        elif word in _FEATURES and kind == "phone":
            found.setdefault("features", {})[_FEATURES[word]] = True
        else:
            rest.append(word)
    if rest and plain.lower() != "other":
        return {n: v for n, v in found.items() if n == "pref"} | {"label": plain}
    return found


def merged(row: Json, was: Json) -> Json:
    """A card with what a row says. What the row says as the card's own row would stays exactly as it was."""
    [(told, _)] = rows(document([was]).encode(), 1) if was.get("kind") != "group" else [({}, [])]
    return was | {name: value for name, value in row.items() if told.get(name) != value}


# --------------------------------------------------------------------------------------------------- out
_COLUMNS: tuple[tuple[str, Callable[[Json], str]], ...] = (
    ("Name", lambda c: str(c.get("name", {}).get("full", ""))),
    ("First Name", lambda c: _piece(c, "given")),
    ("Middle Name", lambda c: _piece(c, "given2")),
    ("Last Name", lambda c: _piece(c, "surname")),
    ("Name Prefix", lambda c: _piece(c, "title")),
    ("Name Suffix", lambda c: _piece(c, "credential")),
    ("Nickname", lambda c: _first(c, "nicknames", "name")),
    ("Organization Name", lambda c: _first(c, "organizations", "name")),
    ("Organization Department", lambda c: _department(c)),
    ("Organization Title", lambda c: _first(c, "titles", "name")),
    ("Birthday", lambda c: _day(c, "birth")),
    ("Anniversary", lambda c: _day(c, "wedding")),
    ("Notes", lambda c: "\n".join(n["note"] for n in c.get("notes", {}).values())),
    ("Labels", lambda c: " ::: ".join(c.get("keywords", {}))),
    ("UID", lambda c: str(c.get("uid", ""))),
)


def document(cards: Iterable[Json]) -> str:
    """A file; cells that a spreadsheet would compute are led by an apostrophe."""
    people = [card for card in cards if card.get("kind") != "group"]
    header = [name for name, _ in _COLUMNS]
    numbered = []
    for title, list_, parts in (
        ("E-mail", "emails", ("Label", "Value")),
        ("Phone", "phones", ("Label", "Value")),
        ("Address", "addresses", ("Label", "Formatted", *_ADDRESS)),
        ("Website", "links", ("Label", "Value")),
    ):
        count = min(max((len(card.get(list_, {})) for card in people), default=0), MOST_NUMBERED)
        numbered.append((list_, parts, count))
        header += [f"{title} {n} - {part}" for n in range(1, count + 1) for part in parts]
    return BOM + csvtext.document(header, [_cells(card, numbered) for card in people])


_ADDRESS = {
    "Street": ("number", "name"),
    "Extended Address": ("apartment",),
    "City": ("locality",),
    "PO Box": ("postOfficeBox",),
    "Region": ("region",),
    "Postal Code": ("postcode",),
    "Country": ("country",),
}


def _cells(card: Json, numbered: Sequence[tuple[str, Sequence[str], int]]) -> list[str]:
    cells = [column(card) for _, column in _COLUMNS]
    for list_, parts, count in numbered:
        entries = list(card.get(list_, {}).values())[:count]
        entries += [{}] * (count - len(entries))
        cells += [_cell(entry, part) for entry in entries for part in parts]
    return cells


def _cell(entry: Json, part: str) -> str:
    if part == "Label":
        return _label(entry)
    if part == "Value":
        return next((str(entry[key]) for key in _VALUE.values() if key in entry), "")
    if part == "Formatted":
        return str(entry.get("full", ""))
    pieces = entry.get("components", ())
    return " ".join(c["value"] for c in pieces if c["kind"] in _ADDRESS[part])


def _label(entry: Json) -> str:
    star = "* " if entry.get("pref") == 1 else ""
    if entry.get("label"):
        return f"{star}{entry['label']}"
    words = [word.capitalize() for word, context in _CONTEXTS.items() if context in entry.get("contexts", {})]
    features = {f: w.capitalize() for w, f in reversed(_FEATURES.items())}
    more = [features[f] for f in entry.get("features", {}) if f in features]
    return star + " ".join([*words[:1], *more])


def _piece(card: Json, kind: str) -> str:
    pieces = card.get("name", {}).get("components", ())
    return " ".join(c["value"] for c in pieces if c["kind"] == kind)


def _first(card: Json, list_: str, key: str) -> str:
    return next((str(entry[key]) for entry in card.get(list_, {}).values() if key in entry), "")


def _department(card: Json) -> str:
    entries = card.get("organizations", {}).values()
    return next((str(unit["name"]) for entry in entries for unit in entry.get("units", ())), "")


def _day(card: Json, kind: str) -> str:
    """ISO 8601, without a year as vCard has it."""
    for entry in card.get("anniversaries", {}).values():
        when = entry["date"]
        if entry["kind"] == kind and "utc" in when:
            return str(when["utc"])
        if entry["kind"] == kind:
            year = f"{when['year']:04}" if "year" in when else "-"
            rest = [f"{when[name]:02}" for name in ("month", "day") if name in when]
            return "-".join([year, *rest])
    return ""
