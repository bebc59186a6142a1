"""What stood when a month began, worked out of the ledger once, so that nobody reads all of it each month.

It follows from the ledger alone: to keep it twice is to keep the same, and to lose it is to make it again.
`STANDING#reseller / 2026-03` says that it is there; its parts are the items of `STANDING#reseller#2026-03`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.aws.table import Item, Table
from chalicelib.rules.billing import LONG_AGO, Month, Standing, parse_month
from chalicelib.rules.ledger import Line

PART = 500  # mailboxes in an item: some 100 KB of DynamoDB's 400


class Standings:
    """STANDING# items of the directory table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def latest(self, reseller: str, month: Month) -> tuple[Month, dict[str, Standing]] | None:
        """What stood at the beginning of that month, or of the last one before it that is kept."""
        found = self.table.query(
            f"STANDING#{reseller}", between=("0", str(month)), descending=True, limit=1, consistent=True
        ).items
        if not found:
            return None
        parts = self.table.query_all(f"STANDING#{reseller}#{found[0]['sk']}", consistent=True)
        standings = [_standing(row) for part in parts for row in part["rows"]]
        return parse_month(found[0]["sk"]), {s.line.account: s for s in standings}

    def keep(self, reseller: str, month: Month, standings: Iterable[Standing]) -> None:
        """Keep what stood at the beginning of a month: the parts, and then that they are there."""
        rows = [_row(s) for s in sorted(standings, key=lambda s: s.line.account)]
        parts = [rows[at : at + PART] for at in range(0, len(rows), PART)]
        pk = f"STANDING#{reseller}"
        self.table.batch_write(
            put=[{"pk": f"{pk}#{month}", "sk": f"{n:06d}", "rows": part} for n, part in enumerate(parts)]
        )
        self.table.put({"pk": pk, "sk": str(month)})


def _row(s: Standing) -> Item:
    line = s.line
    row: Item = {
        "account": line.account,
        "address": line.address,
        "price": [line.storage_mb, line.base_mills, line.steps, line.step_mills],
        "domain": s.domain,
    }
    if s.started != LONG_AGO:
        row |= {"order": s.order, "started": s.started.isoformat()}
    return row if s.live else {**row, "gone": True}


def _standing(row: Mapping[str, Any]) -> Standing:
    return Standing(
        line=Line(row["account"], row["address"], *row["price"]),
        domain=row["domain"],
        order=row.get("order", ""),
        started=datetime.fromisoformat(row["started"]) if "started" in row else LONG_AGO,
        live=not row.get("gone", False),
    )
