"""What the service itself tells people: resellers by mail, email admins in their mailboxes. Each once."""

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules.routing import Deliver
from chalicelib.rules.values import Account, Arrival, Correspondent, Draft, Envelope, Submission, Verdicts
from chalicelib.services import brands, send
from chalicelib.services.deposit import keep, open_message
from chalicelib.services.platform import Platform
from chalicelib.store.notices import Notice

AUTOMATIC = (("Auto-Submitted", "auto-generated"),)  # RFC 3834 §5: nobody's auto-reply answers
Headers = tuple[tuple[str, str], ...]


def reseller(p: Platform, reseller_id: str, key: str, subject: str, text: str) -> None:
    """A mail to a reseller's contact, once per `key`; kept in the list of what the reseller was told.

    May be repeated after a crash at any point: the submission's id makes the mail one, for as long as it is
    kept, and after that the list does.
    """
    known = p.directory.reseller(reseller_id)
    if known is None:
        logger.error("no such reseller to tell", extra={"reseller": reseller_id})
        return
    if p.notices.was_told(reseller_id, key):
        return
    sender = Correspondent("Mail service", f"notices@{p.settings.mail_zone}")
    mail(p, f"notice-{key}", sender, Correspondent(known.name, known.contact), subject, text)
    p.notices.keep(Notice(key, reseller_id, clock.now(), subject, text))


def mail(
    p: Platform,
    name: str,
    sender: Correspondent,
    to: Correspondent,
    subject: str,
    text: str,
    headers: Headers = (),
) -> None:
    """A mail of the service's own, once per `name`. Raises ServiceError as `send.submit`."""
    message_id = f"{name}@{sender.email.rpartition('@')[2]}"
    blob = f"own/{name}"
    raw = _composed(sender, to, message_id, subject, text, headers)
    _put_once(p, blob, raw)
    send.submit(
        p,
        Submission(
            id=name,
            account=None,
            envelope=Envelope(sender.email, (to.email,)),
            blob=blob,
            size=len(raw),
            message_id=message_id,
            source="notice",
        ),
    )
    p.mailboxes.purge_blob(blob, clock.now())


def admins(p: Platform, domain: str, key: str, subject: str, text: str) -> bool:
    """A message into the mailbox of every email admin of a domain, once per `key`; under its brand (S1).

    Put there directly: the domain may not be local, so mail to emailadmin@ would not come here. Whether the
    domain has any admin (S9: until the first exists, nobody can be told).
    """
    told = [account for account in p.directory.accounts_of(domain) if account.admin]
    if not told:
        return False
    sender = Correspondent(brands.of_domain(p, domain).product, f"postmaster@{domain}")
    name, to = f"notice-{key}-admins", Correspondent("", f"emailadmin@{domain}")
    raw = _composed(sender, to, f"{name}@mail.{domain}", subject, text, ())
    blob = f"own/{name}"
    _put_once(p, blob, raw)
    arrival = Arrival(
        id=name,
        envelope=Envelope("", tuple(account.address for account in told)),
        blob=blob,
        size=len(raw),
        verdicts=Verdicts(sender_authentic=True),
        received_at=clock.now(),
        source="local",
    )
    _deposit(p, arrival, told)
    return True


def _put_once(p: Platform, blob: str, raw: bytes) -> None:
    """A blob never changes, not by a repeat at a later minute either."""
    if p.blobs.head(blob) is None:
        p.blobs.put(blob, raw, type="message/rfc822")


def _deposit(p: Platform, arrival: Arrival, told: list[Account]) -> None:
    message = open_message(p, arrival)
    kept = [keep(p, message, Deliver(account, "inbox")) for account in told]
    if not any(kept):
        p.mailboxes.purge_blob(arrival.blob, clock.now())


def _composed(
    sender: Correspondent, to: Correspondent, message_id: str, subject: str, text: str, headers: Headers
) -> bytes:
    return mime.compose(
        Draft(
            from_=(sender,),
            to=(to,),
            subject=subject,
            date=clock.now(),
            message_id=message_id,
            text=text,
            headers=(*AUTOMATIC, *headers),
        )
    )
