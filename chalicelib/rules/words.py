"""Text as it is searched: words in one case without accents; pairs of characters where words are not spaced.

The same function reads what is kept and what is asked for, so both meet.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

LONGEST = 40  # characters of a token; the rest of a longer one is not looked at
MOST = 6_000  # different tokens of one message
SHORTEST_PREFIX = 3  # characters of a last word that stands for all words that begin so
SHORTEST_STARRED = 2  # of a word with a star behind it, which does so anywhere
_RUN = re.compile(r"\w+")
#: Scripts written without spaces: Thai to Burmese, Khmer, kana, Han, and Hangul, whose words carry particles.
_SCRIPTS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{_SCRIPTS}]+")
#: A phrase (RFC 8621 §4.4.1): between quotes that stand where words begin and end; a backslash escapes.
_QUOTED = re.compile(r"""(?<!\S)(?:"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)')(?!\w)""", re.DOTALL)
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = rf"(?<![^\W{_SCRIPTS}])", rf"(?![^\W{_SCRIPTS}])"


def plain(text: str) -> str:
    """One case, one width, no accents (Unicode NFKC case folding, marks removed)."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(c for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", kept)


def tokens(text: str) -> Iterator[str]:
    """The tokens of a text, in order, with repeats."""
    for run in _RUN.findall(plain(text)):
        if run.isascii():
            yield run[:LONGEST]
        else:
            yield from _split(run)


def _split(run: str) -> Iterator[str]:
    """A run of letters in which scripts may be mixed."""
    at = 0
    for part in _UNSPACED.finditer(run):
        if part.start() > at:
            yield run[at : part.start()][:LONGEST]
        yield from _pairs(part.group())
        at = part.end()
    if at < len(run):
        yield run[at:][:LONGEST]


def _pairs(run: str) -> Iterator[str]:
    """Each character with the next one; the last alone, so that every character begins a token."""
    for at in range(len(run) - 1):
        yield run[at : at + 2]
    yield run[-1]


def kept(text: str) -> set[str]:
    """What a message is found by."""
    found: set[str] = set()
    for token in tokens(text):
        found.add(token)
        if len(found) >= MOST:
            break
    return found


def asked(text: str) -> list[tuple[str, bool]]:
    """What a search asks for: (token, whether it stands for all that begin so). All of them must be there."""
    wanted: dict[str, bool] = {}
    searched = plain(text)
    runs = list(_RUN.finditer(searched))
    for run in runs:
        parts = list(_asked_parts(run.group()))
        for token in parts:
            wanted.setdefault(token, False)
        starred = searched.startswith("*", run.end()) and len(run.group()) >= SHORTEST_STARRED
        if starred or (run is runs[-1] and _open_ended(parts[-1], text)):
            wanted[parts[-1]] = True
    return list(wanted.items())


def _asked_parts(run: str) -> Iterator[str]:
    """As `_split`; but of unspaced text pairs alone, where there is one, for the last character is in it."""
    at = 0
    for part in _UNSPACED.finditer(run):
        if part.start() > at:
            yield run[at : part.start()][:LONGEST]
        pairs = list(_pairs(part.group()))
        yield from pairs[:-1] if len(pairs) > 1 else pairs
        at = part.end()
    if at < len(run):
        yield run[at:][:LONGEST]


def _open_ended(token: str, text: str) -> bool:
    """Whether the last word may be unfinished: nothing closes it, and it is long enough to mean something."""
    unspaced = len(token) == 1 and bool(_UNSPACED.fullmatch(token))
    return unspaced or (len(token) >= SHORTEST_PREFIX and text[-1:].isalnum())


# ------------------------------------------------------------------------------------------------ phrases
def phrases(text: str) -> list[str]:
    """What a search asks for between quotes, as `has_phrase` takes it; a single word is none."""
    quoted = (double or single for double, single in _QUOTED.findall(text))
    runs = (_RUN.findall(plain(re.sub(r"\\(.)", r"\1", phrase))) for phrase in quoted)
    return [" ".join(found) for found in runs if len(found) > 1 or (found and _UNSPACED.search(found[0]))]


def has_phrase(text: str, phrase: str) -> bool:
    """Whether the words of a phrase stand in a text one after the other, whatever is between them."""
    before = "" if _UNSPACED.match(phrase[0]) else _NO_LETTER_BEFORE
    after = "" if _UNSPACED.match(phrase[-1]) else _NO_LETTER_AFTER
    return re.search(before + re.escape(phrase) + after, " ".join(_RUN.findall(plain(text)))) is not None


# ------------------------------------------------------------------------------------------------- places
_plain_one = lru_cache(10_000)(plain)


def places(text: str, wanted: Sequence[tuple[str, bool]]) -> Iterator[tuple[int, int, str]]:
    """Where a text (in NFC) has what `asked` gave: start, end and which, in order; pairs may overlap."""
    whole = {word for word, prefix in wanted if not prefix}
    begins = tuple(word for word, prefix in wanted if prefix)
    folded, origin = _folded(text)
    for start, token in _placed(folded):
        word = token if token in whole else next((b for b in begins if token.startswith(b)), None)
        if word is None:
            continue
        shown = len(word) if _UNSPACED.match(token) else len(token)
        end = origin[start + shown - 1] + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        yield origin[start], end, word


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """`plain`, and of each of its characters the place in the text."""
    if text.isascii():
        return text.lower(), range(len(text))
    pieces = [_plain_one(c) for c in text]
    return "".join(pieces), [at for at, piece in enumerate(pieces) for _ in piece]


def _placed(folded: str) -> Iterator[tuple[int, str]]:
    """As `tokens`, with where each begins."""
    for run in _RUN.finditer(folded):
        at, end = run.span()
        for part in _UNSPACED.finditer(folded, at, end):
            if part.start() > at:
                yield at, folded[at : part.start()][:LONGEST]
            for number, pair in enumerate(_pairs(part.group())):
                yield part.start() + number, pair
            at = part.end()
        if at < end:
            yield at, folded[at:end][:LONGEST]
