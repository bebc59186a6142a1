"""EmailSubmission/set (RFC 8621 §7.5): sending, calling back what is held, and forgetting."""

from base64 import b32encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from chalicelib.jmap import arguments, identity, limits, patches, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError, SetError, invalid, set_error
from chalicelib.jmap.submission import show_envelope, shown_now
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.holding import NAMES
from chalicelib.rules.identities import Identity
from chalicelib.rules.values import Correspondent, Email, Envelope, Submission
from chalicelib.services import send, submissions

Emails = dict[str, str | None]  # submissions that were dealt with → their emails
_SETTABLE = frozenset({"identityId", "emailId", "envelope", "undoStatus"})


def set_(ctx: Context, args: Json) -> Json:
    """EmailSubmission/set; then the Email/set that onSuccess… asks for, answered after it."""
    old = ctx.state_of("EmailSubmission")
    asked = standard.SetArguments(args, old)
    on_update = arguments.objects(args, "onSuccessUpdateEmail")
    on_destroy = arguments.strings(args, "onSuccessDestroyEmail") or []
    if len(on_update) + len(on_destroy) > limits.MAX_OBJECTS_IN_SET:
        raise MethodError("requestTooLarge", "Too many emails would be changed when all of this is done.")
    outcome = standard.Outcome()
    sent: Emails = {}
    for creation, given in asked.create.items():
        try:
            _create(ctx, creation, given, outcome, sent)
        except SetError as error:
            outcome["notCreated"][creation] = error.answer
        except ServiceError as error:
            outcome["notCreated"][creation] = set_error(error)
    for id, patch in asked.update.items():
        _update(ctx, id, patch, outcome, sent)
    for id in asked.destroy:
        _destroy(ctx, id, outcome, sent)
    ctx.wrote()
    answer = outcome.finish(ctx, old, ctx.state_of("EmailSubmission"))
    _then(ctx, sent, on_update, on_destroy)
    return answer


def _create(ctx: Context, creation: str, given: Json, outcome: standard.Outcome, sent: Emails) -> None:
    unknown = [name for name in given if name not in _SETTABLE]
    if unknown:
        raise invalid("These cannot be set.", *unknown)
    if given.get("undoStatus", "pending") not in ("pending", "final"):
        raise invalid("A new submission is not canceled.", "undoStatus")
    under = _identity(ctx, given.get("identityId"))
    email = _email(ctx, given.get("emailId"))
    envelope = _envelope(email, given.get("envelope"), under.email)
    held = _held(given.get("envelope"))
    made = send.submit(ctx.p, _submission(ctx, email, envelope, under.id, held))
    ctx.created[creation] = made.id
    sent[made.id] = email.id
    shown: Json = {
        "id": made.id,
        "threadId": email.thread,
        "undoStatus": made.undo,
        "sendAt": arguments.show_date(made.sent_at),
        "deliveryStatus": None,
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }
    outcome["created"][creation] = shown | (
        {} if given.get("envelope") else {"envelope": show_envelope(envelope)}
    )


def _identity(ctx: Context, given: Any) -> Identity:
    id = ctx.resolve(given) if isinstance(given, str) else None
    found = identity.known(ctx, id) if id is not None else None
    if found is None:
        raise invalid("There is no such identity.", "identityId")
    return found


def _submission(
    ctx: Context, email: Email, envelope: Envelope, under: str, held: Mapping[str, str]
) -> Submission:
    """Its id follows from what is sent to whom: a repeat after a lost answer sends nothing twice (S27)."""
    seed = "\0".join([ctx.acct, email.id, envelope.sender, *sorted(envelope.recipients)])
    id = "s" + b32encode(sha256(seed.encode()).digest()[:15]).decode().lower()
    message_id = (*email.message_id, f"{id}@{ctx.account.domain}")[0]
    return Submission(
        id=id,
        account=ctx.account,
        envelope=envelope,
        blob=email.blob,
        size=email.size,
        message_id=message_id,
        source="webmail",
        email_id=email.id,
        identity=under,
        thread=email.thread,
        held=held,
    )


def _email(ctx: Context, given: Any) -> Email:
    id = ctx.resolve(given) if isinstance(given, str) else None
    found = ctx.emails([id]).get(id) if id is not None and arguments.is_id(id) else None
    if found is None:
        raise invalid("There is no such email.", "emailId")
    return found


def _envelope(email: Email, given: Any, own: str) -> Envelope:
    """As given, or made of the header (RFC 8621 §7): Sender or From if the identity (whose address is `own`)
    allows it, and To, Cc, Bcc, each once.
    """
    if given is None:
        named = next((c.email for c in (*email.sender, *email.from_)), own)
        sender = named if named.lower() == own.lower() else own
        people: tuple[Correspondent, ...] = (*email.to, *email.cc, *email.bcc)
        return Envelope(sender, tuple({c.email.lower(): c.email for c in reversed(people)}.values())[::-1])
    if not isinstance(given, dict) or not isinstance(given.get("rcptTo"), list):
        raise invalid("An envelope has mailFrom and rcptTo.", "envelope")
    recipients = tuple(dict.fromkeys(_address(entry) for entry in given["rcptTo"]))
    return Envelope(_address(given.get("mailFrom"), NAMES), recipients)


def _address(given: Any, parameters: frozenset[str] = frozenset()) -> str:
    if not isinstance(given, dict) or not isinstance(given.get("email"), str) or len(given["email"]) > 500:
        raise invalid("An address is an object with an email.", "envelope")
    asked = given.get("parameters") or {}
    if not isinstance(asked, dict) or not {str(name).upper() for name in asked} <= parameters:
        raise invalid("Of SMTP's parameters HOLDFOR and HOLDUNTIL of mailFrom are supported.", "envelope")
    email: str = given["email"]
    return email


def _held(envelope: Any) -> dict[str, str]:
    """The parameters that hold the message (RFC 4865), by their names in capitals."""
    asked = (envelope or {"mailFrom": {}})["mailFrom"].get("parameters") or {}
    if not all(isinstance(value, str) for value in asked.values()):
        raise invalid("HOLDFOR and HOLDUNTIL have values, as strings.", "envelope")
    return {name.upper(): value for name, value in asked.items()}


def _update(ctx: Context, asked: str, patch: Json, outcome: standard.Outcome, sent: Emails) -> None:
    """Call a message back: what a client may change is undoStatus alone."""
    try:
        out = submissions.own(ctx.p, ctx.acct, _known(ctx, asked))
        if _calls_back(ctx, out.id, patch) and not submissions.cancel(ctx.p, out):
            raise SetError("cannotUnsend", "The message is on its way.")
        sent[out.id] = out.email_id
        outcome["updated"][asked] = None
    except SetError as error:
        outcome["notUpdated"][asked] = error.answer
    except ServiceError as error:
        outcome["notUpdated"][asked] = set_error(error)


def _calls_back(ctx: Context, id: str, patch: Json) -> bool:
    """Whether a patch asks for that. What it says beside it must be so (RFC 8620 §5.3: a client may send the
    whole object). Raises SetError invalidProperties, ServiceError.
    """
    if patch == {"undoStatus": "canceled"}:
        return True
    shown = shown_now(ctx, [id]).get(id)
    if shown is None:
        raise SetError("notFound")
    after = patches.apply(shown, patch)
    wrong = {name for name in {*shown, *after} if after.get(name) != shown.get(name)}
    if after.get("undoStatus") == "canceled":
        wrong -= {"undoStatus"}
    if wrong:
        raise invalid("Only undoStatus can be changed, to canceled.", *sorted(wrong))
    return bool(after["undoStatus"] != shown["undoStatus"])


def _destroy(ctx: Context, asked: str, outcome: standard.Outcome, sent: Emails) -> None:
    try:
        out = submissions.forget(ctx.p, ctx.acct, _known(ctx, asked))
        sent[out.id] = out.email_id
        outcome.destroyed.append(out.id)
    except SetError as error:
        outcome["notDestroyed"][asked] = error.answer
    except ServiceError as error:
        outcome["notDestroyed"][asked] = set_error(error)


def _known(ctx: Context, asked: str) -> str:
    id = ctx.resolve(asked)
    if id is None or not arguments.is_id(id):
        raise SetError("notFound")
    return id


def _then(ctx: Context, sent: Emails, on_update: dict[str, Json], on_destroy: list[str]) -> None:
    """RFC 8621 §7.5: one Email/set for the submissions that were created, updated or destroyed."""

    def email(submission: str) -> str | None:
        return sent.get(ctx.resolve(submission) or "")

    update = {id: patch for of, patch in on_update.items() if (id := email(of))}
    destroy = [id for of in on_destroy if (id := email(of))]
    if update or destroy:
        ctx.implied.append(("Email/set", {"accountId": ctx.acct, "update": update, "destroy": destroy}))
