"""S35, S36: what the status page tells, and how it is written."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import statuspage
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.incidents import (
    COMPONENTS,
    MOST_UPDATES,
    Incident,
    Outage,
    Update,
    cancelled,
    check_texts,
    component_states,
    overview,
    told,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
SLOW = Incident("inc1", "Slow", "degradation", ("webmail",), (Update(NOW, "investigating", "We look."),))
DISKS = Outage("out1", "planned", NOW + HOUR, NOW + 3 * HOUR, ("imap", "pop3"), "New disks.", NOW - HOUR)
OPERATOR = ("plainpost", "amazon", "aws", "ses")


def test_an_incident_goes_on_until_it_is_resolved() -> None:
    found = told(SLOW, "identified", "A disk.", NOW + HOUR)
    assert (found.state, found.resolved_at, len(found.updates)) == ("identified", None, 2)
    over = told(found, "resolved", "A new disk.", NOW + 2 * HOUR)
    assert (over.state, over.opened_at, over.resolved_at) == ("resolved", NOW, NOW + 2 * HOUR)
    with pytest.raises(ServiceError, match="resolved"):
        told(over, "monitoring", "Again.", NOW + 3 * HOUR)


def test_an_incident_stays_one_item() -> None:
    many = replace(SLOW, updates=SLOW.updates * MOST_UPDATES)
    with pytest.raises(ServiceError, match="at most 50"):
        told(many, "monitoring", "More.", NOW)
    assert told(many, "resolved", "Over.", NOW).state == "resolved"


@pytest.mark.parametrize(
    ("after", "phase"), [(0, "announced"), (1, "under_way"), (2, "under_way"), (3, "over")]
)
def test_an_outage_has_its_time(after: int, phase: str) -> None:
    assert DISKS.phase(NOW + after * HOUR) == phase


def test_what_is_over_cannot_be_cancelled() -> None:
    assert cancelled(DISKS, NOW + HOUR).phase(NOW + 5 * HOUR) == "cancelled"
    for when, outage in ((3, DISKS), (0, cancelled(DISKS, NOW))):
        with pytest.raises(ServiceError, match="over, or was cancelled"):
            cancelled(outage, NOW + when * HOUR)


def test_a_part_is_as_bad_as_the_worst_that_is_true_of_it() -> None:
    broken = replace(SLOW, kind="outage", components=("imap",))
    states = dict(component_states([broken, SLOW], [DISKS], NOW + HOUR))
    assert (states["imap"], states["pop3"], states["webmail"]) == ("outage", "maintenance", "degraded")
    assert states["api"] == "operational"
    assert list(states) == list(COMPONENTS)
    assert set(dict(component_states([], [DISKS], NOW)).values()) == {"operational"}


def test_S36_current_and_past_incidents_of_90_days() -> None:
    over = told(SLOW, "resolved", "Over.", NOW)
    for days, shown in ((90, 1), (91, 0)):
        found = overview([over], [DISKS], NOW + timedelta(days=days), NOW)
        assert (len(found.current), len(found.past), len(found.ahead)) == (0, shown, 0)
        assert len(found.behind) == shown
    open_still = overview([SLOW], [DISKS], NOW + timedelta(days=200), NOW)
    assert (len(open_still.current), open_still.state) == (1, "degraded")


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    """A page as a browser takes it."""
    reader = Reader()
    reader.feed(page)
    return reader


def test_S36_the_page_says_what_is_and_names_nobody() -> None:
    over = replace(told(SLOW, "resolved", "Over.", NOW), id="inc0", title="Before")
    page = read(statuspage.page(overview([over, SLOW], [DISKS], NOW, NOW)))
    for text in ("Some things do not work", "Slow", "We look.", "Before", "Past incidents", "New disks."):
        assert text in page.text, text
    assert "2026-03-02 10:00 UTC" in page.text
    assert {"h1", "main", "label", "time", "form"} <= set(page.tags)
    assert ("lang", "en") in page.attributes
    whole = statuspage.page(overview([], [], NOW, NOW)).lower()
    assert "everything is working." in whole
    assert not [word for word in OPERATOR if f"{word}" in read(whole).text.split()]


NASTY = '<script>alert(1)</script> &amp; "quoted" \' </p> ]]> \u202e'
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=80).filter(str.strip)


@given(texts | st.just(NASTY), texts | st.just(NASTY))
def test_S36_whatever_is_written_is_shown_as_text(title: str, text: str) -> None:
    incident = replace(SLOW, title=title, updates=(Update(NOW, "investigating", text),))
    found = overview([incident], [replace(DISKS, text=text)], NOW, NOW)
    page = read(statuspage.page(found))
    assert "script" not in page.tags
    assert page.tags == read(statuspage.page(overview([SLOW], [DISKS], NOW, NOW))).tags
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert json.loads(statuspage.as_json(found))["current_incidents"][0]["title"] == title


@given(texts | st.just(NASTY))
def test_the_feed_is_xml_whatever_is_written(text: str) -> None:
    try:
        check_texts(text=text)
    except ServiceError:
        return
    incident = replace(SLOW, updates=(Update(NOW, "investigating", text),))
    found = overview([incident], [DISKS], NOW, NOW)
    feed = ElementTree.fromstring(statuspage.feed(found, "https://status.test"))
    spaces = {"a": "http://www.w3.org/2005/Atom"}
    contents = [e.text for e in feed.findall("a:entry/a:content", spaces)]
    assert contents == [text.replace("\r\n", "\n").replace("\r", "\n"), "New disks."]
    assert [e.text for e in feed.findall("a:entry/a:id", spaces)] == ["urn:status:inc1", "urn:status:out1"]


@pytest.mark.parametrize(
    ("name", "text", "fine"),
    [
        ("title", "Webmail is slow", True),
        ("title", "two\nlines", False),
        ("subject", "a\ttab", False),
        ("text", "two\nlines\tand a tab", True),
        ("text", "a bell\a", False),
        ("text", "a line\u2028end", False),
        ("text", " \n", False),
        ("text", "x" * 4_000, True),
        ("text", "x" * 4_001, False),
        ("title", "x" * 201, False),
    ],
)
def test_texts_can_be_shown(name: str, text: str, fine: bool) -> None:
    if fine:
        check_texts(**{name: text})
    else:
        with pytest.raises(ServiceError) as refused:
            check_texts(**{name: text})
        assert refused.value.faults[0].pointer == f"/{name}"
