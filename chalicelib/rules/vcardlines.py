"""Lines of vCards (RFC 6350 §3; also 3.0, RFC 2426, and 2.1): read leniently, written as 4.0 wants them."""

import codecs
import quopri
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH = 75  # octets of a line (§3.2)
MOST_LINES = 2_000  # of a card
LONGEST_VALUE = 300_000  # characters: more than a card of 64 KB can need, however it is escaped
PICTURES = {"PHOTO", "LOGO", "SOUND", "KEY"}
_HEAD = re.compile(r'(?:([\w-]+)\.)?([\w-]+)((?:;[^":;]*(?:"[^"]*"[^":;]*)*)*):', re.ASCII)
_PARAM = re.compile(r';((?:[^";]|"[^"]*")*)')
_CHARSET = re.compile(rb'CHARSET="?([A-Za-z0-9_-]{1,40})', re.IGNORECASE)
_QUOTED = re.compile(rb"[^:]*;(ENCODING=)?QUOTED-PRINTABLE[;:]", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([nN\\,;:])")
_CARET = re.compile(r"\^([n^'])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ENCODINGS = {"BASE64", "B", "QUOTED-PRINTABLE", "8BIT", "7BIT"}
_LONGEST_PARAMS = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Line:
    """A property. Names are in capitals; the value is as it stands, with its escapes."""

    name: str
    value: str
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group: str = ""

    def param(self, name: str) -> str:
        """The first value of a parameter; empty where there is none."""
        return next(iter(self.params.get(name, ())), "")

    @property
    def types(self) -> set[str]:
        """TYPE, in small letters."""
        return {t.strip().lower() for t in self.params.get("TYPE", ())}


# --------------------------------------------------------------------------------------------------- reading
def cards(octets: bytes) -> Iterator[list[Line] | str]:
    """The cards of a file, each its lines; a text says why one is none."""
    inside: list[Line] = []
    depth, fault = 0, ""
    for raw in _unfolded(_utf8(octets)):
        if fault and raw[:5].upper() not in (b"BEGIN", b"END:V"):
            continue
        line = _line(raw)
        if line is None:
            continue
        is_card = line.value.strip().upper() == "VCARD"
        if line.name == "BEGIN" and is_card:
            depth += 1
        elif line.name == "END" and is_card and depth:
            depth -= 1
            if not depth:
                yield fault or inside
                inside, fault = [], ""
        elif depth == 1:
            inside.append(line)
            fault = _fault(inside)
    if depth:
        yield fault or "The file ends within this card."


def _fault(inside: Sequence[Line]) -> str:
    """Why a card need not be read on: it could never be kept. Pictures are judged by who reads them."""
    if len(inside) > MOST_LINES:
        return f"A card has at most {MOST_LINES} lines."
    if len(inside[-1].value) > LONGEST_VALUE and inside[-1].name not in PICTURES:
        return f"A line of a card has at most {LONGEST_VALUE} characters."
    return ""


def _utf8(octets: bytes) -> bytes:
    """Without a byte order mark; UTF-16 is told by its own."""
    if octets[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return octets.decode("utf-16", "replace").encode()
    return octets.removeprefix(codecs.BOM_UTF8)


def _unfolded(octets: bytes) -> Iterator[bytes]:
    """Lines put together again: those that begin with a blank, and soft line ends of quoted-printable."""
    parts: list[bytes] = []
    soft = False
    for line in octets.splitlines():
        if parts and soft:
            parts[-1] = parts[-1][:-1]
            parts.append(line)
        elif parts and line[:1] in (b" ", b"\t"):
            parts.append(line[1:])
        else:
            if parts:
                yield b"".join(parts)
            parts = [line]
        soft = line.endswith(b"=") and _QUOTED.match(parts[0]) is not None
    if parts:
        yield b"".join(parts)


def _decoded(octets: bytes, charset: str = "") -> str:
    """UTF-8 where it is, else what the line says, else what Windows wrote."""
    for name in ("utf-8", charset):
        try:
            return octets.decode(name)
        except (LookupError, ValueError, UnicodeError):
            continue
    return octets.decode("cp1252", "replace")


def _line(raw: bytes) -> Line | None:
    """A property; None for what is none."""
    named = _CHARSET.search(raw.partition(b":")[0])
    charset = named[1].decode("ascii") if named else ""
    head = _HEAD.match(text := _decoded(raw, charset))
    if head is None or len(head[3]) > _LONGEST_PARAMS:
        return None
    params = _params(head[3])
    value = text[head.end() :]
    if params.get("ENCODING", ("",))[0].upper() == "QUOTED-PRINTABLE":
        plain = quopri.decodestring(value.encode("utf-8", "replace"))
        value = _decoded(plain, charset).replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")
    return Line(head[2].upper(), value, params, head[1] or "")


def _params(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for given in _PARAM.findall(text):
        name, equals, value = given.partition("=")
        if not equals:  # 2.1 has bare ones
            name, value = ("ENCODING" if name.strip().upper() in _ENCODINGS else "TYPE"), name
        values = [_CARET.sub(_from_caret, v.strip().strip('"')) for v in _cut(value, ",", r'"[^"]*"')]
        known = found.setdefault(name.strip().upper(), [])
        known += [part for v in values for part in (v.split(",") if name.upper() == "TYPE" else [v])]
    return {name: tuple(values) for name, values in found.items()}


def _from_caret(found: re.Match[str]) -> str:
    return {"n": "\n", "'": '"'}.get(found[1], "^")


def text(value: str) -> str:
    """A value without its escapes (§3.4)."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def split(value: str, at: str) -> list[str]:
    """The parts of a value, their escapes kept, cut where the separator is not escaped."""
    return _cut(value, at, r"\\.")


def _cut(value: str, at: str, whole: str) -> list[str]:
    """Parts between separators that are not within what the pattern `whole` takes as one."""
    found, start = [], 0
    for one in re.finditer(f"{whole}|{at}", value, re.DOTALL):
        if one[0] == at:
            found.append(value[start : one.start()])
            start = one.end()
    return [*found, value[start:]]


def parts(value: str) -> list[list[str]]:
    """A structured value: components, each of one or more texts; empty ones have none."""
    return [[t for t in map(text, split(component, ",")) if t] for component in split(value, ";")]


# --------------------------------------------------------------------------------------------------- writing
def clean(value: str) -> str:
    """A text as a vCard can hold it: one kind of line end, no other control characters."""
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def escaped(value: str) -> str:
    """A text as a value, or a part of one."""
    safe = clean(value).replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return safe.replace("\n", "\\n")


def structured(components: Sequence[Sequence[str]]) -> str:
    """A structured value."""
    return ";".join(",".join(escaped(t) for t in texts) for texts in components).rstrip(";")


def _param_value(value: str) -> str:
    """RFC 6868."""
    safe = clean(value).replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{safe}"' if re.search(r"[,;:]", safe) else safe


def written(line: Line) -> str:
    """A line with its folds and its end."""
    group = f"{line.group}." if line.group else ""
    params = "".join(f";{n}={','.join(map(_param_value, v))}" for n, v in line.params.items() if v)
    return _folded(f"{group}{line.name}{params}:" + line.value.replace("\r", "").replace("\n", "\\n"))


def _folded(whole: str) -> str:
    """At most 75 octets a line, no character cut."""
    if len(whole) <= WIDTH and whole.isascii():
        return whole + "\r\n"
    out, width = [], 0
    for character in whole:
        size = len(character.encode("utf-8", "replace"))
        if width + size > WIDTH:
            out.append("\r\n ")
            width = 1
        out.append(character)
        width += size
    return "".join(out) + "\r\n"
