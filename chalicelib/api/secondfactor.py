"""The second factor: an authenticator app's codes, and recovery codes (S23)."""

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers, auth
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, Section
from chalicelib.services import secondfactor, signin

routes = Blueprint(__name__)
section = Section("Second factor", routes)


class BeginIn(Body):
    """The password once more: a session alone must not lock its owner out."""

    password: str = Field(max_length=1_000)


class CodeIn(Body):
    """A code of the authenticator app; a recovery code where the second factor is on."""

    code: str = Field(max_length=100)


class DisableIn(BeginIn, CodeIn):
    """Both."""


class FactorOut(Out):
    """Whether it is on, since when, and how many recovery codes are left."""

    enabled: bool
    since: str | None
    recovery_codes_left: int


class EnrolmentOut(Out):
    """For the authenticator app: `uri` as a QR code, or `secret` (Base32) to be typed."""

    secret: str
    uri: str


class RecoveryCodesOut(Out):
    """Ten, each good once; shown this once."""

    recovery_codes: list[str]


@section.route(
    "GET",
    "/second-factor",
    within="mailbox",
    roles=("user", "reseller", "admin"),
    scope="mailboxes:read",
    answers={200: FactorOut},
    example=Example(path={"local": "bob"}),
)
def get_second_factor(call: Call) -> FactorOut:
    """Whether a mailbox's second factor is on."""
    found = secondfactor.status(call.platform, call.account)
    if found is None:
        return FactorOut(enabled=False, since=None, recovery_codes_left=0)
    return FactorOut(enabled=True, since=answers.moment(found.since), recovery_codes_left=len(found.codes))


@section.route(
    "POST",
    "/second-factor",
    within="mailbox",
    roles=("user",),
    body=BeginIn,
    answers={200: EnrolmentOut},
    errors=("conflict", "throttled"),
    example=Example(body={"password": "correct horse 9"}),
)
def begin_second_factor(call: Call) -> EnrolmentOut:
    """Begin: a new secret for the authenticator app. Nothing is on before it is confirmed."""
    made = secondfactor.begin(call.platform, call.caller, call.account, call.body.password)
    return EnrolmentOut(secret=made.secret, uri=made.uri)


@section.route(
    "POST",
    "/second-factor/confirm",
    within="mailbox",
    roles=("user",),
    body=CodeIn,
    answers={200: RecoveryCodesOut},
    errors=("conflict", "throttled"),
    example=Example(body={"code": "492039"}),
)
def confirm_second_factor(call: Call) -> RecoveryCodesOut:
    """Turn it on by a first code; gives the recovery codes.

    Other sessions end. From now, mail programs need app passwords; those that are there stay.
    """
    session = signin.digest(auth.bearer(call.request))
    codes = secondfactor.confirm(call.platform, call.caller, call.account, call.body.code, session)
    return RecoveryCodesOut(recovery_codes=codes)


@section.route(
    "POST",
    "/second-factor/disable",
    within="mailbox",
    roles=("user",),
    body=DisableIn,
    answers={204: None},
    errors=("conflict", "throttled"),
    example=Example(body={"password": "correct horse 9", "code": "492039"}),
)
def disable_second_factor(call: Call) -> None:
    """Turn it off, with password and code. Other sessions end."""
    session = signin.digest(auth.bearer(call.request))
    body = call.body
    secondfactor.disable(call.platform, call.caller, call.account, body.password, body.code, session)


@section.route(
    "POST",
    "/second-factor/recovery-codes",
    within="mailbox",
    roles=("user",),
    body=CodeIn,
    answers={200: RecoveryCodesOut},
    errors=("conflict", "throttled"),
    example=Example(body={"code": "492039"}),
)
def renew_recovery_codes(call: Call) -> RecoveryCodesOut:
    """Ten new recovery codes in place of those left."""
    codes = secondfactor.renew_codes(call.platform, call.caller, call.account, call.body.code)
    return RecoveryCodesOut(recovery_codes=codes)


@section.route(
    "DELETE",
    "/second-factor",
    within="mailbox",
    roles=("reseller", "admin"),
    scope="mailboxes:write",
    answers={204: None},
    errors=("conflict",),
)
def reset_second_factor(call: Call) -> None:
    """Turn a mailbox's second factor off, for an owner who lost everything. Its sessions end.

    An email admin's own is not turned off this way.
    """
    secondfactor.reset(call.platform, call.caller, call.account)
