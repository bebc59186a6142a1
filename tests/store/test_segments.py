"""Parts of a search index: what was put in is read out, block by block, and survives merging."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.store import segments
from chalicelib.store.segments import Document

WORDS = st.sampled_from(["a", "ab", "abc", "b", "ümlaut", "東京", "zz", "x" * 40])
MAIL = st.dictionaries(WORDS, st.integers(1, 63), max_size=5)
Mail = Mapping[str, int]


def made(mails: list[tuple[str, int, Mail]]) -> bytes:
    """A segment of (id, time, words)."""
    mails = sorted(mails, key=lambda m: (m[1], m[0]))
    found: dict[str, list[tuple[int, int]]] = {}
    for number, (_, _, words) in enumerate(mails):
        for word, fields in words.items():
            found.setdefault(word, []).append((number, fields))
    return segments.build([Document(i, at) for i, at, _ in mails], sorted(found.items()))


def asked(content: bytes, word: str, prefix: bool = False) -> dict[str, int]:
    """Ids and fields of a word, read in ranges."""
    directory = segments.directory(content[-segments.directory_size(content) :])

    def read(start: int, end: int) -> bytes:
        return content[start:end]

    blocks = range(len(directory.doc_starts) - 1)
    documents = [d for block in blocks for d in segments.documents(directory, read, block)]
    found = segments.postings(directory, read, word, prefix)
    return {documents[number].id: fields for number, fields in found}


def expected(mails: list[tuple[str, int, Mail]], word: str, prefix: bool) -> dict[str, int]:
    found: dict[str, int] = {}
    for id, _, words in mails:
        for given_word, fields in words.items():
            if given_word == word or (prefix and given_word.startswith(word)):
                found[id] = found.get(id, 0) | fields
    return found


def mails(prefix: str) -> st.SearchStrategy[list[tuple[str, int, Mail]]]:
    """Mails with ids of their own."""
    rows = st.lists(st.tuples(st.integers(0, 2**45), MAIL), max_size=20)
    return rows.map(lambda found: [(f"{prefix}{n:015d}", at, w) for n, (at, w) in enumerate(found)])


@settings(max_examples=60)
@given(mails("m"), WORDS, st.booleans())
def test_words_are_found_with_their_fields(
    given_mails: list[tuple[str, int, Mail]], word: str, prefix: bool
) -> None:
    assert asked(made(given_mails), word, prefix) == expected(given_mails, word, prefix)


@settings(max_examples=40)
@given(st.tuples(mails("a"), mails("b"), mails("c")), WORDS)
def test_a_merged_part_holds_what_its_parts_held(
    parts: tuple[list[tuple[str, int, Mail]], ...], word: str
) -> None:
    merged = segments.merged([made(part) for part in parts])
    every = [mail for part in parts for mail in part]
    assert asked(merged, word) == expected(every, word, False)
    times = [d.at for d in segments.whole(merged)[0]]
    assert times == sorted(times)


def test_a_message_in_two_parts_is_the_later_ones() -> None:
    first = made([("m1", 5, {"old": 1}), ("m2", 6, {"both": 1})])
    second = made([("m1", 7, {"new": 1})])
    merged = segments.merged([first, second])
    assert (asked(merged, "old"), asked(merged, "new")) == ({}, {"m1": 1})
    assert [d.id for d in segments.whole(merged)[0]] == ["m2", "m1"]
    assert asked(segments.merged([first, second], keep=lambda id: id != "m1"), "new") == {}


def test_a_word_costs_one_read_however_many_there_are() -> None:
    mail = {f"word{n:06d}": 32 for n in range(5_000)}
    content = made([(f"m{n:016d}", n, mail) for n in range(600)])
    directory = segments.directory(content[-segments.directory_size(content) :])
    assert len(directory.firsts) > 30
    reads: list[int] = []

    def read(start: int, end: int) -> bytes:
        reads.append(end - start)
        return content[start:end]

    assert len(segments.postings(directory, read, "word002500", False)) == 600
    assert len(reads) == 1
    assert reads[0] < 20_000
    [block] = {n // segments.DOCS_A_BLOCK for n in range(512, 600)}
    assert segments.documents(directory, read, block)[0] == Document(f"m{512:016d}", 512)
    assert segments.postings(directory, read, "nothing", False) == []
    assert segments.postings(directory, read, "a", False) == []
