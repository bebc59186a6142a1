"""S34, S35, S37: resellers and admins are told, each once, however many they are and whatever crashes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.events.jobs import WORKS
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.hosted import Reseller
from chalicelib.rules.values import Caller
from chalicelib.services import jobs, notices, notify, send
from chalicelib.services.notices import Plan
from chalicelib.store.jobs import Job, job_put
from tests.services.post import Crash, Post

OPERATOR = Caller("", "k1", frozenset({"*"}), "192.0.2.1", role="operator")
#: Monday, 2 March 2026, 09:00 UTC is where the clock stands.
PLAN = Plan(
    datetime(2026, 3, 4, 22, tzinfo=UTC), datetime(2026, 3, 5, 1, tzinfo=UTC), ("webmail",), "New disks."
)


def people(post: Post, count: int) -> list[str]:
    """Resellers, r000 and on."""
    ids = [f"r{n:03}" for n in range(count)]
    index = {"gpk": "RESELLERS"}
    items = [
        {
            "pk": f"RESELLER#{id}", "sk": "META", **index, "gsk": id, "id": id, "name": id,
            "contact": f"office@{id}.test", "brand": id,
        }
        for id in ids
    ]  # fmt: skip
    post.p.directory.table.batch_write(put=items)
    assert post.p.directory.reseller(ids[0]) == Reseller(ids[0], ids[0], f"office@{ids[0]}.test", ids[0])
    return ids


def told(post: Post) -> list[str]:
    """Addresses that SES took a mail for, sorted, as often as it did."""
    return sorted(address for call in post.mail.calls for address in call.recipients)


def subject_of(raw: bytes) -> str:
    from email import message_from_bytes, policy

    return str(message_from_bytes(raw, policy=policy.default)["Subject"])


# --------------------------------------------------------------------------------------- planned outages
def test_S34_every_reseller_is_told_once_and_finds_it_in_its_list(post: Post) -> None:
    ids = people(post, 3)
    outage = notices.plan_outage(post.p, OPERATOR, PLAN)
    post.settle()
    assert told(post) == [f"office@{id}.test" for id in ids]
    raw = post.mail.calls[0].raw
    assert subject_of(raw) == "Planned maintenance: 2026-03-04 22:00 to 2026-03-05 01:00 UTC"
    assert b"New disks." in raw
    assert b"Auto-Submitted: auto-generated" in raw
    [notice] = post.p.notices.told("r000", 10, "")[0]
    assert (notice.subject, notice.id) == (subject_of(raw), f"{outage.id}-announced-r000")
    job = post.p.jobs.get(f"{outage.id}-announced")
    assert job
    assert (job.done, job.skipped, job.again) == (3, 0, ())


def test_S34_too_soon_is_refused_and_changes_nothing(post: Post) -> None:
    people(post, 1)
    soon = Plan(PLAN.starts_at - timedelta(days=1), PLAN.ends_at - timedelta(days=1), ("imap",), "Soon.")
    with pytest.raises(ServiceError) as refused:
        notices.plan_outage(post.p, OPERATOR, soon)
    assert refused.value.extra["earliest"] == "2026-03-04T22:00:00Z"
    assert not post.p.notices.outages()
    assert not post.queues.messages


def test_S34_an_emergency_is_not_refused_and_says_why(post: Post) -> None:
    people(post, 1)
    now = post.clock.now()
    plan = Plan(
        now + timedelta(hours=1), now + timedelta(hours=2), ("imap",), "Soon.", forced="A disk fails."
    )
    outage = notices.plan_outage(post.p, OPERATOR, plan)
    post.settle()
    assert subject_of(post.mail.calls[0].raw).startswith("Emergency maintenance: ")
    assert b"A disk fails." in post.mail.calls[0].raw
    [event] = post.p.journal.page("", 10)[0]
    assert (event.type, event.subject, event.actor) == ("outage.announced", outage.id, "operator:k1")
    assert event.after["emergency"] == "A disk fails."


def test_S34_who_was_told_is_told_that_it_is_cancelled(post: Post) -> None:
    people(post, 2)
    outage = notices.plan_outage(post.p, OPERATOR, PLAN)
    cancelled = notices.cancel_outage(post.p, OPERATOR, outage)
    assert cancelled.phase(post.clock.now()) == "cancelled"
    post.settle()
    assert told(post) == ["office@r000.test"] * 2 + ["office@r001.test"] * 2
    with pytest.raises(ServiceError, match="cancelled already"):
        notices.cancel_outage(post.p, OPERATOR, outage)
    with pytest.raises(ServiceError, match="cancelled already"):
        notices.cancel_outage(post.p, OPERATOR, cancelled)


def test_S35_unplanned_maintenance_is_told_at_once(post: Post) -> None:
    people(post, 1)
    now = post.clock.now()
    plan = Plan(now, now + timedelta(hours=3), ("api",), "A router is replaced.")
    outage = notices.begin_maintenance(post.p, OPERATOR, plan)
    assert outage.phase(now) == "under_way"
    post.settle()
    assert subject_of(post.mail.calls[0].raw).startswith("Unplanned maintenance: 2026-03-02 09:00")
    with pytest.raises(ServiceError):
        notices.begin_maintenance(post.p, OPERATOR, Plan(now, now, ("api",), "Over before it began."))


def test_300_resellers_are_told_once_each_fifty_at_a_time(post: Post) -> None:
    people(post, 300)
    job = Job("j1", "count", post.clock.now())
    post.p.notices.write([job_put(job)])
    seen: list[str] = []
    steps = 0

    def handle(_p: Any, _job: Job, target: str) -> bool:
        seen.append(target)
        return True

    works = {"count": jobs.Work(WORKS["outage"].targets, handle)}
    while not (now := post.p.jobs.get("j1")) or not now.finished_at:
        jobs.step(post.p, "j1", works)
        steps += 1
    assert (steps, len(seen), len(set(seen)), now.done) == (7, 300, 300, 300)  # the last finds nobody


# --------------------------------------------------------------------------------------- crashes
def announce_crashing(post: Post, after: int) -> bool:
    """Announce and do the first step, with the process ended after so many calls of AWS; whether it was."""
    now = post.clock.now()
    plan = Plan(now + timedelta(hours=9), now + timedelta(hours=10), ("imap",), "Soon.", forced="It burns.")
    post.fuse.left = after
    try:
        outage = notices.plan_outage(post.p, OPERATOR, plan)
        jobs.step(post.p, f"{outage.id}-announced", WORKS)
    except Crash:
        return True
    finally:
        post.fuse.left = None
    return False


def test_after_a_crash_at_any_call_each_reseller_gets_exactly_one_mail(post: Post) -> None:
    """The announcement, its step and what two notices take: ended after call 1, 2, 3 …, then taken up."""
    ids, calls, known = people(post, 2), 1, 0
    while announce_crashing(post, calls):
        post.queues.messages = [m for m in post.queues.messages if m.body.get("kind") != "page"]
        if calls % 2:  # what was queued before the crash comes; else it is lost, and found by the hourly look
            post.queues.messages.clear()
        post.clock.advance(minutes=31)
        jobs.mend(post.p)
        send.mend(post.p)
        post.settle(timedelta(minutes=30))
        now_known = len(post.p.notices.outages())
        assert told(post) == [f"office@{id}.test" for id in ids] * (now_known - known), calls
        assert not list(post.p.jobs.open()), calls
        post.mail.calls.clear()
        known, calls = now_known, calls + 1
    assert calls > 20
    assert len(post.p.notices.told("r001", 200, "")[0]) == known + 1


def test_a_step_that_comes_twice_goes_on_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STEP", 3)
    people(post, 8)
    outage = notices.plan_outage(post.p, OPERATOR, PLAN)
    post.settle(timedelta(minutes=1), copies=2)
    assert len(told(post)) == len(set(told(post))) == 8
    job = post.p.jobs.get(f"{outage.id}-announced")
    assert job
    assert job.done == 8


def test_who_could_not_be_told_is_tried_again_and_then_counted(post: Post) -> None:
    job = Job("j1", "some", post.clock.now())
    post.p.notices.write([job_put(job)])
    broken, tries = {"b": 3, "c": 99}, {"a": 0, "b": 0, "c": 0}

    def handle(_p: Any, _job: Job, target: str) -> bool:
        tries[target] += 1
        if tries[target] <= broken.get(target, 0):
            raise RuntimeError("not now")
        return target != "a"

    works = {"some": jobs.Work(lambda _p, _job, _cursor: (["a", "b", "c"], ""), handle)}
    for _ in range(8):
        jobs.step(post.p, "j1", works)
    done = post.p.jobs.get("j1")
    assert done
    assert tries == {"a": 1, "b": 4, "c": 6}
    assert (done.done, done.skipped, done.again, bool(done.finished_at)) == (1, 1, ("c",), True)
    assert [m.at - post.clock.seconds for m in post.queues.messages] == [120, 240, 360, 480, 600]


def test_where_all_fails_the_job_waits_for_its_queue(post: Post) -> None:
    people(post, 120)
    post.p.notices.write([job_put(Job("j1", "none", post.clock.now()))])

    def handle(*_: Any) -> bool:
        raise RuntimeError("away")

    works = {"none": jobs.Work(WORKS["outage"].targets, handle)}
    jobs.step(post.p, "j1", works)
    with pytest.raises(ServiceError):
        jobs.step(post.p, "j1", works)
    job = post.p.jobs.get("j1")
    assert job
    assert (job.turn, len(job.again)) == (1, 50)


def test_a_notice_outlives_its_submission_and_is_not_sent_again(post: Post) -> None:
    people(post, 1)
    notify.reseller(post.p, "r000", "once", "Once", "Only once.")
    post.settle()
    mail = post.p.outbox._table
    mail.batch_write(delete=[{"pk": i["pk"], "sk": i["sk"]} for i in mail.query_all("O#notice-once")])
    notify.reseller(post.p, "r000", "once", "Once", "Only once.")
    post.settle()
    assert told(post) == ["office@r000.test"]


# --------------------------------------------------------------------------------------- announcements
def test_S37_admins_of_every_live_domain_are_told_once(post: Post) -> None:
    people(post, 2)
    for n in range(3):
        post.domain(f"d{n}.test", "live" if n else "pending")
        post.account(f"boss@d{n}.test", admin=True)
    post.domain("empty.test")
    table = post.p.directory.table
    for name in ("x.test", "d0.test", "d1.test", "d2.test", "empty.test"):
        item = table.get({"pk": f"DOMAIN#{name}", "sk": "META"})
        assert item
        table.put({**item, "gpk": "RESELLER#r001" if name != "x.test" else "RESELLER#r000"})
    made = notices.announce(post.p, OPERATOR, "News", "We have news.").announcement
    post.settle(copies=2)
    for address, count in {"ann@x.test": 1, "bob@x.test": 0, "boss@d1.test": 1, "boss@d2.test": 1}.items():
        assert len(post.inbox(address)) == count, address
    assert not post.inbox("boss@d0.test")
    raw = post.inbox("ann@x.test")[0]
    assert b"emailadmin@x.test" in raw
    assert subject_of(raw) == "News"
    [telling] = notices.announcements(post.p, OPERATOR, 10, "")[0]
    assert telling.job
    assert (telling.announcement, telling.job.done, telling.job.skipped) == (made, 3, 1)


def test_S37_only_those_named_are_told(post: Post) -> None:
    people(post, 1)
    notices.announce(post.p, OPERATOR, "News", "For you.", domains=["X.test"])
    post.settle()
    assert len(post.inbox("ann@x.test")) == 1
    for wrong in ({"domains": ["absent.test"]}, {"domains": ["no domain"]}, {"resellers": ["nobody"]}):
        with pytest.raises(ServiceError, match="not known"):
            notices.announce(post.p, OPERATOR, "News", "For you.", **wrong)


def test_steps_go_through_all_domains_of_all_resellers_in_order(post: Post) -> None:
    from chalicelib.rules.hosted import HostedDomain
    from chalicelib.store.records import domain_item

    ids = people(post, 40)
    names = {id: [f"{id}-{n:02}.test" for n in range(number % 4 * 20)] for number, id in enumerate(ids)}
    now = post.clock.now()
    items = [
        domain_item(HostedDomain(name, "live", id, "o", now)) for id, those in names.items() for name in those
    ]
    post.p.directory.table.batch_write(put=items)
    targets, cursor, found = WORKS["announcement"].targets, "", list[str]()
    job = Job("j", "announcement", now, {"domains": [], "resellers": []})
    sizes = []
    while True:
        some, cursor = targets(post.p, job, cursor)
        found += some
        sizes.append(len(some))
        if not cursor:
            break
    assert found == [name for id in ids for name in names[id]]
    assert set(sizes[:-1]) == {jobs.STEP}
    chosen = Job("j", "announcement", now, {"domains": [], "resellers": ["r003", "r001"]})
    some, cursor = targets(post.p, chosen, "")
    rest, end = targets(post.p, chosen, cursor)
    assert ([*some, *rest], end) == ([*names["r001"], *names["r003"]], "")
