"""Every route in one place, with what all of them share."""

from chalice.app import Chalice

from chalicelib.api import (
    abuse,
    addresses,
    audit,
    autoreply,
    billing,
    brands,
    contacts,
    docs,
    domains,
    keys,
    kit,
    lists,
    mailbox,
    mailboxes,
    messages,
    notices,
    operator,
    orders,
    outages,
    passwords,
    public,
    quota,
    search,
    secondfactor,
    sessions,
    status,
    suspensions,
    webhooks,
)
from chalicelib.api.errors import guard

SECTIONS = (
    orders,
    domains,
    mailboxes,
    search,
    addresses,
    lists,
    autoreply,
    messages,
    sessions,
    passwords,
    secondfactor,
    keys,
    public,
    mailbox,
    quota,
    contacts,
    billing,
    audit,
    webhooks,
    brands,
    kit,
    notices,
    outages,
    status,
    suspensions,
    abuse,
    operator,
    docs,
)


def install(app: Chalice) -> None:
    """Register the routes and the middleware around them."""
    for section in SECTIONS:
        app.register_blueprint(section.routes)
    app.register_middleware(guard(app), "http")
