"""What a subject is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import subjects


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("", ""),
        ("Hello", "Hello"),
        ("Re: Hello", "Hello"),
        ("RE : hello", "hello"),
        ("re:Re: RE:hello", "hello"),
        ("Re[2]: Hello", "Hello"),
        ("Re(3): Hello", "Hello"),
        ("Re^2: Hello", "Hello"),
        ("Fwd: Re: Hello", "Hello"),
        ("FW: Hello (fwd)", "Hello"),
        ("[Fwd: Re: Hello]", "Hello"),
        ("[list] Re: [list] Hello", "Hello"),
        ("Re: [list] [urgent] Hello", "Hello"),
        ("[list]", "[list]"),
        ("Re: [list]", "[list]"),
        ("Hello [list]", "Hello [list]"),
        ("AW: WG: Angebot", "Angebot"),
        ("SV: VS: Hej", "Hej"),
        ("Antw: Doorst: Hallo", "Hallo"),
        ("RES: ENC: Olá", "Olá"),
        ("RV: TR: Rif: R: I: Ciao", "Ciao"),
        ("Odp: PD: Witaj", "Witaj"),
        ("Vá: Szia", "Szia"),
        ("YNT: İLT: Merhaba", "Merhaba"),
        ("ΑΠ: ΣΧΕΤ: Γεια", "Γεια"),
        ("回复：转发： 你好", "你好"),
        ("回覆: 轉寄: 你好", "你好"),
        ("返信: 転送: こんにちは", "こんにちは"),
        ("Re:", ""),
        ("Reply: Hello", "Reply: Hello"),
        ("Regarding: x", "Regarding: x"),
        ("Retour", "Retour"),
        ("  many \t spaces\r\n here ", "many spaces here"),
        ("[a[b]] Hello", "[a[b]] Hello"),
    ],
)
def test_base(subject: str, base: str) -> None:
    assert subjects.base(subject) == base


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lunch on Friday", "RE: lunch  on\tfriday"),
        ("Crème brûlée", "AW: CREME BRULEE"),
        ("Straße", "Re: STRASSE"),
        ("ＡＢＣ", "abc"),
        ("", "Re: Fwd:"),
    ],
)
def test_about_the_same(one: str, other: str) -> None:
    assert subjects.same(one) == subjects.same(other)


def test_not_about_the_same() -> None:
    assert subjects.same("Lunch") != subjects.same("Re: Dinner")


@given(st.lists(st.sampled_from(["Re:", "[x]", "(fwd)", "[Fwd:", "]", "Fw :", "AW:", " ", "a", "[", "："])))
def test_nothing_is_left_to_take_off(parts: list[str]) -> None:
    once = subjects.base("".join(parts))
    assert subjects.base(once) == once


@given(st.text(max_size=60), st.sampled_from(["Re: ", "Fwd: ", "AW: ", "[list] Re: ", "回复："]))
def test_an_answer_is_about_what_it_answers(subject: str, prefix: str) -> None:
    assert subjects.same(prefix + subject) == subjects.same(subject)


def test_a_hostile_subject_takes_no_long_time() -> None:
    for piece in ("[", "[]", "Re:", "(fwd) ", "re[", "[fwd:", "[a] re ["):
        assert len(subjects.base(piece * (1_000 // len(piece)))) <= 1_000
