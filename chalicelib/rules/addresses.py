"""Addresses and domain names: RFC 5321 lengths, ASCII local parts, domains as A-labels (RFC 5890)."""

import re
from dataclasses import dataclass

MAX_ADDRESS, MAX_LOCAL, MAX_DOMAIN, MAX_LABEL = 254, 64, 253, 63  # octets; RFC 5321 §4.5.3.1, RFC 3696 errata

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_QUOTED = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"')
_MAILBOX = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


class AddressError(ValueError):
    """Not an address, a domain or a mailbox name; the text says why, for whoever typed it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be mailed to: local part as written, domain in lower-case A-labels."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """The same for every spelling of one address: lower case."""
        return f"{self.local.lower()}@{self.domain}"


def parse(text: str) -> Address:
    """An addr-spec in parts. Raises AddressError."""
    local, at, domain = text.rpartition("@")
    if not at:
        raise AddressError("An address has an @ in it.")
    if not local.isascii():
        raise AddressError("The part before the @ may only have ASCII characters.")
    if not (_DOT_ATOM.fullmatch(local) or _QUOTED.fullmatch(local)):
        raise AddressError("The part before the @ is empty or has characters that an address cannot have.")
    if len(local) > MAX_LOCAL:
        raise AddressError(f"The part before the @ is longer than {MAX_LOCAL} characters.")
    address = Address(local, parse_domain(domain))
    if len(str(address)) > MAX_ADDRESS:
        raise AddressError(f"The address is longer than {MAX_ADDRESS} characters.")
    return address


def normalise(text: str) -> str:
    """The address in lower case with an A-label domain, as the directory keeps it. Raises AddressError."""
    return parse(text).key


def parse_domain(text: str) -> str:
    """A domain name in lower-case A-labels, at least two of them. Raises AddressError."""
    name = _to_ascii(text)
    labels = name.split(".")
    if any(not label for label in labels):
        raise AddressError("A domain has no empty parts: no dot at an end, no two dots in a row.")
    if len(labels) < 2:
        raise AddressError("A domain has at least two parts, as in example.com.")
    if len(name) > MAX_DOMAIN:
        raise AddressError(f"The domain is longer than {MAX_DOMAIN} characters.")
    for label in labels:
        _check_label(label)
    if labels[-1].isdigit():
        raise AddressError("The last part of a domain cannot be a number.")
    return name


def _to_ascii(text: str) -> str:
    """Lower case and A-labels. The length is bounded first: IDNA's cost is not."""
    if not text:
        raise AddressError("The domain is empty.")
    if len(text) > MAX_DOMAIN:
        raise AddressError(f"The domain is longer than {MAX_DOMAIN} characters.")
    if text.isascii():
        return text.lower()
    try:
        return text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise AddressError("The domain has characters that a domain cannot have.") from None


def _check_label(label: str) -> None:
    if len(label) > MAX_LABEL:
        raise AddressError(f"A part of the domain is longer than {MAX_LABEL} characters.")
    if not _LABEL.fullmatch(label):
        raise AddressError(
            "A domain's parts have letters, digits and hyphens, with no hyphen at either end of a part."
        )
    if label.startswith("xn--"):
        try:
            label.encode("ascii").decode("idna")
        except UnicodeError:
            raise AddressError(f'"{label}" is not a valid international name.') from None


def mailbox_local(text: str) -> str:
    """The local part of a mailbox here, in lower case. Narrower than RFC 5321: no quotes, no plus sign
    (what follows one is a tag), so that every client and form on earth accepts it. Raises AddressError.
    """
    local = text.lower()
    if not text.isascii():
        raise AddressError("A mailbox name may only have ASCII characters.")
    if not local:
        raise AddressError("A mailbox name cannot be empty.")
    if len(local) > MAX_LOCAL:
        raise AddressError(f"A mailbox name has at most {MAX_LOCAL} characters.")
    if not _MAILBOX.fullmatch(local) or ".." in local:
        raise AddressError(
            "A mailbox name has letters, digits, dots, hyphens and underscores;"
            " it starts and ends with a letter or digit and has no two dots in a row."
        )
    return local


def mailbox_key(local: str) -> str:
    """The name under which a mailbox is looked up: lower case, without a plus tag (RFC 5233)."""
    base, _, _ = local.lower().partition("+")
    return base or local.lower()


def mailbox_address(text: str) -> str:
    """The address of the mailbox that `text` reaches: lower case, without a tag. Raises AddressError."""
    address = parse(text)
    return f"{mailbox_key(address.local)}@{address.domain}"
