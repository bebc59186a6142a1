"""Every route in one place, with what all of them share."""

from chalice.app import Chalice

from chalicelib.api import audit, brands, mailbox, public, reseller, sessions
from chalicelib.api.errors import guard, method_not_allowed

SECTIONS = (
    reseller,
    sessions,
    public,
    mailbox,
    audit,
    brands,
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def install(app: Chalice) -> None:
    """Register the routes, the middleware, and on each path a true 405 for what it does not have."""
    for section in SECTIONS:
        app.register_blueprint(section.routes)
    app.register_middleware(guard(app), "http")
    for path, entries in [(path, list(entries)) for path, entries in app.routes.items()]:
        missing = [method for method in METHODS if method not in entries]
        app.route(path, methods=missing, content_types=[])(method_not_allowed(entries))
