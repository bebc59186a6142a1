"""SES: what its answers say about whether a message went out; and our own SES edge, called through it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from chalicelib.aws import clients
from chalicelib.aws.mail import Mail, MailError, Paused, Rejected, Throttled, Unclear, Undelivered
from tests.local.world import World, world

RAW = b"From: ann@live.test\r\nTo: x@far.test\r\nSubject: hello\r\n\r\nHello.\r\n"


def answered(code: str, status: int = 400) -> ClientError:
    """An error that SES answered."""
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendEmail")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (answered("TooManyRequestsException", 429), Throttled),
        (answered("LimitExceededException"), Throttled),
        (answered("Throttling"), Throttled),
        (ConnectTimeoutError(endpoint_url="x"), Throttled),
        (EndpointConnectionError(endpoint_url="x"), Throttled),
        (answered("AccountSuspendedException"), Paused),
        (answered("SendingPausedException"), Paused),
        (answered("MessageRejected"), Rejected),
        (answered("BadRequestException"), Rejected),
        (answered("InternalFailure", 500), Unclear),
        (answered("ServiceUnavailable", 503), Unclear),
        (ReadTimeoutError(endpoint_url="x"), Unclear),
        (ConnectionClosedError(endpoint_url="x"), Unclear),
    ],
)
def test_what_an_error_says_of_the_message(error: Exception, meaning: type[MailError]) -> None:
    client = mock.Mock()
    client.send_email.side_effect = client.send_bounce.side_effect = error
    with mock.patch.object(clients, "client", return_value=client):
        with pytest.raises(meaning):
            Mail("set").send("a@live.test", ["x@far.test"], RAW, {})
        with pytest.raises(meaning):
            Mail("set").bounce("id", "a@live.test", "mx", datetime.now(UTC), [])
    assert client.send_email.call_count == 1


@pytest.fixture
def ses() -> Iterator[World]:
    """The local SES edge, which our clients call."""
    with world() as made:
        made.host("live.test")
        with mock.patch.object(clients, "client", made.client):
            yield made


def test_a_message_goes_out_with_its_tags(ses: World) -> None:
    ses_id = Mail("set").send("ann@live.test", ["x@far.test"], RAW, {"submission": "s1", "chunk": "0"})
    events: list[Any] = ses.events()  # all is quiet then
    [out] = ses.outside.outbox("x@far.test")
    assert out.ses_id == ses_id
    assert {e["eventType"] for e in events} == {"Send", "Delivery"}
    assert all(e["mail"]["tags"]["submission"] == ["s1"] for e in events)


@pytest.mark.usefixtures("ses")
def test_an_identity_is_made_found_and_forgotten() -> None:
    mail = Mail("set")
    assert mail.identity("new.test") is None
    made = mail.create_identity("new.test")
    assert len(made.tokens) == 3
    assert mail.create_identity("new.test") == made, "a repeat finds it"
    mail.delete_identity("new.test")
    mail.delete_identity("new.test")
    assert mail.identity("new.test") is None


def test_a_bounce_of_mail_that_SES_never_received_is_refused(ses: World) -> None:
    with pytest.raises(Rejected):
        Mail("set").bounce(
            "unknown",
            "mailer-daemon@live.test",
            "inbound.live.test",
            datetime.now(UTC),
            [Undelivered("bob@live.test", "5.1.1", "no such mailbox")],
        )
    assert ses.outside.outbox() == []


def test_the_SDK_never_repeats_a_call_to_SES() -> None:
    for service in ("ses", "sesv2"):
        with mock.patch.object(clients, "_clients", {}), mock.patch("boto3.client") as made:
            clients.client(service)
        assert made.call_args.kwargs["config"].retries["total_max_attempts"] == 1
