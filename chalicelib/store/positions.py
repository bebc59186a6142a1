"""Outlines of folders (rules.positions), kept so that a deep page costs what a first one does.

`A#acct / POS#folder` is the outline of a folder as of a modseq, `POS#folder#id` one span of it: moments and
counts, below 4 KB, never changed once written. Made when first asked for, as deep as was asked for and then
twice as deep each time; brought up to date from the change log, and written again when that takes long. It is
a cache: what is missing or too old is made anew, and the table's TTL removes what nobody writes any more.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from chalicelib.aws import clock
from chalicelib.aws.table import ABSENT, Check, ConditionFailed, Item, Table, equals
from chalicelib.rules import positions as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.positions import Counts, Entries, Outline, Span
from chalicelib.store import mailbox_log
from chalicelib.store.mailbox_items import account_pk
from chalicelib.store.mailbox_places import summed
from chalicelib.store.packing import pack_numbers, unpack_numbers

LIFE = timedelta(days=60)
ROWS_READ = 32  # rows of the change log that a page reads at most; more of them are worked in and written
PLAIN = 8  # codes below it: one email, and which counts it is in

Rows = Mapping[str, Item]


class Gone(Exception):
    """A span was replaced since the outline was read."""


@dataclass
class Folder:
    """A folder's outline, up to date, with the spans that were asked for."""

    outline: Outline
    read: Callable[[Iterable[int]], dict[int, Entries]]
    fresh: dict[int, dict[int, Counts]] = field(default_factory=dict)  # by span: not yet in what is stored
    held: dict[int, Entries] = field(default_factory=dict)

    def entries(self, number: int) -> Entries:
        """Moments of a span, by its number. Raises Gone."""
        return self.some([number])[0]

    def some(self, numbers: Iterable[int]) -> list[Entries]:
        """Moments of some spans, read together. Raises Gone."""
        wanted = list(numbers)
        missing = {self.outline.spans[n].id: n for n in wanted if n not in self.held}
        if missing:
            for id, entries in self.read(missing).items():
                number = missing[id]
                self.held[number] = rules.changed(entries, self.fresh.get(number, {}))
        return [self.held[n] for n in wanted]


def pack_entries(entries: Entries) -> bytes:
    """Newest first: the time to the one before and what is counted, as one number where it is one email."""
    numbers: list[int] = []
    before = 0
    for moment in sorted(entries, reverse=True):
        emails, newest, unseen, flagged = counts = entries[moment]
        plain = emails == 1 and max(newest, unseen, flagged) <= 1
        code = newest + 2 * unseen + 4 * flagged if plain else PLAIN
        numbers.append((before - moment if before else moment) * (PLAIN + 1) + code)
        numbers += [] if plain else counts
        before = moment
    return pack_numbers(numbers)


def unpack_entries(packed: bytes) -> Entries:
    """The entries that `pack_entries` was given."""
    numbers, entries, moment = iter(unpack_numbers(packed)), {}, 0
    for number in numbers:
        step, code = divmod(number, PLAIN + 1)
        moment = moment - step if moment else step
        if code < PLAIN:
            entries[moment] = (1, code & 1, code >> 1 & 1, code >> 2)
        else:
            entries[moment] = (next(numbers), next(numbers), next(numbers), next(numbers))
    return entries


def pack_spans(spans: Iterable[Span]) -> bytes:
    """Ids, floors and counts."""
    return pack_numbers([n for span in spans for n in (span.id, span.floor + 1, *span.counts)])


def unpack_spans(packed: bytes) -> tuple[Span, ...]:
    """The spans that `pack_spans` was given."""
    n = unpack_numbers(packed)
    return tuple(
        Span(n[at], n[at + 1] - 1, (n[at + 2], n[at + 3], n[at + 4], n[at + 5])) for at in range(0, len(n), 6)
    )


class Positions:
    """The items in the mail table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # ---------------------------------------------------------------- reading
    def open(self, acct: str, folder: str, until: int) -> Folder | None:
        """The outline as of a modseq, or of a later one where it is kept so; None where none can be had.

        A read unit, one for some sixteen transactions since, and one for each span.
        """
        item = self._table.get(_outline_key(acct, folder))
        if item is None:
            return None
        outline = Outline(item["m"], unpack_spans(item["spans"]), item["v"])
        if until - outline.modseq > 2 * outline.counts()[0] + ROWS_READ:
            return None  # to read the folder again costs less
        try:
            rows = list(mailbox_log.since_then(self._table, acct, outline.modseq, until))
        except ServiceError as error:
            if error.kind != "cannot_calculate_changes":
                raise
            return None
        fresh = rules.shared_out(outline, summed(c for row in rows for c in mailbox_log.placed(row, folder)))
        opened = self._folder(acct, folder, outline, fresh, max(until, outline.modseq))
        return self._worked_in(acct, folder, outline, opened) if len(rows) > ROWS_READ else opened

    def _folder(
        self, acct: str, folder: str, outline: Outline, fresh: dict[int, dict[int, Counts]], modseq: int
    ) -> Folder:
        changes = {moment: counts for share in fresh.values() for moment, counts in share.items()}
        now = Outline(modseq, outline.changed(changes).spans, outline.version)
        return Folder(now, lambda ids: self._spans(acct, folder, ids), fresh)

    def _spans(self, acct: str, folder: str, ids: Iterable[int]) -> dict[int, Entries]:
        """Entries of spans by id, a read unit each. Raises Gone."""
        wanted = {_span_key(acct, folder, id)["sk"]: id for id in ids}
        keys = [{"pk": account_pk(acct), "sk": sk} for sk in wanted]
        found = {
            wanted[i["sk"]]: unpack_entries(i["e"]) for i in self._table.batch_get(keys, consistent=True)
        }
        if len(found) < len(wanted):
            raise Gone
        return found

    # ---------------------------------------------------------------- writing
    def keep(self, acct: str, folder: str, entries: Entries, floor: int, modseq: int, version: int) -> Folder:
        """Keep what was read of a folder: every email younger than `floor`, as of a modseq."""
        pieces = list(rules.cut(entries)) or [{}]
        floors = [min(piece) - 1 for piece in pieces[:-1]] + [floor]
        spans = tuple(
            Span(secrets.randbits(40), low, rules.total(piece.values()))
            for piece, low in zip(pieces, floors, strict=True)
        )
        outline = Outline(modseq, spans, version + 1)
        self._write(acct, folder, outline, dict(enumerate(pieces)), version, drop=())
        return Folder(outline, lambda ids: self._spans(acct, folder, ids), held=dict(enumerate(pieces)))

    def _worked_in(self, acct: str, folder: str, old: Outline, opened: Folder) -> Folder:
        """The outline with what is fresh written into its spans. Raises Gone."""
        opened.some(opened.fresh)
        spans: list[Span] = []
        held: dict[int, Entries] = {}
        for number, span in enumerate(opened.outline.spans):
            if number not in opened.fresh:
                spans.append(span)
                continue
            for made, entries in _renewed(span, opened.held[number]):
                held[len(spans)] = entries
                spans.append(made)
        floor = old.floor
        if not spans or spans[-1].floor != floor:
            held[len(spans)] = {}
            spans.append(Span(secrets.randbits(40), floor, rules.NONE))
        outline = Outline(opened.outline.modseq, tuple(spans), old.version + 1)
        drop = [old.spans[number].id for number in opened.fresh]
        self._write(acct, folder, outline, held, old.version, drop)
        return Folder(outline, opened.read, held=held)

    def _write(
        self,
        acct: str,
        folder: str,
        outline: Outline,
        held: Mapping[int, Entries],
        version: int,
        drop: Iterable[int],
    ) -> None:
        """New spans, then the outline that names them if it is as it was read, then old spans away."""
        ttl = int((clock.now() + LIFE).timestamp())
        made = {outline.spans[number].id: entries for number, entries in held.items()}
        rows = (
            {**_span_key(acct, folder, id), "e": pack_entries(entries), "ttl": ttl}
            for id, entries in made.items()
        )
        self._table.batch_write(put=rows)
        item = {"m": outline.modseq, "v": outline.version, "spans": pack_spans(outline.spans), "ttl": ttl}
        check: Check = equals(v=version) if version else ABSENT
        try:
            self._table.put({**_outline_key(acct, folder), **item}, check=check)
        except ConditionFailed:  # somebody was quicker; what was read is right all the same
            drop = made
        self._table.batch_write(delete=(_span_key(acct, folder, id) for id in drop))

    def version(self, acct: str, folder: str) -> int:
        """Of the outline that is kept; 0 where none is."""
        item = self._table.get(_outline_key(acct, folder))
        return int(item["v"]) if item else 0


def _renewed(span: Span, entries: Entries) -> Iterator[tuple[Span, Entries]]:
    """A span after changes: cut where it grew too long, nothing where it is empty."""
    most = rules.SPAN_MADE if len(entries) > rules.SPAN_MOST else rules.SPAN_MOST
    pieces = list(rules.cut(entries, most))
    for number, piece in enumerate(pieces, 1):
        floor = span.floor if number == len(pieces) else min(piece) - 1
        yield Span(secrets.randbits(40), floor, rules.total(piece.values())), piece


def _outline_key(acct: str, folder: str) -> dict[str, str]:
    return {"pk": account_pk(acct), "sk": f"POS#{folder}"}


def _span_key(acct: str, folder: str, id: int) -> dict[str, str]:
    return {"pk": account_pk(acct), "sk": f"POS#{folder}#{id:x}"}
