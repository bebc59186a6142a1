"""S11, S12: what a mailbox may be, and what can be done with it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import mailboxes as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import DEFAULT, MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.mailboxes import GoneMailbox, MailboxRequest, Why
from chalicelib.rules.values import Account, DomainState

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEAST = ["imap", "rename", "suspend", "delete", "reverse"]


def account(storage_mb: int = 250, holds: frozenset[str] = frozenset()) -> Account:
    return Account("a1", "ann@x.test", "x.test", storage_mb * MB, holds=holds)


def domain(state: DomainState = "live", order: str = "o1") -> HostedDomain:
    return HostedDomain("x.test", state, "house", order, NOW)


def gone(why: Why = "deleted", *, purged: bool = False) -> GoneMailbox:
    return GoneMailbox(account(), "o1", why, purged, NOW, rules.kept_until(NOW, DEFAULT))


@pytest.mark.parametrize(
    ("storage_mb", "first"), [(250, ["upgrade"]), (500, ["upgrade", "downgrade"]), (5_000, ["downgrade"])]
)
def test_S12_a_row_says_what_can_be_done(storage_mb: int, first: list[str]) -> None:
    assert list(rules.actions(account(storage_mb), "live", DEFAULT)) == first + LEAST


def test_S12_what_the_reseller_suspended_it_can_lift() -> None:
    assert "lift" in rules.actions(account(holds=frozenset({"reseller"})), "live", DEFAULT)
    assert "suspend" in rules.actions(account(holds=frozenset({"operator"})), "live", DEFAULT)
    assert rules.actions(account(), "reversed", DEFAULT) == ("undo_reversal",)


@pytest.mark.parametrize(
    ("item", "now", "who", "can"),
    [
        (gone(), timedelta(days=30, seconds=-1), domain(), ("restore",)),
        (gone(), timedelta(days=30), domain(), ()),
        (gone(), timedelta(0), domain("reversed"), ()),
        (gone(), timedelta(0), domain(order="o2"), ()),
        (gone(), timedelta(0), None, ()),
        (gone(purged=True), timedelta(0), domain(), ()),
        (gone("reversed"), timedelta(days=29), domain("reversed"), ("undo_reversal",)),
        (gone("reversed"), timedelta(days=31), domain("reversed"), ()),
        (gone("reversed"), timedelta(0), domain("pending", "o2"), ()),
    ],
)
def test_S12_what_is_gone_can_be_undone_for_30_days(
    item: GoneMailbox, now: timedelta, who: HostedDomain | None, can: tuple[str, ...]
) -> None:
    assert rules.gone_actions(item, who, NOW + now) == can


@given(st.integers(0, 6_000 * MB), st.integers(1, 20))
def test_S11_never_smaller_than_what_is_used(used: int, steps: int) -> None:
    size = 250 * steps
    if used <= size * MB:
        rules.check_size(size, used)
        return
    with pytest.raises(ServiceError) as refused:
        rules.check_size(size, used)
    assert refused.value.kind == "over_quota"
    assert (refused.value.extra["limit"], refused.value.extra["used"]) == (size * MB, used)


def test_each_fault_of_a_request_is_named() -> None:
    wanted = MailboxRequest("all", 300, password="short", name="a\nb", recovery_address="nowhere")
    found = dict(rules.faults(wanted, (), DEFAULT))
    assert set(found) == {"local", "storage_mb", "password", "name", "recovery_address"}
    assert not list(rules.faults(MailboxRequest("Ann", 250), (), DEFAULT))
    assert rules.local_fault("ann", {"ann"}, DEFAULT) == '"ann" is in this order twice.'
    assert MailboxRequest("Ann", 250, recovery_address="A@Home.test").normalised().local == "ann"
