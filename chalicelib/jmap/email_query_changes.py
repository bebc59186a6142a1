"""Email/queryChanges (RFC 8620 §5.6). Of a folder's plain list, newest first: from the change log, at any
size. Of small lists in any order and under any filter that looks at emails alone: by reading all of them.

Every email that may have come or gone is named as removed, and as added where it stands now: RFC 8620 lets a
server name more than it must, and a client that takes out first and puts in then ends with the list as it is.
"""

from chalicelib.jmap import arguments, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_query import Scan, read
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.querying import Result, changes_answer
from chalicelib.jmap.querying import query_changes as by_reading
from chalicelib.services import mailbox
from chalicelib.services.listing import Listing, TooDeep

TRIES = 3


def query_changes(ctx: Context, args: Json) -> Json:
    """Email/queryChanges. Raises MethodError cannotCalculateChanges, tooManyChanges."""
    since = arguments.state(args, "sinceQueryState")
    for _ in range(TRIES):
        state, asked = ctx.state_of("Email"), read(ctx, args)
        listed = asked.listing(ctx)
        try:
            if listed is None or not asked.plain(listed):
                small = asked.small(ctx)
                return by_reading(
                    ctx, args, Result("Email", state, Scan(ctx, asked).every() if small else [], small)
                )
            removed, added = _changes(ctx, listed, since)
            total = listed.total()
        except TooDeep:
            break
        if mailbox.state(ctx.p, ctx.acct).modseq != listed.state.modseq:
            ctx.wrote()  # by somebody else, meanwhile
            continue
        return changes_answer(ctx, args, state, removed, added, total)
    raise MethodError("cannotCalculateChanges", "Please query again.")


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
    removed = [id for id, is_new in changed.items() if not is_new]
    return removed, [{"id": id, "index": at} for id, at in in_order]
