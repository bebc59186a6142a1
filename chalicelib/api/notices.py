"""Announcements (S37), of the operator and of resellers; what a reseller was told."""

from typing import Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Section
from chalicelib.services import access, notices
from chalicelib.services.notices import Telling

routes = Blueprint(__name__)
section = Section("Notices", routes)


# ------------------------------------------------------------------------------------------- announcements
class AnnouncementIn(Body):
    """What every email admin of the domains is told. Without `domains`: of all."""

    subject: str = Field(description="One line of at most 200 characters.")
    text: str = Field(description="At most 4,000 characters.")
    domains: list[str] = Field(default_factory=list, max_length=200)


class OperatorAnnouncementIn(AnnouncementIn):
    """With `resellers` or `domains`: to those alone."""

    resellers: list[str] = Field(default_factory=list, max_length=200)


class AnnouncementOut(Out):
    """An announcement and how far it has come. `skipped`: domains without an email admin."""

    id: str
    made_at: str
    subject: str
    text: str
    resellers: list[str]
    domains: list[str]
    state: Literal["under_way", "done"]
    told: int
    skipped: int
    failed: int
    finished_at: str | None


class AnnouncementsOut(Out):
    """A page of announcements, newest first."""

    announcements: list[AnnouncementOut]
    cursor: str | None


def _announcement(t: Telling) -> AnnouncementOut:
    made, job = t.announcement, t.job
    done = job is None or job.finished_at is not None
    return AnnouncementOut(
        id=made.id,
        made_at=answers.moment(made.at) or "",
        subject=made.subject,
        text=made.text,
        resellers=list(made.resellers),
        domains=list(made.domains),
        state="done" if done else "under_way",
        told=job.done if job else 0,
        skipped=job.skipped if job else 0,
        failed=len(job.again) if job and done else 0,
        finished_at=answers.moment(job.finished_at) if job else None,
    )


ANNOUNCED = {"subject": "New: calendars", "text": "Webmail has calendars from today on."}


@section.route(
    "POST",
    "/announcements",
    roles=("operator",),
    scope="announcements:write",
    body=OperatorAnnouncementIn,
    answers={201: AnnouncementOut},
    example=Example(body=ANNOUNCED),
)
def announce(call: Call) -> AnnouncementOut:
    """Tell the email admins of every domain, or of some, under each domain's own brand (S37)."""
    given: OperatorAnnouncementIn = call.body
    made = notices.announce(
        call.platform, call.caller, given.subject, given.text, given.resellers, given.domains
    )
    return _announcement(made)


@section.route(
    "GET",
    "/announcements",
    roles=("operator",),
    scope="announcements:read",
    query=PageQuery,
    answers={200: AnnouncementsOut},
    example=Example(),
)
def list_announcements(call: Call) -> AnnouncementsOut:
    """The operator's announcements, newest first, with how many domains were told."""
    return _announcements(call)


@section.route(
    "POST",
    "/announcements",
    roles=("reseller",),
    scope="notices:write",
    body=AnnouncementIn,
    answers={201: AnnouncementOut},
    errors=("throttled",),
    example=Example(body=ANNOUNCED),
)
def announce_to_own(call: Call) -> AnnouncementOut:
    """Tell the email admins of the reseller's domains, or of some, under each domain's brand."""
    given: AnnouncementIn = call.body
    access.require(call.caller, "notices:write")
    made = notices.announce(call.platform, call.caller, given.subject, given.text, domains=given.domains)
    return _announcement(made)


@section.route(
    "GET",
    "/announcements",
    roles=("reseller",),
    scope="notices:read",
    query=PageQuery,
    answers={200: AnnouncementsOut},
    example=Example(),
)
def list_own_announcements(call: Call) -> AnnouncementsOut:
    """The reseller's own announcements, newest first."""
    access.require(call.caller, "notices:read")
    return _announcements(call)


def _announcements(call: Call) -> AnnouncementsOut:
    limit, after = call.page()
    found, following = notices.announcements(call.platform, call.caller, limit, after)
    return AnnouncementsOut(announcements=[_announcement(t) for t in found], cursor=answers.cursor(following))


# ------------------------------------------------------------------------------------------- the log
class NoticeOut(Out):
    """What the reseller was told by mail."""

    id: str
    sent_at: str
    subject: str
    text: str


class NoticesOut(Out):
    """A page of notices, newest first."""

    notices: list[NoticeOut]
    cursor: str | None


@section.route(
    "GET",
    "/notices",
    roles=("reseller",),
    scope="notices:read",
    query=PageQuery,
    answers={200: NoticesOut},
    example=Example(),
)
def list_notices(call: Call) -> NoticesOut:
    """What the reseller was told: maintenance, domains that wait or lost their MX, abuse; of 400 days."""
    access.require(call.caller, "notices:read")
    limit, after = call.page()
    found, following = notices.told(call.platform, call.caller, limit, after)
    shown = [
        NoticeOut(id=n.id, sent_at=answers.moment(n.at) or "", subject=n.subject, text=n.text) for n in found
    ]
    return NoticesOut(notices=shown, cursor=answers.cursor(following))
