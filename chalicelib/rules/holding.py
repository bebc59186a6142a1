"""Messages that are held before they leave, so that they can be called back (RFC 4865, RFC 8621 §7). Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from chalicelib.rules.errors import Fault, ServiceError

LONGEST = timedelta(days=7)  # the blob of an email that was destroyed stays 15: this, and S27's three days
MOST_DIGITS = 9  # RFC 4865 §4
NAMES = frozenset({"HOLDFOR", "HOLDUNTIL"})


def _wrong(detail: str) -> ServiceError:
    return ServiceError("invalid", detail, (Fault("/envelope", detail),))


def until(held: Mapping[str, str], now: datetime) -> datetime:
    """When a message with these parameters of MAIL may leave; `now` where none asks for later.

    Raises ServiceError invalid.
    """
    if len(held) > 1:
        raise _wrong("Only one of HOLDFOR and HOLDUNTIL can be given.")
    for name, value in held.items():
        at = _after(value, now) if name == "HOLDFOR" else _at(value)
        if at - now > LONGEST:
            raise _wrong(f"A message can be held {LONGEST.days} days at most.")
        return max(at, now)
    return now


def _after(value: str, now: datetime) -> datetime:
    if not value.isascii() or not value.isdigit() or len(value) > MOST_DIGITS:
        raise _wrong("HOLDFOR is a number of seconds.")
    return now + timedelta(seconds=int(value))


def _at(value: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        at = None
    if at is None or "T" not in value or at.tzinfo is None:
        raise _wrong("HOLDUNTIL is a date and time with its zone, as 2030-01-31T08:00:00Z.")
    return at
