"""S3, S5, S9, S11, S13: orders, whole or not at all, and once however often they are sent."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.aws import clock as clocks
from chalicelib.aws.workflow import Workflows
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import MB
from chalicelib.rules.values import Account, Automatic
from chalicelib.services import activation, mailbox, passwords
from chalicelib.services.orders import MOST_MAILBOXES, MailboxRequest
from tests.registry import PASSWORD, TOKENS, Registry, box


def refused(registry: Registry, *mailboxes: MailboxRequest, **more: Any) -> ServiceError:
    """The refusal of an order."""
    with pytest.raises(ServiceError) as error:
        registry.order(more.pop("domain", "x.test"), *mailboxes, **more)
    return error.value


def pointers(error: ServiceError) -> list[str]:
    """Where a refused order is wrong."""
    assert error.kind == "invalid"
    return [fault.pointer for fault in error.faults]


def test_S3_an_order_on_any_domain_succeeds_and_nothing_is_live(registry: Registry) -> None:
    order = registry.order("hotmail.test")
    assert (order.state, order.domain, order.reseller) == ("placed", "hotmail.test", "house")
    assert registry.domain("hotmail.test").state == "pending"
    found = registry.platform.directory.lookup(["ann@hotmail.test"])["ann@hotmail.test"]
    assert isinstance(found.entry, Account)
    assert not found.local


def test_S9_automatic_addresses_are_there_and_not_billed(registry: Registry) -> None:
    order = registry.order()
    found = registry.platform.directory.lookup(
        f"{n}@x.test" for n in ("emailadmin", "all", "postmaster", "abuse")
    )
    kinds = {a: f.entry.kind for a, f in found.items() if isinstance(f.entry, Automatic)}
    assert kinds == {
        "emailadmin@x.test": "emailadmin",
        "all@x.test": "all",
        "postmaster@x.test": "emailadmin",
        "abuse@x.test": "emailadmin",
    }
    assert order.monthly_mills == 600


def test_mailboxes_accounts_and_passwords_are_as_ordered(registry: Registry) -> None:
    registry.order(
        "x.test", box("Ann", storage_mb=1_000, imap=True, name="Ann Lee", recovery_address="A@Home.test")
    )
    found, stored = registry.platform.directory.credentials("ann@x.test")
    account = found.entry
    assert isinstance(account, Account)
    assert account.quota_bytes == 1_000 * MB
    assert (account.name, account.imap, account.admin) == ("Ann Lee", True, False)
    assert account.recovery == "a@home.test"
    assert registry.platform.directory.account(account.id) == account
    assert stored
    assert PASSWORD not in stored
    assert passwords.verify(stored, PASSWORD)
    assert {f.role for f in mailbox.folders(registry.platform, account.id)} >= {"inbox", "sent", "trash"}


def test_lookup_is_one_batch_and_knows_tags_cases_and_strangers(registry: Registry) -> None:
    registry.order()
    asked = ["ANN+tag@X.test", "nobody@x.test", "ann@else.test", "not an address", ""]
    with mock.patch.object(
        registry.platform.directory.table, "batch_get", wraps=registry.platform.directory.table.batch_get
    ) as batch:
        found = registry.platform.directory.lookup(asked)
    assert batch.call_count == 1
    assert list(found) == asked
    ann = found["ANN+tag@X.test"].entry
    assert isinstance(ann, Account)
    assert ann.address == "ann@x.test"
    assert found["nobody@x.test"].domain is not None
    assert found["nobody@x.test"].entry is None
    assert all(found[a].domain is None for a in asked[2:])


def test_S13_the_ledger_tells_what_was_ordered_in_mills(registry: Registry) -> None:
    order = registry.order("x.test", box("ann", storage_mb=750), box("bob"))
    now = clocks.now()
    [entry] = registry.platform.ledger.entries("house", (now, now + timedelta(seconds=1)))
    assert (entry.kind, entry.order, entry.at) == ("ordered", order.id, now)
    assert [(line.address, line.base_mills, line.steps, line.step_mills) for line in entry.lines] == [
        ("ann@x.test", 300, 2, 100),
        ("bob@x.test", 300, 0, 100),
    ]


def test_the_identity_is_made_and_the_machine_started_once(registry: Registry) -> None:
    order = registry.order()
    assert registry.identities.made == ["x.test"]
    assert registry.domain().tokens == TOKENS
    started = clocks.now().isoformat()
    first = {"domain": "x.test", "order": order.id, "run": 1, "polls": 0, "started_at": started}
    assert registry.executions() == [{"name": f"{order.id}-1", "input": first}]


@pytest.mark.parametrize("caller", ["caller", "other"])
@pytest.mark.parametrize("state", ["pending", "live", "mx_lost"])
def test_a_domain_in_use_is_refused_in_the_same_words_to_all(
    registry: Registry, state: str, caller: str
) -> None:
    registry.order()
    registry.set_state("x.test", state)
    error = refused(registry, caller=getattr(registry, caller))
    assert (error.kind, error.detail) == ("conflict", "This domain cannot be ordered: it is in use already.")
    assert registry.domain().reseller == "house"


def test_S10_a_reversed_domain_can_be_ordered_anew(registry: Registry) -> None:
    first = registry.order()
    registry.set_state("x.test", "reversed")
    second = registry.order(caller=registry.other)
    assert first.id != second.id
    assert (registry.domain().state, registry.domain().reseller) == ("pending", "other")


def test_the_same_key_and_body_give_the_same_order(registry: Registry) -> None:
    first = registry.order(key="k1")
    assert registry.order(key="k1") == first
    assert len(registry.executions()) == 1
    month = (clocks.now(), clocks.now() + timedelta(days=30))
    assert len(list(registry.platform.ledger.entries("house", month))) == 1


@pytest.mark.parametrize(
    "other",
    [box("ann"), box("ann", admin=True, password="another 99 trees"), box("ann", admin=True, imap=True)],
)
def test_the_same_key_for_another_body_is_refused(registry: Registry, other: MailboxRequest) -> None:
    registry.order("x.test", box("ann", admin=True), key="k1")
    assert refused(registry, other, key="k1").kind == "idempotency_mismatch"


def test_keys_of_two_resellers_do_not_meet(registry: Registry) -> None:
    registry.order(key="k1")
    assert registry.order("y.test", key="k1", caller=registry.other).domain == "y.test"


@pytest.mark.parametrize("broken", ["mailboxes", "identity", "machine"])
def test_an_order_left_half_way_is_finished_by_its_repeat_or_by_the_clock(
    registry: Registry, broken: str
) -> None:
    away = RuntimeError("away")
    patches: dict[str, Any] = {
        "mailboxes": mock.patch.object(mailbox, "create", side_effect=away),
        "identity": mock.patch.object(registry.identities, "broken", True),
        "machine": mock.patch.object(Workflows, "start", side_effect=away),
    }
    with patches[broken]:
        assert registry.order(key="k1").state == "placing"
    activation.watch(registry.platform)
    assert registry.domain().started is False, "not before its first call may still be under way"
    if broken == "machine":
        assert registry.order(key="k1").state == "placed"
    else:
        registry.clock.advance(minutes=6)
        activation.watch(registry.platform)
    order = registry.platform.directory.order(registry.domain().order)
    assert order
    assert order.state == "placed"
    assert len(registry.executions()) == 1
    assert registry.letters("bob@x.test") == []


def test_two_at_once_with_one_key_make_one_order(registry: Registry) -> None:
    """The second finds nothing when it asks, and the first's order when it writes."""
    directory = registry.platform.directory
    first = registry.order(key="k1")
    answers = [None, directory.order(first.id), directory.order(first.id)]
    with mock.patch.object(type(directory), "order", side_effect=answers):
        assert registry.order(key="k1") == first


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"local": "emailadmin"}, "local"),
    ({"local": "ALL"}, "local"),
    ({"local": "postmaster"}, "local"),
    ({"local": "a+b"}, "local"),
    ({"local": "ANN"}, "local"),
    ({"storage_mb": 300}, "storage_mb"),
    ({"storage_mb": 0}, "storage_mb"),
    ({"storage_mb": 5_250}, "storage_mb"),
    ({"password": "short"}, "password"),
    ({"password": "x" * 257}, "password"),
    ({"name": "a\r\nb"}, "name"),
    ({"name": "n" * 101}, "name"),
    ({"recovery_address": "nowhere"}, "recovery_address"),
]


def test_S9_S11_each_fault_is_pointed_at(registry: Registry) -> None:
    for wrong, field in FAULTS:
        second = box(**{"local": "bob", **wrong})
        assert pointers(refused(registry, box("ann"), second)) == [f"/mailboxes/1/{field}"], wrong
    assert registry.platform.directory.domain("x.test") is None


def test_domains_that_cannot_be_ordered(registry: Registry) -> None:
    for domain in ("nodots", "emailmx.test", "a.emailmx.test", "web.emailmx.test", "a b.test"):
        assert pointers(refused(registry, box("ann"), domain=domain)) == ["/domain"], domain


def test_a_domain_too_long_for_the_names_made_of_it(registry: Registry) -> None:
    domain = ".".join(["d" * 50] * 4) + ".testing"
    assert pointers(refused(registry, box("ann"), domain=domain)) == ["/domain"]
    domain = ".".join(["d" * 50] * 4)
    assert pointers(refused(registry, box("a" * 64), domain=domain)) == ["/mailboxes/0/local"]


def test_an_order_has_1_to_40_mailboxes(registry: Registry) -> None:
    many = [box(f"user{n}", password=None) for n in range(MOST_MAILBOXES + 1)]
    assert pointers(refused(registry, *many)) == ["/mailboxes"]
    with mock.patch.object(mailbox, "create") as create:
        order = registry.order("x.test", *many[:-1])
    assert create.call_count == 40
    assert len(order.mailboxes) == 40
    assert len(registry.platform.directory.accounts_of("x.test")) == 40


def test_international_domains_are_kept_as_a_labels(registry: Registry) -> None:
    assert registry.order("Bücher.test").domain == "xn--bcher-kva.test"


def test_a_key_without_the_scope_orders_nothing(registry: Registry) -> None:
    for scopes in ({"orders:read"}, {"orders:write@y.test"}):
        caller = replace(registry.caller, scopes=frozenset(scopes))
        assert refused(registry, caller=caller).kind == "forbidden"
    only_x = replace(registry.caller, scopes=frozenset({"orders:write@x.test"}))
    assert registry.order(caller=only_x).domain == "x.test"
