"""What resellers call: orders and domains (S3 to S9)."""

from typing import Any
from urllib.parse import unquote

from chalice.app import Blueprint, Response

from chalicelib.api import answers
from chalicelib.api.auth import caller
from chalicelib.api.errors import endpoint
from chalicelib.api.models import OrderIn, parsed
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Account
from chalicelib.services import activation, mailbox, orders, signin
from chalicelib.services.platform import platform

routes = Blueprint(__name__)


@routes.route("/v1/orders", methods=["POST"])
@endpoint
def place_order() -> Response:
    """201 with the order; the same again for the same Idempotency-Key and body."""
    request = routes.current_request
    who = caller(request)
    signin.require_some(who, "orders:write")
    body = parsed(request, OrderIn).request()
    placed = orders.order(platform(), who, body, request.headers.get("idempotency-key"))
    where = {"Location": f"/v1/orders/{placed.id}"}
    return Response(answers.order(placed), {"Content-Type": "application/json", **where}, 201)


@routes.route("/v1/orders/{order_id}", methods=["GET"])
@endpoint
def get_order(order_id: str) -> Response:
    """An order."""
    request = routes.current_request
    found = orders.find_order(platform(), caller(request), unquote(order_id))
    return answers.tagged(request, answers.order(found))


@routes.route("/v1/domains", methods=["GET"])
@endpoint
def list_domains() -> Response:
    """A page of the reseller's domains."""
    request = routes.current_request
    who = caller(request)
    signin.require(who, "domains:read")
    limit, after = answers.page_of(request)
    found, following = platform().directory.domains_of(who.reseller, limit, after)
    rows = [answers.domain_row(d) for d in found]
    return answers.tagged(request, {"domains": rows, "cursor": answers.cursor(following)})


@routes.route("/v1/domains/{domain}", methods=["GET"])
@endpoint
def get_domain(domain: str) -> Response:
    """A domain with its DNS records as last looked up."""
    request = routes.current_request
    found = orders.find_domain(platform(), caller(request), unquote(domain), "domains:read")
    return answers.tagged(request, answers.domain(found, activation.rows(platform(), found)))


@routes.route("/v1/domains/{domain}/check", methods=["POST"])
@endpoint
def check_domain(domain: str) -> dict[str, Any]:
    """Look the records up now; the domain is live in the answer if they are right."""
    found = orders.find_domain(platform(), caller(routes.current_request), unquote(domain), "domains:write")
    seen = activation.check(platform(), found)
    return answers.domain(seen, activation.rows(platform(), seen))


@routes.route("/v1/domains/{domain}/mailboxes", methods=["GET"])
@endpoint
def list_mailboxes(domain: str) -> Response:
    """A page of a domain's mailboxes with what they hold."""
    request, p = routes.current_request, platform()
    found = orders.find_domain(p, caller(request), unquote(domain), "mailboxes:read")
    limit, after = answers.page_of(request)
    accounts, following = p.directory.accounts_page(found.name, found.reseller, limit, after)
    rows = [answers.mailbox(account, _used(account)) for account in accounts]
    return answers.tagged(request, {"mailboxes": rows, "cursor": answers.cursor(following)})


def _used(account: Account) -> int:
    """Bytes in a mailbox; none in one that its order has not made yet."""
    try:
        return mailbox.state(platform(), account.id).used_bytes
    except ServiceError as error:
        if error.kind != "not_found":
            raise
        return 0
