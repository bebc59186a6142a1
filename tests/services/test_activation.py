"""S4 to S8: domains go live by their MX, are told of after 30 days, and are lost only for good."""

import json
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.aws import clock as clocks
from chalicelib.aws.dns import Answer, Resolver
from chalicelib.rules.hosted import HostedDomain, Order
from chalicelib.services import activation
from tests.registry import TOKENS, Registry

Json = dict[str, Any]


def start(order: Order) -> Json:
    """The machine's input."""
    return {"domain": order.domain, "order": order.id, "run": 1, "polls": 0, "started_at": "then"}


def poll(registry: Registry, state: Json) -> Json:
    """A poll as the machine does it: JSON in, JSON out."""
    answer: Json = json.loads(json.dumps(activation.poll(registry.platform, state)))
    return answer


def run(registry: Registry, state: Json, until: timedelta) -> Json:
    """The machine: poll and wait, on the clock, until it is done or the time is over."""
    end = clocks.now() + until
    while clocks.now() < end:
        state = poll(registry, state)
        if state["next"] == "done":
            return state
        registry.clock.advance(seconds=state["wait_seconds"])
    return state


def failing(registry: Registry, **types: str) -> Any:
    """A resolver whose look-ups of these types fail."""
    real = registry.platform.resolver.lookup

    def lookup(_: Resolver, name: str, type: str) -> Answer:
        return Answer(name, type, "failed") if type in types else real(name, type)

    return mock.patch.object(Resolver, "lookup", lookup)


def live(registry: Registry, name: str = "x.test") -> HostedDomain:
    """A domain that went live the usual way."""
    order = registry.order(name)
    registry.point(name)
    assert poll(registry, start(order))["next"] == "done"
    assert registry.domain(name).state == "live"
    return registry.domain(name)


def watch(registry: Registry, looks: int, hours: int = 6) -> None:
    """The clock's look, so many times. It comes hourly; here mostly every six, to have fewer of them."""
    for _ in range(looks):
        registry.clock.advance(hours=hours)
        activation.watch(registry.platform)


# ------------------------------------------------------------------------------------------- going live
def test_S4_a_poll_waits_until_the_mx_is_there(registry: Registry) -> None:
    state = start(registry.order())
    state = poll(registry, state)
    assert (state["next"], state["polls"], state["wait_seconds"]) == ("wait", 1, 900)
    assert registry.domain().state == "pending"
    registry.point()
    assert poll(registry, state)["next"] == "done"
    domain = registry.domain()
    assert (domain.state, domain.live_at) == ("live", clocks.now())
    found = registry.platform.directory.lookup(["ann@x.test"])["ann@x.test"]
    assert found.local


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=23), timedelta(days=3), timedelta(days=45)])
def test_S4_at_most_60_minutes_after_the_mx_is_visible_at_any_age(registry: Registry, age: timedelta) -> None:
    state = start(registry.order())
    registry.clock.advance(seconds=age.total_seconds())
    state = poll(registry, state)
    registry.clock.advance(seconds=1)
    registry.point()
    visible = clocks.now()
    registry.clock.advance(seconds=state["wait_seconds"] - 1)
    assert run(registry, state, timedelta(hours=2))["next"] == "done"
    assert clocks.now() - visible <= timedelta(minutes=60)


def test_S4_each_poll_keeps_its_evidence(registry: Registry) -> None:
    state = poll(registry, start(registry.order()))
    first = clocks.now()
    registry.clock.advance(minutes=15)
    registry.point()
    poll(registry, state)
    newest, oldest = registry.platform.directory.looks("x.test")
    assert (oldest["at"], oldest["status"], oldest["mx"]) == (first.isoformat(), "nxdomain", "missing")
    assert (newest["at"], newest["status"], newest["mx"]) == (clocks.now().isoformat(), "ok", "ok")
    assert newest["values"] == ["10 inbound.x.test.emailmx.test."]
    assert newest["answer_ttl"] > 0
    assert newest["resolver"] == registry.platform.settings.resolver


@pytest.mark.parametrize("mx", ["10 mx.else.test.", "10 inbound.y.test.emailmx.test.", "0 ."])
def test_S4_another_mx_activates_nothing(registry: Registry, mx: str) -> None:
    state = start(registry.order())
    registry.zone.put("x.test", "MX", [mx])
    assert poll(registry, state)["next"] == "wait"
    assert registry.domain().state == "pending"


def test_S4_a_failed_lookup_activates_nothing_and_goes_on(registry: Registry) -> None:
    state = start(registry.order())
    registry.point()
    with failing(registry, MX=""):
        state = poll(registry, state)
    assert state["next"] == "wait"
    assert next(r for r in registry.platform.directory.dns("x.test") if r.type == "MX").state == "unknown"
    assert poll(registry, state)["next"] == "done"


def test_on_ses_the_identity_is_the_second_gate(registry: Registry) -> None:
    with mock.patch.object(activation, "_gate", return_value=True):
        state = start(registry.order())
        registry.point()
        state = poll(registry, state)
        assert (state["next"], registry.domain().state) == ("wait", "pending")
        registry.identities.verified.add("x.test")
        assert poll(registry, state)["next"] == "done"


def test_a_poll_for_an_order_that_is_no_more_ends_the_machine(registry: Registry) -> None:
    state = start(registry.order())
    registry.set_state("x.test", "reversed")
    assert poll(registry, state)["next"] == "done"
    registry.order(caller=registry.other)
    assert poll(registry, state)["next"] == "done"
    assert poll(registry, {**state, "domain": "never.test"})["next"] == "done"


def test_the_state_survives_what_a_failed_poll_leaves_in_it(registry: Registry) -> None:
    state = {**start(registry.order()), "error": {"Error": "x"}, "next": "wait", "wait_seconds": 900}
    assert "error" not in poll(registry, state)


def test_polling_goes_on_after_1000_polls_in_a_fresh_run(registry: Registry) -> None:
    order = registry.order()
    state = {**start(order), "polls": registry.platform.figures.polls_per_run - 1}
    assert poll(registry, state)["next"] == "renewed"
    assert poll(registry, state)["next"] == "renewed"
    runs = registry.executions()
    assert [r["name"] for r in runs] == [f"{order.id}-1", f"{order.id}-2"]
    assert (runs[1]["input"]["run"], runs[1]["input"]["polls"]) == (2, 0)


# ----------------------------------------------------------------------------------------------- notices
def test_S6_one_notice_after_30_days_and_polling_goes_on(registry: Registry) -> None:
    state = start(registry.order())
    registry.clock.advance(days=29, hours=23, minutes=29)
    state = run(registry, state, timedelta(minutes=30))
    assert registry.outgoing() == []
    state = run(registry, state, timedelta(hours=4))
    [waiting] = registry.outgoing()
    out = registry.platform.outbox.outgoing(waiting["submission"])
    assert out
    assert (out.envelope.sender, out.envelope.recipients) == ("notices@emailmx.test", ("office@house.test",))
    text = registry.platform.blobs.get(out.raw).decode()
    assert "x.test is waiting for its MX record" in text
    assert "Auto-Submitted: auto-generated" in text
    assert registry.domain().noticed_at is not None
    assert state["next"] == "wait"
    registry.point()
    assert run(registry, state, timedelta(hours=2))["next"] == "done"


def test_S6_the_notice_is_one_even_where_the_mark_was_not_kept(registry: Registry) -> None:
    state = start(registry.order())
    registry.clock.advance(days=31)
    with mock.patch.object(type(registry.platform.directory), "change_domain", return_value=False):
        poll(registry, state)
        registry.clock.advance(minutes=30)
        poll(registry, state)
    poll(registry, state)
    submissions = {body["submission"] for body in registry.outgoing()}
    assert len(submissions) == 1


# ------------------------------------------------------------------------------------------------- check
def test_S8_a_check_shows_every_record_as_it_is_now(registry: Registry) -> None:
    registry.order()
    p = registry.platform
    assert {row.state for row in activation.rows(p, registry.domain())} == {"unknown"}
    registry.zone.put("mail.x.test", "CNAME", ["web.emailmx.test."])
    registry.zone.put("x.test", "TXT", ["v=spf1 -all"])
    registry.zone.put(f"{TOKENS[0]}._domainkey.x.test", "CNAME", [f"{TOKENS[0]}.dkim.amazonses.com."])
    assert activation.check(p, registry.domain()).state == "pending"
    seen = {(row.name, row.type): row for row in activation.rows(p, registry.domain())}
    assert seen["mail.x.test", "CNAME"].state == "ok"
    assert seen["x.test", "TXT"].state == "wrong"
    assert seen["x.test", "TXT"].seen == ("v=spf1 -all",)
    assert seen[f"{TOKENS[0]}._domainkey.x.test", "CNAME"].state == "ok"
    assert seen[f"{TOKENS[1]}._domainkey.x.test", "CNAME"].state == "missing"
    assert seen["x.test", "MX"].state == "missing"
    assert {row.checked_at for row in seen.values()} == {clocks.now()}


def test_S4_a_check_activates_at_once(registry: Registry) -> None:
    state = start(registry.order())
    registry.point()
    assert activation.check(registry.platform, registry.domain()).state == "live"
    assert poll(registry, state)["next"] == "done"


# ------------------------------------------------------------------------------------------------- drift
def test_S7_an_mx_that_moved_away_is_seen_over_a_day_and_those_concerned_are_told(registry: Registry) -> None:
    live(registry)
    registry.zone.put("x.test", "MX", ["10 mx.else.test."])
    watch(registry, 4)
    assert (registry.domain().state, registry.domain().misses) == ("live", 4)
    assert registry.outgoing() == []
    watch(registry, 2)
    assert registry.domain().state == "mx_lost"
    assert not registry.platform.directory.lookup(["ann@x.test"])["ann@x.test"].local
    [told] = registry.outgoing()
    out = registry.platform.outbox.outgoing(told["submission"])
    assert out
    assert out.envelope.recipients == ("office@house.test",)
    [letter] = registry.letters("ann@x.test")
    assert "From: House Mail <postmaster@x.test>" in letter
    assert "emailmx" not in letter
    assert registry.letters("bob@x.test") == []


def test_S7_looks_that_fail_prove_nothing(registry: Registry) -> None:
    live(registry)
    with failing(registry, MX=""):
        watch(registry, 8)
    assert (registry.domain().state, registry.domain().misses) == ("live", 0)


def test_S7_an_mx_that_comes_and_goes_is_not_lost(registry: Registry) -> None:
    live(registry)
    for _ in range(3):
        registry.zone.delete("x.test", "MX")
        watch(registry, 3)
        registry.point()
        watch(registry, 1)
        assert (registry.domain().misses, registry.domain().missing_since) == (0, None)
    assert registry.domain().state == "live"


def test_S7_nothing_is_lost_and_the_domain_comes_back_with_its_mx(registry: Registry) -> None:
    went_live = live(registry).live_at
    registry.zone.delete("x.test", "MX")
    watch(registry, 6)
    assert registry.domain().state == "mx_lost"
    registry.point()
    watch(registry, 1)
    assert (registry.domain().state, registry.domain().live_at) == ("live", went_live)
    assert len(registry.letters("ann@x.test")) == 1
    registry.zone.delete("x.test", "MX")
    watch(registry, 6)
    assert registry.domain().state == "mx_lost"
    assert len(registry.letters("ann@x.test")) == 2, "each loss is told of"


def test_a_crash_before_the_loss_is_written_tells_nobody_twice(registry: Registry) -> None:
    live(registry)
    registry.zone.delete("x.test", "MX")
    watch(registry, 4)
    with mock.patch.object(type(registry.platform.directory), "change_domain", side_effect=RuntimeError):
        watch(registry, 1)
    assert registry.domain().state == "live"
    watch(registry, 2)
    assert registry.domain().state == "mx_lost"
    assert len({body["submission"] for body in registry.outgoing()}) == 1
    assert len(registry.letters("ann@x.test")) == 1


def test_one_domain_in_trouble_does_not_hide_the_others(registry: Registry) -> None:
    live(registry, "a.test")
    live(registry, "b.test")
    registry.zone.delete("a.test", "MX")
    registry.zone.delete("b.test", "MX")
    real = activation.check

    def check(p: Any, domain: HostedDomain) -> HostedDomain:
        if domain.name == "a.test":
            raise RuntimeError("trouble")
        return real(p, domain)

    with mock.patch.object(activation, "check", check):
        watch(registry, 1)
    assert (registry.domain("a.test").misses, registry.domain("b.test").misses) == (0, 1)


def test_a_domain_whose_mx_is_right_costs_one_question_an_hour(registry: Registry) -> None:
    live(registry)
    with mock.patch.object(Resolver, "lookup", autospec=True, side_effect=Resolver.lookup) as lookup:
        watch(registry, 1)
    assert lookup.call_count == 1
