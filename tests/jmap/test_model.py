"""A mailbox by the API against a plain model: clients that change it at once, answers that are lost, calls
that crash, and followers of `/changes` who must end with what one reads anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.jmap.client import Client, Json, letter
from tests.jmap.follower import KINDS, Follower, anew
from tests.services.post import Crash, Post

WORDS = ("$seen", "$flagged", "$draft", "work")
PICK = st.integers(0, 1_000)
_numbers = count(1)


@dataclass
class Kept:
    """An email of the model."""

    folder: str
    words: set[str]
    size: int


class JmapMachine(RuleBasedStateMachine):
    """What clients do, in any order."""

    post: ClassVar[Post]

    def __init__(self) -> None:
        super().__init__()
        self.jmap = Client(self.post, self.post.account(f"m{next(_numbers)}@x.test"))
        self.kept: dict[str, Kept] = {}
        self.folders: dict[str, str | None] = {}  # made here: id → parent
        self.followers = [Follower(self.jmap)]
        self.followers[0].begin()
        self.old = {kind: self.jmap.state(kind) for kind in KINDS}

    # ------------------------------------------------------------- choosing
    def email(self, pick: int) -> str:
        return sorted(self.kept)[pick % len(self.kept)]

    def folder(self, pick: int) -> str:
        every = [*sorted(self.jmap.roles.values()), *sorted(self.folders)]
        return every[pick % len(every)]

    # ------------------------------------------------------------- what happens
    @rule(pick=PICK, reply=st.booleans(), seen=st.booleans())
    def deliver(self, pick: int, reply: bool, seen: bool) -> None:
        self._deliver(pick % 5 if reply else None, {"$seen"} if seen else set())

    def _deliver(self, to: int | None, words: set[str]) -> None:
        number = next(_numbers)
        subject, root = (
            ("news", None) if to is None else (f"topic {to}", f"<{to}.{self.jmap.account.id}@far.test>")
        )
        fields = {"References": root} if root else {}
        raw = letter(subject, "words", Message_ID=f"<{number}@far.test>", **fields)
        id = self.jmap.deliver(raw, keywords=dict.fromkeys(words, True))
        self.kept[id] = Kept(self.jmap.roles["inbox"], words, len(raw))

    @rule(pick=PICK)
    def draft(self, pick: int) -> None:
        folder = self.folder(pick)
        made = self.jmap.draft(mailboxIds={folder: True}, subject=f"draft {pick}")
        self.kept[made["id"]] = Kept(folder, {"$draft"}, made["size"])

    @precondition(lambda self: self.kept)
    @rule(
        picks=st.lists(st.tuples(PICK, PICK, st.sampled_from(WORDS), st.booleans()), min_size=1, max_size=4),
        crash=st.integers(0, 9),
    )
    def change(self, picks: list[tuple[int, int, str, bool]], crash: int) -> None:
        """Moves and keywords of several at once; with `crash` the first try ends half-way."""
        update: dict[str, Json] = {}
        for pick, to, word, on in picks:
            id, folder = self.email(pick), self.folder(to)
            self.kept[id].folder = folder
            self.kept[id].words = self.kept[id].words | {word} if on else self.kept[id].words - {word}
            patch = update.setdefault(id, {})
            patch |= {"mailboxIds": {folder: True}, f"keywords/{word}": True if on else None}
        answer = self._crashing(crash, lambda: self.jmap.call("Email/set", update=update))
        assert answer["notUpdated"] is None, answer

    def _crashing(self, calls: int, act: Callable[[], Json]) -> Json:
        """Crash after so many calls of AWS (0: not at all), then do it again."""
        self.post.fuse.left = calls or None
        try:
            return act()
        except Crash:
            return act()
        finally:
            self.post.fuse.left = None

    @precondition(lambda self: self.kept)
    @rule(pick=PICK, crash=st.integers(0, 9))
    def destroy(self, pick: int, crash: int) -> None:
        id = self.email(pick)
        answer = self._crashing(crash, lambda: self.jmap.call("Email/set", destroy=[id]))
        assert answer["destroyed"] == [id] or answer["notDestroyed"][id]["type"] == "notFound"
        del self.kept[id]

    @precondition(lambda self: self.kept)
    @rule(pick=PICK, other=PICK, calls=st.integers(1, 9), what=st.sampled_from(["words", "move", "destroy"]))
    def at_once(self, pick: int, other: int, calls: int, what: str) -> None:
        """Another client comes between two calls of the first."""
        id, second, folder = self.email(pick), self.email(other), self.folder(other)
        left = [calls]

        def between() -> None:
            left[0] -= 1
            if left[0] == 0:
                self.jmap.call("Email/set", update={second: {"keywords/late": True}})
                self._deliver(other % 5, set())

        asked: Json = {"destroy": [id]} if what == "destroy" else {"update": {id: {"keywords/work": True}}}
        if what == "move":
            asked = {"update": {id: {"mailboxIds": {folder: True}}}}
        tick = self.post.fuse.tick
        self.post.fuse.tick = between  # type: ignore[method-assign]
        try:
            answer = self.jmap.call("Email/set", **asked)
        finally:
            self.post.fuse.tick = tick  # type: ignore[method-assign]
        assert not answer["notUpdated"]
        assert not answer["notDestroyed"]
        if left[0] <= 0:
            self.kept[second].words.add("late")
        if what == "destroy":
            del self.kept[id]
        elif what == "move":
            self.kept[id].folder = folder
        else:
            self.kept[id].words.add("work")

    @precondition(lambda self: self.kept)
    @rule(pick=PICK, stale=st.booleans())
    def only_in_state(self, pick: int, stale: bool) -> None:
        id = self.email(pick)
        state = self.jmap.state()
        if stale and state != self.old["Email"]:
            update: Json = {id: {"keywords/never": True}}
            error = self.jmap.error("Email/set", update=update, ifInState=self.old["Email"])
            assert error["type"] == "stateMismatch"
            return
        answer = self.jmap.call("Email/set", update={id: {"keywords/$flagged": True}}, ifInState=state)
        assert answer["oldState"] == state
        self.kept[id].words.add("$flagged")

    # ------------------------------------------------------------- folders
    @rule(pick=PICK, below=st.booleans())
    def make_folder(self, pick: int, below: bool) -> None:
        parent = sorted(self.folders)[pick % len(self.folders)] if below and self.folders else None
        if self._depth(parent) < 8:
            given = {"name": f"n{next(_numbers)}", "parentId": parent}
            made = self.jmap.call("Mailbox/set", create={"f": given})["created"]["f"]
            self.folders[made["id"]] = parent

    def _depth(self, folder: str | None) -> int:
        return 0 if folder is None else 1 + self._depth(self.folders[folder])

    @precondition(lambda self: self.folders)
    @rule(pick=PICK, crash=st.integers(0, 6))
    def rename_folder(self, pick: int, crash: int) -> None:
        id = sorted(self.folders)[pick % len(self.folders)]
        update = {id: {"name": f"r{next(_numbers)}", "sortOrder": pick, "isSubscribed": bool(pick % 2)}}
        answer = self._crashing(crash, lambda: self.jmap.call("Mailbox/set", update=update))
        assert answer["notUpdated"] is None

    @precondition(lambda self: self.folders)
    @rule(pick=PICK, remove=st.booleans(), crash=st.integers(0, 12))
    def destroy_folder(self, pick: int, remove: bool, crash: int) -> None:
        id = sorted(self.folders)[pick % len(self.folders)]
        inside = [email for email, kept in self.kept.items() if kept.folder == id]
        args = {"destroy": [id], "onDestroyRemoveEmails": remove}
        answer = self._crashing(crash, lambda: self.jmap.call("Mailbox/set", **args))
        if id in self.folders.values():
            assert answer["notDestroyed"][id]["type"] == "mailboxHasChild"
        elif inside and not remove:
            assert answer["notDestroyed"][id]["type"] == "mailboxHasEmail"
        else:
            assert answer["destroyed"] == [id] or answer["notDestroyed"][id]["type"] == "notFound"
            del self.folders[id]
            for email in inside:
                del self.kept[email]

    # ------------------------------------------------------------- followers
    @precondition(lambda self: len(self.followers) < 4)
    @rule()
    def another_follower(self) -> None:
        self.followers.append(Follower(self.jmap))
        self.followers[-1].begin()

    @rule(pick=PICK, kind=st.sampled_from(KINDS), most=st.sampled_from([1, 2, 5, None]))
    def follow(self, pick: int, kind: str, most: int | None) -> None:
        self.followers[pick % len(self.followers)].step(kind, most)

    # ------------------------------------------------------------- the end
    def teardown(self) -> None:
        now = {kind: anew(self.jmap, kind) for kind in KINDS}
        shown = {id: (*one["mailboxIds"], set(one["keywords"])) for id, one in now["Email"].items()}
        assert shown == {id: (kept.folder, kept.words) for id, kept in self.kept.items()}
        self._counts(now)
        for number, follower in enumerate(self.followers):
            follower.catch_up(most=(1, 3, None)[number % 3])
            for kind in KINDS:
                assert follower.known[kind] == now[kind], kind
        for id, box in now["Mailbox"].items():
            listed = self.jmap.call("Email/query", filter={"inMailbox": id}, calculateTotal=True)
            assert set(listed["ids"]) == {email for email, kept in self.kept.items() if kept.folder == id}
            assert listed["total"] == box["totalEmails"]

    def _counts(self, now: dict[str, dict[str, Json]]) -> None:
        [quota] = self.jmap.call("Quota/get", ids=None)["list"]
        assert quota["used"] == sum(kept.size for kept in self.kept.values())
        assert {f for f in now["Mailbox"] if f not in self.jmap.roles.values()} == set(self.folders)
        threads: dict[str, set[str]] = {}
        for id, one in now["Email"].items():
            threads.setdefault(one["threadId"], set()).add(id)
        assert {id: set(one["emailIds"]) for id, one in now["Thread"].items()} == threads
        for folder, box in now["Mailbox"].items():
            inside = {id: kept for id, kept in self.kept.items() if kept.folder == folder}
            assert box["totalEmails"] == len(inside)
            assert box["unreadEmails"] == sum(not k.words & {"$seen", "$draft"} for k in inside.values())
            assert box["totalThreads"] == len({now["Email"][id]["threadId"] for id in inside})


@pytest.fixture(scope="module", autouse=True)
def office(post: Post) -> None:
    """One post office for all runs, an account for each."""
    JmapMachine.post = post


TestJmap: Any = JmapMachine.TestCase
TestJmap.settings = settings(
    max_examples=6,
    stateful_step_count=16,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
