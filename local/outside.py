"""The world that outgoing mail meets: remote domains, their behaviours, and what they received.

SES tries a message when it is sent, and locally only then: a domain that does not take it costs one
attempt, a DeliveryDelay at once, and a Bounce Transient when the configuration set's MaxDeliverySeconds
have passed on the test clock. So the attempts counted here are the service's own (S27).
"""

import base64
import itertools
import smtplib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from local import ses_events
from local.clock import Clock
from local.dns import Zone
from local.ops import current_function
from local.ses_events import Event, Outgoing, Reply, stamp
from local.workers import Workers

Behaviour = Literal["accept", "defer", "refuse", "complain", "down"]
BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
_WINDOW_SECONDS = 50_400  # SES's own 14 h, without a configuration set
_TAKEN = Reply("2.0.0", "250 2.0.0 OK: queued")
_DEFERRED = Reply("4.7.1", "451 4.7.1 Please try again later")
_REFUSED = Reply("5.1.1", "550 5.1.1 No such user here")
_DOWN = Reply("4.4.1", "421 4.4.1 Unable to connect to remote host")
_SAID: Mapping[Behaviour, Reply] = {"defer": _DEFERRED, "refuse": _REFUSED, "down": _DOWN}

Publish = Callable[[str, Event], None]  # topic ARN, message
Replies = Mapping[str, Reply]  # by recipient


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that a remote server took."""

    number: int
    ses_id: str
    sender: str  # empty: the null return path
    return_path: str
    recipients: tuple[str, ...]
    raw: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one domain, by one call of SendEmail."""

    at: float
    ses_id: str
    recipients: tuple[str, ...]
    outcome: str  # delivered, deferred, refused or mixed
    reply: str


@dataclass
class Remote:
    """A domain outside. An entry may also be one address, which then answers for itself."""

    name: str
    behaviour: Behaviour = "accept"
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Route:
    """Where mail is really handed over by SMTP: host and port."""

    host: str
    port: int


class Outside:
    """Takes what SES accepted, on threads of its own; the clock counts as busy meanwhile."""

    def __init__(self, clock: Clock, zone: Zone, publish: Publish, smtp_out: Route | None = None) -> None:
        self._clock, self._zone, self._publish = clock, zone, publish
        self.smtp_out = smtp_out
        self.loop_back: Route | None = None  # our own port 25, for domains whose MX is here
        self._lock = threading.Lock()
        self._remotes: dict[str, Remote] = {}
        self._delivered: list[Delivered] = []
        self._sent: dict[str, Outgoing] = {}
        self._numbers = itertools.count(1)
        self._workers = Workers(4, "outside")

    def stop(self) -> None:
        """Take nothing more; what is under way is dropped."""
        self._workers.stop()

    # what the control API and the outbox page see
    def behave(self, name: str, behaviour: Behaviour) -> Remote:
        """Set how a domain (or one address) answers from now on."""
        with self._lock:
            remote = self._remotes.setdefault(name.lower(), Remote(name.lower()))
            remote.behaviour = behaviour
            return remote

    def remote(self, name: str) -> Remote:
        """A domain as it is now; one nobody spoke of accepts."""
        with self._lock:
            return self._remotes.get(name.lower()) or Remote(name.lower())

    def remotes(self) -> list[Remote]:
        """Every domain that was set or tried, sorted."""
        with self._lock:
            return [self._remotes[name] for name in sorted(self._remotes)]

    def outbox(self, to: str | None = None) -> list[Delivered]:
        """What was delivered, oldest first; `to` is an address or a domain."""
        with self._lock:
            found = list(self._delivered)
        return [d for d in found if to is None or any(_matches(r, to) for r in d.recipients)]

    def find(self, number: int) -> Delivered | None:
        """One delivered message."""
        with self._lock:
            return next((d for d in self._delivered if d.number == number), None)

    # what the SES edge does
    def accept(self, message: Outgoing, *, virus: bool = False) -> None:
        """SES said yes to its caller; from here on all is told by events."""
        with self._lock:
            self._sent[message.ses_id] = message
        self._clock.hold("outside")
        self._workers.submit(lambda: self._work(message, virus))

    def come_back(self, ses_id: str, failed: Replies) -> None:
        """A bounce from elsewhere reached the return path of a message SES sent."""
        with self._lock:
            message = self._sent.get(ses_id)
        if message is not None:
            self._emit(ses_events.bounce(message, failed, self._clock.time(), permanent=True), message)

    def _work(self, message: Outgoing, virus: bool) -> None:
        current_function.set("ses")
        try:
            self._emit(ses_events.send(message), message)
            if virus:
                self._emit(ses_events.reject(message), message)
                return
            for domain, recipients in _by_domain(message.recipients).items():
                self._try(message, domain, recipients)
        finally:
            self._clock.release("outside")

    def _try(self, message: Outgoing, domain: str, recipients: Sequence[str]) -> None:
        replies = self._hand_over(message, domain, recipients)
        now = self._clock.time()
        taken = [r for r in recipients if replies[r].text.startswith("2")]
        later = {r: replies[r] for r in recipients if replies[r].text.startswith("4")}
        never = {r: replies[r] for r in recipients if replies[r].text.startswith("5")}
        self._note(message, domain, recipients, replies, taken)
        if taken:
            self._emit(ses_events.delivery(message, taken, now, replies[taken[0]]), message)
        complaining = [r for r in taken if self._behaviour(r) == "complain"]
        if complaining:
            self._emit(ses_events.complaint(message, complaining, now), message)
        if never:
            self._emit(ses_events.bounce(message, never, now, permanent=True), message)
        if later:
            self._delay(message, later, now)

    def _note(
        self,
        message: Outgoing,
        domain: str,
        recipients: Sequence[str],
        replies: Replies,
        taken: Sequence[str],
    ) -> None:
        """Keep what a tester wants to see: the attempt, and the message where it was taken."""
        first = {"2": "delivered", "4": "deferred", "5": "refused"}
        outcomes = sorted({first[replies[r].text[0]] for r in recipients})
        outcome = outcomes[0] if len(outcomes) == 1 else "mixed"
        now = self._clock.time()
        attempt = Attempt(now, message.ses_id, tuple(recipients), outcome, replies[recipients[0]].text)
        with self._lock:
            self._remotes.setdefault(domain, Remote(domain)).attempts.append(attempt)
            if taken:
                source = message.source if message.mail_from else ""
                self._delivered.append(
                    Delivered(
                        next(self._numbers),
                        message.ses_id,
                        source,
                        message.mail_from,
                        tuple(taken),
                        message.raw,
                        now,
                    )
                )

    def _delay(self, message: Outgoing, later: Replies, now: float) -> None:
        window = message.config.max_delivery_seconds if message.config else _WINDOW_SECONDS
        end = message.accepted_at + window
        kind = "TransientCommunicationFailure" if _DOWN in later.values() else "General"
        self._emit(ses_events.delay(message, later, now, end, kind), message)

        def give_up() -> None:
            expired = {r: _expired(reply, window) for r, reply in later.items()}
            self._emit(ses_events.bounce(message, expired, self._clock.time(), permanent=False), message)

        self._clock.at(end, give_up, "ses gives up")

    def _emit(self, event: Event, message: Outgoing) -> None:
        """To every destination of the configuration set that asked for this type."""
        kind = {"DeliveryDelay": "DELIVERY_DELAY"}.get(event["eventType"], event["eventType"].upper())
        for destination in message.config.destinations if message.config else ():
            if destination.enabled and kind in destination.types:
                self._publish(destination.topic, event)

    # handing over
    def _hand_over(self, message: Outgoing, domain: str, recipients: Sequence[str]) -> Replies:
        """A behaviour that was set speaks first, then real SMTP where there is a route, else all is taken."""
        said = {r: _SAID[b] for r in recipients if (b := self._behaviour(r)) in _SAID}
        others = [r for r in recipients if r not in said]
        route = self._route(domain)
        if others and route is not None:
            return {**said, **smtp_transfer(route, message.mail_from, others, message.raw)}
        return {**said, **dict.fromkeys(others, _TAKEN)}

    def _behaviour(self, recipient: str) -> Behaviour:
        address, domain = recipient.lower(), recipient.rpartition("@")[2].lower()
        with self._lock:
            remote = self._remotes.get(address) or self._remotes.get(domain)
        return remote.behaviour if remote else "accept"

    def _route(self, domain: str) -> Route | None:
        """Our own port 25 for domains whose MX is here, else the given SMTP host, else none."""
        hosts = [value.split()[-1].rstrip(".").lower() for value in self._zone.lookup(domain, "MX")]
        if any(host.endswith(f".{self._zone.mail_zone}") for host in hosts):
            return self.loop_back
        return self.smtp_out


def _matches(recipient: str, to: str) -> bool:
    address, wanted = recipient.lower(), to.lower().lstrip("@")
    return address == wanted or address.endswith(f"@{wanted}")


def _by_domain(recipients: Sequence[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for recipient in recipients:
        groups.setdefault(recipient.rpartition("@")[2].lower(), []).append(recipient)
    return groups


def _expired(reply: Reply, window: int) -> Reply:
    minutes = window // 60
    return Reply("4.4.7", f"550 4.4.7 Message expired: unable to deliver in {minutes} minutes.<{reply.text}>")


def smtp_transfer(route: Route, mail_from: str, recipients: Sequence[str], raw: bytes) -> Replies:
    """Hand a message over by SMTP: what the server said of each recipient."""
    try:
        with smtplib.SMTP(route.host, route.port, "a1-1.smtp-out.amazonses.com", timeout=60) as smtp:
            smtp.ehlo_or_helo_if_needed()
            options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") and not raw.isascii() else []
            refused = smtp.sendmail(mail_from, list(recipients), raw, options)
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPResponseException as error:
        refused = dict.fromkeys(recipients, (error.smtp_code, _bytes(error.smtp_error)))
    except (OSError, smtplib.SMTPException):
        return dict.fromkeys(recipients, _DOWN)
    return {r: _reply(*refused[r]) if r in refused else _TAKEN for r in recipients}


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _reply(code: int, text: bytes) -> Reply:
    """The enhanced code of the server, or the class alone (RFC 3463)."""
    words = text.decode("utf-8", "replace").split()
    if code < 400:
        code, words = 451, ["unexpected", "reply"]
    status = words[0] if words and words[0][:2] in ("4.", "5.") else f"{code // 100}.0.0"
    return Reply(status, f"{code} {' '.join(words)}")


def delivered_json(delivered: Delivered, subject: str) -> dict[str, Any]:
    """An outbox entry of the control API; `raw` is base64, as mail is bytes."""
    return {
        "id": delivered.number,
        "envelope": {"from": delivered.sender, "to": list(delivered.recipients)},
        "return_path": delivered.return_path,
        "subject": subject,
        "time": stamp(delivered.at),
        "ses_id": delivered.ses_id,
        "raw": base64.b64encode(delivered.raw).decode(),
    }
