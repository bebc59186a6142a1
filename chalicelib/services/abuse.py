"""Reports of abuse, from wherever they come (S30), and what follows: strikes, holds, letters (S31, S32).

A report that counts is kept in one transaction with the claim of its message, the domain's strikes, the
suspension, its audit event and the letter that is still to be sent. A repeat, or a process that ends
anywhere, leaves all of it or nothing; letters that were not sent are sent by the repeat, or by the hour.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Busy, ConditionFailed, Write, pause
from chalicelib.rules import abuse as rules
from chalicelib.rules.abuse import Kind, Letter, Report, Sent, Strike
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.ids import report_id
from chalicelib.rules.values import SYSTEM, Account, Arrival, Caller, Envelope
from chalicelib.services import guard, notify, suspension
from chalicelib.services.platform import Platform
from chalicelib.services.references import reference, tied
from chalicelib.store import abuse as store

__all__ = ["by_complaint", "by_operator", "mend", "pause_sending", "reference", "take"]

TRIES = 12
WHY = {
    "complaints": "recipients it had never written to complained",
    "bounces": "many of the addresses it wrote to for the first time do not exist",
    "strangers": "it wrote to an unusual number of addresses for the first time",
}


# ------------------------------------------------------------------------------------------ ways of reports
def take(p: Platform, arrival: Arrival) -> Arrival | None:
    """Take what is addressed to the abuse address; the arrival without it, None when nothing is left."""
    others = tuple(a for a in arrival.envelope.recipients if a.lower() != p.settings.abuse_address.lower())
    if others == arrival.envelope.recipients:
        return arrival
    _by_mail(p, arrival)
    return replace(arrival, envelope=Envelope(arrival.envelope.sender, others)) if others else None


def _by_mail(p: Platform, arrival: Arrival) -> None:
    """A mail reports each message that it has with it. It is kept as evidence as long as the reports are."""
    found = mime.reported(p.blobs.get(arrival.blob))
    p.mailboxes.purges.later(arrival.blob, arrival.received_at + store.KEPT)
    kind = rules.kind_of(found.feedback) if found.form == "arf" else "spam"
    originals = found.originals or (None,)
    for number, original in enumerate(originals):
        report = Report(
            id=report_id(arrival.id, str(number)),
            at=arrival.received_at,
            way="mail",
            kind=kind,
            state="unverified",
            reporter=arrival.envelope.sender[:320],
            note=f"{found.form} {found.feedback or ''}".strip(),
            evidence=arrival.blob,
        )
        sent = tied(p, original.reference, original.message_ids) if original else None
        handle(p, SYSTEM, report, sent)


def by_complaint(p: Platform, told: Mapping[str, Any]) -> None:
    """SES's complaint event. It is trusted; yet its id and its tag must name the same message."""
    ses_id, submission = str(told["ses_id"]), str(told["submission"])
    known = p.outbox.submissions([ses_id]).get(ses_id, "") if ses_id else ""
    agreed = not (known and submission) or known == submission
    report = Report(
        id=report_id(ses_id, str(told["id"])),
        at=clock.now(),
        way="complaint",
        kind=rules.kind_of(str(told["feedback"]) or None),
        state="unverified",
        note=str(told["feedback"])[:40],
    )
    handle(p, SYSTEM, report, p.outbox.sent(submission or known) if agreed else None)


def by_operator(p: Platform, caller: Caller, sent: Sent | None, kind: Kind, note: str, key: str) -> Report:
    """The operator's own call; `key` makes a repeat of the call the same report."""
    report = Report(
        id=report_id("operator", key),
        at=clock.now(),
        way="operator",
        kind=kind,
        state="unverified",
        reporter=caller.actor,
        note=note,
    )
    return handle(p, caller, report, sent)


# ---------------------------------------------------------------------------------------------- what follows
def handle(p: Platform, caller: Caller, report: Report, sent: Sent | None) -> Report:
    """File a report and do what it brings with it; the report as filed. Raises Busy."""
    report = replace(report, state=rules.judge(report.kind, sent))
    if sent is not None:
        report = replace(report, submission=sent.submission, account=sent.account, domain=sent.domain)
    for attempt in range(TRIES):
        try:
            filed = _file(p, caller, report, sent)
        except store.Known:
            filed = p.abuse.report(report.id) or report
        except store.Stale:
            pause(min(attempt, 4))
            continue
        except store.Repeat:
            continue
        _tell(p, filed.of or filed.id)
        return filed
    raise Busy("strikes overtaken again and again")


def _file(p: Platform, caller: Caller, report: Report, sent: Sent | None) -> Report:
    """Raises Known, Repeat, Stale."""
    if report.state != "counted" or sent is None:
        p.abuse.file(report)
        if report.state == "noted" and report.account:
            guard.complained(p, report.account)
        return report
    if first := p.abuse.first(sent.submission):
        if first == report.id:
            raise store.Known
        repeat = replace(report, state="repeat", of=first)
        p.abuse.file(repeat)
        return repeat
    return _count(p, caller, report, sent)


def _count(p: Platform, caller: Caller, report: Report, sent: Sent) -> Report:
    """S31, S32: the strike with its suspension, all or nothing."""
    hosted, account = p.directory.domain(sent.domain), p.directory.account(sent.account)
    strikes, version = p.abuse.strikes(sent.domain, hosted)
    measure = rules.measure(strikes, sent.submission, report.at) or "account"
    address = account.address if account else sent.sender
    counted = replace(report, address=address, reseller=hosted.reseller if hosted else "", measure=measure)
    kind = report.kind or "other"
    strike = Strike(sent.submission, sent.account, address, report.at, report.id, kind, measure)
    also = _measures(p, caller, counted, hosted, account)
    p.abuse.count(counted, hosted, ([*strikes, strike], version), also)
    logger.warning("abuse", extra={"report": report.id, "domain": sent.domain, "measure": measure})
    return counted


def _measures(
    p: Platform, caller: Caller, report: Report, hosted: HostedDomain | None, account: Account | None
) -> list[Write]:
    """The hold, with its audit event, and the letter. A mailbox or domain that is gone holds nobody."""
    if hosted is None:
        return []
    target = hosted if report.measure == "domain" else account
    held = p.holds.read(target) if target else None
    writes: list[Write] = []
    if target is not None and held is not None and "operator" not in held:
        reason = f"Abuse was reported: {_words(report)}."
        writes = suspension.writes(p, caller, target, held, "operator", reason)
    return [*writes, p.abuse.letter_put(_letter(report, hosted))]


def _words(report: Report) -> str:
    return (report.kind or "other").replace("_", " ")


def _letter(report: Report, hosted: HostedDomain) -> Letter:
    """What the reseller and emailadmin@ read (S31, S32). It does not say who reported."""
    whole = report.measure == "domain"
    what = f"Email of {hosted.name}" if whole else f"The mailbox {report.address}"
    since = "It is the second event on this domain within 30 days. " if whole else ""
    lines = (
        f"Abuse ({_words(report)}) was reported of a message that {report.address} sent.",
        "",
        f"{since}{what} is suspended: no sending and no log-in. Mail to it is still accepted.",
    )
    ask = "Please find out what happened, have the password changed, and answer through your usual contact."
    admins = "Please find out what happened, change the password, and ask your mail provider."
    return Letter(
        key=f"abuse-{report.id}",
        reseller=hosted.reseller,
        domain=hosted.name,
        subject=f"{what} is suspended",
        text="\n".join((*lines, "", ask)),
        admins="\n".join((*lines, "", admins)),
    )


# ------------------------------------------------------------------------------------------ stolen mailboxes
def pause_sending(p: Platform, account_id: str, why: str) -> None:
    """Pause a mailbox that looks stolen; nothing when it is paused already. Raises Busy."""
    account = p.directory.account(account_id)
    for attempt in range(TRIES):
        held = p.holds.read(account) if account else None
        if account is None or held is None or "guard" in held:
            return
        letter = _pause_letter(account, WHY.get(why, WHY["strangers"]), clock.now())
        reason = f"Looks stolen: {WHY.get(why, WHY['strangers'])}."
        writes = suspension.writes(p, SYSTEM, account, held, "guard", reason)
        try:
            p.directory.table.transact([*writes, p.abuse.letter_put(letter)])
        except ConditionFailed:
            pause(min(attempt, 4))
            continue
        _send(p, letter)
        return
    raise Busy("holds overtaken again and again")


def _pause_letter(account: Account, why: str, now: datetime) -> Letter:
    text = (
        f"Sending from {account.address} is paused, because {why} within the last hour."
        " Stolen mailboxes do that.\n\n"
        "Log-in and incoming mail work as before. Change the password of the mailbox, then let it send again."
    )
    return Letter(
        key=f"paused-{account.id}-{int(now.timestamp())}",
        reseller=account.reseller,
        domain=account.domain,
        subject=f"Sending from {account.address} is paused",
        text=text,
        admins=text,
    )


# ---------------------------------------------------------------------------------------------------- letters
def _tell(p: Platform, report: str) -> None:
    """What a report's suspension has to say, unless it was said."""
    if letter := p.abuse.letter(f"abuse-{report}"):
        _send(p, letter)


def _send(p: Platform, letter: Letter) -> None:
    """Both notices are sent once per key, so a repeat after a crash tells nobody twice."""
    notify.reseller(p, letter.reseller, letter.key, letter.subject, letter.text)
    if letter.admins:
        notify.admins(p, letter.domain, letter.key, letter.subject, letter.admins)
    p.abuse.told(letter)


def mend(p: Platform) -> int:
    """Hourly: letters that a crash left unsent. Gives how many."""
    number = 0
    for letter in list(p.abuse.letters()):
        _send(p, letter)
        number += 1
    return number
