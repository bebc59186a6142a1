"""What an account sent, as its owner sees it: listed, called back while it is held, seen no more."""

from collections.abc import Iterable, Sequence

from chalicelib.aws.table import Busy
from chalicelib.rules import delivery
from chalicelib.rules.delivery import Chunk
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import ListedSubmission, SubmissionState
from chalicelib.services.platform import Platform
from chalicelib.store.outbox import Stale
from chalicelib.store.outbox_items import Outgoing
from chalicelib.store.tracks import unsent

TRIES = 12


def listed(p: Platform, account: str, most: int) -> list[ListedSubmission]:
    """What was sent in the last 30 days, newest first, of at most so many."""
    return p.outbox.seen(account, most)


def status(p: Platform, account: str, ids: Iterable[str]) -> list[SubmissionState]:
    """Submissions of an account; ones that are not there are left out."""
    loaded = [p.outbox.load(id) for id in ids]
    return [
        _state(out, chunks)
        for found in loaded
        if found
        for out, chunks in [found]
        if out.account == account and not out.hidden
    ]


def _state(out: Outgoing, chunks: Sequence[Chunk]) -> SubmissionState:
    shown = {a: delivery.shown(a, f, c.local) for c in chunks for a, f in c.fates.items()}
    recipients = tuple(shown[a] for a in out.envelope.recipients if a in shown)
    return SubmissionState(
        id=out.id,
        email_id=out.email_id,
        identity=out.identity,
        thread=out.thread,
        envelope=out.envelope,
        sent_at=out.sent_at,
        recipients=recipients,
        undo=out.undo,
        held=out.held,
    )


def own(p: Platform, account: str, id: str) -> Outgoing:
    """A submission of the account that its owner sees. Raises ServiceError not_found."""
    out = p.outbox.outgoing(id)
    if out is None or out.account != account or out.hidden:
        raise ServiceError("not_found", "There is no such submission.")
    return out


def cancel(p: Platform, out: Outgoing) -> bool:
    """Call a held message back: none of it leaves, inside or out. False: it is on its way.

    Raises ServiceError not_found.
    """
    domain = p.directory.domain(out.domain)
    track = [unsent(domain.reseller, out)] if domain else []
    return p.outbox.decide(out, "canceled", track) or own(p, out.account, out.id).undo == "canceled"


def forget(p: Platform, account: str, id: str) -> Outgoing:
    """Show a submission no more; it is delivered, retried and reported all the same. Raises not_found."""
    for _ in range(TRIES):
        out = own(p, account, id)
        try:
            p.outbox.hide(out)
        except Stale:
            continue
        return out
    raise Busy("submission overtaken again and again")
