"""Reports of abuse, for the operator; strikes, for whose domain they are (S29 to S32)."""

import secrets
from typing import Literal, get_args

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.aws import clock
from chalicelib.rules import abuse as rules
from chalicelib.rules.abuse import Kind, Measure, Report, State, Strike, Way
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.services import abuse, references

routes = Blueprint(__name__)
section = Section("Abuse", routes)
KINDS = get_args(Kind)


class ReportOut(Out):
    """A report and what became of it.

    counted: a strike. repeat: its message was reported before (`of`). unverified: not tied to a message that
    was sent from here. noted: tied, but no complaint of abuse, or of the service's own mail.
    """

    id: str
    at: str | None
    way: Way
    kind: Kind | None
    state: State
    submission: str
    account: str
    address: str
    domain: str
    reseller: str
    measure: Measure | None = Field(description="whom it suspended")
    of: str
    reporter: str
    note: str
    evidence_url: str | None = Field(description="the mail it came as, for some minutes")


class ReportsOut(Out):
    """A page of reports, newest first. With a filter it may be short, or empty, and yet have a cursor."""

    abuse_reports: list[ReportOut]
    cursor: str | None


class ReportsQuery(PageQuery):
    """Which reports."""

    state: State | Literal[""] = ""
    domain: str = Field("", max_length=253)


class ReportIn(Body):
    """Exactly one of reference, submission and message_id names the message.

    `message_id`: as its recipients saw it; for mail between mailboxes here, its own, with the `sender`.
    `kind` is the operator's judgement (S29); spam: unsolicited mail to more than 25 recipients.
    """

    reference: str = Field("", max_length=400)
    submission: str = Field("", max_length=200)
    message_id: str = Field("", max_length=400)
    sender: str = Field("", max_length=254)
    kind: Kind
    note: str = Field("", max_length=1_000)


class StrikeOut(Out):
    """A message that was rightly reported. Who reported it is not told."""

    at: str | None
    address: str
    kind: Kind
    measure: Measure
    counts: bool = Field(description="not older than 30 days")


class StrikesOut(Out):
    """What counts (S32). `next`: what one more event would suspend now."""

    strikes: list[StrikeOut]
    window_days: int
    next: Measure


def _report(call: Call, r: Report) -> ReportOut:
    url = (
        call.platform.blobs.url(r.evidence, name="report.eml", type="message/rfc822") if r.evidence else None
    )
    return ReportOut(
        id=r.id,
        at=answers.moment(r.at),
        way=r.way,
        kind=r.kind,
        state=r.state,
        submission=r.submission,
        account=r.account,
        address=r.address,
        domain=r.domain,
        reseller=r.reseller,
        measure=r.measure,
        of=r.of,
        reporter=r.reporter,
        note=r.note,
        evidence_url=url,
    )


@section.route(
    "GET",
    "/abuse-reports",
    roles=("operator",),
    scope="abuse:read",
    query=ReportsQuery,
    answers={200: ReportsOut},
)
def list_reports(call: Call) -> ReportsOut:
    """Reports of abuse, newest first."""
    found, following = call.platform.abuse.reports(*call.page())
    wanted = [
        r for r in found if call.query.state in ("", r.state) and call.query.domain.lower() in ("", r.domain)
    ]
    return ReportsOut(abuse_reports=[_report(call, r) for r in wanted], cursor=answers.cursor(following))


@section.route(
    "GET",
    "/abuse-reports/{report}",
    roles=("operator",),
    scope="abuse:read",
    answers={200: ReportOut},
)
def get_report(call: Call, report: str) -> ReportOut:
    """A report of abuse."""
    found = call.platform.abuse.report(report)
    if found is None:
        raise ServiceError("not_found", "There is no such report.")
    return _report(call, found)


@section.route(
    "POST",
    "/abuse-reports",
    roles=("operator",),
    scope="abuse:write",
    body=ReportIn,
    answers={201: ReportOut},
    example=Example(
        body={
            "message_id": "20260302090000.1@x.test",
            "sender": "bob@x.test",
            "kind": "harassment",
            "note": "By telephone.",
        }
    ),
)
def create_report(call: Call) -> Reply:
    """Report a message: at once a strike with what follows (S31, S32), if it was sent from here."""
    b, p = call.body, call.platform
    if sum(map(bool, (b.reference, b.submission, b.message_id))) != 1:
        fault = Fault("/reference", "Give one of reference, submission and message_id.")
        raise ServiceError("invalid", "Exactly one thing names the message.", (fault,))
    if b.reference:
        sent = references.tied(p, b.reference)
    else:
        sent = references.named(p, submission=b.submission, message_id=b.message_id, sender=b.sender)
    filed = abuse.by_operator(p, call.caller, sent, b.kind, b.note, secrets.token_hex(16))
    return Reply(_report(call, filed), 201, {"Location": f"/v1/operator/abuse-reports/{filed.id}"})


def _strikes(call: Call) -> StrikesOut:
    hosted, now = call.domain, clock.now()
    found, _ = call.platform.abuse.strikes(hosted.name, hosted)
    return StrikesOut(
        strikes=[_strike(s, now - s.at <= rules.WINDOW) for s in reversed(found)],
        window_days=rules.WINDOW.days,
        next=rules.measure(found, "", now) or "account",
    )


def _strike(s: Strike, counts: bool) -> StrikeOut:
    return StrikeOut(
        at=answers.moment(s.at), address=s.address, kind=s.kind, measure=s.measure, counts=counts
    )


@section.route(
    "GET",
    "/strikes",
    roles=("reseller", "admin"),
    within="domain",
    scope="suspensions:read",
    answers={200: StrikesOut},
)
def domain_strikes(call: Call) -> StrikesOut:
    """What was rightly reported of the domain's mailboxes, newest first."""
    return _strikes(call)


@section.route(
    "GET",
    "/strikes",
    roles=("operator",),
    within="domain",
    scope="abuse:read",
    answers={200: StrikesOut},
)
def hosted_strikes(call: Call) -> StrikesOut:
    """What was rightly reported of a domain's mailboxes, newest first."""
    return _strikes(call)
