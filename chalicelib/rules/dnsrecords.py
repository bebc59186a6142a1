"""The DNS records a domain's owner publishes (S8), and whether what is published will do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Judgement = Literal["ok", "missing", "wrong", "unknown"]
SPF_INCLUDE = "include:amazonses.com"
LONGEST_PREFIX = len("0123456789abcdef0123456789abcdef._domainkey.")  # of the names put before a domain


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record to publish. `also` are values that do as well as `value`."""

    name: str
    type: Literal["MX", "CNAME", "TXT"]
    value: str
    purpose: str
    required: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hosts:
    """The operator's names that records point to."""

    mail_zone: str
    web: str
    admin: str


def mx_host(domain: str, mail_zone: str) -> str:
    """S4: where a domain's mail must be sent for it to be live here."""
    return f"inbound.{domain}.{mail_zone}"


def longest_domain(mail_zone: str) -> int:
    """Characters a domain may have so that every name made of it is still a DNS name (253)."""
    return 253 - max(len(mx_host("", mail_zone)), LONGEST_PREFIX)


def wanted(
    domain: str, hosts: Hosts, tokens: Sequence[str], dkim_zone: str, identity_gate: bool
) -> list[Wanted]:
    """Every record for a domain, what activation waits for first."""
    zone, web = hosts.mail_zone, f"{hosts.web}."
    dkim = [
        Wanted(f"{t}._domainkey.{domain}", "CNAME", f"{t}.{dkim_zone}.", "dkim", identity_gate)
        for t in tokens
    ]
    return [
        Wanted(domain, "MX", f"10 {mx_host(domain, zone)}.", "mx", True),
        *dkim,
        Wanted(domain, "TXT", f"v=spf1 {SPF_INCLUDE} ~all", "spf"),
        Wanted(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none", "dmarc"),
        Wanted(f"mail.{domain}", "CNAME", web, "webmail", also=(f"mail.{domain}.{zone}.",)),
        Wanted(f"emailadmin.{domain}", "CNAME", f"{hosts.admin}.", "admin"),
        Wanted(f"imap.{domain}", "CNAME", f"imap.{domain}.{zone}.", "imap"),
        Wanted(f"autoconfig.{domain}", "CNAME", web, "autoconfig"),
        Wanted(f"autodiscover.{domain}", "CNAME", web, "autodiscover"),
    ]


def judge(want: Wanted, status: str, values: Sequence[str]) -> Judgement:
    """A record as looked up: `status` ok, nxdomain, nodata or failed. A failed look-up proves nothing."""
    if status == "failed":
        return "unknown"
    if status != "ok":
        return "missing"
    match want.purpose:
        case "mx":
            return judge_mx(want.value.split()[1], values)
        case "spf":
            return _judge_spf(values)
        case "dmarc":
            return _judge_dmarc(values)
    accepted = {_host(want.value), *map(_host, want.also)}
    return "ok" if any(_host(value) in accepted for value in values) else "wrong"


def judge_mx(ours: str, values: Sequence[str]) -> Judgement:
    """S4: whether our host is where mail is sent first.

    Senders try the lowest preference number first (RFC 5321 §5.1), so ours must have it, alone or with
    others. Another host at a higher number is a backup that mail reaches only when ours cannot be; another
    at a lower number means that mail still goes elsewhere, and taking the domain's mail in here (S5) would
    be wrong. The null MX of RFC 7505 ("0 .") is wrong like any other host.
    """
    if not values:
        return "missing"
    hosts = [(int(number), _host(host)) for number, _, host in (value.partition(" ") for value in values)]
    first = min(number for number, _ in hosts)
    return "ok" if (first, _host(ours)) in hosts else "wrong"


def _host(name: str) -> str:
    return name.strip().rstrip(".").lower()


def _judge_spf(values: Sequence[str]) -> Judgement:
    """RFC 7208 §4.5: one record that begins so; more than one is an error. Ours must be included."""
    records = [value.lower().split() for value in values if re.match(r"v=spf1( |$)", value, re.I)]
    if not records:
        return "missing"
    good = len(records) == 1 and {SPF_INCLUDE, f"+{SPF_INCLUDE}"} & set(records[0])
    return "ok" if good else "wrong"


def _judge_dmarc(values: Sequence[str]) -> Judgement:
    """RFC 7489 §6.6.3: exactly one record with a policy. Any policy will do: it is the owner's choice."""
    records = [value for value in values if re.match(r"v\s*=\s*DMARC1\s*(;|$)", value)]
    if not records:
        return "missing"
    policy = re.search(r";\s*p\s*=\s*(none|quarantine|reject)\s*(;|$)", records[0], re.I)
    return "ok" if len(records) == 1 and policy else "wrong"
