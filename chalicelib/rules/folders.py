"""The tree of a mailbox's folders, and which of several changes can be made (RFC 8621 §2.5).

Changes that stand in each other's way alone, as two folders that swap their names, are made together
(RFC 8620 §5.3): what blocks one is looked for among the others.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.values import Folder

MAX_DEPTH = 10  # JMAP's maxMailboxDepth
MAX_FOLDERS = 500  # all that one Mailbox/get may answer
AT_ONCE = 90  # folders that one transaction can change: with STATE and log below DynamoDB's 100 items
MAX_NAME = 255  # octets (RFC 8621 §1.3.1 asks for at least 100)
_CONTROL = ("Cc", "Zl", "Zp")  # line ends of all kinds are among them
_NEW = Folder("", "", None, None, 10, 0, 0, 0, 0, 1, 0)  # after those with roles

Blocked = tuple[ServiceError, Collection[str]]  # why, and the folders that it is because of


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to become of a folder: these of name, parent, sort and subscribed; or, without any, its end.

    `new`: it is to be made; until then its id is what other wishes of the call know it by.
    """

    id: str
    fields: Mapping[str, Any] | None = None
    new: bool = False


@dataclass
class Plan:
    """What can be done: groups, each possible when those before it are done; and why not what cannot."""

    groups: list[list[Wish]] = field(default_factory=list)
    refused: dict[str, ServiceError] = field(default_factory=dict)


def normal(name: str) -> str:
    """Net-Unicode (RFC 5198 §3): one way to write each character."""
    return unicodedata.normalize("NFC", name)


def name_fault(name: str) -> str | None:
    """What is wrong with a name; None: nothing."""
    if not name.strip() or name != name.strip() or any(unicodedata.category(c) in _CONTROL for c in name):
        return "A folder needs a name without control characters or spaces around it."
    if len(normal(name).encode(errors="surrogatepass")) > MAX_NAME:
        return f"A folder's name has at most {MAX_NAME} octets."
    return None


def plan(folders: Iterable[Folder], wishes: Iterable[Wish]) -> Plan:
    """Which wishes, one for a folder at most, can be fulfilled."""
    tree, made = Tree(folders), Plan()
    pending: dict[str, Wish] = {}
    for wish in wishes:
        refusal = _never(tree.folders.get(wish.id), wish)
        if refusal is None:
            pending[wish.id] = wish
        else:
            made.refused[wish.id] = refusal
    count = -1
    while count != len(made.groups):
        count = len(made.groups)
        for wish in list(pending.values()):
            group = tree.fulfil(wish, pending) if wish.id in pending else []
            for done in group:
                del pending[done.id]
            made.groups += [group] if group else []
    made.refused |= {wish.id: tree.refusal(wish) for wish in pending.values()}
    return made


def _never(folder: Folder | None, wish: Wish) -> ServiceError | None:
    """Why a wish can be fulfilled beside no others."""
    if folder is None and not wish.new:
        return ServiceError("not_found", "There is no such folder.")
    role = folder is not None and folder.role is not None
    if wish.fields is None:
        return ServiceError("forbidden", "This folder cannot be removed.") if role else None
    if role and wish.fields.get("parent") is not None:
        return ServiceError("forbidden", "This folder stays at the top.")
    detail = name_fault(wish.fields["name"]) if "name" in wish.fields else None
    return _invalid("/name", detail) if detail else None


def _invalid(pointer: str, detail: str) -> ServiceError:
    return ServiceError("invalid", detail, (Fault(pointer, detail),))


class Tree:
    """Folders, to be changed. Between two changes of a group it may be none: with loops, or names twice."""

    def __init__(self, folders: Iterable[Folder]) -> None:
        self.folders: dict[str, Folder] = {}
        self._at: defaultdict[tuple[str | None, str], set[str]] = defaultdict(set)
        self._below: defaultdict[str | None, set[str]] = defaultdict(set)
        for folder in folders:
            self._put(folder.id, folder)

    def _put(self, id: str, folder: Folder | None) -> Folder | None:
        """Set or remove; what was there."""
        old = self.folders.pop(id, None)
        if old is not None:
            self._at[old.parent, normal(old.name)].discard(id)
            self._below[old.parent].discard(id)
        if folder is not None:
            self.folders[id] = folder
            self._at[folder.parent, normal(folder.name)].add(id)
            self._below[folder.parent].add(id)
        return old

    def apply(self, wish: Wish) -> Folder | None:
        """Fulfil it, whatever comes of it; what was there."""
        if wish.fields is None:
            return self._put(wish.id, None)
        fields = dict(wish.fields)
        if "name" in fields:
            fields["name"] = normal(fields["name"])
        return self._put(wish.id, replace(self.folders.get(wish.id, _NEW), id=wish.id, **fields))

    def fulfil(self, wish: Wish, others: Mapping[str, Wish]) -> list[Wish]:
        """Fulfil a wish, and with it those others that it takes; nothing where that cannot be."""
        group, was = {wish.id: wish}, {wish.id: self.apply(wish)}
        unchecked = [wish]
        while unchecked:
            blocked = self._blocked(unchecked[-1], was[unchecked[-1].id])
            if blocked is None:
                unchecked.pop()
                continue
            more = [others[id] for id in blocked[1] if id in others and id not in group]
            if not more or len(group) + len(more) > AT_ONCE:
                for id, folder in was.items():
                    self._put(id, folder)
                return []
            group |= {one.id: one for one in more}
            was |= {one.id: self.apply(one) for one in more}
            unchecked += more
        return list(group.values())

    def refusal(self, wish: Wish) -> ServiceError:
        """Why a wish cannot be fulfilled as things are."""
        was = self.apply(wish)
        blocked = self._blocked(wish, was)
        self._put(wish.id, was)
        return (
            blocked[0]
            if blocked
            else ServiceError("unavailable", "Too much depends on it: please try again.")
        )

    def _blocked(self, wish: Wish, was: Folder | None) -> Blocked | None:
        """What a wish that was applied is in conflict with; each of two that are in conflict is blocked."""
        folder = self.folders.get(wish.id)
        if folder is None:
            return self._blocked_end(was) if was else None
        if wish.new and len(self.folders) > MAX_FOLDERS:
            return ServiceError("over_quota", f"A mailbox has at most {MAX_FOLDERS} folders."), ()
        misplaced = self._misplaced(folder)
        if misplaced is not None:
            return _invalid(
                "/parentId", f"The parent must be another folder, at most {MAX_DEPTH} deep."
            ), misplaced
        same = self._at[folder.parent, normal(folder.name)] - {folder.id}
        return (_invalid("/name", "There is a folder of this name already."), same) if same else None

    def _blocked_end(self, was: Folder) -> Blocked | None:
        if below := self._below[was.id]:
            return _kept("The folder has folders in it.", "mailboxHasChild"), set(below)
        return (_kept("The folder has mail in it.", "mailboxHasEmail"), ()) if was.total else None

    def _misplaced(self, folder: Folder) -> Collection[str] | None:
        """None, or what may be to blame for a parent that is none, a loop, or being too deep."""
        if folder.parent is not None and folder.parent not in self.folders:
            return [folder.parent]
        above: dict[str, None] = {}
        up = folder.parent
        while up is not None and up in self.folders and up not in above:
            above[up] = None
            up = self.folders[up].parent
        if folder.id in above:
            return above
        levels = self._levels(folder.id)
        if len(above) + len(levels) <= MAX_DEPTH:
            return None
        return [*above, *(id for level in levels for id in level)]

    def _levels(self, id: str) -> Sequence[Collection[str]]:
        """A folder in no loop, what is in it, what is in that, and so on."""
        levels: list[Collection[str]] = [{id}]
        while below := {inner for outer in levels[-1] for inner in self._below[outer]}:
            levels.append(below)
        return levels


def _kept(detail: str, reason: str) -> ServiceError:
    return ServiceError("conflict", detail, extra={"reason": reason})
