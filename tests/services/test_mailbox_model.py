"""A mailbox against a plain model of one: random changes, and clients that follow them by `/changes`."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.aws import clock as clocks
from chalicelib.rules import subjects
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ids import thread_id
from chalicelib.rules.values import Account, Change, Changes
from chalicelib.services import mailbox, repair
from chalicelib.services.platform import Platform, build
from tests.cloud import Clock, cloud
from tests.services import folders
from tests.store.samples import ACCOUNT, message_id, new_email, usual

ROLES = ["inbox", "drafts", "sent", "junk", "trash", "archive"]
WORDS = st.dictionaries(st.sampled_from(["$seen", "$draft", "$flagged", "work"]), st.booleans(), max_size=3)
NUMBERS = st.integers(0, 7)
SIZE, QUOTA = 76_000, 76_000 * 6
TRASH = "f5"


def subject(number: int) -> str:
    """Two conversations, and what belongs to either by its references."""
    return "Re: The estimate" if number % 3 else "Lunch?"


@dataclass
class Kept:
    """An email as the model knows it."""

    number: int
    folder: str
    uid: int
    thread: str
    words: set[str]

    @property
    def unread(self) -> bool:
        return "$seen" not in self.words and "$draft" not in self.words


@dataclass
class Follower:
    """A client that knows ids as of a state, and asks what happened since."""

    kind: str
    state: int = 0
    known: set[str] = field(default_factory=set)

    def take(self, changes: Changes) -> None:
        assert not set(changes.created) & self.known
        assert set(changes.destroyed) <= self.known
        assert set(changes.updated) <= self.known
        self.known = (self.known | set(changes.created)) - set(changes.destroyed)
        self.state = changes.new_state


class MailboxMachine(RuleBasedStateMachine):
    """Operations at random; everything that can be read is compared after each."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = ExitStack()
        standing = Clock()
        clocks.install(lambda: standing.seconds)
        self.p: Platform = build(self.opened.enter_context(cloud()))
        self.kept: dict[str, Kept] = {}
        self.gone: dict[str, Kept] = {}
        self.begun = False
        self.uidnext = {f"f{n}": 1 for n in range(1, 7)}
        self.roots: dict[tuple[int, str], str] = {}
        self.refs: dict[int, list[int]] = {}
        self.followers = [Follower("Email"), Follower("Mailbox"), Follower("Thread")]

    def teardown(self) -> None:
        if self.begun:
            self.look()
        self.opened.close()
        clocks.install(time.time)

    @initialize()
    def begin(self) -> None:
        mailbox.create(self.p, Account(ACCOUNT, "dana@newdomain.test", "newdomain.test", QUOTA))
        self.begun = True

    # ------------------------------------------------------------- changes
    @rule(
        drawn=st.lists(
            st.tuples(NUMBERS, st.lists(NUMBERS, max_size=2, unique=True)), min_size=1, max_size=3
        ),
        role=st.sampled_from(ROLES),
        seen=st.booleans(),
        limited=st.booleans(),
    )
    def add(self, drawn: list[tuple[int, list[int]]], role: str, seen: bool, limited: bool) -> None:
        batch = [(n, self.refs.setdefault(n, refs)) for n, refs in drawn]  # a repeat is the same message
        words = frozenset({"$seen"}) if seen else frozenset()
        digests = [replace(usual(n, map(message_id, refs)), subject=subject(n)) for n, refs in batch]
        items = [
            new_email(n, role=role, digest=digest, keywords=words)
            for (n, _), digest in zip(batch, digests, strict=True)
        ]
        answers = mailbox.add(self.p, ACCOUNT, items, quota_bytes=QUOTA if limited else None)
        for (number, refs), item, answer in zip(batch, items, answers, strict=True):
            assert answer.outcome == self._add(number, refs, item.id, role, set(words), limited)

    def _add(self, number: int, refs: list[int], id_: str, role: str, words: set[str], limited: bool) -> str:
        if id_ in self.kept or id_ in self.gone:
            return "repeat"
        if limited and len(self.kept) * SIZE + SIZE > QUOTA:
            return "over_quota"
        folder = f"f{ROLES.index(role) + 1}"
        about = subjects.same(subject(number))
        nearest = next((self.roots[r, about] for r in reversed(refs) if (r, about) in self.roots), None)
        thread = nearest or thread_id(message_id(refs[0] if refs else number), about)
        if thread != thread_id(message_id(number), about):
            self.roots[number, about] = thread
        self.kept[id_] = Kept(number, folder, self._uid(folder), thread, words)
        return "added"

    def _uid(self, folder: str) -> int:
        self.uidnext[folder] += 1
        return self.uidnext[folder] - 1

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=4, unique=True), words=WORDS, data=st.data())
    def change(self, numbers: list[int], words: dict[str, bool], data: st.DataObject) -> None:
        folder = data.draw(st.none() | st.sampled_from(sorted(self.uidnext)))
        ids = [new_email(n).id for n in numbers]
        change = Change(keywords=words, folder=folder)
        updated = mailbox.update(self.p, ACCOUNT, dict.fromkeys(ids, change))
        assert set(updated.done) == set(ids) & set(self.kept)
        assert set(updated.missing) == set(ids) - set(self.kept)
        for id_ in updated.done:
            kept = self.kept[id_]
            kept.words = {w for w in kept.words | set(words) if words.get(w, True)}
            if folder and folder != kept.folder:
                kept.folder, kept.uid = folder, self._uid(folder)

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=3))
    def destroy(self, numbers: list[int]) -> None:
        ids = [new_email(n).id for n in numbers]
        destroyed = mailbox.destroy(self.p, ACCOUNT, ids)
        assert set(destroyed.done) == set(ids) & set(self.kept)
        for id_ in destroyed.done:
            self.gone[id_] = self.kept.pop(id_)

    @rule(numbers=st.lists(NUMBERS, min_size=1, max_size=3, unique=True))
    def restore(self, numbers: list[int]) -> None:
        ids = [new_email(n).id for n in numbers]
        restored = self.p.mailboxes.deleted.restore(ACCOUNT, ids, quota_bytes=QUOTA)
        assert set(restored.missing) == set(ids) - set(self.gone)
        room = max(0, QUOTA // SIZE - len(self.kept))
        assert [*restored.done, *restored.over_quota] == [i for i in ids if i in self.gone]
        assert len(restored.done) == min(room, len(ids) - len(restored.missing))
        for id_ in restored.done:
            kept = self.kept[id_] = self.gone.pop(id_)
            kept.folder = kept.folder if kept.folder in self.uidnext else "f1"
            kept.uid = self._uid(kept.folder)

    @rule()
    def create_folder(self) -> None:
        made = folders.create(self.p, ACCOUNT, f"Folder {time.monotonic_ns()}")
        assert made.id not in self.uidnext
        self.uidnext[made.id] = 1

    @precondition(lambda self: len(self.uidnext) > len(ROLES))
    @rule(data=st.data())
    def destroy_folder(self, data: st.DataObject) -> None:
        folder = data.draw(st.sampled_from(sorted(set(self.uidnext) - {f"f{n}" for n in range(1, 7)})))
        if any(k.folder == folder for k in self.kept.values()):
            with pytest.raises(ServiceError) as refused:
                folders.destroy(self.p, ACCOUNT, folder)
            assert refused.value.extra["reason"] == "mailboxHasEmail"
            return
        folders.destroy(self.p, ACCOUNT, folder)
        del self.uidnext[folder]

    # --------------------------------------------------------------- reads
    @rule(which=st.integers(0, 2), limit=st.none() | st.integers(1, 3), pages=st.integers(1, 3))
    def follow(self, which: int, limit: int | None, pages: int) -> None:
        follower = self.followers[which]
        for _ in range(pages):
            changes = mailbox.changes(self.p, ACCOUNT, follower.state, limit, follower.kind)
            told = len(changes.created) + len(changes.updated) + len(changes.destroyed)
            assert limit is None or told <= limit
            assert changes.more or changes.new_state == mailbox.state(self.p, ACCOUNT).types.get(
                follower.kind, 0
            )
            follower.take(changes)
        if limit is None:
            assert follower.known == self._ids(follower.kind)

    def _ids(self, kind: str) -> set[str]:
        threads = {k.thread for k in self.kept.values()}
        return {"Email": set(self.kept), "Mailbox": set(self.uidnext), "Thread": threads}[kind]

    @invariant()
    def counters_are_those_of_the_model(self) -> None:
        state = mailbox.state(self.p, ACCOUNT)
        assert state.used_bytes == SIZE * len(self.kept)
        assert dict(state.counters) == {f: self._counters(f) for f in self.uidnext}

    def _counters(self, folder: str) -> tuple[int, int, int, int, int]:
        here = [k for k in self.kept.values() if k.folder == folder]
        threads = {k.thread for k in here}
        near = [k for k in self.kept.values() if (k.folder == TRASH) == (folder == TRASH)]
        unread_threads = threads & {k.thread for k in near if k.unread}
        unread = sum(k.unread for k in here)
        return len(here), unread, len(threads), len(unread_threads), self.uidnext[folder]

    @rule()
    def look(self) -> None:
        """All that can be read, dearer to ask than counters."""
        self._compare_pages_and_records()
        self._compare_threads()
        assert {f.id for f in mailbox.folders(self.p, ACCOUNT)} == set(self.uidnext)
        deleted = [one.row.id for one in self.p.mailboxes.deleted.listed(ACCOUNT)]
        assert sorted(deleted) == sorted(self.gone)
        assert repair.check(self.p, ACCOUNT) == []

    def _compare_pages_and_records(self) -> None:
        found = mailbox.get(self.p, ACCOUNT, [*self.kept, *self.gone])
        assert set(found) == set(self.kept)
        for id_, kept in self.kept.items():
            email = found[id_]
            assert (email.folder, email.uid, email.thread) == (kept.folder, kept.uid, kept.thread)
            assert email.keywords == kept.words
        folder = sorted(self.uidnext)[len(self.kept) % len(self.uidnext)]
        page = mailbox.page(self.p, ACCOUNT, folder, 20)
        newest = sorted((k for k in self.kept.values() if k.folder == folder), key=lambda k: -k.number)
        assert [row.id for row in page.rows] == [new_email(k.number).id for k in newest]
        assert [found[row.id].uid for row in page.rows] == [row.uid for row in page.rows]

    def _compare_threads(self) -> None:
        threads = mailbox.thread(self.p, ACCOUNT, {k.thread for k in self.kept.values()})
        numbers = {t: [self.kept[i].number for i in ids] for t, ids in threads.items()}
        assert all(members == sorted(members) for members in numbers.values())
        assert sorted(n for members in numbers.values() for n in members) == sorted(
            k.number for k in self.kept.values()
        )


MailboxMachine.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=18,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # shrinking a sequence of transactions takes minutes
    suppress_health_check=[HealthCheck.too_slow],
)
TestMailbox = MailboxMachine.TestCase
