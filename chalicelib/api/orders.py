"""Orders of mailboxes, on any domain (S3)."""

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.api import answers
from chalicelib.api.models import OrderIn
from chalicelib.api.quotes import DryRun, QuoteOut, quoted
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.hosted import Order
from chalicelib.rules.pricing import CURRENCY, dollars
from chalicelib.services import access, orders

routes = Blueprint(__name__)
section = Section("Orders", routes)


class PriceOut(Out):
    """What is paid for a month. A mill is a thousandth of a dollar."""

    monthly_mills: int
    monthly: str = Field(description="The same in dollars, as a decimal number.")
    currency: str


class OrderedOut(Out):
    """One mailbox of an order, as it was ordered."""

    address: str
    local: str
    name: str
    imap: bool
    storage_mb: int
    admin: bool
    recovery_address: str | None
    price: PriceOut


class OrderOut(Out):
    """An order as placed. `state`: placing while what it brings about is not all there, yet."""

    id: str
    domain: str
    state: str
    created_at: str
    mailboxes: list[OrderedOut]
    price: PriceOut


class OrdersOut(Out):
    """A page of orders, newest first."""

    orders: list[OrderOut]
    cursor: str | None


EXAMPLE = {
    "domain": "baker.test",
    "mailboxes": [
        {"local": "ann", "name": "Ann Baker", "password": "rye bread at seven", "admin": True},
        {"local": "bob", "storage_mb": 500, "imap": True, "recovery_address": "bob@home.test"},
    ],
}


def price(mills: int) -> PriceOut:
    """An amount as the API shows it."""
    return PriceOut(monthly_mills=mills, monthly=dollars(mills), currency=CURRENCY)


def shown(o: Order) -> OrderOut:
    """An order as the API shows it."""
    lines = [
        OrderedOut(
            address=f"{m.local}@{o.domain}",
            local=m.local,
            name=m.name,
            imap=m.imap,
            storage_mb=m.storage_mb,
            admin=m.admin,
            recovery_address=m.recovery,
            price=price(m.monthly_mills),
        )
        for m in o.mailboxes
    ]
    created = answers.moment(o.created_at) or ""
    total = price(o.monthly_mills)
    return OrderOut(id=o.id, domain=o.domain, state=o.state, created_at=created, mailboxes=lines, price=total)


@section.route(
    "POST",
    "/orders",
    roles=("reseller",),
    scope="orders:write",
    body=OrderIn,
    query=DryRun,
    answers={201: OrderOut, 200: QuoteOut},
    errors=("conflict", "idempotency_mismatch"),
    repeat="own",
    example=Example(body=EXAMPLE),
)
def place_order(call: Call) -> Reply:
    """Order mailboxes on a domain, whoever's it is.

    Nothing is live before the domain's MX record points here. At most 40 mailboxes: more are added to the
    domain afterwards. The same Idempotency-Key and body give the same order.
    """
    body, key = call.body.request(), call.request.headers.get("idempotency-key")
    if call.query.dry_run:
        return quoted(call, orders.would_write(call.platform, call.caller, body))
    placed = orders.order(call.platform, call.caller, body, key)
    return Reply(shown(placed), 201, {"Location": f"/v1/orders/{placed.id}"})


@section.route("GET", "/orders", roles=("reseller",), query=PageQuery, answers={200: OrdersOut})
def list_orders(call: Call) -> OrdersOut:
    """The orders placed, newest first."""
    access.require(call.caller, "orders:read")
    limit, after = call.page()
    found, following = call.platform.directory.orders_of(call.caller.reseller, limit, after)
    return OrdersOut(orders=[shown(order) for order in found], cursor=answers.cursor(following))


@section.route("GET", "/orders/{order_id}", roles=("reseller",), answers={200: OrderOut})
def get_order(call: Call, order_id: str) -> OrderOut:
    """An order as it was placed."""
    return shown(orders.find_order(call.platform, call.caller, order_id))
