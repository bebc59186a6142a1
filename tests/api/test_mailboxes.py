"""S10, S11: mailboxes made, changed, renamed, deleted and restored, through the API."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import mime
from chalicelib.aws import clock as clocks
from chalicelib.rules.figures import MB
from chalicelib.rules.ledger import Entry
from chalicelib.rules.values import Account, NewEmail
from chalicelib.services import accounts, cleanup, gone, mailbox
from tests.api.test_reseller import problem
from tests.registry import PASSWORD, Answer, Registry, box

BOXES = "/v1/domains/x.test/mailboxes"
BOB = f"{BOXES}/bob"
EVE = f"{BOXES}/eve"


@pytest.fixture
def town(registry: Registry) -> Registry:
    """x.test, live, with ann (admin) and bob."""
    registry.order()
    registry.set_state("x.test", "live")
    return registry


def ledger(town: Registry, kind: str = "", reseller: str = "house") -> list[Entry]:
    """All that was written for billing, or those of a kind; oldest first."""
    now = clocks.now() + timedelta(seconds=1)
    since = datetime(2026, 1, 1, tzinfo=now.tzinfo)
    found = town.platform.ledger.entries(reseller, (since, now))
    return [entry for entry in found if kind in ("", entry.kind)]


def told(town: Registry) -> list[str]:
    """Kinds of ledger entries after the order; those of one moment are in no order."""
    return sorted(entry.kind for entry in ledger(town) if entry.kind != "ordered")


def events(town: Registry) -> list[dict[str, Any]]:
    """The domain's audit, newest first."""
    found: list[dict[str, Any]] = town.call("GET", "/v1/domains/x.test/audit").json["events"]
    return found


def entry(town: Registry, address: str) -> Account | None:
    """The mailbox that an address reaches."""
    found = town.platform.directory.lookup([address])[address].entry
    return found if isinstance(found, Account) else None


def use(town: Registry, address: str, used: int) -> None:
    """Make a mailbox hold so many bytes, by its state item."""
    account = entry(town, address)
    assert account
    table = town.platform.outbox._table
    item = table.get({"pk": f"A#{account.id}", "sk": "STATE"})
    assert item
    table.put({**item, "used": used})


def letter(town: Registry, account: Account) -> str:
    """A message in a mailbox's inbox; its blob."""
    p, raw = town.platform, b"Subject: kept\r\n\r\nhello\r\n"
    blob, digest = mailbox.keep_raw(p, raw), mime.digest(raw)
    new = NewEmail(f"m{account.id}", None, "inbox", blob, len(raw), clocks.now(), digest)
    mailbox.add(p, account.id, [new], quota_bytes=None)
    return blob


def login(town: Registry, address: str, password: str = PASSWORD) -> Answer:
    return town.call("POST", "/v1/sessions", {"address": address, "password": password}, key=None)


# -------------------------------------------------------------------------------------------- making
def test_S3_a_mailbox_added_later_works_at_once_and_is_billed(town: Registry) -> None:
    body = {"password": PASSWORD, "name": "Eve", "imap": True, "storage_mb": 750}
    made = town.call("PUT", f"{BOXES}/Eve", body)
    assert made.status == 201
    assert (made.json["address"], made.json["storage_mb"], made.json["imap"]) == ("eve@x.test", 750, True)
    assert login(town, "eve@x.test").status == 201
    assert town.letters("eve@x.test") == []
    assert told(town) == ["created"]
    [line] = ledger(town, "created")[0].lines
    assert (line.address, line.base_mills, line.steps, line.step_mills) == ("eve@x.test", 300, 2, 100)
    assert events(town)[0]["type"] == "mailbox.created"
    assert events(town)[0]["after"]["storage_mb"] == 750
    assert PASSWORD not in str(events(town))
    assert town.call("GET", EVE).json == made.json


def test_put_replaces_all_settings_and_a_repeat_changes_nothing(town: Registry) -> None:
    body = {"password": PASSWORD, "name": "Eve", "storage_mb": 500}
    first = town.call("PUT", EVE, body).json
    again = town.call("PUT", EVE, body)
    assert (again.status, again.json) == (200, first)
    replaced = town.call("PUT", EVE, {"admin": True}).json
    assert (replaced["name"], replaced["storage_mb"], replaced["admin"]) == ("", 250, True)
    assert replaced["account_id"] == first["account_id"]
    assert login(town, "eve@x.test").status == 201
    assert told(town) == ["created", "resized"]


def test_put_under_conditions(town: Registry) -> None:
    only_new = {"If-None-Match": "*"}
    problem(town.call("PUT", BOB, {}, headers=only_new), 412, "precondition_failed")
    assert town.call("PUT", EVE, {}, headers=only_new).status == 201
    tag = town.call("GET", EVE).headers["ETag"]
    assert town.call("PATCH", EVE, {"name": "E"}, headers={"If-Match": tag}).status == 200
    problem(town.call("PATCH", EVE, {"name": "F"}, headers={"If-Match": tag}), 412, "precondition_failed")
    problem(town.call("DELETE", EVE, headers={"If-Match": tag}), 412, "precondition_failed")


def test_put_of_what_cannot_be(town: Registry) -> None:
    for local, body, pointer in (
        ("emailadmin", {}, "/local"),
        ("a+b", {}, "/local"),
        ("eve", {"storage_mb": 300}, "/storage_mb"),
        ("eve", {"storage_mb": 5_250}, "/storage_mb"),
        ("eve", {"password": "x"}, "/password"),
        ("eve", {"password": "password1"}, "/password"),
        ("eve", {"recovery_address": "x"}, "/recovery_address"),
        ("eve", {"name": None}, "/name"),
    ):
        found = problem(town.call("PUT", f"{BOXES}/{local}", body), 422, "invalid")
        assert [e["pointer"] for e in found["errors"]] == [pointer], (local, body)
    town.call("PUT", "/v1/domains/x.test/aliases/info", {"mailbox": "bob"})
    problem(town.call("PUT", f"{BOXES}/info", {}), 409, "conflict")
    assert told(town) == []


def test_S3_an_order_left_before_its_mailbox_is_made_is_finished_by_the_clock(town: Registry) -> None:
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(mailbox, "create", lambda *_: 1 / 0)
        problem(town.call("PUT", EVE, {}), 500, "internal")
    account = entry(town, "eve@x.test")
    assert account
    assert town.call("GET", EVE).json["storage"]["used"] == 0
    gone.mend(town.platform)
    assert town.letters("eve@x.test") == []
    assert town.platform.gone.begun() == []


# -------------------------------------------------------------------------------------------- changing
def test_S11_storage_in_steps_at_their_price_and_at_once_in_force(town: Registry) -> None:
    token = town.token("bob@x.test")
    for size, steps in ((500, 1), (5_000, 19), (250, 0)):
        changed = town.call("PATCH", BOB, {"storage_mb": size}).json
        assert changed["storage"]["limit"] == size * MB
        assert town.call("GET", "/v1/mailbox/quota", key=token).json["limit"] == size * MB
        town.clock.advance(seconds=1)
        assert [line.steps for line in ledger(town, "resized")[-1].lines] == [steps]
    assert told(town) == ["resized"] * 3
    assert {e["type"] for e in events(town)[:3]} == {"mailbox.resized"}


def test_S11_a_downgrade_to_what_is_used_exactly_but_not_below(town: Registry) -> None:
    town.call("PATCH", BOB, {"storage_mb": 1_000})
    use(town, "bob@x.test", 500 * MB)
    refused = problem(town.call("PATCH", BOB, {"storage_mb": 250}), 409, "over_quota")
    assert (refused["limit"], refused["used"], refused["unit"]) == (250 * MB, 500 * MB, "bytes")
    assert town.call("PATCH", BOB, {"storage_mb": 500}).json["storage"]["remaining"] == 0
    use(town, "bob@x.test", 250 * MB + 1)
    problem(town.call("PUT", BOB, {}), 409, "over_quota")


def test_S11_imap_is_free(town: Registry) -> None:
    assert town.call("PATCH", BOB, {"imap": True}).json["imap"] is True
    assert told(town) == []
    changed = events(town)[0]
    assert (changed["type"], changed["before"], changed["after"]) == (
        "mailbox.changed",
        {"imap": False},
        {"imap": True},
    )


def test_a_merge_patch_leaves_what_it_does_not_name(town: Registry) -> None:
    town.call("PATCH", BOB, {"name": "Bob", "recovery_address": "B@Home.test"})
    changed = town.call("PATCH", BOB, {"recovery_address": None}).json
    assert (changed["name"], changed["recovery_address"]) == ("Bob", None)
    before = len(events(town))
    assert town.call("PATCH", BOB, {}).status == 200
    assert town.call("PATCH", BOB, {"name": "Bob"}).status == 200
    assert len(events(town)) == before, "what changes nothing is no change"
    problem(town.call("PATCH", BOB, {"storage_mb": None}), 422, "invalid")


def test_an_email_admin_changes_what_costs_nothing(town: Registry) -> None:
    ann = town.token("ann@x.test")
    bob = "/v1/admin/mailboxes/bob"
    listed = town.call("GET", "/v1/admin/mailboxes", key=ann).json["mailboxes"]
    assert [m["local"] for m in listed] == ["ann", "bob"]
    assert town.call("PATCH", bob, {"name": "Bobby", "admin": True}, key=ann).json["admin"] is True
    assert events(town)[0]["actor"] == "admin:ann@x.test"
    for patch in ({"storage_mb": 500}, {"imap": True}, {"imap": True, "name": "x"}):
        problem(town.call("PATCH", bob, patch, key=ann), 403, "forbidden")
    problem(town.call("PATCH", f"{bob}?dry_run=true", {"name": "x"}, key=ann), 403, "forbidden")
    problem(town.call("PUT", "/v1/admin/mailboxes/eve", {}, key=ann), 405, "method_not_allowed")
    problem(town.call("DELETE", bob, key=ann), 405, "method_not_allowed")


def test_a_domain_keeps_one_email_admin_but_for_its_reseller(town: Registry) -> None:
    ann = town.token("ann@x.test")
    own = "/v1/admin/mailboxes/ann"
    problem(town.call("PATCH", own, {"admin": False}, key=ann), 409, "conflict")
    town.call("PATCH", "/v1/admin/mailboxes/bob", {"admin": True}, key=ann)
    assert town.call("PATCH", own, {"admin": False}, key=ann).json["admin"] is False
    assert town.call("PATCH", BOB, {"admin": False}).json["admin"] is False


# -------------------------------------------------------------------------------------------- renaming
def test_S10_a_rename_keeps_mail_password_session_and_aliases(town: Registry) -> None:
    town.call("PUT", "/v1/domains/x.test/aliases/b", {"mailbox": "bob"})
    town.call("PATCH", BOB, {"recovery_address": "b@home.test", "imap": True})
    before, token = town.call("GET", BOB).json, town.token("bob@x.test")
    renamed = town.call("POST", f"{BOB}/rename", {"local": "Robert", "keep_alias": True}).json
    assert renamed == {**before, "address": "robert@x.test", "local": "robert"}
    assert login(town, "robert@x.test").status == 201
    town.clock.advance(seconds=16)
    assert town.call("GET", "/v1/mailbox/quota", key=token).status == 200
    for name in ("robert", "bob", "b"):
        reached = entry(town, f"{name}@x.test")
        assert reached, name
        assert reached.address == "robert@x.test"
    problem(town.call("GET", BOB), 404, "not_found")
    assert told(town) == ["renamed"]
    back = town.call("POST", f"{BOXES}/robert/rename", {"local": "bob"})
    assert (back.status, back.json["address"]) == (200, "bob@x.test"), "its own alias is no obstacle"
    assert entry(town, "robert@x.test") is None


def test_S10_a_suspended_mailbox_stays_so_under_any_name_and_over_a_deletion(town: Registry) -> None:
    bob = town.call("GET", BOB).json["account_id"]
    town.call("PUT", f"{BOB}/suspension", {"reason": "unpaid"})
    renamed = town.call("POST", f"{BOB}/rename", {"local": "rob"}).json
    assert (renamed["state"], renamed["holds"]) == ("suspended", ["reseller"])
    town.call("DELETE", f"{BOXES}/rob")
    assert town.call("POST", f"/v1/deleted-mailboxes/{bob}/restore").json == renamed


def test_S10_a_rename_to_what_is_in_use_is_refused(town: Registry) -> None:
    town.call("PUT", "/v1/domains/x.test/aliases/a", {"mailbox": "ann"})
    for local in ("ann", "a"):
        problem(town.call("POST", f"{BOB}/rename", {"local": local}), 409, "conflict")
    for local in ("all", "postmaster", "b b", ""):
        problem(town.call("POST", f"{BOB}/rename", {"local": local}), 422, "invalid")
    assert town.call("POST", f"{BOB}/rename", {"local": "bob"}).status == 200
    assert told(town) == []


# -------------------------------------------------------------------------------------------- the end
def test_a_deleted_mailbox_is_nobodys_and_comes_back_as_it_was(town: Registry) -> None:
    p = town.platform
    town.call("PATCH", BOB, {"imap": True, "storage_mb": 500, "recovery_address": "b@home.test"})
    before, token = town.call("GET", BOB).json, town.token("bob@x.test")
    stored = p.holdings.item(entry(town, "bob@x.test"))  # type: ignore[arg-type]
    assert town.call("DELETE", BOB).status == 204
    assert entry(town, "bob@x.test") is None
    problem(town.call("DELETE", BOB), 404, "not_found")
    problem(login(town, "bob@x.test"), 401, "bad_credentials")
    problem(town.call("GET", "/v1/mailbox/quota", key=token), 401, "unauthenticated")
    [kept] = town.call("GET", "/v1/deleted-mailboxes").json["deleted_mailboxes"]
    assert (kept["address"], kept["reason"], kept["undo_until"]) == (
        "bob@x.test",
        "deleted",
        "2026-04-01T09:00:00Z",
    )
    town.clock.advance(days=30, seconds=-1)
    restored = town.call("POST", f"/v1/deleted-mailboxes/{kept['account_id']}/restore")
    assert (restored.status, restored.json) == (200, before)
    assert p.holdings.item(entry(town, "bob@x.test")) == stored  # type: ignore[arg-type]
    assert login(town, "bob@x.test").status == 201
    assert told(town) == ["removed", "resized", "restored"]
    assert [e["type"] for e in events(town)[:2]] == ["mailbox.restored", "mailbox.deleted"]
    assert town.call("GET", "/v1/deleted-mailboxes").json["deleted_mailboxes"] == []
    town.clock.advance(days=2)
    assert gone.purge(p) == 0
    assert town.letters("bob@x.test") == []


def test_a_deleted_mailbox_is_gone_for_good_on_day_31(town: Registry) -> None:
    p = town.platform
    account = entry(town, "bob@x.test")
    assert account
    blob = letter(town, account)
    town.call("DELETE", BOB)
    town.clock.advance(days=29)
    assert gone.purge(p) == 0
    assert mailbox.folders(p, account.id)
    town.clock.advance(days=2)
    back = f"/v1/deleted-mailboxes/{account.id}/restore"
    problem(town.call("POST", back), 409, "conflict")
    assert gone.purge(p) == 1
    assert gone.purge(p) == 0
    assert list(p.mailboxes.items(account.id)) == []
    problem(town.call("POST", back), 409, "conflict")
    [kept] = town.call("GET", "/v1/deleted-mailboxes").json["deleted_mailboxes"]
    assert (kept["purged"], kept["name"], kept["address"]) == (True, "", "bob@x.test")
    town.clock.advance(days=17)
    cleanup.run(p)
    assert p.blobs.head(blob) is None, "blobs go with their own clean-up"


def test_a_restore_is_refused_where_the_name_was_taken(town: Registry) -> None:
    bob = town.call("GET", BOB).json["account_id"]
    back = f"/v1/deleted-mailboxes/{bob}/restore"
    town.call("DELETE", BOB)
    fresh = town.call("PUT", BOB, {"password": PASSWORD})
    assert fresh.status == 201
    assert fresh.json["account_id"] != bob
    problem(town.call("POST", back), 409, "conflict")
    town.call("POST", f"{BOB}/rename", {"local": "bob2"})
    assert town.call("POST", back).json["account_id"] == bob


def test_nobody_else_sees_or_restores_what_is_gone(town: Registry) -> None:
    bob = town.call("GET", BOB).json["account_id"]
    ann = town.call("GET", f"{BOXES}/ann").json["account_id"]
    town.call("DELETE", BOB)
    path = "/v1/deleted-mailboxes"
    assert town.call("GET", path, key=town.other_key).json["deleted_mailboxes"] == []
    foreign = town.call("POST", f"{path}/{bob}/restore", key=town.other_key)
    assert problem(foreign, 404, "not_found")
    for absent in ("nobody", ann):
        assert town.call("POST", f"{path}/{absent}/restore", key=town.other_key).text == foreign.text
    other = accounts.issue_key(town.platform, "house", ["mailboxes:write@y.test"])
    problem(town.call("POST", f"{path}/{bob}/restore", key=other), 403, "forbidden")


# -------------------------------------------------------------------------------------------- prices, many
def test_S13_a_dry_run_says_what_the_ledger_would_and_changes_nothing(town: Registry) -> None:
    def monthly(answer: Answer) -> tuple[int, int]:
        assert answer.status == 200, answer
        return answer.json["monthly"]["before_mills"], answer.json["monthly"]["after_mills"]

    town.clock.advance(seconds=1)
    assert monthly(town.call("PUT", f"{EVE}?dry_run=true", {"storage_mb": 500})) == (600, 1_000)
    assert monthly(town.call("PUT", f"{BOB}?dry_run=true", {"storage_mb": 500})) == (600, 700)
    assert monthly(town.call("PATCH", f"{BOB}?dry_run=true", {"storage_mb": 5_000})) == (600, 2_500)
    assert monthly(town.call("PATCH", f"{BOB}?dry_run=true", {"imap": True})) == (600, 600)
    assert monthly(town.call("DELETE", f"{BOB}?dry_run=true")) == (600, 300)
    assert monthly(town.call("POST", "/v1/domains/x.test/reversal?dry_run=true")) == (600, 0)
    order = {"domain": "y.test", "mailboxes": [{"local": "a", "storage_mb": 1_000}]}
    assert monthly(town.call("POST", "/v1/orders?dry_run=true", order)) == (600, 1_200)
    problem(town.call("POST", "/v1/orders?dry_run=true", {**order, "domain": "x.test"}), 409, "conflict")
    problem(town.call("PATCH", f"{BOB}?dry_run=true", {"storage_mb": 1}), 422, "invalid")
    assert told(town) == []
    assert town.platform.directory.domain("y.test") is None
    assert [e["type"] for e in events(town)] == ["domain.ordered"]
    town.call("PUT", EVE, {"storage_mb": 500})
    town.clock.advance(seconds=1)
    assert monthly(town.call("DELETE", f"{EVE}?dry_run=true")) == (1_000, 600)


def statuses(answer: Answer) -> list[str]:
    """What became of each row."""
    return [row["status"] for row in csv.DictReader(io.StringIO(answer.text))]


def test_many_rows_each_by_itself_and_again_the_same(town: Registry) -> None:
    lines = "local,storage_mb,password\neve,500,under the old elm\nbob,250,\nall,250,\ncat,300,\n"
    first = town.call("POST", f"{BOXES}/bulk", raw=lines, headers={"Content-Type": "text/csv"})
    assert first.status == 200, first
    assert statuses(first) == ["201", "200", "422", "422"]
    again = town.call("POST", f"{BOXES}/bulk", raw=lines, headers={"Content-Type": "text/csv"})
    assert statuses(again) == ["200", "200", "422", "422"]
    assert told(town) == ["created"]
    assert login(town, "eve@x.test", "under the old elm").status == 201


def test_orders_come_newest_first_in_pages(town: Registry) -> None:
    for number in range(3):
        town.clock.advance(minutes=1)
        town.order(f"d{number}.test", box("ann", password=None))
    first = town.call("GET", "/v1/orders?limit=3").json
    rest = town.call("GET", f"/v1/orders?cursor={first['cursor']}").json
    found = [order["domain"] for page in (first, rest) for order in page["orders"]]
    assert found == ["d2.test", "d1.test", "d0.test", "x.test"]
    assert rest["cursor"] is None
    assert town.call("GET", "/v1/orders", key=town.other_key).json["orders"] == []


def test_S1_a_domain_shows_a_brand_of_its_own_reseller_only(town: Registry) -> None:
    path = "/v1/domains/x.test"
    town.call("PUT", "/v1/brands/gold", {"product": "Gold Mail"})
    town.call("PUT", "/v1/brands/tin", {"product": "Tin Mail"}, key=town.other_key)
    assert town.call("PATCH", path, {"brand": "gold"}).json["brand"] == "gold"
    changed = events(town)[0]
    assert (changed["type"], changed["after"]) == ("domain.changed", {"brand": "gold"})
    for name in ("tin", "nothing", "other"):
        problem(town.call("PATCH", path, {"brand": name}), 422, "invalid")
    assert town.call("PATCH", path, {"brand": None}).json["brand"] is None
