"""What the calls of one request share: the account, created ids, and what was read already."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chalicelib.jmap import limits
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules.values import Account, Caller, Email, MailboxState, Row
from chalicelib.services import mailbox
from chalicelib.services.platform import Platform

_RAW_KEPT = 2  # messages kept for parts of the same email


@dataclass
class Context:
    """One request of one account."""

    p: Platform
    account: Account
    source: str = ""  # network address that the request came from
    created: dict[str, str] = field(default_factory=dict)  # creation id → id (RFC 8620 §5.3)
    using: frozenset[str] = frozenset()  # capabilities that the client knows of
    implied: list[tuple[str, Json]] = field(default_factory=list)  # calls to be made after this one
    body_budget: int = limits.BODY_BUDGET
    read_budget: int = field(default_factory=lambda: limits.MAX_READ)
    rows: dict[str, Row] = field(default_factory=dict)
    _state: MailboxState | None = None
    _raw: dict[str, bytes] = field(default_factory=dict)

    @property
    def acct(self) -> str:
        """The account's id."""
        return self.account.id

    @property
    def caller(self) -> Caller:
        """Who does it, for the audit (S40)."""
        own = self.account
        return Caller(
            reseller=own.reseller,
            key_id="",
            scopes=frozenset(),
            source=self.source,
            role="user",
            domain=own.domain,
            account=own.id,
            address=own.address,
        )

    def state(self) -> MailboxState:
        """States and counters, read once unless something is written. To be read before the data."""
        if self._state is None:
            self._state = mailbox.state(self.p, self.acct)
        return self._state

    def state_of(self, kind: str) -> str:
        """The state string of a type."""
        state = self.state()
        return str(state.types.get(kind, state.floor))

    def wrote(self) -> None:
        """Forget what a write may have changed."""
        self._state = None
        self.rows.clear()

    def remember(self, rows: Iterable[Row]) -> None:
        """Keep rows that a query read: an Email/get behind it needs no more."""
        self.rows.update((row.id, row) for row in rows)

    def emails(self, ids: Iterable[str]) -> dict[str, Email]:
        """Whole records by id, those already read not again."""
        wanted = list(dict.fromkeys(ids))
        known = {i: row for i in wanted if isinstance(row := self.rows.get(i), Email)}
        missing = [i for i in wanted if i not in known]
        found = mailbox.get(self.p, self.acct, missing) if missing else {}
        self.remember(found.values())
        return {**known, **found}

    def octets(self, key: str, size: int) -> bytes:
        """A stored object: one GET, and none again for the next part of it.

        Raises ServiceError not_found, MethodError requestTooLarge.
        """
        if key not in self._raw:
            self.charge(size)
            while len(self._raw) >= _RAW_KEPT:
                self._raw.pop(next(iter(self._raw)))
            self._raw[key] = self.p.blobs.get(key)
        return self._raw[key]

    def charge(self, octets: int) -> None:
        """Count octets that are about to be read. Raises MethodError requestTooLarge."""
        self.check_room(octets)
        self.read_budget -= octets

    def check_room(self, octets: int) -> None:
        """Whether the request may read so much more. Raises MethodError requestTooLarge."""
        if octets > self.read_budget:
            detail = f"At most {limits.MAX_READ} octets of messages and uploads can be read by one request."
            raise MethodError("requestTooLarge", detail)

    def resolve(self, id: str) -> str | None:
        """An id, or the one that a creation id (`#k`) stands for; None when nothing was created under it."""
        return self.created.get(id[1:]) if id.startswith("#") else id


Method = Callable[[Context, Json], Json]
