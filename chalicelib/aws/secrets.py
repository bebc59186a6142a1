"""The stage's one secret (Secrets Manager), and keys derived from it, one for each purpose."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws import clients, clock

LIFE = timedelta(hours=1)  # how long a process signs with what it once read
AGAIN = timedelta(minutes=1)  # a mark that does not fit makes a process look for a newer secret, this often


@dataclass(frozen=True, slots=True)
class _Read:
    """The secret and the one before it, as read at a moment."""

    versions: tuple[bytes, ...]
    at: datetime


class Secrets:
    """Keys of 32 bytes. Whoever knows one learns nothing of the secret or of another purpose's key."""

    def __init__(self, name: str) -> None:
        self.name = name  # or ARN
        self._held: _Read | None = None

    def key(self, purpose: str) -> bytes:
        """The key to make marks with."""
        return _derived(self._read(LIFE).versions[0], purpose)

    def mark(self, purpose: str, text: str) -> str:
        """A MAC of 128 bits in hexadecimal digits."""
        return _mac(self.key(purpose), text)

    def marked(self, purpose: str, text: str, mark: str) -> bool:
        """Whether this mark was made here, with the present secret or the one before a rotation."""
        return any(
            hmac.compare_digest(
                _mac(_derived(version, purpose), text).encode(), mark.encode("utf-8", "replace")
            )
            for oldest in (LIFE, AGAIN)
            for version in self._read(oldest).versions
        )

    def _read(self, oldest: timedelta) -> _Read:
        """What this process holds, unless it is older than that."""
        now = clock.now()
        if self._held is None or now - self._held.at >= oldest:
            versions = [self._version(stage) for stage in ("AWSCURRENT", "AWSPREVIOUS")]
            self._held = _Read(tuple(v for v in versions if v), now)
        return self._held

    def _version(self, stage: str) -> bytes:
        """A version of the secret; empty where there is none (never rotated)."""
        try:
            answer: Any = clients.client("secretsmanager").get_secret_value(
                SecretId=self.name, VersionStage=stage
            )
        except ClientError as error:
            missing = error.response["Error"].get("Code") == "ResourceNotFoundException"
            if stage == "AWSPREVIOUS" and missing:
                return b""
            raise
        return str(answer["SecretString"]).encode()


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, purpose.encode(), "sha256")


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), sha256).hexdigest()[:32]
