"""What the reseller console asks of the REST API: domains, records, mailboxes, orders."""

import json
from typing import Any

API_KEY = "key-of-a-reseller"


class Console:
    """Two domains of one reseller; `answer` gives (status, body) for a call."""

    def __init__(self) -> None:
        self.states = {"bakery.test": "live", "florist.test": "pending"}
        self.orders: dict[str, Any] = {}

    def answer(self, method: str, path: str, body: bytes, once: str) -> tuple[int, Any]:
        match method, path.strip("/").split("/"):
            case "GET", ["domains"]:
                return 200, {"domains": [self._row(name) for name in self.states], "cursor": None}
            case "GET", ["domains", name, "mailboxes"]:
                return 200, {"mailboxes": [self._mailbox(name)], "cursor": None}
            case "GET", ["domains", name]:
                return 200, self._domain(name)
            case "POST", ["domains", name, "check"]:
                self.states[name] = "live"
                return 200, self._domain(name)
            case "POST", ["orders"]:
                self.orders[once] = json.loads(body)
                self.states[self.orders[once]["domain"]] = "pending"
                return 201, self.orders[once]
        return 404, {"detail": "There is no such thing."}

    def _row(self, name: str) -> dict[str, Any]:
        return {"domain": name, "state": self.states[name]}

    def _mailbox(self, name: str) -> dict[str, Any]:
        used = {"used": 1_000_000, "limit": 262_144_000}
        return {"address": f"ann@{name}", "imap": True, "admin": True, "storage_mb": 250, "storage": used}

    def _domain(self, name: str) -> dict[str, Any]:
        state = "ok" if self.states[name] == "live" else "missing"
        told = {"required": True, "state": state, "seen": [], "checked_at": None}
        mx = {"name": name, "type": "MX", "value": f"10 inbound.{name}.emailmx.test.", "purpose": "mx"}
        spf = {"name": name, "type": "TXT", "value": "v=spf1 -all", "purpose": "spf"}
        return {**self._row(name), "dns": [{**mx, **told}, {**spf, **told, "required": False}]}
