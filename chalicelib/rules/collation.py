"""How texts are put in order: collations of the IANA registry (RFC 4790), by their names there."""

import unicodedata
from collections.abc import Callable, Mapping

from chalicelib.rules.words import plain

_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


def _ascii_casemap(text: str) -> str:
    """RFC 4790 §9.2: letters of ASCII in one case, all else by its octets; code points have their order."""
    return text.translate(_UPPER)


def _unicode_casemap(text: str) -> str:
    """RFC 5051: each character in its simple title case, then decomposed."""
    titled = (one if len(one := c.title()) == 1 else c for c in text)
    return unicodedata.normalize("NFKD", "".join(titled))


#: What texts are compared by. The one without a name is used where none is asked for: no case, no accents.
KEYS: Mapping[str | None, Callable[[str], str]] = {
    None: plain,
    "i;ascii-casemap": _ascii_casemap,
    "i;unicode-casemap": _unicode_casemap,
}
NAMES = tuple(name for name in KEYS if name)
