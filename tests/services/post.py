"""A post office for tests: a platform whose queues, state machine and SES are held in the hand.

Tables and blobs are moto's. `crash_after(n)` ends the process, as it were, after the n-th call of any AWS
service: whatever ran stops, and what was written before stays.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from random import Random
from typing import Any, Literal
from unittest import mock

import botocore.client

from chalicelib.aws.mail import Mail, Undelivered
from chalicelib.aws.queue import LONGEST_DELAY, Queues
from chalicelib.aws.workflow import Workflows
from chalicelib.events import jobs
from chalicelib.events.arrivals import arrival
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account, Envelope, Source, Submission, SubmissionState
from chalicelib.services import abuse, bounces, delivery, mailbox, outcomes, receive, send, submissions
from chalicelib.services.platform import Platform
from chalicelib.store.records import automatic_item, domain_item, mailbox_item, meta_key
from tests.cloud import Clock

RECORDED = Path(__file__).parents[1] / "events" / "recorded"
Behaviour = Literal["accept", "refuse", "defer", "silent"]
Json = dict[str, Any]


class Crash(BaseException):
    """The process ended. Not an Exception: nothing may catch it."""


class Fuse:
    """Counts calls of AWS; blows after the one it was set to."""

    def __init__(self) -> None:
        self.left: int | None = None

    def tick(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            raise Crash

    @contextmanager
    def in_botocore(self) -> Iterator[None]:
        """Tick after each call that goes to moto."""
        original: Any = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

        def call(client: Any, name: str, arguments: Any) -> Any:
            answer = original(client, name, arguments)
            self.tick()
            return answer

        with mock.patch.object(botocore.client.BaseClient, "_make_api_call", call):
            yield


@dataclass
class Message:
    """A message of a queue, not visible before `at`."""

    queue: str
    body: Json
    at: float


class HeldQueues(Queues):
    """Queues whose messages wait in a list."""

    def __init__(self, clock: Clock, fuse: Fuse) -> None:
        self.clock, self.fuse = clock, fuse
        self.messages: list[Message] = []

    def send(self, url: str, body: Mapping[str, Any], *, delay: int = 0) -> None:
        queue = url.rpartition("-")[2]
        self.messages.append(Message(queue, json.loads(json.dumps(body)), self.clock.seconds + delay))
        self.fuse.tick()

    def send_all(self, url: str, bodies: Sequence[Mapping[str, Any]], *, delay: int = 0) -> None:
        for body in bodies:
            self.send(url, body, delay=min(delay, LONGEST_DELAY))


@dataclass
class Execution:
    """A run of the delivery machine: what it does next, and when."""

    data: Json
    step: Literal["watch", "waiting", "next", "attempt", "done"] = "watch"
    token: str = ""
    at: float = 0.0
    times: int = 0


class HeldWorkflows(Workflows):
    """The delivery machine, one step at a time."""

    def __init__(self, fuse: Fuse) -> None:
        self.fuse = fuse
        self.executions: dict[str, Execution] = {}

    def start(self, machine: str, name: str, data: Mapping[str, Any]) -> bool:
        assert machine.endswith("delivery")
        new = name not in self.executions
        self.executions.setdefault(name, Execution(dict(data)))
        self.fuse.tick()
        return new

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        assert output == {}
        waiting = [e for e in self.executions.values() if e.token == token and e.step == "waiting"]
        for execution in waiting:
            execution.step = "next"
        self.fuse.tick()
        return bool(waiting)


@dataclass(frozen=True)
class Call:
    """One SendEmail that SES took."""

    ses_id: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    tags: Mapping[str, str]
    at: float


@dataclass(frozen=True)
class Told:
    """One SendBounce that SES took."""

    original: str
    sender: str
    mta: str
    recipients: tuple[Undelivered, ...]


class HeldMail(Mail):
    """SES: takes mail unless told otherwise, and publishes events about it."""

    def __init__(self, clock: Clock, fuse: Fuse, publish: Callable[[Json, float], None]) -> None:
        super().__init__("plainpost-test")
        self.clock, self.fuse, self.publish = clock, fuse, publish
        self.behaviour: dict[str, Behaviour] = {}  # by domain
        self.errors: list[Exception] = []  # raised by the next calls, before anything is taken
        self.calls: list[Call] = []
        self.delivered: list[str] = []
        self.told: list[Told] = []

    def send(self, sender: str, recipients: Sequence[str], raw: bytes, tags: Mapping[str, str]) -> str:
        if self.errors:
            raise self.errors.pop(0)
        ses_id = f"0100-{len(self.calls):04}"
        call = Call(ses_id, sender, tuple(recipients), raw, dict(tags), self.clock.seconds)
        self.calls.append(call)
        self._happen(call)
        self.fuse.tick()
        return ses_id

    def bounce(
        self,
        original: str,
        sender: str,
        reporting_mta: str,
        arrived: datetime,
        recipients: Sequence[Undelivered],
    ) -> None:
        assert arrived.tzinfo
        if self.errors:
            raise self.errors.pop(0)
        self.told.append(Told(original, sender, reporting_mta, tuple(recipients)))
        self.fuse.tick()

    def _happen(self, call: Call) -> None:
        """What the world does with a message, as SES tells it."""
        now = self.clock.seconds
        self.publish(ses_event("send", call, call.recipients, now), now)
        for domain in dict.fromkeys(a.rpartition("@")[2] for a in call.recipients):
            those = [a for a in call.recipients if a.endswith(f"@{domain}")]
            match self.behaviour.get(domain, "accept"):
                case "accept":
                    self.delivered += those
                    self.publish(ses_event("delivery", call, those, now + 1), now)
                case "refuse":
                    self.publish(ses_event("bounce_permanent", call, those, now + 1), now)
                case "defer":
                    self.publish(ses_event("delay", call, those, now + 60), now + 60)
                    self.publish(ses_event("bounce_transient", call, those, now + 10_800), now + 10_800)
                case "silent":
                    continue


def recorded(name: str) -> Json:
    """An event in SES's form."""
    event: Json = json.loads((RECORDED / f"{name}.json").read_text())
    return event


def ses_event(name: str, call: Call, recipients: Sequence[str], at: float) -> Json:
    """A recorded event made to be of this call and these recipients."""
    event = recorded(name)
    stamp = datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")
    event["mail"] |= {"messageId": call.ses_id, "destination": list(call.recipients)}
    event["mail"]["tags"] |= {k: [v] for k, v in call.tags.items()}
    for detail in ("delivery", "bounce", "deliveryDelay", "complaint"):
        found = event.get(detail, {})
        for key, value in found.items():
            if key == "recipients":
                found[key] = list(recipients)
            elif key.endswith("Recipients"):
                found[key] = [{**value[0], "emailAddress": a} for a in recipients]
            elif key == "timestamp":
                found[key] = stamp
    return event


@dataclass
class Post:
    """A domain with mailboxes, and everything that moves mail to and from them."""

    p: Platform
    clock: Clock
    fuse: Fuse
    queues: HeldQueues
    workflows: HeldWorkflows
    mail: HeldMail
    accounts: dict[str, Account] = field(default_factory=dict)
    crashes: int = 0
    seen: dict[str, bytes] = field(default_factory=dict)  # blobs never change
    flows: int = 0  # of a test that has many

    # ------------------------------------------------------------ people
    def domain(self, name: str, state: Any = "live") -> None:
        """A hosted domain with its automatic addresses."""
        hosted = HostedDomain(name, state, "r1", "o1", self.clock.now())
        items = [domain_item(hosted)]
        for local, kind in {"emailadmin": "emailadmin", "all": "all", "abuse": "emailadmin"}.items():
            items.append(automatic_item(name, local, kind))
        self.p.directory.table.batch_write(put=items)

    def account(self, address: str, *, admin: bool = False, quota: int = 250 * MB, **more: Any) -> Account:
        """A mailbox."""
        local, _, domain = address.partition("@")
        account = Account(f"a{local}{domain.partition('.')[0]}", address, domain, quota, admin=admin, **more)
        items = [mailbox_item(account, None), {**meta_key("ACCOUNT", account.id), "address": address}]
        self.p.directory.table.batch_write(put=items)
        mailbox.create(self.p, account)
        self.accounts[address] = account
        return account

    def fill(self, address: str, used: int) -> None:
        """Make a mailbox hold this many bytes, by its state item."""
        key = {"pk": f"A#{self.accounts[address].id}", "sk": "STATE"}
        table = self.p.outbox._table
        item = table.get(key)
        assert item
        [attribute] = [k for k in ("used", "used_bytes") if k in item]
        table.put({**item, attribute: used})

    # ------------------------------------------------------------ mail in and out
    def receive(self, raw: bytes, *recipients: str, ses_id: str = "in1", **changes: Any) -> Json:
        """SES's notification of a message that came, stored in S3. `changes`: source, verdicts."""
        self.p.blobs.put(f"in/{ses_id}", raw)
        body = recorded("received")
        body["mail"] |= {"messageId": ses_id, "source": changes.pop("source", "zoe@far.test")}
        body["receipt"]["recipients"] = list(recipients)
        body["receipt"]["action"]["objectKey"] = f"in/{ses_id}"
        for name, status in changes.items():
            body["receipt"][f"{name}Verdict"] = {"status": status}
        return body

    def arrive(self, raw: bytes, *recipients: str, **how: Any) -> None:
        """A message comes in from outside, and what follows happens."""
        if rest := abuse.take(self.p, arrival(self.receive(raw, *recipients, **how))):
            receive.arrive(self.p, rest)
        self.settle()

    def submission(
        self,
        sender: str,
        recipients: Sequence[str],
        *,
        id: str = "s1",
        source: Source = "smtp",
        **fields: Any,
    ) -> Submission:
        """A message of one of our users, ready to be submitted."""
        raw = fields.pop("raw", None) or letter(sender, recipients, f"subject of {id}", **fields)
        self.p.blobs.put(f"own/{id}-draft", raw)
        return Submission(
            id=id,
            account=self.accounts.get(sender),
            envelope=Envelope(sender, tuple(recipients)),
            blob=f"own/{id}-draft",
            size=len(raw),
            message_id=f"{id}@x.test",
            source=source,
        )

    def states(self, id: str = "s1") -> dict[str, str]:
        """Recipient → state of a submission."""
        return {r.address: r.state for r in self.status(id).recipients}

    def status(self, id: str = "s1", sender: str = "ann@x.test") -> SubmissionState:
        """A submission as its sender sees it."""
        [state] = submissions.status(self.p, self.accounts[sender].id, [id])
        return state

    def inbox(self, address: str, role: str = "inbox") -> list[bytes]:
        """Raw messages of a folder, oldest first."""
        account = self.accounts[address].id
        [folder] = [f for f in mailbox.folders(self.p, account) if f.role == role]
        rows = mailbox.page(self.p, account, folder.id, 500).rows
        for row in rows:
            if row.blob not in self.seen:
                self.seen[row.blob] = self.p.blobs.get(row.blob)
        return [self.seen[row.blob] for row in reversed(rows)]

    # ------------------------------------------------------------ what moves by itself
    def handle(self, message: Message) -> None:
        """What the function of a queue does with a message."""
        body = message.body
        match message.queue:
            case "arrivals" if body.get("kind") == "local":
                receive.local(self.p, body["submission"], body["part"])
            case "arrivals" if body.get("kind") == "fan":
                receive.part(self.p, body["fan"], body["part"])
            case "arrivals" if body.get("kind") == "complaint":
                abuse.by_complaint(self.p, body)
            case "arrivals" if body.get("kind") == "pause":
                abuse.pause_sending(self.p, body["account"], body["why"])
            case "arrivals":
                if rest := abuse.take(self.p, arrival(body)):
                    receive.arrive(self.p, rest)
            case "outgoing":
                send.attempt(self.p, body["submission"], body["chunk"])
            case "outcomes" | "bounces" | "jobs":
                handlers = {"outcomes": outcomes.record, "bounces": bounces.send, "jobs": jobs.one}
                handlers[message.queue](self.p, body)

    def step(self, execution: Execution) -> None:
        """One step of the delivery machine, as infra/delivery.asl.json has it."""
        submission, chunk = execution.data["submission"], execution.data["chunk"]
        match execution.step:
            case "watch":
                execution.times += 1
                execution.token = f"{submission}-{chunk}-{execution.times}"
                execution.step, execution.at = "waiting", self.clock.seconds + 4 * 3600
                delivery.watch(self.p, submission, chunk, execution.token)
            case "waiting" | "next":
                execution.step = "next"
                answer = delivery.next_step(self.p, submission, chunk)
                execution.step = "attempt" if answer["action"] == "retry" else "done"
                execution.at = datetime.fromisoformat(answer["at"].replace("Z", "+00:00")).timestamp()
            case "attempt":
                delivery.retry(self.p, submission, chunk)
                execution.step = "watch"

    def due(self, execution: Execution) -> float | None:
        """When a step can be done; None when the machine is done."""
        if execution.step == "done":
            return None
        return execution.at if execution.step in ("waiting", "attempt") else self.clock.seconds

    def settle(
        self, until: timedelta = timedelta(days=30), random: Random | None = None, copies: int = 1
    ) -> None:
        """Let everything happen, moving the clock to what comes next, at most `until` from now.

        With `random`, each message is delivered `copies` times, in any order among what is due.
        """
        end = self.clock.seconds + until.total_seconds()
        seen = 0
        while True:
            fresh = self.queues.messages[seen:]
            self.queues.messages += [replace(m) for m in fresh for _ in range(copies - 1)]
            seen = len(self.queues.messages)
            waiting: list[tuple[float, Any]] = [(m.at, m) for m in self.queues.messages]
            machines = [(self.due(e), e) for e in self.workflows.executions.values()]
            waiting += [(at, e) for at, e in machines if at is not None]
            if not waiting or min(at for at, _ in waiting) > end:
                self.clock.seconds = end if waiting else self.clock.seconds
                return
            self.clock.seconds = max(self.clock.seconds, min(at for at, _ in waiting))
            ready = [w for at, w in waiting if at <= self.clock.seconds]
            chosen = random.choice(ready) if random else ready[0]
            if isinstance(chosen, Message):
                self.queues.messages = [m for m in self.queues.messages if m is not chosen]
                seen = len(self.queues.messages)
            self._do(chosen)

    def _do(self, chosen: Message | Execution) -> None:
        """One thing; after a crash it comes again, as SQS and Step Functions would have it."""
        before = replace(chosen)
        try:
            self.handle(chosen) if isinstance(chosen, Message) else self.step(chosen)
        except Crash:
            self.crashes += 1
            if isinstance(chosen, Message):
                self.queues.messages.append(replace(chosen, at=self.clock.seconds + 60))
            else:
                assert isinstance(before, Execution)
                self.workflows.executions[self._name(chosen)] = before

    def _name(self, execution: Execution) -> str:
        [name] = [n for n, e in self.workflows.executions.items() if e is execution]
        return name


def post_office(platform: Platform, clock: Clock) -> Post:
    """A post office with x.test: ann (admin) and bob."""
    fuse = Fuse()
    queues, workflows = HeldQueues(clock, fuse), HeldWorkflows(fuse)

    def publish(event: Json, at: float) -> None:
        queues.messages.append(Message("outcomes", event, at))

    mail = HeldMail(clock, fuse, publish)
    held = replace(platform, queues=queues, workflows=workflows, mail=mail)
    post = Post(held, clock, fuse, queues, workflows, mail)
    post.domain("x.test")
    post.account("ann@x.test", admin=True)
    post.account("bob@x.test")
    return post


def letter(
    sender: str, to: Sequence[str], subject: str = "hello", text: str = "Hello.\n", **headers: str
) -> bytes:
    """A plain message."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, ", ".join(to[:3]) or "nobody:;", subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@{sender.rpartition('@')[2]}>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()
