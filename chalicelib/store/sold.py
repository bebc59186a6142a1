"""What a reseller has sold, for its search (S12): by address, and by domain; live ones or all ever.

Both orders are kept sorted, so that a page costs what it shows. A place to go on after is a key of the order.
"""

import heapq
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Literal

from chalicelib.aws.table import Index, Item, Table
from chalicelib.rules.hosted import HostedDomain
from chalicelib.store.records import domain_key, domain_of

GSI = Index("gsi1", "gpk", "gsk")
SoldKind = Literal["live", "sold"]
Found = tuple[str, Item]  # key in the order, item of a mailbox: ADDR# or GONE#
FIRST, LAST = "!", "~"  # before and after every character of a name
READ = 200  # items at once


class Sold:
    """ADDR# items by the index LIVE#reseller, and GONE# items."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def by_address(self, reseller: str, kind: SoldKind, begins: str, after: str) -> Iterator[Found]:
        """Mailboxes whose address begins so, by address."""
        span = _span(begins, after)
        partitions = [f"LIVE#{reseller}"] + ([f"GONE#{reseller}"] if kind == "sold" else [])
        reads = [self.table.query_all(pk, index=GSI, between=span, limit=READ) for pk in partitions]
        return heapq.merge(*map(_keyed, reads), key=itemgetter(0))

    def by_domain(self, reseller: str, kind: SoldKind, begins: str, after: str) -> Iterator[Found]:
        """Mailboxes of domains whose name begins so, by domain and name."""
        live = self._live_by_domain(reseller, begins, after)
        if kind == "live":
            return live
        items = self.table.query_all(f"GONE#{reseller}", between=_span(begins, after), limit=READ)
        return heapq.merge(live, ((item["sk"], item) for item in items), key=itemgetter(0))

    def _live_by_domain(self, reseller: str, begins: str, after: str) -> Iterator[Found]:
        domain, _, rest = after.partition("#")
        local = rest.partition("#")[0]
        span = (f"DOMAIN#{domain or begins}", f"DOMAIN#{begins}{LAST}")
        for row in self.table.query_all(f"RESELLER#{reseller}", index=GSI, between=span, limit=READ):
            name = row["gsk"].removeprefix("DOMAIN#")
            first = f"ADDR#{local}{FIRST}" if name == domain else "ADDR#"
            for item in self.table.query_all(f"DOMAIN#{name}", between=(first, f"ADDR#{LAST}"), limit=READ):
                if "account" in item:
                    yield f"{name}#{item['sk'].removeprefix('ADDR#')}", item

    def domains(self, names: Iterable[str]) -> dict[str, HostedDomain]:
        """Domains by name, whoever's they are."""
        keys = [domain_key(name) for name in dict.fromkeys(names)]
        found = [domain_of(item) for item in self.table.batch_get(keys)] if keys else []
        return {domain.name: domain for domain in found}


def _span(begins: str, after: str) -> tuple[str, str]:
    return f"{after}{FIRST}" if after else begins or FIRST, f"{begins}{LAST}"


def _keyed(items: Iterable[Item]) -> Iterator[Found]:
    for item in items:
        yield item["gsk"], item
