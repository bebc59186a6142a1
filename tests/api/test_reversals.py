"""S10: a domain taken back, given back, ordered by somebody else; and what a crash leaves is finished."""

from collections.abc import Callable, Iterator

import pytest

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account
from chalicelib.services import activation, gone, mailbox, orders, reversals
from chalicelib.store import gone as gone_store
from local.moto_dynamodb import Dynamo
from tests.api.test_mailboxes import entry, events, ledger, letter, login
from tests.api.test_reseller import ORDER, problem
from tests.registry import Registry, box
from tests.services.post import Crash, Fuse

PATH = "/v1/domains/x.test"
REVERSAL = f"{PATH}/reversal"
UNDO = f"{REVERSAL}/undo"


@pytest.fixture
def town(registry: Registry) -> Iterator[Registry]:
    """x.test, live, with ann (admin, suspended), bob, an alias and a list; bob has a letter."""
    dynamo = Dynamo()
    dynamo.install()
    try:
        registry.order("x.test", box("ann", admin=True), box("bob"), key="k1")
        registry.set_state("x.test", "live")
        registry.point()
        registry.call("PUT", f"{PATH}/aliases/b", {"mailbox": "bob"})
        registry.call("PUT", f"{PATH}/lists/team", {"name": "Team"})
        registry.call("PUT", f"{PATH}/lists/team/members/zoe@far.test", {})
        registry.call("PUT", f"{PATH}/mailboxes/ann/suspension", {"reason": "unpaid"})
        letter(registry, bob(registry))
        yield registry
    finally:
        dynamo.remove()


def bob(town: Registry) -> Account:
    found = entry(town, "bob@x.test")
    assert found
    return found


def partition(town: Registry) -> dict[str, dict[str, object]]:
    """All that is kept under the domain's name, but its own item and what was looked up."""
    table = town.platform.directory.table
    found = [*table.query_all("DOMAIN#x.test"), *table.query_all("LIST#x.test#team")]
    return {f"{i['pk']} {i['sk']}": i for i in found if i["sk"] != "META" and not i["sk"].startswith("LOOK")}


def test_S10_a_reversal_ends_everything_and_says_so_once(town: Registry) -> None:
    token = town.token("bob@x.test")
    made = town.call("POST", REVERSAL)
    assert (made.status, made.json) == (
        201,
        {
            "domain": "x.test",
            "state": "reversed",
            "undo_until": "2026-04-01T09:00:00Z",
            "finished": True,
        },
    )
    assert town.call("POST", REVERSAL).json == made.json
    assert partition(town) == {}
    assert town.identities.made == []
    assert town.call("GET", "/v1/mailbox/quota", key=token).status == 401
    assert login(town, "bob@x.test").status == 401
    [entry_] = ledger(town, "reversed")
    assert {line.address for line in entry_.lines} == {"ann@x.test", "bob@x.test"}
    assert events(town)[0]["type"] == "domain.reversed"
    assert events(town)[0]["before"] == {"state": "live", "mailboxes": 2}
    shown = town.call("GET", PATH).json
    assert (shown["state"], shown["undo_until"]) == ("reversed", "2026-04-01T09:00:00Z")
    for method, path, body in (
        ("PUT", "/mailboxes/eve", {}),
        ("PUT", "/aliases/c", {"mailbox": "bob"}),
        ("POST", "/check", None),
        ("PATCH", "", {"brand": None}),
    ):
        problem(town.call(method, PATH + path, body), 404, "not_found")
    assert activation.poll(town.platform, town.executions()[0]["input"])["next"] == "done"


def test_S10_an_undo_brings_everything_back_and_waits_for_the_mx(town: Registry) -> None:
    before, account = partition(town), bob(town)
    town.call("POST", REVERSAL)
    town.clock.advance(days=29)
    undone = town.call("POST", UNDO)
    assert (undone.status, undone.json["state"], undone.json["finished"]) == (200, "pending", True)
    assert partition(town) == before
    assert bob(town) == account
    assert town.identities.made == ["x.test"]
    assert login(town, "bob@x.test").json["code"] == "domain_pending"
    assert activation.poll(town.platform, town.executions()[-1]["input"])["next"] == "done"
    assert town.domain().state == "live"
    assert login(town, "bob@x.test").status == 201
    [inbox] = town.letters("bob@x.test")
    assert "Subject: kept" in inbox
    assert len(ledger(town, "restored")[0].lines) == 2
    assert events(town)[0]["type"] == "domain.restored"
    problem(town.call("POST", UNDO), 409, "conflict")
    town.clock.advance(days=40)
    assert gone.purge(town.platform) == 0
    town.call("POST", REVERSAL)
    town.call("POST", UNDO)
    assert len({e["name"] for e in town.executions()}) == 3


@pytest.mark.parametrize("who", ["key", "other_key"])
def test_S10_who_orders_the_name_anew_sees_nothing_of_before(town: Registry, who: str) -> None:
    old, key, token = bob(town), getattr(town, who), town.token("bob@x.test")
    town.call("POST", REVERSAL)
    body = {**ORDER, "mailboxes": [{"local": "bob", "password": "another man's 99"}]}
    assert town.call("POST", "/v1/orders", body, key=key).status == 201
    town.call("POST", f"{PATH}/check", key=key)
    assert town.domain().state == "live"
    assert bob(town).id != old.id
    assert town.letters("bob@x.test") == []
    assert login(town, "bob@x.test").status == 401
    assert login(town, "bob@x.test", "another man's 99").status == 201
    assert town.call("GET", "/v1/mailbox/quota", key=token).status == 401
    assert town.call("GET", f"{PATH}/aliases", key=key).json["aliases"] == []
    assert town.call("PUT", f"{PATH}/lists/team", {"name": "T"}, key=key).status == 201
    assert town.call("GET", f"{PATH}/lists/team/members", key=key).json["members"] == []
    problem(town.call("POST", UNDO), 409, "conflict")
    assert mailbox.folders(town.platform, old.id), "kept for whoever had it"
    town.clock.advance(days=31)
    gone.purge(town.platform)
    assert list(town.platform.mailboxes.items(old.id)) == []
    assert town.letters("bob@x.test") == []
    assert town.identities.made == ["x.test"]
    back = town.call("POST", f"/v1/deleted-mailboxes/{old.id}/restore")
    problem(back, 409, "conflict")


def test_S10_on_day_31_there_is_nothing_to_undo(town: Registry) -> None:
    account = bob(town)
    town.call("POST", REVERSAL)
    town.clock.advance(days=30)
    problem(town.call("POST", UNDO), 409, "conflict")
    assert gone.purge(town.platform) == 2
    table = town.platform.directory.table
    assert list(table.query_all("DUE")) == []
    order = town.domain().order
    assert list(table.query_all(f"KEPT#house#x.test#{order}")) == []
    assert list(table.query_all("REVERSAL#house")) == []
    assert list(town.platform.mailboxes.items(account.id)) == []
    problem(town.call("POST", UNDO), 409, "conflict")
    assert town.call("POST", "/v1/orders", ORDER, key=town.other_key).status == 201
    problem(town.call("POST", UNDO), 404, "not_found")


def test_foreign_reversals_are_as_absent_ones(town: Registry) -> None:
    for state in ("live", "reversed"):
        for path in (REVERSAL, UNDO):
            foreign = town.call("POST", path, key=town.other_key)
            absent = town.call("POST", path.replace("x.test", "never.test"), key=town.other_key)
            problem(foreign, 404, "not_found")
            assert foreign.text == absent.text
        if state == "live":
            town.call("POST", REVERSAL)


def test_a_deleted_mailbox_waits_for_the_reversal_to_be_undone(town: Registry) -> None:
    account = bob(town)
    town.call("DELETE", f"{PATH}/mailboxes/bob")
    town.call("POST", REVERSAL)
    back = f"/v1/deleted-mailboxes/{account.id}/restore"
    problem(town.call("POST", back), 409, "conflict")
    ann = next(line.account for e in ledger(town, "reversed") for line in e.lines)
    problem(town.call("POST", f"/v1/deleted-mailboxes/{ann}/restore"), 409, "conflict")
    town.call("POST", UNDO)
    assert entry(town, "bob@x.test") is None
    assert town.call("POST", back).status == 200


def test_a_repeat_of_the_order_after_its_reversal_brings_nothing_back(town: Registry) -> None:
    p, order = town.platform, town.domain().order
    town.call("POST", REVERSAL)
    found = p.directory.order(order)
    assert found
    orders._finish(p, found)
    assert town.identities.made == []
    assert len(town.executions()) == 1


def test_S10_a_mailbox_made_meanwhile_is_in_the_ledger_too(town: Registry) -> None:
    p = town.platform
    seen = p.gone.mailboxes

    def late(domain: HostedDomain) -> list[Account]:
        found = seen(domain)
        if len(found) == 2:
            assert town.call("PUT", f"{PATH}/mailboxes/eve", {}).status == 201
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(p.gone), "mailboxes", lambda _, domain: late(domain))
        reversals.reverse(p, town.caller, town.domain())
    assert len(ledger(town, "reversed")[0].lines) == 3
    assert partition(town) == {}


def test_a_request_that_runs_out_of_time_is_finished_by_the_clock(town: Registry) -> None:
    p = town.platform
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gone_store, "MAILBOXES_AT_ONCE", 2)
        begun = reversals.reverse(p, town.caller, town.domain(), seconds=-1)
        assert not begun.finished
        assert partition(town) != {}
    gone.mend(p)
    assert town.domain().cleared
    assert partition(town) == {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gone_store, "MAILBOXES_AT_ONCE", 1)
        assert not reversals.undo(p, town.caller, "x.test", seconds=-1).finished
        with pytest.raises(ServiceError) as refused:
            town.order(caller=town.other)
        assert refused.value.kind == "conflict"
    gone.mend(p)
    assert town.domain().state == "pending"
    assert bob(town)
    assert p.gone.begun() == []


def test_a_new_order_finishes_the_reversal_first(town: Registry) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gone_store, "MAILBOXES_AT_ONCE", 2)
        reversals.reverse(town.platform, town.caller, town.domain(), seconds=-1)
        town.order("x.test", box("bob"), caller=town.other)
    assert (town.domain().reseller, town.domain().state) == ("other", "pending")
    assert town.letters("bob@x.test") == []
    gone.mend(town.platform)
    assert town.letters("bob@x.test") == []


def test_S10_a_crash_after_any_call_of_a_reversal_or_its_undo_is_made_good(town: Registry) -> None:
    """Each call of AWS in turn is the last; what is left is finished by the clock, and nothing is lost."""
    p, fuse, before = town.platform, Fuse(), partition(town)
    crashes = 0
    with fuse.in_botocore(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(gone_store, "MAILBOXES_AT_ONCE", 3)
        for number in range(1, 100):
            fuse.left = number
            crashed = _try(lambda: reversals.reverse(p, town.caller, town.domain()))
            fuse.left = None
            gone.mend(p)
            if town.domain().state != "reversed":
                reversals.reverse(p, town.caller, town.domain())
            assert partition(town) == {}
            assert town.domain().cleared
            fuse.left = number
            undone = _try(lambda: reversals.undo(p, town.caller, "x.test"))
            fuse.left = None
            gone.mend(p)
            if town.domain().state == "reversed":
                reversals.undo(p, town.caller, "x.test")
            assert partition(town) == before, number
            assert p.gone.begun() == []
            crashes += crashed + undone
            if not crashed and not undone:
                break
    assert crashes > 15
    assert len(ledger(town, "reversed")) == len(ledger(town, "restored")) == number
    assert len(town.letters("bob@x.test")) == 1


def _try(work: Callable[[], object]) -> bool:
    """Whether it crashed."""
    try:
        work()
    except Crash:
        return True
    return False
