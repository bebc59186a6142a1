"""Reports of abuse, strikes of domains, and what is still to be told of them: the directory table.

REPORT#id      META     a report; index gsi1: REPORTS by time
REPORTED#sub   META     the first report of a message that counted: all later ones are repeats
DOMAIN#name    STRIKES  the domain's strikes, under a version and the order they belong to
LETTERS        key      a suspension that is not told yet
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.table import (
    ABSENT,
    ConditionFailed,
    Index,
    Item,
    Put,
    Table,
    Write,
    equals,
)
from chalicelib.rules.abuse import Letter, Report, Strike
from chalicelib.rules.hosted import HostedDomain
from chalicelib.store.records import meta_key

GSI = Index("gsi1", "gpk", "gsk")
KEPT = timedelta(days=400)  # as long as the send log
MOST = 200  # strikes kept of a domain
TRIES = 8


class Known(Exception):
    """The report is filed already."""


class Repeat(Exception):
    """Another report of the message counted before."""


class Stale(Exception):
    """Strikes or holds changed meanwhile: read again, decide again."""


class Abuse:
    """Reports, strikes and letters."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # ----------------------------------------------------------------- reports
    def report(self, id: str) -> Report | None:
        """A report."""
        item = self._table.get(meta_key("REPORT", id))
        return _report(item) if item else None

    def reports(self, limit: int, after: str) -> tuple[list[Report], str]:
        """A page of reports, newest first, and the place to go on after (empty: no more)."""
        id = after.rpartition("#")[2]
        start = {**meta_key("REPORT", id), "gpk": "REPORTS", "gsk": after} if after else None
        rows = self._table.query("REPORTS", index=GSI, descending=True, limit=limit, start=start)
        return [_report(item) for item in rows.items], str(rows.next["gsk"]) if rows.next else ""

    def first(self, submission: str) -> str | None:
        """The report of this message that counted."""
        item = self._table.get(meta_key("REPORTED", submission))
        return str(item["report"]) if item else None

    def file(self, report: Report) -> None:
        """Keep a report that changes nothing. Raises Known."""
        try:
            self._table.put(_report_item(report), check=ABSENT)
        except ConditionFailed as error:
            raise Known from error

    def count(
        self,
        report: Report,
        hosted: HostedDomain | None,
        strikes: tuple[Sequence[Strike], int],
        also: Sequence[Write],
    ) -> None:
        """Keep a report that counts, with the domain's strikes as they are now (and the version they were
        read at) and all that follows, in one transaction. Raises Known, Repeat, Stale.
        """
        claim = {**meta_key("REPORTED", report.submission), "report": report.id, "ttl": _expiry(report.at)}
        writes: list[Write] = [Put(_report_item(report), ABSENT), Put(claim, ABSENT)]
        writes.append(_strikes_write(report.domain, hosted, *strikes))
        try:
            self._table.transact([*writes, *also])
        except ConditionFailed as error:
            if 0 in error.indexes:
                raise Known from error
            raise (Repeat if 1 in error.indexes else Stale) from error

    # ----------------------------------------------------------------- strikes
    def strikes(self, domain: str, hosted: HostedDomain | None) -> tuple[list[Strike], int]:
        """A domain's strikes, oldest first, and their version. Another order's are somebody else's."""
        item = self._table.get(_strikes_key(domain))
        if item is None:
            return [], 0
        mine = hosted is None or item["order"] == hosted.order
        return [_strike(row) for row in item["strikes"]] if mine else [], int(item["v"])

    def clear(self, hosted: HostedDomain, account: str | None, also: Sequence[Write] = ()) -> None:
        """Strikes that were wrong no longer count: those of an account, or all of the domain. `also` is
        written where there were any.
        """
        for _ in range(TRIES):
            strikes, version = self.strikes(hosted.name, hosted)
            kept = [s for s in strikes if account is not None and s.account != account]
            if len(kept) == len(strikes):
                return
            write = _strikes_write(hosted.name, hosted, kept, version)
            try:
                self._table.transact([write, *also])
            except ConditionFailed:
                continue
            return

    # ----------------------------------------------------------------- letters
    def letter_put(self, letter: Letter) -> Put:
        """The write that makes sure it is told."""
        return Put({"pk": "LETTERS", "sk": letter.key, **_values(letter)})

    def letter(self, key: str) -> Letter | None:
        """A letter that was not told yet."""
        item = self._table.get({"pk": "LETTERS", "sk": key})
        return _letter(item) if item else None

    def letters(self) -> Iterator[Letter]:
        """Everything that is not told yet."""
        for item in self._table.query_all("LETTERS"):
            yield _letter(item)

    def told(self, letter: Letter) -> None:
        """It is told."""
        self._table.delete({"pk": "LETTERS", "sk": letter.key})


def _values(value: Any) -> Item:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(value).items()}


def _expiry(at: datetime) -> int:
    return int((at + KEPT).timestamp())


def _report_item(report: Report) -> Item:
    at = report.at.isoformat()
    index = {"gpk": "REPORTS", "gsk": f"{at}#{report.id}"}
    return {**meta_key("REPORT", report.id), **index, **_values(report), "ttl": _expiry(report.at)}


def _report(item: Item) -> Report:
    given = {f.name: item[f.name] for f in fields(Report)}
    return Report(**{**given, "at": datetime.fromisoformat(item["at"])})


def _strikes_key(domain: str) -> dict[str, str]:
    return {"pk": f"DOMAIN#{domain}", "sk": "STRIKES"}


def _strikes_write(domain: str, hosted: HostedDomain | None, strikes: Sequence[Strike], version: int) -> Put:
    rows = [_values(s) for s in sorted(strikes, key=lambda s: s.at)[-MOST:]]
    order = hosted.order if hosted else ""
    item = {**_strikes_key(domain), "strikes": rows, "order": order, "v": version + 1}
    return Put(item, equals(v=version) if version else ABSENT)


def _strike(row: Item) -> Strike:
    return Strike(**{**row, "at": datetime.fromisoformat(row["at"])})


def _letter(item: Item) -> Letter:
    return Letter(**{f.name: item[f.name] for f in fields(Letter)})
