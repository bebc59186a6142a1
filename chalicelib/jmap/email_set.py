"""Email/set (RFC 8621 §4.6): drafts, keywords, moves, destruction; one store call for each of them."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from chalicelib.jmap import arguments, keywords, limits, patches
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_create import add, compose
from chalicelib.jmap.email_get import OF_RECORD, OF_ROW
from chalicelib.jmap.errors import Faults, Json, SetError, invalid, set_error
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Change, NewEmail
from chalicelib.services import mailbox
from chalicelib.store.mailbox_write import batches

_FIXED = {n: get for n, get in (OF_ROW | OF_RECORD).items() if n not in ("keywords", "mailboxIds")}
_OBJECTS = ("bodyStructure", "bodyValues")  # of what cannot be changed: a path may lead into these
_NOT_FOUND: Json = {"type": "notFound"}


def set_(ctx: Context, args: Json) -> Json:
    """Create, update, destroy, in this order."""
    old = ctx.state_of("Email")
    asked = SetArguments(args, old)
    outcome = Outcome()
    steps = (
        (partial(_create_all, ctx, asked.create, outcome), [*asked.create], "Created"),
        (partial(_update_all, ctx, asked.update, outcome), [*asked.update], "Updated"),
        (partial(_destroy_all, ctx, asked.destroy, outcome), asked.destroy, "Destroyed"),
    )
    refused: ServiceError | None = None
    for step, wanted, name in steps:
        try:
            if wanted and refused is None:
                step()
        except ServiceError as error:
            refused = error
        if refused is not None:
            _refuse_rest(ctx, wanted, name, outcome, refused)
    ctx.wrote()
    if refused is not None and not (outcome["created"] or outcome["updated"] or outcome.destroyed):
        raise refused
    return outcome.finish(ctx, old, ctx.state_of("Email"))


def _refuse_rest(ctx: Context, asked: list[str], name: str, outcome: Outcome, error: ServiceError) -> None:
    """Tell what was not done: a call that changed anything is not answered by an error (RFC 8620 §3.6.2)."""
    done = outcome.destroyed if name == "Destroyed" else outcome[name.lower()]
    told = {*done, *outcome[f"not{name}"]}
    rest = [id for id in asked if id not in told and ctx.resolve(id) not in told]
    outcome[f"not{name}"].update(dict.fromkeys(rest, set_error(error)))


# ------------------------------------------------------------------- create
def _create_all(ctx: Context, given: dict[str, Json], outcome: Outcome) -> None:
    made: dict[str, NewEmail] = {}
    for creation, description in given.items():
        try:
            made[creation] = compose(ctx, description)
        except SetError as error:
            outcome["notCreated"][creation] = error.answer
        except ServiceError as error:
            outcome["notCreated"][creation] = set_error(error)
    if made:
        add(ctx, made, given, outcome)


# ------------------------------------------------------------------- update
@dataclass
class Patch:
    """What an update asks of one email. Folder ids are resolved, not yet checked."""

    words: frozenset[str] | None = None
    flags: dict[str, bool] = field(default_factory=dict)
    folders: dict[str, bool] | None = None  # the whole property
    moves: dict[str, bool] = field(default_factory=dict)  # patches of it


def read_patch(ctx: Context, given: Json) -> Patch:
    """Raises SetError invalidProperties, invalidPatch."""
    whole, parts = {path for path in given if "/" not in path}, [path for path in given if "/" in path]
    if any(path.partition("/")[0] in whole for path in parts):
        raise SetError("invalidPatch", "A property and a part of it cannot be changed together.")
    patch, faults = Patch(), Faults()
    for path, value in given.items():
        with faults:
            _read(ctx, patch, path, value)
    faults.refuse()
    return patch


def _read(ctx: Context, patch: Patch, path: str, value: Any) -> None:
    """One path of a patch, which must lead into objects only (RFC 8620 §5.3)."""
    name, *below = patches.tokens(path)
    if name not in ("keywords", "mailboxIds"):
        if below and name not in _OBJECTS:
            raise _no_way(path)
        raise invalid("This cannot be changed.", path)
    if len(below) > 1:
        raise _no_way(path)
    if (
        below and value is not None and not isinstance(value, bool)
    ):  # false is as good as null: webmails use it
        raise invalid(f"{path[:200]} takes true or null.", name)
    key = below[0] if below else None
    if name == "keywords":
        _patch_keywords(patch, key, value)
    else:
        _patch_folders(ctx, patch, key, value)


def _no_way(path: str) -> SetError:
    return SetError("invalidPatch", f"{path[:200]} leads to nothing that could be changed.")


def _patch_keywords(patch: Patch, key: str | None, value: Any) -> None:
    if key is None:
        patch.words = keywords.whole({} if value is None else value)
    elif keywords.is_keyword(key):
        patch.flags[key.lower()] = value is True
    elif value:  # null takes away what cannot be there
        raise invalid("This is no keyword.", "keywords")


def _patch_folders(ctx: Context, patch: Patch, key: str | None, value: Any) -> None:
    if key is not None:
        patch.moves[ctx.resolve(key) or key] = value is True
        return
    if not isinstance(value, dict) or any(on is not True for on in value.values()):
        raise invalid("This is a map of mailbox ids to true.", "mailboxIds")
    patch.folders = {ctx.resolve(id) or id: True for id in value}


def _update_all(ctx: Context, given: dict[str, Json], outcome: Outcome) -> None:
    changes = _changes(ctx, given, outcome)
    for batch in batches(list(changes)):
        done = mailbox.update(ctx.p, ctx.acct, {id: changes[id] for id in batch})
        outcome["updated"].update(dict.fromkeys(done.done))
        outcome["notUpdated"].update(dict.fromkeys(done.missing, _NOT_FOUND))
        outcome["notUpdated"].update(dict.fromkeys(done.overfull, keywords.too_many().answer))


def _changes(ctx: Context, given: dict[str, Json], outcome: Outcome) -> dict[str, Change]:
    """The changes that can be made. What is not there is not found, whatever its patch (RFC 8620 §5.3)."""
    wanted = _wanted(ctx, given, outcome)
    ctx.emails(id for id, news in wanted.items() if _looks(news))  # all in one read
    changes: dict[str, Change] = {}
    refused: dict[str, Json] = {}
    for id, news in wanted.items():
        try:
            changes[id] = _change(ctx, id, read_patch(ctx, _news(ctx, id, news)))
        except SetError as error:
            refused[id] = error.answer
    there = ctx.emails(refused)
    outcome["notUpdated"].update({id: refused[id] if id in there else _NOT_FOUND for id in refused})
    return changes


def _wanted(ctx: Context, given: dict[str, Json], outcome: Outcome) -> dict[str, Json]:
    """What is to be patched, by ids."""
    wanted: dict[str, Json] = {}
    for asked, news in given.items():
        id = _known(ctx, asked)
        if id is None:
            outcome["notUpdated"][asked] = _NOT_FOUND
        elif id in wanted:
            outcome["notUpdated"][asked] = SetError("invalidPatch", "Its id has a patch, too.").answer
        else:
            wanted[id] = news
    return wanted


def _looks(given: Json) -> bool:
    """Whether a patch is to be held against what the email is."""
    return any(name in _FIXED or name.startswith("mailboxIds/") for name in given)


def _news(ctx: Context, id: str, given: Json) -> Json:
    """Without what repeats what is so: a client may send the whole object back (RFC 8620 §5.3)."""
    told = [name for name in given if name in _FIXED]
    email = ctx.emails([id]).get(id) if told else None
    same = {name for name in told if email is not None and _FIXED[name](email) == given[name]}
    return {name: value for name, value in given.items() if name not in same}


def _known(ctx: Context, asked: str) -> str | None:
    id = ctx.resolve(asked)
    return id if id is not None and arguments.is_id(id) else None


def _change(ctx: Context, id: str, patch: Patch) -> Change:
    """For the store. Raises SetError for mailboxes that are none, or not one."""
    change = Change(patch.flags or None, patch.words, most_keywords=limits.MAX_KEYWORDS)
    folders = patch.folders
    if patch.moves:
        email = ctx.emails([id]).get(id)
        if email is None:
            raise SetError("notFound")
        folders = {other: on for other, on in ({email.folder: True} | patch.moves).items() if on}
    if folders is None:
        return change
    if not folders:
        raise invalid("An email is in a mailbox.", "mailboxIds")
    if any(folder not in ctx.state().counters for folder in folders):
        raise invalid("There is no such mailbox.", "mailboxIds")
    if len(folders) > 1:
        raise SetError("tooManyMailboxes", "An email is in one mailbox.")
    return replace(change, folder=next(iter(folders)))


# ------------------------------------------------------------------ destroy
def _destroy_all(ctx: Context, given: list[str], outcome: Outcome) -> None:
    ids: list[str] = []
    for asked in given:
        id = _known(ctx, asked)
        if id is None:
            outcome["notDestroyed"][asked] = _NOT_FOUND
        else:
            ids.append(id)
    for batch in batches(list(dict.fromkeys(ids))):
        done = mailbox.destroy(ctx.p, ctx.acct, batch)
        outcome.destroyed += done.done
        outcome["notDestroyed"].update(dict.fromkeys(done.missing, _NOT_FOUND))
