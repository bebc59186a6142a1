"""What SES does to a message it is asked to send: its checks, and the header fields it rewrites."""

import base64
import binascii
import email.utils
import re
import uuid
from collections.abc import Mapping
from typing import Any

from local import rawmail
from local.ses_events import Outgoing
from local.ses_state import ConfigurationSet, SesError, SesState

MAX_BYTES = 40 * 1_048_576
MAX_RECIPIENTS = 50
MAX_PARTS = 500
MAX_LINE = 998
# "Amazon SES unsupported attachment types" of the developer guide.
_UNSUPPORTED = """
ade adp app asp bas bat cer chm cmd com cpl crt csh der exe fxp gadget hlp hta inf ins isp its js jse ksh
lib lnk mad maf mag mam maq mar mas mat mau mav maw mda mdb mde mdt mdw mdz msc msh msh1 msh2 mshxml msh1xml
msh2xml msi msp mst ops pcd pif plg prf prg reg scf scr sct shb shs sys ps1 ps1xml ps2 ps2xml psc1 psc2 tmp
url vb vbe vbs vps vsmacros vss vst vsw vxd ws wsc wsf wsh xnk
"""
FORBIDDEN = frozenset(_UNSUPPORTED.split())
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}|\"[\x20-\x7e]{1,62}\"")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)
_FILENAME = re.compile(rb"(?:file)?name\*?(?:0\*?)?\s*=\s*(?:\"([^\"\r\n]*)\"|([^\s;]+))", re.IGNORECASE)
_OVERWRITTEN = ("message-id", "date", "return-path", "bcc", "dkim-signature", "x-ses-*")


def message_id(account: str) -> str:
    """In the form of SES: 0100, hex time, a UUID."""
    return f"0100{uuid.uuid5(uuid.NAMESPACE_DNS, account).hex[:12]}-{uuid.uuid4()}-000000"


def accept(body: Mapping[str, Any], state: SesState) -> Outgoing:
    """SendEmail with raw content, or SES's refusal (SesError). One bad address refuses the whole call."""
    raw = _raw(body)
    destination = body.get("Destination") or {}
    given = [a for key in ("To", "Cc", "Bcc") for a in destination.get(f"{key}Addresses") or ()]
    recipients = [addr_spec(a) for a in given] or rawmail.addresses(raw, "to", "cc", "bcc")
    if not recipients:
        raise SesError("BadRequestException", "Destination is required.")
    if len(recipients) > MAX_RECIPIENTS:
        raise SesError("BadRequestException", f"Recipient count exceeds {MAX_RECIPIENTS}.")
    for address in recipients:
        _check_address(address)
    source = addr_spec(body.get("FromEmailAddress") or "") or next(iter(rawmail.addresses(raw, "from")), "")
    _check_senders(source, raw, state)
    _check_content(raw)
    config = _config(body.get("ConfigurationSetName"), state)
    tags = {t["Name"]: [t["Value"]] for t in body.get("EmailTags") or ()}
    ses_id, now = message_id(state.account), state.now()
    return Outgoing(
        ses_id=ses_id,
        source=source,
        mail_from=f"{ses_id}@{state.id_domain}",
        recipients=tuple(dict.fromkeys(recipients)),
        raw=rewritten(raw, ses_id, now, state.id_domain),
        accepted_at=now,
        account=state.account,
        tags=tags,
        config=config,
    )


def _raw(body: Mapping[str, Any]) -> bytes:
    content = (body.get("Content") or {}).get("Raw") or {}
    try:
        raw = base64.b64decode(content["Data"], validate=True)
    except (KeyError, TypeError, binascii.Error) as error:
        raise SesError("BadRequestException", "Content.Raw.Data is required.") from error
    if len(raw) > MAX_BYTES:
        raise SesError("BadRequestException", f"Message length is more than {MAX_BYTES} bytes long.")
    return raw


def addr_spec(text: str) -> str:
    """`Name <a@b>` or `a@b`; what is neither stays, to be refused with its own text."""
    return email.utils.parseaddr(text)[1] or text.strip()


def _check_address(address: str) -> None:
    local, at, domain = address.rpartition("@")
    if not at:
        raise SesError("BadRequestException", f"Missing final '@domain': {address!r}")
    if not address.isascii():
        raise SesError("BadRequestException", "Local address contains non-ASCII characters")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if not _LOCAL.fullmatch(local) or (dots and not local.startswith('"')):
        raise SesError("BadRequestException", f"Illegal address: {address!r}")
    if not is_domain(domain):
        raise SesError(
            "BadRequestException", f"Domain contains illegal character or is no domain: {domain!r}"
        )


def is_domain(text: str) -> bool:
    """Whether it has the form of a domain name that mail can go to."""
    return bool(_DOMAIN.fullmatch(text))


def _check_senders(source: str, raw: bytes, state: SesState) -> None:
    named = [source, *rawmail.addresses(raw, "from", "sender", "return-path")]
    unverified = sorted({a for a in named if not state.may_send_from(a)})
    if unverified:
        where = f"The following identities failed the check in region {state.region.upper()}"
        raise SesError(
            "MessageRejected", f"Email address is not verified. {where}: {', '.join(unverified) or '<>'}"
        )


def _check_content(raw: bytes) -> None:
    header, _ = rawmail.split(raw)
    if not header.isascii():
        raise SesError("BadRequestException", "Header contains non-ASCII characters.")
    if any(len(line.rstrip(b"\r")) > MAX_LINE for line in raw.split(b"\n")):
        raise SesError("BadRequestException", f"Line length exceeds {MAX_LINE} characters.")
    if len(re.findall(rb"^content-type\s*:", raw, re.IGNORECASE | re.MULTILINE)) > MAX_PARTS:
        raise SesError("BadRequestException", f"Message has more than {MAX_PARTS} MIME parts.")
    for match in _FILENAME.finditer(_mime_headers(raw)):
        name = (match.group(1) or match.group(2) or b"").decode("ascii", "replace")
        if name.rpartition(".")[2].lower() in FORBIDDEN and "." in name:
            raise SesError("BadRequestException", f"Illegal filename '{name}'.")


def _mime_headers(raw: bytes) -> bytes:
    """Every Content-Type and Content-Disposition field in the message, with its folds."""
    pattern = rb"^content-(?:type|disposition)\s*:[^\n]*\n(?:[ \t][^\n]*\n)*"
    return b"".join(re.findall(pattern, raw, re.IGNORECASE | re.MULTILINE))


def _config(name: str | None, state: SesState) -> ConfigurationSet | None:
    return state.config_set(name) if name else None


def rewritten(raw: bytes, ses_id: str, now: float, id_domain: str) -> bytes:
    """SES's own Message-ID and Date instead of the sender's; Bcc and control fields gone. The body stays."""
    header, rest = rawmail.split(rawmail.without(raw, _OVERWRITTEN))
    end = b"" if header.endswith(b"\n") or not header else b"\r\n"
    date = email.utils.formatdate(now).replace("-0000", "+0000")
    added = (
        f"Message-ID: <{ses_id}@{id_domain}>\r\nDate: {date}\r\n"
        f"Feedback-ID: ::1.us-east-1.local:AmazonSES\r\nX-SES-Outgoing: {date[5:16]}-127.0.0.1\r\n"
    )
    return header + end + added.encode() + (rest or b"\r\n")
