"""S14 to S21 over HTTP: what a mailbox holds, its limits, and destroyed messages given back."""

from typing import Any

import pytest

from chalicelib import mime
from chalicelib.aws import clock as clocks
from chalicelib.rules.figures import MB
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import Account, Envelope, NewEmail, Submission
from chalicelib.services import mailbox, send
from chalicelib.store.mailbox_state import state_key
from tests.registry import PASSWORD, Registry

BOB = "bob@x.test"
QUOTA = 250 * MB
OTHERS = ["/v1/domains/x.test/mailboxes/bob", "/v1/admin/mailboxes/bob"]


@pytest.fixture
def live(registry: Registry) -> Registry:
    """x.test is live."""
    registry.order()
    registry.set_state("x.test", "live")
    return registry


def account(registry: Registry, address: str = BOB) -> Account:
    entry = registry.platform.directory.lookup([address])[address].entry
    assert isinstance(entry, Account)
    return entry


def fill(registry: Registry, used: int) -> None:
    """Make Bob's mailbox hold so many bytes, by its state item."""
    table = registry.platform.mailboxes._table
    item = table.get(state_key(account(registry).id))
    assert item
    table.put({**item, "used": used})


def letters(registry: Registry, count: int) -> list[str]:
    """So many messages in Bob's inbox; their ids."""
    acct, ids = account(registry).id, []
    for n in range(count):
        raw = (
            f"From: zoe@far.test\r\nSubject: secret {n}\r\nMessage-ID: <{n}@far.test>\r\n\r\nHi\r\n".encode()
        )
        blob = f"in/{n}"
        registry.platform.blobs.put(blob, raw)
        new = NewEmail(email_id(blob, acct), None, "inbox", blob, len(raw), clocks.now(), mime.digest(raw))
        mailbox.add(registry.platform, acct, [new], quota_bytes=None)
        ids.append(new.id)
    return ids


def key_for(registry: Registry, path: str) -> str:
    return registry.key if path.startswith("/v1/domains") else registry.token("ann@x.test")


# ------------------------------------------------------------------------------------------------ quota
def test_S14_the_figure_and_its_band(live: Registry) -> None:
    token = live.token(BOB)
    fill(live, QUOTA * 9 // 10)
    assert live.call("GET", "/v1/mailbox/quota", key=token).json == {
        "limit": QUOTA,
        "used": QUOTA * 9 // 10,
        "remaining": QUOTA // 10,
        "unit": "bytes",
        "resets_at": None,
        "percent": 90,
        "band": "warning",
        "alert": None,
    }


def test_S15_an_alert_at_log_in_and_every_ten_minutes(live: Registry) -> None:
    fill(live, QUOTA * 8 // 10)
    opened = live.call("POST", "/v1/sessions", {"address": BOB, "password": PASSWORD}, key=None).json
    assert "80 % full: 200 of 250 MB" in opened["quota"]["alert"]
    token = str(opened["token"])

    def alert() -> Any:
        return live.call("GET", "/v1/mailbox/quota", key=token).json["alert"]

    assert alert() is None
    live.clock.advance(seconds=599)
    assert alert() is None
    live.clock.advance(seconds=1)
    assert alert()
    assert alert() is None
    assert live.letters(BOB) == [], "S15: never an email"


def test_S18_webmail_stays_open_when_full_and_deleting_opens_the_rest(live: Registry) -> None:
    [id] = letters(live, 1)
    fill(live, QUOTA)
    token = live.token(BOB)
    shown = live.call("GET", "/v1/mailbox/quota", key=token)
    assert (shown.status, shown.json["band"]) == (200, "full")
    mailbox.destroy(live.platform, account(live).id, [id])
    assert live.call("GET", "/v1/mailbox/quota", key=token).json["band"] == "warning"


def test_S11_an_upgrade_is_shown_at_once_and_a_downgrade_can_warn(live: Registry) -> None:
    token = live.token(BOB)
    fill(live, QUOTA * 95 // 100)
    path = "/v1/domains/x.test/mailboxes/bob"
    assert live.call("PATCH", path, {"storage_mb": 500}).status == 200
    assert live.call("GET", "/v1/mailbox/quota", key=token).json["band"] == "ok"
    assert live.letters(BOB) == []
    assert live.call("PATCH", path, {"storage_mb": 250}).status == 200
    [warning] = live.letters(BOB)
    assert "Subject: Your mailbox is 95 % full" in warning
    assert "From: House Mail <postmaster@x.test>" in warning


# ------------------------------------------------------------------------------------------------ limits
def sent(registry: Registry, number: int) -> None:
    raw = b"From: bob@x.test\r\nTo: zoe@far.test\r\nSubject: hi\r\n\r\nHi\r\n"
    blob = f"own/{number}"
    registry.platform.blobs.put(blob, raw)
    who, to = account(registry), Envelope(BOB, ("zoe@far.test",))
    send.submit(
        registry.platform, Submission(f"s{number}", who, to, blob, len(raw), f"{number}@x.test", "webmail")
    )


@pytest.mark.parametrize("path", ["/v1/mailbox", *OTHERS])
def test_S19_S20_S21_every_limit_and_what_is_used_of_it(live: Registry, path: str) -> None:
    for number in range(3):
        sent(live, number)
        live.clock.advance(seconds=10)
    key = live.token(BOB) if path == "/v1/mailbox" else key_for(live, path)
    found = live.call("GET", f"{path}/limits", key=key).json
    assert found["storage"]["limit"] == QUOTA
    rate = {"limit": 10, "used": 3, "remaining": 7, "unit": "messages/minute"}
    assert found["webmail_rate"] == rate | {"resets_at": "2026-03-02T09:01:00Z"}
    assert found["client_rate"]["remaining"] == 30
    limits = {name: found[name]["limit"] for name in ("message_size", "recipients", "attachments")}
    assert limits == {"message_size": 25 * MB, "recipients": 250, "attachments": 4}
    live.clock.advance(seconds=31)
    assert live.call("GET", f"{path}/limits", key=key).json["webmail_rate"]["used"] == 2


# --------------------------------------------------------------------------------------------- undelete
def test_the_owner_sees_what_was_destroyed_and_others_only_when(live: Registry) -> None:
    ids = letters(live, 3)
    mailbox.destroy(live.platform, account(live).id, ids)
    own = live.call("GET", "/v1/mailbox/deleted-messages", key=live.token(BOB)).json["messages"]
    assert {m["subject"] for m in own} == {"secret 0", "secret 1", "secret 2"}
    assert own[0] == {
        "id": ids[0],
        "deleted_at": "2026-03-02T09:00:00Z",
        "restorable_until": "2026-03-16T09:00:00Z",
        "size": own[0]["size"],
        "subject": "secret 0",
        "sender": "zoe@far.test",
        "received_at": "2026-03-02T09:00:00Z",
        "folder": "Inbox",
    }
    for path in OTHERS:
        answer = live.call("GET", f"{path}/deleted-messages", key=key_for(live, path))
        assert [m["id"] for m in answer.json["messages"]] == ids
        assert not any(word in answer.text for word in ("secret", "far.test", "Inbox"))


@pytest.mark.parametrize("path", ["/v1/mailbox", *OTHERS])
def test_messages_are_given_back_by_id_and_by_time(live: Registry, path: str) -> None:
    ids, acct = letters(live, 4), account(live).id
    key = live.token(BOB) if path == "/v1/mailbox" else key_for(live, path)
    mailbox.destroy(live.platform, acct, ids[:2])
    live.clock.advance(hours=1)
    mailbox.destroy(live.platform, acct, ids[2:])
    restore = f"{path}/deleted-messages/restore"
    answer = live.call("POST", restore, {"ids": [ids[0], "mnone"]}, key=key)
    assert answer.json == {"restored": [ids[0]], "over_quota": [], "not_found": ["mnone"], "more": False}
    answer = live.call("POST", restore, {"since": "2026-03-02T10:30:00+01:00"}, key=key)
    assert answer.json["restored"] == ids[2:]
    page = live.call("GET", f"{path}/deleted-messages", key=key).json
    assert [m["id"] for m in page["messages"]] == ids[1:2]
    events, _ = live.platform.journal.page("house", 10, domain="x.test", newest_first=True)
    assert [e.type for e in events][:2] == ["messages.restored"] * 2


def test_pages_of_what_was_destroyed(live: Registry) -> None:
    ids, token = letters(live, 5), live.token(BOB)
    mailbox.destroy(live.platform, account(live).id, ids)
    first = live.call("GET", "/v1/mailbox/deleted-messages?limit=3", key=token).json
    more = f"/v1/mailbox/deleted-messages?limit=3&cursor={first['cursor']}"
    second = live.call("GET", more, key=token).json
    assert [m["id"] for m in first["messages"] + second["messages"]] == ids
    assert second["cursor"] is None
    assert live.call("GET", "/v1/mailbox/deleted-messages?cursor=abc", key=token).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": ["m1"], "since": "2026-03-01T00:00:00Z"},
        {"since": "yesterday"},
        {"since": "2026-03-01T00:00:00"},
        {"ids": []},
        {"ids": ["m" * 65]},
        {"ids": [""]},
        {"ids": ["m1"] * 501},
    ],
)
def test_a_restoration_of_another_shape(live: Registry, body: Any) -> None:
    answer = live.call("POST", "/v1/mailbox/deleted-messages/restore", body, key=live.token(BOB))
    assert (answer.status, answer.json["code"]) == (422, "invalid")


def test_a_key_of_another_house_or_without_the_scope_sees_nothing(live: Registry) -> None:
    path = "/v1/domains/x.test/mailboxes/bob"
    for place in ("limits", "deleted-messages"):
        assert live.call("GET", f"{path}/{place}", key=live.other_key).status == 404
        assert live.call("GET", f"/v1/admin/mailboxes/bob/{place}", key=live.token(BOB)).status == 403
    restore = f"{path}/deleted-messages/restore"
    assert live.call("POST", restore, {"ids": ["m1"]}, key=live.other_key).status == 404
