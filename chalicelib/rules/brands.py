"""What a brand may be made of (S1, S2): names, colours, links, and a logo that is a picture and no more."""

import re
import xml.etree.ElementTree as xml
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from chalicelib.rules.addresses import AddressError, parse
from chalicelib.rules.errors import Fault

#: S1: what no admin, user or correspondent may read: the operator, and what the service is made of.
OPERATOR_WORDS = ("plainpost", "amazon", "amazonses", "aws", "dynamodb", "lambda", "chalice", "moto")

LONGEST_PRODUCT = 60  # characters
LONGEST_LINK = 500
LARGEST_LOGO = 65_536  # bytes: it travels inside /brand.json
LARGEST_SNIPPET = 100_000
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_SVG = "http://www.w3.org/2000/svg"
#: Elements of SVG that can run, load or restyle something, wherever the picture may end up.
_ACTIVE = frozenset({"script", "foreignobject", "iframe", "object", "embed", "style", "handler", "listener"})
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
LOGO_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")


class LogoError(ValueError):
    """Not a logo; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Where an `<img>` takes its picture from: a data: or https: URL."""

    src: str
    alt: str


def operator_words(text: str) -> list[str]:
    """The operator's words in a text (S1), as whole words in any case."""
    return [w for w in OPERATOR_WORDS if re.search(rf"(?<![a-z]){w}(?![a-z])", text, re.IGNORECASE)]


def brand_name(text: str) -> bool:
    """Whether it can name a brand in an address: lower-case letters, digits and inner hyphens, at most 40."""
    return bool(_NAME.fullmatch(text))


def faults(fields: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with a brand's fields, which the API names as they are named here."""
    product = fields.get("product", "")
    if not 1 <= len(product.strip()) <= LONGEST_PRODUCT or not product.isprintable():
        yield Fault("/product", f"A product name has 1 to {LONGEST_PRODUCT} printable characters.")
    for name in ("primary", "accent"):
        if not _COLOUR.fullmatch(fields.get(name, "").lower()):
            yield Fault(f"/{name}", 'A colour is written like "#1f4e8c".')
    for name in ("support_url", "help_url"):
        if fields.get(name) and not _web_address(fields[name]):
            yield Fault(
                f"/{name}", f"A web address begins with https:// and has at most {LONGEST_LINK} characters."
            )
    if fields.get("support_email"):
        try:
            parse(fields["support_email"])
        except AddressError as error:
            yield Fault("/support_email", str(error))


def _web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= LONGEST_LINK
    return plain and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


# ------------------------------------------------------------------------------------------------- logos
class _Images(HTMLParser):
    """Collects the `<img>` elements of a snippet; all else falls away."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Picture] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            given = {name: value or "" for name, value in reversed(attrs)}  # the first of a name counts
            self.found.append(Picture(given.get("src", "").strip(), given.get("alt", "")[:200]))


def picture(snippet: str) -> Picture:
    """S2: the picture of an HTML snippet; nothing else of it is ever used. Raises LogoError."""
    if len(snippet) > LARGEST_SNIPPET:
        raise LogoError(f"The snippet has more than {LARGEST_SNIPPET} characters.")
    parser = _Images()
    parser.feed(snippet)
    parser.close()
    if not parser.found:
        raise LogoError('The snippet has no <img> element. A logo is given as <img src="…" alt="…">.')
    if len(parser.found) > 1:
        raise LogoError("The snippet has more than one <img> element. A logo is one picture.")
    [found] = parser.found
    lower = found.src.lower()
    if not (lower.startswith("data:image/") or _web_address(found.src)):
        raise LogoError("The src of the <img> must be an https: address or a data: URL of a picture.")
    return found


def logo_type(content: bytes) -> str:
    """The media type of a logo, by what it is and not by what it is called. Raises LogoError."""
    if len(content) > LARGEST_LOGO:
        raise LogoError(f"A logo has at most {LARGEST_LOGO // 1024} KB. It is shown some 40 pixels high.")
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if b"<svg" in content[:4096]:
        _check_svg(content)
        return "image/svg+xml"
    raise LogoError("A logo is a PNG, JPEG, GIF, WebP or SVG picture.")


def _check_svg(content: bytes) -> None:
    """A drawing that only draws. Raises LogoError."""
    if b"<!" in content.replace(b"<!--", b""):
        raise LogoError("The SVG has a document type or entities. Please save it as plain SVG.")
    try:
        root = xml.fromstring(content)
    except (xml.ParseError, ValueError, LookupError):
        raise LogoError("The SVG is not well-formed XML.") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise LogoError("The picture is not an SVG document.")
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2].lower()
        if name in _ACTIVE or any(_active(a, v) for a, v in element.attrib.items()):
            raise LogoError("The SVG has scripts, styles or links in it. Please save it as plain SVG.")


def _active(attribute: str, value: str) -> bool:
    name = attribute.rpartition("}")[2].lower()
    compact = "".join(value.split()).lower()
    if name.startswith("on") or "javascript:" in compact:
        return True
    if name in ("href", "src"):
        return not (compact.startswith(("#", "data:image/png", "data:image/jpeg")))
    return "url(" in compact and "url(#" not in compact
