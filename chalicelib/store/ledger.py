"""The ledger of billable events (S13): written once, never changed, in integer mills."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from chalicelib.aws.table import Item, Table
from chalicelib.rules.ledger import Entry, Line


def ledger_item(entry: Entry) -> Item:
    """An entry's item, in the reseller's partition by time."""
    return {
        "pk": f"LEDGER#{entry.reseller}",
        "sk": f"{entry.at.isoformat()}#{entry.id}",
        "kind": entry.kind,
        "domain": entry.domain,
        "order": entry.order,
        "lines": [asdict(line) for line in entry.lines],
    }


class Ledger:
    """LEDGER# items of the directory table. They are written in the transaction of what they tell."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def entries(self, reseller: str, between: tuple[datetime, datetime]) -> Iterator[Entry]:
        """A reseller's entries from the first moment to before the second, oldest first."""
        span = (between[0].isoformat(), between[1].isoformat())
        for item in self.table.query_all(f"LEDGER#{reseller}", between=span, consistent=True):
            yield entry_of(item)

    def page(
        self, reseller: str, between: tuple[datetime, datetime], limit: int, after: str = ""
    ) -> tuple[list[Entry], str]:
        """Some of these entries after a place, and the place to go on after (empty: no more)."""
        span = (between[0].isoformat(), between[1].isoformat())
        pk = f"LEDGER#{reseller}"
        if after and not span[0] <= after < span[1]:
            return [], ""
        start = {"pk": pk, "sk": after} if after else None
        rows = self.table.query(pk, between=span, limit=limit, start=start, consistent=True)
        return [entry_of(item) for item in rows.items], str(rows.next["sk"]) if rows.next else ""

    def first(self, reseller: str) -> datetime | None:
        """When a reseller's ledger begins."""
        items = self.table.query(f"LEDGER#{reseller}", limit=1, consistent=True).items
        return entry_of(items[0]).at if items else None


def entry_of(item: Item) -> Entry:
    """An entry from its item."""
    at, _, entry_id = item["sk"].partition("#")
    return Entry(
        id=entry_id,
        at=datetime.fromisoformat(at),
        reseller=item["pk"].removeprefix("LEDGER#"),
        kind=item["kind"],
        domain=item["domain"],
        order=item["order"],
        lines=lines_of(item["lines"]),
    )


def lines_of(items: Sequence[Item]) -> tuple[Line, ...]:
    """Lines from an entry's item."""
    return tuple(Line(**item) for item in items)
