"""Banners as SVG, in the brand's colours (S38)."""

from html import escape

from chalicelib.rules.hosted import Brand

SIZES = {"wide": (728, 90), "box": (300, 250)}


def banner(b: Brand, logo: str, size: str) -> str:
    """A banner with name, claim and logo."""
    width, height = SIZES[size]
    ink = _ink(b.primary)
    left, top = (24, height // 2) if size == "wide" else (24, height // 2 + 10)
    mark = ""
    if logo:
        x, y = (width - 84, 15) if size == "wide" else (24, 24)
        mark = f'<image href="{escape(logo)}" x="{x}" y="{y}" width="60" height="60"/>'
    name = escape(b.product)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="{name}: mailboxes for your own domain">'
        f'<rect width="{width}" height="{height}" fill="{escape(b.primary)}"/>'
        f'<rect y="{height - 6}" width="{width}" height="6" fill="{escape(b.accent)}"/>{mark}'
        f'<g fill="{ink}" font-family="system-ui,Helvetica,Arial,sans-serif">'
        f'<text x="{left}" y="{top}" font-size="26" font-weight="700">{name}</text>'
        f'<text x="{left}" y="{top + 27}" font-size="17">Mailboxes for your own domain</text></g></svg>\n'
    )


def _ink(colour: str) -> str:
    """Black or white, whichever reads better on the colour (WCAG 2.2, relative luminance)."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "#ffffff"
