"""Webhooks (S40): a reseller's server is told what changed. How to check a signature: docs/webhooks.md."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.webhooks import Attempt, Webhook
from chalicelib.services import access, webhooks

routes = Blueprint(__name__)
section = Section("Webhooks", routes)
URL = "https, on port 443 or from 1024 on, of a server on the public internet."
TYPES = 'Which events: "mailbox.created", "mailbox.*"; empty: all.'
AFTER = "The id of the last event that is done with. Set it to have all after it again."


class WebhookIn(Body):
    """A webhook to be made: for what happens from now on."""

    url: str = Field(description=URL)
    types: list[str] = Field([], description=TYPES)


class WebhookPatch(Body):
    """What may be changed. Made active, it is tried at once."""

    url: str = Field("", description=URL)
    types: list[str] = Field([], description=TYPES)
    state: Literal["active", "disabled"] = "active"
    after: str = Field("", description=AFTER + " Empty: from the oldest that is kept on.")


class WebhookOut(Out):
    """A webhook. `disabled` by you, or because nothing could be delivered for three days."""

    id: str
    url: str
    types: list[str]
    state: str
    after: str = Field(description=AFTER)
    created_at: str
    failures: int = Field(description="In a row.")
    failing_since: str | None
    next_attempt_at: str | None = Field(description="Not before; null: within a minute of the next event.")


class SecretOut(WebhookOut):
    """A webhook with the secret that it signs with, which is shown this once."""

    secret: str


class WebhooksOut(Out):
    """All webhooks; there are 20 at most."""

    webhooks: list[WebhookOut]


class AttemptOut(Out):
    """One POST. `status` null: there was no answer, and `detail` says why."""

    at: str
    event: str
    type: str
    ok: bool
    status: int | None
    detail: str
    milliseconds: int


class AttemptsOut(Out):
    """A page of attempts, newest first; of the last 14 days."""

    attempts: list[AttemptOut]
    cursor: str | None


def shown(hook: Webhook) -> WebhookOut:
    """A webhook without its secret."""
    return WebhookOut(
        id=hook.id,
        url=hook.url,
        types=list(hook.types),
        state=hook.state,
        after=hook.after,
        created_at=answers.moment(hook.created_at) or "",
        failures=hook.failures,
        failing_since=answers.moment(hook.failing_since),
        next_attempt_at=answers.moment(hook.next_at),
    )


def told(hook: Webhook) -> SecretOut:
    """A webhook with its secret."""
    return SecretOut(**shown(hook).model_dump(), secret=hook.secret)


def attempted(a: Attempt) -> AttemptOut:
    """An attempt as the API shows it."""
    at = answers.moment(a.at) or ""
    return AttemptOut(
        at=at,
        event=a.event,
        type=a.type,
        ok=a.ok,
        status=a.status,
        detail=a.detail,
        milliseconds=a.milliseconds,
    )


def _found(call: Call, id: str, action: str) -> Webhook:
    """One of the caller's. A key for one domain alone has no webhooks: they tell of all."""
    access.require(call.caller, f"webhooks:{action}")
    return webhooks.find(call.platform, call.caller.reseller, id)


@section.route("GET", "/webhooks", roles=("reseller",), scope="webhooks:read", answers={200: WebhooksOut})
def list_webhooks(call: Call) -> WebhooksOut:
    """The webhooks there are."""
    access.require(call.caller, "webhooks:read")
    found = call.platform.webhooks.of_reseller(call.caller.reseller)
    return WebhooksOut(webhooks=[shown(hook) for hook in found])


@section.route(
    "POST",
    "/webhooks",
    roles=("reseller",),
    scope="webhooks:write",
    body=WebhookIn,
    answers={201: SecretOut},
    errors=("conflict",),
    repeat="refused",
    example=Example(
        body={"url": "https://hooks.harbourweb.example/mail", "types": ["mailbox.*", "domain.*"]}
    ),
)
def create_webhook(call: Call) -> Reply:
    """Have events posted to a server of yours. The secret in the answer is shown this once.

    Needs a key that covers webhooks:write for all domains: a webhook tells of all.
    """
    access.require(call.caller, "webhooks:write")
    made = webhooks.create(call.platform, call.caller, call.body.url, call.body.types)
    return Reply(told(made), 201, {"Location": f"/v1/webhooks/{made.id}"})


@section.route("GET", "/webhooks/{id}", roles=("reseller",), scope="webhooks:read", answers={200: WebhookOut})
def get_webhook(call: Call, id: str) -> WebhookOut:
    """A webhook, and how far it has come."""
    return shown(_found(call, id, "read"))


@section.route(
    "PATCH",
    "/webhooks/{id}",
    roles=("reseller",),
    scope="webhooks:write",
    body=WebhookPatch,
    answers={200: WebhookOut},
    errors=("conflict", "precondition_failed"),
    example=Example(body={"types": ["mailbox.*"]}),
)
def change_webhook(call: Call, id: str) -> WebhookOut:
    """Change a webhook, switch it off or on, or have events again (`after`)."""
    hook = _found(call, id, "write")
    call.check(shown(hook))
    return shown(webhooks.change(call.platform, call.caller, hook, call.patch))


@section.route(
    "DELETE",
    "/webhooks/{id}",
    roles=("reseller",),
    scope="webhooks:write",
    answers={204: None},
    errors=("conflict", "precondition_failed"),
)
def delete_webhook(call: Call, id: str) -> None:
    """Remove a webhook."""
    hook = _found(call, id, "write")
    call.check(shown(hook))
    webhooks.delete(call.platform, call.caller, hook)


@section.route(
    "POST",
    "/webhooks/{id}/rotate",
    roles=("reseller",),
    scope="webhooks:write",
    answers={200: SecretOut},
    errors=("conflict",),
)
def rotate_webhook_secret(call: Call, id: str) -> SecretOut:
    """A new secret, shown this once. For a day each event is signed with the one before as well."""
    return told(webhooks.rotate(call.platform, call.caller, _found(call, id, "write")))


@section.route(
    "POST",
    "/webhooks/{id}/test",
    roles=("reseller",),
    scope="webhooks:write",
    answers={200: AttemptOut},
    errors=("throttled",),
)
def test_webhook(call: Call, id: str) -> AttemptOut:
    """Post an event of the type webhook.test now, and say what became of it. At most 10 a minute."""
    return attempted(webhooks.probe(call.platform, _found(call, id, "write")))


@section.route(
    "GET",
    "/webhooks/{id}/attempts",
    roles=("reseller",),
    scope="webhooks:read",
    query=PageQuery,
    answers={200: AttemptsOut},
)
def list_webhook_attempts(call: Call, id: str) -> AttemptsOut:
    """What became of the last attempts, newest first."""
    hook = _found(call, id, "read")
    limit, after = call.page()
    found, following = call.platform.webhooks.attempts(hook, limit, after)
    return AttemptsOut(attempts=[attempted(a) for a in found], cursor=answers.cursor(following))
