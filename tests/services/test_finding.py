"""Documents of several parts come in one order, each once, and few reads bring many."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.services import finding
from chalicelib.services.finding import Opened, Term
from chalicelib.store import segments
from chalicelib.store.searchindex import Part
from chalicelib.store.segments import Document

WORD = Term("word", False, finding.TEXT)
Chosen = Mapping[tuple[str, int], bool]  # (id, time) → whether the word is in it


def opened(documents: Chosen, reads: list[tuple[int, int]]) -> Opened:
    """A part, as a search opens it."""
    ordered = sorted((Document(id, at) for id, at in documents), key=lambda d: (d.at, d.id))
    content = segments.build(ordered, [])
    head = segments.directory_size(content)
    times = [d.at for d in ordered]

    def read(start: int, end: int) -> bytes:
        reads.append((start, end))
        return content[start:end]

    found = frozenset(n for n, d in enumerate(ordered) if documents[d.id, d.at])
    part = Part("idx/a/1", len(ordered), len(content), head, min(times), max(times))
    return Opened(part, segments.directory(content[-head:]), read, {WORD: found})


def ids(parts: list[Opened], ascending: bool) -> list[str]:
    found = finding.in_order(parts, lambda part: set(part.found[WORD]), ascending)
    return [hit.id for hit in found]


DOCUMENTS = st.dictionaries(
    st.tuples(st.integers(0, 30), st.integers(0, 9)).map(lambda d: (f"E{d[0]:03d}{d[1]}", d[1])),
    st.booleans(),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(DOCUMENTS, max_size=5), st.sampled_from([1, 2, 128]), st.booleans())
def test_parts_are_one_list_by_time(given_parts: list[Chosen], ahead: int, ascending: bool) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(finding, "AHEAD", ahead)
        found = ids([opened(part, []) for part in given_parts], ascending)
    wanted = {id: at for part in given_parts for (id, at), has in part.items() if has}
    assert sorted(found) == sorted(wanted)
    times = [wanted[id] for id in found]
    assert times == sorted(times, reverse=not ascending)


def test_a_rare_word_takes_one_read_a_part_and_a_common_one_that_of_the_newest() -> None:
    reads: list[tuple[int, int]] = []
    rare = {(f"E{n:05d}", n): n % 500 == 0 for n in range(2_000)}
    parts = [opened({(id, at + k * 2_000): has for (id, at), has in rare.items()}, reads) for k in range(5)]
    assert len(ids(parts, False)) == 4  # the same ids in each part
    assert len(reads) == 5
    reads.clear()
    common = [opened({(f"E{k}{n:05d}", n + k * 2_000): True for n in range(2_000)}, reads) for k in range(5)]
    newest = finding.in_order(common, lambda part: set(part.found[WORD]))
    assert [next(newest).id for _ in range(50)] == [f"E4{n:05d}" for n in range(1_999, 1_949, -1)]
    assert len(reads) == 1
