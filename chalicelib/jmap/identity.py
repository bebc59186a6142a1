"""Identity (RFC 8621 §6): as whom the account sends, and with what signature."""

from dataclasses import replace
from typing import Any

from chalicelib.jmap import arguments, headers, patches, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError, SetError, check, set_error
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.identities import Identity
from chalicelib.rules.values import Account, Correspondent
from chalicelib.services import identities

_DEFAULTS: Json = {"name": "", "replyTo": None, "bcc": None, "textSignature": "", "htmlSignature": ""}
_SETTABLE = frozenset(_DEFAULTS)


def identity_id(account: Account) -> str:
    """The id of the identity of the account's own address."""
    return identities.own_id(account)


def known(ctx: Context, id: str) -> Identity | None:
    """One of the account's identities, whose address it may send as."""
    return identities.known(ctx.p, ctx.account, id) if arguments.is_id(id) else None


def _people(people: tuple[Correspondent, ...] | None) -> list[Json] | None:
    return None if people is None else headers.people(people)


def show(identity: Identity) -> Json:
    """An Identity object."""
    return {
        "id": identity.id,
        "name": identity.name or "",
        "email": identity.email,
        "replyTo": _people(identity.reply_to),
        "bcc": _people(identity.bcc),
        "textSignature": identity.text,
        "htmlSignature": identity.html,
        "mayDelete": identity.made,
    }


PROPERTIES = tuple(show(Identity("", "")))


def _state(ctx: Context, facts: str) -> str:
    """Of the change log, and of the directory: its part of the state is not in the log."""
    return f"{ctx.state_of('Identity')}.{facts}"


# ------------------------------------------------------------------ reading
def get(ctx: Context, args: Json) -> Json:
    """Identity/get."""
    ids, properties = standard.wanted_ids(args), standard.wanted_properties(args, PROPERTIES)
    ctx.state()
    there = identities.listed(ctx.p, ctx.account)
    found = {id: show(identity) for id, identity in there.identities.items()}
    return standard.get_answer(ctx, _state(ctx, there.facts), ids, found, properties)


def changes(ctx: Context, args: Json) -> Json:
    """Identity/changes: of what their owner did. Where the mailbox got another name or alias meanwhile: to be
    read anew."""
    since, _, then = arguments.string(args, "sinceState").partition(".")
    facts = identities.listed(ctx.p, ctx.account).facts
    if then != facts:
        raise MethodError("cannotCalculateChanges", "Please get the identities again.")
    answer = standard.changes(ctx, {**args, "sinceState": since}, "Identity")
    return answer | {name: f"{answer[name]}.{facts}" for name in ("oldState", "newState")}


# ---------------------------------------------------------------------- set
def set_(ctx: Context, args: Json) -> Json:
    """Create, change, destroy."""
    facts = identities.listed(ctx.p, ctx.account).facts
    old = _state(ctx, facts)
    asked = SetArguments(args, old)
    outcome = Outcome()
    for creation, given in asked.create.items():
        _try(outcome, "notCreated", creation, lambda c=creation, g=given: _create(ctx, outcome, c, g))
    for id, patch in asked.update.items():
        _try(outcome, "notUpdated", id, lambda i=id, g=patch: _update(ctx, outcome, i, g))
    for id in asked.destroy:
        _try(outcome, "notDestroyed", id, lambda i=id: _destroy(ctx, outcome, i))
    ctx.wrote()
    return outcome.finish(ctx, old, _state(ctx, facts))


def _try(outcome: Outcome, where: str, id: str, work: Any) -> None:
    try:
        work()
    except SetError as error:
        outcome[where][id] = error.answer
    except ServiceError as error:
        outcome[where][id] = set_error(error)


def _create(ctx: Context, outcome: Outcome, creation: str, given: Json) -> None:
    unknown = [name for name in given if name not in _SETTABLE and name != "email"]
    wrong = dict.fromkeys(unknown, "This cannot be set.")
    email = given.get("email")
    if not isinstance(email, str):
        wrong["email"] = "An identity has an address."
    wanted = _read(Identity("", str(email), name=""), {**_DEFAULTS, **given}, wrong)
    made = identities.create(ctx.p, ctx.account, wanted)
    ctx.created[creation] = made.id
    shown = show(made)
    outcome["created"][creation] = {p: shown[p] for p in PROPERTIES if p not in given or shown[p] != given[p]}


def _update(ctx: Context, outcome: Outcome, asked: str, patch: Json) -> None:
    id = _known(ctx, asked)

    def edit(before: Identity) -> Identity:
        shown = show(before)
        after = patches.apply(shown, patch)
        wrong = [n for n in {*shown, *after} - _SETTABLE if after.get(n) != shown.get(n)]
        return _read(before, _DEFAULTS | after, dict.fromkeys(sorted(wrong), "This cannot be changed."))

    identities.change(ctx.p, ctx.account, id, edit)
    outcome["updated"][id] = None


def _destroy(ctx: Context, outcome: Outcome, asked: str) -> None:
    id = _known(ctx, asked)
    identities.remove(ctx.p, ctx.account, id)
    outcome.destroyed.append(id)


def _known(ctx: Context, asked: str) -> str:
    id = ctx.resolve(asked)
    if id is None or not arguments.is_id(id):
        raise SetError("notFound")
    return id


def _read(identity: Identity, given: Json, wrong: Json) -> Identity:
    """The identity with these properties. Raises SetError invalidProperties with all that is wrong, `wrong`
    before it."""
    people: dict[str, tuple[Correspondent, ...] | None] = {}
    for name in ("name", "textSignature", "htmlSignature"):
        if not isinstance(given[name], str):
            wrong[name] = "This is a string."
    for name in ("replyTo", "bcc"):
        try:
            people[name] = _read_people(given, name)
        except SetError as error:
            wrong[name] = error.answer["description"]
    check(wrong)
    return replace(
        identity,
        name=given["name"],
        reply_to=people["replyTo"],
        bcc=people["bcc"],
        text=given["textSignature"],
        html=given["htmlSignature"],
    )


def _read_people(given: Json, name: str) -> tuple[Correspondent, ...] | None:
    return None if given[name] is None else tuple(headers.read_people(given[name], name))
