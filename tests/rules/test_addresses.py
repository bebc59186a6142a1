"""Addresses and domains: RFC 5321 lengths, A-labels, tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules.addresses import (
    AddressError,
    mailbox_address,
    mailbox_key,
    mailbox_local,
    normalise,
    parse,
    parse_domain,
)

ATOM = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=12)
LOCAL = st.lists(ATOM, min_size=1, max_size=4).map(".".join)
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(
    lambda label: label[2:4] != "--"
)
DOMAIN = (
    st.lists(LABEL, min_size=2, max_size=5).map(".".join).filter(lambda d: not d.split(".")[-1].isdigit())
)


@given(LOCAL, DOMAIN)
def test_every_dot_atom_is_an_address_and_keeps_its_spelling(local: str, domain: str) -> None:
    address = parse(f"{local}@{domain.upper()}")
    assert (address.local, address.domain) == (local, domain)
    assert normalise(str(address)) == address.key == f"{local.lower()}@{domain}"


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused_with_a_reason(text: str) -> None:
    try:
        address = parse(text)
    except AddressError as error:
        reason = str(error)
    else:
        reason = "."
        assert str(address).isascii()
        assert len(str(address)) <= 254
        assert normalise(address.key) == address.key
    assert reason.endswith(".")


@given(st.text(max_size=80))
def test_any_text_is_a_domain_or_refused_and_normalising_twice_changes_nothing(text: str) -> None:
    try:
        domain = parse_domain(text)
    except AddressError:
        return
    assert parse_domain(domain) == domain == domain.lower()


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.COM", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("日本語。テスト", "xn--wgv71a119e.xn--zckzah"),
        ("a" * 63 + ".test", "a" * 63 + ".test"),
    ],
)
def test_domains_become_lower_case_a_labels(text: str, domain: str) -> None:
    assert parse_domain(text) == domain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "com",
        "example.com.",
        ".example.com",
        "a..b",
        "-a.test",
        "a-.test",
        "a_b.test",
        "a b.test",
        "1.2.3.4",
        "[1.2.3.4]",
        "a" * 64 + ".test",
        ".".join(["abcdefgh"] * 30),
        "xn--\u00fc.test",
        "xn--0.test",
        "\u0000.test",
        "a.test\n",
        "ü" * 200 + ".test",
    ],
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_domain(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "a@", "@a.test", "a", "a..b@x.test", ".a@x.test", "a b@x.test", "ä@x.test", "a@b@x.test"),
        *("a" * 65 + "@x.test", "a@x", 'a"b@x.test', "a@x.test\r\n", '"a\nb"@x.test', "<a@x.test>"),
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse(text)


def test_quoted_local_parts_are_addresses_but_no_mailboxes_here() -> None:
    assert parse('"John Doe"@x.test').local == '"John Doe"'
    with pytest.raises(AddressError):
        mailbox_local('"john"')


@pytest.mark.parametrize("local", ["ann", "Ann.Lee", "a", "a-b_c.d", "0", "a" * 64])
def test_names_of_mailboxes_are_lower_case(local: str) -> None:
    assert mailbox_local(local) == local.lower()


@pytest.mark.parametrize(
    "local", ["", "a+b", ".a", "a.", "a..b", "a b", "ä", "a@b", "-a", "a" * 65, "a\n", "\u212aelvin"]
)
def test_names_that_no_mailbox_can_have(local: str) -> None:
    with pytest.raises(AddressError):
        mailbox_local(local)


def test_a_tag_is_left_aside_and_dots_are_not() -> None:
    assert mailbox_key("Ann+Shop+2") == "ann"
    assert mailbox_key("a.nn") == "a.nn"
    assert mailbox_key("+ann") == "+ann"
    assert mailbox_address("Ann+shop@X.Test") == "ann@x.test"
