"""By the clock: what was begun is finished, and what nobody may have back any more is purged (S10 to S12)."""

import time

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.aws.table import Item
from chalicelib.rules.hosted import HostedDomain
from chalicelib.services import mailbox, reversals
from chalicelib.services.platform import Platform

MEND_SECONDS = 240.0
PURGE_SECONDS = 300.0  # of the daily clean-up's 900


def mend(p: Platform, seconds: float = MEND_SECONDS) -> None:
    """Hourly: finish what a crash, or a request's end, left half-way."""
    stop = time.monotonic() + seconds
    for row in p.gone.begun():
        try:
            _finish(p, row, stop)
        except Exception:
            logger.exception("what was begun could not be finished", extra={"row": row["sk"]})


def _finish(p: Platform, row: Item, stop: float) -> None:
    kind, _, name = row["sk"].partition("#")
    if kind != "mailbox":
        reversals.resume(p, row, stop)
        return
    account = p.directory.account(name)
    if account:
        mailbox.create(p, account)
    p.holdings.made(name)


def purge(p: Platform, seconds: float = PURGE_SECONDS) -> int:
    """Daily: remove for good what fell due, for at most so long. How many mailboxes went."""
    stop, count = time.monotonic() + seconds, 0
    for row in p.gone.due(clock.now()):
        keys = [row["gone"]] if "gone" in row else _of_domain(p, row)
        for key in keys:
            count += _purge(p, key)
            if time.monotonic() > stop:
                return count
        if "domain" in row:
            _purge_domain(p, _domain(row))
        p.gone.settled(row)
    logger.info("mailboxes purged", extra={"mailboxes": count})
    return count


def _domain(row: Item) -> HostedDomain:
    """A reversed domain as far as a row tells."""
    return HostedDomain(row["domain"], "reversed", row["reseller"], row["order"], clock.now())


def _of_domain(p: Platform, row: Item) -> list[dict[str, str]]:
    return [{"pk": g["pk"], "sk": g["sk"]} for g in p.gone.of_reversal(_domain(row))]


def _purge(p: Platform, key: dict[str, str]) -> int:
    item = p.gone.item(key)
    if item is None or item.get("purged"):
        return 0
    mailbox.delete(p, item["was"]["account"])
    p.gone.purged(item)
    return 1


def _purge_domain(p: Platform, domain: HostedDomain) -> None:
    """All else it had; and its identity, should a crash have made it anew while nobody has the name."""
    p.gone.purge_kept(domain)
    now = p.directory.domain(domain.name)
    if now and now.state == "reversed" and now.order == domain.order:
        p.mail.delete_identity(domain.name)
