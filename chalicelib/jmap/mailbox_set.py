"""Mailbox/set (RFC 8621 §2.5)."""

from typing import Any

from chalicelib.jmap import arguments
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, invalid, set_error
from chalicelib.jmap.mailboxes import PROPERTIES, show
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Folder
from chalicelib.services import mailbox

_SETTABLE = frozenset({"name", "parentId", "sortOrder", "isSubscribed"})
_MAX_EMPTIED = 1_000  # emails removed with their mailbox in one call
_PAGE = 200


def set_(ctx: Context, args: Json) -> Json:
    """Create, rename, move, destroy."""
    old = ctx.state_of("Mailbox")
    asked = SetArguments(args, old)
    empty = arguments.boolean(args, "onDestroyRemoveEmails")
    outcome = Outcome()
    for creation, given in asked.create.items():
        _try(outcome, "notCreated", creation, lambda c=creation, g=given: _create(ctx, outcome, c, g))
    for id, patch in asked.update.items():
        _try(outcome, "notUpdated", id, lambda i=id, g=patch: _update(ctx, outcome, i, g))
    for id in asked.destroy:
        _try(outcome, "notDestroyed", id, lambda i=id: _destroy(ctx, outcome, i, empty))
    ctx.wrote()
    return outcome.finish(ctx, old, ctx.state_of("Mailbox"))


def _try(outcome: Outcome, where: str, id: str, work: Any) -> None:
    try:
        work()
    except SetError as error:
        outcome[where][id] = error.answer
    except ServiceError as error:
        answer = set_error(error)
        outcome[where][id] = answer | ({"type": error.extra["reason"]} if "reason" in error.extra else {})


def _checked(ctx: Context, given: Json) -> Json:
    """What may be set, its references resolved. Raises SetError."""
    unknown = [name for name in given if name not in _SETTABLE]
    if unknown:
        raise invalid("These cannot be set.", *unknown)
    name, parent, sort = given.get("name", ""), given.get("parentId"), given.get("sortOrder", 0)
    if not isinstance(name, str):
        raise invalid("A name is a string.", "name")
    if isinstance(sort, bool) or not isinstance(sort, int) or not 0 <= sort < 2**31:
        raise invalid("A whole number below 2^31.", "sortOrder")
    if given.get("isSubscribed", True) is not True:
        raise invalid("Every mailbox is subscribed to.", "isSubscribed")
    if parent is not None:
        found = ctx.resolve(parent) if isinstance(parent, str) else None
        if found is None or not arguments.is_id(found):
            raise invalid("There is no such parent.", "parentId")
        given = given | {"parentId": found}
    return given


def _create(ctx: Context, outcome: Outcome, creation: str, given: Json) -> None:
    given = _checked(ctx, given)
    if "name" not in given:
        raise invalid("A mailbox has a name.", "name")
    folder = mailbox.create_folder(
        ctx.p, ctx.acct, given["name"], parent=given.get("parentId"), sort=given.get("sortOrder", 10)
    )
    ctx.created[creation] = folder.id
    shown = show(folder)
    outcome["created"][creation] = {p: shown[p] for p in PROPERTIES if p not in given or shown[p] != given[p]}


def _update(ctx: Context, outcome: Outcome, asked: str, patch: Json) -> None:
    id = _known(ctx, asked)
    patch = _checked(ctx, _without_same(ctx, id, patch))
    changed: dict[str, Any] = {}
    if "parentId" in patch:
        changed["parent"] = patch["parentId"]
    folder: Folder = mailbox.rename_folder(
        ctx.p, ctx.acct, id, name=patch.get("name"), sort=patch.get("sortOrder"), **changed
    )
    outcome["updated"][folder.id] = None


def _without_same(ctx: Context, id: str, patch: Json) -> Json:
    """A patch may repeat what cannot be set, if it says what is so already (RFC 8620 §5.3)."""
    if all(name in _SETTABLE for name in patch):
        return patch
    shown = next((show(f) for f in mailbox.folders(ctx.p, ctx.acct) if f.id == id), {})
    return {n: v for n, v in patch.items() if n in _SETTABLE or n not in shown or shown[n] != v}


def _destroy(ctx: Context, outcome: Outcome, asked: str, empty: bool) -> None:
    id = _known(ctx, asked)
    folder = next((f for f in mailbox.folders(ctx.p, ctx.acct) if f.id == id), None)
    if folder is None:
        raise SetError("notFound")
    if folder.role is None and folder.total and empty:
        if folder.total > _MAX_EMPTIED:
            raise SetError(
                "mailboxHasEmail", f"More than {_MAX_EMPTIED} messages: please remove some before."
            )
        _empty(ctx, id)
    mailbox.destroy_folder(ctx.p, ctx.acct, id)
    outcome.destroyed.append(id)


def _empty(ctx: Context, id: str) -> None:
    for _ in range(2 * _MAX_EMPTIED // _PAGE):
        page = mailbox.page(ctx.p, ctx.acct, id, _PAGE)
        if not page.rows:
            return
        mailbox.destroy(ctx.p, ctx.acct, [row.id for row in page.rows])


def _known(ctx: Context, asked: str) -> str:
    id = ctx.resolve(asked)
    if id is None or not arguments.is_id(id):
        raise SetError("notFound")
    return id
