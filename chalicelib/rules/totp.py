"""Codes of a second factor: RFC 6238, as every authenticator app takes it (SHA-1, 6 digits, 30 seconds)."""

import base64
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

SECONDS, DIGITS = 30, 6
DRIFT = 1  # steps that a clock may be off, either way (RFC 6238 §5.2)


def step_of(now: datetime) -> int:
    """The time step of a moment (§4.2)."""
    return int(now.timestamp()) // SECONDS


def code(secret: str, step: int) -> str:
    """The code of a step (RFC 4226 §5.3). `secret` is Base32, without padding."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, step.to_bytes(8), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def used_step(secret: str, given: str, now: datetime, last: int) -> int | None:
    """The step whose code it is, of those now allowed and later than `last`: a code is good once (§5.2).

    None: it is none of them. All are compared, each in constant time.
    """
    at = step_of(now)
    right = [
        step
        for step in range(at - DRIFT, at + DRIFT + 1)
        if step >= 0 and hmac.compare_digest(code(secret, step).encode(), given.encode()) and step > last
    ]
    return right[0] if right else None


def uri(secret: str, issuer: str, account: str) -> str:
    """What authenticator apps read from a QR code. The issuer is the brand's product (S1)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    details = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": SECONDS}
    return f"otpauth://totp/{label}?{urlencode(details, quote_via=quote)}"
