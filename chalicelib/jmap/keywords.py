"""Keywords of emails as JMAP takes them (RFC 8621 §4.1.1)."""

import re
from typing import Any

from chalicelib.jmap import limits
from chalicelib.jmap.errors import SetError, invalid

_KEYWORD = re.compile(r"[!-~]{1,255}")
_EXCLUDED = re.compile(r'[(){\]%*"\\]')


def is_keyword(text: str) -> bool:
    """Whether IMAP could carry it too."""
    return _KEYWORD.fullmatch(text) is not None and _EXCLUDED.search(text) is None


def whole(given: Any) -> frozenset[str]:
    """The `keywords` property as a set; false, which clients write for what is not there, is left out.

    Raises SetError.
    """
    if not isinstance(given, dict) or not all(isinstance(on, bool) for on in given.values()):
        raise invalid("Keywords are a map to true.", "keywords")
    given = [word for word, on in given.items() if on]
    if not all(is_keyword(word) for word in given):
        raise invalid("This is no keyword.", "keywords")
    if len(given) > limits.MAX_KEYWORDS:
        raise too_many()
    return frozenset(word.lower() for word in given)


def too_many() -> SetError:
    """More than an email may have (RFC 8621 §4.6)."""
    return SetError("tooManyKeywords", f"At most {limits.MAX_KEYWORDS}.")
