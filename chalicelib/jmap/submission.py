"""EmailSubmission/get, /changes, /query (RFC 8621 §7): what was sent, and what became of each recipient."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from chalicelib.jmap import arguments, identity, limits, querying, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.jmap.querying import Result
from chalicelib.rules.delivery import milliseconds
from chalicelib.rules.values import Envelope, ListedSubmission, RecipientState, SubmissionState
from chalicelib.services import submissions

#: RFC 8621 §7: whether the message has reached the recipient, as far as is known.
_DELIVERED = {"queued": "queued", "sent": "queued", "deferred": "queued", "failed": "no"}
_ACCEPTED, _DONE = "250 2.0.0 accepted, the outcome is not known yet", "250 2.0.0 ok"


# ---------------------------------------------------------------------- get
def show(found: SubmissionState, acct_identity: str) -> Json:
    """An EmailSubmission object."""
    status = {one.address: _status(one) for one in found.recipients}
    return {
        "id": found.id,
        "identityId": found.identity or acct_identity,
        "emailId": found.email_id or found.id,  # what a mail program sent is no email here
        "threadId": found.thread or found.id,
        "envelope": show_envelope(found.envelope, dict(found.held) or None),
        "sendAt": arguments.show_date(found.sent_at),
        "undoStatus": found.undo,
        "deliveryStatus": None if found.undo == "canceled" else status,
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }


def show_envelope(envelope: Envelope, held: Json | None = None) -> Json:
    """An Envelope object; `held`: parameters of MAIL."""
    return {
        "mailFrom": {"email": envelope.sender, "parameters": held},
        "rcptTo": [{"email": address, "parameters": None} for address in envelope.recipients],
    }


def _status(one: RecipientState) -> Json:
    unknown = _DONE if one.state == "delivered" else _ACCEPTED
    reply = one.reply.removeprefix("smtp; ") if one.state != "sent" else ""
    delivered = _DELIVERED.get(one.state) or ("yes" if one.here else "unknown")  # relayed is not arrived
    return {"smtpReply": reply or unknown, "delivered": delivered, "displayed": "unknown"}


PROPERTIES = (
    "id", "identityId", "emailId", "threadId", "envelope", "sendAt", "undoStatus", "deliveryStatus",
    "dsnBlobIds", "mdnBlobIds",
)  # fmt: skip


def get(ctx: Context, args: Json) -> Json:
    """EmailSubmission/get; without ids those of the last 30 days."""
    ids, properties = standard.wanted_ids(args), standard.wanted_properties(args, PROPERTIES)
    state = ctx.state_of("EmailSubmission")
    wanted = [i for i in ids if arguments.is_id(i)] if ids is not None else _every(ctx)
    return standard.get_answer(ctx, state, ids, shown_now(ctx, wanted), properties)


def shown_now(ctx: Context, ids: list[str]) -> dict[str, Json]:
    """EmailSubmission objects by id, of those that are there."""
    own = identity.identity_id(ctx.account)
    return {one.id: show(one, own) for one in submissions.status(ctx.p, ctx.acct, ids)}


def _every(ctx: Context) -> list[str]:
    rows = submissions.listed(ctx.p, ctx.acct, limits.MAX_OBJECTS_IN_GET + 1)
    if len(rows) > limits.MAX_OBJECTS_IN_GET:
        detail = f"There are more than {limits.MAX_OBJECTS_IN_GET}: please query, and get them by their ids."
        raise MethodError("requestTooLarge", detail)
    return [row.id for row in rows]


def changes(ctx: Context, args: Json) -> Json:
    """EmailSubmission/changes."""
    return standard.changes(ctx, args, "EmailSubmission")


# -------------------------------------------------------------------- query
def _email_id(row: ListedSubmission) -> str:
    return row.email_id or row.id


def _thread_id(row: ListedSubmission) -> str:
    return row.thread or row.id


_SORTS: dict[str, Callable[[ListedSubmission], Any]] = {
    "emailId": _email_id,
    "threadId": _thread_id,
    "sentAt": attrgetter("sent_at"),
}
_NEWEST = [("sentAt", False)]


def query(ctx: Context, args: Json) -> Json:
    """EmailSubmission/query (§7.3): the newest by their list alone, all else by reading all of it."""
    return querying.window(ctx, args, _found(ctx, args, _reach(args)))


def query_changes(ctx: Context, args: Json) -> Json:
    """EmailSubmission/queryChanges (§7.4), of those newest first: what expires leaves other lists' middle."""
    return querying.query_changes(ctx, args, _found(ctx, args, limits.MAX_SCAN))


def _found(ctx: Context, args: Json, reach: int) -> Result:
    """What is asked for of the newest so many."""
    own = identity.identity_id(ctx.account)
    keep = querying.filter_(args.get("filter"), lambda given, name: _condition(given, name, own))
    order = querying.sort(args, _SORTS, _NEWEST)
    state = ctx.state_of("EmailSubmission")
    rows = submissions.listed(ctx.p, ctx.acct, reach)
    chosen = [row for row in rows if keep(row)]
    for name, ascending in reversed(order):
        chosen.sort(key=_SORTS[name], reverse=not ascending)
    followed = order == _NEWEST and len(rows) < limits.MAX_SCAN
    return Result("EmailSubmission", state, [row.id for row in chosen], followed)


def _reach(args: Json) -> int:
    """How many rows must be read: up to the end of a plain page, else all."""
    order = querying.sort(args, _SORTS, _NEWEST)
    at, limit = arguments.integer(args, "position", 0) or 0, arguments.integer(args, "limit", None, least=0)
    plain = order == _NEWEST and not args.get("filter") and args.get("anchor") is None
    if plain and at >= 0 and not arguments.boolean(args, "calculateTotal"):
        return at + min(limits.MAX_OBJECTS_IN_GET if limit is None else limit, limits.MAX_OBJECTS_IN_GET)
    return limits.MAX_SCAN


def _condition(given: Json, name: str, own: str) -> querying.Test:
    """One property of a FilterCondition; `own`: the identity of those that name none. Raises MethodError."""
    ids: dict[str, Callable[[ListedSubmission], str]] = {
        "identityIds": lambda row: row.identity or own,
        "emailIds": _email_id,
        "threadIds": _thread_id,
    }
    if name in ids:
        part, wanted = ids[name], arguments.strings(given, name)
        if wanted is None:
            raise arguments.wrong(name, "a list of ids")
        return lambda row: part(row) in wanted
    if name == "undoStatus":
        status = arguments.string(given, name)
        return lambda row: bool(row.undo == status)
    if name not in ("before", "after"):
        raise querying.no_filter(name)
    when = arguments.utc_date(given[name])
    if when is None:
        raise arguments.wrong(name, "a date")
    moment = milliseconds(when)
    return lambda row: bool((row.sent_at < moment) is (name == "before"))
