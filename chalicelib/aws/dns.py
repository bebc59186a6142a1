"""DNS look-ups with the answer's own words: what was found, how long it holds, or why there is none."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import dns.exception
import dns.nameserver
import dns.rdata
import dns.rdatatype
import dns.resolver

LIFETIME = 5.0  # seconds for one question, repeats included
AT_ONCE = 12

Status = Literal["ok", "nxdomain", "nodata", "failed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver said. Values: MX as "10 host.", CNAME as "host.", TXT joined without quotes.

    `failed` (time-out, SERVFAIL, refused) proves nothing about the name.
    """

    name: str
    type: str
    status: Status
    values: tuple[str, ...] = ()
    ttl: int = 0  # seconds
    resolver: str = ""


class Resolver:
    """Asks one server, `host:port`, or with an empty string the system's."""

    def __init__(self, host_port: str) -> None:
        self.host_port = host_port

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        made = dns.resolver.Resolver(configure=not self.host_port)
        if self.host_port:
            host, _, port = self.host_port.rpartition(":")
            made.nameservers = [dns.nameserver.Do53Nameserver(host.strip("[]"), int(port))]
        made.lifetime = LIFETIME
        return made

    def lookup(self, name: str, type: str) -> Answer:
        """The records of that name and type, never from a cache of ours. Never raises for what DNS does."""
        asked = str(self.host_port or (self._resolver.nameservers or [""])[0])
        try:
            found = self._resolver.resolve(
                f"{name.rstrip('.')}.", type, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN:
            return Answer(name, type, "nxdomain", resolver=asked)
        except (dns.exception.DNSException, OSError):
            return Answer(name, type, "failed", resolver=asked)
        if found.rrset is None:
            return Answer(name, type, "nodata", resolver=asked)
        values = tuple(sorted(_text(record) for record in found.rrset))
        return Answer(name, type, "ok", values, found.rrset.ttl, asked)

    def lookup_all(self, questions: Iterable[tuple[str, str]]) -> list[Answer]:
        """Many questions at once, answers in their order: one dead server costs one life-time, not each."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda question: self.lookup(*question), questions))


def _text(record: dns.rdata.Rdata) -> str:
    """A record's value as text; the strings of a TXT are one (RFC 7208 §3.3)."""
    if record.rdtype == dns.rdatatype.TXT:
        strings: tuple[bytes, ...] = getattr(record, "strings", ())
        return b"".join(strings).decode("utf-8", "replace")
    return record.to_text()
