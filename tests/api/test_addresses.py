"""Aliases, forwards, lists, catch-all, auto-reply and the trace by the API (S22), for each role."""

from typing import Any

import pytest

from tests.registry import Registry

OWN = "/v1/domains/x.test"


@pytest.fixture
def house(registry: Registry) -> Registry:
    """x.test, live, with ann (admin) and bob."""
    registry.order()
    registry.set_state("x.test", "live")
    return registry


def types(house: Registry) -> list[str]:
    found = house.call("GET", f"{OWN}/audit").json["events"]
    return [e["type"] for e in found]


def test_S22_aliases_are_made_changed_listed_and_deleted(house: Registry) -> None:
    made = house.call("PUT", f"{OWN}/aliases/Robert", {"mailbox": "bob"})
    assert (made.status, made.json) == (
        201,
        {"local": "robert", "address": "robert@x.test", "mailbox": "bob"},
    )
    assert house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "ann"}).status == 200
    house.call("PUT", f"{OWN}/aliases/bo.b", {"mailbox": "bob"})
    first = house.call("GET", f"{OWN}/aliases?limit=1").json
    second = house.call("GET", f"{OWN}/aliases?limit=1&cursor={first['cursor']}").json
    assert [a["local"] for a in first["aliases"] + second["aliases"]] == ["bo.b", "robert"]
    assert house.call("DELETE", f"{OWN}/aliases/robert").status == 204
    assert house.call("GET", f"{OWN}/aliases/robert").status == 404
    assert types(house)[:4] == ["alias.deleted", "alias.created", "alias.changed", "alias.created"]


@pytest.mark.parametrize(
    ("local", "mailbox", "status"),
    [
        ("all", "bob", 409),
        ("emailadmin", "bob", 409),
        ("ann", "bob", 409),
        ("mailer-daemon", "bob", 409),
        ("postmaster", "bob", 201),
        ("a+b", "bob", 422),
        ("robert", "nobody", 422),
        ("robert", "bob+tag", 422),
        ("robert", "", 422),
    ],
)
def test_S22_which_names_an_alias_can_have(house: Registry, local: str, mailbox: str, status: int) -> None:
    assert house.call("PUT", f"{OWN}/aliases/{local}", {"mailbox": mailbox}).status == status


def test_S9_postmaster_comes_back(house: Registry) -> None:
    house.call("PUT", f"{OWN}/forwards/postmaster", {"to": ["zoe@far.test"]})
    assert house.call("PUT", f"{OWN}/lists/postmaster", {}).status == 409
    assert house.call("DELETE", f"{OWN}/forwards/postmaster").status == 204
    entry = house.platform.directory.lookup(["postmaster@x.test"])["postmaster@x.test"].entry
    assert getattr(entry, "kind", "") == "emailadmin"


def test_S22_forwards_have_1_to_20_targets(house: Registry) -> None:
    many = [f"p{i}@far.test" for i in range(21)]
    refused = house.call("PUT", f"{OWN}/forwards/office", {"to": many})
    assert (refused.status, refused.json["limit"], refused.json["used"]) == (422, 20, 21)
    assert house.call("PUT", f"{OWN}/forwards/office", {"to": many[:20]}).status == 201
    assert house.call("PUT", f"{OWN}/forwards/office", {"to": []}).status == 422
    wrong = house.call("PUT", f"{OWN}/forwards/office", {"to": ["bob@x.test", "no address", "office@x.test"]})
    assert [e["pointer"] for e in wrong.json["errors"]] == ["/to/1", "/to/2"]
    changed = house.call(
        "PUT", f"{OWN}/forwards/office", {"to": ["Zoe@bücher.example", "zoe@xn--bcher-kva.example"]}
    )
    assert changed.json["to"] == ["zoe@xn--bcher-kva.example"]


def test_S22_lists_keep_their_members_when_they_are_changed(house: Registry) -> None:
    made = house.call("PUT", f"{OWN}/lists/team", {"name": "The team", "posting": "members"})
    assert made.status == 201
    assert made.json["members"] == {"limit": 10_000, "used": 0, "remaining": 10_000, "unit": "members"}
    people = ["Ann@x.test", "bob+tag@x.test", "zoe@far.test"]
    assert house.call("PUT", f"{OWN}/lists/team/members", {"members": people}).json["outside"]["used"] == 1
    changed = house.call("PUT", f"{OWN}/lists/team", {"posting": "anyone"})
    assert (changed.status, changed.json["members"]["used"]) == (200, 3)
    house.call(
        "POST",
        f"{OWN}/lists/team/members",
        {"add": ["yan@far.test", "ann@x.test"], "remove": ["zoe@far.test"]},
    )
    assert house.call("DELETE", f"{OWN}/lists/team/members/bob@x.test").status == 204
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = house.call(
            "GET", f"{OWN}/lists/team/members?limit=1" + (f"&cursor={cursor}" if cursor else "")
        ).json
        found += page["members"]
        cursor = page["cursor"]
    assert sorted(m["address"] for m in found) == ["ann@x.test", "yan@far.test"]
    assert house.call("DELETE", f"{OWN}/lists/team").status == 204
    assert types(house)[:2] == ["list.deleted", "list.members-changed"]
    assert house.platform.directory.table.query("LIST#x.test#team").items == []


def test_S20_S22_who_can_be_a_member_and_how_many_outside(house: Registry) -> None:
    house.call("PUT", f"{OWN}/lists/team", {})
    unknown = house.call("PUT", f"{OWN}/lists/team/members", {"members": ["bob@x.test", "typo@x.test"]})
    assert [e["pointer"] for e in unknown.json["errors"]] == ["/members/1"]
    outside = [f"m{i}@far.test" for i in range(250)]
    refused = house.call("PUT", f"{OWN}/lists/team/members", {"members": outside})
    assert (refused.status, refused.json["limit"], refused.json["used"]) == (409, 249, 250)
    assert house.call("PUT", f"{OWN}/lists/team/members", {"members": outside[1:]}).status == 200


def test_S22_a_list_is_no_member_of_a_list(house: Registry) -> None:
    house.call("PUT", f"{OWN}/lists/team", {})
    house.call("PUT", f"{OWN}/lists/other", {})
    assert house.call("PUT", f"{OWN}/lists/team/members", {"members": ["other@x.test"]}).status == 422


def test_S22_catch_all(house: Registry) -> None:
    assert house.call("GET", f"{OWN}/catch-all").json == {"unknown": "bounce", "mailbox": None}
    assert house.call("PUT", f"{OWN}/catch-all", {"unknown": "deliver"}).status == 422
    assert house.call("PUT", f"{OWN}/catch-all", {"unknown": "drop", "mailbox": "bob"}).status == 422
    changed = house.call("PUT", f"{OWN}/catch-all", {"unknown": "deliver", "mailbox": "bob"})
    assert (
        changed.json == house.call("GET", f"{OWN}/catch-all").json == {"unknown": "deliver", "mailbox": "bob"}
    )
    assert house.call("PUT", f"{OWN}/catch-all", {"unknown": "drop"}).json["unknown"] == "drop"
    assert house.call("GET", f"{OWN}/mailboxes/anything").status == 404


def test_the_number_of_aliases_has_a_limit(house: Registry) -> None:
    key = {"pk": "DOMAIN#x.test", "sk": "META"}
    table = house.platform.directory.table
    item = table.get(key)
    assert item
    table.put({**item, "n_alias": 500})
    refused = house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "bob"})
    assert refused.status == 409
    assert (refused.json["limit"], refused.json["used"], refused.json["remaining"]) == (500, 500, 0)
    table.put({**item, "n_alias": 499})
    assert house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "bob"}).status == 201


def test_a_change_is_refused_when_it_is_not_as_it_was_read(house: Registry) -> None:
    made = house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "bob"}, headers={"If-None-Match": "*"})
    assert made.status == 201
    again = house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "ann"}, headers={"If-None-Match": "*"})
    assert again.status == 412
    tag = {"If-Match": str(made.headers["ETag"])}
    assert house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "ann"}, headers=tag).status == 200
    assert house.call("DELETE", f"{OWN}/aliases/robert", headers=tag).status == 412


def test_an_admin_does_the_same_within_the_own_domain_and_a_user_only_for_the_own_mailbox(
    house: Registry,
) -> None:
    ann, bob = house.token("ann@x.test"), house.token("bob@x.test")
    assert house.call("PUT", "/v1/admin/aliases/robert", {"mailbox": "bob"}, key=ann).status == 201
    assert house.call("GET", "/v1/admin/messages", key=ann).status == 200
    for path in ("aliases", "lists", "forwards", "catch-all", "misaddressed", "messages"):
        assert house.call("GET", f"/v1/admin/{path}", key=bob).status == 403
    own = house.call("PUT", "/v1/mailbox/forward", {"to": ["bob@far.test"], "keep_copy": False}, key=bob)
    assert own.json == {"to": ["bob@far.test"], "keep_copy": False}
    assert house.call("GET", "/v1/admin/mailboxes/bob/forward", key=ann).json == own.json
    assert house.call("PUT", "/v1/mailbox/forward", {"to": ["BOB@x.test"]}, key=bob).status == 422
    assert house.call("DELETE", "/v1/mailbox/forward", key=bob).status == 204
    assert house.call("GET", "/v1/mailbox/forward", key=bob).json == {"to": [], "keep_copy": True}


def test_S22_auto_reply_of_a_mailbox(house: Registry) -> None:
    bob = house.token("bob@x.test")
    said = {"enabled": True, "starts_at": "2026-03-02T10:00:00+01:00", "text": "Away"}
    set_ = house.call("PUT", "/v1/mailbox/auto-reply", said, key=bob)
    assert set_.json["starts_at"] == "2026-03-02T09:00:00Z"
    assert house.call("GET", f"{OWN}/mailboxes/bob/auto-reply").json == set_.json
    for wrong in ({"starts_at": "tomorrow"}, {"ends_at": "2026-03-02"}, {"ends_at": "2026-03-02T08:00:00Z"}):
        assert house.call("PUT", "/v1/mailbox/auto-reply", {**said, **wrong}, key=bob).status == 422
    assert house.call("DELETE", "/v1/mailbox/auto-reply", key=bob).status == 204
    assert house.call("GET", "/v1/mailbox/auto-reply", key=bob).json["enabled"] is False
    event = house.call("GET", f"{OWN}/audit").json["events"][0]
    assert (event["type"], "text" in event["before"]) == ("mailbox.auto-reply-changed", False)


def test_the_trace_is_the_domains_own(house: Registry) -> None:
    house.order("y.test", caller=house.other)
    for bad in ("nothing", "0000000000000-i-x", "1772442000000-o-%00"):
        assert house.call("GET", f"{OWN}/messages/{bad}").status == 404
    assert house.call("GET", "/v1/domains/y.test/messages").status == 404
    assert house.call("GET", f"{OWN}/messages?since=yesterday").status == 400
    assert house.call("GET", f"{OWN}/messages?since=2026-03-01T00:00:00Z&direction=out").status == 200
    assert house.call("GET", "/v1/operator/domains/x.test/messages", key=house.operator_key).status == 200


def test_S10_aliases_follow_a_rename_and_a_deletion_that_is_undone(house: Registry) -> None:
    house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "bob"})
    house.call("PUT", f"{OWN}/catch-all", {"unknown": "deliver", "mailbox": "bob"})
    assert (
        house.call("POST", f"{OWN}/mailboxes/bob/rename", {"local": "bobby", "keep_alias": True}).status
        == 200
    )
    found = {a["local"]: a["mailbox"] for a in house.call("GET", f"{OWN}/aliases").json["aliases"]}
    assert found == {"bob": "bobby", "robert": "bobby"}
    assert house.call("GET", f"{OWN}/catch-all").json["mailbox"] == "bobby"
    assert house.call("POST", f"{OWN}/mailboxes/bobby/rename", {"local": "robert"}).status == 200
    found = {a["local"]: a["mailbox"] for a in house.call("GET", f"{OWN}/aliases").json["aliases"]}
    assert found == {"bob": "robert"}
    assert house.call("POST", f"{OWN}/mailboxes/robert/rename", {"local": "ann"}).status == 409
    id = house.call("GET", f"{OWN}/mailboxes/robert").json["account_id"]
    assert house.call("DELETE", f"{OWN}/mailboxes/robert").status == 204
    assert house.call("GET", f"{OWN}/aliases/bob").json["mailbox"] is None
    assert house.platform.directory.lookup(["bob@x.test"])["bob@x.test"].entry is None
    assert house.call("POST", f"/v1/deleted-mailboxes/{id}/restore").status == 200
    assert house.call("GET", f"{OWN}/aliases/bob").json["mailbox"] == "robert"
    assert house.platform.addresses.count("x.test", "alias") == 1


def test_S10_a_reversed_domain_takes_its_addresses_along(house: Registry) -> None:
    house.call("PUT", f"{OWN}/lists/team", {"posting": "members"})
    house.call("PUT", f"{OWN}/lists/team/members", {"members": ["bob@x.test"]})
    house.call("PUT", f"{OWN}/aliases/robert", {"mailbox": "bob"})
    assert house.call("POST", f"{OWN}/reversal").status == 201
    assert house.call("PUT", f"{OWN}/lists/late", {}).status in (404, 409)
    house.order("x.test", caller=house.other)
    assert house.call("GET", f"{OWN}/aliases", key=house.other_key).json["aliases"] == []
    assert house.call("PUT", f"{OWN}/lists/team", {}, key=house.other_key).json["members"]["used"] == 0
    assert house.call("GET", f"{OWN}/lists/team/members", key=house.other_key).json["members"] == []
