"""Bytes to text under whatever charset a message claims (RFC 2045 §5, RFC 8621 §4.1.4 isEncodingProblem)."""

import codecs
import re
from functools import lru_cache

# Names that Python does not know.
_ALIASES = {
    "x-ansi": "cp1252",
    "ansi": "cp1252",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-6-i": "iso8859_6",
    "iso-8859-6-e": "iso8859_6",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "euc-cn": "gb18030",
    "hz-gb-2312": "hz",
    "csgb2312": "gb18030",
    "cseuckr": "cp949",
    "cseucpkdfmtjapanese": "euc_jp",
    "csiso2022jp2": "iso2022_jp_2",
    "ks_c_5601-1989": "cp949",
    "ksc_5601": "cp949",
    "ksc5601": "cp949",
    "x-sjis": "cp932",
    "sjis-win": "cp932",
    "windows-31j": "cp932",
    "eucjp-win": "euc_jp",
    "cp51932": "euc_jp",
    "csiso2022jp": "iso2022_jp",
    "iso-2022-jp-ms": "iso2022_jp",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "cp50222": "iso2022_jp",
    "cn-big5": "cp950",
    "x-x-big5": "cp950",
    "unicode-1-1-utf-7": "utf_7",
    "csunicode11utf7": "utf_7",
    "unicode-1-1-utf-8": "utf_8",
    "unicode-2-0-utf-8": "utf_8",
    "utf8mb4": "utf_8",
    "utf-8-mac": "utf_8",
    "unicode": "utf_16",
    "csunicode": "utf_16",
    "ucs-2": "utf_16",
    "iso-10646-ucs-2": "utf_16",
    "ucs-4": "utf_32",
    "iso-10646-ucs-4": "utf_32",
    "mac": "mac_roman",
    "x-mac-ce": "mac_latin2",
    "x-mac-centraleurroman": "mac_latin2",
    "x-mac-icelandic": "mac_iceland",
    "x-mac-ukrainian": "mac_cyrillic",
    "koi8": "koi8_r",
    "koi8-ru": "koi8_u",
}
# What is written under a name is more than its standard has: the superset that browsers take, too (WHATWG).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso2022_jp": "iso2022_jp_ext",
    "iso2022_jp_1": "iso2022_jp_ext",
    "big5": "cp950",
}
_PAGE = re.compile(r"(?:cp|win|windows|ibm|ms|dos)[-_ ]?(\d{3,5})$")
_ISO = re.compile(r"(?:iso[-_ ]?)?8859[-_ ]?(\d{1,2})$")
_CUT = re.compile(r"[\s(;,]")
# Codecs of Python that are not charsets of mail: they run code-like transforms, or take quadratic time.
_REFUSED = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
_META = re.compile(rb"<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_ESCAPED = re.compile(rb"\x1b(\([BJHI]|\$[@B])([^\x1b]*+)")
_JIS_PAIR = re.compile(rb"[!-~]{2}")
_EUC_PAIR = re.compile(rb"\x8e[\xa1-\xdf]|[\xa1-\xfe]{2}")
_ASCII = bytes(range(128))
_ORDER_WITHIN = 4_000
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@lru_cache(maxsize=256)
def codec_of(charset: str) -> str | None:
    """The Python codec for a charset name, or None where there is none to trust."""
    name = charset.strip(" \t\r\n\"'").lower()
    for known in (name, name.replace("_", "-"), name.removeprefix("x-"), _CUT.split(name)[0]):
        if codec := _codec(_ALIASES.get(known, known)):
            return codec
    return None


def _codec(name: str) -> str | None:
    name = _PAGE.sub(r"cp\1", name)
    name = _ISO.sub(r"iso8859_\1", name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    is_text = getattr(info, "_is_text_encoding", False)
    return _SUPERSETS.get(info.name, info.name) if is_text and info.name not in _REFUSED else None


def decode(data: bytes, charset: str | None) -> tuple[str, bool]:
    """Text, and whether anything was wrong: an unknown charset or malformed octets. Never raises."""
    codec = codec_of(charset) if charset else None
    if data.isascii() and (codec is None or _holds_ascii(codec)):
        return data.decode("ascii"), bool(charset) and codec is None
    if codec is None or codec == "utf-8" or (charset or "").lower() in ("us-ascii", "ascii"):
        text, _ = guess(data)
        return text, codec != "utf-8" or not _valid(data, "utf-8")
    if codec == "cp1252" and _is_utf8(data):  # labelled as Latin-1 by a writer that never looked
        return data.decode("utf-8"), True
    try:
        text = data.decode(_by_order(data, codec))
    except (UnicodeError, ValueError):
        return _again(data, codec)
    return _whole(text), False


def guess(data: bytes) -> tuple[str, bool]:
    """Text of octets without a known charset: UTF-8 where mostly valid, else windows-1252."""
    for bom, codec in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(bom):
            return data.decode(codec, "replace"), not _valid(data, codec)
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(1 for c in text[:100_000] if c > "\x7f") >= 2 * min(broken, 100_000):
        return text, True
    return _windows(data), True


def says_nothing(charset: str | None, data: bytes) -> bool:
    """Whether a part's header leaves open what its octets are."""
    if not charset or codec_of(charset) is None:
        return True
    return charset.lower() in ("us-ascii", "ascii") and not data.isascii() and not _valid(data, "utf-8")


def html_charset(data: bytes) -> str | None:
    """What an HTML document says of itself, for parts whose header says nothing."""
    found = _META.search(data[:2048])
    return found[1].decode("ascii") if found else None


def printable(text: str) -> str:
    """Without control characters other than tab and line ends, and without lone surrogates."""
    return _CONTROL.sub("", text).encode("utf-8", "ignore").decode("utf-8")


@lru_cache(maxsize=256)
def _holds_ascii(codec: str) -> bool:
    """Whether ASCII octets mean themselves: not in UTF-16, nor where there are escape sequences."""
    octets = bytes(range(128))
    try:
        return not codec.startswith("iso2022") and octets.decode(codec) == octets.decode("ascii")
    except (UnicodeError, ValueError):
        return False


def _is_utf8(data: bytes) -> bool:
    """Whether octets labelled as Latin-1 are UTF-8 by all appearance.

    One pair alone may be a capital with a sign behind it: a closing quote, a no-break space.
    """
    if not _valid(data, "utf-8"):
        return False
    octets = data.translate(None, _ASCII)
    return len(octets) > 2 or (octets[:1] == b"\xc3" and octets[1:] != b"\xa0")


def _by_order(data: bytes, codec: str) -> str:
    """UTF-16 and -32 in the order that their mark tells, or their zeroes, or else RFC 2781 §4.3."""
    if codec.startswith("utf-16") and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if codec == "utf-32" and data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if codec not in ("utf-16", "utf-32"):
        return codec
    head, step = data[:_ORDER_WITHIN], 2 if codec == "utf-16" else 4
    little = head[step - 1 :: step].count(0) > head[::step].count(0)
    return f"{codec}-le" if little else f"{codec}-be"


def _again(data: bytes, codec: str) -> tuple[str, bool]:
    """What is no octets of its charset may be of a wider one, which its writer meant."""
    if codec == "iso2022_jp_ext":
        data, codec = _ESCAPED.sub(_shifted, data), "cp932"
    elif codec == "euc_jp":
        data, codec = _EUC_PAIR.sub(_paired, data), "cp932"
    elif codec == "cp950":
        codec = "big5hkscs"
    else:
        return _whole(_lenient(data, codec)), True
    try:
        return data.decode(codec), False
    except (UnicodeError, ValueError):
        return _whole(_lenient(data, codec)), True


def _shifted(found: re.Match[bytes]) -> bytes:
    """A run behind an escape sequence of ISO-2022-JP, in Microsoft's Shift_JIS."""
    if found[1] == b"(I":
        return bytes(octet | 0x80 for octet in found[2])
    if found[1][:1] == b"(":
        return found[2]
    return _JIS_PAIR.sub(_paired, found[2])


def _paired(found: re.Match[bytes]) -> bytes:
    """A character of JIS X 0208, with the rows that Microsoft and NEC added, in Shift_JIS."""
    if found[0][0] == 0x8E:
        return found[0][1:]
    row, cell = (octet & 0x7F for octet in found[0])
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    if row % 2:
        return bytes((lead, cell + (0x1F if cell < 0x60 else 0x20)))
    return bytes((lead, cell + 0x7E))


def _whole(text: str) -> str:
    """UTF-7 can carry half a character, which no other encoding can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _valid(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except (UnicodeError, ValueError):
        return False
    return True


def _lenient(data: bytes, codec: str) -> str:
    if _valid(data, "utf-8"):
        return data.decode("utf-8")
    try:
        return data.decode(codec, "replace")
    except (UnicodeError, ValueError):
        return _windows(data)


def _windows(data: bytes) -> str:
    """windows-1252 with its five holes filled from ISO 8859-1, so that it never fails."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
