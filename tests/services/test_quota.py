"""Mailboxes that fill up: S14 to S18 as deliveries, log-ins and the hourly warnings meet them."""

from dataclasses import replace

import pytest

from chalicelib.aws.table import Update
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import Brand
from chalicelib.rules.quota import ClientDoor
from chalicelib.rules.values import Account, Change
from chalicelib.services import accounts, mailbox, quota
from chalicelib.store.records import address_key
from tests.services.post import Post, letter

BOB = "bob@x.test"
QUOTA = 250 * MB
LINE = QUOTA * 9 // 10  # S16
CLOSED: tuple[ClientDoor, ...] = ("imap", "pop3")
EVERY: tuple[ClientDoor, ...] = (*CLOSED, "smtp")


def resize(post: Post, megabytes: int) -> Account:
    """An upgrade or downgrade in the directory; the account as somebody logged in before it still has it."""
    post.p.directory.table.update(Update(address_key("x.test", "bob"), set={"mb": megabytes}))
    return post.accounts[BOB]


def arrive(post: Post, name: str, size: int = 1_000) -> bytes:
    """A message of so many bytes comes to Bob."""
    raw = letter("zoe@far.test", [BOB], name)
    raw += b"x" * (size - len(raw))
    post.arrive(raw, BOB, ses_id=name.replace(" ", ""))
    return raw


def subjects(post: Post) -> list[str]:
    lines = [line for raw in post.inbox(BOB) for line in raw.decode().splitlines()]
    return [line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: ")]


def alerts(post: Post, door: ClientDoor, account: Account | None = None) -> bool:
    found = quota.alert(post.p, account or post.accounts[BOB], door)
    return found is not None


def used(post: Post) -> int:
    return mailbox.state(post.p, post.accounts[BOB].id).used_bytes


# -------------------------------------------------------------------------------------------- S17, S18
def test_S17_246_of_250_MB_and_6_MB_bounce_and_3_MB_are_delivered(post: Post) -> None:
    post.fill(BOB, 246 * MB)
    arrive(post, "six", 6 * MB)
    [told] = post.mail.told
    assert [(r.status, r.text) for r in told.recipients] == [("5.2.2", "quota exceeded")]
    arrive(post, "three", 3 * MB)
    assert len(post.mail.told) == 1
    assert "three" in subjects(post)
    assert "six" not in subjects(post)


def test_S18_at_100_percent_every_message_bounces_until_room_is_made(post: Post) -> None:
    arrive(post, "old")
    post.fill(BOB, QUOTA)
    arrive(post, "late")
    assert [told.original for told in post.mail.told] == ["late"]
    [row] = mailbox.page(post.p, post.accounts[BOB].id, "f1", 10).rows
    mailbox.destroy(post.p, post.accounts[BOB].id, [row.id])
    arrive(post, "after", size=900)
    assert "after" in subjects(post), "S14: open again at once"


def test_S11_an_upgrade_opens_at_once_for_who_logged_in_before_it(post: Post) -> None:
    post.fill(BOB, QUOTA)
    assert alerts(post, "pop3")
    before = resize(post, 500)
    assert not alerts(post, "pop3", before)
    assert quota.storage(post.p, before).limit == 500 * MB
    arrive(post, "welcome")
    assert subjects(post) == ["welcome"]


def test_S14_trash_counts(post: Post) -> None:
    raw = arrive(post, "binned", 5_000)
    [row] = mailbox.page(post.p, post.accounts[BOB].id, "f1", 10).rows
    mailbox.update(post.p, post.accounts[BOB].id, {row.id: Change(folder="f5")})
    assert quota.storage(post.p, post.accounts[BOB]).used == len(raw)


# ------------------------------------------------------------------------------------------------- S15
@pytest.mark.parametrize(
    ("used", "alerted"),
    [(QUOTA * 8 // 10 - 1, False), (QUOTA * 8 // 10, True), (LINE - 1, True), (LINE, False), (QUOTA, True)],
)
def test_S15_alerts_from_80_to_90_percent_and_S18_when_full(post: Post, used: int, alerted: bool) -> None:
    post.fill(BOB, used)
    assert alerts(post, "smtp") is alerted


def test_S15_one_refusal_in_ten_minutes_by_the_clock_that_clients_share(post: Post) -> None:
    post.fill(BOB, QUOTA * 85 // 100)
    assert alerts(post, "imap")
    assert not any(alerts(post, door) for door in EVERY)
    post.clock.advance(seconds=599)
    assert not alerts(post, "pop3")
    post.clock.advance(seconds=1)
    assert [alerts(post, "pop3"), alerts(post, "smtp")] == [True, False]
    post.fill(BOB, QUOTA * 79 // 100)
    post.clock.advance(minutes=11)
    assert not alerts(post, "pop3")


def test_S15_of_two_at_the_same_moment_one_is_refused(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.fill(BOB, QUOTA * 85 // 100)
    marks, bob = post.p.mailboxes.marks, post.accounts[BOB]
    assert marks.alerted(bob.id, "clients") is None
    monkeypatch.setattr(marks, "alerted", lambda *_: None)  # both have read before either wrote
    assert [alerts(post, "imap"), alerts(post, "pop3")] == [True, False]


def test_S15_webmail_has_a_clock_of_its_own_and_an_alert_at_each_log_in(post: Post) -> None:
    bob = post.accounts[BOB]
    post.fill(BOB, QUOTA * 85 // 100)
    assert alerts(post, "imap")
    held = quota.storage(post.p, bob)
    assert quota.webmail_alert(post.p, bob, held, at_login=True)
    assert quota.webmail_alert(post.p, bob, held) is None
    post.clock.advance(minutes=9)
    assert quota.webmail_alert(post.p, bob, held, at_login=True), "another log-in"
    post.clock.advance(minutes=9)
    assert quota.webmail_alert(post.p, bob, held) is None
    post.clock.advance(minutes=1)
    assert quota.webmail_alert(post.p, bob, held)
    assert post.inbox(BOB) == [], "S15: never an email"


def test_S18_when_full_IMAP_and_POP3_are_closed_each_time_and_SMTP_once(post: Post) -> None:
    post.fill(BOB, QUOTA)
    for _ in range(3):
        for found in (quota.alert(post.p, post.accounts[BOB], door) for door in CLOSED):
            assert found
            assert found.closed
            assert "full" in found.text
    assert [alerts(post, "smtp"), alerts(post, "smtp")] == [True, False]


# ------------------------------------------------------------------------------------------------- S16
def test_S16_a_warning_when_the_line_is_crossed_and_not_below_it(post: Post) -> None:
    post.fill(BOB, LINE - 1_001)
    arrive(post, "below", 1_000)
    assert subjects(post) == ["below"]
    arrive(post, "across", 1)
    assert subjects(post)[-1] == "Your mailbox is 90 % full"
    assert len(subjects(post)) == 3
    arrive(post, "above", 1_000)
    assert len(subjects(post)) == 4, "one a day"


def test_S16_it_is_delivered_where_the_quota_would_refuse_it(post: Post) -> None:
    resize(post, 100)
    post.fill(BOB, 90 * MB - 1)
    arrive(post, "nearly all", 10 * MB)
    assert used(post) > 100 * MB
    assert sorted(subjects(post)) == ["Your mailbox is 99 % full", "nearly all"]


def test_S16_again_each_day_while_above_and_no_more_below(post: Post) -> None:
    post.fill(BOB, LINE)
    arrive(post, "no crossing")
    assert quota.warn_all(post.p) == 0, "S16: nothing is known of it, so nothing is read"
    post.fill(BOB, LINE - 1)
    arrive(post, "across")
    for _ in range(3):
        post.clock.advance(days=1)
        quota.warn_all(post.p)
        quota.warn_all(post.p)
    assert sum("full" in s for s in subjects(post)) == 4
    post.fill(BOB, LINE - 1)
    post.clock.advance(days=1)
    assert quota.warn_all(post.p) == 1
    assert quota.warn_all(post.p) == 0
    assert sum("full" in s for s in subjects(post)) == 4


def test_S16_no_warning_at_100_percent_but_when_it_falls_below(post: Post) -> None:
    resize(post, 100)
    post.fill(BOB, 90 * MB - 1)
    arrive(post, "full", 10 * MB + 1)
    assert subjects(post) == ["full"]
    assert quota.warn_all(post.p) == 1
    post.fill(BOB, 100 * MB - 1)
    assert quota.warn_all(post.p) == 1
    assert sorted(subjects(post)) == ["Your mailbox is 99 % full", "full"]
    assert quota.warn_all(post.p) == 0


def test_S16_a_crash_between_message_and_warning_is_made_good_within_the_hour(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.fill(BOB, LINE - 1)
    with monkeypatch.context() as patched:
        patched.setattr(quota, "_warn_if_due", lambda *_: None)
        arrive(post, "across")
    assert subjects(post) == ["across"]
    assert quota.warn_all(post.p) == 1
    assert subjects(post)[-1] == "Your mailbox is 90 % full"


def test_S16_a_smaller_quota_can_bring_it_over_the_line(post: Post) -> None:
    post.fill(BOB, 240 * MB)
    bob = replace(post.accounts[BOB], quota_bytes=500 * MB)
    quota.resized(post.p, bob)
    assert post.inbox(BOB) == []
    quota.resized(post.p, resize(post, 250))
    assert subjects(post) == ["Your mailbox is 96 % full"]
    post.clock.advance(days=1)
    assert quota.warn_all(post.p) == 1


def test_S16_a_deleted_mailbox_is_left_alone_and_one_that_is_gone_forgotten(post: Post) -> None:
    post.fill(BOB, LINE - 1)
    arrive(post, "across")
    post.clock.advance(days=1)
    post.p.directory.table.delete(address_key("x.test", "bob"))
    assert [quota.warn_all(post.p), quota.warn_all(post.p)] == [1, 1]
    mailbox.delete(post.p, post.accounts[BOB].id)
    assert [quota.warn_all(post.p), quota.warn_all(post.p)] == [1, 0]


def test_S1_S16_the_warning_comes_under_the_domains_brand_and_answers_to_nobody(post: Post) -> None:
    accounts.create_reseller(post.p, "r1", "House", Brand(id="b1", product="House Mail"), "office@house.test")
    post.fill(BOB, LINE - 1)
    arrive(post, "across")
    raw = post.inbox(BOB)[-1].decode()
    assert "From: House Mail <postmaster@x.test>" in raw
    assert "Auto-Submitted: auto-generated" in raw
    assert post.queues.messages == []
    assert "lainpost" not in raw
