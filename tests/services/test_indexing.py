"""Search indexes are kept up by the jobs queue: when, by how much at once, and what failures leave behind."""

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from chalicelib.events import jobs
from chalicelib.rules import indexing as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.indexing import Mark
from chalicelib.services import cleanup, finding, indexing, mailbox
from chalicelib.store import segments
from chalicelib.store.searchindex import Manifest
from tests.jmap.client import counted
from tests.store.samples import new_email

if TYPE_CHECKING:
    from chalicelib.rules.values import Account
    from chalicelib.services.platform import Platform
    from tests.services.post import Post

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def post() -> "Iterator[Post]":
    """One post office for all of these, on the local cloud's quicker DynamoDB."""
    from chalicelib.aws import clock as clocks
    from chalicelib.rules.figures import DEFAULT
    from chalicelib.services.platform import build
    from local.moto_dynamodb import Dynamo
    from tests.cloud import Clock, cloud
    from tests.services.post import post_office

    standing, dynamo = Clock(), Dynamo()
    with cloud() as settings:
        clocks.install(lambda: standing.seconds)
        dynamo.install()
        made = post_office(build(settings, DEFAULT), standing)
        with made.fuse.in_botocore():
            yield made
        dynamo.remove()
        clocks.install(time.time)


@pytest.fixture
def ann(post: "Post") -> "Account":
    """A mailbox for each test, with the clean-up done up to now."""
    post.queues.messages.clear()
    post.p.mailboxes.purges.finish(post.clock.now().date())
    return post.account(f"ann{next(_numbers)}@x.test")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two, merged two to one."""
    for name, value in {"BATCH": 2, "MOST": 2, "FAN": 2, "AT_ONCE": 6, "SKIP": 3}.items():
        monkeypatch.setattr(indexing, name, value)


def deliver(post: "Post", account: "Account", count: int = 1, word: str = "word") -> list[str]:
    """Messages that came together, each with a word of its own."""
    post.clock.advance(minutes=1)
    items = []
    for _ in range(count):
        number = next(_numbers)
        raw = f"Subject: mail {number}\r\n\r\n{word} own{number}x".encode()
        new = new_email(number, id=f"E{number:015d}", blob=f"in/mail{number}", size=len(raw))
        post.p.blobs.put(new.blob, raw)
        items.append(new)
    added = mailbox.add(post.p, account.id, items, quota_bytes=None)
    assert {one.outcome for one in added} == {"added"}
    return [item.id for item in items]


def asked(post: "Post") -> int:
    """How often an index was asked to catch up since; the messages are taken."""
    bodies = [m.body for m in post.queues.messages]
    post.queues.messages.clear()
    assert all(body["kind"] == "index" for body in bodies)
    return len(bodies)


def drained(post: "Post", most: int = 100) -> int:
    """Handle what is queued, and what that queues. How many messages it was."""
    for number in range(most):
        if not post.queues.messages:
            return number
        jobs.one(post.p, post.queues.messages.pop(0).body)
    raise AssertionError("it never ends")


def search(p: "Platform", account: "Account", word: str = "word") -> list[str]:
    """Ids that the index finds for a word."""
    [term] = finding.terms(f"{word} ", "text")
    opened = finding.look(p, account.id, [term])
    return [hit.id for hit in finding.in_order(opened, lambda part: set(part.found[term]))]


def index(p: "Platform", account: "Account") -> Manifest:
    """What is indexed."""
    found = p.indexes.get(account.id)
    assert found
    return found


def parts(p: "Platform", account: "Account") -> set[str]:
    """Its segments in the bucket."""
    listed = boto3.client("s3").list_objects_v2(Bucket=p.settings.mail_bucket, Prefix=f"idx/{account.id}/")
    return {o["Key"] for o in listed.get("Contents", [])}


def cleaned(post: "Post", days: int) -> None:
    """Days pass with the clean-up on each, and what it queues is done."""
    for _ in range(days):
        post.clock.advance(days=1)
        assert cleanup.run(post.p).finished
        drained(post)


# ----------------------------------------------------------------------------------------------------- when
@pytest.mark.parametrize(
    ("last", "now", "is_due"),
    [
        (Mark(6, 100), Mark(69, 100), False),
        (Mark(6, 100), Mark(70, 100), True),
        (Mark(6, 100), Mark(7, 106), False),
        (Mark(6, 100), Mark(7, 107), True),
        (Mark(), Mark(7, 700_000), True),
    ],
)
def test_it_is_due_after_64_changes_or_seven_days(last: Mark, now: Mark, is_due: bool) -> None:
    assert rules.due(last, now) == is_due


def test_64_changes_ask_once_and_the_job_takes_them_in(post: "Post", ann: "Account") -> None:
    for _ in range(2):
        ids = [id for _ in range(3) for id in deliver(post, ann, 16)]
        mailbox.destroy(post.p, ann.id, ids[:1])
        assert not post.queues.messages
        deliver(post, ann, 15)
        assert drained(post) == 1
        assert not indexing.behind(mailbox.state(post.p, ann.id), index(post.p, ann))
    assert index(post.p, ann).count == 124  # without the destroyed ones


def test_the_first_message_after_a_week_asks(post: "Post", ann: "Account") -> None:
    deliver(post, ann)
    post.clock.advance(days=6)
    deliver(post, ann)
    assert asked(post) == 0
    post.clock.advance(days=1)
    deliver(post, ann)
    deliver(post, ann)
    assert asked(post) == 1


def test_a_lost_message_is_made_good_by_the_next_and_searches_miss_nothing(
    post: "Post", ann: "Account"
) -> None:
    first = deliver(post, ann, 40) + deliver(post, ann, 24)
    assert asked(post) == 1  # and lost
    assert sorted(search(post.p, ann)) == sorted(first)
    second = deliver(post, ann, 40) + deliver(post, ann, 24)
    assert drained(post) == 1
    with counted() as calls:
        assert sorted(search(post.p, ann)) == sorted(first + second)
    assert "PutObject" not in calls


def test_what_is_delivered_stays_delivered_when_nobody_can_be_asked(
    post: "Post", ann: "Account", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post.queues, "send", lambda *_, **__: 1 / 0)
    ids = deliver(post, ann, 40) + deliver(post, ann, 30)
    assert sorted(search(post.p, ann)) == sorted(ids)


def test_a_mailbox_that_falls_silent_is_caught_up_with_and_then_left_alone(
    post: "Post", ann: "Account"
) -> None:
    post.clock.advance(days=7)
    deliver(post, ann)
    assert drained(post) == 1
    last = deliver(post, ann, 3)
    cleaned(post, 9)
    assert not indexing.behind(mailbox.state(post.p, ann.id), index(post.p, ann))
    known = index(post.p, ann)
    cleaned(post, 21)
    assert index(post.p, ann) == known
    assert set(last) < set(search(post.p, ann))


# ---------------------------------------------------------------------------------------------- how much
@pytest.mark.usefixtures("small")
def test_a_large_mailbox_is_prepared_in_the_background_step_by_step(
    post: "Post", ann: "Account", monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = deliver(post, ann, 25)
    with pytest.raises(ServiceError, match="0 of 25 messages are ready") as refused:
        search(post.p, ann)
    assert refused.value.kind == "unavailable"
    ticks = itertools.count(step=20)
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    [message] = post.queues.messages
    post.queues.messages.clear()
    jobs.one(post.p, message.body)  # 50 s: two steps
    assert index(post.p, ann).count == 4
    with pytest.raises(ServiceError, match="4 of 25 messages are ready"):
        search(post.p, ann)
    assert len(post.queues.messages) == 1  # the job's own: a search asks nothing while it is under way
    assert 5 < drained(post) < 25
    assert sorted(search(post.p, ann)) == sorted(ids)
    assert len(index(post.p, ann).parts) < 7


@pytest.mark.usefixtures("small")
def test_a_search_that_finds_nobody_at_it_asks(post: "Post", ann: "Account") -> None:
    deliver(post, ann, 25)
    for _ in range(2):
        with pytest.raises(ServiceError, match="of 25 messages"):
            search(post.p, ann)
        assert asked(post) == 1
        post.clock.advance(minutes=1)


@pytest.mark.usefixtures("small")
def test_after_the_change_log_only_what_is_new_is_opened(post: "Post", ann: "Account") -> None:
    ids = deliver(post, ann, 12)
    indexing.work(post.p, ann.id)
    ids += deliver(post, ann, 2)
    post.clock.advance(days=31)
    table = post.p.mailboxes._table
    for item in list(table.query_all(f"A#{ann.id}#L")):
        table.delete({"pk": item["pk"], "sk": item["sk"]})
    with counted() as calls:
        indexing.work(post.p, ann.id)
    assert calls.count("GetObject") <= 2 + 6  # the new ones, and what is merged
    assert sorted(search(post.p, ann)) == sorted(ids)
    assert index(post.p, ann).count == len(ids)


# ------------------------------------------------------------------------------------------- several at once
@pytest.mark.usefixtures("small")
def test_of_two_that_index_the_same_one_prevails(
    post: "Post", ann: "Account", monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = deliver(post, ann, 6)
    original = indexing._written

    def slowly(p: "Platform", acct: str, rows: Sequence[Any]) -> Any:
        monkeypatch.setattr(indexing, "_written", original)
        indexing.work(p, acct)
        return original(p, acct, rows)

    monkeypatch.setattr(indexing, "_written", slowly)
    indexing.work(post.p, ann.id)
    assert not post.queues.messages  # the slower one does not go on
    assert index(post.p, ann).count == 6
    assert sorted(search(post.p, ann)) == sorted(ids)
    named = {part.key for part in index(post.p, ann).parts}
    assert parts(post.p, ann) > named
    cleaned(post, 17)
    assert parts(post.p, ann) == named
    assert sorted(search(post.p, ann)) == sorted(ids)


@pytest.mark.usefixtures("small")
def test_what_comes_while_parts_are_merged_is_kept(
    post: "Post", ann: "Account", monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = deliver(post, ann, 2)
    search(post.p, ann)
    ids += deliver(post, ann, 2)
    search(post.p, ann)
    original = segments.merged

    def slowly(*given: Any) -> bytes:
        ids.extend(deliver(post, ann, 2))
        search(post.p, ann)
        return original(*given)

    monkeypatch.setattr(segments, "merged", slowly)
    assert indexing.merge(post.p, ann.id)
    assert [part.count for part in index(post.p, ann).parts] == [2, 4]
    assert sorted(search(post.p, ann)) == sorted(ids)


@pytest.mark.usefixtures("small")
def test_two_that_merge_at_once_lose_nothing(
    post: "Post", ann: "Account", monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = deliver(post, ann, 2)
    search(post.p, ann)
    ids += deliver(post, ann, 2)
    search(post.p, ann)
    original = segments.merged

    def slowly(*given: Any) -> bytes:
        monkeypatch.setattr(segments, "merged", original)
        assert indexing.merge(post.p, ann.id)
        return original(*given)

    monkeypatch.setattr(segments, "merged", slowly)
    assert not indexing.merge(post.p, ann.id)
    assert index(post.p, ann).count == 4
    assert sorted(search(post.p, ann)) == sorted(ids)


# ------------------------------------------------------------------------------------- gone and left behind
@pytest.mark.usefixtures("small")
def test_a_crash_after_any_call_leaves_nothing_for_ever(post: "Post", ann: "Account") -> None:
    from tests.services.post import Crash

    ids: list[str] = []
    crashes = 0
    for calls in itertools.count(1):
        ids += deliver(post, ann, 2) if calls % 3 else []
        post.queues.messages.clear()
        post.fuse.left = calls
        try:
            indexing.work(post.p, ann.id)
        except Crash:
            crashes += 1
            continue
        post.fuse.left = None
        break
    assert crashes > 20
    assert sorted(search(post.p, ann)) == sorted(ids)
    cleaned(post, 17)
    assert parts(post.p, ann) == {part.key for part in index(post.p, ann).parts}
    assert sorted(search(post.p, ann)) == sorted(ids)


@pytest.mark.usefixtures("small")
def test_merging_lets_go_of_destroyed_emails_and_restored_ones_are_found(
    post: "Post", ann: "Account"
) -> None:
    ids = deliver(post, ann, 2)
    search(post.p, ann)
    ids += deliver(post, ann, 2)
    mailbox.destroy(post.p, ann.id, ids[1:3])
    search(post.p, ann)
    assert indexing.merge(post.p, ann.id)
    assert index(post.p, ann).count == 2
    post.p.mailboxes.deleted.restore(ann.id, ids[1:3], quota_bytes=10**9)
    assert sorted(search(post.p, ann)) == sorted(ids)


@pytest.mark.usefixtures("small")
def test_an_index_of_mostly_destroyed_emails_shrinks_though_its_parts_are_the_largest(
    post: "Post", ann: "Account", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "LARGEST", 2)
    ids = deliver(post, ann, 12)
    indexing.work(post.p, ann.id)
    assert [part.count for part in index(post.p, ann).parts] == [2] * 6
    mailbox.destroy(post.p, ann.id, ids[:3] + ids[4:])
    indexing.work(post.p, ann.id)
    assert index(post.p, ann).count <= 6
    assert ids[3] in search(post.p, ann)


@pytest.mark.usefixtures("small")
def test_a_deleted_mailbox_leaves_no_index(post: "Post", ann: "Account") -> None:
    deliver(post, ann, 6)
    search(post.p, ann)
    assert parts(post.p, ann)
    mailbox.delete(post.p, ann.id)
    indexing.work(post.p, ann.id)
    assert not post.p.indexes.save(ann.id, Manifest(1, 7))
    assert post.p.indexes.get(ann.id) is None
    assert not list(post.p.mailboxes.items(ann.id))
    cleaned(post, 4)
    assert parts(post.p, ann) == set()


@pytest.mark.usefixtures("small")
def test_a_mailbox_deleted_in_several_tries_leaves_no_index(post: "Post", ann: "Account") -> None:
    from tests.services.post import Crash

    deliver(post, ann, 4)
    search(post.p, ann)
    for calls in itertools.count(1):
        post.fuse.left = calls
        try:
            mailbox.delete(post.p, ann.id)
        except Crash:
            continue
        post.fuse.left = None
        break
    cleaned(post, 4)
    assert parts(post.p, ann) == set()
    assert post.p.indexes.get(ann.id) is None


def test_a_part_removed_under_a_search_is_no_missing_account(post: "Post", ann: "Account") -> None:
    deliver(post, ann)
    search(post.p, ann)
    [part] = index(post.p, ann).parts
    post.p.blobs.delete(part.key)
    with pytest.raises(ServiceError) as refused:
        search(post.p, ann)
    assert refused.value.kind == "unavailable"
