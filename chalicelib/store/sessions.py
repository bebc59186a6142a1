"""Sessions by the hash of their token, and counters of failed log-ins. Both end by themselves (TTL)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.aws.table import PRESENT, ConditionFailed, Delete, Index, Item, Table, Update
from chalicelib.rules.values import Account
from chalicelib.store.recent import Recent
from chalicelib.store.records import meta_key

# How long a warm process answers from memory. A suspension, a log-out or a password change made by another
# process takes effect within the first; who made it here forgets at once. The second is only a hash's known
# outcome, which is compared with what is stored: a changed password takes effect on log-ins at once.
SIGNED_IN = timedelta(seconds=15)
VERIFIED = timedelta(minutes=10)
REMEMBERED = 2_000
GSI = Index("gsi1", "gpk", "gsk")


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: `id` is the SHA-256 of the token, which is nowhere.

    It is over when it expires, and when the account's epoch is another than its own.
    """

    id: str
    account: str
    address: str
    expires_at: datetime
    epoch: int
    created_at: datetime
    seen_at: datetime  # to the hour
    network: str  # where it was opened from
    agent: str  # by which browser

    @property
    def name(self) -> str:
        """What it is called by."""
        return self.id[:16]


class Sessions:
    """SESSION# and RATE# items of the directory table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.accounts: Recent[Account] = Recent(SIGNED_IN, REMEMBERED)
        self.verified: Recent[str] = Recent(VERIFIED, REMEMBERED)

    def put(self, session: Session) -> None:
        """Open a session."""
        item: Item = {
            **meta_key("SESSION", session.id),
            "gpk": f"ACCOUNT#{session.account}",
            "gsk": f"SESSION#{session.created_at.isoformat()}#{session.id}",
            "account": session.account,
            "address": session.address,
            "epoch": session.epoch,
            "created_at": session.created_at.isoformat(),
            "expires_at": session.expires_at.isoformat(),
            "seen_at": session.seen_at.isoformat(),
            "network": session.network,
            "agent": session.agent,
            "ttl": int(session.expires_at.timestamp()),
        }
        self.table.put(item)

    def get(self, session_id: str) -> Session | None:
        """A session, expired or not: DynamoDB removes items when it pleases."""
        item = self.table.get(meta_key("SESSION", session_id))
        return _session_of(item) if item else None

    def of(self, account: Account, now: datetime) -> list[Session]:
        """An account's open sessions, newest first. One opened a moment ago may be missing yet."""
        items = self.table.query_all(f"ACCOUNT#{account.id}", begins="SESSION#", index=GSI, descending=True)
        found = [_session_of(item) for item in items]
        return [s for s in found if s.epoch == account.epoch and s.expires_at > now]

    def touch(self, session_id: str, now: datetime, address: str) -> None:
        """Note when it was seen, and its account's address; nothing where it has gone meanwhile."""
        changes = {"seen_at": now.isoformat(), "address": address}
        try:
            self.table.update(Update(meta_key("SESSION", session_id), set=changes, check=PRESENT))
        except ConditionFailed:
            return

    def carried(self, session_id: str, epoch: int) -> Update:
        """The write that takes a session along into its account's next epoch."""
        return Update(meta_key("SESSION", session_id), set={"epoch": epoch}, check=PRESENT)

    def gone(self, session_id: str) -> Delete:
        """The write that closes a session."""
        return Delete(meta_key("SESSION", session_id))

    def delete(self, session_id: str) -> None:
        """Close a session."""
        self.table.delete(meta_key("SESSION", session_id))

    def forget_account(self, account: str) -> None:
        """Have this process look again at whatever of an account's it remembers."""
        self.accounts.forget_where(lambda known: known.id == account)

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


def _session_of(item: Item) -> Session:
    times = {name: datetime.fromisoformat(item[name]) for name in ("created_at", "expires_at", "seen_at")}
    return Session(
        id=item["pk"].removeprefix("SESSION#"),
        account=item["account"],
        address=item["address"],
        epoch=item["epoch"],
        network=item["network"],
        agent=item["agent"],
        **times,
    )
