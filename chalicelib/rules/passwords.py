"""Which passwords may be set (S23): long enough, not one's own name, not what guessers try first.

How many guesses a password takes is given, from a list of known passwords and patterns that is at hand
offline: breached ones are at its head.
"""

import re
from collections.abc import Iterable

SHORTEST, LONGEST = 8, 256  # characters
FEWEST_GUESSES = 10**8  # what eight random characters take, as the estimate counts them
FEWEST_DIFFERENT = 4  # characters

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
)
_RUNS = tuple(row + row for row in (*_ROWS, *(row[::-1] for row in _ROWS)))
RUN = 5  # keys in a row make a run

_NOT_LETTERS = re.compile(r"[\W\d_]+")


def length_fault(password: str) -> str | None:
    """What is wrong with its length; None: nothing."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    return None


def fault(password: str, words: Iterable[str], guesses: int) -> str | None:
    """What is wrong with a password to be set; None: nothing.

    `words` are its owner's: address, name, domain, brand. `guesses` is what it takes to find it.
    """
    if detail := length_fault(password):
        return detail
    folded = password.casefold()
    if _own(folded, words):
        return "This password is made of the address, a name or the brand. Please choose another."
    if len(set(folded)) < FEWEST_DIFFERENT or _repeats(folded):
        return "This password repeats itself. Please choose another."
    if _in_runs(folded):
        return "This password is a run of keys. Please choose another."
    if guesses < FEWEST_GUESSES:
        return "This password is among those that are guessed first. Please add words or characters to it."
    return None


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", text.casefold())


def _own(folded: str, words: Iterable[str]) -> bool:
    """Whether it is one of the words, or two, whatever digits and signs stand around them."""
    core = _letters(folded)
    known = {part for word in words for part in (word.casefold(), *re.split(r"[\W_]+", word.casefold()))}
    plain = {_letters(word) for word in known} - {""}
    if folded in known or folded[::-1] in known:
        return True
    return bool(core) and (
        core in plain
        or core[::-1] in plain
        or any(core == one + other for one in plain for other in plain if len(one + other) == len(core))
    )


def _repeats(text: str) -> bool:
    """Whether it is one piece, again and again."""
    return text in (text + text)[1:-1]


def _in_runs(text: str) -> bool:
    """Whether nothing is left of it but a character or two without its runs of neighbouring keys."""
    left, at = 0, 0
    while at < len(text):
        step = _run_at(text, at)
        left, at = (left, at + step) if step >= RUN else (left + 1, at + 1)
    return left <= 2


def _run_at(text: str, at: int) -> int:
    """How many characters from here on are one run."""
    longest = 1
    for size in range(RUN, len(text) - at + 1):
        if not any(text[at : at + size] in run for run in _RUNS):
            break
        longest = size
    return longest
