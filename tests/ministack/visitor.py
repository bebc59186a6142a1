"""A reseller and users at a deployment's own API Gateway URL."""

import email.policy
import json
import smtplib
import urllib.parse
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from chalicelib.rules.hosted import Brand
from chalicelib.services import accounts
from tests.ministack.deployment import Deployment
from tools.town import Json, Mailbox, Town, call, get

PASSWORD = "correct-horse-battery-9"
SCOPES = ("orders:write", "orders:read", "domains:read", "domains:write", "mailboxes:read")


@dataclass
class Visitor(Town):
    """`stack` is not used: everything is found from the deployment."""

    place: Deployment
    token: str = ""

    @property
    def web(self) -> str:
        """The stage's URL, as API Gateway gives it out."""
        return self.place.url

    def key(self, reseller: int = 0) -> str:
        """The one reseller's API key."""
        assert reseller == 0
        return self.token

    def dns(self, name: str, kind: str, *values: str) -> None:
        """Publish a record."""
        self.place.zone.put(name, kind, values)

    def order(self, domain: str, *locals_: str) -> Json:
        """Order mailboxes, the first one an admin's."""
        rows = [
            {"local": local, "password": PASSWORD, "name": local.title(), "imap": True, "storage_mb": 250}
            for local in locals_
        ]
        rows[0]["admin"] = True
        body = {"domain": domain, "mailboxes": rows}
        headers = {"Idempotency-Key": f"order-{domain}"}
        return dict(
            json.loads(call("POST", f"{self.api}/orders", body, token=self.token, headers=headers)[1])
        )

    def state(self, domain: str) -> str:
        """The domain's state."""
        return str(get(f"{self.api}/domains/{domain}", token=self.token)["state"])

    def receive(self, sender: str, to: str, message: EmailMessage) -> None:
        """Mail from the internet, by SMTP."""
        with smtplib.SMTP("127.0.0.1", self.place.smtp.port, "client.test", timeout=30) as smtp:
            smtp.sendmail(sender, [to], message.as_bytes(policy=email.policy.SMTP))

    def sign_in(self, address: str, password: str) -> Mailbox:
        """A session. The URLs that the session names are of the public host, which leads here only in DNS."""
        found = super().sign_in(address, password)
        return Mailbox(self, address, found.token, self._here(found.session))

    def _here(self, session: Any) -> Any:
        """The session with every URL moved to where this deployment answers."""
        if isinstance(session, dict):
            return {key: self._here(value) for key, value in session.items()}
        if isinstance(session, str) and session.startswith("http"):
            path = urllib.parse.urlsplit(session)
            return f"{self.web}/jmap{path.path.partition('/jmap')[2]}" + (
                f"?{path.query}" if path.query else ""
            )
        return session


def visitor(place: Deployment) -> Visitor:
    """A reseller with its key, made as an operator makes one."""
    operator = place.operator()
    brand = Brand(id="house", product="House Mail")
    accounts.create_reseller(operator, "house", "House", brand, "hello@house.test")
    return Visitor({}, place, accounts.issue_key(operator, "house", SCOPES))


def letter(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    """A plain message."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@sender.test>"
    message.set_content(text)
    return message
