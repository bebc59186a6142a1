"""A request with an Idempotency-Key that came before."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.rules.repeats import KEPT, LEASE, Verdict, verdict, well_formed

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CASES: list[tuple[timedelta, bool, bool, Verdict]] = [
    (SECOND, False, True, "running"),
    (SECOND, False, False, "other"),
    (SECOND, True, True, "same"),
    (SECOND, True, False, "other"),
    (LEASE - SECOND, False, True, "running"),
    (LEASE, False, True, "new"),
    (LEASE, False, False, "new"),
    (LEASE, True, True, "same"),
    (KEPT - SECOND, True, True, "same"),
    (KEPT, True, True, "new"),
    (KEPT, True, False, "new"),
]


@pytest.mark.parametrize(("age", "done", "alike", "wanted"), CASES)
def test_a_repeat(age: timedelta, done: bool, alike: bool, wanted: Verdict) -> None:
    claimed = NOW - age
    got = verdict(now=NOW, claimed_at=claimed, expires_at=claimed + KEPT, done=done, alike=alike)
    assert got == wanted


def test_a_key_is_short_and_printable() -> None:
    assert all(well_formed(key) for key in ("k", "k" * 255))
    assert not any(well_formed(key) for key in ("", "k" * 256, "a\nb", "ü", "\ud800"))
