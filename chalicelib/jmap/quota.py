"""Quota (RFC 9425): the storage of the mailbox, the figure that is enforced (S14)."""

from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json
from chalicelib.jmap.standard import get_answer, wanted_ids, wanted_properties

ID = "storage"
_PROPERTIES = (
    "id", "resourceType", "used", "hardLimit", "warnLimit", "softLimit", "scope", "name", "description",
    "types",
)  # fmt: skip


def get(ctx: Context, args: Json) -> Json:
    """Quota/get."""
    ids = wanted_ids(args)
    properties = wanted_properties(args, _PROPERTIES)
    state = ctx.state()
    limit = ctx.account.quota_bytes
    quota: Json = {
        "id": ID,
        "resourceType": "octets",
        "used": state.used_bytes,
        "hardLimit": limit,
        "warnLimit": limit * 8 // 10,  # S15
        "softLimit": None,
        "scope": "account",
        "name": "Storage",
        "description": None,
        "types": ["Email"],
    }
    return get_answer(ctx, f"{state.used_bytes}-{limit}", ids, {ID: quota}, properties)
