"""Email/query and /queryChanges against a model: random changes between pages, each list at any position."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.rules import positions as rules
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import NewEmail
from chalicelib.services import listing, mailbox
from chalicelib.store import outlining, positions
from tests.jmap.client import Client, Json, letter

NEWEST = [{"property": "receivedAt", "isAscending": False}]


@dataclass(frozen=True)
class Mail:
    """An email as the model has it."""

    id: str
    thread: str
    folder: str
    at: datetime
    words: frozenset[str]


class Model:
    """A mailbox and what is known of it."""

    def __init__(self, jmap: Client, seed: int) -> None:
        self.jmap, self.random, self.mails = jmap, random.Random(seed), dict[str, Mail]()
        self.start = clock.now()
        self.made = 0
        self.folders = [jmap.roles["inbox"], jmap.roles["archive"]]

    # ------------------------------------------------------------- changes
    def deliver(self, many: int) -> None:
        """Emails now, before, or at the very moment of others; alone or in threads."""
        new = [self._new() for _ in range(many)]
        mailbox.add(self.jmap.post.p, self.jmap.account.id, new, quota_bytes=None)
        shown = self.jmap.call("Email/get", ids=[one.id for one in new], properties=["threadId"])
        threads = {one["id"]: one["threadId"] for one in shown["list"]}
        for one in new:
            folder = one.folder or ""
            self.mails[one.id] = Mail(one.id, threads[one.id], folder, one.received_at, one.keywords)

    def _new(self) -> NewEmail:
        self.made += 1
        thread = self.random.choice([self.made, self.random.randrange(12)])
        words = {w for w in ("$seen", "$flagged", "$draft") if self.random.random() < 0.3}
        return NewEmail(
            id=email_id(f"model{self.made}", self.jmap.account.id),
            folder=self.random.choice(self.folders),
            role=None,
            blob=f"in/model{self.made}",
            size=100,
            received_at=self.start + timedelta(milliseconds=self.random.randrange(400)),
            keywords=frozenset(words),
            digest=mime.digest(
                letter(Message_ID=f"<m{self.made}@far.test>", References=f"<{thread}@far.test>")
            ),
        )

    def some(self, most: int) -> list[Mail]:
        """A few emails."""
        few = min(len(self.mails), self.random.randint(1, most))
        return self.random.sample(sorted(self.mails.values(), key=lambda mail: mail.id), few)

    def move(self) -> None:
        """Some emails to a folder, several in one transaction."""
        to = self.random.choice(self.folders)
        chosen = self.some(6)
        self.jmap.call("Email/set", update={mail.id: {"mailboxIds": {to: True}} for mail in chosen})
        self.mails |= {mail.id: replace(mail, folder=to) for mail in chosen}

    def swap(self) -> None:
        """Emails there and back in one transaction."""
        chosen = self.some(8)
        other = dict(zip(self.folders, self.folders[::-1], strict=True))
        update = {mail.id: {"mailboxIds": {other[mail.folder]: True}} for mail in chosen}
        self.jmap.call("Email/set", update=update)
        self.mails |= {mail.id: replace(mail, folder=other[mail.folder]) for mail in chosen}

    def flag(self) -> None:
        """Keywords on or off."""
        word = self.random.choice(["$seen", "$flagged", "$answered"])
        on = self.random.random() < 0.5
        chosen = self.some(5)
        self.jmap.call("Email/set", update={mail.id: {f"keywords/{word}": on or None} for mail in chosen})
        for mail in chosen:
            self.mails[mail.id] = replace(mail, words=mail.words | {word} if on else mail.words - {word})

    def destroy(self) -> None:
        """Some emails for good."""
        chosen = self.some(4)
        self.jmap.call("Email/set", destroy=[mail.id for mail in chosen])
        for mail in chosen:
            del self.mails[mail.id]

    def change(self) -> None:
        """Anything."""
        if not self.mails or self.random.random() < 0.3:
            self.deliver(self.random.randint(1, 8))
        else:
            self.random.choice([self.move, self.swap, self.flag, self.destroy])()

    # --------------------------------------------------------------- lists
    def listed(self, where: Json, collapse: bool) -> list[str]:
        """A whole list, newest first."""
        found = sorted(
            (mail for mail in self.mails.values() if mail.folder == where["inMailbox"]),
            key=lambda mail: (mail.at, mail.id),
            reverse=True,
        )
        tests: dict[str, Callable[[Mail, str], bool]] = {
            "hasKeyword": lambda mail, word: word in mail.words,
            "notKeyword": lambda mail, word: word not in mail.words,
            "before": lambda mail, when: mail.at < datetime.fromisoformat(when),
            "after": lambda mail, when: mail.at >= datetime.fromisoformat(when),
        }
        for name, value in where.items():
            if name in tests:
                found = [mail for mail in found if tests[name](mail, value)]
        if collapse:
            first = {mail.thread: mail.id for mail in reversed(found)}
            found = [mail for mail in found if first[mail.thread] == mail.id]
        return [mail.id for mail in found]

    def where(self) -> Json:
        """A filter that a folder has a list for, or nearly."""
        given: Json = {"inMailbox": self.random.choice(self.folders)}
        if self.random.random() < 0.5:
            name = self.random.choice(["hasKeyword", "notKeyword"])
            given[name] = self.random.choice(["$seen", "$flagged", "$draft"])
        for name in ("before", "after"):
            if self.random.random() < 0.2:
                when = self.start + timedelta(milliseconds=self.random.randrange(400))
                given[name] = when.isoformat().replace("+00:00", "Z")
        return given

    def check(self) -> None:
        """One page of one list, by position or anchor."""
        where, collapse = self.where(), self.random.random() < 0.4
        ascending = self.random.random() < 0.3 and not collapse
        whole = self.listed(where, collapse)
        whole = whole[::-1] if ascending else whole
        limit, total = self.random.randint(0, 8), self.random.random() < 0.5
        args: Json = {"filter": where, "collapseThreads": collapse, "calculateTotal": total, "limit": limit}
        args["sort"] = [{"property": "receivedAt", "isAscending": ascending}]
        at = self.random.randint(-5, len(whole) + 5)
        if whole and self.random.random() < 0.4:
            anchor, offset = self.random.choice(whole), self.random.randint(-6, 6)
            args |= {"anchor": anchor, "anchorOffset": offset}
            at = max(0, whole.index(anchor) + offset)
        else:
            args["position"] = at
            at = max(0, len(whole) + at) if at < 0 else at
        answer = self.jmap.call("Email/query", **args)
        assert answer["ids"] == whole[at : at + limit], args
        assert answer["position"] == at
        assert answer.get("total") == (len(whole) if total else None)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outlines with so little in each part that a small mailbox has many."""
    monkeypatch.setattr(rules, "SPAN_MADE", 7)
    monkeypatch.setattr(rules, "SPAN_MOST", 10)
    monkeypatch.setattr(outlining, "FIRST", 10)
    monkeypatch.setattr(positions, "ROWS_READ", 3)
    monkeypatch.setattr(listing, "SKIPPED", 2)
    monkeypatch.setattr(listing, "GAP", 2)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.usefixtures("small")
def test_every_page_is_right_whatever_changed_since_the_one_before(jmap: Client, seed: int) -> None:
    model = Model(jmap, seed)
    model.deliver(40)
    for _ in range(20):
        for _ in range(model.random.randint(0, 2)):
            model.change()
        for _ in range(model.random.randint(1, 3)):
            model.check()


@pytest.mark.usefixtures("small")
def test_a_client_that_applies_changes_has_the_list_as_it_is(jmap: Client) -> None:
    model = Model(jmap, 1)
    model.deliver(20)
    where = {"inMailbox": model.folders[0]}
    first = jmap.call("Email/query", filter=where, sort=NEWEST)
    assert first["canCalculateChanges"] is True
    known = [(first["queryState"], first["ids"])]
    for _ in range(15):
        for _ in range(model.random.randint(0, 4)):
            model.change()
        state, ids = model.random.choice(known)
        answer = jmap.call(
            "Email/queryChanges", filter=where, sort=NEWEST, sinceQueryState=state, calculateTotal=True
        )
        kept = [id for id in ids if id not in answer["removed"]]
        for added in answer["added"]:
            kept.insert(added["index"], added["id"])
        assert kept == model.listed(where, collapse=False)
        assert answer["total"] == len(kept)
        known.append((answer["newQueryState"], kept))
