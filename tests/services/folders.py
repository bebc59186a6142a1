"""One folder at a time, as tests of other things want it."""

from typing import Any

from chalicelib.rules.errors import ServiceError
from chalicelib.rules.folders import Wish
from chalicelib.rules.values import Folder
from chalicelib.services import mailbox
from chalicelib.services.platform import Platform


def _one(p: Platform, acct: str, wish: Wish) -> Folder | None:
    [result] = mailbox.change_folders(p, acct, [wish]).values()
    if isinstance(result, ServiceError):
        raise result
    return result


def create(p: Platform, acct: str, name: str, **more: Any) -> Folder:
    """A new folder. Raises ServiceError."""
    made = _one(p, acct, Wish("#new", {"name": name, **more}, new=True))
    assert made
    return made


def change(p: Platform, acct: str, id: str, **fields: Any) -> Folder:
    """The folder with other fields. Raises ServiceError."""
    changed = _one(p, acct, Wish(id, fields))
    assert changed
    return changed


def destroy(p: Platform, acct: str, id: str) -> None:
    """Raises ServiceError."""
    assert _one(p, acct, Wish(id)) is None
