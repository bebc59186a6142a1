"""What the local SES knows: identities, configuration sets, receipt rules, and mail it saw lately."""

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from local.dns import Zone

BOUNCE_WINDOW = 86_400  # seconds: SendBounce answers mail of the last 24 hours


class SesError(Exception):
    """A refusal in SES's words. `status` is the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True, slots=True)
class Destination:
    """An event destination of a configuration set."""

    name: str
    topic: str
    types: frozenset[str]  # SEND, DELIVERY, …; as the API spells them
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ConfigurationSet:
    """`max_delivery_seconds`: how long SES itself keeps trying (default 14 h)."""

    name: str
    max_delivery_seconds: int = 50_400
    destinations: tuple[Destination, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiptRule:
    """The S3 action of the active rule set."""

    bucket: str
    prefix: str
    topic: str
    scan: bool


@dataclass(frozen=True, slots=True)
class Received:
    """Mail that came in, as long as SendBounce may answer it."""

    at: float
    sender: str
    recipients: tuple[str, ...]
    header: bytes


@dataclass
class SesState:
    """Everything behind one lock. `now` gives seconds since 1970 on the test clock."""

    zone: Zone
    now: Callable[[], float]
    account: str = "123456789012"
    region: str = "us-east-1"
    id_domain: str = "email.amazonses.com"
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _identities: dict[str, bool] = field(default_factory=dict)  # name → verified
    _sets: dict[str, ConfigurationSet] = field(default_factory=dict)
    _rule_sets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _active: str = ""
    _received: dict[str, Received] = field(default_factory=dict)

    # identities
    def create_identity(self, name: str) -> None:
        """Raises SesError when there is one already."""
        with self._lock:
            if name.lower() in self._identities:
                raise SesError("AlreadyExistsException", f"Email identity {name} already exist.")
            self._identities[name.lower()] = False

    def delete_identity(self, name: str) -> None:
        """Raises SesError when there is none."""
        self.require_identity(name)
        with self._lock:
            del self._identities[name.lower()]

    def require_identity(self, name: str) -> None:
        """Raises SesError when there is none."""
        with self._lock:
            if name.lower() not in self._identities:
                raise SesError("NotFoundException", f"Email identity {name} does not exist.", 404)

    def identities(self) -> list[str]:
        """Their names, sorted."""
        with self._lock:
            return sorted(self._identities)

    def verified(self, name: str) -> bool:
        """Whether the three DKIM CNAMEs were seen. Once seen stays: SES takes days to give one up."""
        wanted = name.lower()
        with self._lock:
            known = self._identities.get(wanted)
        if known is False and all(self._published(wanted, token) for token in dkim_tokens(wanted)):
            with self._lock:
                self._identities[wanted] = known = True
        return bool(known)

    def _published(self, domain: str, token: str) -> bool:
        values = self.zone.get(f"{token}._domainkey.{domain}", "CNAME")
        return [v.rstrip(".").lower() for v in values] == [f"{token}.dkim.amazonses.com"]

    def may_send_from(self, address: str) -> bool:
        """A verified domain speaks for its subdomains too; a verified address for itself."""
        domain = address.rpartition("@")[2].lower()
        parents = [domain.split(".", n)[n] for n in range(domain.count(".") + 1)]
        return self.verified(address) or any(self.verified(parent) for parent in parents)

    # configuration sets
    def put_set(self, config: ConfigurationSet) -> None:
        """Create or replace."""
        with self._lock:
            self._sets[config.name] = config

    def config_set(self, name: str) -> ConfigurationSet:
        """Raises SesError when there is none."""
        with self._lock:
            if name not in self._sets:
                raise SesError("NotFoundException", f"Configuration set {name} does not exist.", 404)
            return self._sets[name]

    def delete_set(self, name: str) -> None:
        """Raises SesError when there is none."""
        self.config_set(name)
        with self._lock:
            del self._sets[name]

    def sets(self) -> list[str]:
        """Their names, sorted."""
        with self._lock:
            return sorted(self._sets)

    def put_destination(self, name: str, destination: Destination) -> None:
        """Add or replace one event destination."""
        with self._lock:
            config = self.config_set(name)
            kept = tuple(d for d in config.destinations if d.name != destination.name)
            self._sets[name] = replace(config, destinations=(*kept, destination))

    # receipt rules
    def create_rule_set(self, name: str) -> None:
        """Raises SesError when there is one already."""
        with self._lock:
            if name in self._rule_sets:
                raise SesError("AlreadyExists", f"Rule set already exists: {name}")
            self._rule_sets[name] = []

    def put_rule(self, rule_set: str, rule: dict[str, Any]) -> None:
        """Append a rule or replace the one of the same name."""
        with self._lock:
            rules = self.rules(rule_set)
            self._rule_sets[rule_set] = [r for r in rules if r.get("Name") != rule.get("Name")] + [rule]

    def rules(self, rule_set: str) -> list[dict[str, Any]]:
        """Raises SesError when there is no such set."""
        with self._lock:
            if rule_set not in self._rule_sets:
                raise SesError("RuleSetDoesNotExist", f"Rule set does not exist: {rule_set}")
            return list(self._rule_sets[rule_set])

    def activate(self, rule_set: str) -> None:
        """SetActiveReceiptRuleSet: silently replaces the active one; empty switches receiving off."""
        with self._lock:
            if rule_set:
                self.rules(rule_set)
            self._active = rule_set

    @property
    def active_rule_set(self) -> str:
        """Its name, or empty."""
        return self._active

    def receipt_rule(self) -> ReceiptRule | None:
        """The first enabled rule with an S3 action; None when SES would not take mail."""
        rules = self.rules(self._active) if self._active else []
        for rule in (r for r in rules if str(r.get("Enabled", "false")).lower() == "true"):
            for action in (a["S3Action"] for a in rule.get("Actions", []) if "S3Action" in a):
                scan = str(rule.get("ScanEnabled", "false")).lower() == "true"
                prefix, topic = action.get("ObjectKeyPrefix", ""), action.get("TopicArn", "")
                return ReceiptRule(action["BucketName"], prefix, topic, scan)
        return None

    # mail seen lately
    def remember(self, ses_id: str, received: Received) -> None:
        """For SendBounce; older mail is forgotten."""
        with self._lock:
            old = [k for k, r in self._received.items() if received.at - r.at > BOUNCE_WINDOW]
            for key in old:
                del self._received[key]
            self._received[ses_id] = received

    def received(self, ses_id: str) -> Received | None:
        """None: unknown, or received more than 24 h ago."""
        with self._lock:
            found = self._received.get(ses_id)
        return found if found and self.now() - found.at <= BOUNCE_WINDOW else None


def dkim_tokens(domain: str) -> tuple[str, ...]:
    """Three tokens of 32 letters and digits; the same for the same domain at every start."""
    digests = (hashlib.sha256(f"dkim {n} {domain.lower()}".encode()).digest() for n in range(3))
    return tuple(base64.b32encode(digest)[:32].decode().lower() for digest in digests)
