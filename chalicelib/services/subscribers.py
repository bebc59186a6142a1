"""Who is told of incidents by mail (S35): asks, confirms by a link, leaves by another.

Whether an address is known shows nowhere: asking only leaves a message in a queue, and is answered before
anything is looked up.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import statuspage
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.incidents import COMPONENTS, Incident
from chalicelib.rules.limits import sendable
from chalicelib.rules.signin import network_of
from chalicelib.rules.values import Correspondent
from chalicelib.services import jobs, notify
from chalicelib.services.platform import Platform
from chalicelib.store.jobs import Job
from chalicelib.store.subscribers import Subscriber

HOUR, DAY = 3_600, 86_400
PER_SOURCE, PER_ADDRESS = 20, 3  # requests an hour from one place; mails a day to one address
LINK_LIFE = timedelta(hours=24)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _id(address: str) -> str:
    return _digest(address.lower())[:32]


def _window(seconds: int) -> tuple[int, datetime]:
    number = int(clock.now().timestamp()) // seconds
    return number, datetime.fromtimestamp((number + 1) * seconds, UTC)


# ------------------------------------------------------------------------------------------ coming in
def ask(p: Platform, address: str, source: str) -> None:
    """Somebody wants to be told. The same whoever it is. Raises ServiceError: invalid, throttled."""
    sent_to = sendable(address)
    if sent_to is None:
        fault = Fault("/email", "Give an address as in name@example.com.")
        raise ServiceError("invalid", "This is no email address.", (fault,))
    number, ends_at = _window(HOUR)
    if p.sessions.count(f"subscribe#{network_of(source)}", number, ends_at) > PER_SOURCE:
        wait = max(1, round((ends_at - clock.now()).total_seconds()))
        raise ServiceError(
            "throttled",
            "Too many requests from here. Please try again later.",
            extra={"retry_after": wait, "resets_at": statuspage.moment(ends_at)},
        )
    body = {"kind": "subscription", "address": sent_to, "secret": secrets.token_urlsafe(24)}
    p.queues.send(p.settings.jobs_queue, body)


def invite(p: Platform, address: str, secret: str) -> None:
    """Send the link that confirms, unless the address is confirmed, or had enough links today.

    `secret` makes the request one, however often its message comes.
    """
    id, (number, ends_at) = _id(address), _window(DAY)
    known = p.subscribers.get(id)
    repeated = known is not None and known.token == _digest(secret)
    if known and known.confirmed:
        return
    if not repeated and p.sessions.count(f"subscribe#{id}", number, ends_at) > PER_ADDRESS:
        logger.info("subscription not offered again", extra={"subscriber": id})
        return
    until = known.until if known and repeated else clock.now() + LINK_LIFE
    new = Subscriber(id, address, secrets.token_urlsafe(24), _digest(secret), until, confirmed=False)
    if not repeated and not p.subscribers.ask(new):
        return
    text = (
        "Somebody, most likely you, asked that this address be told of service interruptions.\n\n"
        f"To confirm it, open this page within 24 hours:\n{_link(p, 'confirm', id, secret)}\n\n"
        "If it was not you, do nothing: nothing more is sent."
    )
    name = f"subscribe-{_digest(secret)[:32]}"
    notify.mail(p, name, _sender(p), Correspondent("", address), "Please confirm your subscription", text)


def confirm(p: Platform, token: str) -> bool:
    """Follow a confirming link; False for one that is no longer, or never was, good."""
    id, _, secret = token.partition(".")
    known = p.subscribers.get(id)
    good = known is not None and compare_digest(known.token, _digest(secret)) and known.until > clock.now()
    return good and p.subscribers.confirm(id, _digest(secret), clock.now())


def leave(p: Platform, token: str) -> None:
    """Follow a link out of an alert; nothing where it is nobody's: who wants to leave has left."""
    id, _, secret = token.partition(".")
    known = p.subscribers.get(id)
    if known and compare_digest(known.leave.encode(), secret.encode("utf-8", "surrogatepass")):
        p.subscribers.delete(id)


def _link(p: Platform, action: str, id: str, secret: str) -> str:
    return f"{p.settings.status_url}/v1/status/{action}?token={id}.{secret}"


def _sender(p: Platform) -> Correspondent:
    return Correspondent(statuspage.NAME, f"status@{p.settings.mail_zone}")


# --------------------------------------------------------------------------------------------- alerts
def _targets(p: Platform, _job: Job, cursor: str) -> tuple[Sequence[str], str]:
    return p.subscribers.page(jobs.STEP, cursor)


def _alert(p: Platform, job: Job, id: str) -> bool:
    """Tell one subscriber of one update. The way out is in the header too (RFC 8058)."""
    known, incident = p.subscribers.get(id), p.notices.incident(str(job.given["incident"]))
    if known is None or not known.confirmed or incident is None:
        return False
    number = int(job.given["number"])
    out = _link(p, "unsubscribe", id, known.leave)
    headers = (("List-Unsubscribe", f"<{out}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    subject, text = _letter(p, incident, number)
    text += f"\n\n-- \nYou are told because you subscribed. To be told no longer: {out}"
    to = Correspondent("", known.address)
    notify.mail(p, f"{job.id}-{id}", _sender(p), to, subject, text, headers)
    return True


def _letter(p: Platform, incident: Incident, number: int) -> tuple[str, str]:
    """Subject and text of an update."""
    update = incident.updates[number - 1]
    subject = f"[{update.state.capitalize()}] {incident.title}"
    parts = ", ".join(COMPONENTS[c] for c in incident.components)
    return subject, (
        f"{update.text}\n\nConcerns: {parts}\nTime: {update.at:%Y-%m-%d %H:%M} UTC\n"
        f"All of it: {p.settings.status_url}/"
    )


WORKS = {"alert": jobs.Work(_targets, _alert)}
