"""What a reseller pays (S13): ledger, invoices as JSON, CSV and PDF, and what is sold now."""

from hashlib import sha256

from chalice.app import Blueprint, Response
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.rest import Call, Example, Out, PageQuery, Section
from chalicelib.aws import clock
from chalicelib.rules import csvtext
from chalicelib.rules.billing import Month, Sold, month_of, parse_month
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.ledger import Entry
from chalicelib.rules.pricing import CURRENCY, dollars
from chalicelib.services import access, billing, invoices, resellers
from chalicelib.services.billing import Bill

routes = Blueprint(__name__)
section = Section("Billing", routes)
LARGEST_TEXT = 4_000_000  # bytes of an answer; a function's answers have at most 6 MB
MILLS = "In thousandths of a US dollar."


class AmountOut(Out):
    """Money: exact, twice."""

    mills: int = Field(description=MILLS)
    amount: str = Field(description="The same as a decimal number.")
    currency: str


class LedgerLineOut(Out):
    """A mailbox as it is after the entry, at the prices of that day."""

    account: str
    address: str
    storage_mb: int
    base_mills: int = Field(description="A month of the mailbox. " + MILLS)
    steps: int = Field(description="Of storage above the base.")
    step_mills: int = Field(description="A month of one step. " + MILLS)


class LedgerEntryOut(Out):
    """What billing knows. Kinds: ordered, created, resized, renamed, removed, restored, reversed."""

    id: str
    at: str
    kind: str
    domain: str
    order: str
    lines: list[LedgerLineOut]


class LedgerOut(Out):
    """A page of a month's entries, oldest first."""

    month: str
    entries: list[LedgerEntryOut]
    cursor: str | None


class InvoiceLineOut(Out):
    """A mailbox: its largest size in the month, and the last name it had in it."""

    account: str
    address: str
    domain: str
    storage_mb: int
    base_mills: int
    steps: int
    step_mills: int
    mills: int = Field(description="base_mills + steps × step_mills.")


class SubtotalOut(Out):
    """A domain's share."""

    domain: str
    mailboxes: int
    steps: int
    mills: int


class InvoiceRowOut(Out):
    """An invoice without its lines. `final`: nothing can change it any more; five days after its month."""

    number: str
    month: str
    final: bool
    mailboxes: int
    total: AmountOut


class InvoiceOut(InvoiceRowOut):
    """An invoice: totals of the whole, and a page of its lines by domain and address."""

    reseller: str
    domains: list[SubtotalOut]
    lines: list[InvoiceLineOut]
    cursor: str | None


class InvoicesOut(Out):
    """A page of invoices, newest first: of the present month as a preview, and back to the first order's."""

    invoices: list[InvoiceRowOut]
    cursor: str | None


class SoldOut(Out):
    """What stands now; `mills`: a month of it."""

    mailboxes: int
    storage_mb: int
    steps: int
    mills: int


class DomainSoldOut(SoldOut):
    """The same of a domain."""

    domain: str


class UsageOut(Out):
    """What is sold now, in all and by domain."""

    total: SoldOut
    monthly: AmountOut
    domains: list[DomainSoldOut]


class LedgerQuery(PageQuery):
    """A page of a month's entries."""

    month: str = Field("", description='"2026-03"; without it, the present month.')


def amount(mills: int) -> AmountOut:
    """Money as the API shows it."""
    return AmountOut(mills=mills, amount=dollars(mills), currency=CURRENCY)


def entry(e: Entry) -> LedgerEntryOut:
    """An entry as the API shows it."""
    names = LedgerLineOut.model_fields
    lines = [LedgerLineOut(**{name: getattr(line, name) for name in names}) for line in e.lines]
    at = answers.moment(e.at) or ""
    return LedgerEntryOut(id=e.id, at=at, kind=e.kind, domain=e.domain, order=e.order, lines=lines)


def row(bill: Bill) -> InvoiceRowOut:
    """An invoice in a list."""
    made = bill.invoice
    return InvoiceRowOut(
        number=made.number,
        month=str(made.month),
        final=bill.final,
        mailboxes=len(made.lines),
        total=amount(made.mills),
    )


def _paged(call: Call, bill: Bill) -> InvoiceOut:
    limit, after = call.page()
    lines = list(bill.invoice.lines)
    start = next((n for n, line in enumerate(lines, 1) if line.account == after), 0)
    page = lines[start : start + limit]
    more = start + limit < len(lines)
    names = InvoiceLineOut.model_fields
    return InvoiceOut(
        **row(bill).model_dump(exclude={"total"}),
        total=amount(bill.invoice.mills),
        reseller=bill.invoice.reseller,
        domains=[
            SubtotalOut(domain=d.domain, mailboxes=d.mailboxes, steps=d.steps, mills=d.mills)
            for d in bill.invoice.domains
        ],
        lines=[InvoiceLineOut(**{name: getattr(line, name) for name in names}) for line in page],
        cursor=answers.cursor(page[-1].account) if more else None,
    )


def _bill(call: Call, reseller: str, month: str) -> Bill:
    try:
        wanted = parse_month(month)
    except ValueError as error:
        raise ServiceError("not_found", str(error)) from None
    return billing.invoice(call.platform, reseller, wanted)


# ---------------------------------------------------------------------------------------------- the ledger
@section.route(
    "GET",
    "/ledger",
    roles=("reseller",),
    scope="billing:read",
    query=LedgerQuery,
    answers={200: LedgerOut},
    example=Example(query={"month": "2026-03"}),
)
def list_ledger(call: Call) -> LedgerOut:
    """What happened in a month, as far as it costs: every invoice follows from these entries alone."""
    access.require(call.caller, "billing:read")
    month = _asked(call.query.month)
    limit, after = call.page()
    found, following = call.platform.ledger.page(call.caller.reseller, (month.start, month.end), limit, after)
    return LedgerOut(month=str(month), entries=[entry(e) for e in found], cursor=answers.cursor(following))


def _asked(text: str) -> Month:
    if not text:
        return month_of(clock.now())
    try:
        return parse_month(text)
    except ValueError as error:
        raise ServiceError("bad_request", str(error)) from None


# ------------------------------------------------------------------------------------------------ invoices
@section.route(
    "GET", "/invoices", roles=("reseller",), scope="billing:read", query=PageQuery, answers={200: InvoicesOut}
)
def list_invoices(call: Call) -> InvoicesOut:
    """The invoices there are, newest first. The present month's is a preview."""
    access.require(call.caller, "billing:read")
    limit, after = call.page()
    p, reseller = call.platform, call.caller.reseller
    months = [month for month in billing.months(p, reseller) if not after or str(month) < after]
    rows = [row(bill) for bill in billing.bills(p, reseller, months[:limit])]
    more = rows[-1].month if len(months) > limit else ""
    return InvoicesOut(invoices=rows, cursor=answers.cursor(more))


@section.route(
    "GET",
    "/invoices/{month}",
    roles=("reseller",),
    scope="billing:read",
    query=PageQuery,
    answers={200: InvoiceOut},
    example=Example({"month": "2026-03"}),
)
def get_invoice(call: Call, month: str) -> InvoiceOut:
    """An invoice with a page of its lines."""
    access.require(call.caller, "billing:read")
    return _paged(call, _bill(call, call.caller.reseller, month))


@section.route(
    "GET",
    "/resellers/{reseller}/invoices/{month}",
    roles=("operator",),
    scope="resellers:read",
    query=PageQuery,
    answers={200: InvoiceOut},
    example=Example({"reseller": "house", "month": "2026-03"}),
)
def get_resellers_invoice(call: Call, reseller: str, month: str) -> InvoiceOut:
    """A reseller's invoice, as the reseller sees it."""
    access.require(call.caller, "resellers:read")
    return _paged(call, _bill(call, resellers.find(call.platform, reseller).id, month))


@section.route(
    "GET",
    "/invoices/{month}/csv",
    roles=("reseller",),
    scope="billing:read",
    answers={200: "text/csv", 303: None},
    example=Example({"month": "2026-03"}),
)
def get_invoice_csv(call: Call, month: str) -> Response:
    """An invoice as CSV, a line a mailbox. One above 4 MB is a redirect to it, valid for five minutes.

    A cell that a spreadsheet would compute is led by an apostrophe.
    """
    access.require(call.caller, "billing:read")
    bill = _bill(call, call.caller.reseller, month)
    text = invoices.csv(bill)
    if len(text.encode()) > LARGEST_TEXT:
        return _link(call, bill, "csv", csvtext.TYPE, text.encode())
    name = f'attachment; filename="{bill.invoice.number}.csv"'
    return Response(text, {"Content-Type": csvtext.TYPE, "Content-Disposition": name}, 200)


@section.route(
    "GET",
    "/invoices/{month}/pdf",
    roles=("reseller",),
    scope="billing:read",
    answers={303: None},
    example=Example({"month": "2026-03"}),
)
def get_invoice_pdf(call: Call, month: str) -> Response:
    """An invoice as PDF: a redirect to it, valid for five minutes."""
    access.require(call.caller, "billing:read")
    bill = _bill(call, call.caller.reseller, month)
    document = invoices.pdf(bill, resellers.find(call.platform, call.caller.reseller))
    return _link(call, bill, "pdf", "application/pdf", document)


def _link(call: Call, bill: Bill, kind: str, type: str, content: bytes) -> Response:
    """Where a file can be had that is too much, or too binary, for an answer."""
    key = f"part/invoices/{sha256(content).hexdigest()}.{kind}"
    call.platform.blobs.put(key, content, type=type)
    url = call.platform.blobs.url(key, name=f"{bill.invoice.number}.{kind}", type=type)
    return Response("", {"Location": url, "Cache-Control": "no-store"}, 303)


# --------------------------------------------------------------------------------------------------- usage
@section.route("GET", "/usage", roles=("reseller",), scope="billing:read", answers={200: UsageOut})
def get_usage(call: Call) -> UsageOut:
    """What is sold now, and what a month of it costs."""
    access.require(call.caller, "billing:read")
    found = billing.usage(call.platform, call.caller.reseller)
    figures = ("mailboxes", "storage_mb", "steps", "mills")
    total = {name: sum(getattr(s, name) for s in found) for name in figures}
    return UsageOut(total=SoldOut(**total), monthly=amount(total["mills"]), domains=[_sold(s) for s in found])


def _sold(s: Sold) -> DomainSoldOut:
    return DomainSoldOut(
        domain=s.domain, mailboxes=s.mailboxes, storage_mb=s.storage_mb, steps=s.steps, mills=s.mills
    )
