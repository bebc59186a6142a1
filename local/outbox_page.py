"""The outbox as people see it: `http://outbox.localhost:8080`, what left the platform, newest first."""

import email
import email.policy
import html
import re
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

from local import rawmail
from local.control import subject
from local.httpd import Request, Response
from local.outside import Attempt, Delivered, Outside
from local.ses_events import stamp

_STYLE = (Path(__file__).parent / "outbox.css").read_text()
_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'self'"
_FRAME_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_ROWS = 200
_e = html.escape


class OutboxPage:
    """Pages made on the server, without script."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def answer(self, request: Request) -> Response:
        """The list, a message, its HTML part alone, or its bytes."""
        if request.path == "/":
            return self._list(request.parameter("to") or "")
        found = re.fullmatch(r"/(\d+)(/raw|/html)?", request.path)
        message = self._outside.find(int(found.group(1))) if found else None
        if found is None or message is None:
            return _page("Not here", "<p class=empty>There is no such message.</p>", 404)
        if found.group(2) == "/raw":
            return _raw(message)
        return _html_part(message) if found.group(2) == "/html" else _message(message)

    def _list(self, to: str) -> Response:
        messages = self._outside.outbox(to or None)[::-1]
        rows = "".join(_row(message) for message in messages[:_ROWS])
        empty = f"<p class=empty>Nothing{f' for {_e(to)}' if to else ''} left the platform yet.</p>"
        more = f"<p class=empty>{len(messages) - _ROWS} older ones are in <code>GET /local/outbox</code>.</p>"
        listed = f"<ul class=mails>{rows}</ul>{more if len(messages) > _ROWS else ''}" if rows else empty
        search = (
            f'<form><input name=to type=search value="{_e(to)}" placeholder="Recipient or domain"'
            ' aria-label="Recipient or domain"><button>Filter</button></form>'
        )
        return _page("Outbox", f"{search}{listed}{self._failures()}", refresh=not to)

    def _failures(self) -> str:
        """What was tried and not taken: it is in no outbox."""
        tried = [
            (remote.name, attempt)
            for remote in self._outside.remotes()
            for attempt in remote.attempts
            if attempt.outcome != "delivered"
        ]
        newest = sorted(tried, key=lambda pair: pair[1].at, reverse=True)[:50]
        rows = "".join(_failure(domain, attempt) for domain, attempt in newest)
        head = "<tr><th>When</th><th>Domain</th><th>Recipients</th><th>Answer</th></tr>"
        return f"<h2>Not taken</h2><table>{head}{rows}</table>" if rows else ""


def _row(message: Delivered) -> str:
    text = f"{_e(', '.join(message.recipients))}"
    return (
        f"<li><a href='/{message.number}'><b>{_e(subject(message) or '(no subject)')}</b>"
        f"<span>{_e(message.sender) or '<em>null return path</em>'} → {text}</span>"
        f"<time>{_time(message.at)}</time><small>{_size(len(message.raw))}</small></a></li>"
    )


def _failure(domain: str, attempt: Attempt) -> str:
    return (
        f"<tr><td>{_time(attempt.at)}</td><td>{_e(domain)}</td><td>{_e(', '.join(attempt.recipients))}</td>"
        f"<td><mark class={attempt.outcome}>{_e(attempt.reply)}</mark></td></tr>"
    )


def _message(message: Delivered) -> Response:
    parsed = _parsed(message.raw)
    envelope = [
        ("Envelope from", message.sender or "<> (null return path)"),
        ("Envelope to", ", ".join(message.recipients)),
        ("Left at", _time(message.at)),
        ("SES id", message.ses_id),
    ]
    header = rawmail.split(message.raw)[0].decode("utf-8", "replace")
    facts = "".join(f"<dt>{_e(name)}</dt><dd>{_e(value)}</dd>" for name, value in envelope)
    source = f"<a class=right href='/{message.number}/raw'>Source ({_size(len(message.raw))})</a>"
    body = (
        f"<p><a href='/'>← Outbox</a> {source}</p>"
        f"<dl>{facts}</dl>{_parts(parsed)}{_shown(message, parsed)}"
        f"<details><summary>Header</summary><pre>{_e(header)}</pre></details>"
    )
    return _page(subject(message) or "(no subject)", body)


def _parsed(raw: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def _parts(parsed: EmailMessage) -> str:
    names = [part.get_filename() or part.get_content_type() for part in parsed.walk() if _is_attached(part)]
    return f"<p class=parts>Attached: {_e(', '.join(names))}</p>" if names else ""


def _is_attached(part: EmailMessage) -> bool:
    return not part.is_multipart() and part.get_content_disposition() == "attachment"


def _shown(message: Delivered, parsed: EmailMessage) -> str:
    if parsed.get_body(("html",)) is not None:
        return f"<iframe sandbox title='Message' src='/{message.number}/html'></iframe>"
    plain = parsed.get_body(("plain",))
    return f"<pre class=text>{_e(_content(plain))}</pre>" if isinstance(plain, EmailMessage) else ""


def _content(part: EmailMessage) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return str(part.get_payload())


def _html_part(message: Delivered) -> Response:
    part = _parsed(message.raw).get_body(("html",))
    content = _content(part) if isinstance(part, EmailMessage) else ""
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", _FRAME_CSP),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Response(200, content.encode("utf-8", "replace"), headers)


def _raw(message: Delivered) -> Response:
    name = quote(f"{message.ses_id}.eml")
    headers = (
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Disposition", f"inline; filename={name}"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Response(200, message.raw, headers)


def _time(seconds: float) -> str:
    return stamp(seconds)[:19].replace("T", " ")


def _size(size: int) -> str:
    return f"{size / 1_048_576:.1f} MB" if size >= 1_048_576 else f"{max(1, round(size / 1024))} KB"


def _page(title: str, body: str, status: int = 200, *, refresh: bool = False) -> Response:
    again = "<meta http-equiv=refresh content=5>" if refresh else ""
    text = (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'>{again}<title>{_e(title)}</title>"
        f"<style>{_STYLE}</style></head><body><main><h1>{_e(title)}</h1>{body}</main></body></html>\n"
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", _CSP),
        ("Cache-Control", "no-store"),
    )
    return Response(status, text.encode("utf-8", "replace"), headers)
