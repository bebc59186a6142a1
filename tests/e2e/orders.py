"""Steps that several end-to-end tests share."""

import json
from dataclasses import dataclass
from typing import Any

from tools.town import Mailbox, Town, call, get, until

PASSWORD = "correct-horse-battery-9"


def mailbox(local: str, **more: Any) -> dict[str, Any]:
    """One row of an order."""
    row = {"local": local, "password": PASSWORD, "name": local.title(), "imap": True, "storage_mb": 250}
    return {**row, "admin": False, **more}


def order(town: Town, domain: str, *rows: dict[str, Any], reseller: int = 0) -> dict[str, Any]:
    """Place an order; the answer."""
    body = {"domain": domain, "mailboxes": list(rows)}
    headers = {"Idempotency-Key": f"order-{domain}"}
    answer = call("POST", f"{town.api}/orders", body, token=town.key(reseller), headers=headers)[1]
    return dict(json.loads(answer))


def state(town: Town, domain: str, reseller: int = 0) -> str:
    """The domain's state."""
    return str(get(f"{town.api}/domains/{domain}", token=town.key(reseller))["state"])


def activate(town: Town, domain: str, reseller: int = 0) -> None:
    """Publish what the owner was asked to, and let the platform find it."""
    town.publish(domain, token=town.key(reseller))
    town.advance("61m")
    until(lambda: state(town, domain, reseller) == "live")


@dataclass
class Pair:
    """A live domain with an admin and a user, both signed in."""

    domain: str
    ann: Mailbox
    bob: Mailbox


def live_pair(town: Town, domain: str) -> Pair:
    """Order, activate and sign in."""
    order(town, domain, mailbox("ann", admin=True), mailbox("bob"))
    activate(town, domain)
    ann, bob = (town.sign_in(f"{local}@{domain}", PASSWORD) for local in ("ann", "bob"))
    return Pair(domain, ann, bob)
