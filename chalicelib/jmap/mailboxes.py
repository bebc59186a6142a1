"""Mailbox/get, /changes and /query (RFC 8621 §2)."""

from collections.abc import Callable
from typing import Any

from chalicelib.jmap import arguments, limits, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
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
    """Mailbox/query (RFC 8621 §2.3), in memory: an account has few mailboxes."""
    state = ctx.state_of("Mailbox")
    folders = mailbox.folders(ctx.p, ctx.acct)
    keep = _filter(args.get("filter"))
    chosen = [folder for folder in folders if keep(folder)]
    for name, ascending in reversed(_sort(args)):
        chosen.sort(key=_SORTS[name], reverse=not ascending)
    if arguments.boolean(args, "sortAsTree"):
        chosen = _as_tree(chosen, folders, arguments.boolean(args, "filterAsTree"))
    elif arguments.boolean(args, "filterAsTree"):
        chosen = _rooted(chosen)
    return window(ctx, args, state, [folder.id for folder in chosen])


def window(
    ctx: Context, args: Json, state: str, ids: list[str], most: int = limits.MAX_OBJECTS_IN_GET
) -> Json:
    """The part of a whole result that a /query asked for (RFC 8620 §5.5); `most`: ids in an answer."""
    at = arguments.integer(args, "position", 0) or 0
    anchor = arguments.optional_string(args, "anchor")
    if anchor is not None:
        if anchor not in ids:
            raise MethodError("anchorNotFound")
        at = max(0, ids.index(anchor) + (arguments.integer(args, "anchorOffset", 0) or 0))
    elif at < 0:
        at = max(0, len(ids) + at)
    asked = arguments.integer(args, "limit", None, least=0)
    given = most if asked is None else min(asked, most)
    answer: Json = {
        "accountId": ctx.acct,
        "queryState": state,
        "canCalculateChanges": False,
        "position": at,
        "ids": ids[at : at + given],
    }
    if arguments.boolean(args, "calculateTotal"):
        answer["total"] = len(ids)
    if asked is None or asked > given:
        answer["limit"] = given
    return answer


_SORTS: dict[str, Callable[[Folder], Any]] = {
    "sortOrder": lambda folder: folder.sort,
    "name": lambda folder: folder.name.casefold(),
    "parentId": lambda folder: folder.parent or "",
}


def _sort(args: Json) -> list[tuple[str, bool]]:
    given = args.get("sort")
    if given is None:
        return [("sortOrder", True), ("name", True)]
    if not isinstance(given, list) or not all(isinstance(c, dict) for c in given):
        raise arguments.wrong("sort", "a list of comparators")
    out = []
    for comparator in given:
        name = arguments.string(comparator, "property")
        if name not in _SORTS:
            raise MethodError("unsupportedSort", f"Mailboxes cannot be sorted by {name[:100]}.")
        if arguments.optional_string(comparator, "collation") is not None:
            raise MethodError("unsupportedSort", "There are no collations here.")
        out.append((name, arguments.boolean(comparator, "isAscending", True)))
    return out


def _filter(given: Any) -> Callable[[Folder], bool]:
    """A filter or an operator over filters as a test."""
    if given is None:
        return lambda _folder: True
    if not isinstance(given, dict):
        raise arguments.wrong("filter", "an object or null")
    if "operator" in given:
        return operator(given, _filter)
    tests = [_condition(name, value) for name, value in given.items()]
    return lambda folder: all(test(folder) for test in tests)


def operator(given: Json, read: Callable[[Any], Callable[[Any], bool]]) -> Callable[[Any], bool]:
    """AND, OR, NOT over conditions (RFC 8620 §5.5)."""
    conditions = given.get("conditions")
    if not isinstance(conditions, list):
        raise arguments.wrong("conditions", "a list")
    tests = [read(condition) for condition in conditions]
    match given["operator"]:
        case "AND":
            return lambda row: all(test(row) for test in tests)
        case "OR":
            return lambda row: any(test(row) for test in tests)
        case "NOT":
            return lambda row: not any(test(row) for test in tests)
    raise arguments.wrong("operator", "AND, OR or NOT")


def _condition(name: str, value: Any) -> Callable[[Folder], bool]:
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
    raise MethodError("unsupportedFilter", f"There is no filter {name[:100]}.")


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
