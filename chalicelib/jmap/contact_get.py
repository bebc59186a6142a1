"""ContactCard/get, /changes and /query (RFC 9610 §3)."""

from collections.abc import Callable
from operator import attrgetter

from chalicelib.jmap import arguments, blobs, limits, querying, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.querying import By, Result
from chalicelib.rules import cardfind, cardmedia
from chalicelib.rules.contacts import Contact
from chalicelib.rules.jscontact import PROPERTIES
from chalicelib.services import contacts

Test = Callable[[Contact], bool]
_KNOWN = PROPERTIES | {"id", "addressBookIds"}


def show(contact: Contact) -> Json:
    """A ContactCard object: what the card has within it as blobs (RFC 9610 §3)."""
    card = contact.card
    if "media" in card:
        card = card | {"media": _media(contact)}
    return {"id": contact.id, "addressBookIds": {contact.book: True}, **card}


def _media(contact: Contact) -> Json:
    shown: Json = dict(contact.card["media"])
    for id, (digest, kind, _) in cardmedia.held(contact.card).items():
        rest = {name: value for name, value in shown[id].items() if name != "uri"}
        shown[id] = {"mediaType": kind, **rest, "blobId": blobs.card_blob(contact.id, digest)}
    return shown


def get(ctx: Context, args: Json) -> Json:
    """ContactCard/get. What a card does not have is left out, as JSContact leaves it out."""
    ids, properties = standard.wanted_ids(args), _properties(args)
    state = ctx.state_of("ContactCard")
    if ids is None:
        found = contacts.every(ctx.p, ctx.acct, int(state))
        if len(found) > limits.MAX_OBJECTS_IN_GET:
            raise MethodError("requestTooLarge", "There are too many: please ask by ids.")
    else:
        found = contacts.get(ctx.p, ctx.acct, [id for id in ids if arguments.is_id(id)])
    order = list(found) if ids is None else ids
    return {
        "accountId": ctx.acct,
        "state": state,
        "list": [_part(show(found[id]), properties) for id in order if id in found],
        "notFound": [id for id in order if id not in found],
    }


def _properties(args: Json) -> frozenset[str] | None:
    """Those of the standards, and any that carry a vendor's name. Raises MethodError invalidArguments."""
    given = arguments.strings(args, "properties")
    if given is None:
        return None
    unknown = [name for name in given if name not in _KNOWN and ":" not in name]
    if unknown:
        raise MethodError(
            "invalidArguments", f"There is no property {', '.join(unknown)[:200]}.", arguments=["properties"]
        )
    return frozenset({"id", *given})


def _part(whole: Json, properties: frozenset[str] | None) -> Json:
    return whole if properties is None else {n: v for n, v in whole.items() if n in properties}


def changes(ctx: Context, args: Json) -> Json:
    """ContactCard/changes."""
    return standard.changes(ctx, args, "ContactCard")


# -------------------------------------------------------------------- query
def query(ctx: Context, args: Json) -> Json:
    """ContactCard/query."""
    return querying.window(ctx, args, _found(ctx, args))


def query_changes(ctx: Context, args: Json) -> Json:
    """ContactCard/queryChanges."""
    return querying.query_changes(ctx, args, _found(ctx, args))


def _found(ctx: Context, args: Json) -> Result:
    """In memory, all contacts of an account being what one request can read."""
    keep = querying.filter_(args.get("filter"), _condition)
    order = querying.comparators(args, cardfind.SORTS, [By("created", ascending=True)], cardfind.SORTED_TEXTS)
    state = ctx.state_of("ContactCard")
    chosen = [c for c in contacts.every(ctx.p, ctx.acct, int(state)).values() if keep(c)]
    chosen.sort(key=attrgetter("id"))
    querying.in_order(chosen, order, _SORTS, cardfind.SORTED_TEXTS)
    return Result("ContactCard", state, [c.id for c in chosen], followed=True)


_SORTS: dict[str, Callable[[Contact], str]] = {
    name: lambda c, text=text: text(c.card)  # type: ignore[misc]
    for name, text in cardfind.SORTS.items()
}


def _condition(given: Json, name: str) -> Test:
    """One property of a FilterCondition (§3.3.1). Raises MethodError."""
    if name in cardfind.TEXTS:
        texts, needles = cardfind.TEXTS[name], cardfind.needles(arguments.string(given, name))
        return lambda c: cardfind.contains(texts(c.card), needles)
    if name in _EXACT:
        exact, wanted = _EXACT[name], arguments.string(given, name)
        return lambda c: exact(c, wanted)
    if name in _TIMES:
        by, before = _TIMES[name]
        when = arguments.utc_date(given[name])
        if when is None:
            raise arguments.wrong(name, "a UTCDate")
        bound = arguments.show_date(when).rstrip("Z")
        return lambda c: (str(c.card.get(by, "")).rstrip("Z") < bound) is before
    raise querying.no_filter(name)


_EXACT: dict[str, Callable[[Contact, str], bool]] = {
    "inAddressBook": lambda c, wanted: c.book == wanted,
    "uid": lambda c, wanted: c.card["uid"] == wanted,
    "hasMember": lambda c, wanted: wanted in c.card.get("members", {}),
    "kind": lambda c, wanted: c.card.get("kind", "individual") == wanted,
}
#: (property, whether it is to be before)
_TIMES = {
    "createdBefore": ("created", True),
    "createdAfter": ("created", False),
    "updatedBefore": ("updated", True),
    "updatedAfter": ("updated", False),
}
