"""S35, S36: the status page is files put out at each change, and who subscribed is told of incidents."""

import json
import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from unittest import mock

import pytest

from chalicelib.aws.bucket import Bucket
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.incidents import Incident
from chalicelib.services import jobs, notices, send, status, subscribers
from chalicelib.services.status import Opening
from tests.services.post import Crash, Post
from tests.services.test_notices import OPERATOR, PLAN, told

SLOW = Opening("Webmail is slow", "degradation", ("webmail",), "We look for the <cause>.")


def put_out(post: Post, name: str = "index.html") -> str:
    """A file of the page as it is out."""
    return post.p.pages.get(f"status/{name}").decode()


def soon(post: Post) -> None:
    """What follows within a minute."""
    post.settle(timedelta(minutes=1))


def mails(post: Post) -> list[EmailMessage]:
    """What SES took, in order."""
    return [message_from_bytes(call.raw, policy=policy.default) for call in post.mail.calls]


# ------------------------------------------------------------------------------------------- the page
def test_S36_the_page_follows_an_incident(post: Post) -> None:
    status.publish(post.p)
    assert "Everything is working." in put_out(post)
    incident = status.open_incident(post.p, OPERATOR, SLOW)
    soon(post)
    assert "We look for the &lt;cause&gt;." in put_out(post)
    assert json.loads(put_out(post, "status.json"))["state"] == "degraded"
    incident = status.add_update(post.p, OPERATOR, incident, "identified", "A disk.", alert=False)
    soon(post)
    assert "A disk." in put_out(post)
    status.add_update(post.p, OPERATOR, incident, "resolved", "A new disk.", alert=False)
    soon(post)
    document = json.loads(put_out(post, "status.json"))
    assert (document["state"], document["current_incidents"]) == ("operational", [])
    assert document["past_incidents"][0]["updates"][-1]["text"] == "A new disk."
    assert "<updated>" in put_out(post, "feed.atom")
    assert "body {" in put_out(post, "status.css")
    types = [e.type for e in post.p.journal.page("", 10)[0]]
    assert types == ["incident.opened", "incident.updated", "incident.resolved"]


def test_two_that_change_the_same_incident_are_not_both_right(post: Post) -> None:
    incident = status.open_incident(post.p, OPERATOR, SLOW)
    status.add_update(post.p, OPERATOR, incident, "identified", "A disk.", alert=False)
    with pytest.raises(ServiceError, match="changed meanwhile"):
        status.add_update(post.p, OPERATOR, incident, "monitoring", "A cable.", alert=False)


def test_a_page_that_is_out_is_not_put_out_again(post: Post) -> None:
    status.publish(post.p)
    with mock.patch.object(Bucket, "put", side_effect=AssertionError):
        post.clock.advance(hours=1)
        status.publish(post.p)


def test_a_change_while_the_page_is_put_out_is_on_it(post: Post) -> None:
    """The slower of two that put it out looks again, so that an old page never stays."""
    real, opened = Bucket.put, list[Incident]()

    def put(bucket: Bucket, key: str, content: bytes, **how: Any) -> None:
        if key == "status/index.html" and not opened:
            opened.append(status.open_incident(post.p, OPERATOR, SLOW))
            status.publish(post.p)
        real(bucket, key, content, **how)

    with mock.patch.object(Bucket, "put", put):
        status.publish(post.p)
    assert SLOW.title in put_out(post)


def test_maintenance_shows_when_it_begins_and_when_it_ends(post: Post) -> None:
    notices.plan_outage(post.p, OPERATOR, PLAN)
    soon(post)
    assert "New disks." in put_out(post)
    assert "Under maintenance" not in put_out(post)
    for hour, under_way in ((-1, False), (0, True), (2, True), (3, False)):
        at = PLAN.starts_at + timedelta(hours=hour, minutes=1)
        post.clock.advance(seconds=(at - post.clock.now() - timedelta(minutes=40)).total_seconds())
        status.publish(post.p)  # the hourly look, 39 minutes before
        post.settle(timedelta(minutes=40))
        assert ("Under maintenance" in put_out(post)) is under_way, hour


def test_after_a_crash_at_any_call_the_page_is_right_and_an_alert_is_one(post: Post) -> None:
    subscribe(post, "zoe@far.test")
    calls, blown = 1, True
    while blown:
        before = {i.id for i in post.p.notices.incidents()}
        post.mail.calls.clear()
        post.fuse.left = calls
        try:
            incident = status.open_incident(post.p, OPERATOR, SLOW)
            status.publish(post.p)
            jobs.step(post.p, f"alert-{incident.id}-1", subscribers.WORKS)
            blown = False
        except Crash:
            post.queues.messages.clear()
        post.fuse.left = None
        post.clock.advance(minutes=31)
        jobs.mend(post.p)
        send.mend(post.p)
        status.refresh(post.p)
        post.settle(timedelta(minutes=30))
        made = {i.id for i in post.p.notices.incidents()} - before
        assert all(f'"{id}"' in put_out(post, "status.json") for id in made), calls
        assert len(post.mail.calls) == len(made), calls
        calls += 1
    assert calls > 15


# ------------------------------------------------------------------------------------------- subscribers
def link(mail: EmailMessage) -> str:
    """The token of the link in a mail."""
    found = re.search(r"token=([\w.-]+)", mail.get_content())
    assert found
    return found[1]


def subscribe(post: Post, address: str) -> str:
    """Ask and confirm; the confirming link's token."""
    subscribers.ask(post.p, address, "192.0.2.9")
    soon(post)
    token = link(mails(post)[-1])
    assert subscribers.confirm(post.p, token)
    post.mail.calls.clear()
    return token


def test_an_address_is_told_after_it_confirmed_and_not_before(post: Post) -> None:
    subscribers.ask(post.p, "Zoe@Far.test", "192.0.2.9")
    soon(post)
    [asked] = mails(post)
    assert asked["From"] == "Service status <status@emailmx.test>"
    assert asked["Subject"] == "Please confirm your subscription"
    incident = status.open_incident(post.p, OPERATOR, SLOW)
    soon(post)
    assert len(mails(post)) == 1
    assert subscribers.confirm(post.p, link(asked))
    assert subscribers.confirm(post.p, link(asked)), "who clicks twice is subscribed"
    status.add_update(post.p, OPERATOR, incident, "resolved", "All is well.", alert=True)
    soon(post)
    assert told(post) == ["Zoe@far.test"] * 2


def test_S35_an_alert_is_one_mail_each_with_a_way_out(post: Post) -> None:
    for name in ("zoe", "yan"):
        subscribe(post, f"{name}@far.test")
    incident = status.open_incident(post.p, OPERATOR, SLOW)
    post.settle(timedelta(minutes=5), copies=2)
    assert told(post) == ["yan@far.test", "zoe@far.test"]
    alert = mails(post)[0]
    assert alert["Subject"] == "[Investigating] Webmail is slow"
    assert "We look for the <cause>." in alert.get_content()
    assert alert["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = alert["List-Unsubscribe"]
    assert re.fullmatch(r"<http://status\.emailmx\.test/v1/status/unsubscribe\?token=[\w.-]+>", url)
    incident = status.add_update(post.p, OPERATOR, incident, "identified", "A disk.", alert=False)
    soon(post)
    assert len(told(post)) == 2, "only what is to be told by mail is"
    subscribers.leave(post.p, link(alert))
    status.add_update(post.p, OPERATOR, incident, "resolved", "A new disk.", alert=False)
    soon(post)
    assert len(told(post)) == 3, "who left is told no more; the return of normal service always is told"
    assert mails(post)[-1]["Subject"] == "[Resolved] Webmail is slow"


def test_a_link_is_good_for_24_hours_and_until_the_next(post: Post) -> None:
    subscribers.ask(post.p, "zoe@far.test", "192.0.2.9")
    soon(post)
    post.clock.advance(hours=24)
    assert not subscribers.confirm(post.p, link(mails(post)[0]))
    subscribers.ask(post.p, "zoe@far.test", "192.0.2.9")
    subscribers.ask(post.p, "zoe@far.test", "192.0.2.9")
    soon(post)
    first, second = (link(mail) for mail in mails(post)[1:])
    assert not subscribers.confirm(post.p, first)
    for wrong in ("", ".", "x.y", second[:-1], second.partition(".")[0], second + "\udcff"):
        assert not subscribers.confirm(post.p, wrong)
    assert subscribers.confirm(post.p, second)


def test_a_confirming_link_does_not_bring_back_who_left(post: Post) -> None:
    token = subscribe(post, "zoe@far.test")
    status.open_incident(post.p, OPERATOR, SLOW)
    soon(post)
    out = link(mails(post)[0])
    subscribers.leave(post.p, out)
    subscribers.leave(post.p, out)
    assert not subscribers.confirm(post.p, token)
    for wrong in ("", "x.y", out[:-1], token):
        subscribers.leave(post.p, wrong)


def test_who_is_subscribed_is_not_asked_again_and_nobody_is_flooded(post: Post) -> None:
    subscribe(post, "zoe@far.test")
    subscribers.ask(post.p, "ZOE@far.test", "192.0.2.9")
    soon(post)
    assert not mails(post)
    for _ in range(5):
        subscribers.ask(post.p, "yan@far.test", "192.0.2.9")
        soon(post)
    assert told(post) == ["yan@far.test"] * 3


def test_one_place_asks_at_most_20_times_an_hour(post: Post) -> None:
    for n in range(20):
        subscribers.ask(post.p, f"n{n}@far.test", "2001:db8::1")
    with pytest.raises(ServiceError) as refused:
        subscribers.ask(post.p, "more@far.test", "2001:db8::2")
    assert refused.value.kind == "throttled"
    subscribers.ask(post.p, "more@far.test", "192.0.2.1")
    with pytest.raises(ServiceError) as refused:
        subscribers.ask(post.p, "no address", "192.0.2.1")
    assert refused.value.faults[0].pointer == "/email"


def test_a_wish_whose_message_comes_again_is_one_mail(post: Post) -> None:
    """The process ended after call 1, 2, 3 …, and the message came once more."""
    after, blown = 0, True
    while blown:
        after += 1
        blown, post.fuse.left = False, after
        for _ in range(2):
            try:
                subscribers.invite(post.p, f"n{after}@far.test", f"secret{after}")
            except Crash:
                blown = True
    post.fuse.left = None
    soon(post)
    assert after > 8
    assert told(post) == sorted(f"n{n}@far.test" for n in range(1, after + 1))
    assert all(subscribers.confirm(post.p, link(mail)) for mail in mails(post))
