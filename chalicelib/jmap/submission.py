"""EmailSubmission (RFC 8621 §7): sending, and what became of each recipient."""

from base64 import b32encode
from hashlib import sha256
from typing import Any

from chalicelib.aws import clock
from chalicelib.jmap import arguments, email_set, identity, standard
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError, SetError, invalid, set_error
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import (
    Correspondent,
    Email,
    Envelope,
    RecipientState,
    Submission,
    SubmissionState,
)
from chalicelib.services import send

_SETTABLE = frozenset({"identityId", "emailId", "envelope", "undoStatus"})
#: RFC 8621 §7: whether the message has reached the recipient, as far as is known.
_DELIVERED = {"queued": "queued", "sent": "queued", "deferred": "queued", "delivered": "yes", "failed": "no"}
_REPLIES = {"queued": "250 2.0.0 queued", "sent": "250 2.0.0 sent, the outcome is not known yet"}


def _fresh_state() -> str:
    """A new one each time: outcomes arrive without passing the mailbox, so nothing counts as unchanged."""
    return str(int(clock.now().timestamp() * 1000))


# ---------------------------------------------------------------------- get
def show(found: SubmissionState, acct_identity: str) -> Json:
    """An EmailSubmission object."""
    return {
        "id": found.id,
        "identityId": found.identity or acct_identity,
        "emailId": found.email_id or "",
        "threadId": found.thread or "",
        "envelope": {
            "mailFrom": {"email": found.envelope.sender, "parameters": None},
            "rcptTo": [{"email": address, "parameters": None} for address in found.envelope.recipients],
        },
        "sendAt": arguments.show_date(found.sent_at),
        "undoStatus": "final",
        "deliveryStatus": {one.address: _status(one) for one in found.recipients},
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }


def _status(one: RecipientState) -> Json:
    reply = one.reply.removeprefix("smtp; ") or _REPLIES.get(
        one.state, "250 2.0.0 ok" if one.state == "delivered" else ""
    )
    return {"smtpReply": reply, "delivered": _DELIVERED[one.state], "displayed": "unknown"}


PROPERTIES = (
    "id", "identityId", "emailId", "threadId", "envelope", "sendAt", "undoStatus", "deliveryStatus",
    "dsnBlobIds", "mdnBlobIds",
)  # fmt: skip


def get(ctx: Context, args: Json) -> Json:
    """EmailSubmission/get; without ids the newest."""
    ids, properties = standard.wanted_ids(args), standard.wanted_properties(args, PROPERTIES)
    state = _fresh_state()
    known = None if ids is None else [i for i in ids if arguments.is_id(i)]
    own = identity.identity_id(ctx.account)
    found = {one.id: show(one, own) for one in send.status(ctx.p, ctx.acct, known)}
    return standard.get_answer(ctx, state, ids, found, properties)


def changes(_ctx: Context, args: Json) -> Json:
    """EmailSubmission/changes: an honest refusal."""
    arguments.string(args, "sinceState")
    raise MethodError("cannotCalculateChanges", "Please get the submissions again.")


# ---------------------------------------------------------------------- set
def set_(ctx: Context, args: Json) -> Json:
    """EmailSubmission/set; then the Email/set that onSuccess… asks for, answered after it."""
    asked = standard.SetArguments(args, None)
    on_update = arguments.objects(args, "onSuccessUpdateEmail")
    on_destroy = arguments.strings(args, "onSuccessDestroyEmail") or []
    outcome = standard.Outcome()
    sent: dict[str, str] = {}  # submission id, and creation id with its `#` → email id
    for creation, given in asked.create.items():
        try:
            _create(ctx, creation, given, outcome, sent)
        except SetError as error:
            outcome["notCreated"][creation] = error.answer
        except ServiceError as error:
            outcome["notCreated"][creation] = set_error(error)
    for id, patch in asked.update.items():
        outcome["notUpdated"][id] = _update(ctx, id, patch)
    for id in asked.destroy:
        outcome["notDestroyed"][id] = {"type": "forbidden", "description": "What was sent stays on record."}
    _then(ctx, sent, on_update, on_destroy)
    return outcome.finish(ctx, None, _fresh_state())


def _create(
    ctx: Context, creation: str, given: Json, outcome: standard.Outcome, sent: dict[str, str]
) -> None:
    unknown = [name for name in given if name not in _SETTABLE]
    if unknown:
        raise invalid("These cannot be set.", *unknown)
    if given.get("undoStatus", "pending") not in ("pending", "final"):
        raise invalid("A new submission is not canceled.", "undoStatus")
    own = identity.identity_id(ctx.account)
    if given.get("identityId") != own:
        raise invalid("There is no such identity.", "identityId")
    email = _email(ctx, given.get("emailId"))
    envelope = _envelope(ctx, email, given.get("envelope"))
    made = send.submit(ctx.p, _submission(ctx, email, envelope, own))
    ctx.created[creation] = made.id
    sent[f"#{creation}"] = sent[made.id] = email.id
    shown: Json = {
        "id": made.id,
        "threadId": email.thread,
        "undoStatus": "final",
        "sendAt": arguments.show_date(made.sent_at),
        "deliveryStatus": None,
        "dsnBlobIds": [],
        "mdnBlobIds": [],
    }
    outcome["created"][creation] = shown | ({} if given.get("envelope") else {"envelope": _shown(envelope)})


def _submission(ctx: Context, email: Email, envelope: Envelope, own: str) -> Submission:
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
        identity=own,
        thread=email.thread,
    )


def _email(ctx: Context, given: Any) -> Email:
    id = ctx.resolve(given) if isinstance(given, str) else None
    found = ctx.emails([id]).get(id) if id is not None and arguments.is_id(id) else None
    if found is None:
        raise invalid("There is no such email.", "emailId")
    return found


def _envelope(ctx: Context, email: Email, given: Any) -> Envelope:
    """As given, or made of the header (RFC 8621 §7): Sender or From, and To, Cc, Bcc, each once."""
    if given is None:
        sender = next((c.email for c in (*email.sender, *email.from_)), ctx.account.address)
        people: tuple[Correspondent, ...] = (*email.to, *email.cc, *email.bcc)
        return Envelope(sender, tuple({c.email.lower(): c.email for c in reversed(people)}.values())[::-1])
    if not isinstance(given, dict) or not isinstance(given.get("rcptTo"), list):
        raise invalid("An envelope has mailFrom and rcptTo.", "envelope")
    recipients = tuple(dict.fromkeys(_address(entry) for entry in given["rcptTo"]))
    return Envelope(_address(given.get("mailFrom")), recipients)


def _address(given: Any) -> str:
    if not isinstance(given, dict) or not isinstance(given.get("email"), str) or len(given["email"]) > 500:
        raise invalid("An address is an object with an email.", "envelope")
    if given.get("parameters"):
        raise invalid("No SMTP parameters are supported.", "envelope")
    email: str = given["email"]
    return email


def _shown(envelope: Envelope) -> Json:
    return {
        "mailFrom": {"email": envelope.sender, "parameters": None},
        "rcptTo": [{"email": address, "parameters": None} for address in envelope.recipients],
    }


def _update(ctx: Context, id: str, patch: Json) -> Json:
    """Nothing is held back, so nothing can be called back."""
    if not arguments.is_id(id) or not send.status(ctx.p, ctx.acct, [id]):
        return {"type": "notFound"}
    if patch == {"undoStatus": "canceled"}:
        return {"type": "cannotUnsend", "description": "The message is on its way."}
    return invalid("This cannot be changed.", *patch).answer


def _then(ctx: Context, sent: dict[str, str], on_update: dict[str, Json], on_destroy: list[str]) -> None:
    """RFC 8621 §7.5: one Email/set for the submissions that succeeded."""
    update = {sent[id]: patch for id, patch in on_update.items() if id in sent}
    destroy = [sent[id] for id in on_destroy if id in sent]
    if update or destroy:
        answer = email_set.set_(ctx, {"accountId": ctx.acct, "update": update, "destroy": destroy})
        ctx.implied.append(("Email/set", answer))
