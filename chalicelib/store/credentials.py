"""What opens something beside a password: app passwords, second factors, reset links, API keys.

Secrets are kept as hashes, but for a second factor's, which must be computed with. Changes to a mailbox's own
item are made here too: each is conditioned on the item as it was read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.aws.table import (
    ABSENT,
    PRESENT,
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
from chalicelib.rules.hosted import ApiKey
from chalicelib.rules.signin import AppPassword, SecondFactor
from chalicelib.rules.values import Account
from chalicelib.store.records import address_key, meta_key, time_or_none

GSI = Index("gsi1", "gpk", "gsk")


@dataclass(frozen=True, slots=True)
class Reset:
    """A reset link as kept: `id` is the SHA-256 of its token. Over when the account's epoch has moved on."""

    id: str
    account: str
    epoch: int
    expires_at: datetime


def app_key(account: str, app: str) -> dict[str, str]:
    """The key of an app password's item."""
    return {"pk": f"ACCOUNT#{account}", "sk": f"APP#{app}"}


def factor_key(account: str) -> dict[str, str]:
    """The key of a second factor's item."""
    return {"pk": f"ACCOUNT#{account}", "sk": "FACTOR"}


class Credentials:
    """APP# and FACTOR items of accounts; RESET# and KEY# items."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def commit(self, writes: Sequence[Write]) -> bool:
        """All of it, where every condition holds; whether they did."""
        try:
            self.table.transact(writes)
        except ConditionFailed:
            return False
        return True

    def change(self, account: Account, changes: Mapping[str, Any], remove: Sequence[str] = ()) -> Update:
        """Attributes of the mailbox's item, where it is as read. Its epoch grows: what was opened under the
        one before, and is not carried along in the same transaction, is over.
        """
        local, _, domain = account.address.rpartition("@")
        check = equals(account=account.id, epoch=account.epoch or None)
        values = {**changes, "epoch": account.epoch + 1}
        return Update(address_key(domain, local), set=values, remove=remove, check=check)

    # ------------------------------------------------------------------------------------- app passwords
    def app(self, account: str, app: str) -> AppPassword | None:
        """An app password, of whatever epoch."""
        item = self.table.get(app_key(account, app))
        return _app_of(item) if item else None

    def apps(self, account: Account) -> list[AppPassword]:
        """The app passwords of an account that still open something, oldest first."""
        items = self.table.query_all(f"ACCOUNT#{account.id}", begins="APP#", consistent=True)
        found = [_app_of(item) for item in items if item["epoch"] == account.epoch]
        return sorted(found, key=lambda app: (app.created_at, app.id))

    def app_put(self, account: Account, app: AppPassword) -> Put:
        """The write that keeps a new one, in place of none of this epoch."""
        item = {
            **app_key(account.id, app.id),
            "label": app.label,
            "doors": app.doors,
            "hash": app.hash,
            "epoch": app.epoch,
            "created_at": app.created_at.isoformat(),
        }
        return Put(item, ABSENT)

    def carried(self, account: Account) -> list[Write]:
        """The writes that take an account's app passwords along into its next epoch."""
        changes = {"epoch": account.epoch + 1}
        return [Update(app_key(account.id, app.id), set=changes, check=PRESENT) for app in self.apps(account)]

    def dropped(self, account: Account) -> list[Write]:
        """The writes that remove an account's app passwords."""
        return [Delete(app_key(account.id, app.id)) for app in self.apps(account)]

    def app_gone(self, account: str, app: str) -> Delete:
        """The write that removes one that is there."""
        return Delete(app_key(account, app), PRESENT)

    def app_used(self, account: str, app: str, day: str) -> None:
        """Note the day it was used on; nothing where it has gone meanwhile."""
        self._note(app_key(account, app), {"used_on": day})

    # ------------------------------------------------------------------------------------- second factor
    def factor(self, account: str) -> SecondFactor | None:
        """An account's second factor, on or only begun."""
        item = self.table.get(factor_key(account))
        if not item:
            return None
        return SecondFactor(
            secret=item["secret"],
            on=item["on"],
            step=item["step"],
            codes=tuple(item["codes"]),
            version=item["version"],
            since=datetime.fromisoformat(item["since"]),
        )

    def factor_put(self, account: str, factor: SecondFactor, was: SecondFactor | None) -> Put:
        """The write that replaces it where it is as read."""
        item = {
            **factor_key(account),
            "secret": factor.secret,
            "on": factor.on,
            "step": factor.step,
            "codes": factor.codes,
            "version": (was.version if was else 0) + 1,
            "since": factor.since.isoformat(),
        }
        return Put(item, equals(version=was.version) if was else ABSENT)

    def factor_gone(self, account: str) -> Delete:
        """The write that removes it."""
        return Delete(factor_key(account))

    # --------------------------------------------------------------------------------------- reset links
    def reset_put(self, reset: Reset) -> Put:
        """The write that keeps a link."""
        item = {
            **meta_key("RESET", reset.id),
            "account": reset.account,
            "epoch": reset.epoch,
            "expires_at": reset.expires_at.isoformat(),
            "ttl": int(reset.expires_at.timestamp()),
        }
        return Put(item, ABSENT)

    def reset(self, id: str) -> Reset | None:
        """A link, expired or not."""
        item = self.table.get(meta_key("RESET", id))
        if not item:
            return None
        return Reset(id, item["account"], item["epoch"], datetime.fromisoformat(item["expires_at"]))

    def reset_used(self, id: str) -> Delete:
        """The write that a link allows once."""
        return Delete(meta_key("RESET", id), PRESENT)

    # ------------------------------------------------------------------------------------------ API keys
    def key_put(self, key: ApiKey) -> Put:
        """The write that keeps a new API key."""
        item: Item = {
            **meta_key("KEY", key.hash),
            "gpk": f"RESELLER#{key.reseller}",
            "gsk": f"KEY#{key.id}",
            "reseller": key.reseller,
            "label": key.label,
            "scopes": key.scopes,
            "created_at": key.created_at.isoformat(),
            "sources": key.sources,
            **_ends(key.expires_at),
        }
        return Put(item, ABSENT)

    def key(self, hash: str) -> ApiKey | None:
        """An API key by its hash, expired or not."""
        item = self.table.get(meta_key("KEY", hash))
        return _key_of(item) if item else None

    def keys(self, reseller: str, limit: int, after: str = "") -> tuple[list[ApiKey], str]:
        """A reseller's keys ("": the operator's) by id, and the place to go on after (empty: no more)."""
        gpk = f"RESELLER#{reseller}"
        start = {**meta_key("KEY", after), "gpk": gpk, "gsk": f"KEY#{after[:16]}"} if after else None
        rows = self.table.query(gpk, begins="KEY#", index=GSI, limit=limit, start=start)
        return [_key_of(item) for item in rows.items], (
            rows.next["pk"].removeprefix("KEY#") if rows.next else ""
        )

    def key_named(self, reseller: str, id: str) -> ApiKey | None:
        """The key of a reseller's that is called so."""
        rows = self.table.query(f"RESELLER#{reseller}", begins=f"KEY#{id}", index=GSI, limit=2)
        found = [key for key in map(_key_of, rows.items) if key.id == id]
        return found[0] if found else None

    def key_gone(self, key: ApiKey) -> Delete:
        """The write that revokes a key."""
        return Delete(meta_key("KEY", key.hash), PRESENT)

    def key_ends(self, key: ApiKey, at: datetime) -> Update:
        """The write that sets a key's end."""
        return Update(meta_key("KEY", key.hash), set=_ends(at), check=PRESENT)

    def key_used(self, key: ApiKey, at: datetime) -> None:
        """Note when it was used; nothing where it has gone meanwhile."""
        self._note(meta_key("KEY", key.hash), {"used_at": at.isoformat()})

    def _note(self, key: Mapping[str, str], values: Mapping[str, Any]) -> None:
        try:
            self.table.update(Update(key, set=values, check=PRESENT))
        except ConditionFailed:
            return


def _ends(at: datetime | None) -> Item:
    return {"expires_at": at.isoformat(), "ttl": int(at.timestamp())} if at else {}


def _app_of(item: Mapping[str, Any]) -> AppPassword:
    return AppPassword(
        id=item["sk"].removeprefix("APP#"),
        label=item["label"],
        doors=frozenset(item["doors"]),
        hash=item["hash"],
        epoch=item["epoch"],
        created_at=datetime.fromisoformat(item["created_at"]),
        used_on=item.get("used_on"),
    )


def _key_of(item: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        hash=item["pk"].removeprefix("KEY#"),
        reseller=item["reseller"],
        scopes=frozenset(item.get("scopes", ())),
        expires_at=time_or_none(item.get("expires_at")),
        label=item["label"],
        created_at=datetime.fromisoformat(item["created_at"]),
        sources=tuple(item["sources"]),
        used_at=time_or_none(item.get("used_at")),
    )
