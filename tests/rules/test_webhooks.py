"""S40: where webhooks may lead, how they are signed, when they are given up."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.rules.journal import Event, as_told, ids_before, is_id, is_type, of_types
from chalicelib.rules.webhooks import Target, UrlError, given_up, pause, public, signature, target

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def event(type: str, actor: str = "reseller:k") -> Event:
    """An event of a type."""
    return Event("e1", NOW, type, "s", "house", "x.test", actor, "192.0.2.7")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "100.64.0.1", "0.0.0.0", "169.254.169.254", "169.254.170.2", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254",
        "fec0::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "2002:a00:1::1", "2002:a9fe:a9fe::", "x", "",
        "64:ff9b::808:808",
    ],
)  # fmt: skip
def test_addresses_of_networks_and_machines_are_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111"])
def test_addresses_on_the_internet_are(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://hooks.example.com", Target("hooks.example.com", 443, "/", True)),
        ("https://Hooks.Example.com:8443/a?b=c", Target("hooks.example.com", 8443, "/a?b=c", True)),
        ("https://hooks.example.com?x", Target("hooks.example.com", 443, "/?x", True)),
    ],
)
def test_a_url_is_https_to_a_name(url: str, place: Target) -> None:
    assert target(url, here=False) == place


@pytest.mark.parametrize(
    "url",
    [
        "", "http://hooks.example.com", "ftp://hooks.example.com", "//hooks.example.com", "https://", "https:///a",
        "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://localhost/", "https://2130706433/",
        "https://user:pass@hooks.example.com", "https://hooks.example.com@10.0.0.1/", "https://hooks.example.com/#a",
        "https://hooks.example.com:22/", "https://hooks.example.com:0/", "https://hooks.example.com:99999/",
        "https://hooks.example.com:x/", "https://hooks.example.com/a b", "https://hooks.example.com/\r\nX: y",
        "https://hooks.example.com\\@10.0.0.1/", "https://hooks.example.com/" + "a" * 2_000, "https://höoks.example/é",
        "http://127.0.0.1:1/",
    ],
)  # fmt: skip
def test_what_is_no_such_url_is_refused(url: str) -> None:
    with pytest.raises(UrlError):
        target(url, here=False)


def test_only_a_developers_machine_may_be_told_by_itself() -> None:
    assert target("http://127.0.0.1:9/a", here=True) == Target("127.0.0.1", 9, "/a", False)
    for url in ("http://localhost:9/", "http://127.0.0.2/", "http://10.0.0.1/", "http://[::1]/"):
        with pytest.raises(UrlError):
            target(url, here=True)


def test_a_signature_is_hmac_sha256_of_time_and_body_with_each_secret() -> None:
    body, t = b'{"a":1}', int(NOW.timestamp())
    one, two = (hmac.new(s, f"{t}.".encode() + body, hashlib.sha256).hexdigest() for s in (b"new", b"old"))
    assert signature(["new"], NOW, body) == f"t={t},v1={one}"
    assert signature(["new", "old"], NOW, body) == f"t={t},v1={one},v1={two}"


def test_pauses_double_from_a_minute_to_six_hours() -> None:
    minutes = [pause(n) / timedelta(minutes=1) for n in range(1, 12)]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    assert pause(10_000) == timedelta(hours=6)


def test_it_is_given_up_after_three_days() -> None:
    assert not given_up(NOW, NOW + timedelta(days=3) - timedelta(seconds=1))
    assert given_up(NOW, NOW + timedelta(days=3))


def test_types_choose_events() -> None:
    made = event("mailbox.created")
    for types in ((), ("*",), ("mailbox.*",), ("domain.*", "mailbox.created")):
        assert of_types(made, types)
    for types in (("mailbox.deleted",), ("domain.*",), ("mail.*",)):
        assert not of_types(made, types)
    assert all(map(is_type, ("*", "mailbox.*", "app-password.created")))
    assert not any(map(is_type, ("", "mailbox", "Mailbox.created", "a.b.c", "*.created", "a.*b", "a b.c")))


def test_ids_sort_by_time() -> None:
    assert ids_before(NOW) < f"{ids_before(NOW)}{'0' * 12}" < ids_before(NOW + timedelta(milliseconds=1))
    assert is_id(f"{ids_before(NOW)}{'f' * 12}")
    assert not any(map(is_id, ("", "e", ids_before(NOW), f"{ids_before(NOW)}{'F' * 12}", "e1\n")))


def test_S40_which_key_and_machine_the_operator_used_is_its_own_affair() -> None:
    assert (as_told(event("a.b", "operator:1234")).actor, as_told(event("a.b", "operator:1234")).source) == (
        "operator",
        "",
    )
    assert as_told(event("a.b")) == event("a.b")
