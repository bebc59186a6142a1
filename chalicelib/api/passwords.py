"""Passwords: by their owner, by email admin and reseller, by a reset link; app passwords (S23)."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers, auth
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, Reply, Section
from chalicelib.rules.signin import AppPassword
from chalicelib.services import apppasswords, passwords, resets, signin

routes = Blueprint(__name__)
section = Section("Passwords", routes)
LONGEST = 1_000  # characters that are looked at at all
Door = Literal["imap", "pop3", "smtp"]


class ChangeIn(Body):
    """The present password and the new one: 8 to 256 characters, not one's own name, not easily guessed."""

    current: str = Field(max_length=LONGEST)
    new: str = Field(max_length=LONGEST)


class PasswordIn(Body):
    """The new password: 8 to 256 characters, not the owner's name, not easily guessed."""

    password: str = Field(max_length=LONGEST)


class ResetIn(Body):
    """Whose password is forgotten."""

    address: str = Field(max_length=320)


class ResetAskedOut(Out):
    """The same whether there is such a mailbox or not."""

    detail: str


class ResetConfirmIn(PasswordIn):
    """`token`: what the link's fragment holds behind `reset=`."""

    token: str = Field(max_length=200)


class ResetOut(Out):
    """Whose password was set."""

    address: str


class AppPasswordIn(Body):
    """`label`: what it is for, as "Phone". `doors`: what it opens."""

    label: str
    doors: list[Door] = Field(max_length=10)


class AppPasswordOut(Out):
    """An app password. `last_used_on` is a day (UTC)."""

    id: str
    label: str
    doors: list[Door]
    created_at: str
    last_used_on: str | None


class NewAppPasswordOut(AppPasswordOut):
    """`password` is shown this once; hyphens and spaces in it do not matter."""

    password: str


class AppPasswordsOut(Out):
    """All of a mailbox's, oldest first."""

    app_passwords: list[AppPasswordOut]


# ------------------------------------------------------------------------------------------------- passwords
@section.route(
    "PUT",
    "/password",
    within="mailbox",
    roles=("user",),
    body=ChangeIn,
    answers={204: None},
    errors=("conflict", "throttled"),
    example=Example(body={"current": "correct horse 9", "new": "a longer walk by the river"}),
)
def change_password(call: Call) -> None:
    """Change one's own password.

    All other sessions end, within 15 seconds; this one and the app passwords stay.
    """
    session = signin.digest(auth.bearer(call.request))
    passwords.change(call.platform, call.caller, call.account, call.body.current, call.body.new, session)


@section.route(
    "PUT",
    "/password",
    within="mailbox",
    roles=("reseller", "admin"),
    scope="mailboxes:write",
    body=PasswordIn,
    answers={204: None},
    errors=("conflict",),
    example=Example(path={"local": "bob"}, body={"password": "a longer walk by the river"}),
)
def set_password(call: Call) -> None:
    """Set a mailbox's password for its owner.

    Every session and every app password of the mailbox ends; a second factor stays on. An email admin's own
    password is not set this way.
    """
    passwords.give(call.platform, call.caller, call.account, call.body.password)


@section.route(
    "POST",
    "/password-resets",
    roles=("public",),
    body=ResetIn,
    answers={202: ResetAskedOut},
    errors=("throttled",),
    example=Example(body={"address": "bob@x.test"}),
)
def ask_for_reset(call: Call) -> ResetAskedOut:
    """Have a reset link sent to a mailbox's recovery address.

    The answer is the same whether there is such a mailbox, whether it has a recovery address, or not.
    """
    resets.ask(call.platform, call.body.address, call.caller.source)
    return ResetAskedOut(
        detail="If a recovery address is set for this mailbox, a link was sent there; it works for an hour."
        " Otherwise please ask your administrator for a new password."
    )


@section.route(
    "POST",
    "/password-resets/confirm",
    roles=("public",),
    body=ResetConfirmIn,
    answers={200: ResetOut},
    example=Example(
        body={"token": "kU9vN2xq0bQm4d1Hc7sTzY5wRfEaJgLp", "password": "a longer walk by the river"}
    ),
)
def reset_password(call: Call) -> ResetOut:
    """Set a new password by the token of a reset link, which works once and for an hour.

    Every session and every app password of the mailbox ends; a second factor stays on.
    """
    account = resets.confirm(call.platform, call.caller, call.body.token, call.body.password)
    return ResetOut(address=account.address)


# --------------------------------------------------------------------------------------------- app passwords
def _shown(app: AppPassword) -> AppPasswordOut:
    return AppPasswordOut(
        id=app.id,
        label=app.label,
        doors=[door for door in ("imap", "pop3", "smtp") if door in app.doors],
        created_at=answers.moment(app.created_at) or "",
        last_used_on=app.used_on,
    )


@section.route(
    "GET",
    "/app-passwords",
    within="mailbox",
    roles=("user", "reseller", "admin"),
    scope="mailboxes:read",
    answers={200: AppPasswordsOut},
    example=Example(path={"local": "bob"}),
)
def list_app_passwords(call: Call) -> AppPasswordsOut:
    """A mailbox's app passwords, oldest first."""
    found = apppasswords.listed(call.platform, call.account)
    return AppPasswordsOut(app_passwords=[_shown(app) for app in found])


@section.route(
    "POST",
    "/app-passwords",
    within="mailbox",
    roles=("user",),
    body=AppPasswordIn,
    answers={201: NewAppPasswordOut},
    errors=("conflict",),
    repeat="refused",
    example=Example(body={"label": "Phone", "doors": ["imap", "smtp"]}),
)
def create_app_password(call: Call) -> Reply:
    """Make an app password for a mail program; at most 20 per mailbox. It is shown this once."""
    made, text = apppasswords.create(
        call.platform, call.caller, call.account, call.body.label, call.body.doors
    )
    where = {"Location": f"/v1/mailbox/app-passwords/{made.id}"}
    return Reply(NewAppPasswordOut(**_shown(made).model_dump(), password=text), headers=where)


@section.route(
    "DELETE",
    "/app-passwords/{app_password}",
    within="mailbox",
    roles=("user", "reseller", "admin"),
    scope="mailboxes:write",
    answers={204: None},
    errors=("conflict",),
)
def delete_app_password(call: Call, app_password: str) -> None:
    """Revoke an app password; takes effect on new log-ins within 15 seconds."""
    apppasswords.remove(call.platform, call.caller, call.account, app_password)
