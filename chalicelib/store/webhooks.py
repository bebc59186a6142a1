"""Webhooks of resellers, who works on one, and what became of the last attempts."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.table import (
    ABSENT,
    Check,
    ConditionFailed,
    Delete,
    Index,
    Item,
    Put,
    Table,
    Update,
    Write,
    equals,
)
from chalicelib.rules.webhooks import LOG_KEPT, Attempt, Webhook

GSI = Index("gsi1", "gpk", "gsk")
ACTIVE = "WEBHOOKS"  # the index's partition of those to be worked on
#: Attributes by kind.
TEXTS = ("url", "secret", "after", "state", "previous_secret")
NUMBERS = ("failures", "revision")
TIMES = ("created_at", "previous_until", "failing_since", "next_at")


class Webhooks:
    """WEBHOOKS# and HOOKLOG# items of the directory table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def of_reseller(self, reseller: str) -> list[Webhook]:
        """All of a reseller, by id."""
        return [_hook(item) for item in self.table.query_all(f"WEBHOOKS#{reseller}", consistent=True)]

    def get(self, reseller: str, id: str) -> Webhook | None:
        """A webhook."""
        item = self.table.get(_key(reseller, id))
        return _hook(item) if item else None

    def add(self, hook: Webhook, also: Sequence[Write]) -> None:
        """A new one."""
        self.table.transact([Put(_item(hook), ABSENT), *also])

    def change(self, before: Webhook, after: Webhook, also: Sequence[Write]) -> bool:
        """As its reseller sets it; whoever works on it must stop. Whether it still was as `before`.

        Where it stands (`after`, failures) is written only where that was changed.
        """
        was, becomes = _item(before), _item(after)
        changed = {n: v for n, v in becomes.items() if was.get(n) != v}
        gone = [n for n in was if n not in becomes]
        write = Update(
            _key(before.reseller, before.id),
            set={**changed, "revision": before.revision + 1},
            remove=[*gone, "lease", "leased_until"],
            check=equals(revision=before.revision),
        )
        return self._done([write, *also])

    def delete(self, hook: Webhook, also: Sequence[Write]) -> bool:
        """Remove it. Whether it still was as it was read."""
        gone = Delete(_key(hook.reseller, hook.id), equals(revision=hook.revision))
        return self._done([gone, *also])

    def _done(self, writes: Sequence[Write]) -> bool:
        try:
            self.table.transact(writes)
        except ConditionFailed:
            return False
        return True

    # ------------------------------------------------------------------------------------- working on one
    def active(self) -> list[Webhook]:
        """All that are to be worked on, of all resellers."""
        return [_hook(item) for item in self.table.query_all(ACTIVE, index=GSI)]

    def lease(self, hook: Webhook, token: str, now: datetime, time: timedelta) -> Webhook | None:
        """Work on it alone for a time, as it is now; None: another does, or it was changed."""
        free = Check(
            "attribute_not_exists(#until) OR #until < :now", {":now": _stamp(now)}, {"#until": "leased_until"}
        )
        write = Update(
            _key(hook.reseller, hook.id),
            set={"lease": token, "leased_until": _stamp(now + time)},
            check=equals(revision=hook.revision, state="active") & free,
        )
        try:
            return _hook(self.table.update(write))
        except ConditionFailed:
            return None

    def advance(self, hook: Webhook, token: str, after: str, until: datetime) -> bool:
        """Everything up to an event is done. Whether the lease still held; it does until then."""
        write = Update(
            _key(hook.reseller, hook.id),
            set={"after": after, "failures": 0, "leased_until": _stamp(until)},
            remove=["failing_since", "next_at"],
            check=equals(lease=token),
        )
        return self._done([write])

    def failed(self, hook: Webhook, token: str, since: datetime, next_at: datetime) -> bool:
        """An attempt failed; it is free again, and to be left alone for a while."""
        write = Update(
            _key(hook.reseller, hook.id),
            set={
                "failures": hook.failures + 1,
                "failing_since": since.isoformat(),
                "next_at": next_at.isoformat(),
            },
            remove=["lease", "leased_until"],
            check=equals(lease=token),
        )
        return self._done([write])

    def disable(self, hook: Webhook, token: str, also: Sequence[Write]) -> bool:
        """Give it up."""
        write = Update(
            _key(hook.reseller, hook.id),
            set={"state": "disabled", "failures": hook.failures + 1, "revision": hook.revision + 1},
            remove=["lease", "leased_until", "next_at", "gpk", "gsk"],
            check=equals(lease=token),
        )
        return self._done([write, *also])

    def release(self, hook: Webhook, token: str) -> None:
        """Work on it no longer."""
        key = _key(hook.reseller, hook.id)
        self._done([Update(key, remove=["lease", "leased_until"], check=equals(lease=token))])

    # ------------------------------------------------------------------------------------------- attempts
    def log(self, hook: Webhook, attempt: Attempt) -> None:
        """Keep what became of an attempt for some days."""
        item: Item = {
            "pk": f"HOOKLOG#{hook.id}",
            "sk": f"{attempt.at.isoformat()}#{attempt.event}",
            "type": attempt.type,
            "status": attempt.status,
            "detail": attempt.detail,
            "ms": attempt.milliseconds,
            "ttl": int((attempt.at + LOG_KEPT).timestamp()),
        }
        self.table.put(item)

    def attempts(self, hook: Webhook, limit: int, after: str = "") -> tuple[list[Attempt], str]:
        """The last attempts, newest first, after a place; and the place to go on after ("": no more)."""
        pk = f"HOOKLOG#{hook.id}"
        start = {"pk": pk, "sk": after} if after else None
        rows = self.table.query(pk, descending=True, limit=limit, start=start)
        return [_attempt(item) for item in rows.items], str(rows.next["sk"]) if rows.next else ""


def _key(reseller: str, id: str) -> dict[str, str]:
    return {"pk": f"WEBHOOKS#{reseller}", "sk": id}


def _stamp(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _item(hook: Webhook) -> Item:
    item: Item = {**_key(hook.reseller, hook.id), "types": list(hook.types)}
    item |= {name: getattr(hook, name) for name in (*TEXTS, *NUMBERS)}
    item |= {name: at.isoformat() for name in TIMES if (at := getattr(hook, name))}
    if hook.state == "active":
        item |= {"gpk": ACTIVE, "gsk": f"{hook.reseller}#{hook.id}"}
    return item


def _hook(item: Mapping[str, Any]) -> Webhook:
    given = {name: item[name] for name in (*TEXTS, *NUMBERS)}
    given |= {name: datetime.fromisoformat(item[name]) for name in TIMES if name in item}
    reseller = item["pk"].removeprefix("WEBHOOKS#")
    return Webhook(id=item["sk"], reseller=reseller, types=tuple(item["types"]), **given)


def _attempt(item: Mapping[str, Any]) -> Attempt:
    at, _, event = item["sk"].partition("#")
    return Attempt(
        datetime.fromisoformat(at), event, item["type"], item["status"], item["detail"], int(item["ms"])
    )
