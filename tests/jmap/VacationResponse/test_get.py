"""VacationResponse/get (RFC 8621 §8)."""

from datetime import UTC, datetime

from chalicelib.rules.autoreply import AutoReply
from chalicelib.rules.values import SYSTEM
from chalicelib.services import autoreply
from tests.jmap.client import Client


def test_off_where_nothing_was_written(jmap: Client) -> None:
    answer = jmap.call("VacationResponse/get", ids=None)
    assert answer["list"] == [
        {
            "id": "singleton",
            "isEnabled": False,
            "fromDate": None,
            "toDate": None,
            "subject": None,
            "textBody": None,
            "htmlBody": None,
        }
    ]
    assert answer["notFound"] == []


def test_what_the_rest_api_wrote(jmap: Client) -> None:
    start, end = datetime(2026, 7, 1, 8, 30, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
    reply = AutoReply(True, start, end, "Away", "Gone fishing.", "<p>Gone <b>fishing</b>.</p>")
    autoreply.set_(jmap.post.p, SYSTEM, jmap.account, reply)
    [shown] = jmap.call("VacationResponse/get", ids=["singleton"])["list"]
    assert (shown["fromDate"], shown["toDate"]) == ("2026-07-01T08:30:00Z", "2026-08-01T00:00:00Z")
    assert (shown["isEnabled"], shown["subject"]) == (True, "Away")
    assert (shown["textBody"], shown["htmlBody"]) == (reply.text, reply.html)


def test_ids_and_properties(jmap: Client) -> None:
    answer = jmap.call("VacationResponse/get", ids=["singleton", "other"], properties=["isEnabled"])
    assert answer["list"] == [{"id": "singleton", "isEnabled": False}]
    assert answer["notFound"] == ["other"]
    assert jmap.error("VacationResponse/get", ids=None, properties=["x"])["type"] == "invalidArguments"
