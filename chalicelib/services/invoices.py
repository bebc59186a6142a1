"""Invoices to take away: CSV for programs and spreadsheets, PDF for people."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from typing import NamedTuple

import pydyf

from chalicelib.rules import csvtext
from chalicelib.rules.billing import Invoice, InvoiceLine
from chalicelib.rules.hosted import Reseller
from chalicelib.rules.pricing import CURRENCY, dollars
from chalicelib.services.billing import Bill

COLUMNS = (
    "invoice", "month", "final", "domain", "address", "account", "storage_mb", "base_mills", "steps",
    "step_mills", "mills", "amount", "currency",
)  # fmt: skip


def csv(bill: Bill) -> str:
    """A line a mailbox (RFC 4180); no total, which a spreadsheet would add up again."""
    return csvtext.document(COLUMNS, (_row(bill, line) for line in bill.invoice.lines))


def _row(bill: Bill, line: InvoiceLine) -> Sequence[object]:
    return (
        bill.invoice.number,
        bill.invoice.month,
        bill.final,
        line.domain,
        line.address,
        line.account,
        line.storage_mb,
        line.base_mills,
        line.steps,
        line.step_mills,
        line.mills,
        dollars(line.mills),
        CURRENCY,
    )


# ---------------------------------------------------------------------------------------------------- PDF
WIDTH, HEIGHT = 595, 842  # A4, in points
LEFT, TOP = 50, 790
STEP, SIZE = 13, 9  # from line to line; of a letter, which in Courier is 0.6 of it wide: 92 to a line
LINES = 54  # of a page
NAME, STORAGE, STEPS, PRICE = 54, 12, 8, 18  # letters in the columns
FONTS = {"Plain": "Courier", "Bold": "Courier-Bold"}


class Line(NamedTuple):
    """A printed line."""

    text: str
    bold: bool = False
    with_next: bool = False  # not the last one of a page


def pdf(bill: Bill, reseller: Reseller) -> bytes:
    """The same bytes whenever it is made of the same invoice. Characters beyond Windows-1252 become "?"."""
    title = f"Invoice {bill.invoice.number}"
    pages = list(_pages([*_head(title, bill, reseller), *_table(bill.invoice)]))
    document = pydyf.PDF()
    fonts = pydyf.Dictionary({name: _font(face) for name, face in FONTS.items()})
    for number, lines in enumerate(pages, 1):
        content = _drawn(lines, f"{title}, page {number} of {len(pages)}")
        document.add_object(content)
        page = {
            "Type": "/Page",
            "Parent": document.pages.reference,
            "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT]),
            "Resources": pydyf.Dictionary({"Font": fonts}),
            "Contents": content.reference,
        }
        document.add_page(pydyf.Dictionary(page))
    document.info["Title"] = pydyf.String(title)
    out = BytesIO()
    document.write(out)
    return out.getvalue()


def _head(title: str, bill: Bill, reseller: Reseller) -> Iterator[Line]:
    """What the invoice is, for whom and for when."""
    month = bill.invoice.month
    last = (month.end - month.start).days
    yield Line(title, bold=True)
    yield Line("")
    yield Line(f"To:      {reseller.name} ({reseller.id})")
    yield Line(f"Month:   {month}-01 to {month}-{last} (UTC)")
    yield Line("State:   " + ("final" if bill.final else "preview; what happens from now on can change it"))
    yield Line(f"Total:   {dollars(bill.invoice.mills)} {CURRENCY} for {len(bill.invoice.lines)} mailboxes")
    yield Line("")


def _table(invoice: Invoice) -> Iterator[Line]:
    """Each domain with its mailboxes, then the total."""
    for (domain, lines), total in zip(
        groupby(invoice.lines, lambda line: line.domain), invoice.domains, strict=True
    ):
        yield Line("")
        yield from _columns(domain, "", str(total.steps), dollars(total.mills), bold=True)
        for line in lines:
            yield from _columns(line.address, str(line.storage_mb), str(line.steps), dollars(line.mills))
    yield Line("", with_next=True)
    steps = sum(line.steps for line in invoice.lines)
    yield from _columns("Total", "", str(steps), dollars(invoice.mills), bold=True)


def _columns(name: str, storage: str, steps: str, price: str, bold: bool = False) -> Iterator[Line]:
    """A row; a long name goes on in lines of its own, with the numbers in the first."""
    rest = [name[at : at + NAME - 2] for at in range(0, len(name), NAME - 2)]
    more = len(rest) > 1
    yield Line(f"{rest[0]:<{NAME}}{storage:>{STORAGE}}{steps:>{STEPS}}{price:>{PRICE}}", bold, bold or more)
    yield from (Line(f"  {piece}", bold, bold) for piece in rest[1:])


HEADINGS = next(_columns("Mailbox", "Storage MB", "Steps", f"Price {CURRENCY}", bold=True))


def _pages(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines by pages, with the table's headings on top of each but the first, which has its own below."""
    at, head = 0, 7
    while at < len(lines):
        end = min(len(lines), at + LINES - 1)
        while end < len(lines) and end > at + 1 and lines[end - 1].with_next:
            end -= 1
        page = list(lines[at:end])
        page.insert(0 if at else head, HEADINGS)
        yield page
        at = end


def _font(face: str) -> pydyf.Dictionary:
    """One of the fonts that every reader of PDF has."""
    return pydyf.Dictionary(
        {"Type": "/Font", "Subtype": "/Type1", "BaseFont": f"/{face}", "Encoding": "/WinAnsiEncoding"}
    )


def _drawn(lines: Sequence[Line], foot: str) -> pydyf.Stream:
    """A page's content."""
    content = pydyf.Stream(compress=True)
    for number, line in enumerate([*lines, *[Line("")] * (LINES + 1 - len(lines)), Line(foot)]):
        if line.text:
            printable = "".join(c if c.isprintable() else " " for c in line.text)
            content.begin_text()
            content.set_font_size("Bold" if line.bold else "Plain", SIZE)
            content.set_text_matrix(1, 0, 0, 1, LEFT, TOP - number * STEP)
            content.show_text_string(printable.encode("cp1252", "replace"))
            content.end_text()
    return content
