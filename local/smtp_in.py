"""The internet's SMTP into SES (port 2525): verdicts, the S3 object, and the notification, in SES's form.

As SES: recipients of verified domains only, 40 MB, 8BITMIME, no SMTPUTF8; header fields are put before
the message and its bytes are otherwise left as they came.
"""

import asyncio
import base64
import logging
import secrets
import socket
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from local import rawmail, ses_events
from local.clock import Clock
from local.ops import current_function
from local.ses_events import Event, Stored
from local.ses_state import ReceiptRule, Received, SesState
from local.verdicts import Client, Judge, Judgement

log = logging.getLogger("local.smtp")

MAX_BYTES = 40 * 1_048_576
HOST = "inbound-smtp.us-east-1.amazonaws.com"
_PER_TRANSACTION = 100  # recipients

Put = Callable[[str, str, bytes], None]  # bucket, key, content
Publish = Callable[[str, Event], None]


_END = b"\r\n.\r\n"


class _Server(SMTP):
    # Real mail has lines above 998; SES takes it, and the message limit bounds them.
    line_length_limit = MAX_BYTES

    async def smtp_DATA(self, arg: str) -> None:
        """RFC 5321 §4.1.1.4, in one piece: aiosmtpd's own goes line by line, a second for 24 MB."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 Syntax: DATA" if arg else "503 Error: need RCPT command")
            return
        self._reader.feed_data(b"\r\n")  # so that an end right at the start looks like any other
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content = await self._content()
        if content is None:
            await self.push("552 5.3.4 Error: Too much mail data")
        else:
            self.envelope.original_content = self.envelope.content = content
            await self.push(await self._call_handler_hook("DATA"))
        self.envelope = self._create_envelope()

    async def _content(self) -> bytes | None:
        """The message, dots unstuffed (RFC 5321 §4.5.2); None for one above the limit, read to its end."""
        too_much = False
        while True:
            try:
                data = await self._reader.readuntil(_END)
            except asyncio.LimitOverrunError as over:
                too_much = True
                await self._reader.readexactly(over.consumed)
            else:
                return None if too_much else data[:-3].replace(b"\r\n.", b"\r\n")[2:]


class Reception:
    """What SES does with one message: judge, put the fields before it, store, notify."""

    def __init__(self, state: SesState, judge: Judge, put: Put, publish: Publish) -> None:
        self._state, self._judge, self._put, self._publish = state, judge, put, publish

    def takes(self, address: str) -> bool:
        """Whether SES would take mail for it: an active rule, and its domain verified."""
        domain = address.rpartition("@")[2].lower()
        return self._state.receipt_rule() is not None and self._state.verified(domain)

    def receive(self, client: Client, sender: str, recipients: tuple[str, ...], raw: bytes) -> str:
        """Store and notify; the SES message id."""
        rule = self._state.receipt_rule()
        if rule is None:
            raise LookupError("no active receipt rule")
        ses_id, now = _new_id(), self._state.now()
        judged = self._judge.judge(client, sender, raw, scan=rule.scan)
        whole = _prepended(judged, client, sender, recipients, ses_id, now) + raw
        key = f"{rule.prefix}{ses_id}"
        self._put(rule.bucket, key, whole)
        self._state.remember(ses_id, Received(now, sender, recipients, rawmail.split(raw)[0]))
        self._notify(rule, key, (ses_id, now, sender, recipients, whole), judged)
        return ses_id

    def _notify(
        self,
        rule: ReceiptRule,
        key: str,
        message: tuple[str, float, str, tuple[str, ...], bytes],
        judged: Judgement,
    ) -> None:
        stored = Stored(rule.bucket, rule.prefix, key, rule.topic)
        self._publish(rule.topic, ses_events.received(*message, judged.findings, stored))


def _new_id() -> str:
    """Forty letters and digits, as SES's receiving ids are."""
    return base64.b32encode(secrets.token_bytes(25)).decode().lower()


def _prepended(
    judged: Judgement, client: Client, sender: str, recipients: tuple[str, ...], ses_id: str, now: float
) -> bytes:
    found = judged.findings
    date = formatdate(now, usegmt=False).replace("-0000", "+0000 (UTC)")
    lines = [
        f"Return-Path: <{sender}>",
        f"Received: from {client.helo} ({client.helo} [{client.address}])",
        f" by {HOST} with SMTP id {ses_id}",
        f" for {recipients[0]};",
        f" {date}",
    ]
    if found.spam != "DISABLED":
        lines += [f"X-SES-Spam-Verdict: {found.spam}", f"X-SES-Virus-Verdict: {found.virus}"]
    lines += [
        f"Received-SPF: {judged.received_spf}",
        f"Authentication-Results: {judged.authentication_results}",
    ]
    return "\r\n".join([*lines, ""]).encode("utf-8", "replace")


class _Hooks:
    """aiosmtpd's hooks. The work runs on threads, for it calls S3 and SNS."""

    def __init__(self, reception: Reception, clock: Clock) -> None:
        self._reception, self._clock = reception, clock

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= _PER_TRANSACTION:
            return "452 4.5.3 Too many recipients"
        if not await asyncio.to_thread(self._reception.takes, address):
            return "550 5.1.1 Requested action not taken: mailbox unavailable"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        peer = session.peer[0] if isinstance(session.peer, tuple) else "127.0.0.1"
        client = Client(peer, _printable(session.host_name or "unknown"))
        raw = bytes(envelope.original_content or b"")
        try:
            ses_id = await asyncio.to_thread(
                self._receive, client, (envelope.mail_from or "").strip("<>"), tuple(envelope.rcpt_tos), raw
            )
        except Exception:
            log.exception("a message could not be taken in")
            return "451 4.3.0 Temporary service failure"
        return f"250 2.0.0 OK {ses_id}"

    def _receive(self, client: Client, sender: str, recipients: tuple[str, ...], raw: bytes) -> str:
        current_function.set("ses")
        with self._clock.busy("smtp in"):
            return self._reception.receive(client, sender, recipients, raw)


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and c not in "<>()[]\\ ")[:255] or "unknown"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(
            self.handler,
            data_size_limit=MAX_BYTES,
            enable_SMTPUTF8=False,
            hostname=HOST,
            ident="local SES",
            timeout=300,
        )


class SmtpServer:
    """The server on one port; 0 takes a free one. Raises OSError when the port is taken."""

    def __init__(self, reception: Reception, clock: Clock, port: int, host: str = "127.0.0.1") -> None:
        self._probe = socket.create_server((host, port))
        self.port = int(self._probe.getsockname()[1])
        self._controller: Any = _Controller(_Hooks(reception, clock), hostname=host, port=self.port)

    def start(self) -> None:
        """Take mail from now on."""
        self._probe.close()
        self._controller.start()

    def stop(self) -> None:
        """Free the port."""
        self._controller.stop(no_assert=True)
