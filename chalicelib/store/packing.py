"""Small records made smaller: JSON, deflated against a dictionary of what mail often holds.

The dictionary is part of the stored format: a better one gets the next version byte beside this one.
"""

import json
import zlib
from collections.abc import Sequence
from typing import Any

_VERSION = b"\x01"
_DICTIONARY = (
    b" unsubscribe newsletter view in browser click here to privacy policy confirm your account password "
    b"has been please find attached the meeting tomorrow today Monday Tuesday Wednesday Thursday Friday "
    b"thanks for your order invoice payment delivery shipping notification update reminder weekly report "
    b"Hello Dear Best regards Kind regards Thank you for let me know if you have any questions I am "
    b"we are you will be able to with this that from have been would could there which their about what "
    b"when your more information available http://www. https://www. .org .net .de .co.uk @gmail.com "
    b"@outlook.com @hotmail.com @yahoo.com info@ noreply@ no-reply@ support@ .example.com .test "
    b"Re: Fwd: RE: FW: AW: Undelivered Mail Returned to Sender Mailer-Daemon postmaster@ "
    b',"multipart/report",,"message/delivery-status","message/rfc822","text/calendar","image/gif",'
    b'"image/jpeg","image/png","application/octet-stream","application/pdf","base64",0,"attachment",'
    b'".pdf",".jpg",".png",".docx","inline","us-ascii","iso-8859-1","windows-1252","8bit","7bit","binary",'
    b'{"format":"flowed","delsp":"yes"},{"boundary":"----=_Part_","protocol":"application/pgp-signature",'
    b'"micalg":"pgp-sha256"},"type":"multipart/alternative","report-type":"delivery-status",'
    b'[null,"multipart/mixed",0,[null,"multipart/related",0,[null,"multipart/alternative",0,'
    b'["2","text/html",["1","text/plain",["1.1","text/plain",["1.2","text/html","quoted-printable","utf-8",'
    b'"UTF-8"]]]],["PASS","PASS","PASS","PASS","PASS",1],["PASS","PASS","GRAY","FAIL","DISABLED",0],'
    b'+00:00","2026-0@mail.gmail.com"],[],[],[],[],["'
)


def pack(value: Any) -> bytes:
    """A JSON value as bytes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return _VERSION + deflate.compress(text) + deflate.flush()


def unpack(packed: bytes) -> Any:
    """The JSON value that `pack` was given."""
    text = zlib.decompressobj(-15, _DICTIONARY).decompress(packed[1:])
    return json.loads(text.decode(errors="surrogatepass"))


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Numbers ≥ 0, seven bits a byte, low first: small ones take one byte."""
    out = bytearray()
    for number in numbers:
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def unpack_numbers(packed: bytes) -> list[int]:
    """The numbers that `pack_numbers` was given."""
    numbers, number, shift = [], 0, 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    return numbers
