"""Resellers as the operator manages them: RESELLER# items of the directory table."""

from collections.abc import Sequence
from dataclasses import asdict

from chalicelib.aws.table import ABSENT, ConditionFailed, Index, Put, Table, Write, equals
from chalicelib.rules.hosted import Reseller
from chalicelib.store.records import meta_key, reseller_of

GSI = Index("gsi1", "gpk", "gsk")


class Resellers:
    """Resellers in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, limit: int, after: str) -> tuple[list[Reseller], str]:
        """Resellers by id, and the id to go on after (empty: no more)."""
        start = {**meta_key("RESELLER", after), "gpk": "RESELLERS", "gsk": after} if after else None
        rows = self._table.query("RESELLERS", index=GSI, limit=limit, start=start)
        return [reseller_of(item) for item in rows.items], str(rows.next["gsk"]) if rows.next else ""

    def put(self, reseller: Reseller, present: Reseller | None) -> Put:
        """The write of a reseller that still is as `present` (None: not there)."""
        item = {**meta_key("RESELLER", reseller.id), "gpk": "RESELLERS", "gsk": reseller.id}
        given = {} if present is None else {"name": present.name, "contact": present.contact}
        return Put({**item, **asdict(reseller)}, equals(**given) if given else ABSENT)

    def save(self, reseller: Reseller, present: Reseller, also: Sequence[Write]) -> bool:
        """Change a reseller. Whether it still was as `present`."""
        try:
            self._table.transact([self.put(reseller, present), *also])
        except ConditionFailed:
            return False
        return True
