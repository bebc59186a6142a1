"""The resolver against a real DNS server: what was found, or why nothing was."""

import socket
from collections.abc import Iterator
from unittest import mock

import pytest
from dnslib import RCODE, DNSRecord
from dnslib.server import BaseResolver, DNSServer

from chalicelib.aws import dns
from chalicelib.aws.dns import Resolver
from local.dns import DnsServer, Zone


@pytest.fixture
def zone() -> Zone:
    """Records."""
    made = Zone("emailmx.test")
    made.put("x.test", "MX", ["20 b.x.test.", "10 a.x.test."])
    made.put("x.test", "TXT", ["v=spf1 " + "include:a-rather-long-name.example " * 12 + "-all", "other"])
    made.put("www.x.test", "CNAME", ["web.test."])
    return made


@pytest.fixture
def resolver(zone: Zone) -> Iterator[Resolver]:
    """A resolver that asks them."""
    server = DnsServer(zone, 0)
    server.start()
    yield Resolver(f"127.0.0.1:{server.port}")
    server.stop()


def test_answers_carry_values_ttl_and_who_said_so(resolver: Resolver) -> None:
    answer = resolver.lookup("X.test", "MX")
    assert (answer.status, answer.values) == ("ok", ("10 a.x.test.", "20 b.x.test."))
    assert answer.ttl > 0
    assert answer.resolver == resolver.host_port
    assert resolver.lookup("www.x.test.", "CNAME").values == ("web.test.",)


def test_a_long_txt_is_one_text(resolver: Resolver) -> None:
    values = resolver.lookup("x.test", "TXT").values
    assert "other" in values
    assert max(map(len, values)) > 255
    assert max(values, key=len).endswith("-all")


def test_nothing_is_told_apart(resolver: Resolver) -> None:
    assert resolver.lookup("nowhere.test", "MX").status == "nxdomain"
    assert resolver.lookup("www.x.test", "TXT").status in ("nodata", "nxdomain")
    assert resolver.lookup("x.test", "CNAME").status == "nodata"
    assert resolver.lookup("a" * 64 + ".test", "MX").status == "failed"
    assert resolver.lookup("a..test", "MX").status == "failed"


def test_many_questions_come_back_in_order(resolver: Resolver) -> None:
    asked = [("x.test", "MX"), ("nowhere.test", "MX"), ("www.x.test", "CNAME")] * 10
    answers = resolver.lookup_all(asked)
    assert [(a.name, a.type) for a in answers] == asked
    assert [a.status for a in answers] == ["ok", "nxdomain", "ok"] * 10


class Refusing(BaseResolver):  # type: ignore[misc]
    """A server in trouble."""

    def resolve(self, request: DNSRecord, _handler: object) -> DNSRecord:
        reply = request.reply()
        reply.header.rcode = RCODE.SERVFAIL
        return reply


def test_S7_a_server_in_trouble_proves_nothing() -> None:
    server = DNSServer(Refusing(), port=0, address="127.0.0.1")
    server.start_thread()
    port = server.server.server_address[1]
    assert Resolver(f"127.0.0.1:{port}").lookup("x.test", "MX").status == "failed"
    server.stop()
    server.server.server_close()


def test_S7_a_server_that_is_silent_proves_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf, mock.patch.object(dns, "LIFETIME", 0.3):
        deaf.bind(("127.0.0.1", 0))
        resolver = Resolver(f"127.0.0.1:{deaf.getsockname()[1]}")
        answers = resolver.lookup_all([("x.test", "MX"), ("x.test", "TXT")])
    assert [a.status for a in answers] == ["failed", "failed"]
