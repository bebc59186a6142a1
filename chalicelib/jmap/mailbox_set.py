"""Mailbox/set (RFC 8621 §2.5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from chalicelib.jmap import arguments, patches
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, check, set_error
from chalicelib.jmap.mailboxes import PROPERTIES, depths, show, show_all
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules import folders
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.folders import Wish
from chalicelib.rules.values import Folder
from chalicelib.services import mailbox

_DEFAULTS: Json = {"parentId": None, "sortOrder": 10, "isSubscribed": True}  # 10: after those with roles
_FIELDS = {"name": "name", "parentId": "parent", "sortOrder": "sort", "isSubscribed": "subscribed"}
_MAX_EMPTIED = 2_000  # emails removed with their mailboxes in one call: some ten seconds
_PAGE = 200


@dataclass(frozen=True, slots=True)
class _Ask:
    """One object of the call."""

    refused_in: Literal["notCreated", "notUpdated", "notDestroyed"]
    key: str
    given: Json


def set_(ctx: Context, args: Json) -> Json:
    """Create, rename, move, destroy: what is only possible together is done together (RFC 8620 §5.3)."""
    old = ctx.state_of("Mailbox")
    asked = SetArguments(args, old)
    empty = arguments.boolean(args, "onDestroyRemoveEmails")
    outcome = Outcome()
    asks = [_Ask("notCreated", key, given) for key, given in asked.create.items()]
    asks += [_Ask("notUpdated", key, patch) for key, patch in asked.update.items()]
    asks += [_Ask("notDestroyed", key, {}) for key in asked.destroy]
    while asks:
        asks = _round(ctx, outcome, asks, empty)
    ctx.wrote()
    return outcome.finish(ctx, old, ctx.state_of("Mailbox"))


def _round(ctx: Context, outcome: Outcome, asks: list[_Ask], empty: bool) -> list[_Ask]:
    """One ask for each mailbox; those that are left: a second one, or one of what was just created."""
    there = mailbox.folders(ctx.p, ctx.acct)
    shown = show_all(there)
    now, later = _turns(ctx, asks, depths(there))
    wishes: dict[str, Wish] = {}
    for id, ask in now.items():
        try:
            wishes[id] = _wish(ctx, ask, id, shown.get(id), now)
        except SetError as error:
            outcome[ask.refused_in][ask.key] = error.answer
        except ServiceError as error:
            outcome[ask.refused_in][ask.key] = set_error(error)
    if empty:
        _make_room(ctx, outcome, now, there, wishes)
    results = mailbox.change_folders(ctx.p, ctx.acct, wishes.values())
    placed = any(isinstance(one, Folder) and one.parent for one in results.values())
    levels = depths(mailbox.folders(ctx.p, ctx.acct)) if placed else {}
    for id in wishes:
        _report(ctx, outcome, now[id], results[id], levels, shown.get(id, {}))
    return later


def _turns(ctx: Context, asks: list[_Ask], levels: Mapping[str, int]) -> tuple[dict[str, _Ask], list[_Ask]]:
    """The first ask of each mailbox by its id, or `#` and its creation id; and the others. Mailboxes below
    others are destroyed first."""
    now: dict[str, _Ask] = {f"#{ask.key}": ask for ask in asks if ask.refused_in == "notCreated"}
    later: list[_Ask] = []
    ends = [ask for ask in asks if ask.refused_in == "notDestroyed"]
    ends.sort(key=lambda ask: -levels.get(ctx.resolve(ask.key) or "", 0))
    for ask in [*(ask for ask in asks if ask.refused_in == "notUpdated"), *ends]:
        id = ctx.resolve(ask.key) or ask.key
        if ask.key in now or id in now:
            later.append(ask)
        else:
            now[id] = ask
    return now, later


# ------------------------------------------------------------------ reading
def _wish(ctx: Context, ask: _Ask, id: str, shown: Json | None, now: Mapping[str, _Ask]) -> Wish:
    """What is asked for, as far as it can be judged by itself. Raises SetError, ServiceError invalidPatch."""
    if ask.refused_in == "notDestroyed":
        return Wish(id)
    if ask.refused_in == "notCreated":
        given = {"name": None, **ask.given}
        unknown = [n for n, v in ask.given.items() if n not in _FIELDS and (n, v) != ("role", None)]
    elif shown is None:
        raise SetError("notFound")
    else:
        after = patches.apply(shown, ask.given)
        unknown = [n for n in {*shown, *after} - _FIELDS.keys() if shown.get(n) != after.get(n)]
        given = {n: after.get(n, _DEFAULTS.get(n)) for n in _FIELDS if n in ask.given}
    wrong = dict.fromkeys(sorted(unknown), "This cannot be set.") | _faults(ctx, given, now)
    check(wrong)
    fields = {_FIELDS[n]: value for n, value in given.items() if n in _FIELDS}
    if given.get("parentId") is not None:
        fields["parent"] = _parent(ctx, given["parentId"], now)
    return Wish(id, fields, new=ask.refused_in == "notCreated")


def _faults(ctx: Context, given: Json, now: Mapping[str, _Ask]) -> dict[str, str]:
    """What is wrong, by property."""
    wrong: dict[str, str] = {}
    if "name" in given:
        name = given["name"]
        detail = folders.name_fault(name) if isinstance(name, str) else "A mailbox has a name, a string."
        wrong |= {"name": detail} if detail else {}
    sort = given.get("sortOrder", 0)
    if isinstance(sort, bool) or not isinstance(sort, int) or not 0 <= sort < 2**31:
        wrong["sortOrder"] = "This is a whole number below 2^31."
    if not isinstance(given.get("isSubscribed", True), bool):
        wrong["isSubscribed"] = "This is true or false."
    parent = given.get("parentId")
    if parent is not None and _parent(ctx, parent, now) is None:
        wrong["parentId"] = "There is no such parent."
    return wrong


def _parent(ctx: Context, given: Any, now: Mapping[str, _Ask]) -> str | None:
    """The id of a parent, or what stands for it until it is created; None for what is no id."""
    if not isinstance(given, str) or given in now:
        return given if isinstance(given, str) else None
    found = ctx.resolve(given)
    return found if arguments.is_id(found) else None


# ---------------------------------------------------------------- reporting
def _report(
    ctx: Context,
    outcome: Outcome,
    ask: _Ask,
    result: Folder | ServiceError | None,
    levels: Mapping[str, int],
    before: Json,
) -> None:
    """What became of an ask, with what its client does not know yet."""
    if isinstance(result, ServiceError):
        outcome[ask.refused_in][ask.key] = set_error(result)
        return
    if result is None:
        outcome.destroyed.append(ctx.resolve(ask.key) or ask.key)
        return
    shown = show(result, levels.get(result.id, 1))
    if ask.refused_in == "notCreated":
        ctx.created[ask.key] = result.id
        news = {n: shown[n] for n in PROPERTIES if n not in ask.given or shown[n] != ask.given[n]}
        outcome["created"][ask.key] = news
        return
    news = {n: shown[n] for n, value in ask.given.items() if n in _FIELDS and shown[n] != value}
    if shown["myRights"] != before["myRights"]:
        news["myRights"] = shown["myRights"]
    outcome["updated"][result.id] = news or None


# ------------------------------------------------------------------ destroy
def _make_room(
    ctx: Context,
    outcome: Outcome,
    now: Mapping[str, _Ask],
    there: Iterable[Folder],
    wishes: dict[str, Wish],
) -> None:
    """Destroy the emails of mailboxes that nothing else keeps from being destroyed. What holds more mail than
    a call may remove keeps all of it, and its wish is refused."""
    mail = {folder.id: folder.total for folder in there}
    bare, left = [replace(folder, total=0) for folder in there], _MAX_EMPTIED
    for id in _ends(bare, wishes):
        if mail[id] > left:
            detail = f"At most {_MAX_EMPTIED} messages are removed at once: please remove some first."
            outcome["notDestroyed"][now[id].key] = {"type": "mailboxHasEmail", "description": detail}
            del wishes[id]
        else:
            left -= mail[id]
    for id in _ends(bare, wishes):
        if mail[id]:
            _empty(ctx, id)


def _ends(there: Iterable[Folder], wishes: Mapping[str, Wish]) -> list[str]:
    """Mailboxes that will be destroyed, in order."""
    groups = folders.plan(there, wishes.values()).groups
    return [wish.id for group in groups for wish in group if wish.fields is None]


def _empty(ctx: Context, id: str) -> None:
    """Destroy the emails of a mailbox. What comes in meanwhile is left after some pages: it is kept then."""
    for _ in range(1 + 2 * _MAX_EMPTIED // _PAGE):
        page = mailbox.page(ctx.p, ctx.acct, id, _PAGE)
        if not page.rows:
            return
        mailbox.destroy(ctx.p, ctx.acct, [row.id for row in page.rows])
