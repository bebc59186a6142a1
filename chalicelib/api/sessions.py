"""Log-in and log-out of people, and where they are logged in (S23)."""

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers, auth
from chalicelib.api.models import Body
from chalicelib.api.quota import QuotaOut, login_quota
from chalicelib.api.rest import Call, Example, Out, Reply, Section
from chalicelib.services import signin

routes = Blueprint(__name__)
section = Section("Sessions", routes)


class SessionIn(Body):
    """A log-in. `code`: of the authenticator app or a recovery code, where a second factor is on."""

    address: str = Field(max_length=1_000)
    password: str = Field(max_length=1_000)
    code: str = Field("", max_length=100)


class SessionOut(Out):
    """A session. `token` is the bearer token of all further requests, and is shown this once."""

    token: str
    account_id: str
    address: str
    name: str
    expires_at: str
    quota: QuotaOut | None = Field(description="Null while the mailbox is being made.")


class OpenSessionOut(Out):
    """Where somebody is logged in. `last_seen_at` is to the hour; `current`: this very session."""

    id: str
    created_at: str
    last_seen_at: str
    expires_at: str
    network: str
    agent: str
    current: bool


class OpenSessionsOut(Out):
    """All of them, newest first."""

    sessions: list[OpenSessionOut]


@section.route(
    "POST",
    "/sessions",
    roles=("public",),
    body=SessionIn,
    answers={201: SessionOut},
    errors=(
        "bad_credentials",
        "second_factor_required",
        "throttled",
        "domain_pending",
        "domain_suspended",
        "account_suspended",
    ),
    example=Example(body={"address": "ann@x.test", "password": "correct horse 9"}),
)
def log_in(call: Call) -> SessionOut:
    """Log in to webmail and admin. A refusal says why, once the password was right (S5).

    With `second_factor_required` the same request is sent again, with a `code`.
    """
    p, body, source = call.platform, call.body, call.caller.source
    account = signin.authenticate(
        p, body.address, body.password, door="webmail", source=source, code=body.code
    )
    agent = str(call.request.headers.get("user-agent") or "")
    opened = signin.open_session(p, account, source, agent)
    return SessionOut(
        token=opened.token,
        account_id=account.id,
        address=account.address,
        name=account.name,
        expires_at=answers.moment(opened.expires_at) or "",
        quota=login_quota(p, account),
    )


@section.route("DELETE", "/sessions", roles=("public",), answers={204: None}, errors=("unauthenticated",))
def log_out(call: Call) -> None:
    """Log out: the token of this request opens nothing any more."""
    token = auth.bearer(call.request)
    signin.session(call.platform, token)
    signin.close_session(call.platform, token)


@section.route(
    "GET", "/sessions", within="mailbox", roles=("user",), answers={200: OpenSessionsOut}, example=Example()
)
def list_sessions(call: Call) -> OpenSessionsOut:
    """Where the caller is logged in, newest first."""
    own = signin.digest(auth.bearer(call.request))
    rows = [
        OpenSessionOut(
            id=s.name,
            created_at=answers.moment(s.created_at) or "",
            last_seen_at=answers.moment(s.seen_at) or "",
            expires_at=answers.moment(s.expires_at) or "",
            network=s.network,
            agent=s.agent,
            current=s.id == own,
        )
        for s in signin.sessions(call.platform, call.account)
    ]
    return OpenSessionsOut(sessions=rows)


@section.route(
    "DELETE",
    "/sessions",
    within="mailbox",
    roles=("user",),
    answers={204: None},
    errors=("conflict",),
    example=Example(),
)
def end_other_sessions(call: Call) -> None:
    """End all sessions but this one; takes effect everywhere within 15 seconds."""
    token = auth.bearer(call.request)
    signin.end_other_sessions(call.platform, call.caller, call.account, token)


@section.route(
    "DELETE",
    "/sessions/{session}",
    within="mailbox",
    roles=("user",),
    answers={204: None},
    errors=("conflict",),
)
def end_session(call: Call, session: str) -> Reply:
    """End one session; takes effect everywhere within 15 seconds."""
    signin.end_session(call.platform, call.caller, call.account, session)
    return Reply()
