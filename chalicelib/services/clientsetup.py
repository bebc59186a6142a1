"""How a mail client is set up for a hosted domain: the values, and the files that clients ask for."""

import plistlib
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from typing import Literal
from uuid import NAMESPACE_DNS, uuid5
from xml.sax.saxutils import escape

from chalicelib.rules.addresses import AddressError, normalise, parse
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import Figures
from chalicelib.rules.hosted import Brand
from chalicelib.services import brands
from chalicelib.services.platform import Platform

Kind = Literal["imap", "pop3", "smtp"]
LARGEST_ASK = 10_000  # bytes of an Outlook request
_ASKED = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006}EMailAddress"
_REPLY = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"
_OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a client's settings; TLS from the first byte (RFC 8314 §3)."""

    kind: Kind
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings of a domain, under its brand."""

    domain: str
    brand: Brand
    servers: tuple[Server, ...]  # best first; the last one sends

    @property
    def incoming(self) -> tuple[Server, ...]:
        """Where mail is read."""
        return self.servers[:-1]


def servers(domain: str, figures: Figures) -> tuple[Server, ...]:
    """S8, S24: one host for all doors, the one that every domain publishes for mail clients."""
    host = f"imap.{domain}"
    imap = (Server("imap", host, 993),) if figures.imap_open else ()
    return (*imap, Server("pop3", host, 995), Server("smtp", host, 465))


def setup(p: Platform, host: str, address: str) -> Setup:
    """The settings for whoever asks under a host, or for an address. Says nothing of single mailboxes.

    Raises ServiceError not_found for a domain that is not served here.
    """
    domain = brands.domain_of_host(host.lower().rstrip(".")) or _domain(address)
    hosted = p.directory.domain(domain) if domain else None
    if hosted is None or hosted.state not in ("live", "mx_lost"):
        raise ServiceError("not_found", "There are no settings for this domain here.")
    return Setup(hosted.name, brands.of_domain(p, hosted.name), servers(hosted.name, p.figures))


def _domain(address: str) -> str:
    try:
        return parse(address).domain
    except AddressError:
        return ""


# --------------------------------------------------------------------------------- what clients ask for
def autoconfig(s: Setup) -> str:
    """Thunderbird's config-v1.1.xml."""
    sockets = "<socketType>SSL</socketType><authentication>password-cleartext</authentication>"
    rows = "".join(
        f'<{way} type="{server.kind}"><hostname>{server.host}</hostname><port>{server.port}</port>'
        f"{sockets}<username>%EMAILADDRESS%</username></{way}>"
        for server in s.servers
        for way in ["outgoingServer" if server.kind == "smtp" else "incomingServer"]
    )
    name = escape(s.brand.product)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<clientConfig version="1.1">'
        f'<emailProvider id="{s.domain}"><domain>{s.domain}</domain><displayName>{name}</displayName>'
        f"<displayShortName>{name}</displayShortName>{rows}"
        f'<documentation url="https://mail.{s.domain}/v1/setup/thunderbird">'
        f'<descr lang="en">Setting up Thunderbird</descr></documentation></emailProvider></clientConfig>\n'
    )


def asked_address(body: bytes) -> str:
    """The address in Outlook's request; empty where none can be read."""
    if len(body) > LARGEST_ASK or b"<!" in body:
        return ""
    try:
        return (xml.fromstring(body).findtext(f".//{_ASKED}") or "").strip()
    except (xml.ParseError, ValueError, LookupError):
        return ""


def autodiscover(s: Setup, address: str) -> str:
    """Outlook's answer ("POX")."""
    login = f"<LoginName>{escape(address)}</LoginName>" if address else ""
    rows = "".join(
        f"<Protocol><Type>{server.kind.upper()}</Type><Server>{server.host}</Server><Port>{server.port}</Port>"
        f"{login}<DomainRequired>off</DomainRequired><SPA>off</SPA><SSL>on</SSL><AuthRequired>on</AuthRequired>"
        f"{'<UsePOPAuth>on</UsePOPAuth><SMTPLast>off</SMTPLast>' if server.kind == 'smtp' else ''}</Protocol>"
        for server in s.servers
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<Autodiscover xmlns="{_REPLY}"><Response xmlns="{_OUTLOOK}">'
        f"<Account><AccountType>email</AccountType><Action>settings</Action>{rows}</Account>"
        "</Response></Autodiscover>\n"
    )


def mobileconfig(s: Setup, address: str) -> bytes:
    """Apple's profile for an address: no password in it. Raises ServiceError invalid."""
    try:
        address = normalise(address)
    except AddressError as error:
        raise ServiceError("bad_request", str(error)) from None
    if not address.endswith(f"@{s.domain}"):
        raise ServiceError("bad_request", f"The address is not one of {s.domain}.")
    reading, sending = s.incoming[0], s.servers[-1]
    mail = {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{s.domain}.mail.account",
        "PayloadUUID": str(uuid5(NAMESPACE_DNS, f"account {address}")),
        "PayloadDisplayName": address,
        "EmailAccountDescription": s.brand.product,
        "EmailAddress": address,
        "EmailAccountType": "EmailTypeIMAP" if reading.kind == "imap" else "EmailTypePOP",
        **_side("Incoming", reading, address),
        **_side("Outgoing", sending, address),
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{s.domain}.mail",
        "PayloadUUID": str(uuid5(NAMESPACE_DNS, f"profile {address}")),
        "PayloadDisplayName": f"{s.brand.product}: {address}",
        "PayloadOrganization": s.brand.product,
        "PayloadContent": [mail],
    }
    return plistlib.dumps(profile)


def _side(side: str, server: Server, address: str) -> dict[str, object]:
    return {
        f"{side}MailServerAuthentication": "EmailAuthPassword",
        f"{side}MailServerHostName": server.host,
        f"{side}MailServerPortNumber": server.port,
        f"{side}MailServerUseSSL": True,
        f"{side}MailServerUsername": address,
    }
