"""Doors, throttles and scopes."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules.errors import Kind, ServiceError
from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.signin import (
    SCOPES,
    Door,
    Tries,
    agent_of,
    allows,
    check_entry,
    covers,
    from_one_of,
    known_scope,
    network_of,
    networks,
    spread,
    throttled,
    window,
    within,
)
from chalicelib.rules.values import Account, Domain, DomainState


def account(**more: object) -> Account:
    """Ann."""
    return Account(**{"id": "a1", "address": "ann@x.test", "domain": "x.test", "quota_bytes": 1, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "suspended", "door", "kind"),
    [
        ("pending", False, "webmail", "domain_pending"),
        ("pending", True, "smtp", "domain_pending"),
        ("live", False, "pop3", "domain_suspended"),
        ("live", True, "jmap", "account_suspended"),
        ("live", False, "imap", "imap_off"),
    ],
)
def test_S5_S31_who_is_not_let_in(state: DomainState, suspended: bool, door: Door, kind: Kind) -> None:
    who = account(holds=frozenset({"operator"}) if suspended else frozenset())
    with pytest.raises(ServiceError) as refused:
        check_entry(Domain("x.test", state, "house", kind == "domain_suspended"), who, door)
    assert refused.value.kind == kind


@pytest.mark.parametrize("state", ["live", "mx_lost"])
@pytest.mark.parametrize("door", ["webmail", "imap", "pop3", "smtp", "jmap"])
def test_S24_who_is_let_in(state: DomainState, door: Door) -> None:
    check_entry(Domain("x.test", state, "house"), account(imap=True), door)


def test_tries_are_bounded_by_pair_by_source_and_by_address() -> None:
    assert not throttled(Tries(10, 99, 99), DEFAULT)
    assert throttled(Tries(11, 0, 0), DEFAULT)
    assert throttled(Tries(1, 100, 0), DEFAULT)
    assert throttled(Tries(1, 0, 100), DEFAULT)


def test_a_window_ends_when_the_next_begins() -> None:
    now = datetime(2026, 3, 2, 9, 14, 59, tzinfo=UTC)
    number, ends = window(now, DEFAULT)
    assert ends == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    assert window(now + timedelta(seconds=1), DEFAULT)[0] == number + 1


def test_scopes_cover_an_action_everywhere_or_in_one_domain() -> None:
    assert allows({"*"}, "orders:write")
    assert allows({"domains:read"}, "domains:read", "x.test")
    assert allows({"domains:read@x.test"}, "domains:read", "x.test")
    assert allows({"*@x.test"}, "domains:write", "x.test")
    assert not allows({"domains:read@x.test"}, "domains:read", "y.test")
    assert not allows({"domains:read@x.test"}, "domains:read")
    assert not allows({"domains:read"}, "domains:write", "x.test")
    assert known_scope("*@x.test")
    assert known_scope("orders:read")
    assert not known_scope("orders:eat")


# -------------------------------------------------------------------------------------------- keys from keys
GRANTED = st.frozensets(
    st.builds(
        lambda s, d: s + d, st.sampled_from(["*", *SCOPES]), st.sampled_from(["", "@x.test", "@y.test"])
    )
)


@given(GRANTED, GRANTED, st.sampled_from(sorted(SCOPES)), st.sampled_from([None, "x.test", "y.test"]))
def test_a_key_made_by_a_key_allows_nothing_that_its_maker_does_not(
    own: frozenset[str], asked: frozenset[str], action: str, domain: str | None
) -> None:
    if covers(own, asked) and allows(asked, action, domain):
        assert allows(own, action, domain)


def test_scopes_are_narrowed_to_domains() -> None:
    assert spread(["a:read", "b:write"], []) == {"a:read", "b:write"}
    assert spread(["a:read"], ["x.test", "y.test"]) == {"a:read@x.test", "a:read@y.test"}
    assert covers({"a:read"}, {"a:read@x.test"})
    assert not covers({"a:read@x.test"}, {"a:read"})
    assert not covers({"a:read@x.test"}, {"a:read@y.test"})
    assert not covers({"orders:write"}, {"*"})


def _nets(address: str) -> st.SearchStrategy[str]:
    """Networks around an address."""
    bits = 128 if ":" in address else 32
    return st.integers(0, bits).map(lambda size: f"{address}/{size}")


NETWORKS = st.lists(st.ip_addresses().map(str).flatmap(_nets), min_size=1, max_size=3)


@given(NETWORKS, NETWORKS, st.ip_addresses())
def test_networks_within_others_admit_no_more_than_they_do(
    inner: list[str], outer: list[str], address: IPv4Address | IPv6Address
) -> None:
    kept, around = networks(inner), networks(outer)
    assert within(kept, kept)
    assert within(kept, ())
    if within(kept, around) and from_one_of(str(address), kept):
        assert from_one_of(str(address), around)


def test_what_is_no_address_is_in_no_network() -> None:
    assert not from_one_of("nowhere", ["0.0.0.0/0"])
    assert from_one_of("nowhere", [])
    with pytest.raises(ValueError, match="x"):
        networks(["192.0.2.1", "x"])
    assert networks(["192.0.2.9/24", "192.0.2.0/24", "::1"]) == ("192.0.2.0/24", "::1/128")
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"


AGENTS = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36",
        "Chrome on Windows",
    ),
    ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18.0 Safari/605.1", "Safari on macOS"),
    ("Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) FxiOS/130.0 Safari/605.1", "Firefox on iPhone"),
    ("curl/8.5.0", "curl/8.5.0"),
    ("x\n" + "y" * 100, "x" + "y" * 39),
    ("", ""),
]


@pytest.mark.parametrize(("header", "shown"), AGENTS)
def test_S23_a_browser_is_named_in_two_words(header: str, shown: str) -> None:
    assert agent_of(header) == shown
