"""Following what changed (S40): events in an order that never changes once it was seen."""

from collections.abc import Collection
from dataclasses import dataclass

from chalicelib.aws import clock
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.journal import SETTLES, Event, as_told, ids_before, is_id, is_type, of_types
from chalicelib.services.platform import Platform

SCANNED = 200  # events that are looked through for types, at a time


@dataclass(frozen=True, slots=True)
class Passed:
    """Some events, oldest first. `cursor`: the id to go on after, of the last event that was looked at."""

    events: tuple[Event, ...]
    cursor: str
    more: bool


def latest() -> str:
    """The place after all that has settled until now."""
    return ids_before(clock.now() - SETTLES) + "0" * 12


def following(p: Platform, reseller: str, after: str, limit: int, types: Collection[str] = ()) -> Passed:
    """Events after an id ("": from the oldest that is kept) that have settled.

    Raises ServiceError bad_request.
    """
    if after and not is_id(after):
        raise ServiceError("bad_request", "after is the id of an event.")
    if wrong := sorted(name for name in types if not is_type(name)):
        raise ServiceError("bad_request", f"Not a type of events: {', '.join(wrong)[:200]}.")
    before = ids_before(clock.now() - SETTLES)
    found, more = p.journal.following(reseller, after, before, SCANNED if types else limit)
    wanted = [event for event in found if of_types(event, types)]
    if len(wanted) >= limit:
        last = wanted[limit - 1].id
        return Passed(_told(wanted[:limit]), last, more or last != found[-1].id)
    return Passed(_told(wanted), found[-1].id if found else after, more)


def _told(events: Collection[Event]) -> tuple[Event, ...]:
    return tuple(as_told(event) for event in events)
