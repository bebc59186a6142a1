"""Ids that follow from what they name, so that a repeat makes the same one. JMAP-safe (RFC 8620 §1.2)."""

from base64 import b32encode
from hashlib import sha256

HASH_CHARACTERS = 16  # 80 bits, per account


def _hashed(prefix: str, *of: str) -> str:
    """The prefix and 80 bits of hash in lower-case base32."""
    digest = sha256("\0".join(of).encode(errors="surrogatepass")).digest()
    return prefix + b32encode(digest[:10]).decode().lower()


def email_id(arrival: str, account: str) -> str:
    """The id of the email that an arrival (or anything else named by a stable id) makes in an account."""
    return _hashed("m", arrival, account)


def thread_id(root: str, about: str) -> str:
    """The id of the thread that begins with this Message-ID (or, lacking one, this email id) and is about
    this (`subjects.same`)."""
    return _hashed("t", root, about)


def key_hash(*of: str) -> str:
    """What others wrote (Message-IDs, addresses) as part of a key: short, whatever they put there."""
    return _hashed("", *of)


def order_id(reseller: str, idempotency_key: str) -> str:
    """The id of the order that a reseller placed under this key."""
    return _hashed("o", reseller, idempotency_key)


def account_id(order: str, local: str) -> str:
    """The id of the mailbox that an order made under this name."""
    return _hashed("a", order, local)


def passing_id(arrival: str, address: str) -> str:
    """The id of what an arrival becomes at an address that passes it on or answers it."""
    return _hashed("f", arrival, address)


def report_id(source: str, within: str) -> str:
    """The id of a report of abuse: what brought it, and which of those that it brought."""
    return _hashed("r", source, within)


def sent_again(submission: str) -> str:
    """The id of what is sent again, and is no repeat of that submission."""
    return _hashed("s", submission)


def contact_id(uid: str) -> str:
    """The id of the contact with this uid: there is one of it in an account, however often it is sent."""
    return _hashed("k", uid)


def is_contact_id(text: str) -> bool:
    """Whether an id is a contact's by its form."""
    return text.startswith("k")


def identity_id(account: str, alias: str) -> str:
    """The id of a mailbox's identity under one of its aliases."""
    return _hashed("i", account, alias)


def made_identity_id(account: str, modseq: int) -> str:
    """The id of an identity that was made when the mailbox was in this state."""
    return _hashed("j", account, str(modseq))
