"""VacationResponse (RFC 8621 §8): the auto-reply that the REST API and delivery know, too (S22)."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from chalicelib.jmap import arguments, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, invalid
from chalicelib.rules.autoreply import UNSAID, AutoReply
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
    for id in asked.destroy:
        outcome["notDestroyed"][id] = singleton if id == ID else {"type": "notFound"}
    return outcome.finish(ctx, _state(before), _state(after))


def _update(ctx: Context, before: Json, patch: Json) -> Json:
    """The response as it is from now on. Raises SetError, ServiceError conflict."""
    wrong = [n for n, v in patch.items() if n not in _SETTABLE and not (n in before and before[n] == v)]
    if wrong:
        raise invalid("These cannot be set.", *wrong)
    reply = _read({**before, **patch})
    try:
        autoreply.set_(ctx.p, ctx.caller, ctx.account, reply)
    except ServiceError as error:
        if error.kind != "invalid":
            raise
        names = [_FAULTS[fault.pointer.strip("/")] for fault in error.faults]
        raise invalid(error.faults[0].detail, *names) from None
    return _show(reply)


def _read(given: Json) -> AutoReply:
    """The auto-reply that is asked for; one without a word says something (RFC 8621 §8)."""
    enabled = given["isEnabled"]
    if not isinstance(enabled, bool):
        raise invalid("This is true or false.", "isEnabled")
    text, html = _string(given, "textBody"), _string(given, "htmlBody")
    if enabled and not text.strip() and not html.strip():
        text = UNSAID
    start, end = _moment(given, "fromDate"), _moment(given, "toDate")
    return AutoReply(enabled, start, end, _string(given, "subject"), text, html)


def _string(given: Json, name: str) -> str:
    value: Any = given[name]
    if value is not None and not isinstance(value, str):
        raise invalid("This is a string or null.", name)
    return value or ""


def _moment(given: Json, name: str) -> datetime | None:
    if given[name] is None:
        return None
    moment = arguments.utc_date(given[name])
    if moment is None:
        raise invalid("This is a date or null.", name)
    return moment.astimezone(UTC).replace(microsecond=0)
