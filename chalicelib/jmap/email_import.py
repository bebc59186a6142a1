"""Email/import (RFC 8621 §4.8): messages from blobs. Email/copy (§4.7) has nowhere to copy from."""

from chalicelib.jmap import arguments, blobs, email_create, keywords, limits, standard
from chalicelib.jmap.blobs import Blob
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Faults, Json, MethodError, SetError, invalid, set_error
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import NewEmail
from chalicelib.services import imports
from chalicelib.services.imports import Brought

_SETTABLE = frozenset({"blobId", "mailboxIds", "keywords", "receivedAt"})


def import_(ctx: Context, args: Json) -> Json:
    """Email/import. Nothing is read before all of it is known to fit into a request."""
    old = ctx.state_of("Email")
    if args.get("emails") is None:
        raise arguments.wrong("emails", "a map of objects")
    given = arguments.objects(args, "emails")
    if len(given) > limits.MAX_RAW_READS:  # each is read and written: some ten seconds
        raise MethodError(
            "requestTooLarge", f"At most {limits.MAX_RAW_READS} messages can be imported at once."
        )
    standard.check_state(args, old)
    outcome = standard.Outcome()
    found = _found(ctx, given, outcome)
    ctx.check_room(blobs.to_read(found.values()))
    made = _prepared(ctx, given, found, outcome)
    if made:
        email_create.add(ctx, made, given, outcome)
    ctx.wrote()
    answer: Json = {"accountId": ctx.acct, "oldState": old, "newState": ctx.state_of("Email")}
    return answer | {name: outcome[name] or None for name in ("created", "notCreated")}


def _found(ctx: Context, given: dict[str, Json], outcome: standard.Outcome) -> dict[str, Blob]:
    """The blob of each that can be imported as far as its description goes."""
    found: dict[str, Blob] = {}
    for creation, wanted in given.items():
        faults = Faults()
        try:
            with faults:
                blob = _blob(ctx, wanted)
            with faults:
                _checked(ctx, wanted)
            faults.refuse()
            found[creation] = blob
        except SetError as error:
            outcome["notCreated"][creation] = error.answer
    return found


def _blob(ctx: Context, given: Json) -> Blob:
    id, most = given.get("blobId"), ctx.p.figures.max_message_bytes
    try:
        blob = blobs.find(ctx, id if isinstance(id, str) else "")
    except ServiceError as error:
        raise invalid(error.detail, "blobId") from None
    if blob.size > most:
        raise SetError("tooLarge", f"A message has at most {most} octets.", maxSize=most)
    return blob


def _checked(ctx: Context, given: Json) -> Brought:
    """What is said beside the blob. Raises SetError."""
    faults = Faults()
    with faults:
        unknown = [name for name in given if name not in _SETTABLE]
        if unknown:
            raise invalid("These cannot be set.", *unknown)
    with faults:
        words = keywords.whole({} if given.get("keywords") is None else given["keywords"])
    with faults:
        folder = email_create.folder(ctx, given.get("mailboxIds"))
    when = None
    with faults:
        when = None if given.get("receivedAt") is None else email_create.received(given["receivedAt"])
    faults.refuse()
    return Brought(b"", None, folder, words, when)


def _prepared(
    ctx: Context, given: dict[str, Json], found: dict[str, Blob], outcome: standard.Outcome
) -> dict[str, NewEmail]:
    """The emails to be; octets that several of them have are kept once."""
    made: dict[str, NewEmail] = {}
    kept: dict[str, str] = {}
    for creation, blob in found.items():
        said = _checked(ctx, given[creation])
        key = blob.key if blob.email and not blob.parts else kept.get(blob.id)
        try:
            raw = blobs.content(ctx, blob)
            new = imports.prepare(
                ctx.p, ctx.acct, Brought(raw, key, said.folder, said.keywords, said.received_at)
            )
        except ServiceError as error:
            outcome["notCreated"][creation] = set_error(error)
            continue
        kept[blob.id], made[creation] = new.blob, new
    return made


def copy(ctx: Context, args: Json) -> Json:
    """Email/copy. There is no account to copy from: a log-in has one account."""
    arguments.objects(args, "create")
    return standard.no_other_account(ctx, args)
