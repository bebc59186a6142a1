"""Email/set (RFC 8621 §4.6): drafts, keywords, moves, destruction; one store call for each of them."""

from dataclasses import dataclass, field
from typing import Any

from chalicelib.jmap import arguments, keywords
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_create import compose, shown_of
from chalicelib.jmap.email_get import OF_RECORD, OF_ROW
from chalicelib.jmap.errors import Json, SetError, invalid, set_error
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Change, NewEmail
from chalicelib.services import mailbox, quota

_FIXED = {n: get for n, get in (OF_ROW | OF_RECORD).items() if n not in ("keywords", "mailboxIds")}


def set_(ctx: Context, args: Json) -> Json:
    """Create, update, destroy, in this order."""
    old = ctx.state_of("Email")
    asked = SetArguments(args, old)
    outcome = Outcome()
    if asked.create:
        _create_all(ctx, asked.create, outcome)
    if asked.update:
        _update_all(ctx, asked.update, outcome)
    if asked.destroy:
        _destroy_all(ctx, asked.destroy, outcome)
    ctx.wrote()
    return outcome.finish(ctx, old, ctx.state_of("Email"))


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
    if not made:
        return
    account = quota.current(ctx.p, ctx.account)
    added = mailbox.add(ctx.p, ctx.acct, list(made.values()), quota_bytes=account.quota_bytes)
    quota.added(ctx.p, account, added)
    for creation, result in zip(made, added, strict=True):
        if result.email is None:
            outcome["notCreated"][creation] = set_error(quota.exceeded(ctx.p, account))
            continue
        ctx.created[creation] = result.id
        outcome["created"][creation] = shown_of(result.email)


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
    patch = Patch()
    for path, value in given.items():
        name, slash, rest = path.partition("/")
        key = rest.replace("~1", "/").replace("~0", "~")
        if name not in ("keywords", "mailboxIds"):
            raise invalid("This cannot be changed.", path)
        if slash and value is not None and value is not True:
            raise SetError("invalidPatch", f"{path[:200]} takes true or null.")
        if name == "keywords":
            _patch_keywords(patch, key if slash else None, value)
        else:
            _patch_folders(ctx, patch, key if slash else None, value)
    if (patch.words is not None and patch.flags) or (patch.folders is not None and patch.moves):
        raise SetError("invalidPatch", "A property and a part of it cannot be changed together.")
    return patch


def _patch_keywords(patch: Patch, key: str | None, value: Any) -> None:
    if key is None:
        patch.words = keywords.whole({} if value is None else value)
    elif not keywords.is_keyword(key):
        raise invalid("This is no keyword.", "keywords")
    else:
        patch.flags[key.lower()] = value is True


def _patch_folders(ctx: Context, patch: Patch, key: str | None, value: Any) -> None:
    if key is not None:
        patch.moves[ctx.resolve(key) or key] = value is True
        return
    if not isinstance(value, dict) or any(on is not True for on in value.values()):
        raise invalid("This is a map of mailbox ids to true.", "mailboxIds")
    patch.folders = {ctx.resolve(id) or id: True for id in value}


def _update_all(ctx: Context, given: dict[str, Json], outcome: Outcome) -> None:
    patches: dict[str, Patch] = {}
    for asked, wanted in given.items():
        try:
            id = _known(ctx, asked)
            patches[id] = read_patch(ctx, _news(ctx, id, wanted))
        except SetError as error:
            outcome["notUpdated"][asked] = error.answer
    moved = [id for id, patch in patches.items() if patch.moves]
    current = {id: email.folder for id, email in ctx.emails(moved).items()} if moved else {}
    changes: dict[str, Change] = {}
    for id, patch in patches.items():
        try:
            changes[id] = _change(ctx, patch, current.get(id))
        except SetError as error:
            outcome["notUpdated"][id] = error.answer
    if not changes:
        return
    done = mailbox.update(ctx.p, ctx.acct, changes)
    outcome["updated"].update(dict.fromkeys(done.done))
    for id in done.missing:
        outcome["notUpdated"][id] = {"type": "notFound"}


def _news(ctx: Context, id: str, given: Json) -> Json:
    """Without what repeats what is so: a client may send the whole object back (RFC 8620 §5.3)."""
    told = [name for name in given if name in _FIXED]
    email = ctx.emails([id]).get(id) if told else None
    same = {name for name in told if email is not None and _FIXED[name](email) == given[name]}
    return {name: value for name, value in given.items() if name not in same}


def _known(ctx: Context, asked: str) -> str:
    id = ctx.resolve(asked)
    if id is None or not arguments.is_id(id):
        raise SetError("notFound")
    return id


def _change(ctx: Context, patch: Patch, current: str | None) -> Change:
    """For the store. Raises SetError for mailboxes that are none, or not one."""
    folders = patch.folders
    if patch.moves:
        if current is None:
            raise SetError("notFound")
        folders = {id: on for id, on in ({current: True} | patch.moves).items() if on}
    if folders is None:
        return Change(keywords=patch.flags or None, replace_keywords=patch.words)
    if not folders:
        raise invalid("An email is in a mailbox.", "mailboxIds")
    if any(id not in ctx.state().counters for id in folders):
        raise invalid("There is no such mailbox.", "mailboxIds")
    if len(folders) > 1:
        raise SetError("tooManyMailboxes", "An email is in one mailbox.")
    return Change(keywords=patch.flags or None, replace_keywords=patch.words, folder=next(iter(folders)))


# ------------------------------------------------------------------ destroy
def _destroy_all(ctx: Context, given: list[str], outcome: Outcome) -> None:
    ids: dict[str, str] = {}
    for asked in given:
        try:
            ids[_known(ctx, asked)] = asked
        except SetError as error:
            outcome["notDestroyed"][asked] = error.answer
    if not ids:
        return
    done = mailbox.destroy(ctx.p, ctx.acct, list(ids))
    outcome.destroyed += [ids[id] for id in done.done]
    for id in done.missing:
        outcome["notDestroyed"][ids[id]] = {"type": "notFound"}
