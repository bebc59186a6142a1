"""A client that reads a mailbox once and then asks for changes alone."""

from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]

KINDS = ("Email", "Mailbox", "Thread")
READ = {
    "Email": ["id", "mailboxIds", "keywords", "threadId", "subject"],
    "Mailbox": [
        *("id", "name", "parentId", "sortOrder", "totalEmails", "unreadEmails", "totalThreads"),
        *("unreadThreads", "isSubscribed"),
    ],
    "Thread": ["id", "emailIds"],
}


class Caller(Protocol):
    """Who asks the API for an account."""

    def call(self, name: str, **args: Any) -> Json:
        """The answer to one call, which must not be an error."""

    def state(self, kind: str = "Email") -> str:
        """The state of a type."""


def anew(jmap: Caller, kind: str) -> dict[str, Json]:
    """All objects of a type, read at once."""
    if kind == "Mailbox":
        ids = None
    else:
        ids = jmap.call("Email/query")["ids"]
        if kind == "Thread":
            emails = jmap.call("Email/get", ids=ids, properties=["threadId"])["list"]
            ids = [email["threadId"] for email in emails]
    found = jmap.call(f"{kind}/get", ids=ids, properties=READ[kind])["list"]
    return {one["id"]: one for one in found}


@dataclass
class Follower:
    """A client that reads once, and follows from there."""

    jmap: Caller
    states: dict[str, str] = field(default_factory=dict)
    known: dict[str, dict[str, Json]] = field(default_factory=dict)

    def begin(self) -> None:
        for kind in KINDS:
            self.states[kind] = self.jmap.state(kind)
            self.known[kind] = anew(self.jmap, kind)

    def step(self, kind: str, most: int | None) -> bool:
        """Ask once, at most so many changes; whether there are more."""
        found = self.jmap.call(f"{kind}/changes", sinceState=self.states[kind], maxChanges=most)
        known = self.known[kind]
        assert most is None or sum(len(found[n]) for n in ("created", "updated", "destroyed")) <= most
        assert not set(found["created"]) & set(found["destroyed"])
        self._fetch(kind, found["created"], READ[kind])
        only = found.get("updatedProperties")
        self._fetch(kind, found["updated"], READ[kind] if only is None else ["id", *only])
        for id in found["destroyed"]:
            known.pop(id, None)
        self.states[kind] = found["newState"]
        return bool(found["hasMoreChanges"])

    def _fetch(self, kind: str, ids: list[str], properties: list[str]) -> None:
        if not ids:
            return
        answer = self.jmap.call(f"{kind}/get", ids=ids, properties=properties)
        for one in answer["list"]:
            self.known[kind][one["id"]] = self.known[kind].get(one["id"], {}) | one
        for id in answer["notFound"]:
            self.known[kind].pop(id, None)

    def catch_up(self, most: int | None = None) -> None:
        for kind in KINDS:
            while self.step(kind, most):
                pass
