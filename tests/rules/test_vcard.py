"""vCards in and out (RFC 6350, RFC 2426, 2.1; RFC 9554 and RFC 9555)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rules import jscontact, vcardin, vcardlines, vcardout

Json = dict[str, Any]


def read(text: str | bytes) -> Json:
    """The one card of a file, without its uid where that says nothing."""
    octets = text.encode() if isinstance(text, str) else text
    [lines] = vcardlines.cards(octets)
    assert not isinstance(lines, str)
    card, _ = vcardin.card(lines)
    return card


def vcard(*lines: str, version: str = "4.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


CASES: list[tuple[str, list[str], Json]] = [
    ("full name", ["FN:Zoe M\\, Jr."], {"name": {"full": "Zoe M, Jr."}}),
    (
        "name",
        ["N:Müller,Ortega;Zoë;Ann;Dr.;MD"],
        {
            "name": {
                "components": [
                    {"kind": "surname", "value": "Müller"},
                    {"kind": "surname", "value": "Ortega"},
                    {"kind": "given", "value": "Zoë"},
                    {"kind": "given2", "value": "Ann"},
                    {"kind": "title", "value": "Dr."},
                    {"kind": "credential", "value": "MD"},
                ]
            }
        },
    ),
    (
        "second surname and order",
        ['N;SORT-AS="Gomez,Ana":Gómez;Ana;;;;Ruiz;Jr.'],
        {
            "name": {
                "components": [
                    {"kind": "surname", "value": "Gómez"},
                    {"kind": "given", "value": "Ana"},
                    {"kind": "surname2", "value": "Ruiz"},
                    {"kind": "generation", "value": "Jr."},
                ],
                "sortAs": {"surname": "Gomez", "given": "Ana"},
            }
        },
    ),
    ("a made up name", ["FN;DERIVED=true:a@x.test"], {}),
    ("nicknames", ["NICKNAME:Jim,Jimmy"], {"nicknames": {"n1": {"name": "Jim"}, "n2": {"name": "Jimmy"}}}),
    (
        "email of 3.0",
        ["EMAIL;TYPE=INTERNET,WORK,PREF:a@x.test"],
        {"emails": {"e1": {"address": "a@x.test", "contexts": {"work": True}, "pref": 1}}},
    ),
    ("email with an id", ["EMAIL;PROP-ID=E7:a@x.test"], {"emails": {"E7": {"address": "a@x.test"}}}),
    (
        "a label",
        ["item1.EMAIL:a@x.test", "item1.X-ABLabel:_$!<HomePage>!$_"],
        {"emails": {"e1": {"address": "a@x.test", "label": "HomePage"}}},
    ),
    (
        "phone of 2.1",
        ["TEL;HOME;CELL:+49 30 1"],
        {
            "phones": {
                "p1": {"number": "+49 30 1", "features": {"mobile": True}, "contexts": {"private": True}}
            }
        },
    ),
    (
        "phone of 4.0",
        ['TEL;VALUE=uri;TYPE="voice,work";PREF=3:tel:+1-555'],
        {
            "phones": {
                "p1": {
                    "number": "tel:+1-555",
                    "features": {"voice": True},
                    "contexts": {"work": True},
                    "pref": 3,
                }
            }
        },
    ),
    (
        "address",
        ["ADR;TYPE=home;LABEL=\"All of it\":;Flat 2;Main St 1;Bonn;NRW;53111;Germany"],
        {
            "addresses": {
                "a1": {
                    "components": [
                        {"kind": "apartment", "value": "Flat 2"},
                        {"kind": "name", "value": "Main St 1"},
                        {"kind": "locality", "value": "Bonn"},
                        {"kind": "region", "value": "NRW"},
                        {"kind": "postcode", "value": "53111"},
                        {"kind": "country", "value": "Germany"},
                    ],
                    "full": "All of it",
                    "contexts": {"private": True},
                }
            }
        },
    ),
    (
        "address of RFC 9554",
        ["ADR:;;Main St 1;Bonn;;;;;;3;1;Main St"],
        {
            "addresses": {
                "a1": {
                    "components": [
                        {"kind": "locality", "value": "Bonn"},
                        {"kind": "floor", "value": "3"},
                        {"kind": "number", "value": "1"},
                        {"kind": "name", "value": "Main St"},
                    ]
                }
            }
        },
    ),
    (
        "organisation",
        ["ORG:Far;Research;Trains", "TITLE:Head", "ROLE:Cook"],
        {
            "organizations": {"o1": {"name": "Far", "units": [{"name": "Research"}, {"name": "Trains"}]}},
            "titles": {"t1": {"kind": "title", "name": "Head"}, "t2": {"kind": "role", "name": "Cook"}},
        },
    ),
    (
        "birthdays",
        ["BDAY:19900302", "ANNIVERSARY:--0614", "DEATHDATE:2020-05"],
        {
            "anniversaries": {
                "a1": {"kind": "birth", "date": {"year": 1990, "month": 3, "day": 2}},
                "a2": {"kind": "wedding", "date": {"month": 6, "day": 14}},
                "a3": {"kind": "death", "date": {"year": 2020, "month": 5}},
            }
        },
    ),
    (
        "a birthday with a time, and without a year",
        ["BDAY:1990-03-02T10:00:00Z", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29"],
        {
            "anniversaries": {
                "a1": {"kind": "birth", "date": {"@type": "Timestamp", "utc": "1990-03-02T10:00:00Z"}},
                "a2": {"kind": "birth", "date": {"month": 2, "day": 29}},
            }
        },
    ),
    ("no date", ["BDAY;VALUE=text:spring"], {"vCardProps": [["bday", {}, "text", "spring"]]}),
    ("note", ["NOTE:One\\nTwo\\; three\\\\four"], {"notes": {"n1": {"note": "One\nTwo; three\\four"}}}),
    ("categories", ["CATEGORIES:friend,far\\, far"], {"keywords": {"friend": True, "far, far": True}}),
    ("url", ["URL:https\\://x.test/"], {"links": {"l1": {"uri": "https://x.test/"}}}),
    (
        "photo of 3.0",
        ["PHOTO;ENCODING=b;TYPE=PNG:iVBO", " Rw0="],
        {"media": {"m1": {"kind": "photo", "uri": "data:image/png;base64,iVBORw0="}}},
    ),
    (
        "photo of 4.0",
        ["PHOTO;MEDIATYPE=image/gif:https://x.test/a;b,c.gif"],
        {"media": {"m1": {"kind": "photo", "uri": "https://x.test/a;b,c.gif", "mediaType": "image/gif"}}},
    ),
    (
        "group",
        ["KIND:group", "MEMBER:urn:uuid:1", "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:2"],
        {"kind": "group", "members": {"urn:uuid:1": True, "urn:uuid:2": True}},
    ),
    (
        "other services",
        [
            "IMPP:xmpp:z@far.test",
            "SOCIALPROFILE;SERVICE-TYPE=Mastodon;VALUE=text:@z",
            "X-SOCIALPROFILE;type=chirp:u",
        ],
        {
            "onlineServices": {
                "o1": {"uri": "xmpp:z@far.test"},
                "o2": {"service": "Mastodon", "user": "@z"},
                "o3": {"service": "Chirp", "uri": "u"},
            }
        },
    ),
    ("times", ["REV:20260302T091500Z"], {"updated": "2026-03-02T09:15:00Z"}),
    (
        "what is unknown",
        ["g.X-SHOE;SIZE=39:a\\,b"],
        {"vCardProps": [["x-shoe", {"size": "39", "group": "g"}, "unknown", "a\\,b"]]},
    ),
    (
        "what is unknown and labelled",
        ["item1.X-ABRELATEDNAMES:Ann", "item1.X-ABLABEL:_$!<Mother>!$_"],
        {
            "vCardProps": [
                ["x-abrelatednames", {"group": "item1"}, "unknown", "Ann"],
                ["x-ablabel", {"group": "item1"}, "unknown", "_$!<Mother>!$_"],
            ]
        },
    ),
    ("what is exact", ['JSPROP;JSPTR="/x.test:a":{"b":[1\\,2]}'], {"x.test:a": {"b": [1, 2]}}),
    ("folded", ["NOTE:a", "  b", "\tc"], {"notes": {"n1": {"note": "a bc"}}}),
    ("in small letters", ["note:a", "Email;type=Home:b@x.test"], {
        "notes": {"n1": {"note": "a"}},
        "emails": {"e1": {"address": "b@x.test", "contexts": {"private": True}}},
    }),
    ("empty", ["N:;;;;", "ORG:", "EMAIL:", "TEL:", "ADR:;;;;;;", "NOTE:", "BDAY:", "URL:"], {}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_reading(lines: list[str], expected: Json) -> None:
    found = read(vcard(*lines))
    assert found == expected
    assert not jscontact.faults({"uid": "u"} | found)
    assert read(vcardout.vcard(found)) == found


def test_quoted_printable_and_charsets_of_2_1() -> None:
    raw = (
        b"BEGIN:VCARD\r\nVERSION:2.1\r\n"
        b"N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=\r\n=F6rg\r\n"
        b"NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Z=C3=BCrich=0D=0ABern\r\n"
        b"ORG;CHARSET=windows-1252:Caf\xe9\r\n"
        b"TITLE:Caf\xe9\r\n"
        b"END:VCARD\r\n"
    )
    found = read(raw)
    assert [c["value"] for c in found["name"]["components"]] == ["Müller", "Jörg"]
    assert found["notes"]["n1"]["note"] == "Zürich\nBern"
    assert found["organizations"]["o1"]["name"] == found["titles"]["t1"]["name"] == "Café"


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(codec: str) -> None:
    assert read(vcard("FN:Zoë").encode(codec)) == {"name": {"full": "Zoë"}}


def test_several_cards_and_what_is_none() -> None:
    nested = vcard("FN:Inner").strip()
    text = "junk\r\n" + vcard("FN:A", "AGENT:", nested, "NOTE:x") + vcard("FN:B") + "BEGIN:VCARD\r\nFN:C"
    found = list(vcardlines.cards(text.encode()))
    assert [type(f) for f in found] == [list, list, str]
    assert read(vcard("FN:A", "AGENT:", nested, "NOTE:x"))["notes"] == {"n1": {"note": "x"}}


def test_what_could_never_be_a_card_is_not_read_on() -> None:
    text = vcard("NOTE:" + ";" * 400_000) + vcard(*["NOTE:x"] * 3_000) + vcard("FN:A")
    long, many, good = vcardlines.cards(text.encode())
    assert (long, many) == (
        "A line of a card has at most 300000 characters.",
        "A card has at most 2000 lines.",
    )
    assert not isinstance(good, str)


def test_a_large_picture_is_left_out_and_that_is_said() -> None:
    big = "A" * vcardin.MAX_INLINE
    [lines] = vcardlines.cards(vcard("FN:A", f"PHOTO;ENCODING=b;TYPE=JPEG:{big}").encode())
    card, left_out = vcardin.card([line for line in lines if not isinstance(line, str)])
    assert card == {"name": {"full": "A"}}
    assert left_out == ["PHOTO is too large to be kept on a card, and was left out."]


def test_lines_are_at_most_75_octets_and_cut_no_character() -> None:
    text = vcardout.vcard({"uid": "u", "notes": {"n": {"note": "ü€😀" * 40}}})
    lines = text.encode().split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert [line.decode() for line in lines]


# ------------------------------------------------------------------------------------------------ properties
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
FILLED = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ID = st.text("abcXYZ019-_", min_size=1, max_size=4)
SET = st.dictionaries(st.sampled_from(["work", "private", "billing", "x"]), st.just(True), max_size=3)
UTC = st.datetimes().map(lambda d: d.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))
PREF = {"contexts": SET, "pref": st.integers(1, 100)}
LABELLED = {**PREF, "label": TEXT}
RESOURCE = {**LABELLED, "uri": FILLED, "kind": st.sampled_from(["photo", "logo", "contact", "calendar"])}
JSON = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def entry(*needed: str, **fields: Any) -> Any:
    optional = {n: s for n, s in fields.items() if n not in needed}
    return st.dictionaries(
        ID, st.fixed_dictionaries({n: fields[n] for n in needed}, optional=optional), max_size=3
    )


def pieces(kinds: tuple[str, ...]) -> Any:
    kind = st.sampled_from((*kinds, "separator"))
    return st.lists(st.fixed_dictionaries({"kind": kind, "value": TEXT}), max_size=4)


DATE = st.fixed_dictionaries(
    {"month": st.integers(1, 12)}, optional={"year": st.integers(0, 9999), "day": st.integers(1, 31)}
)
CARD = st.fixed_dictionaries(
    {"uid": FILLED},
    optional={
        "kind": FILLED,
        "created": UTC,
        "updated": UTC,
        "name": st.fixed_dictionaries(
            {"full": TEXT},
            optional={
                "components": pieces(vcardin.NAME_PARTS),
                "isOrdered": st.booleans(),
                "sortAs": st.dictionaries(st.sampled_from(["surname", "given"]), TEXT, max_size=2),
            },
        ),
        "nicknames": entry("name", name=TEXT, **PREF),
        "organizations": entry("name", name=TEXT, units=st.lists(st.builds(dict, name=TEXT), max_size=2)),
        "titles": entry("name", name=TEXT, kind=st.sampled_from(["title", "role", "x"])),
        "emails": entry("address", address=TEXT, **LABELLED),
        "phones": entry("number", number=TEXT, features=SET, **LABELLED),
        "onlineServices": entry(service=TEXT, uri=FILLED, user=TEXT, **LABELLED),
        "addresses": entry(components=pieces(vcardin.ADDRESS_PARTS), full=TEXT, timeZone=FILLED, **PREF),
        "anniversaries": entry("kind", "date", kind=st.sampled_from(["birth", "wedding", "x"]), date=DATE),
        "notes": entry("note", note=TEXT),
        "links": entry("uri", **RESOURCE),
        "media": entry("uri", "kind", **RESOURCE),
        "keywords": st.dictionaries(TEXT, st.just(True), max_size=3),
        "relatedTo": st.dictionaries(TEXT, st.builds(dict, relation=SET), max_size=2),
        "x.test:own": JSON,
        "vCardProps": st.lists(
            st.tuples(FILLED, st.dictionaries(TEXT, TEXT, max_size=2), FILLED, TEXT).map(list), max_size=2
        ),
    },
)


@settings(max_examples=50)
@given(CARD)
def test_a_card_handed_out_and_brought_in_again_is_the_same(card: Json) -> None:
    assert jscontact.faults(card) == []
    assert read(vcardout.vcard(card)) == card


NAMES = [*vcardin._Reader([]).ways, "X-OTHER", "GENDER", "item1.EMAIL", "item1.X-ABLABEL"]
PARAMS = [
    "",
    ";TYPE=home",
    ";TYPE=work,pref",
    ";HOME;CELL",
    ";PREF=2",
    ";PROP-ID=a",
    ";VALUE=text",
    ";X=^n",
    ';Y="a;b"',
]
VALUES = TEXT | st.sampled_from(
    ["a;b;c", ";;x,y;z", "\\", "19900302", "--0230", "2020-13", "null", '{"a":1}', "data:x,"]
)


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(PARAMS), VALUES), max_size=8))
def test_what_was_read_is_kept_when_written_and_read_again(lines: list[tuple[str, str, str]]) -> None:
    text = vcard(*(f"{name}{params}:{value}" for name, params, value in lines))
    for found in vcardlines.cards(text.encode()):
        if isinstance(found, str):
            continue
        card, _ = vcardin.card(found)
        if not jscontact.faults({"uid": "u"} | card):
            assert read(vcardout.vcard(card)) == card


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([b"", b"BEGIN:VCARD\r\n", b"\xff\xfe"]))
def test_any_octets_are_read_without_a_crash(octets: bytes, start: bytes) -> None:
    for found in vcardlines.cards(start + octets + b"\r\nEND:VCARD"):
        if not isinstance(found, str):
            card, _ = vcardin.card(found)
            json.dumps(card)
