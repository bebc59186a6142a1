"""Mail that an address passes on to people outside: one submission per arrival and address (S22)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from chalicelib import mime
from chalicelib.aws.log import logger
from chalicelib.rules import forwarding, routing
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import passing_id
from chalicelib.rules.values import Envelope, Lookup, Submission
from chalicelib.services import send
from chalicelib.services.deposit import Message
from chalicelib.services.platform import Platform
from chalicelib.store.directory import DAEMON

NOT_HOSTED = Lookup(None, None)
KEPT = ("delivered", "junk")
#: Results that a sender is told nothing about.
GOOD = (*KEPT, "forwarded", "expanded", "dropped")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one recipient. `via`: the submission or fan-out that it went on by."""

    outcome: str  # delivered, junk, forwarded, expanded, dropped, bounced or discarded
    status: str = ""
    text: str = ""
    via: str = ""
    found: Lookup = field(default=NOT_HOSTED, compare=False)

    @property
    def good(self) -> bool:
        """Whether somebody got it, or it was taken as the admin wants."""
        return self.outcome in GOOD


def sorted_out(p: Platform, targets: Iterable[str]) -> tuple[list[str], list[str]]:
    """Addresses here, and addresses outside; S5: those of a domain that is not live are outside."""
    wanted = list(targets)
    found = p.directory.lookup(wanted)
    inside = [a for a in wanted if found[a].local]
    return inside, [a for a in wanted if not found[a].local]


def addressed(message: Message, recipients: Sequence[str]) -> Message:
    """The same message for others."""
    envelope = Envelope(message.arrival.envelope.sender, tuple(recipients))
    return replace(message, arrival=replace(message.arrival, envelope=envelope))


def send_on(p: Platform, message: Message, address: str, targets: Sequence[str], part: str = "") -> Result:
    """Send it to people outside, from `address`. A repeat sends nothing again.

    The envelope sender is the domain's own mailer-daemon@: SPF and the identity fit, and a bounce that comes
    back to it is dropped, so none can go in a circle or tell a stranger where mail is passed on to.
    """
    arrival = message.arrival
    id = passing_id(arrival.id, address + part)
    domain = address.rpartition("@")[2]
    digest = message.digest
    how = forwarding.outward(address, digest.from_, digest.reply_to, arrival.envelope.sender)
    if p.outbox.outgoing(id) is None:
        raw = mime.passed_on(p.blobs.get(arrival.blob), how)
        p.blobs.put(f"own/{id}", raw, type="message/rfc822")
    submission = Submission(
        id=id,
        account=None,
        envelope=Envelope(f"{DAEMON}@{domain}", tuple(targets)),
        blob=f"own/{id}",
        size=arrival.size,
        message_id=next(iter(digest.message_id), ""),
        source="notice",
    )
    try:
        send.submit(p, submission)
    except ServiceError as error:
        if error.kind == "unavailable":
            raise
        logger.warning("not passed on", extra={"arrival": arrival.id, "kind": error.kind})
        return Result("bounced", "5.6.0", error.detail)
    return Result("forwarded", via=id)


def refused(why: routing.Bounce) -> Result:
    """What the sender is told."""
    return Result("bounced", why.status, why.text)
