"""The search index of a mailbox is kept up: new messages become a part, parts of one size are merged.

Every 64 changes, or with the first message after seven days, an arriving message asks for it by the jobs
queue (rules.indexing); what comes last before a mailbox falls silent is looked for seven days after that. So
an index is at most 64 changes or eight days behind while nobody searches, and a search takes in the rest
itself. A message that is lost is made good by the next that asks, or by a search.

Parts are named by the manifest, which is written only as it was read: whoever is slower than another loses
the part it made, which the clean-up removes. So it does whatever a crash leaves.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import indexing as rules
from chalicelib.rules import words
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import MailboxState, Row
from chalicelib.services import mailbox
from chalicelib.services.platform import Platform
from chalicelib.store import segments
from chalicelib.store.searchindex import PREFIX, UNNAMED, Manifest, Part
from chalicelib.store.segments import Document

FIELDS = {"from": 1, "to": 2, "cc": 4, "bcc": 8, "subject": 16, "body": 32}
BATCH = 64  # messages of a usual new part
MOST = 128  # and of the largest
SKIP = 500  # rows of a page of which most are indexed already
AT_ONCE = 256  # messages that a search takes in before it answers
ROUNDS = 16  # batches that it looks at for that
FAN = 8  # parts of one size that are merged
LARGEST = 32_768  # messages of a part that is not merged any more
READERS = 16
TRIES = 5  # to name a part while others write the manifest
WORK_SECONDS = 50.0  # of the function's 120: a merge of the largest parts takes up to 30
LOOK_AGAIN = timedelta(days=rules.DAYS)
UNDER_WAY = timedelta(seconds=30)  # a manifest written since: somebody is at it


class Outrun(Exception):
    """Somebody else indexed the same messages meanwhile, and goes on."""


def behind(state: MailboxState, manifest: Manifest) -> bool:
    """Whether there is anything that is not indexed."""
    return bool(manifest.walk) or manifest.upto < state.types.get("Email", 0)


# ------------------------------------------------------------------------------------------- for the queue
def work(p: Platform, acct: str, seconds: float = WORK_SECONDS) -> None:
    """A message of the jobs queue: catch up for at most so long, then go on by a further message."""
    stop = time.monotonic() + seconds
    try:
        mailbox.state(p, acct)
        p.mailboxes.purges.index_later(acct, clock.now() + LOOK_AGAIN)
        while time.monotonic() < stop:
            if not _advanced(p, acct) and not merge(p, acct):
                return
    except Outrun:
        logger.info("index is written by another", extra={"account": acct})
        return
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        return  # the mailbox was deleted
    mailbox.index_soon(p, acct)


def look_again(p: Platform, acct: str) -> None:
    """Daily clean-up: catch up with a mailbox that fell silent since it was last indexed. Two read units."""
    try:
        state = mailbox.state(p, acct)
    except ServiceError:
        return  # deleted
    if behind(state, p.indexes.get(acct) or Manifest(0, state.floor)):
        mailbox.index_soon(p, acct)


def _advanced(p: Platform, acct: str) -> bool:
    """One part more, if anything is left. Raises Outrun."""
    state = mailbox.state(p, acct)
    manifest = p.indexes.get(acct) or Manifest(0, state.floor)
    if not behind(state, manifest):
        return False
    if _step(p, acct, manifest) is None:
        raise Outrun
    return True


# -------------------------------------------------------------------------------------------- for a search
def caught_up(p: Platform, acct: str) -> Manifest:
    """The index with all that had come when this was called. Raises ServiceError unavailable."""
    state = mailbox.state(p, acct)
    manifest = p.indexes.get(acct) or Manifest(0, state.floor)
    for _ in range(ROUNDS):
        if not behind(state, manifest):
            return manifest
        if _total(state) - manifest.count > AT_ONCE:
            break
        manifest = _step(p, acct, manifest) or p.indexes.get(acct) or manifest
    raise _unprepared(p, acct, state, manifest)


def _total(state: MailboxState) -> int:
    return sum(total for total, *_ in state.counters.values())


def _unprepared(p: Platform, acct: str, state: MailboxState, manifest: Manifest) -> ServiceError:
    """Why there is no answer yet; and have it prepared, unless somebody is just doing that."""
    if manifest.at < (clock.now() - UNDER_WAY).timestamp():
        mailbox.index_soon(p, acct)
    total = _total(state)
    done = min(manifest.count, total)
    detail = f"Search is being prepared: {done:,} of {total:,} messages are ready. Please try again shortly."
    return ServiceError("unavailable", detail)


# ------------------------------------------------------------------------------------------------ new parts
def _step(p: Platform, acct: str, was: Manifest) -> Manifest | None:
    """The manifest with one batch more; None: another took it in meanwhile."""
    rows, following = _waiting(p, acct, was)
    made = (_written(p, acct, rows),) if rows else ()
    place = (was.upto, was.walk, was.walk_from)

    def change(now: Manifest) -> Manifest | None:
        if (now.upto, now.walk, now.walk_from) != place:
            return None
        return replace(following, version=now.version, parts=(*now.parts, *made))

    return _changed(p, acct, was, change)


def _changed(
    p: Platform, acct: str, was: Manifest, change: Callable[[Manifest], Manifest | None]
) -> Manifest | None:
    """The manifest after a change, made to what others wrote meanwhile; None: there it makes no sense."""
    manifest: Manifest | None = was
    for _ in range(TRIES):
        after = change(manifest) if manifest else None
        if after is None:
            return None
        after = replace(after, version=after.version + 1, at=int(clock.now().timestamp()))
        if p.indexes.save(acct, after):
            return after
        manifest = p.indexes.get(acct)
    return None


def _waiting(p: Platform, acct: str, m: Manifest) -> tuple[list[Row], Manifest]:
    """Messages to be indexed next, and the manifest once they are."""
    if m.walk:
        return _walked(p, acct, m)
    try:
        found = mailbox.changes(p, acct, m.upto, MOST)
    except ServiceError as error:
        if error.kind != "cannot_calculate_changes":
            raise
        logger.warning("index reads the whole mailbox", extra={"account": acct})
        state = mailbox.state(p, acct)
        first = min(state.counters, key=lambda f: int(f[1:]))
        return [], replace(m, walk=f"{first} ", walk_from=state.modseq)
    rows = mailbox.get(p, acct, found.created)
    return list(rows.values()), replace(m, upto=found.new_state)


def _walked(p: Platform, acct: str, m: Manifest) -> tuple[list[Row], Manifest]:
    """One page more of a reading of everything, folder by folder; what did not change since is indexed."""
    folder, _, cursor = m.walk.partition(" ")
    page = mailbox.page(p, acct, folder, SKIP if m.upto else MOST, cursor or None)
    rows = [row for row in page.rows if row.modseq > m.upto]
    if page.cursor:
        return rows, replace(m, walk=f"{folder} {page.cursor}")
    later = [f for f in mailbox.state(p, acct).counters if int(f[1:]) > int(folder[1:])]
    if later:
        return rows, replace(m, walk=f"{min(later, key=lambda f: int(f[1:]))} ")
    return rows, replace(m, walk="", upto=m.walk_from)


def _written(p: Platform, acct: str, rows: Sequence[Row]) -> Part:
    """A new part of some messages."""
    ordered = sorted(rows, key=lambda row: (row.received_at, row.id))
    documents = [Document(row.id, int(row.received_at.timestamp() * 1000)) for row in ordered]
    found: dict[str, list[tuple[int, int]]] = {}
    with ThreadPoolExecutor(READERS) as pool:
        for number, known in enumerate(pool.map(partial(_words, p), ordered)):
            for word, fields in known.items():
                found.setdefault(word, []).append((number, fields))
    content = segments.build(documents, ((word, found[word]) for word in sorted(found)))
    return _stored(p, acct, content, documents)


def _words(p: Platform, row: Row) -> Mapping[str, int]:
    """A message's words with their fields. One that cannot be read is found by nothing, and stops nothing."""
    try:
        texts = mime.searchable(p.blobs.get(row.blob))
    except ServiceError:
        logger.warning("message not indexed", extra={"email": row.id})
        return {}
    known: dict[str, int] = {}
    for name, text in texts.items():
        for word in words.kept(text):
            known[word] = known.get(word, 0) | FIELDS[name]
    return known


def _stored(p: Platform, acct: str, content: bytes, documents: Sequence[Document]) -> Part:
    key = f"{PREFIX}{acct}/{secrets.token_hex(12)}"
    p.mailboxes.purges.later(key, clock.now() + p.figures.tombstone_life)  # unless a manifest names it then
    p.blobs.put(key, content)
    times = [d.at for d in documents] or [0]
    head = segments.directory_size(content)
    return Part(key, len(documents), len(content), head, min(times), max(times))


# ------------------------------------------------------------------------------------------------- merging
def merge(p: Platform, acct: str) -> bool:
    """Merge the parts of one size where there are enough, without destroyed emails. Whether there were."""
    manifest = p.indexes.get(acct)
    if manifest is None:
        return False
    total = _total(mailbox.state(p, acct))
    group = _group(manifest.parts) or _bloated(p, acct, manifest, total)
    if not group:
        return False
    contents = [p.blobs.get(part.key) for part in group]
    keep = _live(p, acct, contents).__contains__ if manifest.count > total else _any
    content = segments.merged(contents, keep)
    documents = segments.whole(content)[0]
    made = (_stored(p, acct, content, documents),) if documents else ()
    for part in group:  # before they are named no more: a crash in between would leave them for ever
        p.mailboxes.purges.later(part.key, clock.now() + UNNAMED)

    def change(now: Manifest) -> Manifest | None:
        if not set(group) <= set(now.parts):
            return None
        return replace(now, parts=(*(part for part in now.parts if part not in group), *made))

    return _changed(p, acct, manifest, change) is not None


def _any(_id: str) -> bool:
    """No more is indexed than there are emails: none was destroyed since, or few."""
    return True


def _live(p: Platform, acct: str, contents: Sequence[bytes]) -> set[str]:
    """Those documents of segments that are emails yet: a read unit each."""
    return p.mailboxes.live(acct, {d.id for content in contents for d in segments.whole(content)[0]})


def _bloated(p: Platform, acct: str, m: Manifest, total: int) -> list[Part]:
    """A part most of whose emails were destroyed, where that is so of the whole index."""
    if m.count <= 2 * total + FAN * BATCH:
        return []
    for part in sorted(m.parts, key=lambda part: -part.count):
        if 2 * len(_live(p, acct, [p.blobs.get(part.key)])) <= part.count:
            return [part]
    return []


def _group(parts: Sequence[Part]) -> list[Part]:
    """Eight parts of about one size; small ones first."""
    sizes: dict[int, list[Part]] = {}
    for part in parts:
        if part.count < LARGEST:
            sizes.setdefault(_tier(part.count), []).append(part)
    full = [tier for tier, found in sizes.items() if len(found) >= FAN]
    return sizes[min(full)][:FAN] if full else []


def _tier(count: int) -> int:
    tier = 0
    while count > BATCH:
        count, tier = -(-count // FAN), tier + 1
    return tier
