"""Contacts as CSV: the columns of Google and Outlook in, safe cells out."""

import csv
import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rules import contactcsv, jscontact
from chalicelib.rules.errors import ServiceError

Json = dict[str, Any]


def read(*lines: str) -> list[Json]:
    return [card for card, _ in contactcsv.rows("\r\n".join(lines).encode(), 100)]


def components(card: Json) -> dict[str, str]:
    return {c["kind"]: c["value"] for c in card["name"]["components"]}


def test_google() -> None:
    [zoe] = read(
        "First Name,Last Name,Organization Name,Organization Title,Birthday,Notes,Labels,E-mail 1 - Label,"
        "E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,"
        "Address 1 - Label,Address 1 - Street,Address 1 - City,Address 1 - Postal Code,Website 1 - Value",
        "Zoë,Müller,Far Ltd,Head, --03-02,Likes trains,* myContacts ::: Friends,* Work,z@far.test,Home,"
        "z@home.test ::: y@home.test,Mobile,+49 30 1,Home,Main St 1,Bonn,53111,https://x.test/",
    )
    assert components(zoe) == {"given": "Zoë", "surname": "Müller"}
    assert zoe["organizations"] == {"o1": {"name": "Far Ltd"}}
    assert zoe["titles"] == {"t1": {"kind": "title", "name": "Head"}}
    assert zoe["anniversaries"] == {"a1": {"kind": "birth", "date": {"month": 3, "day": 2}}}
    assert zoe["keywords"] == {"Friends": True}
    assert zoe["emails"] == {
        "e1": {"address": "z@far.test", "pref": 1, "contexts": {"work": True}},
        "e2": {"address": "z@home.test", "contexts": {"private": True}},
        "e3": {"address": "y@home.test", "contexts": {"private": True}},
    }
    assert zoe["phones"] == {"p1": {"number": "+49 30 1", "features": {"mobile": True}}}
    assert [c["kind"] for c in zoe["addresses"]["a1"]["components"]] == ["name", "locality", "postcode"]
    assert zoe["links"] == {"w1": {"uri": "https://x.test/"}}


def test_google_of_before_2024() -> None:
    [ann] = read(
        "Name,Given Name,Additional Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,"
        "Phone 1 - Value",
        "Ann B. Sea,Ann,B.,Sea,Other,a@x.test,Work Fax,1",
    )
    assert ann["name"]["full"] == "Ann B. Sea"
    assert components(ann) == {"given": "Ann", "given2": "B.", "surname": "Sea"}
    assert ann["emails"] == {"e1": {"address": "a@x.test"}}
    assert ann["phones"]["p1"] == {"number": "1", "features": {"fax": True}, "contexts": {"work": True}}


def test_outlook() -> None:
    [ann] = read(
        "Title,First Name,Last Name,Company,Department,Job Title,Business Street,Business City,"
        "Business Country/Region,Home City,Business Fax,Business Phone 2,Mobile Phone,"
        "Anniversary,Birthday,Categories,E-mail Address,E-mail 2 Address,E-mail Display Name,Web Page",
        "Dr.,Ann,Sea,Far Ltd,Research,Head,Main St 1,Bonn,Germany,Ulm,1,2,3,0/0/00,12/31/1990,Friend;Far,"
        "a@x.test,b@x.test,Ann (a@x.test),https://x.test/",
    )
    assert components(ann)["title"] == "Dr."
    assert ann["organizations"] == {"o1": {"name": "Far Ltd", "units": [{"name": "Research"}]}}
    assert [a["contexts"] for a in ann["addresses"].values()] == [{"work": True}, {"private": True}]
    assert ann["anniversaries"] == {"a1": {"kind": "birth", "date": {"year": 1990, "month": 12, "day": 31}}}
    assert ann["keywords"] == {"Friend": True, "Far": True}
    assert [e["address"] for e in ann["emails"].values()] == ["a@x.test", "b@x.test"]
    assert ann["phones"]["p1"] == {"number": "1", "features": {"fax": True}, "contexts": {"work": True}}
    assert contactcsv.unknown(b"Name,E-mail Display Name, Shoe size ,") == [
        "E-mail Display Name",
        " Shoe size ",
    ]


@pytest.mark.parametrize(
    "octets",
    [
        "Name;Email\nZoë;z@x.test\n".encode(),
        "\ufeffname\temail\r\nZoë\tz@x.test".encode(),
        "NAME,E-Mail\r\n\r\nZoë,z@x.test\r\n,\r\n".encode("cp1252"),
        "Name,Email\r\nZoë,z@x.test\r\n".encode("utf-16"),
    ],
)
def test_separators_and_encodings(octets: bytes) -> None:
    [(card, _)] = contactcsv.rows(octets, 10)
    assert card == {"name": {"full": "Zoë"}, "emails": {"e1": {"address": "z@x.test"}}}


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1990-03-02", {"year": 1990, "month": 3, "day": 2}),
        ("3/2/1990", {"year": 1990, "month": 3, "day": 2}),
        ("31/12/1990", {"year": 1990, "month": 12, "day": 31}),
        ("2.3.1990", {"year": 1990, "month": 3, "day": 2}),
        ("1990", {"year": 1990}),
    ],
)
def test_dates(text: str, date: Json) -> None:
    [card] = read("Name,Birthday", f"A,{text}")
    assert card["anniversaries"]["a1"]["date"] == date


def test_what_is_no_date_is_left_out_and_that_is_said() -> None:
    [(card, left_out)] = contactcsv.rows(b"Name,Birthday\nA,soon\n", 10)
    assert (card, left_out) == ({"name": {"full": "A"}}, ["Birthday is no date, and was left out."])


@pytest.mark.parametrize(
    ("octets", "kind"),
    [(b"", "invalid"), (b"\n\n", "invalid"), (b"Shoe,Hat\n1,2\n", "invalid"), (b"Name\nA\nB\n", "too_large")],
)
def test_refused(octets: bytes, kind: str) -> None:
    with pytest.raises(ServiceError) as refusal:
        list(contactcsv.rows(octets, 1))
    assert refusal.value.kind == kind


def test_no_cell_is_a_formula_and_reading_takes_the_guard_away() -> None:
    card = {
        "uid": "u",
        "name": {"full": "=HYPERLINK(1)"},
        "phones": {"p1": {"number": "+49 30 1"}},
        "notes": {"n1": {"note": "@SUM(1)"}},
    }
    text = contactcsv.document([card])
    assert text.startswith("\ufeff")
    cells = [cell for row in csv.reader(io.StringIO(text[1:])) for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    [(back, _)] = contactcsv.rows(text.encode(), 1)
    assert back == card


def test_groups_are_no_rows() -> None:
    text = contactcsv.document([{"uid": "g", "kind": "group"}, {"uid": "a", "name": {"full": "A"}}])
    assert [card["uid"] for card, _ in contactcsv.rows(text.encode(), 10)] == ["a"]


def test_a_row_changes_what_it_says_and_nothing_else() -> None:
    was: Json = {
        "uid": "u",
        "name": {"full": "Zoë", "sortAs": {"surname": "z"}},
        "emails": {"home": {"address": "z@x.test", "contexts": {"private": True, "x": True}}},
        "media": {"m": {"kind": "photo", "uri": "data:,"}},
    }
    [(own, _)] = contactcsv.rows(contactcsv.document([was]).encode(), 1)
    assert contactcsv.merged(own, was) == was
    changed = contactcsv.merged(own | {"name": {"full": "Zoe"}}, was)
    assert changed == was | {"name": {"full": "Zoe"}}


TEXT = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)


@settings(max_examples=100)
@given(TEXT, TEXT, TEXT, st.lists(TEXT.filter(lambda t: ":::" not in t), max_size=3))
def test_what_a_table_holds_comes_back(given_: str, surname: str, note: str, mails: list[str]) -> None:
    pieces = [{"kind": "surname", "value": surname}, {"kind": "given", "value": given_}]
    card: Json = {"uid": "u", "name": {"components": pieces}, "notes": {"n1": {"note": note}}}
    if mails:
        card["emails"] = {f"e{n}": {"address": mail} for n, mail in enumerate(mails, 1)}
    guarded = [t for t in (given_, surname, note, *mails) if t.startswith("'")]
    [(back, _)] = contactcsv.rows(contactcsv.document([card]).encode(), 1)
    if not guarded:
        assert back == card
    assert contactcsv.merged(back, card) == card


@settings(max_examples=200)
@given(
    st.binary(max_size=120), st.sampled_from([b"", b"Name,Email,Phone 1 - Label,Phone 1 - Value,Birthday\n"])
)
def test_any_octets_are_read_or_refused(octets: bytes, start: bytes) -> None:
    with suppress(ServiceError):
        for card, _ in contactcsv.rows(start + octets, 100):
            assert not jscontact.faults({"uid": "u"} | card)
