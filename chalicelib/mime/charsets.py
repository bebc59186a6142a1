"""Bytes to text under whatever charset a message claims (RFC 2045 §5, RFC 8621 §4.1.4 isEncodingProblem)."""

import codecs
import re

_ALIASES = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "ansi_x3.4-1968": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "x-ansi": "cp1252",
    "ansi": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-6-i": "iso8859_6",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "euc-cn": "gb18030",
    "cp936": "gb18030",
    "hz-gb-2312": "hz",
    "euc-kr": "cp949",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "korean": "cp949",
    "windows-949": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp",
    "big5": "cp950",
    "big5-hkscs": "big5hkscs",
    "x-x-big5": "cp950",
    "unicode-1-1-utf-7": "utf_7",
    "unicode-1-1-utf-8": "utf_8",
    "utf8": "utf_8",
    "utf8mb4": "utf_8",
    "utf-8-mac": "utf_8",
    "x-utf-8": "utf_8",
    "unicode": "utf_16",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-ce": "mac_latin2",
    "koi8": "koi8_r",
    "cp-850": "cp850",
    "win-1251": "cp1251",
    "win-1252": "cp1252",
}
# Codecs of Python that are not charsets of mail: they run code-like transforms, or take quadratic time.
_REFUSED = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
_META = re.compile(rb"<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def codec_of(charset: str) -> str | None:
    """The Python codec for a charset name, or None where there is none to trust."""
    name = charset.strip(" \t\r\n\"'").lower()
    name = _ALIASES.get(name) or _ALIASES.get(name.replace("_", "-"), name)
    if name.startswith("windows-") and name[8:].isdigit():
        name = "cp" + name[8:]
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    is_text = getattr(info, "_is_text_encoding", False)
    return info.name if is_text and info.name not in _REFUSED else None


def decode(data: bytes, charset: str | None) -> tuple[str, bool]:
    """Text, and whether anything was wrong: an unknown charset or malformed octets. Never raises."""
    if data.isascii() and not _stateful(charset):
        known = not charset or codec_of(charset) is not None
        return data.decode("ascii"), not known
    codec = codec_of(charset) if charset else None
    if codec is None or (charset or "").lower() in ("us-ascii", "ascii", "utf-8", "utf8"):
        text, _ = guess(data)
        return text, codec != "utf-8" or not _valid(data, "utf-8")
    try:
        text = data.decode(codec)
    except (UnicodeError, ValueError):
        return _whole(_lenient(data, codec)), True
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


def html_charset(data: bytes) -> str | None:
    """What an HTML document says of itself, for parts whose header says nothing."""
    found = _META.search(data[:2048])
    return found[1].decode("ascii") if found else None


def printable(text: str) -> str:
    """Without control characters other than tab and line ends, and without lone surrogates."""
    return _CONTROL.sub("", text).encode("utf-8", "ignore").decode("utf-8")


def _stateful(charset: str | None) -> bool:
    """Charsets in which ASCII octets may mean something else."""
    name = (charset or "").lower()
    return name.startswith(
        ("iso-2022", "csiso2022", "hz", "utf-7", "unicode", "utf-16", "utf16", "utf-32", "cp5022")
    )


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
