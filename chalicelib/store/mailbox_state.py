"""An account's STATE item, and the counting of emails and threads per folder. Pure but for the clock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from chalicelib.aws.table import Item
from chalicelib.rules.indexing import Mark
from chalicelib.rules.values import MailboxState
from chalicelib.store.mailbox_items import account_pk
from chalicelib.store.packing import pack_numbers, unpack_numbers

# Folders that every account has, in the order of their ids f1, f2, …
ROLES: Mapping[str, tuple[str, str]] = {
    "inbox": ("f1", "Inbox"),
    "drafts": ("f2", "Drafts"),
    "sent": ("f3", "Sent"),
    "junk": ("f4", "Junk"),
    "trash": ("f5", "Trash"),
    "archive": ("f6", "Archive"),
}
TRASH = ROLES["trash"][0]
TYPES = ("Email", "Mailbox", "Thread")


@dataclass(slots=True)
class Tally:
    """Counters of one folder."""

    total: int = 0
    unread: int = 0
    threads: int = 0
    unread_threads: int = 0
    uidnext: int = 1

    def as_tuple(self) -> tuple[int, int, int, int, int]:
        """In the order of MailboxState.counters."""
        return self.total, self.unread, self.threads, self.unread_threads, self.uidnext


@dataclass(slots=True)
class State:
    """The STATE item, to be changed by one transaction."""

    modseq: int = 0
    types: dict[str, int] = field(default_factory=dict)
    used: int = 0
    floor: int = 0
    next_folder: int = 1
    uidvalidity: int = 0  # the last one given
    tallies: dict[str, Tally] = field(default_factory=dict)
    indexed: Mark = field(default_factory=Mark)  # when the search index was last asked to catch up
    cards: int = 0  # contacts, and their octets, which `used` has too
    card_octets: int = 0

    def attributes(self) -> Item:
        """As stored: counters are one byte string of folder number and five counters, again and again."""
        numbers: list[int] = []
        for folder, tally in self.tallies.items():
            numbers += [int(folder[1:]), *tally.as_tuple()]
        return {
            "modseq": self.modseq,
            "types": self.types,
            "used": self.used,
            "floor": self.floor,
            "nf": self.next_folder,
            "uv": self.uidvalidity,
            "c": pack_numbers(numbers),
            "ix": [self.indexed.modseq, self.indexed.day],
            "k": [self.cards, self.card_octets],
        }

    def copy(self) -> "State":
        """One to change freely."""
        tallies = {f: replace(t) for f, t in self.tallies.items()}
        return replace(self, types=dict(self.types), tallies=tallies)

    def value(self) -> MailboxState:
        """For other rooms."""
        counters = {f: t.as_tuple() for f, t in self.tallies.items()}
        return MailboxState(self.modseq, dict(self.types), self.used, self.floor, counters)


def state_key(acct: str) -> dict[str, str]:
    """Key of the account's one state item."""
    return {"pk": account_pk(acct), "sk": "STATE"}


def read_state(item: Item) -> State:
    """The state of a STATE item."""
    numbers = unpack_numbers(item["c"])
    tallies = {f"f{numbers[i]}": Tally(*numbers[i + 1 : i + 6]) for i in range(0, len(numbers), 6)}
    return State(
        item["modseq"],
        item["types"],
        item["used"],
        item["floor"],
        item["nf"],
        item["uv"],
        tallies,
        Mark(*item.get("ix", ())),
        *item.get("k", ()),
    )


@dataclass(frozen=True, slots=True)
class Member:
    """An email as its thread sees it."""

    folder: str
    unread: bool


def thread_shares(members: Iterable[Member]) -> dict[str, bool]:
    """Folders that a thread counts in, and whether it counts as unread there.

    RFC 8621 §2 unreadThreads: any unread email of the thread makes it unread in each of its folders, but
    those in Trash count for Trash only, and others not for Trash.
    """
    unread_somewhere: defaultdict[bool, bool] = defaultdict(bool)
    folders = set()
    for member in members:
        folders.add(member.folder)
        unread_somewhere[member.folder == TRASH] |= member.unread
    return {folder: unread_somewhere[folder == TRASH] for folder in folders}


def count_thread(tallies: Mapping[str, Tally], members: Iterable[Member], sign: int) -> set[str]:
    """Add a thread to its folders' counters (sign 1), or take it away (-1). The folders it touched."""
    shares = thread_shares(members)
    for folder, is_unread in shares.items():
        tallies[folder].threads += sign
        tallies[folder].unread_threads += sign * is_unread
    return set(shares)


def count_email(tally: Tally, member: Member, sign: int) -> None:
    """Add an email to its folder's counters (sign 1), or take it away (-1)."""
    tally.total += sign
    tally.unread += sign * member.unread
