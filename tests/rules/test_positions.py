"""Positions in a folder's lists from counts: against lists counted one by one."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import positions
from chalicelib.rules.positions import ALL, LISTS, NONE, Counts, Entries, Outline, Place, Span
from chalicelib.store.mailbox_places import pack_places, summed, unpack_places
from chalicelib.store.positions import pack_entries, pack_spans, unpack_entries, unpack_spans

moments = st.integers(0, 60)


@st.composite
def counted(draw: st.DrawFn) -> Counts:
    """What stands at one moment."""
    emails = draw(st.integers(1, 4))
    return emails, draw(st.integers(0, emails)), draw(st.integers(0, emails)), draw(st.integers(0, emails))


entries = st.dictionaries(moments, counted(), max_size=30)
lists = st.sampled_from(sorted(LISTS))


def outline(given_: Entries, most: int) -> tuple[Outline, list[Entries]]:
    """A complete outline, and its spans' entries."""
    pieces = list(positions.cut(given_, most)) or [{}]
    floors = [min(piece) - 1 for piece in pieces[:-1]] + [ALL]
    totals = [positions.total(piece.values()) for piece in pieces]
    spans = tuple(Span(n, *pair) for n, pair in enumerate(zip(floors, totals, strict=True)))
    return Outline(7, spans), pieces


def one_by_one(name: str, given_: Entries) -> list[int]:
    """The moment of each email of a list, newest first."""
    newest_first = sorted(given_.items(), reverse=True)
    return [at for at, counts in newest_first for _ in range(positions.length(name, counts))]


@given(entries, lists, st.integers(1, 9), st.integers(0, 120), st.integers(1, 20))
def test_a_page_has_the_moments_that_stand_there(
    given_: Entries, name: str, most: int, at: int, many: int
) -> None:
    known, pieces = outline(given_, most)
    wanted = one_by_one(name, given_)[at : at + many]
    try:
        number = known.holding(name, at)
    except IndexError:
        assert not wanted
        return
    spans = [(span.counts, piece) for span, piece in zip(known.spans, pieces, strict=True)][number:]
    left_out, found = positions.places(name, spans, at - known.before(name, number), many)
    told = [place.moment for place in found for _ in range(positions.length(name, place.counts))]
    assert told[left_out : left_out + many] == wanted


@given(entries, lists, st.integers(1, 9), moments)
def test_how_many_are_younger(given_: Entries, name: str, most: int, moment: int) -> None:
    known, pieces = outline(given_, most)
    number = known.at(moment)
    assert number is not None
    younger = known.before(name, number) + positions.rank(name, pieces[number], moment)
    assert younger == sum(at > moment for at in one_by_one(name, given_))


@given(entries, entries, st.integers(1, 9))
def test_changes_may_be_added_to_spans_or_to_the_whole(given_: Entries, more: Entries, most: int) -> None:
    known, pieces = outline(given_, most)
    shares = positions.shared_out(known, more)
    changed = [positions.changed(piece, shares.get(n, {})) for n, piece in enumerate(pieces)]
    together = {at: counts for piece in changed for at, counts in piece.items()}
    assert together == positions.changed(given_, more)
    assert [span.counts for span in known.changed(more).spans] == [
        positions.total(piece.values()) for piece in changed
    ]


@given(entries)
def test_what_goes_as_it_came_leaves_nothing(given_: Entries) -> None:
    gone = {at: (-a, -b, -c, -d) for at, (a, b, c, d) in given_.items()}
    assert positions.changed(given_, gone) == {}


def test_runs_go_over_few_that_are_not_wanted() -> None:
    found = [Place(90, (1, 1, 1, 1), 0), Place(80, (1, 1, 1, 1), 2), Place(40, (1, 1, 1, 1), 3)]
    assert positions.runs(found, 2) == [(90, 80), (40, 40)]
    assert positions.runs(found, 3) == [(90, 40)]
    assert positions.runs([], 3) == []


@given(entries)
def test_entries_and_spans_are_kept_as_they_are(given_: Entries) -> None:
    assert unpack_entries(pack_entries(given_)) == given_
    known, _ = outline(given_, 5)
    assert unpack_spans(pack_spans(known.spans)) == known.spans


@given(st.lists(st.tuples(moments, st.tuples(*[st.integers(-4, 4)] * 4)), max_size=12))
def test_changes_of_a_transaction_are_kept_by_folder(told: list[tuple[int, Counts]]) -> None:
    packed = pack_places([("f3", at, counts) for at, counts in told] + [("f4", 1, NONE)])
    assert summed(unpack_places(packed, "f3")) == summed(told)
    assert list(unpack_places(packed, "f4")) == [(1, NONE)]
