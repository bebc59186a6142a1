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
            at, _, entry_id = item["sk"].partition("#")
            yield Entry(
                id=entry_id,
                at=datetime.fromisoformat(at),
                reseller=reseller,
                kind=item["kind"],
                domain=item["domain"],
                order=item["order"],
                lines=lines_of(item["lines"]),
            )


def lines_of(items: Sequence[Item]) -> tuple[Line, ...]:
    """Lines from an entry's item."""
    return tuple(Line(**item) for item in items)
