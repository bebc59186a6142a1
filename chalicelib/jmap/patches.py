"""PatchObject (RFC 8620 §5.3): changes of an object, each by a JSON pointer without its leading slash."""

import copy
from typing import Any

from chalicelib.jmap.errors import Json
from chalicelib.rules.errors import Fault, ServiceError


def _refused(path: str, detail: str) -> ServiceError:
    name = path.partition("/")[0].replace("~1", "/").replace("~0", "~")
    return ServiceError("invalid", detail, (Fault(f"/{name}", detail),), {"reason": "invalidPatch"})


def tokens(path: str) -> tuple[str, ...]:
    """The names along a path."""
    return tuple(t.replace("~1", "/").replace("~0", "~") for t in path.split("/"))


def apply(whole: Json, patch: Json) -> Json:
    """A changed copy; null removes. Raises ServiceError invalid, which is invalidPatch in a /set.

    All but the last name of a path must lead through objects that are there, none of them a list, and no
    path may be the beginning of another.
    """
    ways = {path: tokens(path) for path in patch}
    known = set(ways.values())
    for path, way in ways.items():
        if any(way[:length] in known for length in range(1, len(way))):
            raise _refused(path, "A property and a part of it cannot be changed together.")
    changed = copy.deepcopy(whole)
    for path, way in ways.items():
        _set(changed, path, way, patch[path])
    return changed


def _set(whole: Json, path: str, way: tuple[str, ...], value: Any) -> None:
    holder: Any = whole
    for name in way[:-1]:
        holder = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        raise _refused(path, f"{path[:200]} leads to nothing that could be changed.")
    if value is None:
        holder.pop(way[-1], None)
    else:
        holder[way[-1]] = copy.deepcopy(value)
