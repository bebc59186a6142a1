"""AddressBook (RFC 9610 §2): get, changes, set."""

from dataclasses import replace
from typing import Any

from chalicelib.jmap import arguments, patches, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, check, set_error
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules.contacts import MAX_BOOKS, Book, Shelf, check_book
from chalicelib.rules.errors import ServiceError
from chalicelib.services import contacts

_SETTABLE = frozenset({"name", "description", "sortOrder", "isSubscribed"})
_DEFAULTS: Json = {"description": None, "sortOrder": 0, "isSubscribed": True}


def show(book: Book, shelf: Shelf) -> Json:
    """An AddressBook object."""
    is_default = book.id == shelf.default
    return {
        "id": book.id,
        "name": book.name,
        "description": book.description,
        "sortOrder": book.sort,
        "isDefault": is_default,
        "isSubscribed": book.subscribed,
        "shareWith": None,
        "myRights": {"mayRead": True, "mayWrite": True, "mayShare": False, "mayDelete": not is_default},
    }


PROPERTIES = tuple(show(Book("", ""), Shelf()))


def get(ctx: Context, args: Json) -> Json:
    """AddressBook/get: there is always a default one, which nothing had to make."""
    ids, properties = standard.wanted_ids(args), standard.wanted_properties(args, PROPERTIES)
    state = ctx.state_of("AddressBook")
    shelf = contacts.shelf(ctx.p, ctx.acct)
    found = {id: show(book, shelf) for id, book in shelf.books.items()}
    return standard.get_answer(ctx, state, ids, found, properties)


def changes(ctx: Context, args: Json) -> Json:
    """AddressBook/changes."""
    return standard.changes(ctx, args, "AddressBook")


# ---------------------------------------------------------------------- set
def set_(ctx: Context, args: Json) -> Json:
    """Create, change, destroy, and choose the default one."""
    old = ctx.state_of("AddressBook")
    asked = SetArguments(args, old)
    contents = arguments.boolean(args, "onDestroyRemoveContents")
    chosen = arguments.optional_string(args, "onSuccessSetIsDefault")
    outcome = Outcome()
    for creation, given in asked.create.items():
        _try(outcome, "notCreated", creation, lambda c=creation, g=given: _create(ctx, outcome, c, g))
    for id, patch in asked.update.items():
        _try(outcome, "notUpdated", id, lambda i=id, g=patch: _update(ctx, outcome, i, g))
    for id in asked.destroy:
        _try(outcome, "notDestroyed", id, lambda i=id: _destroy(ctx, outcome, i, contents))
    failed = any(outcome[name] for name in ("notCreated", "notUpdated", "notDestroyed"))
    if chosen is not None and not failed:
        _choose(ctx, outcome, chosen)
    ctx.wrote()
    return outcome.finish(ctx, old, ctx.state_of("AddressBook"))


def _try(outcome: Outcome, where: str, id: str, work: Any) -> None:
    try:
        work()
    except SetError as error:
        outcome[where][id] = error.answer
    except ServiceError as error:
        outcome[where][id] = set_error(error)


def _read(id: str, given: Json, wrong: Json) -> Book:
    """The book that the properties describe. Raises SetError, ServiceError: with all that is wrong, `wrong`
    before it."""
    asked: Json = {"name": None, **_DEFAULTS, **given}
    name, description, sort, subscribed = map(asked.get, ("name", "description", "sortOrder", "isSubscribed"))
    if not isinstance(name, str):
        wrong["name"] = "An address book has a name."
    if description is not None and not isinstance(description, str):
        wrong["description"] = "A description is a string or null."
    if isinstance(sort, bool) or not isinstance(sort, int) or not 0 <= sort < 2**31:
        wrong["sortOrder"] = "This is a whole number below 2^31."
    if not isinstance(subscribed, bool):
        wrong["isSubscribed"] = "This is true or false."
    check(wrong)
    book = Book(id, asked["name"], description, asked["sortOrder"], asked["isSubscribed"])
    check_book(book)
    return book


def _create(ctx: Context, outcome: Outcome, creation: str, given: Json) -> None:
    shown = show(Book("", ""), Shelf(default="-"))
    wrong = [name for name in given if name not in _SETTABLE and given[name] != shown.get(name, given)]
    wanted = _read("", given, dict.fromkeys(wrong, "This cannot be set."))
    made: list[str] = []

    def change(shelf: Shelf) -> Shelf:
        if len(shelf.books) >= MAX_BOOKS:
            raise ServiceError("over_quota", f"An account has at most {MAX_BOOKS} address books.")
        id = f"b{shelf.next}"
        made[:] = [id]
        return replace(shelf, books={**shelf.books, id: replace(wanted, id=id)}, next=shelf.next + 1)

    shelf = contacts.change_shelf(ctx.p, ctx.acct, change)
    id = ctx.created[creation] = made[0]
    shown = show(shelf.books[id], shelf)
    outcome["created"][creation] = {p: v for p, v in shown.items() if p not in given or given[p] != v}


def _update(ctx: Context, outcome: Outcome, asked: str, patch: Json) -> None:
    id = _known(ctx, asked)

    def change(shelf: Shelf) -> Shelf:
        before = show(shelf.need(id), shelf)
        after = patches.apply(before, patch)
        wrong = [n for n in {*before, *after} - _SETTABLE if before.get(n) != after.get(n)]
        book = _read(id, after, dict.fromkeys(sorted(wrong), "This cannot be changed."))
        return replace(shelf, books={**shelf.books, id: book})

    contacts.change_shelf(ctx.p, ctx.acct, change)
    outcome["updated"][id] = None


def _destroy(ctx: Context, outcome: Outcome, asked: str, contents: bool) -> None:
    id = _known(ctx, asked)
    contacts.remove_book(ctx.p, ctx.account, id, with_contents=contents)
    outcome.destroyed.append(id)


def _known(ctx: Context, asked: str) -> str:
    id = ctx.resolve(asked)
    if id is None or not arguments.is_id(id):
        raise SetError("notFound")
    return id


def _choose(ctx: Context, outcome: Outcome, asked: str) -> None:
    """onSuccessSetIsDefault (§2.3): one that is not there is ignored."""
    wanted, before = ctx.resolve(asked), contacts.shelf(ctx.p, ctx.acct)
    if wanted not in before.books:
        return
    id: str = wanted or ""

    def change(shelf: Shelf) -> Shelf:
        return replace(shelf, default=id) if id in shelf.books else shelf

    after = contacts.change_shelf(ctx.p, ctx.acct, change)
    for changed in {before.default, after.default} if before.default != after.default else ():
        _report(outcome, ctx, changed, show(after.books[changed], after))


def _report(outcome: Outcome, ctx: Context, id: str, shown: Json) -> None:
    """What the choice changed, in `created` or `updated`."""
    told: Any = {name: shown[name] for name in ("isDefault", "myRights")}
    creation = next((c for c in outcome["created"] if ctx.created.get(c) == id), None)
    if creation is not None:
        outcome["created"][creation] |= told
    else:
        outcome["updated"][id] = (outcome["updated"].get(id) or {}) | told
