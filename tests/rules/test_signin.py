"""Doors, throttles and scopes."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.rules.errors import Kind, ServiceError
from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.signin import Door, Tries, allows, check_entry, known_scope, throttled, window
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
