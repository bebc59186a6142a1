"""Quota (RFC 9425): the storage of the mailbox, the figure that is enforced (S14)."""

import re

from chalicelib.jmap import arguments, querying
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.querying import Result
from chalicelib.jmap.session import CONTACTS, MAIL
from chalicelib.jmap.standard import get_answer, wanted_ids, wanted_properties
from chalicelib.services import quota

ID = "storage"
_PROPERTIES = (
    "id", "resourceType", "used", "hardLimit", "warnLimit", "softLimit", "scope", "name", "description",
    "types",
)  # fmt: skip
_STATE = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
_SORTS = frozenset({"name", "used"})
_FILTERS = frozenset({"name", "scope", "resourceType", "type"})
#: What the quota is of, and the capability of each (S14).
_TYPES = {"Email": MAIL, "ContactCard": CONTACTS}


def _shown(ctx: Context) -> tuple[str, dict[str, Json]]:
    """The state of the only quota, and the quota by its id.

    §4: no type that the client has no capability of, and no quota without a type.
    """
    held = quota.storage(ctx.p, ctx.account)
    types = [name for name, capability in _TYPES.items() if capability in ctx.using]
    shown = {
        "id": ID,
        "resourceType": "octets",
        "used": held.used,
        "hardLimit": held.limit,
        "warnLimit": held.limit * ctx.p.figures.alert_percent // 100,
        "softLimit": None,
        "scope": "account",
        "name": "Storage",
        "description": None,
        "types": types,
    }
    return f"{held.used}-{held.limit}", {ID: shown} if types else {}


def get(ctx: Context, args: Json) -> Json:
    """Quota/get."""
    ids, properties = wanted_ids(args), wanted_properties(args, _PROPERTIES)
    state, shown = _shown(ctx)
    return get_answer(ctx, state, ids, shown, properties)


def changes(ctx: Context, args: Json) -> Json:
    """Quota/changes (RFC 9425 §4.2): what was used and allowed then stands in the state itself."""
    since = arguments.string(args, "sinceState")
    arguments.integer(args, "maxChanges", None, least=1)
    if not _STATE.fullmatch(since):
        raise MethodError("cannotCalculateChanges", "This state is not known.")
    state, shown = _shown(ctx)
    same_limit = since.partition("-")[2] == state.partition("-")[2]
    return {
        "accountId": ctx.acct,
        "oldState": since,
        "newState": state,
        "hasMoreChanges": False,
        "created": [],
        "updated": [] if since == state else list(shown),
        "destroyed": [],
        "updatedProperties": ["used"] if shown and since != state and same_limit else None,
    }


# -------------------------------------------------------------------- query
def query(ctx: Context, args: Json) -> Json:
    """Quota/query (RFC 9425 §4.3); as there is one quota, every order is the same."""
    keep = querying.filter_(args.get("filter"), _condition)
    querying.sort(args, _SORTS, [])
    state, shown = _shown(ctx)
    return querying.window(ctx, args, Result("Quota", state, [id for id, one in shown.items() if keep(one)]))


def _condition(given: Json, name: str) -> querying.Test:
    """One property of a FilterCondition (§4.3.1). Raises MethodError."""
    if name not in _FILTERS:
        raise querying.no_filter(name)
    value = arguments.string(given, name)
    match name:
        case "name":
            return lambda shown: value.casefold() in shown["name"].casefold()
        case "type":
            return lambda shown: value in shown["types"]
    return lambda shown: shown[name] == value
