"""Adding, changing and destroying emails."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Literal, TypeVar

from chalicelib.aws import clock
from chalicelib.aws.table import ABSENT, ConditionFailed, Item, Put, Table, Update, Write
from chalicelib.rules import subjects
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.ids import key_hash, thread_id
from chalicelib.rules.quota import crosses, fits
from chalicelib.rules.values import Added, Change, NewEmail, Updated
from chalicelib.store.mailbox_items import (
    account_pk,
    email_item,
    email_key,
    folder_key,
    item_email,
    item_folder,
    item_id,
    item_keywords,
    item_row,
    keywords_text,
)
from chalicelib.store.mailbox_marks import warn_row
from chalicelib.store.mailbox_state import ROLES
from chalicelib.store.mailbox_turn import Turn, WriteRefused, in_turn, read_or_refuse
from chalicelib.store.purges import emails_row

PER_TRANSACTION = 40  # emails: with STATE, log and others' writes below DynamoDB's 100 items and 4 MB
THREAD_MAX = 100  # emails: bounds what is read when one of them is flagged
REFERENCES_ASKED = 5  # nearest first, of those a message names

PASSING = ("up/", "part/")  # blobs that the bucket removes by itself

T = TypeVar("T")
Outcome = Literal["added", "repeat", "over_quota"]
Attempt = Callable[[Sequence[str], Sequence[Write]], Updated]


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Slices that fit into a transaction."""
    for at in range(0, len(items), PER_TRANSACTION):
        yield items[at : at + PER_TRANSACTION]


def need_folder(turn: Turn, folder: str) -> None:
    """Raises ServiceError not_found for a folder that is not there."""
    if folder not in turn.state.tallies:
        raise ServiceError("not_found", "There is no such folder.")


def about(item: NewEmail) -> str:
    """What subjects of one thread have in common."""
    return subjects.same(item.digest.subject)


class Threads:
    """Which thread each of some new emails joins, by what the account remembers of their references.

    A message's thread is the hash of its first reference, else of its In-Reply-To, else of its own
    Message-ID, and of what its subject is about (RFC 8621 §3: who answers under another subject begins
    another conversation). An `R#` item remembers the thread of a message that is not the root of it, so that
    an answer which names that message alone joins too. It is written before the email: one left over does no
    harm.
    """

    def __init__(self, table: Table, acct: str, items: Sequence[NewEmail]) -> None:
        self._table, self._acct = table, acct
        asked = {key_hash(r, about(item)) for item in items for r in self._asked(item)}
        keys = [{"pk": account_pk(acct), "sk": f"R#{hashed}"} for hashed in asked]
        found = table.batch_get(keys, consistent=True) if keys else []
        self._threads = {str(f["sk"])[2:]: str(f["thread"]) for f in found}

    @staticmethod
    def _asked(item: NewEmail) -> list[str]:
        """References worth a look, nearest first; the root's own is what is taken without one."""
        d = item.thread_by or item.digest
        nearest = dict.fromkeys([*d.in_reply_to[:1], *reversed(d.references)])
        return [*nearest][:REFERENCES_ASKED]

    def of(self, item: NewEmail) -> str:
        """The thread that the message belongs to."""
        d = item.thread_by or item.digest
        for reference in self._asked(item):
            known = self._threads.get(key_hash(reference, about(item)))
            if known:
                return known
        return thread_id([*d.references, *d.in_reply_to, *d.message_id, item.id][0], about(item))

    def remember(self, item: NewEmail, thread: str) -> None:
        """Write the override for a message that is not its thread's root. The first one stays: a repeat
        may reckon otherwise, when more of the thread is known than when the message came."""
        for own in (item.thread_by or item.digest).message_id[:1]:
            key = key_hash(own, about(item))
            if thread == thread_id(own, about(item)) or key in self._threads:
                continue
            row = {"pk": account_pk(self._acct), "sk": f"R#{key}", "thread": thread}
            with suppress(ConditionFailed):
                self._table.put(row, check=ABSENT)
                self._threads[key] = thread


class Adding:
    """One batch of new emails on its way in: attempts share what they learn."""

    def __init__(
        self,
        table: Table,
        acct: str,
        figures: Figures,
        items: Sequence[NewEmail],
        quota: int | None,
        spare: int,
    ) -> None:
        self._table, self._acct, self._figures = table, acct, figures
        self._items, self._quota, self._spare = items, quota, spare
        self._threads = Threads(table, acct, items)
        self._repeats: set[str] = set()

    def attempt(self, extra: Sequence[Write]) -> list[Added]:
        """One transaction with every email that fits and was never here. An answer per item, in order."""
        turn = Turn(self._table, self._acct, self._figures)
        planned: dict[str, Item] = {}
        outcomes = [self._planned(turn, item, planned) for item in self._items]
        if not planned:
            return outcomes
        if any(o.warn for o in outcomes):
            turn.write(lambda modseq: warn_row(self._acct, modseq))
        index = turn.asks_for_index()
        try:
            modseq = turn.commit(extra)
        except WriteRefused as refused:
            if not refused.own:
                raise
            self._repeats |= {list(planned)[i] for i in refused.own}
            return self.attempt(extra)
        made = {i: item_email(item | {"modseq": modseq}) for i, item in planned.items()}
        return [
            replace(o, email=made.pop(o.id, None), index=index) if o.outcome == "added" else o
            for o in outcomes
        ]

    def _planned(self, turn: Turn, new: NewEmail, planned: dict[str, Item]) -> Added:
        """What is planned for one email, and whether the mailbox comes over the line of S16 with it."""
        before = turn.state.used
        outcome = self._plan(turn, new, planned)
        limit = self._quota
        over = limit is not None and crosses(before, turn.state.used, limit, self._figures)
        return Added(new.id, outcome, warn=over)

    def _plan(self, turn: Turn, new: NewEmail, planned: dict[str, Item]) -> Outcome:
        """Put one email into the transaction, or say why not."""
        if new.blob.startswith(PASSING):
            raise ValueError(f"{new.blob} would expire under the email that has it")
        if new.id in self._repeats or new.id in planned:
            return "repeat"
        if self._quota is not None and not fits(turn.state.used, new.size, self._quota + self._spare):
            there = self._table.get(email_key(self._acct, new.id))
            return "repeat" if there else "over_quota"  # S17 never bounces what was delivered already
        folder = new.folder or ROLES[new.role or "inbox"][0]
        need_folder(turn, folder)
        thread = self._roomy(turn, new)
        self._threads.remember(new, thread)
        item = email_item(self._acct, new, folder=folder, thread=thread, uid=turn.take_uid(folder))
        planned[new.id] = item
        turn.place(item)
        turn.log.note("Email", "c", new.id)
        turn.write(lambda modseq: Put(item | {"modseq": modseq}, ABSENT))
        return "added"

    def _roomy(self, turn: Turn, new: NewEmail) -> str:
        """The message's thread, or one of its own when that is full."""
        thread = self._threads.of(new)
        for own in (*new.digest.message_id[:1], new.id):
            if len(turn.thread(thread)) < THREAD_MAX:
                return thread
            thread = thread_id(thread, own)
        return thread


def _changed_keywords(before: frozenset[str], change: Change) -> frozenset[str]:
    """Keywords after a change: replaced, then patched."""
    words = set(before if change.replace_keywords is None else (k.lower() for k in change.replace_keywords))
    for word, on in (change.keywords or {}).items():
        (words.add if on else words.discard)(word.lower())
    return frozenset(words)


def _overfull(item: Item, change: Change) -> bool:
    """Whether the change would give an email more keywords than it may have."""
    if change.most_keywords is None:
        return False
    before = item_keywords(item)
    after = _changed_keywords(before, change)
    return len(after) > change.most_keywords and not after <= before


def _change_one(turn: Turn, item: Item, change: Change) -> None:
    """Put the change of one live email into the transaction, if it changes anything. A move gives a uid."""
    words = _changed_keywords(item_keywords(item), change)
    folder = change.folder or item_folder(item)
    need_folder(turn, folder)
    moved = folder != item_folder(item)
    if not moved and words == item_keywords(item):
        return
    attributes: Item = {"kw": keywords_text(words)}
    if moved:
        row, _ = item_row(item)
        attributes["fk"] = folder_key(folder, row.received_at, row.id)
        attributes["uid"] = turn.take_uid(folder)
    turn.replace(item, folder, words)
    turn.log.note("Email", "u", item_id(item))
    key = email_key(turn.acct, item_id(item))
    turn.write(lambda modseq: Update(key, set=attributes | {"modseq": modseq}))


def _live(turn: Turn, ids: Sequence[str]) -> tuple[dict[str, Item], list[str]]:
    """Items of emails that are there, in the order asked for, and ids of those that are not."""
    items = turn.emails(ids)
    live = {i: items[i] for i in dict.fromkeys(ids) if "fk" in items.get(i, {})}
    return live, [i for i in dict.fromkeys(ids) if i not in live]


def _destroy_one(turn: Turn, item: Item, at: int) -> None:
    """Make an email a tombstone: in no folder, thread or count, but known should its delivery repeat."""
    turn.remove(item)
    turn.log.note("Email", "d", item_id(item))
    key, was = email_key(turn.acct, item_id(item)), str(item["fk"])
    turn.write(
        lambda modseq: Update(key, set={"gone": at, "was": was, "modseq": modseq}, remove=("fk", "tk"))
    )


class Writer:
    """What changes emails of a mailbox. Every method: ServiceError not_found, unavailable."""

    def __init__(self, table: Table, figures: Figures) -> None:
        self._table, self._figures = table, figures

    def add(
        self,
        acct: str,
        items: Sequence[NewEmail],
        *,
        quota_bytes: int | None,
        spare: int = 0,
        extra: Sequence[Write] = (),
    ) -> list[Added]:
        """Add emails, up to 40 in a transaction. A repeat (destroyed since or not) does nothing.

        `spare` bytes beyond the quota are for these. `extra` is written with the last transaction, if that
        adds anything; its failed conditions raise WriteRefused.
        """
        added: list[Added] = []
        for batch in batches(items):
            last = len(added) + len(batch) == len(items)
            work = Adding(self._table, acct, self._figures, batch, quota_bytes, spare)
            added += in_turn(partial(work.attempt, extra if last else ()))
        return added

    def update(self, acct: str, changes: Mapping[str, Change], *, extra: Sequence[Write] = ()) -> Updated:
        """Change keywords and folders. `extra` as in `add`."""

        def attempt(ids: Sequence[str], more: Sequence[Write]) -> Updated:
            turn = Turn(self._table, acct, self._figures)
            live, missing = _live(turn, ids)
            overfull = [email for email, item in live.items() if _overfull(item, changes[email])]
            done = [email for email in live if email not in overfull]
            for email in done:
                _change_one(turn, live[email], changes[email])
            return Updated(turn.commit(more), tuple(done), tuple(missing), tuple(overfull))

        return self._each_batch(acct, list(changes), attempt, extra)

    def destroy(self, acct: str, ids: Sequence[str]) -> Updated:
        """Destroy emails for good; `cleanup` removes what is left of them after 15 days."""

        def attempt(ids: Sequence[str], more: Sequence[Write]) -> Updated:
            turn, now = Turn(self._table, acct, self._figures), clock.now()
            live, missing = _live(turn, ids)
            for item in live.values():
                _destroy_one(turn, item, int(now.timestamp()))
            if live:
                due = now + self._figures.tombstone_life
                turn.write(lambda modseq: Put(emails_row(acct, modseq, list(live), due)))
            return Updated(turn.commit(more), tuple(live), tuple(missing))

        return self._each_batch(acct, list(dict.fromkeys(ids)), attempt, ())

    def _each_batch(self, acct: str, ids: list[str], attempt: Attempt, extra: Sequence[Write]) -> Updated:
        """The batches' outcomes as one."""
        parts: list[Updated] = []
        modseq = 0 if ids else read_or_refuse(self._table, acct).modseq
        for batch in batches(ids):
            last = batch[-1] == ids[-1]
            part = in_turn(partial(attempt, batch, extra if last else ()))
            modseq = part.modseq
            parts.append(part)
        return Updated(
            modseq,
            tuple(id for part in parts for id in part.done),
            tuple(id for part in parts for id in part.missing),
            tuple(id for part in parts for id in part.overfull),
        )
