"""S12: a reseller's search over its live accounts, and over everything it ever sold."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.rules.errors import ServiceError
from chalicelib.services import gone, search
from local.moto_dynamodb import Dynamo
from tests.api.test_reseller import problem
from tests.registry import Registry, box


@pytest.fixture
def town(registry: Registry) -> Any:
    """house: x.test (ann, anna, bob), annex.test (ann); other: z.test (ann)."""
    dynamo = Dynamo()
    dynamo.install()
    plain: dict[str, Any] = {"password": None}
    try:
        registry.order("x.test", box("ann", **plain), box("anna", name="Cher", **plain), box("bob", **plain))
        registry.order("annex.test", box("cat", name="Susann", **plain), box("ann", **plain))
        registry.order("z.test", box("ann", **plain), caller=registry.other)
        registry.set_state("x.test", "live")
        yield registry
    finally:
        dynamo.remove()


def found(town: Registry, query: str, **how: Any) -> list[str]:
    """Addresses of all pages, in order."""
    addresses, cursor = [], ""
    for _ in range(50):
        page = town.call("GET", f"/v1/search?{query}{cursor}", **how)
        assert page.status == 200, page
        addresses += [row["address"] for row in page.json["results"]]
        if not page.json["cursor"]:
            return addresses
        cursor = f"&cursor={page.json['cursor']}"
    raise AssertionError("it has no end")


ALL = ["ann@annex.test", "ann@x.test", "anna@x.test", "bob@x.test", "cat@annex.test"]
SEARCHES = {
    "": ALL,
    "ann": ["ann@annex.test", "ann@x.test", "anna@x.test", "cat@annex.test"],
    "ann@x": ["ann@x.test"],
    "ANN%40annex": ["ann@annex.test"],
    "x.te": ["ann@x.test", "anna@x.test", "bob@x.test", "ann@annex.test", "cat@annex.test"],
    "cher": ["anna@x.test"],
    "susa": ["cat@annex.test"],
    "o": ["bob@x.test"],
    "nobody": [],
    "z.test": [],
}


@pytest.mark.parametrize("size", [200, 1, 2])
def test_S12_by_address_then_domain_then_anywhere_each_once(town: Registry, size: int) -> None:
    for text, wanted in SEARCHES.items():
        for kind in ("live", "sold"):
            assert found(town, f"q={text}&kind={kind}&limit={size}") == wanted, (text, kind)
    assert found(town, "q=ann", key=town.other_key) == ["ann@z.test"]


def test_S12_everything_ever_sold_with_what_can_be_done(town: Registry) -> None:
    town.call("DELETE", "/v1/domains/x.test/mailboxes/bob")
    town.call("PUT", "/v1/domains/x.test/mailboxes/bob", {"storage_mb": 500})
    town.call("POST", "/v1/domains/annex.test/reversal")
    assert found(town, "q=") == ["ann@x.test", "anna@x.test", "bob@x.test"]
    for size in (1, 200):
        assert found(town, f"q=&kind=sold&limit={size}") == sorted([*ALL, "bob@x.test"])
        assert found(town, f"q=annex&kind=sold&limit={size}") == ["ann@annex.test", "cat@annex.test"]
    rows = town.call("GET", "/v1/search?q=b&kind=sold").json["results"]
    now, before = (next(r for r in rows if r["state"] == state) for state in ("active", "deleted"))
    assert now["actions"] == ["upgrade", "downgrade", "imap", "rename", "suspend", "delete", "reverse"]
    assert before["actions"] == ["restore"]
    assert (before["gone_at"], before["undo_until"]) == ("2026-03-02T09:00:00Z", "2026-04-01T09:00:00Z")
    [cat] = town.call("GET", "/v1/search?q=cat&kind=sold").json["results"]
    assert (cat["state"], cat["domain_state"], cat["actions"]) == ("reversed", "reversed", ["undo_reversal"])
    town.order("annex.test", box("new", password=None), caller=town.other)
    [cat] = town.call("GET", "/v1/search?q=cat&kind=sold").json["results"]
    assert (cat["domain_state"], cat["actions"]) == (None, [])
    town.clock.advance(days=31)
    gone.purge(town.platform)
    [cat] = town.call("GET", "/v1/search?q=cat&kind=sold").json["results"]
    assert (cat["state"], cat["name"], cat["storage_mb"], cat["actions"]) == ("purged", "", 250, [])
    assert found(town, "q=susann&kind=sold") == [], "a purged one's name is forgotten"


def test_S12_a_rename_is_found_under_its_new_name_only(town: Registry) -> None:
    town.call("POST", "/v1/domains/x.test/mailboxes/bob/rename", {"local": "rob", "keep_alias": True})
    assert found(town, "q=bob&kind=sold") == []
    assert found(town, "q=rob&kind=sold") == ["rob@x.test"]


def test_S12_a_page_examines_so_many_and_no_more(town: Registry) -> None:
    with mock.patch.object(search, "EXAMINED", 2):
        first = town.call("GET", "/v1/search?q=cher").json
        assert (first["results"], bool(first["cursor"])) == ([], True)
        assert found(town, "q=cher") == ["anna@x.test"]


WRONG_PLACES = (
    ("ann", "elsewhere ann"),
    ("", "domain x"),
    ("ann", "zzz"),
    ("ann", "address zzz"),
    ("ann", "domain zzz"),
    ("ann", "anywhere ~~"),
    ("ann", "anywhere "),
    ("", "anywhere a"),
)


def test_a_search_that_cannot_be(town: Registry) -> None:
    for query in ("kind=dead", "q=" + "x" * 255, "limit=0", "cursor=x", "page=1"):
        problem(town.call("GET", f"/v1/search?{query}"), 400, "bad_request")
    for text, place in WRONG_PLACES:
        with pytest.raises(ServiceError) as refused:
            search.search(town.platform, "house", text, "live", 5, place)
        assert refused.value.kind == "bad_request"
    assert found(town, "q=x.test%23a&kind=sold") == []
