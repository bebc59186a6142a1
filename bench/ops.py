"""AWS calls and capacity units of the ordinary operations, beside their budgets: `python -m bench.ops`.

Runs a local cloud of its own, fills one folder to each size and counts what one operation takes.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.corpus import Cloud
from tools.town import Mailbox, Town, running, until

BUDGETS = {
    "deliver": "1 S3 GET, 12 write units (aim 8), 3 SQS calls",
    "list": "8 read units, the same at any size",
    "open": "1 S3 GET and 1 item",
    "flag": "8 write units",
    "move": "14 write units",
    "idle": "1 read unit",
    "send": "0 state transitions",
}
BODY = b"The quick brown fox jumps over the lazy dog, and says so at length.\r\n"
MESSAGE_BYTES = 75_000


@dataclass(frozen=True)
class Row:
    """What one operation took."""

    operation: str
    size: int
    read_units: float
    write_units: float
    calls: dict[str, int]


def letter(number: int) -> bytes:
    """A message of 75 KB."""
    head = (
        f"From: Zoe Example <zoe@far.test>\r\nTo: someone@here.test\r\nSubject: Number {number} of many\r\n"
        f"Date: Mon, 05 Jan 2026 10:00:00 +0000\r\nMessage-ID: <{number}@far.test>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode()
    return head + BODY * ((MESSAGE_BYTES - len(head)) // len(BODY))


def inbox_total(user: Mailbox) -> int:
    """Emails in the inbox."""
    return int(user.folders()["inbox"]["totalEmails"])


def fill(town: Town, cloud: Cloud, user: Mailbox, size: int) -> None:
    """Bring the inbox to `size` messages."""
    have = inbox_total(user)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cloud.arrive(user.address, letter(n)), range(have, size)))
    until(lambda: inbox_total(user) >= size, seconds=1800)
    town.advance("1s")


def counted(town: Town, operation: str, size: int, work: Callable[[], Any]) -> Row:
    """Run the operation alone and read the counters when all has settled."""
    town.advance("1s")
    town.control("DELETE", "ops")
    work()
    town.advance("1s")
    seen = town.control("GET", "ops")
    calls: dict[str, int] = {}
    for row in seen["calls"]:
        key = f"{row['service']}:{row['operation']}"
        calls[key] = calls.get(key, 0) + row["calls"]
    totals = seen["totals"]
    return Row(operation, size, totals["read_units"], totals["write_units"], calls)


def operations(town: Town, user: Mailbox, size: int) -> list[Row]:
    """Each operation once, at the present size of the folder."""
    newest = user.listing(limit=2)
    folders = user.folders()
    inbox, archive, state = folders["inbox"]["id"], folders["archive"]["id"], ""

    def deliver() -> None:
        town.deliver("zoe@far.test", [user.address], letter(1_000_000 + size))

    def page() -> None:
        where = {"inMailbox": inbox}
        order = [{"property": "receivedAt", "isAscending": False}]
        back = {"resultOf": "q", "name": "Email/query", "path": "/ids"}
        shown = [
            "id",
            "threadId",
            "mailboxIds",
            "keywords",
            "receivedAt",
            "from",
            "subject",
            "preview",
            "size",
        ]
        user.jmap(
            ("Email/query", {"filter": where, "sort": order, "limit": 50}, "q"),
            ("Email/get", {"#ids": back, "properties": [*shown, "hasAttachment"]}, "g"),
        )

    def flag() -> None:
        user.one("Email/set", update={newest[0]["id"]: {"keywords/$flagged": True}})

    def move() -> None:
        user.one("Email/set", update={newest[1]["id"]: {"mailboxIds": {archive: True}}})

    state = user.one("Email/get", ids=[])["state"]
    return [
        counted(town, "idle", size, lambda: user.one("Email/changes", sinceState=state)),
        counted(town, "deliver", size, deliver),
        counted(town, "list", size, page),
        counted(town, "open", size, lambda: user.open(newest[0]["id"])),
        counted(town, "flag", size, flag),
        counted(town, "move", size, move),
        counted(town, "send", size, lambda: user.send(["x@far.test"], f"send at {size}", "Hello.")),
    ]


def show(rows: Sequence[Row]) -> None:
    """A table: what it took, and the budget."""
    print(f"{'operation':10}{'in folder':>10}{'read u.':>9}{'write u.':>9}  budget")
    for row in rows:
        units = f"{row.read_units:>9.1f}{row.write_units:>9.1f}"
        print(f"{row.operation:10}{row.size:>10,}{units}  {BUDGETS[row.operation]}")
        print("            " + ", ".join(f"{name} {count}" for name, count in sorted(row.calls.items())))


def main() -> int:
    """Run the bench at the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,5000", help="messages in the folder, ascending")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    with tempfile.TemporaryDirectory() as work, running(Path(work)) as town:
        cloud, user = Cloud(town), town.seeded()
        rows: list[Row] = []
        for size in sizes:
            fill(town, cloud, user, size)
            rows += operations(town, user, size)
        show(sorted(rows, key=lambda row: (list(BUDGETS).index(row.operation), row.size)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
