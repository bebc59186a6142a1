"""Who is told of incidents by mail: SUBSCRIBER# items of the directory, confirmed ones in its index too.

The id is a hash of the address, so that one address is one subscriber. A link's secret is kept as its hash;
`leave` is not, for it is in every alert that is sent, and opens nothing but the way out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.table import ABSENT, PRESENT, ConditionFailed, Index, Table, Update, equals
from chalicelib.store.records import meta_key

GSI = Index("gsi1", "gpk", "gsk")
LISTED = "SUBSCRIBERS"
FORGOTTEN = timedelta(days=2)  # unconfirmed ones, by DynamoDB's own clearing


@dataclass(frozen=True, slots=True)
class Subscriber:
    """`token`: hash of the confirming link's secret, good until `until`."""

    id: str
    address: str
    leave: str
    token: str
    until: datetime
    confirmed: bool


class Subscribers:
    """The items."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def get(self, id: str) -> Subscriber | None:
        """A subscriber, confirmed or not."""
        item = self.table.get(meta_key("SUBSCRIBER", id))
        return _subscriber(item) if item else None

    def ask(self, new: Subscriber) -> bool:
        """Keep somebody who is to confirm; False where the address is confirmed already."""
        item = {
            **meta_key("SUBSCRIBER", new.id),
            "address": new.address,
            "leave": new.leave,
            "token": new.token,
            "until": new.until.isoformat(),
            "confirmed": False,
            "ttl": int((new.until + FORGOTTEN).timestamp()),
        }
        try:
            self.table.put(item, check=ABSENT | equals(confirmed=False))
        except ConditionFailed:
            return False
        return True

    def confirm(self, id: str, token: str, at: datetime) -> bool:
        """Confirmed by this link; False where it is no longer the one."""
        change = Update(
            meta_key("SUBSCRIBER", id),
            set={"confirmed": True, "since": at.isoformat(), "gpk": LISTED, "gsk": id},
            remove=("ttl",),
            check=PRESENT & equals(token=token),
        )
        try:
            self.table.update(change)
        except ConditionFailed:
            return False
        return True

    def delete(self, id: str) -> None:
        """No longer told, and forgotten."""
        self.table.delete(meta_key("SUBSCRIBER", id))

    def page(self, limit: int, after: str) -> tuple[list[str], str]:
        """Ids of confirmed subscribers in order, and the one to go on after ("": no more)."""
        start = {**meta_key("SUBSCRIBER", after), "gpk": LISTED, "gsk": after} if after else None
        rows = self.table.query(LISTED, index=GSI, limit=limit, start=start)
        return [str(i["gsk"]) for i in rows.items], str(rows.next["gsk"]) if rows.next else ""


def _subscriber(item: Mapping[str, Any]) -> Subscriber:
    return Subscriber(
        id=item["pk"].removeprefix("SUBSCRIBER#"),
        address=item["address"],
        leave=item["leave"],
        token=item["token"],
        until=datetime.fromisoformat(item["until"]),
        confirmed=item["confirmed"],
    )
