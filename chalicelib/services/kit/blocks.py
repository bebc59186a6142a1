"""Pages as blocks of text, written out as HTML or as plain text. Every text is escaped: none of it is markup."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from chalicelib.rules.hosted import Brand


@dataclass(frozen=True, slots=True)
class Head:
    """A heading inside a page."""

    text: str


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list: steps are numbered."""

    texts: Sequence[str]
    kind: Literal["ol", "ul"] = "ul"


@dataclass(frozen=True, slots=True)
class Values:
    """A table of names and values."""

    rows: Sequence[tuple[str, str]]


Block = Head | Para | Points | Values

_STYLE = """
:root{color-scheme:light dark}
body{margin:0;font:17px/1.6 system-ui,sans-serif;background:light-dark(#fff,#181a1f);color:light-dark(#1c1f26,#e8eaee)}
header{border-top:6px solid %s;padding:1.25rem 1rem 0}
header,main,footer{max-width:44rem;margin:0 auto;box-sizing:border-box}
main,footer{padding:0 1rem}
header img{max-height:40px;max-width:14rem;vertical-align:middle}
header strong{font-size:1.1rem}
h1{font-size:1.9rem;line-height:1.2;margin:1rem 0}
h2{font-size:1.25rem;margin:2rem 0 .5rem}
li{margin:.35rem 0}
table{border-collapse:collapse;width:100%%;margin:1rem 0}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid light-dark(#d9dce3,#3a3e48);overflow-wrap:anywhere}
th{width:40%%;font-weight:600}
footer{margin-top:3rem;padding-bottom:2rem;font-size:.9rem}
a{color:inherit}
"""


def as_html(brand: Brand, logo: str, title: str, blocks: Iterable[Block]) -> str:
    """A page that stands alone: no script, no other origin."""
    mark = f'<img src="{escape(logo)}" alt="{escape(brand.product)}">' if logo else ""
    name = mark or f"<strong>{escape(brand.product)}</strong>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} – {escape(brand.product)}</title>"
        f"<style>{_STYLE % escape(brand.primary)}</style></head>\n"
        f"<body><header>{name}</header>\n<main><h1>{escape(title)}</h1>\n"
        + "\n".join(map(_html, blocks))
        + f"\n</main>\n<footer>{_support(brand)}</footer></body></html>\n"
    )


def _html(block: Block) -> str:
    match block:
        case Head(text):
            return f"<h2>{escape(text)}</h2>"
        case Para(text):
            return f"<p>{escape(text)}</p>"
        case Points(texts, kind):
            return f"<{kind}>" + "".join(f"<li>{escape(t)}</li>" for t in texts) + f"</{kind}>"
        case Values(rows):
            cells = (f'<tr><th scope="row">{escape(k)}</th><td>{escape(v)}</td></tr>' for k, v in rows)
            return f"<table><tbody>{''.join(cells)}</tbody></table>"


def _support(brand: Brand) -> str:
    links = []
    if brand.support_email:
        links.append(f'<a href="mailto:{escape(brand.support_email)}">{escape(brand.support_email)}</a>')
    links += [
        f'<a href="{escape(url)}">{escape(url)}</a>' for url in (brand.support_url, brand.help_url) if url
    ]
    return "Help: " + " · ".join(links) if links else ""


def as_text(blocks: Iterable[Block]) -> str:
    """The same as plain text."""
    return "\n\n".join(map(_text, blocks)) + "\n"


def _text(block: Block) -> str:
    match block:
        case Head(text):
            return f"{text}\n{'-' * len(text)}"
        case Para(text):
            return text
        case Points(texts, kind):
            marks = (f"{n}." if kind == "ol" else "-" for n in range(1, len(texts) + 1))
            return "\n".join(f"{mark} {text}" for mark, text in zip(marks, texts, strict=True))
        case Values(rows):
            return "\n".join(f"{name}: {value}" for name, value in rows)
