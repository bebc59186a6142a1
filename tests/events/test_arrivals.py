"""SES's "Received" notifications, read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.events.arrivals import arrival
from chalicelib.rules.values import Envelope, Verdicts
from tests.services.post import recorded

SIGNED = "amazonses.com; spf=fail; dkim=pass header.i=@{}; dmarc=none header.from=far.test;"


def notification(**verdicts: str) -> dict[str, Any]:
    """The recorded notification with other verdicts; an empty one is left out."""
    body = recorded("received")
    for name, status in verdicts.items():
        if status:
            body["receipt"][f"{name}Verdict"] = {"status": status}
        else:
            del body["receipt"][f"{name}Verdict"]
    return body


def test_the_envelope_is_what_counts_not_the_header() -> None:
    read = arrival(recorded("received"))
    assert read.envelope == Envelope("zoe@far.test", ("bob@x.test", "ann@x.test"))
    assert (read.id, read.ses_id) == ("5kf9e2l6hmo4cn8r2q1b", "5kf9e2l6hmo4cn8r2q1b")
    assert read.blob == "in/5kf9e2l6hmo4cn8r2q1b"
    assert read.received_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert read.source == "ses"
    assert read.verdicts == Verdicts("PASS", "PASS", "PASS", "PASS", "PASS", sender_authentic=True)


@pytest.mark.parametrize("status", ["PASS", "FAIL", "GRAY", "PROCESSING_FAILED", "DISABLED"])
def test_every_verdict_of_SES_is_known(status: str) -> None:
    found = arrival(notification(spam=status, virus=status, spf=status, dkim=status, dmarc=status)).verdicts
    assert {found.spam, found.virus, found.spf, found.dkim, found.dmarc} == {status}


@pytest.mark.parametrize("status", ["", "SOMETHING_NEW"])
def test_a_verdict_that_is_missing_or_new_was_not_made(status: str) -> None:
    found = arrival(notification(spam=status, virus=status)).verdicts
    assert (found.spam, found.virus) == ("DISABLED", "DISABLED")


@pytest.mark.parametrize("source", ["", "<>", None])
def test_a_null_return_path_is_an_empty_sender_and_nobodys(source: str | None) -> None:
    body = recorded("received")
    body["mail"]["source"] = source
    read = arrival(body)
    assert read.envelope.sender == ""
    assert not read.verdicts.sender_authentic


@pytest.mark.parametrize(
    ("signer", "authentic"),
    [
        ("far.test", True),
        ("mail.far.test", True),
        ("FAR.TEST", True),
        ("notfar.test", False),
        ("far.test.evil.test", False),
        ("test", False),
    ],
)
def test_S28_without_SPF_only_the_senders_own_signature_counts(signer: str, authentic: bool) -> None:
    body = notification(spf="FAIL")
    [results] = [h for h in body["mail"]["headers"] if h["name"] == "Authentication-Results"]
    results["value"] = SIGNED.format(signer)
    assert arrival(body).verdicts.sender_authentic is authentic


def test_S28_authentication_results_that_the_sender_wrote_prove_nothing() -> None:
    body = notification(spf="FAIL")
    forged = {"name": "Authentication-Results", "value": SIGNED.format("far.test")}
    body["mail"]["headers"] = [
        {"name": "Authentication-Results", "value": SIGNED.format("evil.test")},
        forged,
    ]
    assert not arrival(body).verdicts.sender_authentic
    body["mail"]["headers"] = [{**forged, "value": forged["value"].replace("amazonses.com", "mx.evil.test")}]
    assert not arrival(body).verdicts.sender_authentic
    body["mail"]["headers"] = []
    assert not arrival(body).verdicts.sender_authentic
    assert not arrival(notification(spf="FAIL", dkim="FAIL")).verdicts.sender_authentic


def test_optional_fields_may_be_missing() -> None:
    body = notification(spf="FAIL")
    del body["mail"]["headers"], body["mail"]["commonHeaders"], body["mail"]["destination"]
    assert arrival(body).envelope.sender == "zoe@far.test"
