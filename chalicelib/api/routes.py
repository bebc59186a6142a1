"""Every route in one place, with what all of them share."""

from chalice.app import Chalice

from chalicelib.api import (
    audit,
    brands,
    domains,
    kit,
    mailbox,
    mailboxes,
    notices,
    orders,
    outages,
    public,
    quota,
    search,
    sessions,
    status,
)
from chalicelib.api.errors import guard

SECTIONS = (
    orders,
    domains,
    mailboxes,
    search,
    sessions,
    public,
    mailbox,
    quota,
    audit,
    brands,
    kit,
    notices,
    outages,
    status,
)


def install(app: Chalice) -> None:
    """Register the routes and the middleware around them."""
    for section in SECTIONS:
        app.register_blueprint(section.routes)
    app.register_middleware(guard(app), "http")
