"""Email/queryChanges (RFC 8620 §5.6) of a folder's plain list, newest first: from the change log.

Every email that may have come or gone is named as removed, and as added where it stands now: RFC 8620 lets a
server name more than it must, and a client that takes out first and puts in then ends with the list as it is.
"""

from chalicelib.jmap import arguments, email_filter, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_query import Asked, read
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.services import mailbox
from chalicelib.services.listing import Listing, TooDeep

TRIES = 3


def query_changes(ctx: Context, args: Json) -> Json:
    """Email/queryChanges. Raises MethodError cannotCalculateChanges, tooManyChanges."""
    since = arguments.state(args, "sinceQueryState")
    most = arguments.integer(args, "maxChanges", None, least=1)
    arguments.optional_string(args, "upToId")  # it would save little: what is above it has to be told anyway
    for _ in range(TRIES):
        listed = _followed(ctx, read(ctx, args))
        state = ctx.state_of("Email")
        try:
            removed, added = _changes(ctx, listed, since)
        except TooDeep:
            break
        total = listed.total()
        if mailbox.state(ctx.p, ctx.acct).modseq != listed.state.modseq:
            ctx.wrote()  # by somebody else, meanwhile
            continue
        if most is not None and len(removed) + len(added) > most:
            raise MethodError("tooManyChanges", f"There are more than {most} changes.")
        answer: Json = {
            "accountId": ctx.acct,
            "oldQueryState": args["sinceQueryState"],
            "newQueryState": state,
            "removed": removed,
            "added": added,
        }
        return answer | ({"total": total} if arguments.boolean(args, "calculateTotal") else {})
    raise MethodError("cannotCalculateChanges", "Please query again.")


def _followed(ctx: Context, asked: Asked) -> Listing:
    """The list that is asked for. Raises MethodError cannotCalculateChanges."""
    words = asked.filter is not None and email_filter.by_words(asked.filter)
    listed = None if words else asked.listing(ctx)
    if listed is None or not asked.followed(listed):
        raise MethodError("cannotCalculateChanges", "Please query again.")
    return listed


def _changes(ctx: Context, listed: Listing, since: int) -> tuple[list[str], list[Json]]:
    """Ids to take out, and what to put in then. Raises TooDeep, ServiceError cannot_calculate_changes."""
    state = listed.state
    if since < state.floor or since > state.modseq:
        raise MethodError("cannotCalculateChanges", "This state is not known.")
    changed = ctx.p.mailboxes.moved(ctx.acct, listed.folder, since, state.modseq)
    if len(changed) > limits.MAX_CHANGES:
        raise TooDeep
    places = listed.positions(ctx.emails(changed).values())
    in_order = sorted(places.items(), key=lambda place: place[1])
    return changed, [{"id": id, "index": at} for id, at in in_order]
