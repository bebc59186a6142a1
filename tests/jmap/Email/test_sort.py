"""The sorts of Email/query (RFC 8621 §4.4.2)."""

from typing import Any

import pytest

from chalicelib.jmap import limits
from tests.jmap.client import USING, Client, Json, counted, letter

PEOPLE = {
    "a": "Zoe <zoe@far.test>",
    "b": "ben@far.test",
    "c": '"ábel" <x@far.test>',
    "d": "Ben Two <a@far.test>",
}
SUBJECTS = {"a": "Re: pears", "b": "Apples", "c": "[list] äpples 2", "d": "Fwd: Plums"}
DATES = {"a": "Mon, 5 Jan 2026 10:00 +0000", "b": "Mon, 5 Jan 2026 10:30 +0200", "c": "never"}


@pytest.fixture
def four(jmap: Client) -> dict[str, str]:
    """Four emails in the inbox, by name; `a` came first."""
    found = {}
    for name, size in zip("abcd", (3, 1, 4, 2), strict=True):
        fields = {"From": PEOPLE[name], "To": PEOPLE["abcd"["dcba".index(name)]]}
        fields |= {"Date": DATES[name]} if name in DATES else {}
        found[name] = jmap.deliver(letter(SUBJECTS[name], size * 1_000 * "x", **fields))
    return found


def sort(*given: str, **more: Any) -> list[Json]:
    """Comparators: a property, with a minus where it descends."""
    return [{"property": one.lstrip("-"), "isAscending": one[0] != "-", **more} for one in given]


def order(jmap: Client, four: dict[str, str], sort: list[Json], **args: Any) -> str:
    """Names in the order of the answer."""
    where = args.pop("filter", {"inMailbox": jmap.roles["inbox"]})
    names = {id: name for name, id in four.items()}
    return "".join(names[id] for id in jmap.call("Email/query", filter=where, sort=sort, **args)["ids"])


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["size"], "bdac"),
        (["-size"], "cadb"),
        (["from"], "cdba"),
        (["to"], "bacd"),
        (["subject"], "bcad"),
        (["-subject"], "dacb"),
        (["sentAt"], "bacd"),  # the last two by when they came
        (["-sentAt"], "dcab"),
        (["size", "receivedAt"], "bdac"),
        (["size", "from"], "bdac"),
        (["size", "-subject"], "bdac"),
        (["receivedAt", "size"], "abcd"),
        (["-receivedAt", "size"], "dcba"),
    ],
)
def test_by_what_rows_and_records_tell(
    jmap: Client, four: dict[str, str], given: list[str], ordered: str
) -> None:
    assert order(jmap, four, sort(*given)) == ordered


def test_collations(jmap: Client, four: dict[str, str]) -> None:
    assert order(jmap, four, sort("from", collation="i;ascii-casemap")) == "dbac"
    assert order(jmap, four, sort("from", collation="i;unicode-casemap")) == "cdba"
    assert order(jmap, four, sort("size", collation="i;octet")) == "bdac", "no text is compared"


def test_by_keywords(jmap: Client, four: dict[str, str]) -> None:
    jmap.call("Email/set", update={four[name]: {"keywords/$flagged": True} for name in "ac"})
    first = sort("-hasKeyword", keyword="$Flagged")
    assert order(jmap, four, first) == "cadb", "equal ones the newest first"
    assert order(jmap, four, [*first, *sort("receivedAt")]) == "acbd"
    assert order(jmap, four, sort("hasKeyword", keyword="$flagged")) == "dbca"


def test_by_keywords_of_threads(jmap: Client, four: dict[str, str]) -> None:
    names = dict(four)
    names["r"] = jmap.deliver(letter("Re: root", Message_ID="<r@far.test>"))
    names["s"] = jmap.deliver(letter("root", References="<r@far.test>"))
    jmap.call("Email/set", update={names[name]: {"keywords/$flagged": True} for name in "sa"})
    some = sort("-someInThreadHaveKeyword", keyword="$flagged")
    assert order(jmap, names, some) == "sradcb"
    assert order(jmap, names, some, collapseThreads=True) == "sadcb"
    assert order(jmap, names, sort("-allInThreadHaveKeyword", keyword="$flagged")) == "asrdcb"


def test_the_first_of_a_thread_is_that_of_the_sort(jmap: Client, four: dict[str, str]) -> None:
    names = dict(four)
    names["r"] = jmap.deliver(letter("Tall", "x" * 9_000, Message_ID="<t@far.test>"))
    names["s"] = jmap.deliver(letter("Re: Tall", "x", References="<t@far.test>"))
    assert order(jmap, names, sort("-size"), collapseThreads=True) == "rcadb"
    assert order(jmap, names, sort("size"), collapseThreads=True) == "sbdac"


def test_windows_of_a_sorted_list(jmap: Client, four: dict[str, str]) -> None:
    by = sort("-size")
    answer = jmap.call("Email/query", sort=by, position=1, limit=2, calculateTotal=True)
    assert (answer["ids"], answer["total"]) == ([four["a"], four["d"]], 4)
    assert order(jmap, four, by, position=-1) == "b"
    assert order(jmap, four, by, anchor=four["a"], anchorOffset=1, limit=1) == "d"
    assert jmap.error("Email/query", sort=by, anchor="none")["type"] == "anchorNotFound"


def test_with_filters(jmap: Client, four: dict[str, str]) -> None:
    assert order(jmap, four, sort("-size"), filter={"maxSize": 4_000}) == "adb"
    assert order(jmap, four, sort("from"), filter={"notKeyword": "$seen"}) == "cdba"
    assert order(jmap, four, sort("-size"), filter={"subject": "apples"}) == "cb"
    assert order(jmap, four, sort("-from"), filter={"from": "ben"}, limit=1) == "b"


def test_rows_of_the_sort_are_not_read_again(jmap: Client, four: dict[str, str]) -> None:
    where = {"inMailbox": jmap.roles["inbox"]}
    ids = {"resultOf": "0", "name": "Email/query", "path": "/ids"}
    calls: Any = [
        ["Email/query", {"accountId": jmap.account.id, "filter": where, "sort": sort("size")}, "0"],
        ["Email/get", {"accountId": jmap.account.id, "#ids": ids, "properties": ["subject", "size"]}, "1"],
    ]
    with counted() as called:
        status, answer = jmap.send({"using": USING, "methodCalls": calls})
    assert (status, len(answer["methodResponses"][1][1]["list"])) == (200, len(four))
    assert called == ["GetItem", "Query"]


def test_what_is_too_much_is_refused_before_it_is_read(
    jmap: Client, four: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SORTED", len(four) - 1)
    inbox = {"inMailbox": jmap.roles["inbox"]}
    with counted() as calls:
        assert jmap.error("Email/query", filter=inbox, sort=sort("size"))["type"] == "unsupportedSort"
    assert calls == ["GetItem"]
    unseen = inbox | {"notKeyword": "$seen"}
    assert jmap.error("Email/query", filter=unseen, sort=sort("size"))["type"] == "unsupportedSort"
    monkeypatch.setattr(limits, "MAX_THREADS", 2)
    some = sort("someInThreadHaveKeyword", keyword="$seen")
    assert jmap.error("Email/query", filter=inbox, sort=some)["type"] == "unsupportedSort"


def test_refusals(jmap: Client) -> None:
    for given in (sort("shoe"), sort("from", collation="i;octet"), sort(*["size"] * 11)):
        assert jmap.error("Email/query", sort=given)["type"] == "unsupportedSort"
    unfit: list[Any] = [
        1,
        ["size"],
        [{}],
        sort("hasKeyword"),
        [{"property": "size", "isAscending": 1}],
        sort("size", ascending=True),
    ]
    for wrong in unfit:
        assert jmap.error("Email/query", sort=wrong)["type"] == "invalidArguments"
