"""S19 to S21, S25 and who may send."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rules import limits
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import DEFAULT, MB
from chalicelib.rules.values import Account, Domain, DomainState, Lookup, MailingList, Part

ANN = Account("a1", "ann@x.test", "x.test", 250 * MB)


def refusal(kind: str) -> "pytest.RaisesExc[ServiceError]":
    """An error of that kind."""
    return pytest.RaisesExc(ServiceError, check=lambda e: e.kind == kind)


def people(count: int) -> list[str]:
    return [f"p{i}@y.test" for i in range(count)]


def test_S19_25_MB_pass_and_a_byte_more_does_not() -> None:
    limits.check_size(25 * MB, DEFAULT)
    with refusal("too_large"):
        limits.check_size(25 * MB + 1, DEFAULT)


def test_S20_250_recipients_pass_and_251_do_not() -> None:
    assert limits.check_recipients(people(250), DEFAULT) == tuple(people(250))
    with refusal("too_many_recipients"):
        limits.check_recipients(people(251), DEFAULT)


def test_a_recipient_named_twice_is_one_in_the_order_given() -> None:
    named = [*people(250), "P3@y.test", "p0@Y.test"]
    assert limits.check_recipients(named, DEFAULT) == tuple(people(250))


def test_no_recipient_is_refused() -> None:
    with refusal("no_recipients"):
        limits.check_recipients([], DEFAULT)


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "@y.test",
        "a@",
        "a b@y.test",
        "zoë@y.test",
        "a@y",
        "a..b@y.test",
        '"a b"@y.test',
        "a@-y.test",
        "x" * 65 + "@y.test",
        "a@y.test\r\nBcc: b@y.test",
    ],
)
def test_an_address_that_SES_refuses_is_named(address: str) -> None:
    with refusal("invalid_recipients") as caught:
        limits.check_recipients(["ok@y.test", address], DEFAULT)
    assert caught.value.extra["addresses"] == (address,)


def test_an_international_domain_is_sent_to_by_its_A_label() -> None:
    assert limits.check_recipients(["Zoe@bücher.test"], DEFAULT) == ("Zoe@xn--bcher-kva.test",)


@pytest.mark.parametrize(
    ("state", "kind"),
    [("pending", "domain_pending"), ("mx_lost", "domain_pending"), ("live", "domain_suspended")],
)
def test_S5_S32_only_a_live_domain_sends(state: DomainState, kind: str) -> None:
    with refusal(kind):
        limits.check_sender(ANN, Domain("x.test", state, "r", kind == "domain_suspended"))


def test_S31_a_suspended_account_does_not_send() -> None:
    limits.check_sender(ANN, Domain("x.test", "live", "r"))
    suspended = Account("a1", "ann@x.test", "x.test", 0, holds=frozenset({"operator"}))
    with refusal("account_suspended"):
        limits.check_sender(suspended, Domain("x.test", "live", "r"))


@pytest.mark.parametrize(
    ("envelope", "header", "where"),
    [
        ("a2", ["a1"], "envelope"),
        (None, ["a1"], "envelope"),
        ("a1", ["a1", "a2"], "header"),
        ("a1", [None], "header"),
        ("a1", [], "header"),
    ],
)
def test_a_sender_owns_every_address_it_sends_under(
    envelope: str | None, header: list[str | None], where: str
) -> None:
    limits.check_from(ANN, "a1", ["a1"])
    with refusal("forbidden_from") as caught:
        limits.check_from(ANN, envelope, header)
    assert caught.value.extra["where"] == where


def tree(*names: str | None) -> Part:
    """A multipart with leaves of these names."""
    return Part(
        None, "multipart/mixed", parts=tuple(Part(str(i), "a/b", name=n) for i, n in enumerate(names))
    )


def test_file_types_that_SES_refuses_are_told_to_the_sender() -> None:
    limits.check_attachments(tree(None, "notes.txt", "exe", "archive.zip", "js"))
    with refusal("forbidden_attachment") as caught:
        limits.check_attachments(tree("a.txt", "Setup.EXE", "run.js "))
    assert caught.value.extra["names"] == ("Setup.EXE", "run.js ")


def test_S19_webmail_sends_four_attachments_and_not_five() -> None:
    limits.check_attachment_count(4, "webmail", DEFAULT)
    limits.check_attachment_count(5, "smtp", DEFAULT)
    with refusal("forbidden_attachment") as caught:
        limits.check_attachment_count(5, "webmail", DEFAULT)
    assert "4 attachments at most" in caught.value.detail
    assert (caught.value.extra["limit"], caught.value.extra["used"]) == (4, 5)


def test_S21_a_minute_without_messages_is_whole() -> None:
    unused = limits.rate_usage((), 0, 10)
    assert (unused.used, unused.remaining, unused.resets_at) == (0, 10, None)


def test_S21_a_rate_of_nothing_lets_nothing_through() -> None:
    with refusal("rate_limited"):
        limits.admit((), 0, 0)


def test_S25_a_known_virus_is_not_taken_for_sending() -> None:
    limits.check_virus([b"harmless"])
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
    with refusal("virus"):
        limits.check_virus([b"harmless", eicar])


def test_S21_ten_in_a_minute_pass_and_the_eleventh_waits() -> None:
    sent: tuple[int, ...] = ()
    for second in range(10):
        sent = limits.admit(sent, second * 1000, 10)
    with refusal("rate_limited") as caught:
        limits.admit(sent, 59_999, 10)
    assert caught.value.extra == {
        "limit": 10,
        "used": 10,
        "remaining": 0,
        "unit": "messages/minute",
        "resets_at": "1970-01-01T00:01:00+00:00",
        "retry_after": 1,
    }
    assert limits.rate_usage(sent, 59_999, 10).remaining == 0
    assert limits.rate_usage(sent, 60_000, 10).remaining == 1
    assert limits.admit(sent, 60_000, 10)[-1] == 60_000, "a minute after the first one there is room again"


@given(st.lists(st.integers(0, 5_000), max_size=80))
def test_S21_no_minute_wherever_it_begins_has_more_than_ten(steps: list[int]) -> None:
    now, sent, let_through = 0, (), []  # type: int, tuple[int, ...], list[int]
    for step in steps:
        now += step
        with suppress(ServiceError):
            sent = limits.admit(sent, now, 10)
            let_through.append(now)
    assert len(sent) <= 10
    for start in let_through:
        assert sum(start <= t < start + 60_000 for t in let_through) <= 10


def test_each_door_has_its_own_rate_and_notices_none() -> None:
    assert limits.rate_limit("webmail", DEFAULT) == 10
    assert limits.rate_limit("smtp", DEFAULT) == DEFAULT.smtp_per_minute
    assert limits.rate_limit("notice", DEFAULT) is None


@pytest.mark.parametrize(
    ("others", "outside", "fits"), [(200, 49, True), (201, 49, False), (0, 249, True), (0, 250, False)]
)
def test_S20_a_list_is_one_recipient_and_each_member_outside_one_more(
    others: int, outside: int, fits: bool
) -> None:
    team = MailingList("team@x.test", members=10_000, outside=outside)
    found = {"team@x.test": Lookup(Domain("x.test", "live", "r"), team)}
    recipients = ["Team@x.test", *(f"p{i}@far.test" for i in range(others))]
    if fits:
        limits.check_reach(recipients, found, DEFAULT)
        return
    with refusal("too_many_recipients") as caught:
        limits.check_reach(recipients, found, DEFAULT)
    assert (caught.value.extra["limit"], caught.value.extra["used"]) == (250, 251)


def test_S5_a_list_of_a_domain_that_is_not_live_is_one_recipient_outside() -> None:
    team = MailingList("team@x.test", outside=249)
    found = {"team@x.test": Lookup(Domain("x.test", "pending", "r"), team)}
    limits.check_reach(["team@x.test", "zoe@far.test"], found, DEFAULT)
