"""Whether a message was written by a machine (RFC 3834 §2, S28): such mail is never answered."""

from collections.abc import Iterable

_LIST_FIELDS = frozenset(
    {"list-id", "list-post", "list-unsubscribe", "list-help", "list-owner", "list-subscribe", "list-archive"}
)
_MARKS = frozenset({"x-autoreply", "x-autorespond", "x-auto-response-suppress", "x-failed-recipients"})


def is_automatic(header: Iterable[tuple[str, bytes]], sender: str | None = None) -> bool:
    """From the header fields, and the envelope sender where it is known ("" is the null return path)."""
    if sender == "" or _daemon(sender or ""):
        return True
    return any(_tells(name.lower(), value.decode("latin-1").strip().lower()) for name, value in header)


def _tells(name: str, value: str) -> bool:
    if name == "auto-submitted":
        return value.split(";")[0].split("(")[0].strip() not in ("", "no")
    if name == "precedence":
        return value in ("bulk", "list", "junk", "auto_reply")
    if name == "return-path":
        return value == "<>"
    if name == "content-type":
        return value.startswith("multipart/report")
    return name in _LIST_FIELDS or name in _MARKS


def _daemon(sender: str) -> bool:
    local = sender.partition("@")[0].lower()
    return (
        local in ("mailer-daemon", "majordomo", "listserv")
        or local.startswith("owner-")
        or local.endswith("-request")
    )
