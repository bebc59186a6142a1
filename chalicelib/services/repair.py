"""Counters recomputed from the items themselves: what differs is reported, and mended when asked."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.aws.log import logger
from chalicelib.rules.errors import ServiceError
from chalicelib.services.platform import Platform
from chalicelib.store.mailbox_items import item_folder, item_thread
from chalicelib.store.mailbox_state import Member, State, Tally, count_email, count_thread
from chalicelib.store.mailbox_turn import as_member

TRIES = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter that is not what the items say. `folder` is empty for those of the whole mailbox."""

    folder: str
    counter: str
    stored: int
    actual: int


def check(p: Platform, acct: str, *, mend: bool = False) -> list[Difference]:
    """Every counter that is wrong. Reads every email of the account; again if it changed meanwhile.

    Raises ServiceError unavailable when it never holds still.
    """
    for _ in range(TRIES):
        before = p.mailboxes.counted(acct)
        actual = _recount(p, acct, before)
        found = list(_differences(before, actual))
        if p.mailboxes.counted(acct).modseq != before.modseq:
            continue
        if found:
            names = [f"{d.folder}.{d.counter}" for d in found]
            logger.warning("counters differ", extra={"account": acct, "counters": names})
        if not found or not mend or p.mailboxes.recount(acct, before.modseq, actual):
            return found
    raise ServiceError("unavailable", "The mailbox is too busy to be counted just now.")


def _recount(p: Platform, acct: str, stored: State) -> State:
    """The state with counters as the items say; a uid is never given twice, so uidnext never goes back."""
    state = stored.copy()
    state.used = 0
    state.tallies = {f: Tally(uidnext=t.uidnext) for f, t in stored.tallies.items()}
    threads: defaultdict[str, list[Member]] = defaultdict(list)
    for item in p.mailboxes.items(acct, "E#"):
        if "fk" not in item:
            continue
        member = as_member(item)
        tally = state.tallies.setdefault(item_folder(item), Tally())
        tally.uidnext = max(tally.uidnext, int(item["uid"]) + 1)
        count_email(tally, member, 1)
        threads[item_thread(item)].append(member)
        state.used += int(item["size"])
    for members in threads.values():
        count_thread(state.tallies, members, 1)
    sizes = [int(item["size"]) for item in p.mailboxes.items(acct, "K#")]
    state.cards, state.card_octets = len(sizes), sum(sizes)
    state.used += state.card_octets
    return state


def _differences(stored: State, actual: State) -> Iterator[Difference]:
    for whole in ("used", "cards", "card_octets"):
        if getattr(stored, whole) != getattr(actual, whole):
            yield Difference("", whole, getattr(stored, whole), getattr(actual, whole))
    for folder, tally in actual.tallies.items():
        old = stored.tallies.get(folder, Tally())
        for name in ("total", "unread", "threads", "unread_threads", "uidnext"):
            was, is_ = getattr(old, name), getattr(tally, name)
            if was != is_:
                yield Difference(folder, name, was, is_)
