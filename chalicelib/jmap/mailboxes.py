"""Mailbox/get, /changes and /query (RFC 8621 §2)."""

from collections.abc import Callable
from typing import Any

from chalicelib.jmap import arguments, limits, querying, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json
from chalicelib.jmap.querying import By, Result
from chalicelib.rules.values import Folder
from chalicelib.services import mailbox


def show(folder: Folder, depth: int = 1) -> Json:
    """A Mailbox object; `depth`: 1 at the top."""
    free = folder.role is None
    return {
        "id": folder.id,
        "name": folder.name,
        "parentId": folder.parent,
        "role": folder.role,
        "sortOrder": folder.sort,
        "totalEmails": folder.total,
        "unreadEmails": folder.unread,
        "totalThreads": folder.threads,
        "unreadThreads": folder.unread_threads,
        "myRights": {
            "mayReadItems": True,
            "mayAddItems": True,
            "mayRemoveItems": True,
            "maySetSeen": True,
            "maySetKeywords": True,
            "mayCreateChild": depth < limits.MAX_MAILBOX_DEPTH,
            "mayRename": True,
            "mayDelete": free,
            "maySubmit": True,
        },
        "isSubscribed": folder.subscribed,
    }


PROPERTIES = tuple(show(Folder("", "", None, None, 0, 0, 0, 0, 0, 0, 0)))


def get(ctx: Context, args: Json) -> Json:
    """Mailbox/get."""
    ids, properties = standard.wanted_ids(args), standard.wanted_properties(args, PROPERTIES)
    state = ctx.state_of("Mailbox")
    found = show_all(mailbox.folders(ctx.p, ctx.acct))
    return standard.get_answer(ctx, state, ids, found, properties)


def show_all(folders: list[Folder]) -> dict[str, Json]:
    """Mailbox objects by id."""
    depth = depths(folders)
    return {folder.id: show(folder, depth[folder.id]) for folder in folders}


def depths(folders: list[Folder]) -> dict[str, int]:
    """How deep each folder is; 1 at the top."""
    parents = {folder.id: folder.parent for folder in folders}

    def depth(id: str | None) -> int:
        return 1 + depth(parents[id]) if id in parents else 0

    return {id: depth(id) for id in parents}


def changes(ctx: Context, args: Json) -> Json:
    """Mailbox/changes, with updatedProperties where only counters moved."""
    return standard.changes(ctx, args, "Mailbox")


# -------------------------------------------------------------------- query
def query(ctx: Context, args: Json) -> Json:
    """Mailbox/query (RFC 8621 §2.3)."""
    return querying.window(ctx, args, _found(ctx, args))


def query_changes(ctx: Context, args: Json) -> Json:
    """Mailbox/queryChanges (RFC 8621 §2.4)."""
    return querying.query_changes(ctx, args, _found(ctx, args))


def _found(ctx: Context, args: Json) -> Result:
    """In memory: an account has few mailboxes. In a tree, a mailbox moves with its parent."""
    state = ctx.state_of("Mailbox")
    folders = mailbox.folders(ctx.p, ctx.acct)
    keep = querying.filter_(args.get("filter"), _condition)
    order = querying.comparators(args, _SORTS, _ORDER, _TEXTS)
    chosen = [folder for folder in folders if keep(folder)]
    querying.in_order(chosen, order, _SORTS, _TEXTS)
    tree, rooted = arguments.boolean(args, "sortAsTree"), arguments.boolean(args, "filterAsTree")
    if tree:
        chosen = _as_tree(chosen, folders, rooted)
    elif rooted:
        chosen = _rooted(chosen)
    return Result("Mailbox", state, [folder.id for folder in chosen], followed=not (tree or rooted))


_SORTS: dict[str, Callable[[Folder], Any]] = {
    "sortOrder": lambda folder: folder.sort,
    "name": lambda folder: folder.name,
    "parentId": lambda folder: folder.parent or "",
}
_TEXTS = frozenset({"name"})
_ORDER = [By("sortOrder", ascending=True), By("name", ascending=True)]


def _condition(given: Json, name: str) -> Callable[[Folder], bool]:
    value = given[name]
    if name in ("parentId", "role") and (value is None or isinstance(value, str)):
        return lambda folder: (folder.parent if name == "parentId" else folder.role) == value
    if name == "name" and isinstance(value, str):
        return lambda folder: value.casefold() in folder.name.casefold()
    if name in ("hasAnyRole", "isSubscribed") and isinstance(value, bool):
        return lambda folder: (
            value == (folder.role is not None if name == "hasAnyRole" else folder.subscribed)
        )
    if name in ("parentId", "role", "name", "hasAnyRole", "isSubscribed"):
        raise arguments.wrong(name, "of the right type")
    raise querying.no_filter(name)


def _rooted(chosen: list[Folder]) -> list[Folder]:
    """Those whose every ancestor was chosen too."""
    known = {folder.id: folder for folder in chosen}

    def whole(folder: Folder) -> bool:
        return folder.parent is None or (folder.parent in known and whole(known[folder.parent]))

    return [folder for folder in chosen if whole(folder)]


def _as_tree(chosen: list[Folder], every: list[Folder], rooted: bool) -> list[Folder]:
    """Children after their parent, each level in the order given; `every` links across gaps."""
    if rooted:
        chosen = _rooted(chosen)
    picked, order = {f.id for f in chosen}, [*chosen, *(f for f in every if f not in chosen)]
    out: list[Folder] = []

    def below(parent: str | None) -> None:
        for folder in order:
            if folder.parent == parent:
                out.append(folder)
                below(folder.id)

    below(None)
    return [folder for folder in out if folder.id in picked]
