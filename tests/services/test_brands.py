"""S1: whose name is on the page, by the host a browser came with."""

from chalicelib.aws.table import Update
from chalicelib.rules.hosted import Brand
from chalicelib.services import brands
from chalicelib.store.records import domain_key
from tests.registry import Registry

HOSTS = {
    "mail.x.test": "House Mail",
    "EMAILADMIN.X.test.": "House Mail",
    "mail.y.test": "Mail",
    "x.test": "Mail",
    "imap.x.test": "Mail",
    "shop.test": "Other Mail",
    "": "Mail",
}


def test_S1_a_host_shows_its_resellers_brand_or_nobodys(registry: Registry) -> None:
    registry.order()
    brands.give_host(registry.platform, "Shop.test", "other")
    assert {host: brands.of_host(registry.platform, host).product for host in HOSTS} == HOSTS


def test_S1_a_domain_can_have_a_brand_of_its_own(registry: Registry) -> None:
    registry.order()
    registry.platform.brands.put(Brand(id="own", product="X Mail"))
    registry.platform.directory.table.update(Update(domain_key("x.test"), set={"brand": "own"}))
    assert brands.of_host(registry.platform, "mail.x.test").product == "X Mail"
    assert brands.of_domain(registry.platform, "x.test").product == "X Mail"


def test_S1_a_reversed_domain_shows_nobody(registry: Registry) -> None:
    registry.order()
    registry.set_state("x.test", "reversed")
    assert brands.of_domain(registry.platform, "x.test") == brands.NEUTRAL
