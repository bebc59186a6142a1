"""Mailbox/set (RFC 8621 §2.5)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chalicelib.jmap import arguments
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, invalid, set_error
from chalicelib.jmap.mailboxes import PROPERTIES, depths, show, show_all
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Folder
from chalicelib.services import mailbox

_SETTABLE = frozenset({"name", "parentId", "sortOrder", "isSubscribed"})
_MAX_EMPTIED = 2_000  # emails removed with their mailboxes in one call: some ten seconds
_PAGE = 200


def set_(ctx: Context, args: Json) -> Json:
    """Create, rename, move, destroy."""
    old = ctx.state_of("Mailbox")
    asked = SetArguments(args, old)
    empty = arguments.boolean(args, "onDestroyRemoveEmails")
    outcome = Outcome()
    for creation in _parents_first(asked.create):
        given = asked.create[creation]
        _try(outcome, "notCreated", creation, partial(_create, ctx, outcome, creation, given))
    for id, patch in asked.update.items():
        _try(outcome, "notUpdated", id, partial(_update, ctx, outcome, id, patch))
    if asked.destroy:
        _destroy_all(ctx, outcome, asked.destroy, empty)
    ctx.wrote()
    return outcome.finish(ctx, old, ctx.state_of("Mailbox"))


def _try(outcome: Outcome, where: str, id: str, work: Callable[[], None]) -> None:
    try:
        work()
    except SetError as error:
        outcome[where][id] = error.answer
    except ServiceError as error:
        outcome[where][id] = set_error(error)


# ----------------------------------------------------------- create, update
def _parents_first(create: Mapping[str, Json]) -> list[str]:
    """Creation ids, each after the one that it names as its parent: a JSON object has no order."""
    out: dict[str, None] = {}
    for creation in create:
        line, parent = [creation], create[creation].get("parentId")
        while isinstance(parent, str) and parent[:1] == "#" and parent[1:] in create:
            if parent[1:] in line:
                break
            line.append(parent[1:])
            parent = create[parent[1:]].get("parentId")
        out.update(dict.fromkeys(reversed(line)))
    return list(out)


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
    if not isinstance(given.get("isSubscribed", True), bool):
        raise invalid("This is true or false.", "isSubscribed")
    if parent is not None:
        found = ctx.resolve(parent) if isinstance(parent, str) else None
        if found is None or not arguments.is_id(found):
            raise invalid("There is no such parent.", "parentId")
        given = given | {"parentId": found}
    return given


def _create(ctx: Context, outcome: Outcome, creation: str, given: Json) -> None:
    given = _checked(ctx, {n: v for n, v in given.items() if n != "role" or v is not None})
    if "name" not in given:
        raise invalid("A mailbox has a name.", "name")
    folder = mailbox.create_folder(
        ctx.p,
        ctx.acct,
        given["name"],
        parent=given.get("parentId"),
        sort=given.get("sortOrder", 10),
        subscribed=given.get("isSubscribed", True),
    )
    ctx.created[creation] = folder.id
    depth = depths(mailbox.folders(ctx.p, ctx.acct)).get(folder.id, 1) if folder.parent else 1
    shown = show(folder, depth)
    outcome["created"][creation] = {p: shown[p] for p in PROPERTIES if p not in given or shown[p] != given[p]}


def _update(ctx: Context, outcome: Outcome, asked: str, patch: Json) -> None:
    id = _known(ctx, asked)
    patch = _checked(ctx, _without_same(ctx, id, patch))
    changed: dict[str, Any] = {}
    if "parentId" in patch:
        changed["parent"] = patch["parentId"]
    folder: Folder = mailbox.rename_folder(
        ctx.p,
        ctx.acct,
        id,
        name=patch.get("name"),
        sort=patch.get("sortOrder"),
        subscribed=patch.get("isSubscribed"),
        **changed,
    )
    outcome["updated"][folder.id] = None


def _without_same(ctx: Context, id: str, patch: Json) -> Json:
    """A patch may repeat what cannot be set, if it says what is so already (RFC 8620 §5.3)."""
    if all(name in _SETTABLE for name in patch):
        return patch
    shown = show_all(mailbox.folders(ctx.p, ctx.acct)).get(id, {})
    return {n: v for n, v in patch.items() if n in _SETTABLE or n not in shown or shown[n] != v}


def _known(ctx: Context, asked: str) -> str:
    id = ctx.resolve(asked)
    if id is None or not arguments.is_id(id):
        raise SetError("notFound")
    return id


# ------------------------------------------------------------------ destroy
def _destroy_all(ctx: Context, outcome: Outcome, given: list[str], empty: bool) -> None:
    """Mailboxes below others go first. What holds more mail than a call may remove keeps all of it."""
    folders = {folder.id: folder for folder in mailbox.folders(ctx.p, ctx.acct)}
    depth, left = depths(list(folders.values())), _MAX_EMPTIED
    for asked in sorted(given, key=lambda id: -depth.get(ctx.resolve(id) or "", 0)):
        folder = folders.get(ctx.resolve(asked) or "")
        if folder is None:
            outcome["notDestroyed"][asked] = {"type": "notFound"}
            continue
        mail = folder.total if empty and _is_free(folder, folders, outcome) else 0
        if mail > left:
            detail = f"At most {_MAX_EMPTIED} messages are removed at once: please remove some first."
            outcome["notDestroyed"][asked] = {"type": "mailboxHasEmail", "description": detail}
            continue
        left -= mail
        _try(outcome, "notDestroyed", asked, partial(_destroy, ctx, outcome, folder, mail > 0))


def _is_free(folder: Folder, folders: Mapping[str, Folder], outcome: Outcome) -> bool:
    """Whether nothing but mail keeps a mailbox from being destroyed."""
    below = any(f.parent == folder.id and f.id not in outcome.destroyed for f in folders.values())
    return folder.role is None and not below


def _destroy(ctx: Context, outcome: Outcome, folder: Folder, empty: bool) -> None:
    if empty:
        _empty(ctx, folder.id)
    mailbox.destroy_folder(ctx.p, ctx.acct, folder.id)
    outcome.destroyed.append(folder.id)


def _empty(ctx: Context, id: str) -> None:
    """Destroy the emails of a mailbox. What comes in meanwhile is left after some pages: it is kept then."""
    for _ in range(1 + 2 * _MAX_EMPTIED // _PAGE):
        page = mailbox.page(ctx.p, ctx.acct, id, _PAGE)
        if not page.rows:
            return
        mailbox.destroy(ctx.p, ctx.acct, [row.id for row in page.rows])
