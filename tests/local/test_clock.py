"""The test clock: from due event to due event, quiet at each."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.clock import Clock


@pytest.fixture
def clock() -> Iterator[Clock]:
    running = Clock()
    running.start()
    yield running
    running.stop()


def test_advance_fires_in_order_each_at_its_own_moment(clock: Clock) -> None:
    start, fired = clock.time(), list[tuple[str, int]]()
    for name, hours in (("late", 9), ("first", 1), ("middle", 4)):
        clock.at(start + hours * 3600, lambda name=name: fired.append((name, round(clock.time() - start))))  # type: ignore[misc]
    clock.advance(timedelta(hours=6))
    assert fired == [("first", 3600), ("middle", 14400)]
    assert 6 * 3600 <= clock.time() - start < 6 * 3600 + 5
    clock.advance(timedelta(hours=6))
    assert fired[2] == ("late", 32400)


def test_what_a_due_event_plans_is_met_on_the_way(clock: Clock) -> None:
    """A retry every 3 hours, planned by the one before, over 3 days."""
    start, fired = clock.time(), list[float]()

    def again() -> None:
        fired.append(clock.time() - start)
        clock.at(clock.time() + 3 * 3600, again)

    clock.at(start + 3 * 3600, again)
    clock.advance(timedelta(days=3))
    assert [round(moment / 3600, 2) for moment in fired] == [3.0 * n for n in range(1, 25)]


def test_what_is_patient_waits_for_a_stop_and_is_not_one(clock: Clock) -> None:
    start, fired = clock.time(), list[tuple[str, int]]()

    def note(name: str) -> None:
        fired.append((name, round(clock.time() - start)))

    clock.at(start + 60, lambda: note("patient"), patient=True)
    clock.at(start + 3600, lambda: note("stop"))
    clock.advance(timedelta(hours=2))
    assert fired == [("patient", 3600), ("stop", 3600)]
    clock.at(start + 7260, lambda: note("late"), patient=True)
    clock.advance(timedelta(hours=1))
    assert fired[2] == ("late", 3 * 3600)


def test_time_stands_still_until_the_work_of_a_moment_is_done(clock: Clock) -> None:
    start, seen, threads = clock.time(), list[int](), list[threading.Thread]()
    gate = threading.Event()

    def work() -> None:
        gate.wait(5)
        seen.append(round(clock.time() - start))
        clock.release("work")

    def due() -> None:
        clock.hold("work")
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        threading.Timer(0.05, gate.set).start()

    clock.at(start + 3600, due)
    clock.at(start + 7200, lambda: seen.append(-1))
    clock.advance(timedelta(hours=3))
    assert seen == [3600, -1]


def test_a_cancelled_timer_does_not_fire(clock: Clock) -> None:
    fired: list[int] = []
    clock.at(clock.time() + 60, lambda: fired.append(1)).cancel()
    clock.advance(timedelta(minutes=2))
    assert fired == []


def test_a_failing_timer_harms_nobody(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    fired: list[int] = []
    clock.at(clock.time() + 60, lambda: fired.remove(7), "bad one")
    clock.at(clock.time() + 61, lambda: fired.append(1))
    clock.advance(timedelta(minutes=2))
    assert fired == [1]
    assert "bad one" in caplog.text


def test_timers_fire_in_real_time_too(clock: Clock) -> None:
    fired = threading.Event()
    clock.at(clock.time() + 0.05, fired.set)
    assert fired.wait(5)


def test_who_is_busy_is_named(clock: Clock) -> None:
    with clock.busy("a stuck worker"), pytest.raises(TimeoutError, match="a stuck worker"):
        clock.quiesce(0.05)
    clock.quiesce(1)


def test_backwards_is_refused(clock: Clock) -> None:
    with pytest.raises(ValueError, match="forward"):
        clock.advance(timedelta(seconds=-1))
