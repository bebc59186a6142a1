"""What text is found by, and what a search asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Hello, World!", ["hello", "world"]),
        ("don't", ["don", "t"]),
        ("zoe@far.test", ["zoe", "far", "test"]),
        ("snake_case x2", ["snake_case", "x2"]),
        ("Ärger über Straße", ["arger", "uber", "strasse"]),
        ("Crème brûlée", ["creme", "brulee"]),
        ("ﬁn ＡＢＣ １２", ["fin", "abc", "12"]),
        ("İstanbul", ["istanbul"]),
        ("Привет Ёлка", ["привет", "елка"]),
        ("Ελλάδα", ["ελλαδα"]),
        ("שלום", ["שלום"]),
        ("東京都", ["東京", "京都", "都"]),
        ("東京 tower", ["東京", "京", "tower"]),
        ("iPhone発売", ["iphone", "発売", "売"]),
        ("한국어", ["한국", "국어", "어"]),
        ("สวัสดี", list(words.tokens("สวัสดี"))),
        ("x" * 100, ["x" * 40]),
    ],
)
def test_tokens(text: str, found: list[str]) -> None:
    assert list(words.tokens(text)) == found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", []),
        ("?!", []),
        ("Invoice", [("invoice", True)]),
        ("invoice ", [("invoice", False)]),
        ("an invoice", [("an", False), ("invoice", True)]),
        ("in", [("in", False)]),
        ('"annual report"', [("annual", False), ("report", False)]),
        ("東京", [("東京", False)]),
        ("都", [("都", True)]),
        ("東京都", [("東京", False), ("京都", False)]),
        ("a a a", [("a", False)]),
        ("ban* prima", [("ban", True), ("prima", True)]),
        ("ban* prima ", [("ban", True), ("prima", False)]),
        ("prima*", [("prima", True)]),
        ("pr* x*", [("pr", True), ("x", False)]),
        ("* 2*3", [("2", False), ("3", False)]),
        ("東京* tower", [("東京", True), ("tower", True)]),
    ],
)
def test_what_is_asked_for(text: str, wanted: list[tuple[str, bool]]) -> None:
    assert words.asked(text) == wanted


@given(st.text(max_size=200))
def test_every_text_is_found_by_itself(text: str) -> None:
    kept = words.kept(text)
    for token, prefix in words.asked(text):
        assert token in kept or (prefix and any(k.startswith(token) for k in kept))


@given(st.text(alphabet="東京都に行くabc ", max_size=30), st.data())
def test_a_piece_of_unspaced_text_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    kept = words.kept(text)
    if any(c in "abc" for c in text[max(0, start - 1) : end + 1]):
        return
    for token, prefix in words.asked(text[start:end]):
        assert token in kept or (prefix and any(k.startswith(token) for k in kept))


def test_a_message_of_endless_words_is_bounded() -> None:
    assert len(words.kept(" ".join(f"w{n}" for n in range(20_000)))) == words.MOST


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("annual report", []),
        ('"annual report"', ["annual report"]),
        ("'Annual,  REPORT'", ["annual report"]),
        ('old "annual report" of "Crème brûlée"', ["annual report", "creme brulee"]),
        ('"report"', []),
        ('"東京都"', ["東京都"]),
        ("don't shan't", []),
        ("it's 'as it was'", ["as it was"]),
        ('"unfinished here', []),
        (r'"a \"b c\" d"', ["a b c d"]),
        ('""', []),
        ('"?! ..."', []),
    ],
)
def test_phrases_stand_between_quotes(text: str, phrases: list[str]) -> None:
    assert words.phrases(text) == phrases


@pytest.mark.parametrize(
    ("text", "phrase", "there"),
    [
        ("The annual report is out", "annual report", True),
        ("ANNUAL -- Report", "annual report", True),
        ("annual\r\n  report", "annual report", True),
        ("report annual", "annual report", False),
        ("annual big report", "annual report", False),
        ("biannual report", "annual report", False),
        ("annual reports", "annual report", False),
        ("a (annual) report", "a annual report", True),
        ("東京都庁に行く", "東京都", True),
        ("京都東京", "東京都", False),
        ("x東京都y", "東京都", True),
        ("", "annual report", False),
        ("a.b a+b", "a b a b", True),
    ],
)
def test_a_phrase_is_words_one_after_the_other(text: str, phrase: str, there: bool) -> None:
    assert words.has_phrase(text, phrase) is there


@given(st.lists(st.text(alphabet="aé1 _ß", min_size=1, max_size=6), min_size=3, max_size=9), st.data())
def test_what_was_copied_from_a_text_is_a_phrase_of_it(pieces: list[str], data: st.DataObject) -> None:
    text = " ".join(pieces).split()
    start = data.draw(st.integers(0, max(0, len(text) - 2)))
    for phrase in words.phrases('"' + " ".join(text[start : start + 2]) + '"'):
        assert words.has_phrase(", ".join(text), phrase)
