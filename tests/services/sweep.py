"""S1 over everything that the tests make the service write: no mail names the operator."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import Any
from unittest import mock

from chalicelib.rules.brands import operator_words
from chalicelib.store.blobs import Blobs


def words(raw: bytes) -> set[str]:
    """Words of the operator in a message: in its header, its texts, its reports."""
    message = message_from_bytes(raw, policy=policy.compat32)
    texts = []
    for part in message.walk():
        texts += [f"{name}: {value}" for name, value in part.items()]
        if not part.is_multipart():
            texts.append(bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace"))
    return {word for text in texts for word in operator_words(text)}


@contextmanager
def swept(sent: Sequence[Any]) -> Iterator[None]:
    """Whatever is composed meanwhile, and was `sent` (with `raw` octets) in the end, names no operator."""
    composed: list[bytes] = []
    original = Blobs.put

    def put(self: Blobs, key: str, content: bytes, **named: Any) -> None:
        if key.startswith("own/"):
            composed.append(content)
        original(self, key, content, **named)

    with mock.patch.object(Blobs, "put", put):
        yield
    for raw in dict.fromkeys([*composed, *(call.raw for call in sent)]):
        assert not words(raw), raw[:2_000]
