"""Suspensions (S31 to S33) of domains and mailboxes, by operator or reseller; sending paused by the guard."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, Reply, Section
from chalicelib.rules.abuse import Held, Holder
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account
from chalicelib.services import guard, suspension

routes = Blueprint(__name__)
section = Section("Suspensions", routes)
SHORTEST, LONGEST = 1, 500


class HeldOut(Out):
    """Who holds it, why, by whom and when it was put. `guard` pauses sending alone, and never a domain."""

    holder: Literal["operator", "reseller", "guard"]
    reason: str
    by: str
    at: str | None


class SuspensionOut(Out):
    """Suspended for as long as anybody but the guard holds it: no sending, no log-in; mail is still taken in.

    `sending_paused`: the guard saw what stolen mailboxes do; log-in still works, to change the password.
    """

    suspended: bool
    sending_paused: bool
    holds: list[HeldOut]


class SuspendIn(Body):
    """PUT of a reseller."""

    reason: str = Field("", max_length=LONGEST)


class ReasonIn(Body):
    """Why (S33); it is kept in the audit and shown to the reseller."""

    reason: str = Field(min_length=SHORTEST, max_length=LONGEST)


class LiftIn(ReasonIn):
    """`clear_strikes`: the reports were wrong; they no longer count (S32)."""

    clear_strikes: bool = False


def shown(held: list[Held]) -> SuspensionOut:
    """As the API shows it."""
    return SuspensionOut(
        suspended=any(h.holder != "guard" for h in held),
        sending_paused=any(h.holder == "guard" for h in held),
        holds=[HeldOut(holder=h.holder, reason=h.reason, by=h.by, at=answers.moment(h.at)) for h in held],
    )


def _put(call: Call, target: HostedDomain | Account, holder: Holder) -> Reply:
    new = suspension.hold(call.platform, call.caller, target, holder, call.body.reason)
    return Reply(shown(suspension.holds(call.platform, target)), 201 if new else 200)


# ------------------------------------------------------------------------------------------------ domains
@section.route(
    "GET",
    "/suspension",
    roles=("reseller", "admin"),
    within="domain",
    scope="suspensions:read",
    answers={200: SuspensionOut},
)
def domain_suspension(call: Call) -> SuspensionOut:
    """Who suspended email of the domain, and why."""
    return shown(suspension.holds(call.platform, call.domain))


@section.route(
    "PUT",
    "/suspension",
    roles=("reseller",),
    within="domain",
    scope="suspensions:write",
    body=SuspendIn,
    answers={200: SuspensionOut, 201: SuspensionOut},
    example=Example(body={"reason": "Invoice 2026-10 is not paid."}),
)
def suspend_domain(call: Call) -> Reply:
    """Suspend email of the whole domain: no sending, no log-in; mail is still taken in."""
    return _put(call, call.domain, "reseller")


@section.route(
    "DELETE",
    "/suspension",
    roles=("reseller",),
    within="domain",
    scope="suspensions:write",
    answers={204: None},
)
def resume_domain(call: Call) -> None:
    """Lift the reseller's own suspension of the domain; another's stays."""
    suspension.release(call.platform, call.caller, call.domain, "reseller")


@section.route(
    "GET",
    "/suspension",
    roles=("operator",),
    within="domain",
    scope="abuse:read",
    answers={200: SuspensionOut},
)
def hosted_suspension(call: Call) -> SuspensionOut:
    """Who suspended email of the domain, and why."""
    return shown(suspension.holds(call.platform, call.domain))


@section.route(
    "PUT",
    "/suspension",
    roles=("operator",),
    within="domain",
    scope="abuse:write",
    body=ReasonIn,
    answers={200: SuspensionOut, 201: SuspensionOut},
    example=Example(body={"reason": "Phishing pages were advertised by several mailboxes."}),
)
def hold_domain(call: Call) -> Reply:
    """Suspend email of the whole domain."""
    return _put(call, call.domain, "operator")


@section.route(
    "DELETE",
    "/suspension",
    roles=("operator",),
    within="domain",
    scope="abuse:write",
    body=LiftIn,
    answers={204: None},
    example=Example(body={"reason": "The customer cleaned the web form that was abused."}),
)
def lift_domain(call: Call) -> None:
    """Lift the operator's suspension of the domain: who, when and why are kept (S33)."""
    b = call.body
    suspension.lift(call.platform, call.caller, call.domain, b.reason, clear_strikes=b.clear_strikes)


# ---------------------------------------------------------------------------------------------- mailboxes
@section.route(
    "GET",
    "/suspension",
    roles=("reseller", "admin"),
    within="mailbox",
    scope="suspensions:read",
    answers={200: SuspensionOut},
)
def mailbox_suspension(call: Call) -> SuspensionOut:
    """Who suspended the mailbox, and why; whether its sending is paused."""
    return shown(suspension.holds(call.platform, call.account))


@section.route(
    "PUT",
    "/suspension",
    roles=("reseller",),
    within="mailbox",
    scope="suspensions:write",
    body=SuspendIn,
    answers={200: SuspensionOut, 201: SuspensionOut},
    example=Example({"local": "bob"}, {"reason": "Left the company."}),
)
def suspend_mailbox(call: Call) -> Reply:
    """Suspend a mailbox: no sending, no log-in; mail is still taken in."""
    return _put(call, call.account, "reseller")


@section.route(
    "DELETE",
    "/suspension",
    roles=("reseller",),
    within="mailbox",
    scope="suspensions:write",
    answers={204: None},
)
def resume_mailbox(call: Call) -> None:
    """Lift the reseller's own suspension of a mailbox; another's stays."""
    suspension.release(call.platform, call.caller, call.account, "reseller")


@section.route(
    "GET",
    "/suspension",
    roles=("operator",),
    within="mailbox",
    scope="abuse:read",
    answers={200: SuspensionOut},
)
def hosted_mailbox_suspension(call: Call) -> SuspensionOut:
    """Who suspended the mailbox, and why; whether its sending is paused."""
    return shown(suspension.holds(call.platform, call.account))


@section.route(
    "PUT",
    "/suspension",
    roles=("operator",),
    within="mailbox",
    scope="abuse:write",
    body=ReasonIn,
    answers={200: SuspensionOut, 201: SuspensionOut},
    example=Example({"local": "bob"}, {"reason": "Sends chain letters."}),
)
def hold_mailbox(call: Call) -> Reply:
    """Suspend a mailbox."""
    return _put(call, call.account, "operator")


@section.route(
    "DELETE",
    "/suspension",
    roles=("operator",),
    within="mailbox",
    scope="abuse:write",
    body=LiftIn,
    answers={204: None},
    example=Example({"local": "bob"}, {"reason": "The report was a mistake.", "clear_strikes": True}),
)
def lift_mailbox(call: Call) -> None:
    """Lift the operator's suspension of a mailbox: who, when and why are kept (S33)."""
    b = call.body
    suspension.lift(call.platform, call.caller, call.account, b.reason, clear_strikes=b.clear_strikes)


# ------------------------------------------------------------------------------------------ stolen mailboxes
@section.route(
    "DELETE",
    "/sending-pause",
    roles=("reseller", "admin"),
    within="mailbox",
    scope="suspensions:write",
    answers={204: None},
    errors=("forbidden", "conflict"),
)
def resume_sending(call: Call) -> None:
    """Let a mailbox send again that looked stolen, after its password was changed (409 before that).

    An email admin cannot do it for the own mailbox: another admin or the reseller does.
    """
    if call.caller.role == "admin" and call.caller.account == call.account.id:
        raise ServiceError("forbidden", "Another email administrator or the provider has to do this.")
    guard.resume(call.platform, call.caller, call.account)


@section.route(
    "DELETE",
    "/sending-pause",
    roles=("operator",),
    within="mailbox",
    scope="abuse:write",
    body=ReasonIn,
    answers={204: None},
    example=Example({"local": "bob"}, {"reason": "An ordinary newsletter."}),
)
def lift_pause(call: Call) -> None:
    """Let a mailbox send again, whether its password was changed or not."""
    guard.resume(call.platform, call.caller, call.account, call.body.reason)
