"""Content transfer encodings (RFC 2045 §6), decoded from any octets without raising, in linear time."""

import binascii
import re
import string

_BASE64 = (string.ascii_letters + string.digits + "+/").encode()
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_FOREIGN = bytes(set(range(256)) - set(_BASE64 + b"= \t\r\n"))
_PADDING = re.compile(rb"=[=\s]*")
_TRAILING = re.compile(rb"(?<![ \t])[ \t]++(?=[\r\n]|\Z)")
_BARE_BREAK = re.compile(rb"=\r(?!\n)")
_BAD_QP = re.compile(rb"=(?![\r\n]|[0-9A-Fa-f]{2}|\Z)")
_UU_BEGIN = re.compile(rb"(?m)^begin [^\r\n]*")
_UU = frozenset({"x-uuencode", "uuencode", "x-uue", "x-uu", "uue"})
_PLAIN = frozenset({"7bit", "8bit", "binary", ""})
_MAX_BLOCKS = 10_000


def decode(data: bytes, encoding: str) -> bytes:
    """The octets that were encoded. Unknown encodings are taken as they stand."""
    if encoding == "base64":
        return unbase64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(_BARE_BREAK.sub(b"=\n", _TRAILING.sub(b"", data)))
    if encoding in _UU:
        return _uudecode(data)
    return data


def base64_lines(data: bytes) -> bytes:
    """Base64 in lines of 76 (RFC 2045 §6.8), without a line end after the last."""
    coded = binascii.b2a_base64(data, newline=False)
    return b"\r\n".join(coded[at : at + 76] for at in range(0, len(coded), 76))


def malformed(data: bytes, encoding: str) -> bool:
    """Whether the transfer encoding is unknown or broken (RFC 8621 isEncodingProblem)."""
    if encoding == "base64":
        foreign = data.translate(None, _BASE64 + b"= \t\r\n")
        return bool(foreign)
    if encoding == "quoted-printable":
        return _BAD_QP.search(_TRAILING.sub(b"", data)) is not None
    return encoding not in _PLAIN and encoding not in _UU


def unbase64(data: bytes) -> bytes:
    """Base64 with line noise dropped; blocks padded one by one are joined, a plain-text footer is not."""
    padded = _PADDING.search(data)
    if padded is None or padded.end() == len(data):
        return _block(data)
    rest = data[padded.end() :]
    if len(rest.translate(None, _FOREIGN)) != len(rest):
        return _block(data[: padded.start()])
    blocks = _PADDING.split(data, _MAX_BLOCKS)
    return b"".join(_block(block) for block in blocks)


def _block(data: bytes) -> bytes:
    digits = data.translate(None, _NOT_BASE64)
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def _uudecode(data: bytes) -> bytes:
    out = []
    begun = _UU_BEGIN.search(data)
    for line in data[begun.end() if begun else 0 :].splitlines():
        if not line.strip():
            continue
        if line == b"end":
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            count = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                out.append(binascii.a2b_uu(line[:count]))
            except binascii.Error:
                continue
    return b"".join(out)
