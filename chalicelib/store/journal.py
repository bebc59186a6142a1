"""The journal of changes (S40): EVENTS# items by reseller and by domain, in time order."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.table import ABSENT, PRIMARY, Index, Item, Put, Table
from chalicelib.rules.journal import Event

GSI = Index("gsi1", "gpk", "gsk")
KEPT = timedelta(days=730)
FIELDS = ("type", "subject", "reseller", "domain", "actor", "source", "before", "after")


def event_put(event: Event) -> Put:
    """The write of an event, for the transaction of what it tells."""
    item: Item = {
        "pk": f"EVENTS#{event.reseller}",
        "sk": event.id,
        "at": event.at.isoformat(),
        "ttl": int((event.at + KEPT).timestamp()),
        **{name: getattr(event, name) for name in FIELDS},
    }
    if event.domain:
        # A domain may go from one reseller to another: neither sees the other's.
        item |= {"gpk": f"EVENTS#{event.reseller}#{event.domain}", "gsk": event.id}
    return Put(item, ABSENT)


def event_of(item: Mapping[str, Any]) -> Event:
    """An event from its item."""
    given = {name: item[name] for name in FIELDS}
    return Event(id=item["sk"], at=datetime.fromisoformat(item["at"]), **given)


class Journal:
    """Reading it. Written by the transactions of the changes."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def page(
        self, reseller: str, limit: int, *, domain: str = "", after: str = "", newest_first: bool = False
    ) -> tuple[list[Event], str]:
        """Events of a reseller (or one domain of it) after an id, and the id to go on after ("": no more)."""
        pk = f"EVENTS#{reseller}#{domain}" if domain else f"EVENTS#{reseller}"
        start: Item | None = None
        if after:
            start = {"pk": f"EVENTS#{reseller}", "sk": after}
            start |= {"gpk": pk, "gsk": after} if domain else {}
        rows = self.table.query(
            pk,
            limit=limit,
            start=start,
            descending=newest_first,
            index=GSI if domain else PRIMARY,
            consistent=not domain,
        )
        return [event_of(item) for item in rows.items], str(rows.next["sk"]) if rows.next else ""

    def following(self, reseller: str, after: str, before: str, limit: int) -> tuple[list[Event], bool]:
        """A reseller's events between two ids, neither included, oldest first; whether there are more."""
        first, last = f"{after}!", before  # "!" sorts before what an id is made of
        if first > last:
            return [], False
        rows = self.table.query(f"EVENTS#{reseller}", between=(first, last), limit=limit, consistent=True)
        return [event_of(item) for item in rows.items], rows.next is not None
