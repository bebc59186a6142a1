"""What the operator tells people: the calendar, outages, incidents, announcements, who subscribed, who was
told what. Items of the directory table (ARCHITECTURE.md, Data).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from chalicelib.aws.table import (
    ABSENT,
    PRESENT,
    ConditionFailed,
    Index,
    Item,
    Put,
    Table,
    Update,
    Write,
    equals,
)
from chalicelib.rules import incidents as rules
from chalicelib.rules.calendar import Calendar
from chalicelib.rules.incidents import Incident, Outage
from chalicelib.store.records import meta_key, time_or_none

GSI = Index("gsi1", "gpk", "gsk")
KEPT = timedelta(days=400)
STATUS = {"pk": "STATUS", "sk": "META"}
_CALENDAR = {"pk": "CALENDAR", "sk": "META"}
_OUTAGE = ("kind", "components", "text", "forced")
_INCIDENT = ("title", "kind", "components")


class Overtaken(Exception):
    """Somebody else changed it meanwhile."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a reseller was told. `id`: the key that made it one."""

    id: str
    reseller: str
    at: datetime
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """S37. `reseller`: whose own it is; "" the operator's. Of no `domains` and no `resellers`: to all."""

    id: str
    reseller: str
    at: datetime
    subject: str
    text: str
    resellers: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


class Notices:
    """The items, each kind in a partition of its own, ids in order of time."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def write(self, writes: Sequence[Write]) -> None:
        """In one transaction. Raises Overtaken."""
        try:
            self.table.transact(writes)
        except ConditionFailed as error:
            raise Overtaken from error

    # ------------------------------------------------------------ calendar
    def calendar(self) -> Calendar:
        """The operator's calendar; the usual one where none was set."""
        item = self.table.get(_CALENDAR)
        return _calendar(item) if item else Calendar()

    # ------------------------------------------------------------- outages, incidents
    def outages(self) -> list[Outage]:
        """All, as of now, oldest first."""
        return [_outage(i) for i in self.table.query_all("OUTAGES", consistent=True)]

    def outage(self, id: str) -> Outage | None:
        """One."""
        item = self.table.get({"pk": "OUTAGES", "sk": id})
        return _outage(item) if item else None

    def incidents(self) -> list[Incident]:
        """All, as of now, oldest first."""
        return [_incident(i) for i in self.table.query_all("INCIDENTS", consistent=True)]

    def incident(self, id: str) -> Incident | None:
        """One."""
        item = self.table.get({"pk": "INCIDENTS", "sk": id})
        return _incident(item) if item else None

    def page(self, kind: str, limit: int, after: str) -> tuple[list[Item], str]:
        """Items of a partition, newest first, and the id to go on after ("": no more)."""
        start = {"pk": kind, "sk": after} if after else None
        rows = self.table.query(kind, limit=limit, start=start, descending=True, consistent=True)
        return rows.items, str(rows.next["sk"]) if rows.next else ""

    def outages_page(self, limit: int, after: str) -> tuple[list[Outage], str]:
        """Outages, newest first."""
        items, following = self.page("OUTAGES", limit, after)
        return [_outage(i) for i in items], following

    def incidents_page(self, limit: int, after: str) -> tuple[list[Incident], str]:
        """Incidents, newest first."""
        items, following = self.page("INCIDENTS", limit, after)
        return [_incident(i) for i in items], following

    # -------------------------------------------------------------- status page
    def status(self) -> tuple[int, datetime | None, str]:
        """How often what the page shows was changed, when last, and the digest of what was last shown."""
        item = self.table.get(STATUS) or {}
        return int(item.get("changes", 0)), time_or_none(item.get("at")), str(item.get("shown", ""))

    def shown(self, digest: str) -> None:
        """The page has been put out."""
        self.table.update(Update(STATUS, set={"shown": digest}))

    # ------------------------------------------------------------ announcements
    def announcements(self, reseller: str, limit: int, after: str) -> tuple[list[Announcement], str]:
        """A reseller's own, or ("") the operator's, newest first."""
        items, following = self.page(f"ANNOUNCEMENTS#{reseller}", limit, after)
        return [_announcement(i) for i in items], following

    # ------------------------------------------------------------------ notices
    def keep(self, notice: Notice) -> None:
        """A reseller was told."""
        item: Item = {
            "pk": f"NOTICE#{notice.reseller}",
            "sk": notice.id,
            "gpk": f"NOTICES#{notice.reseller}",
            "gsk": f"{notice.at.isoformat()}#{notice.id}",
            "at": notice.at.isoformat(),
            "subject": notice.subject,
            "text": notice.text,
            "ttl": int((notice.at + KEPT).timestamp()),
        }
        self.table.put(item)

    def was_told(self, reseller: str, key: str) -> bool:
        """Whether a reseller was told of this."""
        return self.table.get({"pk": f"NOTICE#{reseller}", "sk": key}) is not None

    def told(self, reseller: str, limit: int, after: str) -> tuple[list[Notice], str]:
        """What a reseller was told, newest first, and the place to go on after ("": no more)."""
        pk = f"NOTICES#{reseller}"
        key = after.partition("#")[2]
        start = {"pk": f"NOTICE#{reseller}", "sk": key, "gpk": pk, "gsk": after} if after else None
        rows = self.table.query(pk, index=GSI, descending=True, limit=limit, start=start)
        return [_notice(i) for i in rows.items], str(rows.next["gsk"]) if rows.next else ""

    # ----------------------------------------------------------------- audience
    def resellers(self, limit: int, after: str) -> tuple[list[str], str]:
        """Ids of resellers in order, and the one to go on after ("": no more)."""
        start = {**meta_key("RESELLER", after), "gpk": "RESELLERS", "gsk": after} if after else None
        rows = self.table.query("RESELLERS", index=GSI, limit=limit, start=start)
        return [str(i["gsk"]) for i in rows.items], str(rows.next["gsk"]) if rows.next else ""


# --------------------------------------------------------------------------------------------------- writes
def calendar_put(calendar: Calendar) -> Put:
    """The write of the calendar."""
    return Put(
        {
            **_CALENDAR,
            "zone": calendar.zone,
            "off_peak_from": calendar.off_peak_from.isoformat("minutes"),
            "off_peak_to": calendar.off_peak_to.isoformat("minutes"),
            "weekend": sorted(calendar.weekend),
            "holidays": sorted(day.isoformat() for day in calendar.holidays),
            "notice_days": calendar.notice_days,
        }
    )


def changed(at: datetime) -> Update:
    """What the status page shows has changed: part of each such transaction."""
    return Update(STATUS, set={"at": at.isoformat()}, add={"changes": 1})


def outage_put(outage: Outage, *, was: Outage | None = None) -> Put:
    """The write of an outage, new or as it was read."""
    item: Item = {
        "pk": "OUTAGES",
        "sk": outage.id,
        **{name: getattr(outage, name) for name in _OUTAGE},
        "starts_at": outage.starts_at.isoformat(),
        "ends_at": outage.ends_at.isoformat(),
        "announced_at": outage.announced_at.isoformat(),
    }
    if outage.cancelled_at:
        item["cancelled_at"] = outage.cancelled_at.isoformat()
    return Put(item, PRESENT & equals(cancelled_at=None) if was else ABSENT)


def incident_put(incident: Incident, *, was: Incident | None = None) -> Put:
    """The write of an incident, new or as it was read."""
    item: Item = {
        "pk": "INCIDENTS",
        "sk": incident.id,
        **{name: getattr(incident, name) for name in _INCIDENT},
        "updates": [{"at": u.at.isoformat(), "state": u.state, "text": u.text} for u in incident.updates],
        "count": len(incident.updates),
    }
    return Put(item, equals(count=len(was.updates)) if was else ABSENT)


def announcement_put(a: Announcement) -> Put:
    """The write of a new announcement."""
    item: Item = {
        "pk": f"ANNOUNCEMENTS#{a.reseller}",
        "sk": a.id,
        "at": a.at.isoformat(),
        "subject": a.subject,
        "text": a.text,
        "resellers": list(a.resellers),
        "domains": list(a.domains),
        "ttl": int((a.at + KEPT).timestamp()),
    }
    return Put(item, ABSENT)


# --------------------------------------------------------------------------------------------------- values
def _calendar(item: Mapping[str, Any]) -> Calendar:
    return Calendar(
        zone=item["zone"],
        off_peak_from=time.fromisoformat(item["off_peak_from"]),
        off_peak_to=time.fromisoformat(item["off_peak_to"]),
        weekend=frozenset(item["weekend"]),
        holidays=frozenset(date.fromisoformat(day) for day in item["holidays"]),
        notice_days=item["notice_days"],
    )


def _outage(item: Mapping[str, Any]) -> Outage:
    return Outage(
        id=item["sk"],
        kind=item["kind"],
        starts_at=datetime.fromisoformat(item["starts_at"]),
        ends_at=datetime.fromisoformat(item["ends_at"]),
        components=tuple(item["components"]),
        text=item["text"],
        announced_at=datetime.fromisoformat(item["announced_at"]),
        forced=item["forced"],
        cancelled_at=time_or_none(item.get("cancelled_at")),
    )


def _incident(item: Mapping[str, Any]) -> Incident:
    updates = [rules.Update(datetime.fromisoformat(u["at"]), u["state"], u["text"]) for u in item["updates"]]
    return Incident(item["sk"], item["title"], item["kind"], tuple(item["components"]), tuple(updates))


def _notice(item: Mapping[str, Any]) -> Notice:
    reseller = item["pk"].removeprefix("NOTICE#")
    return Notice(item["sk"], reseller, datetime.fromisoformat(item["at"]), item["subject"], item["text"])


def _announcement(item: Mapping[str, Any]) -> Announcement:
    return Announcement(
        id=item["sk"],
        reseller=item["pk"].removeprefix("ANNOUNCEMENTS#"),
        at=datetime.fromisoformat(item["at"]),
        subject=item["subject"],
        text=item["text"],
        resellers=tuple(item["resellers"]),
        domains=tuple(item["domains"]),
    )
