"""What Email/query must look up where the rows of its lists do not tell."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.jmap import limits
from chalicelib.jmap.context import Context
from chalicelib.rules.values import Email, Row
from chalicelib.services import finding, mailbox
from chalicelib.services.finding import Content
from chalicelib.services.listing import TooDeep

LOOKED_AT_ONCE = 100  # hits whose records are read together


@dataclass
class Looked:
    """What rows do not tell: keywords of threads, and messages where `opens`; looked up once, so many."""

    ctx: Context
    opens: bool
    known: dict[str, Sequence[frozenset[str]]] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)

    @property
    def at_once(self) -> int:
        """How many emails are best looked at together."""
        return finding.OPENED if self.opens else LOOKED_AT_ONCE

    def open(self, rows: Sequence[Row]) -> None:
        """Read messages together, where they are needed. Raises TooDeep."""
        if self.opens:
            if len(self.contents) + len(rows) > limits.MAX_OPENED:
                raise TooDeep
            self.contents |= finding.contents(self.ctx.p, rows)

    def content(self, row: Row) -> Content:
        """Of a message that was opened."""
        return self.contents[row.id]

    def keywords(self, row: Row) -> Sequence[frozenset[str]]:
        """Of each email of the row's thread. Raises TooDeep."""
        if row.thread not in self.known:
            if len(self.known) >= limits.MAX_THREADS:
                raise TooDeep
            ids = mailbox.thread(self.ctx.p, self.ctx.acct, [row.thread]).get(row.thread, [])
            alone = ids == [row.id]
            emails = [row] if alone else list(self.ctx.emails(ids).values())
            self.known[row.thread] = [email.keywords for email in emails]
        return self.known[row.thread]

    def records(self, rows: Sequence[Row]) -> list[Email]:
        """All that is kept of emails; those that went meanwhile are left out."""
        found = self.ctx.emails(row.id for row in rows)
        return [found[row.id] for row in rows if row.id in found]
