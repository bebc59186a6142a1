"""Which changes of a folder tree are made together, against all orders and subsets that there are."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rules import folders
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.folders import Tree, Wish
from chalicelib.rules.values import Folder


def folder(id: str, name: str, parent: str | None = None, role: str | None = None, total: int = 0) -> Folder:
    return Folder(id, name, parent, role, 10, total, 0, 0, 0, 1, 1)


def named(id: str, name: str) -> Wish:
    return Wish(id, {"name": name})


def new(id: str, name: str, parent: str | None = None) -> Wish:
    return Wish(id, {"name": name, "parent": parent}, new=True)


A, B, C = folder("a", "A"), folder("b", "B"), folder("c", "C")
UNDER_A = folder("u", "A", "a")
CASES: list[tuple[str, list[Folder], list[Wish], set[str]]] = [
    ("two swap", [A, B], [named("a", "B"), named("b", "A")], set()),
    ("three rotate", [A, B, C], [named("a", "B"), named("b", "C"), named("c", "A")], set()),
    ("a row moves on", [A, B, C], [named("a", "B"), named("b", "C"), named("c", "D")], set()),
    ("a row that cannot", [A, B, C], [named("a", "B"), named("b", "C")], {"a", "b"}),
    ("a third wants in", [A, B, C], [named("c", "A"), named("a", "B"), named("b", "A")], {"c"}),
    ("a name that is left", [A], [new("#k", "A"), named("a", "Z")], set()),
    ("the name of one destroyed", [A], [new("#k", "A"), Wish("a")], set()),
    ("of one that stays", [folder("a", "A", total=1)], [new("#k", "A"), Wish("a")], {"#k", "a"}),
    ("one name for two", [], [new("#k", "A"), new("#l", "A")], {"#l"}),
    ("the inner one takes its place", [A, UNDER_A], [Wish("u", {"parent": None}), Wish("a")], set()),
    ("another with what was in it", [A, UNDER_A], [new("#k", "A"), Wish("u", {"parent": "#k"}), Wish("a")],
     set()),
    ("upside down", [A, UNDER_A], [Wish("a", {"parent": "u"}), Wish("u", {"parent": None, "name": "B"})],
     set()),
    ("a loop", [A, B], [Wish("a", {"parent": "b"}), Wish("b", {"parent": "a"})], {"b"}),
    ("children first", [], [new("#c", "C", "#b"), new("#b", "B", "#a"), new("#a", "A")], set()),
    ("with a parent that is none", [], [new("#c", "C", "#b"), new("#b", "", None)], {"#b", "#c"}),
    ("a tree is destroyed", [A, UNDER_A], [Wish("a"), Wish("u")], set()),
    ("into what is destroyed", [A, B], [Wish("b", {"parent": "a"}), Wish("a")], {"a"}),
    ("names are one however written", [folder("a", "Caf\u00e9")], [new("#k", "Cafe\u0301")], {"#k"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "wishes", "refused"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_is_only_possible_together_is_done(
    tree: list[Folder], wishes: list[Wish], refused: set[str]
) -> None:
    made = folders.plan(tree, wishes)
    assert made.refused.keys() == refused
    assert {wish.id for group in made.groups for wish in group} == {wish.id for wish in wishes} - refused


KINDS: list[tuple[Wish, str, str]] = [
    (Wish("none"), "not_found", ""),
    (Wish("none", {}), "not_found", ""),
    (Wish("r"), "forbidden", ""),
    (Wish("r", {"parent": "a"}), "forbidden", ""),
    (named("a", " x"), "invalid", "/name"),
    (named("a", "x\u0085y"), "invalid", "/name"),
    (named("a", "x\u2028y"), "invalid", "/name"),
    (named("a", "\u00e9" * 128), "invalid", "/name"),
    (named("a", "B"), "invalid", "/name"),
    (Wish("a", {"parent": "a"}), "invalid", "/parentId"),
    (Wish("a", {"parent": "none"}), "invalid", "/parentId"),
    (Wish("m"), "conflict", "mailboxHasEmail"),
    (Wish("p"), "conflict", "mailboxHasChild"),
]


@pytest.mark.parametrize(("wish", "kind", "where"), KINDS)
def test_what_it_is_refused_with(wish: Wish, kind: str, where: str) -> None:
    tree = [
        A,
        B,
        folder("r", "In", role="inbox"),
        folder("m", "M", total=1),
        folder("p", "P"),
        folder("q", "Q", "p"),
    ]
    error = folders.plan(tree, [wish]).refused[wish.id]
    told = error.faults[0].pointer if error.faults else error.extra.get("reason", "")
    assert (error.kind, told) == (kind, where)


def test_as_many_as_there_may_be() -> None:
    tree = [folder(f"f{n}", f"n{n}") for n in range(folders.MAX_FOLDERS - 1)]
    made = folders.plan(tree, [new("#a", "A"), new("#b", "B")])
    assert [error.kind for error in made.refused.values()] == ["over_quota"]
    made = folders.plan(tree, [new("#a", "A"), new("#b", "B"), Wish("f1")])
    assert not made.refused


def test_depth_counts_what_comes_with_it() -> None:
    row = [folder(f"f{n}", "x", f"f{n - 1}" if n else None) for n in range(folders.MAX_DEPTH - 1)]
    deep = Wish("a", {"parent": row[-1].id})
    assert not folders.plan([*row, A], [deep]).refused
    assert folders.plan([*row, A, UNDER_A], [deep]).refused.keys() == {"a"}
    assert not folders.plan([*row, A, UNDER_A], [deep, Wish("u", {"parent": None, "name": "B"})]).refused


def test_more_than_one_transaction_takes_is_no_group() -> None:
    size = folders.AT_ONCE + 1
    tree = [folder(f"f{n}", f"n{n}") for n in range(size)]
    around = [named(f"f{n}", f"n{(n + 1) % size}") for n in range(size)]
    assert len(folders.plan(tree, around).refused) == size
    on = [*around[:-1], named(f"f{size - 1}", "free")]
    assert not folders.plan(tree, on[::-1]).refused


# ----------------------------------------------------------------------------------------------- all of it
IDS = ["a", "b", "c", "d"]
NAMES, PARENTS = st.sampled_from("xyz"), st.sampled_from([None, *IDS, "#k"])
CHANGES: dict[str, Any] = {"name": NAMES, "parent": PARENTS}
wishes_of = st.dictionaries(
    st.sampled_from([*IDS, "#k", "#l"]),
    st.none() | st.fixed_dictionaries({}, optional=CHANGES),
    min_size=1,
    max_size=5,
)


@st.composite
def trees(draw: st.DrawFn) -> list[Folder]:
    """Valid ones: each parent stands before its children, names differ."""
    made: list[Folder] = []
    for id in IDS[: draw(st.integers(1, 4))]:
        parent = draw(st.sampled_from([None, *(one.id for one in made)]))
        name = draw(
            st.sampled_from([n for n in "xyzw" if all((f.parent, f.name) != (parent, n) for f in made)])
        )
        made.append(folder(id, name, parent))
    return made


def valid(tree: Tree) -> bool:
    every = tree.folders.values()
    places = [(one.parent, one.name) for one in every]
    reached: set[str | None] = {None}
    for _ in every:
        reached |= {one.id for one in every if one.parent in reached}
    return len(set(places)) == len(places) and all(one.id in reached for one in every)


def after(tree: list[Folder], wishes: list[Wish]) -> Tree:
    changed = Tree(tree)
    for wish in wishes:
        changed.apply(wish)
    return changed


@settings(max_examples=400, deadline=None)
@given(trees(), wishes_of)
def test_a_valid_end_is_reached_and_what_is_left_could_not_be_added(
    tree: list[Folder], asked: dict[str, dict[str, Any] | None]
) -> None:
    """RFC 8620 §5.3: if the final state is valid, this is allowed; and every state on the way is valid."""
    there = {one.id for one in tree}
    wishes = [
        Wish(id, {"name": "x", "parent": None} | (fields or {}), new=True)
        if id[0] == "#"
        else Wish(id, fields)
        for id, fields in asked.items()
        if id[0] == "#" or id in there
    ]
    made = folders.plan(tree, wishes)
    done: list[Wish] = []
    for group in made.groups:
        done += group
        assert valid(after(tree, done))
    if valid(after(tree, wishes)):
        assert not made.refused
    left = [wish for wish in wishes if wish.id in made.refused]
    for count in range(1, len(left) + 1):
        for more in combinations(left, count):
            assert not valid(after(tree, [*done, *more])), "these could have been done, too"
    assert all(
        isinstance(error, ServiceError) and error.kind != "unavailable" for error in made.refused.values()
    )
