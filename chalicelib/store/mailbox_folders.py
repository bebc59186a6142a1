"""Folders of a mailbox: created, renamed, moved in the tree, destroyed when empty."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from chalicelib.aws import clock
from chalicelib.aws.table import ABSENT, ConditionFailed, Delete, Item, Put, Table, Update
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.indexing import Mark
from chalicelib.rules.values import Folder
from chalicelib.store.mailbox_items import account_pk
from chalicelib.store.mailbox_log import Entry
from chalicelib.store.mailbox_state import ROLES, State, Tally, state_key
from chalicelib.store.mailbox_turn import Turn, in_turn, read_or_refuse

MAX_DEPTH = 10  # JMAP's maxMailboxDepth
MAX_FOLDERS = 1_000
MAX_NAME = 255  # octets (RFC 8621 §1.3.1 asks for at least 100)
KEEP = "keep"  # parent: leave it where it is (None is the top)


def folder_item_key(acct: str, folder: str) -> dict[str, str]:
    """Key of a folder's name."""
    return {"pk": account_pk(acct), "sk": f"F#{folder}"}


def _item(acct: str, folder: Folder) -> Item:
    return {
        **folder_item_key(acct, folder.id),
        "name": folder.name,
        "parent": folder.parent,
        "role": folder.role,
        "sort": folder.sort,
        "uv": folder.uidvalidity,
        "sub": folder.subscribed,
    }


def _folder(item: Item, tally: Tally) -> Folder:
    return Folder(
        id=str(item["sk"])[2:],
        name=item["name"],
        parent=item["parent"],
        role=item["role"],
        sort=item["sort"],
        total=tally.total,
        unread=tally.unread,
        threads=tally.threads,
        unread_threads=tally.unread_threads,
        uidnext=tally.uidnext,
        uidvalidity=item["uv"],
        subscribed=item.get("sub", True),
    )


def _invalid(pointer: str, detail: str) -> ServiceError:
    return ServiceError("invalid", detail, (Fault(pointer, detail),))


def _checked_name(name: str) -> str:
    """Raises ServiceError invalid for a name that no mail client could show."""
    if not name.strip() or name != name.strip() or any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise _invalid("/name", "A folder needs a name without control characters or spaces around it.")
    if len(name.encode(errors="surrogatepass")) > MAX_NAME:
        raise _invalid("/name", f"A folder's name has at most {MAX_NAME} octets.")
    return name


def _checked_place(tree: Mapping[str, Folder], folder: Folder) -> None:
    """Raises ServiceError invalid: no such parent, a loop, too deep, or a sibling of the same name."""
    depth, above = 1 + _height(tree, folder.id), folder.parent
    while above is not None:
        depth += 1
        if above not in tree or above == folder.id or depth > MAX_DEPTH:
            raise _invalid("/parentId", f"The parent must be another folder, at most {MAX_DEPTH} deep.")
        above = tree[above].parent
    for other in tree.values():
        if other.id != folder.id and (other.parent, other.name) == (folder.parent, folder.name):
            raise _invalid("/name", "There is a folder of this name already.")


def _height(tree: Mapping[str, Folder], folder: str) -> int:
    """Levels below a folder. The tree has no loops: nothing gets in that makes one."""
    return max((1 + _height(tree, f.id) for f in tree.values() if f.parent == folder), default=0)


class Folders:
    """The folders in the mail table. Every method: ServiceError not_found, unavailable."""

    def __init__(self, table: Table, figures: Figures) -> None:
        self._table, self._figures = table, figures

    def create_account(self, acct: str) -> None:
        """A mailbox with its folders; nothing happens when it is there."""
        now = clock.now()
        stamp = int(now.timestamp())
        mark = Mark(len(ROLES), now.date().toordinal())
        state = State(len(ROLES), next_folder=len(ROLES) + 1, uidvalidity=stamp, indexed=mark)
        log, writes = Entry(), []
        for sort, (role, (id_, name)) in enumerate(ROLES.items(), 1):
            state.tallies[id_] = Tally()
            log.note("Mailbox", "c", id_)
            writes.append(Put(_item(acct, Folder(id_, name, None, role, sort, 0, 0, 0, 0, 1, stamp))))
        state.types = {"Mailbox": state.modseq}
        row = log.item(acct, state.modseq, now=now, life=self._figures.change_log_life)
        with suppress(ConditionFailed):
            self._table.transact([Put(state_key(acct) | state.attributes(), ABSENT), Put(row), *writes])

    def all(self, acct: str) -> list[Folder]:
        """Every folder with its counters, in the order to show them."""
        tree = self._tree(acct, read_or_refuse(self._table, acct))
        return sorted(tree.values(), key=lambda f: (f.sort, f.name))

    def _tree(self, acct: str, state: State) -> dict[str, Folder]:
        """Folders of a state. One created since is left out; one destroyed since is too."""
        items = self._table.query_all(account_pk(acct), begins="F#", consistent=True)
        named = {str(i["sk"])[2:]: i for i in items}
        return {f: _folder(named[f], tally) for f, tally in state.tallies.items() if f in named}

    def create(
        self, acct: str, name: str, *, parent: str | None = None, sort: int = 10, subscribed: bool = True
    ) -> Folder:
        """A new folder. Raises ServiceError invalid with pointers to /name or /parentId."""

        def attempt() -> Folder:
            turn = Turn(self._table, acct, self._figures)
            tree = self._tree(acct, turn.state)
            if len(tree) >= MAX_FOLDERS:
                raise ServiceError("forbidden", f"A mailbox has at most {MAX_FOLDERS} folders.")
            id_ = f"f{turn.state.next_folder}"
            validity = max(int(clock.now().timestamp()), turn.state.uidvalidity + 1)
            folder = Folder(id_, _checked_name(name), parent, None, sort, 0, 0, 0, 0, 1, validity, subscribed)
            _checked_place(tree, folder)
            turn.state.next_folder += 1
            turn.state.uidvalidity = validity
            turn.state.tallies[id_] = Tally()
            turn.log.note("Mailbox", "c", id_)
            turn.write(Put(_item(acct, folder), ABSENT))
            turn.commit()
            return folder

        return in_turn(attempt)

    def rename(
        self,
        acct: str,
        id: str,
        *,
        name: str | None = None,
        parent: str | None = KEEP,
        sort: int | None = None,
        subscribed: bool | None = None,
    ) -> Folder:
        """Change these. Raises ServiceError invalid; forbidden for a role's folder."""

        def attempt() -> Folder:
            turn = Turn(self._table, acct, self._figures)
            tree = self._tree(acct, turn.state)
            old = _present(tree, id)
            changed = replace(
                old,
                name=old.name if name is None else _checked_name(name),
                parent=old.parent if parent == KEEP else parent,
                sort=old.sort if sort is None else sort,
                subscribed=old.subscribed if subscribed is None else subscribed,
            )
            _checked_place(tree, changed)
            if changed == old:
                return old
            if old.role and changed.parent is not None:
                raise ServiceError("forbidden", "This folder stays at the top.")
            turn.log.note("Mailbox", "u", id)
            new = _item(acct, changed)
            key = folder_item_key(acct, id)
            turn.write(Update(key, set={name: value for name, value in new.items() if name not in key}))
            turn.commit()
            return changed

        return in_turn(attempt)

    def destroy(self, acct: str, id: str) -> None:
        """Remove an empty folder. Raises ServiceError conflict, `extra["reason"]` mailboxHasEmail or
        mailboxHasChild (RFC 8621 §2.5), or forbidden for a role's folder."""

        def attempt() -> None:
            turn = Turn(self._table, acct, self._figures)
            tree = self._tree(acct, turn.state)
            folder = _present(tree, id)
            if folder.role:
                raise ServiceError("forbidden", "This folder cannot be removed.")
            if any(f.parent == id for f in tree.values()):
                raise ServiceError(
                    "conflict", "The folder has folders in it.", extra={"reason": "mailboxHasChild"}
                )
            if folder.total:
                raise ServiceError(
                    "conflict", "The folder has mail in it.", extra={"reason": "mailboxHasEmail"}
                )
            del turn.state.tallies[id]
            turn.log.note("Mailbox", "d", id)
            turn.write(Delete(folder_item_key(acct, id)))
            turn.commit()

        in_turn(attempt)


def _present(tree: Mapping[str, Folder], id: str) -> Folder:
    if id not in tree:
        raise ServiceError("not_found", "There is no such folder.")
    return tree[id]
