"""Sessions by the hash of their token, and counters of failed log-ins. Both end by themselves (TTL)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.aws.table import Item, Table, Update
from chalicelib.rules.values import Account
from chalicelib.store.recent import Recent
from chalicelib.store.records import meta_key

# How long a warm process answers from memory. A suspension, or a log-out seen by another process, takes
# effect within the first; a changed password at once, for the second is only a hash's known outcome.
SIGNED_IN = timedelta(seconds=15)
VERIFIED = timedelta(minutes=10)
REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: `id` is the SHA-256 of the token, which is nowhere."""

    id: str
    account: str
    address: str
    expires_at: datetime


class Sessions:
    """SESSION# and RATE# items of the directory table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.accounts: Recent[Account] = Recent(SIGNED_IN, REMEMBERED)
        self.verified: Recent[str] = Recent(VERIFIED, REMEMBERED)

    def put(self, session: Session, created_at: datetime) -> None:
        """Open a session."""
        item: Item = {
            **meta_key("SESSION", session.id),
            "account": session.account,
            "address": session.address,
            "created_at": created_at.isoformat(),
            "expires_at": session.expires_at.isoformat(),
            "ttl": int(session.expires_at.timestamp()),
        }
        self.table.put(item)

    def get(self, session_id: str) -> Session | None:
        """A session, expired or not: DynamoDB removes items when it pleases."""
        item = self.table.get(meta_key("SESSION", session_id))
        if not item:
            return None
        return Session(
            session_id, item["account"], item["address"], datetime.fromisoformat(item["expires_at"])
        )

    def delete(self, session_id: str) -> None:
        """Close a session."""
        self.table.delete(meta_key("SESSION", session_id))

    def counts(self, counters: list[str], window: int) -> list[int]:
        """Counters of a window, 0 where nothing was counted."""
        keys = [meta_key("RATE", f"{counter}#{window}") for counter in counters]
        found = {item["pk"]: int(item["n"]) for item in self.table.batch_get(keys)}
        return [found.get(key["pk"], 0) for key in keys]

    def count(self, counter: str, window: int, ends_at: datetime) -> int:
        """Add one to a counter of a window; its new value."""
        key = meta_key("RATE", f"{counter}#{window}")
        item = self.table.update(Update(key, set={"ttl": int(ends_at.timestamp())}, add={"n": 1}))
        return int(item["n"])

    def forget(self, counter: str, window: int) -> None:
        """A counter of a window starts anew."""
        self.table.delete(meta_key("RATE", f"{counter}#{window}"))
