"""The local DNS, asked by a real resolver."""

import socket
from collections.abc import Iterator

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.resolver
import pytest

from local.dns import BadRecord, DnsServer, Zone


@pytest.fixture
def zone() -> Zone:
    return Zone("emailmx.test")


@pytest.fixture
def server(zone: Zone) -> Iterator[DnsServer]:
    started = DnsServer(zone, 0)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def resolver(server: DnsServer) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], server.port
    made.lifetime = 5
    return made


def test_mx_with_and_without_preference(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    zone.put("New.test", "mx", ["inbound.new.test.emailmx.test", "20 backup.test."])
    answer = resolver.resolve("new.test", "MX")
    assert sorted(r.to_text() for r in answer) == ["10 inbound.new.test.emailmx.test.", "20 backup.test."]
    assert answer.rrset is not None
    assert answer.rrset.ttl == 60


def test_no_such_name_and_no_such_type_differ(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    zone.put("deep.has.test", "A", ["192.0.2.7"])
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("gone.test", "MX")
    with pytest.raises(dns.resolver.NoAnswer):
        resolver.resolve("deep.has.test", "MX")
    with pytest.raises(dns.resolver.NoAnswer):  # an empty non-terminal exists (RFC 8020)
        resolver.resolve("has.test", "A")


def test_aliases_are_followed(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    zone.put("mail.new.test", "CNAME", ["mail.localhost"])
    answer = resolver.resolve("mail.new.test", "A")
    assert [r.to_text() for r in answer] == ["127.0.0.1"]
    assert answer.canonical_name == dns.name.from_text("mail.localhost")


def test_an_alias_loop_ends(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    zone.put("a.test", "CNAME", ["b.test"])
    zone.put("b.test", "CNAME", ["a.test"])
    with pytest.raises(dns.resolver.NoNameservers, match="chain is too long"):
        resolver.resolve("a.test", "A")


def test_hosts_of_the_mail_zone_have_an_address(resolver: dns.resolver.Resolver) -> None:
    assert [r.to_text() for r in resolver.resolve("inbound.new.test.emailmx.test", "A")] == ["127.0.0.1"]


def test_a_long_answer_comes_by_tcp(zone: Zone, server: DnsServer, resolver: dns.resolver.Resolver) -> None:
    text = "v=DKIM1; p=" + "x" * 3000
    zone.put("key.test", "TXT", [text])
    query = dns.message.make_query("key.test", "TXT", use_edns=False)
    assert dns.query.udp(query, "127.0.0.1", port=server.port, timeout=5).flags & dns.flags.TC
    [record] = resolver.resolve("key.test", "TXT")
    assert b"".join(record.strings).decode() == text


def test_deleted_is_gone(zone: Zone, resolver: dns.resolver.Resolver) -> None:
    zone.put("a.test", "TXT", ['"quoted text"'])
    assert zone.get("a.test", "TXT") == ("quoted text",)
    assert zone.delete("A.test.", "TXT") == 1
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("a.test", "TXT")


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("a.test", "A", ["no address"]),
        ("a.test", "AAAA", ["192.0.2.1"]),
        ("a.test", "MX", ["ten mail.test"]),
        ("a..test", "A", ["192.0.2.1"]),
        ("a.test", "BOGUS", ["x"]),
        ("a.test", "A", []),
        ("a.test", "SRV", ["0 0 mail.test"]),
    ],
)
def test_a_record_no_zone_would_take_is_refused(zone: Zone, name: str, kind: str, values: list[str]) -> None:
    with pytest.raises(BadRecord):
        zone.put(name, kind, values)


def test_garbage_is_not_answered_and_harms_nothing(
    server: DnsServer, resolver: dns.resolver.Resolver
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as garbage:
        garbage.sendto(b"\x00" * 7, ("127.0.0.1", server.port))
    assert resolver.resolve("x.localhost", "A")
