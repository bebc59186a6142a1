"""Log-in, sessions, keys: who gets in, who learns why not, and who gets no further."""

import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.aws import clock as clocks
from chalicelib.aws.table import Update
from chalicelib.rules.errors import Kind, ServiceError
from chalicelib.rules.signin import Door, window
from chalicelib.rules.values import Account
from chalicelib.services import accounts, passwords, signin
from chalicelib.store.records import address_key, domain_key, meta_key
from chalicelib.store.sessions import SIGNED_IN
from tests.registry import PASSWORD, Registry, box

HOME, AWAY = "192.0.2.1", "198.51.100.9"


@pytest.fixture
def live(registry: Registry) -> Registry:
    """x.test is live, with ann (IMAP), bob, and carl, who has no password."""
    registry.order("x.test", box("ann", imap=True), box("bob"), box("carl", password=None))
    registry.set_state("x.test", "live")
    return registry


def enter(registry: Registry, password: str = PASSWORD, **how: Any) -> Account:
    """A log-in of ann's, from home by webmail."""
    how = {"address": "ann@x.test", "door": "webmail", "source": HOME, **how}
    return signin.authenticate(registry.platform, how.pop("address"), password, **how)


def refused(registry: Registry, password: str = PASSWORD, **how: Any) -> Kind:
    """Why she is not let in."""
    with pytest.raises(ServiceError) as error:
        enter(registry, password, **how)
    return error.value.kind


def change(registry: Registry, local: str, **attributes: Any) -> None:
    """Change a mailbox's item."""
    registry.platform.directory.table.update(Update(address_key("x.test", local), set=attributes))


def hold_domain(registry: Registry) -> None:
    """Suspend x.test."""
    registry.platform.directory.table.update(Update(domain_key("x.test"), set={"holds": {"operator"}}))


# --------------------------------------------------------------------------------------------- passwords
def test_the_right_password_lets_in(live: Registry) -> None:
    for address in ("ann@x.test", "ANN@X.Test", "ann+tag@x.test"):
        assert enter(live, address=address).address == "ann@x.test"


def test_wrong_ones_are_refused_alike(live: Registry) -> None:
    live.order("y.test", box("dora"))
    live.set_state("y.test", "reversed")
    for address in (
        "ann@x.test",
        "nobody@x.test",
        "all@x.test",
        "carl@x.test",
        "a@b.test",
        "dora@y.test",
        "x",
    ):
        with pytest.raises(ServiceError) as error:
            enter(live, "wrong password", address=address)
        assert error.value.kind == "bad_credentials"
        assert error.value.detail == "The address or the password is wrong."
    assert refused(live, address="dora@y.test") == "bad_credentials"


def test_an_account_that_is_not_there_costs_the_same_work(live: Registry) -> None:
    with mock.patch.object(passwords, "verify", wraps=passwords.verify) as verify:
        refused(live, "wrong password")
        refused(live, "wrong password", address="nobody@x.test")
        refused(live, "wrong password", address="nobody@nowhere.test")
    assert verify.call_count == 3
    seconds = []
    for stored in (passwords.hashed("right"), None):
        begun = time.process_time()
        for _ in range(3):
            passwords.verify(stored, "wrong")
        seconds.append(time.process_time() - begun)
    assert 0.2 < seconds[0] / seconds[1] < 5


def test_a_password_is_the_same_from_every_keyboard(registry: Registry) -> None:
    registry.order("x.test", box("ann", password="caf\u00e9 olé 1"))
    registry.set_state("x.test", "live")
    assert enter(registry, "cafe\u0301 ole\u0301 1").address == "ann@x.test"


# ----------------------------------------------------------------------------------------------- reasons
def test_S5_before_activation_the_refusal_says_why_to_the_owner_alone(registry: Registry) -> None:
    registry.order("x.test", box("ann", imap=True))
    doors: tuple[Door, ...] = ("webmail", "imap", "pop3", "smtp", "jmap")
    for door in doors:
        assert refused(registry, door=door) == "domain_pending"
        assert refused(registry, "wrong password", door=door, source=AWAY) == "bad_credentials"


def test_S31_S24_other_reasons(live: Registry) -> None:
    assert refused(live, address="bob@x.test", door="imap") == "imap_off"
    assert enter(live, address="bob@x.test", door="pop3")
    assert enter(live, door="imap")
    change(live, "bob", holds={"operator"})
    assert refused(live, address="bob@x.test") == "account_suspended"
    hold_domain(live)
    assert refused(live, door="smtp") == "domain_suspended"


def test_S7_what_is_stored_stays_readable_after_the_mx_moved_away(live: Registry) -> None:
    live.set_state("x.test", "mx_lost")
    assert enter(live)


# ---------------------------------------------------------------------------------------------- throttles
def test_guesses_are_bounded_by_address_and_source(live: Registry) -> None:
    for n in range(10):
        assert refused(live, f"guess {n}") == "bad_credentials"
    with pytest.raises(ServiceError) as error:
        enter(live)
    assert error.value.kind == "throttled", "the right password too: a guesser must not see it"
    assert 0 < error.value.extra["retry_after"] <= 900
    assert enter(live, source=AWAY), "the owner is elsewhere"
    live.clock.advance(minutes=15)
    assert enter(live)


def test_unknown_addresses_are_throttled_alike(live: Registry) -> None:
    kinds = [refused(live, "guess", address="nobody@x.test") for _ in range(11)]
    assert kinds == ["bad_credentials"] * 10 + ["throttled"]


def counted(registry: Registry, counter: str, n: int) -> None:
    """As if so many tries had failed in this window."""
    number, _ = window(clocks.now(), registry.platform.figures)
    registry.platform.sessions.table.put({**meta_key("RATE", f"{counter}#{number}"), "n": n})


def test_one_source_cannot_try_many_addresses_nor_many_sources_one(live: Registry) -> None:
    counted(live, f"source#{HOME}", 99)
    assert refused(live, "guess", address="user1@x.test") == "bad_credentials"
    assert refused(live, "guess", address="user2@x.test") == "throttled"
    counted(live, f"address#{signin.digest('ann@x.test')}", 99)
    assert refused(live, "guess", source="198.51.100.1") == "bad_credentials"
    assert refused(live, "guess", source="198.51.100.2") == "throttled"


def test_a_source_is_a_customers_network(live: Registry) -> None:
    for n in range(10):
        refused(live, "guess", source=f"2001:db8:0:1::{n}")
    assert refused(live, source="2001:db8:0:1:ffff::1") == "throttled"
    assert enter(live, source="2001:db8:0:2::1")


def test_right_passwords_are_never_too_many(live: Registry) -> None:
    for _ in range(25):
        assert enter(live)
        live.clock.advance(seconds=20)


# --------------------------------------------------------------------------------------- what is remembered
def test_the_slow_hash_is_done_once_and_the_state_is_looked_at_again(live: Registry) -> None:
    with mock.patch.object(passwords, "verify", wraps=passwords.verify) as verify:
        enter(live, door="jmap")
        live.clock.advance(seconds=SIGNED_IN.total_seconds())
        enter(live, door="jmap")
        assert verify.call_count == 1
        change(live, "ann", holds={"operator"})
        live.clock.advance(seconds=SIGNED_IN.total_seconds())
        assert refused(live, door="jmap") == "account_suspended"
        change(live, "ann", holds=frozenset(), hash=passwords.hashed("a new password"))
        live.clock.advance(seconds=SIGNED_IN.total_seconds())
        assert refused(live, door="jmap") == "bad_credentials"
        assert enter(live, "a new password", door="jmap")


def test_what_one_door_admits_another_need_not(live: Registry) -> None:
    assert enter(live, address="bob@x.test", door="jmap")
    assert refused(live, address="bob@x.test", door="imap") == "imap_off"


# ----------------------------------------------------------------------------------------------- sessions
def test_a_session_is_kept_as_a_hash_and_ends(live: Registry) -> None:
    opened = signin.open_session(live.platform, enter(live), HOME)
    assert opened.token.startswith("pps_")
    assert opened.expires_at == clocks.now() + timedelta(days=14)
    kept = live.platform.sessions.table.get({"pk": f"SESSION#{signin.digest(opened.token)}", "sk": "META"})
    assert kept
    assert opened.token not in str(kept)
    assert kept["ttl"] == int(opened.expires_at.timestamp())
    assert signin.session(live.platform, opened.token).address == "ann@x.test"
    live.clock.advance(days=14)
    with pytest.raises(ServiceError, match="unauthenticated"):
        signin.session(live.platform, opened.token)


def test_log_out_ends_one_session(live: Registry) -> None:
    one, two = (signin.open_session(live.platform, enter(live), HOME).token for _ in range(2))
    signin.session(live.platform, one)
    signin.close_session(live.platform, one)
    signin.close_session(live.platform, one)
    with pytest.raises(ServiceError, match="unauthenticated"):
        signin.session(live.platform, one)
    assert signin.session(live.platform, two)


@pytest.mark.parametrize("what", ["account", "domain", "reversed"])
def test_S31_a_session_does_not_outlive_a_suspension(live: Registry, what: str) -> None:
    token = signin.open_session(live.platform, enter(live), HOME).token
    assert signin.session(live.platform, token)
    if what == "account":
        change(live, "ann", holds={"operator"})
    elif what == "domain":
        hold_domain(live)
    else:
        live.set_state("x.test", what)
    live.clock.advance(seconds=SIGNED_IN.total_seconds())
    with pytest.raises(ServiceError):
        signin.session(live.platform, token)


def test_a_session_is_not_inherited_by_who_gets_the_address_next(live: Registry) -> None:
    token = signin.open_session(live.platform, enter(live), HOME).token
    live.set_state("x.test", "reversed")
    live.order("x.test", box("ann"), caller=live.other)
    live.set_state("x.test", "live")
    with pytest.raises(ServiceError, match="unauthenticated"):
        signin.session(live.platform, token)


def test_a_session_costs_two_reads_and_then_none_for_a_moment(live: Registry) -> None:
    token = signin.open_session(live.platform, enter(live), HOME).token
    with mock.patch.object(live.platform.sessions, "get", wraps=live.platform.sessions.get) as get:
        for _ in range(5):
            signin.session(live.platform, token)
    assert get.call_count == 1


# --------------------------------------------------------------------------------------------------- keys
def test_a_key_is_kept_as_a_hash_and_tells_whose_it_is(registry: Registry) -> None:
    caller = signin.api_caller(registry.platform, registry.key, HOME)
    assert (caller.reseller, caller.source) == ("house", HOME)
    assert registry.key.startswith("ppk_")
    kept = registry.platform.directory.table.get({"pk": f"KEY#{signin.digest(registry.key)}", "sk": "META"})
    assert kept
    assert registry.key not in str(kept)


def test_what_is_no_key_is_refused(registry: Registry) -> None:
    for bearer in ("", "ppk_", "ppk_wrong", "pps_wrong", "\udcff"):
        with pytest.raises(ServiceError, match="unauthenticated"):
            signin.api_caller(registry.platform, bearer)


def test_a_key_ends_when_it_was_said_to(registry: Registry) -> None:
    key = accounts.issue_key(registry.platform, "house", ["*"], clocks.now() + timedelta(days=1))
    assert signin.api_caller(registry.platform, key)
    registry.clock.advance(days=1)
    with pytest.raises(ServiceError, match="unauthenticated"):
        signin.api_caller(registry.platform, key)


def test_keys_are_issued_to_resellers_with_known_scopes_only(registry: Registry) -> None:
    for reseller, scopes in (("house", ["orders:eat"]), ("house", []), ("nobody", ["*"])):
        with pytest.raises(ServiceError):
            accounts.issue_key(registry.platform, reseller, scopes)
