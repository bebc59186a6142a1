"""Arguments of a method call, checked as they are read. What is wrong: MethodError invalidArguments."""

import re
from datetime import UTC, datetime

from chalicelib.jmap.errors import Json, MethodError

MAX_INT = 2**53 - 1
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_DATE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, its letters in capitals


def wrong(name: str, expected: str) -> MethodError:
    """invalidArguments with what was expected."""
    return MethodError("invalidArguments", f'"{name}" must be {expected}.', arguments=[name])


def is_id(value: object) -> bool:
    """RFC 8620 §1.2."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def string(args: Json, name: str) -> str:
    """A required string."""
    value = args.get(name)
    if not isinstance(value, str):
        raise wrong(name, "a string")
    return value


def optional_string(args: Json, name: str) -> str | None:
    """A string or null."""
    return None if args.get(name) is None else string(args, name)


def boolean(args: Json, name: str, default: bool = False) -> bool:
    """A boolean, or its default where it is missing or null."""
    value = args.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise wrong(name, "true or false")
    return value


def integer(args: Json, name: str, default: int | None = None, least: int = -MAX_INT) -> int | None:
    """An integer of at least `least`, or its default where it is missing or null."""
    value = args.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_INT:
        raise wrong(name, f"a whole number of at least {least}")
    return value


def strings(args: Json, name: str) -> list[str] | None:
    """A list of strings, or None where it is missing or null."""
    value = args.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise wrong(name, "a list of strings")
    return value


def objects(args: Json, name: str) -> dict[str, Json]:
    """A map of objects; empty where it is missing or null."""
    value = args.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
        raise wrong(name, "a map of objects")
    return value


def state(args: Json, name: str) -> int:
    """A state string of ours as a number; one that was never ours is cannotCalculateChanges."""
    text = string(args, name)
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise MethodError("cannotCalculateChanges", "This state is not known.")
    return int(text)


def date(value: object) -> datetime | None:
    """RFC 8620 §1.4 Date, aware; None where it is none. A fraction of zero is let in: browsers write it."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        when = datetime.fromisoformat(value)
        when.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return when


def utc_date(value: object) -> datetime | None:
    """RFC 8620 §1.4 UTCDate, aware; None where it is none."""
    return date(value) if isinstance(value, str) and value.endswith("Z") else None


def show_date(when: datetime) -> str:
    """UTCDate: whole seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
