"""Quota (RFC 9425): the storage of the mailbox, the figure that is enforced (S14)."""

from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json
from chalicelib.jmap.standard import get_answer, wanted_ids, wanted_properties
from chalicelib.services import quota

ID = "storage"
_PROPERTIES = (
    "id", "resourceType", "used", "hardLimit", "warnLimit", "softLimit", "scope", "name", "description",
    "types",
)  # fmt: skip


def get(ctx: Context, args: Json) -> Json:
    """Quota/get."""
    ids = wanted_ids(args)
    properties = wanted_properties(args, _PROPERTIES)
    held = quota.storage(ctx.p, ctx.account)
    figures = ctx.p.figures
    shown: Json = {
        "id": ID,
        "resourceType": "octets",
        "used": held.used,
        "hardLimit": held.limit,
        "warnLimit": held.limit * figures.alert_percent // 100,
        "softLimit": None,
        "scope": "account",
        "name": "Storage",
        "description": None,
        "types": ["Email", "ContactCard"],
    }
    return get_answer(ctx, f"{held.used}-{held.limit}", ids, {ID: shown}, properties)
