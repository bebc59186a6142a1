"""Identity (RFC 8621 §6): whom the account may send as. For now its one address."""

from hashlib import sha256

from chalicelib.jmap import arguments
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.standard import get_answer, wanted_ids, wanted_properties
from chalicelib.rules.values import Account


def identity_id(account: Account) -> str:
    """The id of the account's own identity."""
    return f"i{account.id}"


def _identity(account: Account) -> Json:
    return {
        "id": identity_id(account),
        "name": account.name,
        "email": account.address,
        "replyTo": None,
        "bcc": None,
        "textSignature": "",
        "htmlSignature": "",
        "mayDelete": False,
    }


def _state(account: Account) -> str:
    return sha256(f"{account.name}\0{account.address}".encode()).hexdigest()[:16]


def get(ctx: Context, args: Json) -> Json:
    """Identity/get."""
    own = _identity(ctx.account)
    ids, properties = wanted_ids(args), wanted_properties(args, own)
    return get_answer(ctx, _state(ctx.account), ids, {own["id"]: own}, properties)


def changes(ctx: Context, args: Json) -> Json:
    """Identity/changes: nothing since the present state; before it, nothing is known."""
    since = arguments.string(args, "sinceState")
    state = _state(ctx.account)
    if since != state:
        raise MethodError("cannotCalculateChanges", "Please get the identities again.")
    answer: Json = {"accountId": ctx.acct, "oldState": since, "newState": state, "hasMoreChanges": False}
    return answer | {"created": [], "updated": [], "destroyed": []}
