"""What can be done with a mailbox. The one way in for the mailbox API, mail clients and delivery.

Every function: ServiceError not_found for an account without a mailbox, unavailable when it stays too busy.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.folders import Wish
from chalicelib.rules.values import (
    Account,
    Added,
    Change,
    Changes,
    Digest,
    Email,
    Folder,
    MailboxState,
    NewEmail,
    Page,
    Row,
    Updated,
)
from chalicelib.services.platform import Platform

_DIGESTED = {f.name for f in fields(Digest)} & {f.name for f in fields(Email)}


def create(p: Platform, account: Account) -> None:
    """A mailbox with its folders; nothing happens when it is there."""
    p.mailboxes.folders.create_account(account.id)


def state(p: Platform, acct: str) -> MailboxState:
    """States, used bytes and counters: one read unit."""
    return p.mailboxes.state(acct)


def folders(p: Platform, acct: str) -> list[Folder]:
    """Every folder with its counters, in the order to show them."""
    return p.mailboxes.folders.all(acct)


def page(p: Platform, acct: str, folder_id: str, limit: int, after: str | None = None) -> Page:
    """Rows of a folder, newest first; `after` is the cursor of the page before."""
    return p.mailboxes.page(acct, folder_id, limit, after)


def get(p: Platform, acct: str, ids: Iterable[str]) -> dict[str, Email]:
    """Whole records; those that are not there are left out."""
    found = p.mailboxes.get(acct, ids)
    return {i: email if email.whole else _completed(p, email) for i, email in found.items()}


def _completed(p: Platform, email: Email) -> Email:
    """A record that was too large to keep, filled in from the raw message."""
    digest = mime.digest(p.blobs.get(email.blob))
    parsed: dict[str, Any] = {name: getattr(digest, name) for name in _DIGESTED}
    return replace(email, **parsed, whole=True)


def thread(p: Platform, acct: str, thread_ids: Iterable[str]) -> dict[str, list[str]]:
    """Email ids of threads, oldest first; threads that are not there are left out."""
    return p.mailboxes.thread(acct, thread_ids)


def changes(p: Platform, acct: str, since: int, limit: int | None = None, kind: str = "Email") -> Changes:
    """What happened to Email, Mailbox or Thread after a state. ServiceError cannot_calculate_changes."""
    return p.mailboxes.changes(acct, since, limit, kind)


def add(
    p: Platform, acct: str, items: Sequence[NewEmail], *, quota_bytes: int | None, spare: int = 0
) -> list[Added]:
    """Add emails; an outcome for each, in order. quota_bytes None: S16, kept whatever is used.

    `spare`: bytes beyond the quota that these may take.
    """
    added = p.mailboxes.add(acct, items, quota_bytes=quota_bytes, spare=spare)
    if any(one.index for one in added):
        index_soon(p, acct)
    return added


def index_soon(p: Platform, acct: str) -> None:
    """Have the search index catch up. No harm where that fails: the next to ask, or to search, does it."""
    try:
        p.queues.send(p.settings.jobs_queue, {"kind": "index", "account": acct})
    except Exception:  # what was delivered is delivered
        logger.exception("index not asked to catch up", extra={"account": acct})


def update(p: Platform, acct: str, changes: Mapping[str, Change]) -> Updated:
    """Change keywords and folders. A move keeps the email's id and gives it a new uid."""
    return p.mailboxes.update(acct, changes)


def destroy(p: Platform, acct: str, ids: Sequence[str]) -> Updated:
    """Destroy emails for good."""
    return p.mailboxes.destroy(acct, ids)


def change_folders(p: Platform, acct: str, wishes: Iterable[Wish]) -> dict[str, Folder | ServiceError | None]:
    """Create, change and destroy folders, those together that can only be so; what became of each wish: the
    folder, None where it is gone, or why not: ServiceError invalid (pointers /name, /parentId), over_quota,
    not_found, forbidden, conflict (`extra["reason"]` as RFC 8621 §2.5).
    """
    return p.mailboxes.folders.change(acct, wishes)


# ------------------------------------------------------------------- blobs
def open_raw(p: Platform, acct: str, email: Row | str) -> bytes:
    """The raw message of an email: one GET. Raises ServiceError not_found."""
    if isinstance(email, str):
        return p.blobs.get(p.mailboxes.need(acct, email).blob)
    return p.blobs.get(email.blob)


def keep_raw(p: Platform, raw: bytes) -> str:
    """Keep a message composed here; its key. The clean-up removes it should no email come to use it."""
    key = f"own/{secrets.token_hex(16)}"
    p.mailboxes.purge_blob(key, clock.now())
    p.blobs.put(key, raw, type="message/rfc822")
    return key


def owns_blob(p: Platform, acct: str, blob: str) -> bool:
    """Whether an email of the account has this raw message."""
    return p.mailboxes.owned(acct, blob) is not None


# ----------------------------------------------------------------- removal
def delete(p: Platform, acct: str) -> None:
    """Remove a mailbox with all that is in it; blobs go with the clean-up. Can be repeated after a crash."""
    p.mailboxes.delete_account(acct, clock.now())
