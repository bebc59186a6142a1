"""What each method of the mailbox API takes as a folder grows: `python -m bench.jmap --sizes 100,5000,50000`.

One folder, a third of it in threads of three, a fifth unread, one in ten flagged, written as deliveries
would have left it. Every row is one whole request after sign-in: capacity units by AWS's rules from true item
sizes, calls, and CPU milliseconds of our own code, without what botocore and moto take. "First" rows make the
outline that the rows after them use.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bench.inside import Bench, Count, bench
from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.jmap import core
from chalicelib.jmap.session import BLOB, CONTACTS, CORE, MAIL, QUOTA, SUBMISSION, VACATION
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import NewEmail
from chalicelib.services import mailbox
from chalicelib.store.mailbox_items import email_item
from chalicelib.store.mailbox_state import read_state, state_key
from chalicelib.store.records import domain_item, mailbox_item, meta_key

USING = [CORE, MAIL, SUBMISSION, QUOTA, CONTACTS, BLOB, VACATION]
INBOX, ARCHIVE, DRAFTS = "f1", "f6", "f2"
SHOWN = ["id", "threadId", "mailboxIds", "keywords", "receivedAt", "from", "subject", "preview", "size"]
NEWEST = [{"property": "receivedAt", "isAscending": False}]
OLDEST = [{"property": "receivedAt", "isAscending": True}]
Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """What one request took with so many messages in the folder."""

    name: str
    size: int
    count: Count


@dataclass
class Folder:
    """A mailbox whose inbox has `size` emails."""

    made: Bench
    size: int
    rows: list[Row] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(10**7))

    def fill(self) -> None:
        """Write the emails and the counters that belong to them, and who the account is."""
        account = self.made.account
        domain = HostedDomain(account.domain, "live", "r1", "o1", clock.now())
        known = {**meta_key("ACCOUNT", account.id), "address": account.address}
        directory = self.made.p.directory.table
        directory.batch_write(put=[domain_item(domain), mailbox_item(account, None), known])
        table, acct = self.made.p.outbox._table, self.made.account.id
        table.batch_write(put=(self._item(number) for number in range(self.size)))
        state = read_state(table.get(state_key(acct)) or {})
        tally = state.tallies[INBOX]
        tally.total, tally.unread, tally.uidnext = self.size, -(-self.size // 5), self.size + 1
        tally.threads = len({thread_of(number) for number in range(self.size)})
        tally.unread_threads = tally.unread
        table.put({**state_key(acct), **state.attributes()})

    def _item(self, number: int) -> dict[str, Any]:
        words = {"$seen"} if number % 5 else set()
        words |= set() if number % 10 else {"$flagged"}
        new = self.letter(number, frozenset(words))
        item = email_item(self.made.account.id, new, folder=INBOX, thread=thread_of(number), uid=number + 1)
        return item | {"modseq": 1}

    def letter(self, number: int, words: frozenset[str] = frozenset()) -> NewEmail:
        """A message of 75 KB, but for its blob, which none of this reads but `open`."""
        raw = (
            f"From: Zoe Example <zoe{number % 97}@far.test>\r\nTo: Me <me@x.test>\r\n"
            "Date: Mon, 5 Jan 2026 10:00 +0000\r\n"
            f"Subject: Number {number} of many\r\nMessage-ID: <{number}@far.test>\r\n\r\n"
            + "Some text. "
            * 30
        ).encode()
        self.made.bucket.held[f"in/{number}"] = raw
        when = clock.now() - timedelta(days=400) + timedelta(seconds=number)
        id = email_id(str(number), self.made.account.id)
        return NewEmail(id, None, "inbox", f"in/{number}", 75_000, when, mime.digest(raw), keywords=words)

    def arrive(self) -> str:
        """One more email, not counted as a request."""
        new = self.letter(next(self.numbers))
        mailbox.add(self.made.p, self.made.account.id, [new], quota_bytes=None)
        return new.id

    def ask(self, *calls: Call) -> list[dict[str, Any]]:
        """One request; the arguments of its answers."""
        acct = self.made.account.id
        named = [[name, {"accountId": acct, **args}, str(n)] for n, (name, args) in enumerate(calls)]
        body = json.dumps({"using": USING, "methodCalls": named}).encode()
        status, answer = core.handle(self.made.p, self.made.account, body, "https://mail.x.test")
        answered = [args for name, args, _ in answer["methodResponses"] if name != "error"]
        assert status == 200, answer
        assert len(answered) >= len(calls), answer["methodResponses"]
        return answered

    def row(self, name: str, *calls: Call) -> list[dict[str, Any]]:
        """One request, counted."""
        answers: list[dict[str, Any]] = []
        count = self.made.counted(lambda: answers.extend(self.ask(*calls)), slow=False)
        self.rows.append(Row(name, self.size, count))
        return answers


def thread_of(number: int) -> str:
    """A third of the emails are in threads of three."""
    return f"T{number - number % 3 if number % 9 < 3 else number}"


def page(**args: Any) -> Call:
    """Fifty of the inbox."""
    where = {"inMailbox": INBOX, **args.pop("where", {})}
    return "Email/query", {"filter": where, "sort": NEWEST, "limit": 50, **args}


def pages(folder: Folder) -> None:
    """Lists, wherever in the folder."""
    back = {"resultOf": "0", "name": "Email/query", "path": "/ids"}
    folder.row("newest 50, as a list shows them", page(), ("Email/get", {"#ids": back, "properties": SHOWN}))
    middle = folder.size // 2
    folder.row("page in the middle, first", page(position=middle))
    [found] = folder.row("page in the middle", page(position=middle))
    folder.row("page behind an anchor there", page(anchor=found["ids"][-1], anchorOffset=1))
    folder.row("newest 50 threads", page(collapseThreads=True, calculateTotal=True))
    folder.row("threads in the middle", page(collapseThreads=True, position=middle // 2))
    folder.row("unread, with total, first", page(where={"notKeyword": "$seen"}, calculateTotal=True))
    folder.row("unread, with total", page(where={"notKeyword": "$seen"}, calculateTotal=True))
    folder.row("flagged in the middle", page(where={"hasKeyword": "$flagged"}, position=folder.size // 20))
    folder.row("oldest 50", page(sort=OLDEST))
    folder.row("of two folders", ("Email/query", {"sort": NEWEST, "limit": 50}))


def changes(folder: Folder) -> None:
    """What clients ask again and again."""
    [asked] = folder.ask(page())
    state = asked["queryState"]
    folder.row("Email/changes, nothing new", ("Email/changes", {"sinceState": state}))
    folder.arrive()
    folder.row("Email/changes, one new", ("Email/changes", {"sinceState": state}))
    since = {"filter": {"inMailbox": INBOX}, "sort": NEWEST, "sinceQueryState": state}
    folder.row("Email/queryChanges, one new", ("Email/queryChanges", since))
    folder.row("Mailbox/changes, one new", ("Mailbox/changes", {"sinceState": state}))
    folder.row("page in the middle, after it", page(position=folder.size // 2))


def objects(folder: Folder) -> None:
    """Reading and writing single ones."""
    first, second, third = folder.ask(page(limit=3))[0]["ids"]
    folder.row("Mailbox/get", ("Mailbox/get", {"ids": None}))
    body = {"ids": [first], "fetchAllBodyValues": True}
    folder.row("open: Email/get with bodies", ("Email/get", body))
    thread = email_id("9", folder.made.account.id)
    [shown] = folder.ask(("Email/get", {"ids": [thread], "properties": ["threadId"]}))
    folder.row("Thread/get", ("Thread/get", {"ids": [shown["list"][0]["threadId"]]}))
    folder.row("Email/set, flag", ("Email/set", {"update": {first: {"keywords/$flagged": True}}}))
    folder.row("Email/set, move", ("Email/set", {"update": {second: {"mailboxIds": {ARCHIVE: True}}}}))
    folder.row("Email/set, destroy", ("Email/set", {"destroy": [third]}))
    draft = {"mailboxIds": {DRAFTS: True}, "keywords": {"$draft": True}, "subject": "A draft"}
    folder.row("Email/set, create a draft", ("Email/set", {"create": {"d": draft}}))
    folder.row("Identity/get", ("Identity/get", {"ids": None}))
    folder.row("Quota/get", ("Quota/get", {"ids": None}))
    folder.row("Core/echo", ("Core/echo", {"hello": True}))


def show(rows: Sequence[Row]) -> None:
    """The table, each request at all sizes."""
    print(
        f"{'request':34}{'in folder':>10}{'read u.':>9}{'write u.':>9}{'calls':>7}{'S3 GETs':>8}{'CPU ms':>8}"
    )
    for row in rows:
        count = row.count
        units = f"{count.read:>9.1f}{count.write:>9.1f}{count.calls:>7}{count.gets:>8}"
        print(f"{row.name:34}{row.size:>10,}{units}{1_000 * count.cpu:>8.1f}")


def main() -> int:
    """Run the bench at the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--sizes", default="100,5000", help="messages in the folder")
    rows: list[Row] = []
    for size in (int(size) for size in parser.parse_args().sizes.split(",")):
        with bench() as made:
            folder = Folder(made, size)
            folder.fill()
            pages(folder)
            changes(folder)
            objects(folder)
            rows += folder.rows
    names = list(dict.fromkeys(row.name for row in rows))
    show(sorted(rows, key=lambda row: (names.index(row.name), row.size)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
