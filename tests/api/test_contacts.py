"""Contacts as files over HTTP."""

import json
from typing import Any

import pytest

from chalicelib.api import contacts as api
from tests.registry import Answer, Registry

FILE = "/v1/mailbox/contacts"


@pytest.fixture
def live(registry: Registry) -> Registry:
    """x.test is live."""
    registry.order()
    registry.set_state("x.test", "live")
    return registry


def send(live: Registry, body: str | bytes, kind: str, query: str = "", to: str = "bob@x.test") -> Answer:
    return live.call(
        "POST", f"{FILE}/import{query}", raw=body, key=live.token(to), headers={"Content-Type": kind}
    )


def fetch(live: Registry, form: str, to: str = "bob@x.test") -> Answer:
    return live.call("GET", f"{FILE}.{form}", key=live.token(to))


def counts(answer: Answer) -> list[Any]:
    return [answer.json[name] for name in ("created", "updated", "unchanged")]


def test_in_and_out_and_in_again(live: Registry) -> None:
    assert counts(send(live, api.ZOE, "text/vcard; charset=utf-8")) == [1, 0, 0]
    assert counts(send(live, api.ZOE, "text/vcard")) == [0, 0, 1]
    vcards = fetch(live, "vcf")
    assert vcards.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert vcards.headers["Content-Disposition"] == 'attachment; filename="contacts.vcf"'
    assert "FN:Zoe Far\r\n" in vcards.text
    table = fetch(live, "csv")
    assert table.text.startswith("\ufeffName,")
    assert counts(send(live, table.text, "text/csv")) == [0, 0, 1]
    assert counts(send(live, table.text.replace("Zoe", "Zoë"), "text/csv; charset=utf-8")) == [0, 1, 0]


def test_each_row_that_fails_says_why(live: Registry) -> None:
    long = "x" * 70_000
    answer = send(live, f"Name,Shoe,Birthday\r\nAnn,39,soon\r\n{long},,\r\n,40,\r\n", "text/csv")
    assert counts(answer) == [1, 0, 0]
    assert answer.json["failed"] == [
        {"row": 2, "error": answer.json["failed"][0]["error"]},
        {"row": 3, "error": "There is nothing in this row."},
    ]
    assert answer.json["notes"] == [
        {"row": 0, "note": "Columns that say nothing here: Shoe."},
        {"row": 1, "note": "Birthday is no date, and was left out."},
    ]


def test_what_is_not_utf_8_goes_as_octets(live: Registry) -> None:
    cp1252 = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Müller\r\nEND:VCARD\r\n".encode("cp1252")
    assert counts(send(live, cp1252, "application/octet-stream")) == [1, 0, 0]
    assert counts(send(live, "Name\r\nZoë\r\n".encode("utf-16"), "application/octet-stream")) == [1, 0, 0]
    assert "N:Müller" in fetch(live, "vcf").text
    assert "FN:Zoë" in fetch(live, "vcf").text


def test_refused(live: Registry) -> None:
    for body, kind, query, status, code in (
        ("x", "text/vcard", "", 400, "bad_request"),
        ("Shoe\r\n39", "text/csv", "", 422, "invalid"),
        ("", "text/csv", "", 422, "invalid"),
        ("x" * (api.LARGEST + 1), "text/vcard", "", 413, "too_large"),
        (api.ZOE, "text/html", "", 415, "unsupported_media_type"),
        (api.ZOE, "text/vcard", "?address_book=none", 404, "not_found"),
        (api.ZOE, "text/vcard", "?book=b1", 400, "bad_request"),
    ):
        answer = send(live, body, kind, query)
        assert (answer.status, answer.json["code"]) == (status, code), (body[:20], kind, query)


def test_nobody_sees_anothers(live: Registry) -> None:
    send(live, api.ZOE, "text/vcard")
    assert fetch(live, "vcf", "ann@x.test").text == ""
    assert live.call("GET", f"{FILE}.vcf").status == 401
    assert live.call("GET", f"{FILE}.vcf", key=live.key).status in (401, 403)


def test_a_file_too_large_for_an_answer_is_fetched_elsewhere(
    live: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(live, api.ZOE, "text/vcard")
    monkeypatch.setattr(api, "LARGEST_ANSWER", 10)
    answer = fetch(live, "vcf")
    assert (answer.status, answer.text) == (303, "")
    key = answer.headers["Location"].partition("?")[0].partition("part/")[2]
    assert "FN:Zoe Far" in live.platform.blobs.get(f"part/{key}").decode()
    assert json.dumps(answer.headers["Location"]).count("contacts.vcf")
