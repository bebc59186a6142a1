"""The guard against stolen mailboxes: people's mail passes, a thief's does not."""

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rules import guard
from chalicelib.rules.figures import DEFAULT
from chalicelib.rules.guard import Known, Watch

NOW = 1_772_442_000_000
MINUTE = 60_000


def people(number: int, where: str = "far.test") -> list[str]:
    return [f"p{i}@{where}" for i in range(number)]


def send(watch: Watch, to: list[str], now: int) -> Watch:
    return guard.sending(watch, "a1", to, now) or watch


def tripped(watch: Watch, now: int) -> str | None:
    return guard.trips(watch, now, DEFAULT)


@given(st.integers(0, 1_000_000), st.integers(0, 100))
@settings(max_examples=20)
def test_a_newsletter_to_250_known_people_passes_whatever_bounces(start: int, bounces: int) -> None:
    readers, now = people(250, f"r{start}.test"), NOW + start
    watch = send(Watch(), readers, now)
    assert tripped(watch, now) is None, "the first one too"
    for week in range(1, 5):
        now += 7 * 24 * 60 * MINUTE
        watch = guard.count(send(watch, readers, now), now, bounces=bounces)
        assert tripped(watch, now) is None, week


@given(st.integers(0, 1_000_000), st.integers(30, 100))
@settings(max_examples=20)
def test_ten_messages_a_minute_to_50_strangers_with_30_percent_bounces_trip(start: int, percent: int) -> None:
    watch, now = Watch(), NOW + start
    for number in range(10):
        watch = send(watch, people(50, f"v{start}-{number}.test"), now)
        watch = guard.count(watch, now, bounces=percent // 2)
        now += 6_000
    assert tripped(watch, now) == "bounces"


def test_a_thief_with_a_clean_list_trips_within_minutes() -> None:
    watch, now, sent = Watch(), NOW, 0
    while tripped(watch, now) is None:
        watch = send(watch, people(50, f"v{sent}.test"), now)
        sent, now = sent + 1, now + 6_000
    assert sent <= 22
    assert tripped(watch, now) == "strangers"


def test_S29_a_complaint_trips_only_beside_more_than_25_strangers() -> None:
    few = guard.count(send(Watch(), people(25), NOW), NOW, complaints=1)
    many = guard.count(send(Watch(), people(26), NOW), NOW, complaints=1)
    assert tripped(few, NOW) is None
    assert tripped(many, NOW) == "complaints"


def test_the_window_is_an_hour() -> None:
    watch = send(Watch(), people(1_100), NOW)
    assert tripped(watch, NOW + 59 * MINUTE) == "strangers"
    assert tripped(watch, NOW + 71 * MINUTE) is None
    assert guard.count(watch, NOW + 71 * MINUTE, bounces=1).slots == (
        guard.Slot((NOW + 71 * MINUTE) // guard.SLOT, bounces=1),
    )


def test_a_few_known_people_are_not_worth_a_write() -> None:
    watch = send(Watch(), people(10), NOW)
    assert guard.sending(watch, "a1", people(10), NOW) is None
    assert guard.sending(watch, "a1", [], NOW) is None
    assert guard.sending(watch, "a1", [*people(9), "new@far.test"], NOW) is not None
    assert guard.sending(watch, "a2", people(10), NOW) is not None, "each mailbox has its own"


@given(st.lists(st.text(min_size=1, max_size=30), max_size=400, unique_by=str.lower))
def test_who_was_written_to_lately_is_never_a_stranger(addresses: list[str]) -> None:
    known = guard.learn(Known(), "a1", addresses)
    assert guard.strangers(known, "a1", addresses[-guard.SMALLEST :]) == []


def test_the_filters_stay_small_and_keep_telling_strangers() -> None:
    known, everybody = Known(), people(20_000)
    for at in range(0, 20_000, 250):
        known = guard.learn(known, "a1", everybody[at : at + 250])
    assert len(known.current) == len(known.previous) == guard.LARGEST
    assert guard.strangers(known, "a1", everybody[-1_500:]) == []
    new = people(1_000, "elsewhere.test")
    assert len(guard.strangers(known, "a1", new)) > 930, "few are taken for known"


def test_who_is_written_to_every_week_is_not_forgotten_among_others() -> None:
    readers, watch, now = people(250, "readers.test"), Watch(), NOW
    for week in range(30):
        watch, now = send(watch, readers, now), now + 7 * 24 * 60 * MINUTE
        watch = send(watch, people(240, f"week{week}.test"), now)
    assert guard.strangers(watch.known, "a1", readers) == []


def test_only_failures_that_speak_of_bad_addresses_are_bounces() -> None:
    assert all(map(guard.hard, ("5.1.1", "5.0.0", "5.7.1", "5.4.4")))
    assert not any(map(guard.hard, ("5.2.2", "5.3.4", "4.4.7", "5.6.0", "")))
