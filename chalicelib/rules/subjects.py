"""What a subject is about, without what programs put around it: RFC 5256 §2.1, and the prefixes that mailers
write in other languages.
"""

import re
from functools import lru_cache

from chalicelib.rules.words import plain

#: Answers and forwards: English; German; Nordic; Dutch; Romance; Polish, Hungarian, Turkish, Greek, Russian;
#: Malay; Chinese, Japanese, Korean.
_PREFIXES = (
    "re|fwd?|aw|wg|sv|vs|vl|vb|antw|doorst|res|enc|rv|tr|rif|r|i|odp|pd|vá|ynt|ilt|i̇lt|απ|σχετ|πρθ|на|bls|trs"
    "|回复|回覆|答复|转发|轉寄|轉發|返信|転送|회신|전달"
)
_TAG = r"\[[^\[\]]*\]\s*"
_LEADER = re.compile(rf"(?:{_TAG})*(?:{_PREFIXES})\s*(?:\[\d*\]|\(\d*\)|\^\d+)?\s*[:：]\s*", re.IGNORECASE)
_TAGGED = re.compile(rf"{_TAG}(?=\S)")
_TRAILER = re.compile(r"\s*\(fwd\)\s*$", re.IGNORECASE)
_WRAPPED = re.compile(r"\[fwd?:(.*)\]$", re.IGNORECASE | re.DOTALL)


def base(subject: str) -> str:
    """The subject without "Re:", "Fwd:", list tags and the like; "" where nothing else is in it."""
    text = " ".join(subject.split())
    while (shorter := _shorter(text)) != text:
        text = shorter
    return text


def _shorter(text: str) -> str:
    """One thing less around it."""
    if wrapped := _WRAPPED.fullmatch(text):
        return wrapped[1].strip()
    text = _TRAILER.sub("", text)
    led = _LEADER.match(text) or _TAGGED.match(text)
    return text[led.end() :] if led else text


@lru_cache(1_024)
def same(subject: str) -> str:
    """What two subjects have in common that are about the same: the base in one case, without any space."""
    return "".join(plain(base(subject)).split())
