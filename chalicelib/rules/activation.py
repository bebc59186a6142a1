"""When a domain goes live, when it stops, and when to look again (S4, S6, S7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.rules.dnsrecords import Judgement
from chalicelib.rules.figures import Figures

FIRST_DAY = timedelta(days=1)


def may_activate(mx: Judgement, *, identity_gate: bool, identity_verified: bool) -> bool:
    """S4, and the second gate of clouds where an identity must be verified before mail can come in."""
    return mx == "ok" and (identity_verified or not identity_gate)


def wait(age: timedelta, figures: Figures) -> timedelta:
    """Until the next poll of a domain ordered so long ago: never above half of S4's 60 minutes."""
    return figures.poll_every if age < FIRST_DAY else figures.poll_later


def notice_due(age: timedelta, figures: Figures) -> bool:
    """S6: the reseller is told once that the MX is still not there."""
    return age >= figures.notice_after


def run_is_full(polls: int, figures: Figures) -> bool:
    """Whether the execution ends here and a fresh one goes on: its history is bounded."""
    return polls >= figures.polls_per_run


@dataclass(frozen=True, slots=True)
class Drift:
    """S7: definite looks without our MX in a row, and the time of the first."""

    misses: int = 0
    since: datetime | None = None


def drift(before: Drift, mx: Judgement, now: datetime) -> Drift:
    """After one more look at a live domain's MX. A failed look changes nothing, a good one forgets all."""
    if mx == "unknown":
        return before
    if mx == "ok":
        return Drift()
    return Drift(before.misses + 1, before.since or now)


def lost(seen: Drift, now: datetime, figures: Figures) -> bool:
    """S7: whether the MX has moved away for good: several looks, over time, none of them good."""
    if seen.since is None:
        return False
    return seen.misses >= figures.mx_lost_checks and now - seen.since >= figures.mx_lost_after
