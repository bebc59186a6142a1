"""What SES finds out about mail that came in: SPF, DKIM, DMARC, virus and spam, by the local DNS.

A domain under `.test` or `.example` that the local DNS has no TXT for, and that is not hosted here, is
somebody's well-kept domain elsewhere: it passes SPF from 127.0.0.1. Setting its TXT by `/local/dns`
says otherwise.
"""

import email
import email.message
import email.policy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dkim
import spf

from local import rawmail
from local.dns import Zone
from local.ses_events import Findings

log = logging.getLogger("local.verdicts")

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
# Written apart, so that no scanner takes this file for the test virus.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
WELL_KEPT = "v=spf1 ip4:127.0.0.0/8 -all"
_SPF = {"pass": "PASS", "fail": "FAIL", "softfail": "FAIL", "none": "GRAY", "neutral": "GRAY"}


@dataclass(frozen=True, slots=True)
class Client:
    """Who handed the mail in."""

    address: str
    helo: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings and the two header fields that SES writes about them."""

    findings: Findings
    received_spf: str
    authentication_results: str


class _Spf(spf.query):  # type: ignore[misc] # pyspf has no types
    """pyspf, asking the local zone."""

    lookup: Callable[[str, str], list[str]]

    def dns(self, name: str, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:  # noqa: ARG002 - pyspf's signature
        values = self.lookup(str(name), qtype)
        if not values and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("Void lookup limit exceeded")
        return [_spf_value(qtype, value) for value in values]


def _spf_value(qtype: str, value: str) -> Any:
    if qtype == "TXT":
        return (value.encode(),)
    if qtype == "MX":
        preference, host = value.split()
        return int(preference), host.rstrip(".")
    return value


class Judge:
    """Judges by the zone; `hosted` says whether a domain is one of ours."""

    def __init__(self, zone: Zone, hosted: Callable[[str], bool], ses_domain: str = "") -> None:
        self._zone = zone
        self._hosted = hosted
        self._ses_domain = ses_domain  # of return paths that SES writes; Amazon keeps its SPF

    def judge(self, client: Client, sender: str, raw: bytes, *, scan: bool) -> Judgement:
        """Everything about one message as it came."""
        spf_result = self.spf(client, sender)
        signed = self.dkim(raw)
        author = _author_domain(raw)
        envelope = (sender or f"postmaster@{client.helo}").rpartition("@")[2].lower()
        dmarc, policy = self.dmarc(author, envelope if spf_result == "pass" else "", signed)
        spam, virus = _scan(raw) if scan else ("DISABLED", "DISABLED")
        dkim_status = _dkim_status(signed)
        status = _SPF.get(spf_result, "PROCESSING_FAILED")
        findings = Findings(spam, virus, status, dkim_status, dmarc, policy if dmarc == "FAIL" else None)
        line = _spf_line(spf_result, client, sender, envelope)
        return Judgement(findings, line, _results(line, signed, dmarc, author))

    def spf(self, client: Client, sender: str) -> str:
        """RFC 7208: pass, fail, softfail, neutral, none, temperror or permerror."""
        query = _Spf(i=client.address, s=sender, h=client.helo, querytime=0)
        query.lookup = self._lookup
        try:
            return str(query.check()[0])
        except Exception as error:  # noqa: BLE001 - pyspf raises of many kinds on hostile names
            log.info("SPF of %s: %s", sender, error)
            return "permerror"

    def _lookup(self, name: str, kind: str) -> list[str]:
        host = name.rstrip(".").lower()
        found = self._zone.lookup(host, kind)
        if not found and kind == "TXT" and self._well_kept(host):
            return [WELL_KEPT]
        return found

    def _well_kept(self, domain: str) -> bool:
        ours = domain == self._ses_domain
        return ours or (domain.endswith((".test", ".example")) and not self._hosted(domain))

    def dkim(self, raw: bytes) -> list[tuple[str, bool]]:
        """(signing domain, whether it verifies) of each DKIM-Signature, at most five."""
        count = min(5, len(rawmail.values(raw, "dkim-signature")))
        return [self._signature(raw, index) for index in range(count)]

    def _signature(self, raw: bytes, index: int) -> tuple[str, bool]:
        def key(name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001 - dkimpy's signature
            return "".join(self._zone.lookup(name.decode("ascii", "replace"), "TXT")).encode()

        verifier = dkim.DKIM(raw, minkey=1024)
        try:
            good = bool(verifier.verify(idx=index, dnsfunc=key))
        except Exception as error:  # noqa: BLE001 - hostile signatures break it in many ways
            log.info("DKIM: %s", error)
            good = False
        domain = verifier.domain
        return (domain.decode("ascii", "replace").lower() if isinstance(domain, bytes) else "", good)

    def dmarc(self, author: str, spf_domain: str, signed: list[tuple[str, bool]]) -> tuple[str, str | None]:
        """RFC 7489, relaxed alignment: (status, policy)."""
        policy = self._policy(author)
        if policy is None:
            return "GRAY", None
        passed = [spf_domain, *(domain for domain, good in signed if good)]
        aligned = any(domain and _organisation(domain) == _organisation(author) for domain in passed)
        return ("PASS" if aligned else "FAIL"), policy

    def _policy(self, author: str) -> str | None:
        names = dict.fromkeys(name for name in (author, _organisation(author)) if name)
        for name in names:
            for record in self._zone.lookup(f"_dmarc.{name}", "TXT"):
                tags = dict(part.strip().split("=", 1) for part in record.split(";") if "=" in part)
                if tags.get("v", "").strip() == "DMARC1":
                    return tags.get("p", "none").strip().lower()
        return None


def _organisation(domain: str) -> str:
    """The last two labels: enough where the local DNS has no public suffix of two."""
    return ".".join(domain.split(".")[-2:])


def _author_domain(raw: bytes) -> str:
    authors = rawmail.addresses(raw, "from")
    return authors[0].rpartition("@")[2].lower() if authors else ""


def _dkim_status(signed: list[tuple[str, bool]]) -> str:
    if not signed:
        return "GRAY"
    return "PASS" if any(good for _, good in signed) else "FAIL"


def _spf_line(result: str, client: Client, sender: str, domain: str) -> str:
    words = {
        "pass": f"domain of {domain} designates {client.address} as permitted sender",
        "fail": f"domain of {domain} does not designate {client.address} as permitted sender",
        "softfail": f"domain of {domain} does not designate {client.address} as permitted sender",
    }.get(result, f"{client.address} is neither permitted nor denied by domain of {domain}")
    return (
        f"{result} (spfCheck: {words}) client-ip={client.address}; "
        f"envelope-from={sender or f'postmaster@{domain}'}; helo={client.helo};"
    )


def _results(line: str, signed: list[tuple[str, bool]], dmarc: str, author: str) -> str:
    parts = [f"amazonses.com;\r\n spf={line}"]
    parts += [f" dkim={'pass' if good else 'fail'} header.i=@{domain};" for domain, good in signed]
    parts += [] if signed else [" dkim=none;"]
    word = {"PASS": "pass", "FAIL": "fail"}.get(dmarc, "none")
    return "\r\n".join([*parts, f" dmarc={word} header.from={author};"])


def _scan(raw: bytes) -> tuple[str, str]:
    """(spam, virus)."""
    contents = _contents(raw)
    found = [any(mark in content for content in contents) for mark in (GTUBE, EICAR)]
    return "FAIL" if found[0] else "PASS", "FAIL" if found[1] else "PASS"


def has_virus(raw: bytes) -> bool:
    """Whether the EICAR test virus is anywhere in it, encoded or not."""
    return any(EICAR in content for content in _contents(raw))


def _contents(raw: bytes) -> list[bytes]:
    """The message and its decoded leaf parts."""
    found = [raw]
    lower = raw.lower()
    if b"base64" not in lower and b"quoted-printable" not in lower:
        return found
    try:
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
        for part in message.walk():
            found += _decoded(part)
    except (ValueError, LookupError, RecursionError) as error:
        log.info("not scanned to the end: %s", error)
    return found


def _decoded(part: "email.message.Message[str, str]") -> list[bytes]:
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if part.is_multipart() or encoding not in ("base64", "quoted-printable"):
        return []
    payload = part.get_payload(decode=True)
    return [payload] if isinstance(payload, bytes) else []
