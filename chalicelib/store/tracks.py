"""The message trace of a domain, misaddressed mail, fan-outs under way, and who was answered lately.

Keys in the `mail` table; no content is kept, not even a subject:
  T#reseller#domain    ms#i|o#id   a message that came for, or was sent from, the domain (30 days)
  MIS#reseller#domain  ms#id       a message for an address that is not there (30 days)
  F#id                 META, P#nnn a message on its way to many: what it is, and slices of its members
  A#account            AWAY#hash   a sender who had an auto-reply (7 days)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from chalicelib.aws.table import ABSENT, ConditionFailed, Delete, Item, Put, Table, Update, equals
from chalicelib.rules.autoreply import AGAIN_AFTER, due
from chalicelib.rules.delivery import milliseconds
from chalicelib.rules.ids import key_hash
from chalicelib.rules.values import Arrival, Envelope, Verdicts
from chalicelib.store.outbox_items import Outgoing

LIFE = timedelta(days=30)
Way = Literal["in", "out"]
_LAST = ":"  # follows the digits


@dataclass(frozen=True, slots=True)
class Seen:
    """One message in a domain's trace. `results` of mail that came: recipient → result, status, text, via."""

    id: str  # of the arrival or submission
    way: Way
    at: int  # ms
    sender: str
    size: int
    message_id: str
    results: Mapping[str, Sequence[str]] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()  # of mail that was sent
    chunks: int = 0
    spam: str = ""
    virus: str = ""

    @property
    def key(self) -> str:
        """Its place in the trace, newest last."""
        return f"{self.at:013d}#{self.way[0]}#{self.id}"


@dataclass(frozen=True, slots=True)
class Stray:
    """A message for addresses that are not there."""

    id: str
    at: int  # ms
    sender: str
    size: int
    results: Mapping[str, str]  # address → bounced, dropped, or where it was delivered


@dataclass(frozen=True, slots=True)
class Fan:
    """A message for many. `barred`: status and text, where nobody outside gets it."""

    id: str
    arrival: Arrival
    address: str
    sender: str = ""  # id of the account that sent it
    slices: int = 0
    barred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slice:
    """Members that one message of the queue serves. `failed`: member → status and text."""

    number: int
    members: tuple[str, ...]
    done: bool = False
    failed: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Tracks:
    """Reading and writing them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # ------------------------------------------------------------------ the trace
    def note(self, reseller: str, domain: str, seen: Seen) -> None:
        """Keep a row of a domain's trace; a repeat writes the same."""
        self._table.put(seen_put(reseller, domain, seen).item)

    def page(
        self, reseller: str, domain: str, limit: int, *, after: str = "", since: int = 0
    ) -> tuple[list[Seen], str]:
        """Rows from newest to oldest, and the key to go on after ("": no more)."""
        rows, following = self._newest(f"T#{reseller}#{domain}", limit, after, since)
        return [_seen(item) for item in rows], following

    def _newest(self, pk: str, limit: int, after: str, since: int) -> tuple[list[Item], str]:
        """Rows since a moment (ms). A page that began before time took its last row away ends there."""
        first = f"{since:013d}"
        if after and not first <= after < _LAST:
            return [], ""
        start = {"pk": pk, "sk": after} if after else None
        rows = self._table.query(pk, between=(first, _LAST), descending=True, limit=limit, start=start)
        return rows.items, str(rows.next["sk"]) if rows.next else ""

    def one(self, reseller: str, domain: str, key: str) -> Seen | None:
        """A row of the trace."""
        item = self._table.get({"pk": f"T#{reseller}#{domain}", "sk": key})
        return _seen(item) if item else None

    # -------------------------------------------------------------- misaddressed
    def stray(self, reseller: str, domain: str, stray: Stray) -> None:
        """Keep a message for addresses that are not there."""
        item = {
            "pk": f"MIS#{reseller}#{domain}",
            "sk": f"{stray.at:013d}#{stray.id}",
            "sender": stray.sender,
            "size": stray.size,
            "results": stray.results,
            "ttl": _ttl(stray.at),
        }
        self._table.put(item)

    def strays(
        self, reseller: str, domain: str, limit: int, *, after: str, since: int
    ) -> tuple[list[Stray], str]:
        """Misaddressed mail since a moment (ms) from newest to oldest, and the key to go on after."""
        rows, following = self._newest(f"MIS#{reseller}#{domain}", limit, after, since)
        return [_stray(item) for item in rows], following

    # ------------------------------------------------------------------ fan-outs
    def plan(self, fan: Fan, slices: Sequence[Slice], now: datetime) -> Fan:
        """Write down who gets a message, once: the plan that was first holds, and is returned.

        Slices are written before META, which makes them a plan, so a crash leaves none that is half.
        """
        known = self.fan(fan.id)
        if known:
            return known
        ttl = int((now + LIFE).timestamp())
        self._table.batch_write(put=[{**_slice_item(fan.id, s), "ttl": ttl} for s in slices])
        try:
            self._table.put({**_fan_item(fan), "ttl": ttl}, check=ABSENT)
        except ConditionFailed:
            return self.fan(fan.id) or fan
        return fan

    def fan(self, id: str) -> Fan | None:
        """A plan."""
        item = self._table.get({"pk": f"F#{id}", "sk": "META"})
        return _fan(item) if item else None

    def slice(self, id: str, number: int) -> Slice | None:
        """Some of its members."""
        item = self._table.get({"pk": f"F#{id}", "sk": f"P#{number:03}"})
        return _slice(item) if item else None

    def slices(self, id: str) -> list[Slice]:
        """All its members."""
        return [_slice(item) for item in self._table.query_all(f"F#{id}", begins="P#")]

    def done(self, id: str, number: int, failed: Mapping[str, Sequence[str]]) -> None:
        """Every member of the slice has it, or is named with the reason."""
        key = {"pk": f"F#{id}", "sk": f"P#{number:03}"}
        self._table.update(Update(key, set={"done": True, "failed": failed}))

    # -------------------------------------------------------------- auto-replies
    def claim_answer(self, account: str, sender: str, arrival: str, now: datetime) -> bool:
        """Whether this arrival is the one that the sender is answered for: once in seven days."""
        key = {"pk": f"A#{account}", "sk": f"AWAY#{key_hash(sender)}"}
        item = self._table.get(key)
        if item and item["arrival"] == arrival:
            return True
        last = datetime.fromtimestamp(item["at"] / 1000, UTC) if item else None
        if not due(last, now):
            return False
        ms, ttl = int(now.timestamp() * 1000), int((now + AGAIN_AFTER).timestamp())
        try:
            self._table.put(
                {**key, "arrival": arrival, "at": ms, "ttl": ttl},
                check=equals(at=item["at"]) if item else ABSENT,
            )
        except ConditionFailed:
            return False
        return True


def sent_put(reseller: str, out: Outgoing) -> Put:
    """The write of a message that an account sends, for the transaction that keeps it."""
    seen = Seen(
        id=out.id,
        way="out",
        at=milliseconds(out.sent_at),
        sender=out.envelope.sender,
        size=out.size,
        message_id=out.message_id[:500],
        recipients=out.envelope.recipients,
        chunks=out.chunks,
    )
    return seen_put(reseller, out.domain, seen)


def unsent(reseller: str, out: Outgoing) -> Delete:
    """The write that takes it back."""
    return Delete({"pk": f"T#{reseller}#{out.domain}", "sk": f"{milliseconds(out.sent_at):013d}#o#{out.id}"})


def seen_put(reseller: str, domain: str, seen: Seen) -> Put:
    """The write of a row of the trace."""
    item: Item = {
        "pk": f"T#{reseller}#{domain}",
        "sk": seen.key,
        "sender": seen.sender,
        "bytes": seen.size,
        "mid": seen.message_id,
        "ttl": _ttl(seen.at),
    }
    if seen.way == "in":
        item |= {"results": seen.results, "spam": seen.spam, "virus": seen.virus}
    else:
        item |= {"to": seen.recipients, "chunks": seen.chunks}
    return Put(item)


def _seen(item: Mapping[str, Any]) -> Seen:
    at, way, id = str(item["sk"]).split("#", 2)
    return Seen(
        id=id,
        way="in" if way == "i" else "out",
        at=int(at),
        sender=item["sender"],
        size=item["bytes"],
        message_id=item["mid"],
        results=item.get("results", {}),
        recipients=tuple(item.get("to", ())),
        chunks=item.get("chunks", 0),
        spam=item.get("spam", ""),
        virus=item.get("virus", ""),
    )


def _ttl(ms: int) -> int:
    return ms // 1000 + int(LIFE.total_seconds())


def _stray(item: Mapping[str, Any]) -> Stray:
    at, id = str(item["sk"]).split("#", 1)
    return Stray(id, int(at), item["sender"], item["size"], item["results"])


def _fan_item(fan: Fan) -> Item:
    a = fan.arrival
    return {
        "pk": f"F#{fan.id}",
        "sk": "META",
        "address": fan.address,
        "by": fan.sender,
        "slices": fan.slices,
        "barred": fan.barred,
        "arrival": {
            "id": a.id,
            "sender": a.envelope.sender,
            "key": a.blob,  # not named `blob`: it must not count as a need
            "size": a.size,
            "verdicts": {name: getattr(a.verdicts, name) for name in Verdicts.__dataclass_fields__},
            "at": a.received_at.isoformat(),
            "source": a.source,
        },
    }


def _fan(item: Mapping[str, Any]) -> Fan:
    a = item["arrival"]
    arrival = Arrival(
        id=a["id"],
        envelope=Envelope(a["sender"], ()),
        blob=a["key"],
        size=a["size"],
        verdicts=Verdicts(**a["verdicts"]),
        received_at=datetime.fromisoformat(a["at"]),
        source=a["source"],
    )
    id = str(item["pk"])[2:]
    return Fan(id, arrival, item["address"], item["by"], item["slices"], tuple(item["barred"]))


def _slice_item(id: str, s: Slice) -> Item:
    return {"pk": f"F#{id}", "sk": f"P#{s.number:03}", "members": s.members, "done": s.done}


def _slice(item: Mapping[str, Any]) -> Slice:
    failed = item.get("failed", {})
    return Slice(int(item["sk"][2:]), tuple(item["members"]), item["done"], failed)
