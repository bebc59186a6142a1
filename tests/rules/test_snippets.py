"""What found messages show: exactly the text, with marks where its own words are."""

import re
import unicodedata
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import snippets, words

TEXT = st.text(alphabet="abc éßﬁİ東京都に行く한국e\u0301<>&\n-", max_size=400) | st.text(max_size=200)


def bare(html: str) -> str:
    """The text of a snippet."""
    return unescape(re.sub("</?mark>", "", html))


@given(TEXT, st.data())
def test_a_text_asked_for_a_word_of_its_own_is_marked(text: str, data: st.DataObject) -> None:
    kept = sorted(words.kept(unicodedata.normalize("NFC", text)))
    word = data.draw(st.sampled_from(kept)) if kept else "zzz"
    wanted = [(word, data.draw(st.booleans()))]
    shown = snippets.marked(text, wanted)
    if shown is not None:
        assert bare(shown) == unicodedata.normalize("NFC", text)
    piece = snippets.excerpt(text, wanted)
    if piece is not None:
        assert len(piece.encode()) <= snippets.MOST
        assert piece.count("<mark>") == piece.count("</mark>") > 0
        assert bare(piece) in unicodedata.normalize("NFC", " ".join(text.split()))


@given(st.text(alphabet="abc éßﬁİ東京都に行く한국-Ω", max_size=100))
def test_the_places_of_words_are_those_that_are_kept(text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    wanted = [(token, False) for token in words.kept(text)]
    assert [word for _, _, word in words.places(text, wanted)] == list(words.tokens(text))
    for start, end, word in words.places(text, wanted):
        assert words.plain(text[start:end]).startswith(word[:1]) or word in words.plain(text)


@given(st.text(max_size=300), st.text(max_size=30))
def test_any_text_and_any_words_make_a_snippet_or_none(text: str, query: str) -> None:
    wanted = words.asked(query)
    for made in (snippets.marked(text, wanted), snippets.excerpt(text, wanted)):
        assert made is None or "<mark>" in made
