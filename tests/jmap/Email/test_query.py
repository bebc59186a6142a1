"""Email/query (RFC 8621 §4.4)."""

import pytest

from chalicelib.jmap import limits
from tests.jmap.client import Client, Json, counted, letter


@pytest.fixture
def five(jmap: Client) -> list[str]:
    """Five emails in the inbox, newest first."""
    return [jmap.deliver(letter(f"number {n}", "x" * n * 100)) for n in range(5)][::-1]


def inbox(jmap: Client, **args: object) -> dict[str, object]:
    given = args.pop("filter", {})
    assert isinstance(given, dict)
    return jmap.call("Email/query", filter={"inMailbox": jmap.roles["inbox"], **given}, **args)


def test_newest_first_with_position_and_limit(jmap: Client, five: list[str]) -> None:
    first = inbox(jmap, limit=2, calculateTotal=True)
    assert (first["ids"], first["position"], first["total"]) == (five[:2], 0, 5)
    assert first["canCalculateChanges"] is True
    assert inbox(jmap, limit=2, position=1)["ids"] == five[1:3]
    assert inbox(jmap, limit=2, position=4)["ids"] == five[4:]
    assert inbox(jmap, position=5)["ids"] == []
    last = inbox(jmap, limit=2, position=-2)
    assert (last["ids"], last["position"]) == (five[3:], 3)
    assert inbox(jmap, position=-99)["ids"] == five
    assert inbox(jmap, limit=0)["ids"] == []


def test_anchor(jmap: Client, five: list[str]) -> None:
    page = inbox(jmap, anchor=five[1], anchorOffset=1, limit=2)
    assert (page["ids"], page["position"]) == (five[2:4], 2)
    assert inbox(jmap, anchor=five[2], anchorOffset=-1, limit=1)["ids"] == five[1:2]
    assert inbox(jmap, anchor=five[0], anchorOffset=-5)["position"] == 0
    args = {"filter": {"inMailbox": jmap.roles["inbox"]}, "anchor": "none"}
    assert jmap.error("Email/query", **args)["type"] == "anchorNotFound"


def test_the_page_behind_an_anchor_is_read_alone(jmap: Client, five: list[str]) -> None:
    inbox(jmap, anchor=five[0], limit=1)  # whoever asks first has the folder's outline made
    with counted() as calls:
        page = inbox(jmap, anchor=five[1], anchorOffset=1, limit=2)
    assert page["ids"] == five[2:4]
    assert calls == ["GetItem", "BatchGetItem", "GetItem", "BatchGetItem", "Query"]


def test_an_anchor_stands_lower_when_mail_came(jmap: Client, five: list[str]) -> None:
    inbox(jmap, limit=2)
    newest = jmap.deliver(letter("newest"))
    page = inbox(jmap, anchor=five[1], anchorOffset=1, limit=2)
    assert (page["ids"], page["position"]) == (five[2:4], 3)
    assert inbox(jmap, limit=1)["ids"] == [newest]


def test_deep_position_reads_pages(jmap: Client, five: list[str]) -> None:
    assert inbox(jmap, position=3, limit=1)["ids"] == five[3:4]
    assert inbox(jmap, position=4, limit=1)["ids"] == five[4:]


def test_limit_is_clamped_and_said(jmap: Client, five: list[str]) -> None:
    assert inbox(jmap, limit=100_000)["limit"] == limits.MAX_QUERY
    assert "limit" not in inbox(jmap, limit=3)
    assert len(five) == 5


def test_filters_of_rows(jmap: Client, five: list[str]) -> None:
    jmap.call("Email/set", update={five[1]: {"keywords/$flagged": True, "keywords/$seen": True}})

    def ids(**given: object) -> object:
        return inbox(jmap, filter=given)["ids"]

    assert ids(hasKeyword="$flagged") == [five[1]]
    assert ids(hasKeyword="$FLAGGED") == [five[1]]
    assert ids(notKeyword="$seen") == [five[0], *five[2:]]
    assert ids(subject="NUMBER 3") == [five[1]]
    assert len(ids(**{"from": "zoe@far"})) == 5  # type: ignore[arg-type]
    assert ids(to="nobody") == []
    assert ids(minSize=350) == five[:2]
    assert ids(hasAttachment=True) == []
    when = jmap.email(five[2], properties=["receivedAt"])["receivedAt"]
    assert ids(before=when) == five[3:]
    assert ids(after=when) == five[:3]


def test_dates_that_leave_nothing(jmap: Client, five: list[str]) -> None:
    when = jmap.email(five[2], properties=["receivedAt"])["receivedAt"]
    everywhere: tuple[Json, ...] = ({}, {"inMailboxOtherThan": []})
    for folder in everywhere:
        none = inbox(jmap, filter={"after": when, "before": when, **folder}, calculateTotal=True)
        assert (none["ids"], none["total"]) == ([], 0)
    assert jmap.call("Email/query", filter={"after": when, "before": when})["ids"] == []


def test_operators(jmap: Client, five: list[str]) -> None:
    def ids(operator: str, *conditions: object) -> object:
        return jmap.call("Email/query", filter={"operator": operator, "conditions": conditions})["ids"]

    here = {"inMailbox": jmap.roles["inbox"]}
    assert ids("AND", here, {"subject": "number 1"}) == [five[3]]
    assert ids("OR", {"subject": "number 1"}, {"subject": "number 4"}) == [five[0], five[3]]
    assert ids("NOT", here) == []
    assert ids("AND", {"operator": "NOT", "conditions": [{"subject": "number 1"}]}, here) == [
        *five[:3],
        five[4],
    ]


def test_every_folder_and_other_than(jmap: Client, five: list[str]) -> None:
    jmap.call("Email/set", update={five[2]: {"mailboxIds": {jmap.roles["trash"]: True}}})
    assert jmap.call("Email/query")["ids"] == five
    answer = jmap.call("Email/query", filter={"inMailboxOtherThan": [jmap.roles["trash"]]})
    assert answer["ids"] == [*five[:2], *five[3:]]


def test_unknown_mailbox_has_no_email(jmap: Client, five: list[str]) -> None:
    answer = jmap.call("Email/query", filter={"inMailbox": "none"}, calculateTotal=True)
    assert (answer["ids"], answer["total"]) == ([], 0)
    assert five


def test_collapse_threads_keeps_the_newest(jmap: Client) -> None:
    jmap.deliver(letter("a", Message_ID="<r@far.test>"))
    other = jmap.deliver(letter("b"))
    reply = jmap.deliver(letter("Re: a", References="<r@far.test>"))
    answer = inbox(jmap, collapseThreads=True, calculateTotal=True)
    assert (answer["ids"], answer["total"]) == ([reply, other], 2)


def test_keywords_of_threads(jmap: Client) -> None:
    first = jmap.deliver(letter("a", Message_ID="<r@far.test>"))
    other = jmap.deliver(letter("b"))
    reply = jmap.deliver(letter("Re: a", References="<r@far.test>"), "archive")
    jmap.call("Email/set", update={reply: {"keywords/$flagged": True}, other: {"keywords/$seen": True}})

    def ids(**given: str) -> object:
        return inbox(jmap, filter=given)["ids"]

    assert ids(someInThreadHaveKeyword="$Flagged") == [first]
    assert ids(allInThreadHaveKeyword="$flagged") == []
    assert ids(allInThreadHaveKeyword="$seen") == [other]
    assert ids(noneInThreadHaveKeyword="$seen") == [first]
    jmap.call("Email/set", update={first: {"keywords/$flagged": True}})
    assert ids(allInThreadHaveKeyword="$flagged") == [first]


def test_oldest_first(jmap: Client, five: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert inbox(jmap, sort=[{"property": "receivedAt", "isAscending": False}])["ids"] == five
    assert inbox(jmap, sort=[{"property": "receivedAt"}])["ids"] == five[::-1]
    monkeypatch.setattr(limits, "MAX_SCAN", 4)
    assert inbox(jmap, sort=[{"property": "receivedAt"}], position=1, limit=3)["ids"] == five[-2:0:-1]


def test_what_the_scan_cannot_finish_is_refused(
    jmap: Client, five: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SCAN", 4)
    assert jmap.error("Email/query", filter={"minSize": 10_000})["type"] == "unsupportedFilter"
    assert inbox(jmap, filter={"hasKeyword": "$seen"})["ids"] == []
    assert inbox(jmap)["ids"] == five


def test_refusals(jmap: Client) -> None:
    for given in ({"headers": ["X"]}, {"nothing": 1}):
        assert jmap.error("Email/query", filter=given)["type"] == "unsupportedFilter"
    args: Json
    for args in (
        {"filter": 1},
        {"limit": -1},
        {"limit": True},
        {"position": "0"},
        {"sort": {}},
        {"filter": {"before": 1}},
        {"filter": {"operator": "XOR", "conditions": []}},
        {"filter": {"operator": "AND", "conditions": [], "subject": "x"}},
        {"filter": {"inMailboxOtherThan": [1]}},
        {"calculateTotal": 1},
    ):
        assert jmap.error("Email/query", **args)["type"] == "invalidArguments"
