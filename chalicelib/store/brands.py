"""Brands, their logos and the hosts that show them: BRAND# and HOST# items of the directory table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
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
    Write,
    equals,
)
from chalicelib.rules.hosted import Brand
from chalicelib.store.records import meta_key

GSI = Index("gsi1", "gpk", "gsk")
NAMES = tuple(f.name for f in fields(Brand))


def brand_of(item: Mapping[str, Any]) -> Brand:
    """A brand from its item."""
    return Brand(**{name: item[name] for name in NAMES if name in item})


def _item(brand: Brand) -> Item:
    index = {"gpk": f"RESELLER#{brand.reseller}", "gsk": f"BRAND#{brand.id}"}
    return {**meta_key("BRAND", brand.id), **index, **asdict(brand)}


class Brands:
    """The brands of the directory table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def get(self, brand_id: str) -> Brand | None:
        """A brand."""
        item = self.table.get(meta_key("BRAND", brand_id), consistent=False)
        return brand_of(item) if item else None

    def put(self, brand: Brand) -> None:
        """Keep a brand, whatever was there."""
        self.table.put(_item(brand))

    def save(self, brand: Brand, present: Brand | None, also: Sequence[Write]) -> bool:
        """Write a brand that still is as `present`. Whether it was."""
        check = equals(**asdict(present)) if present else ABSENT
        return self._done([Put(_item(brand), check), *also])

    def remove(self, brand: Brand, also: Sequence[Write]) -> bool:
        """Remove a brand with its logo. Whether it was there."""
        key = meta_key("BRAND", brand.id)
        return self._done([Delete(key, PRESENT), Delete({**key, "sk": "LOGO"}), *also])

    def of_reseller(self, reseller: str, limit: int, after: str) -> tuple[list[Brand], str]:
        """A reseller's brands by id, and the id to go on after ("": no more)."""
        start = {**meta_key("BRAND", after), "gpk": f"RESELLER#{reseller}", "gsk": f"BRAND#{after}"}
        rows = self.table.query(
            f"RESELLER#{reseller}", begins="BRAND#", index=GSI, limit=limit, start=start if after else None
        )
        following = str(rows.next["gsk"]).removeprefix("BRAND#") if rows.next else ""
        return [brand_of(item) for item in rows.items], following

    # ---------------------------------------------------------------- logos
    def keep_logo(self, brand_id: str, kind: str, content: bytes) -> None:
        """Keep a picture; the brand that names its hash shows it."""
        self.table.put({"pk": f"BRAND#{brand_id}", "sk": "LOGO", "type": kind, "content": content})

    def logo(self, brand_id: str) -> tuple[str, bytes] | None:
        """Type and bytes of a kept picture."""
        item = self.table.get({"pk": f"BRAND#{brand_id}", "sk": "LOGO"}, consistent=False)
        return (str(item["type"]), bytes(item["content"])) if item else None

    # ---------------------------------------------------------------- hosts
    def host(self, host: str) -> str | None:
        """The id of the brand that a host name was given."""
        item = self.table.get(meta_key("HOST", host), consistent=False)
        return str(item["brand"]) if item else None

    def give_host(self, host: str, brand: Brand, also: Sequence[Write]) -> bool:
        """Give a host a brand, unless it is another reseller's. Whether it was free."""
        item = {**meta_key("HOST", host), "brand": brand.id, "reseller": brand.reseller}
        item |= {"gpk": f"RESELLER#{brand.reseller}", "gsk": f"HOST#{host}"}
        return self._done([Put(item, ABSENT | equals(reseller=brand.reseller)), *also])

    def take_host(self, host: str, reseller: str, also: Sequence[Write]) -> bool:
        """Take a reseller's host back. Whether it was the reseller's."""
        return self._done([Delete(meta_key("HOST", host), equals(reseller=reseller)), *also])

    def hosts_of(self, reseller: str, limit: int, after: str) -> tuple[list[tuple[str, str]], str]:
        """(host, brand id) of a reseller, and the host to go on after ("": no more)."""
        start = {**meta_key("HOST", after), "gpk": f"RESELLER#{reseller}", "gsk": f"HOST#{after}"}
        rows = self.table.query(
            f"RESELLER#{reseller}", begins="HOST#", index=GSI, limit=limit, start=start if after else None
        )
        following = str(rows.next["gsk"]).removeprefix("HOST#") if rows.next else ""
        return [(str(i["gsk"]).removeprefix("HOST#"), str(i["brand"])) for i in rows.items], following

    def _done(self, writes: Sequence[Write]) -> bool:
        try:
            self.table.transact(writes)
        except ConditionFailed:
            return False
        return True
