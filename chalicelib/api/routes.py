"""Every route in one place, with what all of them share."""

from chalice.app import Chalice

from chalicelib.api import audit, brands, domains, kit, mailbox, mailboxes, orders, public, search, sessions
from chalicelib.api.errors import guard

SECTIONS = (
    orders,
    domains,
    mailboxes,
    search,
    sessions,
    public,
    mailbox,
    audit,
    brands,
    kit,
)


def install(app: Chalice) -> None:
    """Register the routes and the middleware around them."""
    for section in SECTIONS:
        app.register_blueprint(section.routes)
    app.register_middleware(guard(app), "http")
