"""VacationResponse (RFC 8621 §8): the auto-reply that the REST API and delivery know, too (S22)."""

from datetime import UTC, datetime
from hashlib import sha256

from chalicelib.jmap import arguments, patches, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, check, set_error
from chalicelib.rules.autoreply import AutoReply
from chalicelib.rules.errors import ServiceError
from chalicelib.services import autoreply

ID = "singleton"
_SETTABLE = ("isEnabled", "fromDate", "toDate", "subject", "textBody", "htmlBody")
_FAULTS = {"subject": "subject", "text": "textBody", "html": "htmlBody", "until": "toDate"}


def _date(moment: datetime | None) -> str | None:
    return arguments.show_date(moment) if moment else None


def _show(reply: AutoReply) -> Json:
    return {
        "id": ID,
        "isEnabled": reply.enabled,
        "fromDate": _date(reply.start),
        "toDate": _date(reply.end),
        "subject": reply.subject or None,
        "textBody": reply.text or None,
        "htmlBody": reply.html or None,
    }


def _state(shown: Json) -> str:
    return sha256(repr(sorted(shown.items())).encode()).hexdigest()[:16]


# ---------------------------------------------------------------------- get
def get(ctx: Context, args: Json) -> Json:
    """VacationResponse/get."""
    shown = _show(autoreply.get(ctx.p, ctx.account))
    ids, properties = standard.wanted_ids(args), standard.wanted_properties(args, shown)
    return standard.get_answer(ctx, _state(shown), ids, {ID: shown}, properties)


# ---------------------------------------------------------------------- set
def set_(ctx: Context, args: Json) -> Json:
    """VacationResponse/set: changes the only one there is."""
    before = _show(autoreply.get(ctx.p, ctx.account))
    asked = standard.SetArguments(args, _state(before))
    outcome = standard.Outcome()
    singleton = {"type": "singleton", "description": "There is always one, and no other."}
    outcome["notCreated"].update(dict.fromkeys(asked.create, singleton))
    after = before
    for id, patch in asked.update.items():
        if id != ID:
            outcome["notUpdated"][id] = {"type": "notFound"}
            continue
        try:
            after = _update(ctx, before, patch)
            more = {name: after[name] for name in _SETTABLE if after[name] != {**before, **patch}[name]}
            outcome["updated"][id] = more or None
        except SetError as error:
            outcome["notUpdated"][id] = error.answer
        except ServiceError as error:
            if error.kind != "invalid":
                raise
            outcome["notUpdated"][id] = set_error(error)
    for id in asked.destroy:
        outcome["notDestroyed"][id] = singleton if id == ID else {"type": "notFound"}
    return outcome.finish(ctx, _state(before), _state(after))


def _update(ctx: Context, before: Json, patch: Json) -> Json:
    """The response as it is from now on. Raises SetError, ServiceError."""
    after = {**dict.fromkeys(before), **patches.apply(before, patch)}
    unknown = [n for n in after if n not in _SETTABLE and after[n] != before.get(n)]
    wrong = dict.fromkeys(unknown, "This cannot be set.") | _faults(after)
    check(wrong)
    reply = _read(after)
    try:
        autoreply.set_(ctx.p, ctx.caller, ctx.account, reply)
    except ServiceError as error:
        if error.kind == "conflict":
            raise ServiceError("unavailable", error.detail) from error
        check({_FAULTS[fault.pointer.strip("/")]: fault.detail for fault in error.faults})
        raise
    return _show(reply)


def _faults(given: Json) -> dict[str, str]:
    """What is wrong, by property."""
    wrong = {} if isinstance(given["isEnabled"], bool) else {"isEnabled": "This is true or false."}
    for name in ("subject", "textBody", "htmlBody"):
        if given[name] is not None and not isinstance(given[name], str):
            wrong[name] = "This is a string or null."
    for name in ("fromDate", "toDate"):
        if given[name] is not None and arguments.utc_date(given[name]) is None:
            wrong[name] = "This is a date or null."
    return wrong


def _read(given: Json) -> AutoReply:
    """The auto-reply that is asked for; what it says without a text is made when it answers (RFC 8621 §8)."""
    subject, text, html = (given[name] or "" for name in ("subject", "textBody", "htmlBody"))
    start, end = _moment(given["fromDate"]), _moment(given["toDate"])
    return AutoReply(given["isEnabled"], start, end, subject, text, html)


def _moment(given: str | None) -> datetime | None:
    moment = arguments.utc_date(given)
    return moment.astimezone(UTC).replace(microsecond=0) if moment else None
