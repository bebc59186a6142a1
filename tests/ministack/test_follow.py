"""Two clients write to a mailbox at once and a third only follows: it ends with what one reads anew."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Any

from chalicelib.aws import clock
from chalicelib.jmap import core
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account
from chalicelib.services import mailbox
from chalicelib.services.platform import Platform
from chalicelib.store.records import domain_item, mailbox_item
from tests.jmap.follower import KINDS, Follower, anew
from tests.ministack.deployment import Deployment
from tests.ministack.test_races import email

USING = ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"]
SHARED, ROUNDS = 12, 24
NEWEST = [{"property": "receivedAt", "isAscending": False}]
Json = dict[str, Any]


@dataclass
class Client:
    """The API in this process, the tables of the deployment behind it."""

    platform: Platform
    account: Account

    def answer(self, name: str, **args: Any) -> tuple[str, Json]:
        """Name and arguments of the one answer; asked again while the mailbox is busy, as clients do."""
        call = [name, {"accountId": self.account.id, **args}, "0"]
        body = json.dumps({"using": USING, "methodCalls": [call]}).encode()
        for _ in range(20):
            status, answer = core.handle(self.platform, self.account, body, "https://mail.follow.test")
            assert status == 200, answer
            [(answered, found, _)] = answer["methodResponses"]
            if found.get("type") != "serverUnavailable":
                return answered, found
        raise AssertionError("a mailbox that stays busy")

    def call(self, name: str, **args: Any) -> Json:
        """The answer to one call, which must not be an error."""
        answered, found = self.answer(name, **args)
        assert answered == name, found
        return found

    def state(self, kind: str = "Email") -> str:
        """The state of a type."""
        return str(self.call(f"{kind}/get", ids=[])["state"])


@dataclass
class Listing:
    """The inbox, newest first, kept up by Email/queryChanges."""

    jmap: Client
    inbox: str
    ids: list[str] = field(default_factory=list)
    state: str = ""

    def look(self) -> None:
        where: Json = {"filter": {"inMailbox": self.inbox}, "sort": NEWEST}
        if self.state:
            answered, found = self.jmap.answer("Email/queryChanges", sinceQueryState=self.state, **where)
            if answered != "error":
                self.ids = [id for id in self.ids if id not in found["removed"]]
                for one in found["added"]:
                    self.ids.insert(one["index"], one["id"])
                self.state = found["newQueryState"]
                return
            assert found["type"] == "cannotCalculateChanges", found
        found = self.jmap.call("Email/query", **where)
        self.ids, self.state = found["ids"], found["queryState"]


def write(jmap: Client, folders: dict[str, str], writer: int) -> None:
    """A word on each shared email, moves between, and drafts of its own that come and go."""
    random = Random(writer)
    shared = [email(number).id for number in range(SHARED)]
    own: list[str] = []
    for number in range(ROUNDS):
        id = shared[number % SHARED]
        if number < SHARED:
            patch: Json = {f"keywords/w{writer}": True}
        else:
            patch = {"mailboxIds": {folders[random.choice(("inbox", "archive"))]: True}}
        assert jmap.call("Email/set", update={id: patch})["notUpdated"] is None
        if number % 3 == 0:
            draft = {"mailboxIds": {folders["inbox"]: True}, "subject": f"{writer} {number}"}
            own.append(jmap.call("Email/set", create={"d": draft})["created"]["d"]["id"])
        elif number % 3 == 2:
            assert jmap.call("Email/set", destroy=[own[-1]])["destroyed"] == own[-1:]


def follow(jmap: Client, inbox: str, begun: Event, done: Event) -> tuple[Follower, Listing]:
    """Follow until the writers are done, and once more."""
    follower, listing = Follower(jmap), Listing(jmap, inbox)
    follower.begin()
    listing.look()
    begun.set()
    while not done.is_set():
        follower.catch_up(most=3)
        listing.look()
    follower.catch_up()
    listing.look()
    return follower, listing


def test_two_writers_and_a_reader_who_only_follows(place: Deployment) -> None:
    platform = place.operator()
    account = Account("afollow", "follow@follow.test", "follow.test", quota_bytes=50_000_000)
    domain = domain_item(HostedDomain(account.domain, "live", "r1", "o1", clock.now()))
    platform.directory.table.batch_write(put=[domain, mailbox_item(account, None)])
    mailbox.create(platform, account)
    for number in range(SHARED):
        mailbox.add(platform, account.id, [email(number)], quota_bytes=None)
    jmap = Client(platform, account)
    folders = {box["role"]: box["id"] for box in jmap.call("Mailbox/get", ids=None)["list"]}
    begun, done = Event(), Event()
    with ThreadPoolExecutor(3) as pool:
        reader = pool.submit(follow, jmap, folders["inbox"], begun, done)
        try:
            assert begun.wait(30)
            list(pool.map(lambda writer: write(jmap, folders, writer), (1, 2)))
        finally:
            done.set()
        follower, listing = reader.result()

    for kind in KINDS:
        assert follower.known[kind] == anew(jmap, kind), kind
    emails = anew(jmap, "Email")
    for number in range(SHARED):
        assert emails[email(number).id]["keywords"].keys() >= {"w1", "w2"}, "no update is lost"
    fresh = jmap.call("Email/query", filter={"inMailbox": folders["inbox"]}, sort=NEWEST)["ids"]
    assert listing.ids == fresh
