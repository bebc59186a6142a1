"""S13 over HTTP: the ledger, invoices in three forms, usage; and an invoice worked out by hand."""

import csv
import io
import re
import zlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.aws.table import ABSENT, Put
from chalicelib.rules.billing import Invoice, InvoiceLine, Month
from chalicelib.rules.hosted import Reseller
from chalicelib.rules.ledger import Entry, Line
from chalicelib.services import accounts, invoices
from chalicelib.services.billing import Bill
from chalicelib.store.ledger import ledger_item
from tests.registry import Registry, box

Json = dict[str, Any]


def go(registry: Registry, text: str) -> None:
    """To a moment of 2026, in UTC."""
    registry.clock.seconds = datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC).timestamp()


def done(registry: Registry, method: str, path: str, body: Any = None, **how: Any) -> Json:
    """What the API answers to something that works."""
    answer = registry.call(method, path, body, **how)
    assert answer.status in (200, 201, 202), answer
    return answer.json


def total(registry: Registry, month: str) -> tuple[int, bool]:
    """What a month costs, and whether that is final."""
    found = done(registry, "GET", f"/v1/invoices/{month}")
    return found["total"]["mills"], found["final"]


def test_S13_an_order_on_the_28th_with_an_upgrade_on_the_3rd_and_a_reversal(registry: Registry) -> None:
    """By hand, at 0.30 a mailbox and 0.10 a step of 250 MB above 250 MB.

    x.test: ann with 250 MB and bob with 500 MB on 28 March; bob gets 1,000 MB on 3 April and cat is made;
    the domain is taken back on 4 April, seven days after the order, one after cat.
      March: ann 0.30, bob 0.30 + 0.10 = 0.70. April: ann 0.30, bob 0.30 + 3 × 0.10 = 0.90; cat is free.
    y.test: eve with 5,000 MB on 28 March (0.30 + 19 × 0.10 = 2.20), upgraded before, taken back on 2 April at
    the hour of the order: exactly five days, nothing for March nor April.
    """
    go(registry, "03-28 10:00")
    order = {"domain": "x.test", "mailboxes": [{"local": "ann"}, {"local": "bob", "storage_mb": 500}]}
    done(registry, "POST", "/v1/orders", order)
    done(registry, "POST", "/v1/orders", {"domain": "y.test", "mailboxes": [{"local": "eve"}]})
    go(registry, "03-29 10:00")
    done(registry, "PATCH", "/v1/domains/y.test/mailboxes/eve", {"storage_mb": 5_000})
    assert total(registry, "2026-03") == (700 + 2_200, False)
    go(registry, "04-02 10:00")
    dry = done(registry, "POST", "/v1/domains/y.test/reversal?dry_run=true")
    assert (dry["last_month"]["before_mills"], dry["last_month"]["after_mills"]) == (2_900, 700)
    assert total(registry, "2026-03") == (2_900, False), "asking changes nothing"
    done(registry, "POST", "/v1/domains/y.test/reversal")
    assert total(registry, "2026-03") == (700, False)
    go(registry, "04-03 10:00")
    done(registry, "PATCH", "/v1/domains/x.test/mailboxes/bob", {"storage_mb": 1_000})
    go(registry, "04-03 10:01")
    done(registry, "PUT", "/v1/domains/x.test/mailboxes/cat", {"storage_mb": 250})
    go(registry, "04-04 10:00")
    dry = done(registry, "POST", "/v1/domains/x.test/reversal?dry_run=true")
    done(registry, "POST", "/v1/domains/x.test/reversal")
    assert dry["this_month"]["after_mills"] == total(registry, "2026-04")[0] == 900
    assert (dry["monthly"]["before_mills"], dry["monthly"]["after_mills"]) == (1_200, 0)
    go(registry, "06-01 00:00")
    april = done(registry, "GET", "/v1/invoices/2026-04")
    assert [(x["address"], x["storage_mb"], x["steps"], x["mills"]) for x in april["lines"]] == [
        ("ann@x.test", 250, 0, 300),
        ("bob@x.test", 1_000, 3, 600),
    ]
    assert april["total"] == {"mills": 900, "amount": "0.900", "currency": "USD"}
    assert [total(registry, f"2026-{m}") for m in ("03", "04", "05", "06")] == [
        (700, True),
        (900, True),
        (0, False),
        (0, False),
    ]
    kinds = [e["kind"] for e in done(registry, "GET", "/v1/ledger?month=2026-04")["entries"]]
    assert kinds == ["reversed", "resized", "created", "reversed"]
    mine = done(registry, "GET", "/v1/invoices")["invoices"]
    assert [(x["number"], x["total"]["mills"], x["final"]) for x in mine] == [
        ("house-2026-06", 0, False),
        ("house-2026-05", 0, False),
        ("house-2026-04", 900, True),
        ("house-2026-03", 700, True),
    ]


def test_S13_a_dry_run_says_what_the_change_then_costs(registry: Registry) -> None:
    registry.order()
    calls = [
        ("POST", "/v1/orders", {"domain": "y.test", "mailboxes": [{"local": "a", "storage_mb": 750}]}),
        ("PUT", "/v1/domains/x.test/mailboxes/cat", {"storage_mb": 500}),
        ("PATCH", "/v1/domains/x.test/mailboxes/cat", {"storage_mb": 1_250}),
        ("PATCH", "/v1/domains/x.test/mailboxes/cat", {"storage_mb": 250}),
        ("DELETE", "/v1/domains/x.test/mailboxes/cat", None),
        ("POST", "/v1/domains/y.test/reversal", None),
    ]
    for method, path, body in calls:
        registry.clock.advance(minutes=1)
        dry = done(registry, method, f"{path}?dry_run=true", body)
        before = total(registry, "2026-03")[0], done(registry, "GET", "/v1/usage")["monthly"]["mills"]
        assert (dry["this_month"]["before_mills"], dry["monthly"]["before_mills"]) == before
        assert registry.call(method, path, body).status in (200, 201, 202, 204)
        after = total(registry, "2026-03")[0], done(registry, "GET", "/v1/usage")["monthly"]["mills"]
        assert (dry["this_month"]["after_mills"], dry["monthly"]["after_mills"]) == after, (method, path)


def test_usage_is_what_is_sold_now(registry: Registry) -> None:
    registry.order("x.test", box("ann", storage_mb=1_000), box("bob"))
    registry.order("a.test", box("eve"))
    found = done(registry, "GET", "/v1/usage")
    assert [(d["domain"], d["mailboxes"], d["storage_mb"], d["mills"]) for d in found["domains"]] == [
        ("a.test", 1, 250, 300),
        ("x.test", 2, 1_250, 900),
    ]
    assert found["total"] == {"mailboxes": 3, "storage_mb": 1_500, "steps": 3, "mills": 1_200}
    nothing = done(registry, "GET", "/v1/usage", key=registry.other_key)
    assert (nothing["total"]["mailboxes"], nothing["domains"]) == (0, [])


def test_lines_months_and_entries_come_in_pages(registry: Registry) -> None:
    registry.order("x.test", *(box(f"m{n}") for n in range(5)))
    for number in range(2):
        registry.order(f"d{number}.test", box("ann"))
    go(registry, "05-02 10:00")
    for path, name, key, count in (
        ("/v1/invoices/2026-03", "lines", "address", 7),
        ("/v1/invoices", "invoices", "number", 3),
        ("/v1/ledger?month=2026-03", "entries", "id", 3),
    ):
        found, cursor = [], ""
        for _ in range(9):
            more = f"{'&' if '?' in path else '?'}limit=2" + (f"&cursor={cursor}" if cursor else "")
            page = done(registry, "GET", path + more)
            found += [row[key] for row in page[name]]
            cursor = page["cursor"]
            if not cursor:
                break
        assert len(found) == len(set(found)) == count, path


def test_a_month_without_an_invoice_is_not_there(registry: Registry) -> None:
    registry.order()
    for month in ("2026-02", "2026-04", "march", "2026-3"):
        for form in ("", "/csv", "/pdf"):
            assert registry.call("GET", f"/v1/invoices/{month}{form}").status == 404, month
    assert registry.call("GET", "/v1/ledger?month=march").status == 400
    assert done(registry, "GET", "/v1/ledger")["month"] == "2026-03"
    assert done(registry, "GET", "/v1/invoices/2026-03", key=registry.other_key)["total"]["mills"] == 0


def test_the_operator_sees_a_resellers_invoice(registry: Registry) -> None:
    registry.order()
    path = "/v1/operator/resellers/house/invoices/2026-03"
    assert done(registry, "GET", path, key=registry.operator_key) == done(
        registry, "GET", "/v1/invoices/2026-03"
    )
    absent = registry.call("GET", path.replace("house", "nobody"), key=registry.operator_key)
    assert (absent.status, registry.call("GET", path).status) == (404, 401)


def test_a_key_for_one_domain_sees_no_money(registry: Registry) -> None:
    key = accounts.issue_key(registry.platform, "house", ["billing:read@x.test"])
    for path in (
        "/v1/ledger",
        "/v1/invoices",
        "/v1/invoices/2026-03",
        "/v1/invoices/2026-03/csv",
        "/v1/usage",
    ):
        assert registry.call("GET", path, key=key).status == 403, path


# ------------------------------------------------------------------------------------------------- forms
def test_S13_csv_is_rfc_4180_and_computes_nothing(registry: Registry) -> None:
    names = ["=1+2", "+1", "-1+2", "@a", "\ta", "\ra", 'a,b"c', "plain@x.test"]
    lines = tuple(Line(f"a{n}", name, 250, 300, 0, 100) for n, name in enumerate(names))
    now = datetime.fromtimestamp(registry.clock.seconds, UTC)
    entry = Entry("e1", now, "house", "ordered", "x.test", "o1", lines)
    registry.platform.ledger.table.transact([Put(ledger_item(entry), ABSENT)])
    answer = registry.call("GET", "/v1/invoices/2026-03/csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="house-2026-03.csv"'
    assert answer.text.count("\r\n") == len(names) + 1
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == len(names)
    for row in rows:
        assert not row["address"].startswith(("=", "+", "-", "@", "\t", "\r")), row
        assert (row["invoice"], row["mills"], row["amount"], row["final"]) == (
            "house-2026-03",
            "300",
            "0.300",
            "false",
        )


def test_an_invoice_too_large_for_an_answer_is_a_link(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.order()
    text = registry.call("GET", "/v1/invoices/2026-03/csv").text
    monkeypatch.setattr("chalicelib.api.billing.LARGEST_TEXT", 100)
    answer = registry.call("GET", "/v1/invoices/2026-03/csv")
    assert answer.status == 303
    assert stored(registry, answer.headers["Location"]).decode() == text


def stored(registry: Registry, url: str) -> bytes:
    """What a link leads to."""
    key = urlsplit(url).path.partition("/part/")[2]
    return registry.platform.blobs.get(f"part/{key}")


def test_S13_an_invoice_as_pdf_is_a_link_and_the_same_each_time(registry: Registry) -> None:
    registry.order()
    answer = registry.call("GET", "/v1/invoices/2026-03/pdf")
    assert answer.status == 303
    document = stored(registry, answer.headers["Location"])
    text = printed(document)
    assert "Invoice house-2026-03" in text[0]
    assert [line for line in text if line.startswith("ann@x.test")] == [
        f"{'ann@x.test':<54}{'250':>12}{'0':>8}{'0.300':>18}"
    ]
    again = registry.call("GET", "/v1/invoices/2026-03/pdf")
    assert stored(registry, again.headers["Location"]) == document


def printed(document: bytes) -> list[str]:
    """The lines of text of a PDF, in the order they are drawn, after its structure was checked."""
    start = int(document.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    table = document[start:].split(b"trailer")[0].splitlines()
    for number, row in enumerate(table[2:]):
        offset, _, used = row.split()
        assert used == b"f" or document[int(offset) :].startswith(f"{number} 0 obj".encode())
    streams = re.findall(rb"stream\n(.*?)\nendstream", document, re.DOTALL)
    texts = [t for s in streams for t in re.findall(rb"\((.*)\) Tj", zlib.decompress(s))]
    return [re.sub(rb"\\(.)", rb"\1", t).decode("cp1252") for t in texts]


def test_S13_500_lines_break_into_pages_with_headings_and_nothing_is_lost() -> None:
    lines = tuple(
        InvoiceLine(
            f"a{d}-{n}", f"{'very-' * 14 if n == 3 else 'm'}{n:03d}@d{d}.test", f"d{d}.test", 500, 300, 1, 100
        )
        for d in range(10)
        for n in range(50)
    )
    bill = Bill(Invoice("house", Month(2026, 2), lines), True)
    text = printed(invoices.pdf(bill, Reseller("house", r"Bücher & Söhne (株) \o/", "o@x.test", "house")))
    pages = [line for line in text if line.startswith("Invoice house-2026-02, page")]
    assert pages == [f"Invoice house-2026-02, page {n} of {len(pages)}" for n in range(1, len(pages) + 1)]
    assert len([line for line in text if line.startswith("Mailbox ")]) == len(pages) == 11
    assert "To:      Bücher & Söhne (?) \\o/ (house)" in text
    assert "Month:   2026-02-01 to 2026-02-28 (UTC)" in text
    whole = "".join(line.strip() if line.startswith("  ") else "\n" + line[:54].strip() for line in text)
    assert all(mailbox.address in whole for mailbox in lines)
    assert text[-2] == f"{'Total':<54}{'':>12}{'500':>8}{'200.000':>18}"
    for number, line in enumerate(text):
        if re.match(r"d\d\.test", line):
            assert "@" in text[number + 1], "a domain's name is not the last line of a page"
