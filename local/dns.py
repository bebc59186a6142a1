"""The DNS of the local world: records set by API, answered over UDP and TCP (dnslib).

Every `*.localhost` name and every name below the mail zone has the address 127.0.0.1, as the hosts that
the service gives out must have one. All else exists only when it was set.
"""

import ipaddress
import socketserver
import struct
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from dnslib import AAAA, CNAME, MX, NS, PTR, QTYPE, RCODE, RR, SOA, SRV, TXT, A, DNSError, DNSRecord

TTL = 60
TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT")
_UDP_LIMIT = 512


class BadRecord(ValueError):
    """A record that no zone file would take; the text says why."""


def normal_name(name: str) -> str:
    """Lower case, A-label, without the final dot. Raises BadRecord."""
    text = name.strip().rstrip(".").lower()
    try:
        text = text.encode("idna").decode() if not text.isascii() else text
    except UnicodeError as error:
        raise BadRecord(f"'{name}' is not a domain name") from error
    labels = text.split(".")
    if not text or len(text) > 253 or any(not 0 < len(label) < 64 or " " in label for label in labels):
        raise BadRecord(f"'{name}' is not a domain name")
    return text


def normal_value(kind: str, value: str) -> str:
    """One value in its text form, checked by building the record. Raises BadRecord."""
    text = value.strip()
    if kind == "TXT":
        return _unquoted(text)
    if kind == "MX" and len(text.split()) == 1:
        text = f"10 {text}"
    try:
        _record_data(kind, text)
    except (ValueError, DNSError, struct.error) as error:
        raise BadRecord(f"'{value}' is not a value of type {kind}: {error}") from error
    return text


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        return "".join(text[1:-1].split('" "'))
    return text


def _record_data(kind: str, text: str) -> Any:
    if kind in ("A", "AAAA"):
        address = ipaddress.ip_address(text)
        if address.version != (4 if kind == "A" else 6):
            raise BadRecord(f"not an IPv{4 if kind == 'A' else 6} address")
        return (A if kind == "A" else AAAA)(text)
    if kind == "TXT":
        data = text.encode()
        return TXT([data[i : i + 255] for i in range(0, len(data), 255)] or [b""])
    if kind == "MX":
        preference, host = text.split()
        return MX(_host(host), int(preference))
    if kind == "SRV":
        priority, weight, port, host = text.split()
        return SRV(int(priority), int(weight), int(port), _host(host))
    return {"CNAME": CNAME, "NS": NS, "PTR": PTR}[kind](_host(text))


def _host(name: str) -> str:
    """A target of MX, CNAME …; `.` alone is RFC 7505's null MX."""
    return "." if name == "." else normal_name(name)


class Zone:
    """The records, safe for threads. Values are text: `10 host` for MX, unquoted for TXT."""

    def __init__(self, mail_zone: str) -> None:
        self.mail_zone = mail_zone
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], tuple[str, ...]] = {}

    def put(self, name: str, kind: str, values: Sequence[str]) -> None:
        """Replace the record set. Raises BadRecord."""
        key = (normal_name(name), _type(kind))
        checked = tuple(normal_value(key[1], value) for value in values)
        if not checked:
            raise BadRecord("'values' is empty; DELETE removes a record set")
        with self._lock:
            self._records[key] = checked

    def delete(self, name: str, kind: str | None) -> int:
        """Remove one record set, or all of the name. Returns how many were there."""
        host, wanted = normal_name(name), _type(kind) if kind else None
        with self._lock:
            gone = [key for key in self._records if key[0] == host and wanted in (None, key[1])]
            for key in gone:
                del self._records[key]
        return len(gone)

    def all(self) -> list[dict[str, Any]]:
        """Every record set, sorted."""
        with self._lock:
            items = sorted(self._records.items())
        return [{"name": name, "type": kind, "values": list(values)} for (name, kind), values in items]

    def get(self, name: str, kind: str) -> tuple[str, ...]:
        """The values of exactly this name and type; () for none."""
        with self._lock:
            found = self._records.get((name, kind), ())
        if not found and kind == "A" and self._has_address(name):
            return ("127.0.0.1",)
        return found

    def _has_address(self, name: str) -> bool:
        return name == "localhost" or name.endswith((".localhost", f".{self.mail_zone}"))

    def exists(self, name: str) -> bool:
        """Whether the name, or one below it, has any record (else the answer is NXDOMAIN)."""
        if self._has_address(name) or name == self.mail_zone:
            return True
        with self._lock:
            return any(n == name or n.endswith(f".{name}") for n, _ in self._records)

    def chase(self, name: str, kind: str) -> list[tuple[str, str, str]]:
        """(name, type, value) of the answer section, CNAMEs followed (RFC 1034 §3.6.2)."""
        answer: list[tuple[str, str, str]] = []
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            values = self.get(name, kind)
            alias = self.get(name, "CNAME") if not values and kind != "CNAME" else ()
            answer += [(name, kind, value) for value in values]
            if not alias:
                break
            answer.append((name, "CNAME", alias[0]))
            name = alias[0].rstrip(".").lower()
        return answer

    def lookup(self, name: str, kind: str) -> list[str]:
        """The values a resolver would end with."""
        wanted = name.rstrip(".").lower()
        return [value for _, found, value in self.chase(wanted, kind) if found == kind]


def _type(kind: str) -> str:
    if kind.upper() not in TYPES:
        raise BadRecord(f"type '{kind}' is not one of {', '.join(TYPES)}")
    return kind.upper()


def answer(zone: Zone, packet: bytes, limit: int | None = None) -> bytes:
    """The reply to one query, truncated (TC) above `limit` octets. Raises DNSError on garbage."""
    query = DNSRecord.parse(packet)
    reply = query.reply(ra=1)
    name, kind = str(query.q.qname).rstrip(".").lower(), QTYPE.get(query.q.qtype)
    found = _everything(zone, name) if kind == "ANY" else zone.chase(name, kind)
    for owner, record_type, value in found:
        code = getattr(QTYPE, record_type)
        reply.add_answer(RR(owner, code, rdata=_record_data(record_type, value), ttl=TTL))
    if not found:
        _negative(zone, reply, name)
    data = reply.pack()
    if limit is not None and len(data) > max(limit, _edns_size(query)):
        reply.rr, reply.auth, reply.header.tc = [], [], 1
        data = reply.pack()
    return bytes(data)


def _everything(zone: Zone, name: str) -> Iterable[tuple[str, str, str]]:
    return [(name, kind, value) for kind in TYPES for value in zone.get(name, kind)]


def _negative(zone: Zone, reply: DNSRecord, name: str) -> None:
    """NXDOMAIN or NODATA, with the SOA that RFC 2308 asks for."""
    if not zone.exists(name):
        reply.header.rcode = RCODE.NXDOMAIN
    apex = name.rsplit(".", 1)[-1] or "."
    soa = SOA(f"ns.{apex}", f"hostmaster.{apex}", (1, 3600, 600, 86400, TTL))
    reply.add_auth(RR(apex, QTYPE.SOA, rdata=soa, ttl=TTL))


def _edns_size(query: DNSRecord) -> int:
    sizes = [record.edns_len for record in query.ar if record.rtype == QTYPE.OPT]
    return max(sizes, default=_UDP_LIMIT)


class _Udp(socketserver.UDPServer):  # an answer takes less than a thread's start
    max_packet_size = 65_535
    zone: Zone


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    zone: Zone


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        packet, socket = self.request
        try:
            socket.sendto(answer(self.server.zone, packet, _UDP_LIMIT), self.client_address)
        except (DNSError, OSError):
            return  # not DNS, or the asker is gone: nobody to tell


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        while len(head := self.rfile.read(2)) == 2:
            packet = self.rfile.read(struct.unpack("!H", head)[0])
            try:
                reply = answer(self.server.zone, packet)
            except DNSError:
                return
            self.wfile.write(struct.pack("!H", len(reply)) + reply)


class DnsServer:
    """The zone on one port, UDP and TCP. Port 0 takes a free one. Raises OSError when taken."""

    def __init__(self, zone: Zone, port: int, host: str = "127.0.0.1") -> None:
        self._tcp = _Tcp((host, port), _TcpHandler)
        self.port = int(self._tcp.server_address[1])
        try:
            self._udp = _Udp((host, self.port), _UdpHandler)
        except OSError:
            self._tcp.server_close()
            raise
        self._tcp.zone = self._udp.zone = zone
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True, name=f"dns-{kind}")
            for kind, server in (("tcp", self._tcp), ("udp", self._udp))
        ]

    def start(self) -> None:
        """Answer from now on."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Free the port."""
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()
