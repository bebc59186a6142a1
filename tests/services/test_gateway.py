"""The doors for mail clients as quota rules them: real clients of the standard library, the test's clock."""

import poplib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chalicelib.aws.table import Update
from chalicelib.gateway.server import Gateway, Ports
from chalicelib.rules.figures import MB
from chalicelib.services import mailbox, passwords
from chalicelib.store.records import address_key
from local import tls
from tests.services.post import Post, letter

BOB, PASSWORD = "bob@x.test", "correct horse 9"
QUOTA = 250 * MB


@dataclass
class Doors:
    """A gateway over the post office."""

    post: Post
    ports: dict[str, int]
    trusted: ssl.SSLContext

    @contextmanager
    def pop3(self) -> Iterator[poplib.POP3_SSL]:
        client = poplib.POP3_SSL("127.0.0.1", self.ports["pop3s"], timeout=20, context=self.trusted)
        try:
            yield client
        finally:
            client.quit()

    def open_inbox(self) -> str:
        """What a new connection's log-in by POP3 is answered."""
        with self.pop3() as client:
            client.user(BOB)
            try:
                return client.pass_(PASSWORD).decode()
            except poplib.error_proto as error:
                return bytes(error.args[0]).decode()

    @contextmanager
    def smtp(self) -> Iterator[smtplib.SMTP_SSL]:
        with smtplib.SMTP_SSL(
            "127.0.0.1", self.ports["submissions"], "client.test", timeout=20, context=self.trusted
        ) as client:
            yield client

    def sign_in(self) -> tuple[int, str]:
        """What a new connection's log-in by SMTP is answered."""
        with self.smtp() as client:
            try:
                code, text = client.login(BOB, PASSWORD)
            except smtplib.SMTPAuthenticationError as error:
                code, text = error.smtp_code, error.smtp_error  # type: ignore[assignment]
            return code, text.decode() if isinstance(text, bytes) else text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates."""
    made = tmp_path_factory.mktemp("tls")
    tls.context(made)
    return made


@pytest.fixture
def doors(post: Post, folder: Path) -> Iterator[Doors]:
    """Bob has a password; POP3 and submission listen."""
    change = Update(address_key("x.test", "bob"), set={"hash": passwords.hashed(PASSWORD)})
    post.p.directory.table.update(change)
    gateway = Gateway(post.p, tls.context(folder), "127.0.0.1", Ports(0, 0, 0, 0))
    trusted = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    yield Doors(post, gateway.start(), trusted)
    gateway.stop()


def test_S15_a_log_in_is_refused_with_the_text_and_a_retry_is_not(doors: Doors) -> None:
    doors.post.fill(BOB, QUOTA * 80 // 100)
    refused = doors.open_inbox()
    assert refused.startswith("-ERR [SYS/PERM] The mailbox bob@x.test is 80 % full: 200 of 250 MB.")
    assert doors.open_inbox().startswith("+OK")
    assert doors.sign_in()[0] == 235, "one clock for POP3 and SMTP"
    doors.post.clock.advance(minutes=10)
    code, text = doors.sign_in()
    assert (code, text[:14]) == (454, "4.7.0 The mail")
    assert "80 % full" in text
    assert doors.sign_in()[0] == 235
    assert doors.open_inbox().startswith("+OK")


def test_S15_it_is_the_connection_that_is_refused_whatever_it_tries_next(doors: Doors) -> None:
    doors.post.fill(BOB, QUOTA * 80 // 100)
    with doors.smtp() as client:
        for _ in range(2):
            with pytest.raises(smtplib.SMTPAuthenticationError, match="80 % full"):
                client.login(BOB, PASSWORD)  # PLAIN, then LOGIN
    doors.post.clock.advance(minutes=10)
    with doors.pop3() as client:
        for _ in range(2):
            client.user(BOB)
            with pytest.raises(poplib.error_proto, match="80 % full"):
                client.pass_(PASSWORD)


def test_S15_nobody_without_the_password_learns_how_full_it_is(doors: Doors) -> None:
    doors.post.fill(BOB, QUOTA)
    with doors.pop3() as client:
        client.user(BOB)
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
            client.pass_("wrong")
    with doors.smtp() as smtp, pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        smtp.login(BOB, "wrong")
    assert refused.value.smtp_code == 535


@pytest.mark.parametrize("used", [QUOTA * 80 // 100 - 1, QUOTA * 90 // 100, QUOTA - 1])
def test_S15_S16_below_80_and_from_90_percent_nothing_is_in_the_way(doors: Doors, used: int) -> None:
    doors.post.fill(BOB, used)
    assert doors.open_inbox().startswith("+OK")
    assert doors.sign_in()[0] == 235


def test_S18_a_full_mailbox_is_closed_to_POP3_and_sends_after_the_alert(doors: Doors) -> None:
    doors.post.arrive(letter("zoe@far.test", [BOB]), BOB)
    doors.post.fill(BOB, QUOTA)
    for _ in range(3):
        assert doors.open_inbox().startswith("-ERR [SYS/PERM] The mailbox bob@x.test is full (250 MB)")
    assert [doors.sign_in()[0], doors.sign_in()[0]] == [454, 235]
    with doors.smtp() as client:
        client.login(BOB, PASSWORD)
        assert not client.sendmail(BOB, ["zoe@far.test"], letter(BOB, ["zoe@far.test"]))
    acct = doors.post.accounts[BOB].id
    [row] = mailbox.page(doors.post.p, acct, "f1", 9).rows
    mailbox.destroy(doors.post.p, acct, [row.id])
    assert doors.open_inbox().startswith("+OK"), "open again at once: above 90 %, so without an alert"


def test_S11_an_upgrade_opens_it_at_once_though_the_log_in_is_remembered(doors: Doors) -> None:
    doors.post.fill(BOB, QUOTA)
    assert doors.open_inbox().startswith("-ERR")
    doors.post.p.directory.table.update(Update(address_key("x.test", "bob"), set={"mb": 500}))
    assert doors.open_inbox().startswith("+OK")


def test_S21_the_rate_of_mail_clients_is_said_with_the_time_to_wait(doors: Doors) -> None:
    limit = doors.post.p.figures.smtp_per_minute
    with doors.smtp() as client:
        client.login(BOB, PASSWORD)
        for number in range(limit):
            client.sendmail(BOB, ["zoe@far.test"], letter(BOB, ["zoe@far.test"], f"number {number}"))
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(BOB, ["zoe@far.test"], letter(BOB, ["zoe@far.test"], "one more"))
    assert refused.value.smtp_code == 450
    assert b"4.7.1 At most 30 messages a minute can be sent; try again in 60 seconds." in (
        refused.value.smtp_error if isinstance(refused.value.smtp_error, bytes) else b""
    )
