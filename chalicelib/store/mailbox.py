"""Mailboxes in the mail table: what can be read of them, and by inheritance what can be done to them.

One partition per account, every change one transaction guarded by the account's STATE item (mailbox_turn).
Reads are consistent: a client that was told of a new state finds it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from chalicelib.aws.table import ConditionFailed, Item, Table
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import DEFAULT, Figures
from chalicelib.rules.values import Changes, Email, MailboxState, Page, Row
from chalicelib.store import mailbox_log
from chalicelib.store.mailbox_deleted import DeletedEmails
from chalicelib.store.mailbox_folders import Folders
from chalicelib.store.mailbox_items import (
    BY_BLOB,
    BY_FOLDER,
    BY_THREAD,
    account_pk,
    email_key,
    item_email,
    item_id,
    item_row,
    moment_text,
)
from chalicelib.store.mailbox_marks import Marks
from chalicelib.store.mailbox_state import State, state_key
from chalicelib.store.mailbox_turn import Turn, read_or_refuse
from chalicelib.store.mailbox_write import Writer
from chalicelib.store.outlining import Outlines
from chalicelib.store.purges import Purges
from chalicelib.store.searchindex import UNNAMED, part_keys

STRETCH = 100  # rows that are read whole together where their index entries were cut


def _below(folder: str, cursor: str | None) -> tuple[str, str]:
    """Range of `fk` from the folder's oldest to just before the cursor (else the newest)."""
    if cursor is None:
        return f"{folder}#", f"{folder}#~"
    return f"{folder}#", f"{folder}#{cursor[:-1]}{chr(ord(cursor[-1]) - 1)}~"


class MailboxStore(Writer):
    """Every account's mailbox. Every method: ServiceError not_found for an account that has none."""

    def __init__(self, table: Table, figures: Figures = DEFAULT) -> None:
        super().__init__(table, figures)
        self.folders = Folders(table, figures)
        self.marks = Marks(table)
        self.outlines = Outlines(table)
        self.purges = Purges(table)
        self.deleted = DeletedEmails(table, self.purges, figures)

    def state(self, acct: str) -> MailboxState:
        """One read unit."""
        return read_or_refuse(self._table, acct).value()

    def page(self, acct: str, folder: str, limit: int, after: str | None = None) -> Page:
        """Rows of a folder, newest first. 50 usual ones: at most 8 read units, however large the folder.

        A row whose recipients or subject were cut in the index is read whole from its item.
        """
        rows = self._table.query(
            account_pk(acct),
            between=_below(folder, after),
            index=BY_FOLDER,
            descending=True,
            consistent=True,
            limit=limit + 1,
        )
        entries, more = rows.items[:limit], len(rows.items) > limit or rows.next is not None
        cursor = str(entries[-1]["fk"]).split("#", 1)[1] if entries and more else None
        return Page(tuple(self._rows(acct, entries)), cursor)

    def stretch(
        self, acct: str, folder: str, newest: int, oldest: int, limit: int | None = None, up: bool = False
    ) -> Iterator[Row]:
        """Rows of a folder between two moments, both included, newest first; `up`: oldest first."""
        entries = self._table.query_all(
            account_pk(acct),
            between=(f"{folder}#{moment_text(oldest)}#", f"{folder}#{moment_text(newest)}#~"),
            index=BY_FOLDER,
            descending=not up,
            consistent=True,
            limit=limit,
        )
        while some := list(islice(entries, limit or STRETCH)):
            yield from self._rows(acct, some)

    def _rows(self, acct: str, entries: Sequence[Item]) -> Iterator[Row]:
        decoded = [item_row(entry) for entry in entries]
        cut = [row.id for row, is_cut in decoded if is_cut]
        whole = self.get(acct, cut) if cut else {}
        yield from (whole.get(row.id, row) for row, _ in decoded)

    def get(self, acct: str, ids: Iterable[str]) -> dict[str, Email]:
        """Whole records of emails; those that are not there are left out."""
        items = self._table.batch_get([email_key(acct, i) for i in ids], consistent=True)
        return {item_id(i): item_email(i) for i in items if "fk" in i}

    def live(self, acct: str, ids: Iterable[str]) -> set[str]:
        """Which of these emails are there: a read unit each."""
        keys = [email_key(acct, i) for i in ids]
        found = self._table.batch_get(keys, consistent=True, attributes=("sk", "fk"))
        return {item_id(i) for i in found if "fk" in i}

    def known(self, acct: str, email: str) -> bool:
        """Whether an email of this id is or was here: a tombstone counts."""
        return self._table.get(email_key(acct, email)) is not None

    def need(self, acct: str, email: str) -> Email:
        """One email's record. Raises ServiceError not_found."""
        found = self.get(acct, [email])
        if not found:
            raise ServiceError("not_found", "There is no such message.")
        return found[email]

    def thread(self, acct: str, threads: Iterable[str]) -> dict[str, list[str]]:
        """Email ids of threads, oldest first; threads that are not there are left out."""
        found = {}
        for thread in threads:
            index = self._table.query_all(
                account_pk(acct), begins=f"{thread}#", index=BY_THREAD, consistent=True
            )
            if ids := [item_id(entry) for entry in index]:
                found[thread] = ids
        return found

    def changes(self, acct: str, since: int, limit: int | None = None, kind: str = "Email") -> Changes:
        """What happened to Email, Mailbox or Thread after a state; nothing new: one read unit.

        Raises ServiceError cannot_calculate_changes.
        """
        state = read_or_refuse(self._table, acct)
        return mailbox_log.changes(self._table, acct, state, since, limit, kind)

    def moved(self, acct: str, folder: str, since: int, until: int) -> dict[str, bool]:
        """Emails that may have come into a folder or left it between two states, and whether they are new.

        Raises ServiceError cannot_calculate_changes.
        """
        found: dict[str, bool] = {}
        for row in mailbox_log.since_then(self._table, acct, since, until):
            for op, id in mailbox_log.moved(row, folder):
                found.setdefault(id, op == "c")
        return found

    # ---------------------------------------------------------------- blobs
    def holders(self, blob: str) -> list[tuple[str, str]]:
        """(pk, sk) of what needs a blob: emails, tombstones too. As of a moment ago."""
        return [(i["pk"], i["sk"]) for i in self._table.query_all(blob, index=BY_BLOB)]

    def owned(self, acct: str, blob: str) -> str | None:
        """The id of an email of the account that has this raw message."""
        ids = [sk[2:] for pk, sk in self.holders(blob) if pk == account_pk(acct) and sk.startswith("E#")]
        return next(iter(self.get(acct, ids)), None) if ids else None

    def purge_blob(self, blob: str, now: datetime) -> None:
        """Let the clean-up look at a blob in 15 days, and remove it unless an email needs it then."""
        self.purges.later(blob, now + self._figures.tombstone_life)

    # -------------------------------------------------------------- clean-up
    def tombstones(self, acct: str, ids: Iterable[str]) -> list[Item]:
        """Items of destroyed emails."""
        items = self._table.batch_get([email_key(acct, i) for i in ids], consistent=True)
        return [i for i in items if "gone" in i]

    def bury(self, acct: str, ids: Iterable[str]) -> None:
        """Remove tombstones."""
        self._table.batch_write(delete=[email_key(acct, i) for i in ids])

    def items(self, acct: str, begins: str | None = None) -> Iterator[Item]:
        """Stored items of an account's partition."""
        yield from self._table.query_all(account_pk(acct), begins=begins, consistent=True)

    def counted(self, acct: str) -> State:
        """The state item as it is kept, for repair."""
        return read_or_refuse(self._table, acct)

    def recount(self, acct: str, modseq: int, actual: State) -> bool:
        """Write recounted counters, if nothing changed since that modseq. A client sees it as a change."""
        turn = Turn(self._table, acct, self._figures)
        if turn.state.modseq != modseq:
            return False
        turn.state.used, turn.state.tallies = actual.used, actual.tallies
        turn.state.cards, turn.state.card_octets = actual.cards, actual.card_octets
        turn.log.note("Mailbox", "n", *actual.tallies)
        try:
            turn.commit()
        except ConditionFailed:
            return False
        return True

    def delete_account(self, acct: str, now: datetime) -> None:
        """Remove everything of a mailbox. Without STATE nothing can be added meanwhile. Can be repeated."""
        self._table.delete(state_key(acct))
        for item in self.items(acct):
            if str(item["sk"]).startswith("E#"):
                self.purge_blob(item["blob"], now)
            for key in part_keys(item):
                self.purges.later(key, now + UNNAMED)
            self._table.delete({"pk": item["pk"], "sk": item["sk"]})
        log = self._table.query_all(mailbox_log.log_pk(acct), consistent=True)
        self._table.batch_write(delete=({"pk": i["pk"], "sk": i["sk"]} for i in log))
