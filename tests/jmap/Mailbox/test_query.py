"""Mailbox/query (RFC 8621 §2.3)."""

from typing import Any

import pytest

from chalicelib.jmap.session import CORE, session
from tests.jmap.client import Client
from tests.services.post import Post

TREE = {
    "work": {"name": "Work", "sortOrder": 20},
    "2025": {"name": "2025", "parentId": "#work", "sortOrder": 2},
    "2026": {"name": "2026", "parentId": "#work", "sortOrder": 1},
    "tax": {"name": "Tax 2026", "parentId": "#2026", "isSubscribed": False},
    "fun": {"name": "Fun", "sortOrder": 15},
    "alpha": {"name": "alpha", "sortOrder": 20, "isSubscribed": False},
}
OWN = ["Inbox", "Drafts", "Sent", "Junk", "Trash", "Archive"]


@pytest.fixture(scope="module")
def tree(post: Post) -> Client:
    """A mailbox with folders of its own; these tests only look."""
    jmap = Client(post, post.account("tree@x.test"))
    answer = jmap.call("Mailbox/set", create=TREE)
    assert answer["notCreated"] is None
    return jmap


def names(jmap: Client, **args: Any) -> list[str]:
    shown = {m["id"]: m["name"] for m in jmap.call("Mailbox/get", ids=None)["list"]}
    return [shown[id] for id in jmap.call("Mailbox/query", **args)["ids"]]


def id_of(jmap: Client, name: str) -> str:
    return str(next(m["id"] for m in jmap.call("Mailbox/get", ids=None)["list"] if m["name"] == name))


def test_without_a_sort_in_the_order_to_show_them(tree: Client) -> None:
    assert names(tree)[:8] == ["2026", "Inbox", "2025", "Drafts", "Sent", "Junk", "Trash", "Archive"]


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"parentId": None, "hasAnyRole": False}, {"Work", "Fun", "alpha"}),
    ({"name": "20"}, {"2025", "2026", "Tax 2026"}),
    ({"name": "ALPH"}, {"alpha"}),
    ({"role": "junk"}, {"Junk"}),
    ({"role": None}, {"Work", "2025", "2026", "Tax 2026", "Fun", "alpha"}),
    ({"hasAnyRole": True}, set(OWN)),
    ({"isSubscribed": False}, {"Tax 2026", "alpha"}),
    ({"isSubscribed": True, "hasAnyRole": False}, {"Work", "2025", "2026", "Fun"}),
    ({"operator": "OR", "conditions": [{"role": "inbox"}, {"name": "fun"}]}, {"Inbox", "Fun"}),
    ({"operator": "NOT", "conditions": [{"role": None}, {"role": "inbox"}]}, {*OWN} - {"Inbox"}),
    ({"operator": "AND", "conditions": []}, {*OWN, "Work", "2025", "2026", "Tax 2026", "Fun", "alpha"}),
    ({}, {*OWN, "Work", "2025", "2026", "Tax 2026", "Fun", "alpha"}),
]


def test_filters(tree: Client) -> None:
    for filter, expected in FILTERS:
        assert set(names(tree, filter=filter)) == expected, filter


def test_filter_by_parent(tree: Client) -> None:
    assert names(tree, filter={"parentId": id_of(tree, "Work")}) == ["2026", "2025"]


def test_sorts(tree: Client) -> None:
    mine = {"hasAnyRole": False}
    by_name = [{"property": "name"}]
    assert names(tree, filter=mine, sort=by_name) == ["2025", "2026", "alpha", "Fun", "Tax 2026", "Work"]
    down = [{"property": "sortOrder", "isAscending": False}, {"property": "name"}]
    assert names(tree, filter=mine, sort=down) == ["alpha", "Work", "Fun", "Tax 2026", "2025", "2026"]


def test_collations_order_names_and_are_ignored_of_numbers(jmap: Client) -> None:
    """RFC 8620 §5.5: those of the session; a number has none."""
    for name in ("apfel", "Äpfeln", "Birne", "zebra", "_"):
        jmap.call("Mailbox/set", create={"k": {"name": name}})
    orders = {
        None: ["_", "apfel", "Äpfeln", "Birne", "zebra"],
        "i;ascii-casemap": ["apfel", "Birne", "zebra", "_", "Äpfeln"],
        "i;unicode-casemap": ["apfel", "Äpfeln", "Birne", "zebra", "_"],
    }
    core = session(jmap.account, "https://mail.x.test", 25)["capabilities"][CORE]
    assert set(core["collationAlgorithms"]) == orders.keys() - {None}
    for rule, expected in orders.items():
        sort = [{"property": "name", "collation": rule}]
        assert names(jmap, filter={"hasAnyRole": False}, sort=sort) == expected, rule
        down = [{"property": "name", "collation": rule, "isAscending": False}]
        assert names(jmap, filter={"hasAnyRole": False}, sort=down) == expected[::-1], rule
    assert names(jmap, sort=[{"property": "sortOrder", "collation": "i;none"}])[0] == "Inbox"


def test_as_a_tree(tree: Client) -> None:
    mine, by_name = {"hasAnyRole": False}, [{"property": "name"}]
    sorted_ = names(tree, filter=mine, sort=by_name, sortAsTree=True)
    assert sorted_ == ["alpha", "Fun", "Work", "2025", "2026", "Tax 2026"]
    found = {"filter": {"name": "2026"}, "sort": by_name}
    assert names(tree, **found, sortAsTree=True) == ["2026", "Tax 2026"]
    assert names(tree, **found, filterAsTree=True) == []
    below = {"operator": "OR", "conditions": [{"name": "work"}, {"name": "tax"}]}
    assert names(tree, filter=below, filterAsTree=True) == ["Work"]


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"filter": {"size": 1}}, "unsupportedFilter"),
    ({"filter": {"name": 1}}, "invalidArguments"),
    ({"filter": {"isSubscribed": "yes"}}, "invalidArguments"),
    ({"filter": {"operator": "XOR", "conditions": []}}, "invalidArguments"),
    ({"filter": {"operator": "AND"}}, "invalidArguments"),
    ({"filter": []}, "invalidArguments"),
    ({"sort": [{"property": "totalEmails"}]}, "unsupportedSort"),
    ({"sort": [{"property": "name", "collation": "i;basic"}]}, "unsupportedSort"),
    ({"sort": [{}]}, "invalidArguments"),
    ({"sort": "name"}, "invalidArguments"),
    ({"sortAsTree": 1}, "invalidArguments"),
    ({"anchor": "none"}, "anchorNotFound"),
]


def test_refusals(jmap: Client) -> None:
    for args, type in REFUSALS:
        assert jmap.error("Mailbox/query", **args)["type"] == type, args
