"""What is remembered of mailboxes that fill up: when their owners were alerted, and which of them to warn.

`A#acct / ALERT#clock`: when an alert was last shown (S15). `WARN#shard / acct`: a mailbox that came over the
warning line (S16), written with the message that took it there, so the daily warnings read no other mailbox.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zlib import crc32

from chalicelib.aws.table import PRESENT, ConditionFailed, Put, Table, Update, equals
from chalicelib.rules.quota import AlertClock
from chalicelib.store.mailbox_items import account_pk

SHARDS = 4


@dataclass(frozen=True, slots=True)
class Concern:
    """A mailbox over the warning line, as of `modseq`. `warned`: the last day on which its owner was."""

    acct: str
    modseq: int
    warned: date | None


def _warn_key(acct: str) -> dict[str, str]:
    return {"pk": f"WARN#{crc32(acct.encode()) % SHARDS}", "sk": acct}


def warn_row(acct: str, modseq: int) -> Put:
    """The write that goes with what took a mailbox over the line."""
    return Put({**_warn_key(acct), "modseq": modseq})


class Marks:
    """The items in the mail table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # --------------------------------------------------------------- alerts
    def alerted(self, acct: str, clock: AlertClock) -> datetime | None:
        """When an alert was last shown, by one clock: one read unit."""
        item = self._table.get({"pk": account_pk(acct), "sk": f"ALERT#{clock}"})
        return datetime.fromtimestamp(item["at"], UTC) if item else None

    def alert(self, acct: str, clock: AlertClock, last: datetime | None, now: datetime) -> bool:
        """An alert is shown now; False: since `last` another was, and this one is not to be."""
        known = equals(at=int(last.timestamp()) if last else None)
        key = {"pk": account_pk(acct), "sk": f"ALERT#{clock}"}
        try:
            self._table.update(Update(key, set={"at": int(now.timestamp())}, check=known))
        except ConditionFailed:
            return False
        return True

    # ------------------------------------------------------------- warnings
    def concern(self, acct: str, modseq: int) -> None:
        """A mailbox is over the line by something other than a message: its quota was made smaller."""
        self._table.put(warn_row(acct, modseq).item)

    def concerns(self) -> Iterator[Concern]:
        """Every mailbox that came over the line and was not seen below it since."""
        for shard in range(SHARDS):
            for item in self._table.query_all(f"WARN#{shard}", consistent=True):
                warned = item.get("warned")
                yield Concern(item["sk"], item["modseq"], date.fromisoformat(warned) if warned else None)

    def warned(self, concern: Concern, day: date) -> None:
        """Its owner was warned on a day; nothing when it came over the line anew meanwhile."""
        check = PRESENT & equals(modseq=concern.modseq)
        try:
            self._table.update(Update(_warn_key(concern.acct), set={"warned": day.isoformat()}, check=check))
        except ConditionFailed:
            return

    def settled(self, concern: Concern) -> None:
        """It is below the line again, unless it came over it anew meanwhile."""
        try:
            self._table.delete(_warn_key(concern.acct), check=equals(modseq=concern.modseq))
        except ConditionFailed:
            return
