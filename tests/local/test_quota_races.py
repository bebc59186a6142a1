"""200 deliveries at once to a mailbox at 99 % of its quota, through the local cloud's queue and functions."""

import json
import uuid

import pytest

from chalicelib.aws import clock
from chalicelib.rules.figures import MB
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account, NewEmail
from chalicelib.services import mailbox, repair
from chalicelib.services.platform import Platform, platform
from chalicelib.store.records import domain_item, mailbox_item, meta_key
from local.stack import WORKERS, Stack
from tests.store.samples import usual

DELIVERIES, SIZE, FIT = 200, 100_000, 26
QUOTA = 250 * MB
ANN = Account("arace", "ann@race.test", "race.test", QUOTA)


@pytest.fixture
def p(stack: Stack) -> Platform:
    """race.test is live; Ann's mailbox is full but for 1 %, as much as 26 messages take."""
    assert stack.engine.url
    p = platform()
    hosted = HostedDomain(ANN.domain, "live", "r1", "o1", clock.now())
    items = [domain_item(hosted), mailbox_item(ANN, None)]
    p.directory.table.batch_write(put=[*items, {**meta_key("ACCOUNT", ANN.id), "address": ANN.address}])
    mailbox.create(p, ANN)
    used = QUOTA - FIT * SIZE
    ballast = NewEmail("mballast", None, "archive", "in/ballast", used, clock.now(), usual())
    mailbox.add(p, ANN.id, [ballast], quota_bytes=None)
    return p


def notice(p: Platform, number: int) -> str:
    """A message where SES would put it, and what SES would say of it."""
    ses_id = uuid.UUID(int=number).hex
    head = f"From: zoe@far.test\r\nTo: {ANN.address}\r\nMessage-ID: <{number}@far.test>\r\n\r\n".encode()
    raw = head + b"x" * (SIZE - len(head))
    p.blobs.put(f"in/{ses_id}", raw)
    verdicts = {f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim", "dmarc")}
    when = "2026-03-02T09:00:00.000Z"
    return json.dumps(
        {
            "notificationType": "Received",
            "mail": {"timestamp": when, "source": "zoe@far.test", "messageId": ses_id},
            "receipt": {
                "recipients": [ANN.address],
                "action": {"type": "S3", "objectKey": f"in/{ses_id}"},
                **verdicts,
            },
        }
    )


def test_S14_S17_sixteen_workers_never_exceed_the_quota(stack: Stack, p: Platform) -> None:
    assert WORKERS == 16
    sqs = stack.client("sqs")
    bodies = [notice(p, number) for number in range(1, DELIVERIES + 1)]
    for at in range(0, DELIVERIES, 10):
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[at : at + 10])]
        sqs.send_message_batch(QueueUrl=p.settings.arrivals_queue, Entries=entries)
    stack.settle(60)

    state = mailbox.state(p, ANN.id)
    assert state.used_bytes == QUOTA, "what fits is there, and not a byte more"
    assert state.counters["f1"][0] == FIT
    assert repair.check(p, ANN.id) == [], "counters are the sums of what is there"
    traces = [p.outbox.trace(uuid.UUID(int=n).hex) for n in range(1, DELIVERIES + 1)]
    results = [trace.results[ANN.address] for trace in traces if trace]
    assert len(results) == DELIVERIES
    assert sum(r["result"] == "delivered" for r in results) == FIT
    assert {(r["result"], r["status"]) for r in results} == {("delivered", ""), ("bounced", "5.2.2")}
