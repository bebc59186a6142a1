"""SMTP submission (RFC 6409): what a mail client sends, by the same services as webmail.

No copy is put into Sent: mail clients file their own, and two would be one too many.
"""

import asyncio
import base64
import binascii
import ssl
from collections.abc import Mapping
from hashlib import sha256
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult
from aiosmtpd.smtp import Envelope as Received
from aiosmtpd.smtp import Session as Connection

from chalicelib.aws.log import logger
from chalicelib.mime import digest
from chalicelib.rules.errors import Kind, ServiceError
from chalicelib.rules.values import Account, Envelope, Submission
from chalicelib.services import quota, send, signin
from chalicelib.services.platform import Platform

#: Each kind of refusal in SMTP's own form: reply code and RFC 3463 status.
REPLIES: Mapping[Kind, str] = {
    "bad_credentials": "535 5.7.8",
    "app_password_required": "534 5.7.9",
    "domain_pending": "535 5.7.8",
    "domain_suspended": "535 5.7.8",
    "account_suspended": "535 5.7.8",
    "sending_paused": "550 5.7.1",
    "throttled": "454 4.7.0",
    "rate_limited": "450 4.7.1",
    "too_many_recipients": "550 5.5.3",
    "too_large": "552 5.3.4",
    "over_quota": "552 5.2.2",
    "forbidden_from": "550 5.7.1",
    "invalid_message": "550 5.6.0",
    "forbidden_attachment": "550 5.7.1",
    "virus": "550 5.7.1",
    "no_recipients": "554 5.5.1",
    "invalid_recipients": "553 5.1.3",
    "unavailable": "451 4.3.0",
}
#: S15, S18. RFC 4954 §6: to this one a client "SHOULD NOT prompt the user for another password […] and should
#: instead notify the user"; a 535 would make it drop the password.
ALERT = "454 4.7.0"


def reply(error: ServiceError) -> str:
    """An SMTP reply line for a refusal."""
    return f"{REPLIES.get(error.kind, '550 5.0.0')} {error.detail}"


class Submissions:
    """aiosmtpd's handler: signs in, checks recipients as they come, submits."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._alert = ""

    async def auth_PLAIN(self, server: SMTP, arguments: list[str]) -> AuthResult:
        """RFC 4616."""
        if len(arguments) == 2:
            try:
                answer = base64.b64decode(arguments[1], validate=True)
            except (binascii.Error, ValueError):
                return AuthResult(success=False, handled=False, message="501 5.5.2 not base64")
        else:
            answer = await _challenge(server, "")
        fields = answer.split(b"\0")
        if len(fields) != 3:
            return AuthResult(success=False, handled=False, message="501 5.5.2 malformed credentials")
        return await self._sign_in(server, fields[1], fields[2])

    async def auth_LOGIN(self, server: SMTP, arguments: list[str]) -> AuthResult:
        """The older two-question form that some clients still use."""
        known = len(arguments) == 2
        name = base64.b64decode(arguments[1]) if known else await _challenge(server, "Username:")
        return await self._sign_in(server, name, await _challenge(server, "Password:"))

    async def _sign_in(self, server: SMTP, name: bytes, password: bytes) -> AuthResult:
        source = server.session.peer[0] if server.session and server.session.peer else ""
        try:
            account = await asyncio.to_thread(
                signin.authenticate,
                self._platform,
                name.decode("utf-8", "replace"),
                password.decode("utf-8", "replace"),
                door="smtp",
                source=source,
            )
            alert = await asyncio.to_thread(quota.alert, self._platform, account, "smtp")
        except ServiceError as error:
            return AuthResult(success=False, handled=False, message=reply(error))
        # S15: this connection is refused: a client that goes on to its next mechanism hears it again.
        self._alert = self._alert or (alert.text if alert else "")
        if self._alert:
            return AuthResult(success=False, handled=False, message=f"{ALERT} {self._alert}")
        return AuthResult(success=True, auth_data=account)

    async def handle_RCPT(
        self, _server: SMTP, _session: Connection, envelope: Received, address: str, options: list[str]
    ) -> str:
        """S20, said at the first recipient too many rather than after the message."""
        limit = self._platform.figures.max_recipients
        if len(envelope.rcpt_tos) >= limit:
            return f"452 4.5.3 at most {limit} recipients a message"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Connection, envelope: Received) -> str:
        """Store and submit; the reply is given only once nothing can be lost."""
        account = cast(Account, session.auth_data)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            number = await asyncio.to_thread(self._submit, account, envelope, content)
        except ServiceError as error:
            return reply(error)
        return f"250 2.0.0 queued as {number}"

    async def handle_exception(self, error: Exception) -> str:
        """Anything unforeseen is temporary: the client keeps the message and comes again."""
        logger.exception("submission failed", exc_info=error)
        return "451 4.3.0 not possible right now, please try again"

    def _submit(self, account: Account, envelope: Received, content: bytes) -> str:
        """The id is made of what was said, so a client that never saw our reply may say it again."""
        recipients = tuple(dict.fromkeys(envelope.rcpt_tos))
        sender = envelope.mail_from or ""
        seed = "\0".join([account.id, sender, *recipients]).encode() + b"\0" + content
        number = "s" + base64.b32encode(sha256(seed).digest()[:15]).decode().lower()
        blob = f"own/{number}"
        self._platform.blobs.put(blob, content)
        message_id = (*digest(content).message_id, f"{number}@{account.domain}")[0]
        submission = Submission(
            id=number,
            account=account,
            envelope=Envelope(sender, recipients),
            blob=blob,
            size=len(content),
            message_id=message_id,
            source="smtp",
        )
        return send.submit(self._platform, submission).id


async def _challenge(server: SMTP, prompt: str) -> bytes:
    """The answer to a question; empty when the client gave up."""
    answer = await server.challenge_auth(prompt)
    return answer if isinstance(answer, bytes) else b""


def protocol(platform: Platform, tls: ssl.SSLContext, *, implicit: bool, host: str) -> SMTP:
    """A connection's protocol. Signing in is required, and TLS before it (S24)."""
    return SMTP(
        Submissions(platform),
        hostname=host,
        ident="ready",
        data_size_limit=platform.figures.max_message_bytes,
        tls_context=None if implicit else tls,
        auth_required=True,
        auth_require_tls=not implicit,
    )
