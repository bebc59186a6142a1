"""Folders of a mailbox: created, renamed, moved in the tree, destroyed when empty."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from chalicelib.aws import clock
from chalicelib.aws.table import ABSENT, ConditionFailed, Delete, Item, Put, Table, Update
from chalicelib.rules import folders
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.folders import Tree, Wish, plan
from chalicelib.rules.indexing import Mark
from chalicelib.rules.values import Folder
from chalicelib.store.mailbox_items import account_pk
from chalicelib.store.mailbox_log import Entry
from chalicelib.store.mailbox_state import ROLES, State, Tally, state_key
from chalicelib.store.mailbox_turn import Turn, in_turn, read_or_refuse

Result = Folder | ServiceError | None  # as it is now, why not, or that it is gone


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

    def change(self, acct: str, wishes: Iterable[Wish]) -> dict[str, Result]:
        """Fulfil what can be, one wish for a folder at most; by the wishes' ids.

        Refusals: ServiceError invalid with pointers to /name and /parentId; over_quota; not_found; forbidden
        for a role's folder; conflict, `extra["reason"]` mailboxHasEmail or mailboxHasChild (RFC 8621 §2.5).
        """
        results: dict[str, Result] = {}
        left = list(wishes)
        while left:
            results |= in_turn(partial(self._change, acct, left))
            made = {id: r.id for id, r in results.items() if isinstance(r, Folder)}
            left = [_knowing(wish, made) for wish in left if wish.id not in results]
        return results

    def _change(self, acct: str, wishes: Sequence[Wish]) -> dict[str, Result]:
        """As many as fit into one transaction, and what cannot be at all: never nothing."""
        turn = Turn(self._table, acct, self._figures)
        before = self._tree(acct, turn.state)
        planned = plan(before.values(), wishes)
        tree, chosen = Tree(before.values()), list(_that_fit(planned.groups))
        for wish in chosen:
            tree.apply(wish)
        ids = {wish.id: _new_id(turn.state) for wish in chosen if wish.new}
        results: dict[str, Result] = {**planned.refused}
        for wish in chosen:
            folder = tree.folders.get(wish.id)
            if folder is not None:
                parent = ids.get(folder.parent or "", folder.parent)
                folder = replace(folder, id=ids.get(wish.id, wish.id), parent=parent)
            results[wish.id] = _written(turn, before.get(wish.id), folder)
        turn.commit()
        return results


def _that_fit(groups: Iterable[Sequence[Wish]]) -> Iterable[Wish]:
    """The first groups, whole."""
    room = folders.AT_ONCE  # which no group is larger than
    for group in groups:
        room -= len(group)
        if room < 0:
            return
        yield from group


def _knowing(wish: Wish, made: Mapping[str, str]) -> Wish:
    """The wish, if its parent was made meanwhile with the id that it got."""
    if wish.fields is None or wish.fields.get("parent") not in made:
        return wish
    return replace(wish, fields={**wish.fields, "parent": made[wish.fields["parent"]]})


def _new_id(state: State) -> str:
    state.next_folder += 1
    return f"f{state.next_folder - 1}"


def _written(turn: Turn, old: Folder | None, new: Folder | None) -> Folder | None:
    """Put a folder into the transaction as it is to be."""
    if new is None:
        assert old is not None
        del turn.state.tallies[old.id]
        turn.log.note("Mailbox", "d", old.id)
        turn.write(Delete(folder_item_key(turn.acct, old.id)))
    elif old is None:
        turn.state.uidvalidity = max(int(clock.now().timestamp()), turn.state.uidvalidity + 1)
        new = replace(new, uidvalidity=turn.state.uidvalidity)
        turn.state.tallies[new.id] = Tally()
        turn.log.note("Mailbox", "c", new.id)
        turn.write(Put(_item(turn.acct, new), ABSENT))
    elif new != old:
        turn.log.note("Mailbox", "u", new.id)
        key = folder_item_key(turn.acct, new.id)
        kept = {name: value for name, value in _item(turn.acct, new).items() if name not in key}
        turn.write(Update(key, set=kept))
    return new
