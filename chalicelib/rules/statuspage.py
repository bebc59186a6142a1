"""The status page (S36) as texts: HTML, JSON and an Atom feed. They name nobody, and nothing runs in them.

Everything a person wrote is escaped here, and nowhere else.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any

from chalicelib.rules.incidents import COMPONENTS, Component, Incident, Outage, Overview, State

NAME = "Service status"
SAID: dict[State, str] = {
    "operational": "Operational",
    "maintenance": "Under maintenance",
    "degraded": "Degraded",
    "outage": "Not available",
}
WHOLE: dict[State, str] = {
    "operational": "Everything is working.",
    "maintenance": "Maintenance is under way.",
    "degraded": "Some things do not work as they should.",
    "outage": "There is an outage.",
}
STYLE = """\
:root { color-scheme: light dark; --line: #8886; --good: #1a7f37; --work: #8a5a00; --bad: #c01c28; }
@media (prefers-color-scheme: dark) { :root { --good: #57d977; --work: #f0b849; --bad: #ff8a8a; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin: 0; }
.whole { border: 1px solid var(--line); border-left: .5rem solid; border-radius: .4rem; padding: .8rem 1rem; }
.parts { list-style: none; padding: 0; }
.parts li { display: flex; justify-content: space-between; gap: 1rem; padding: .5rem 0;
  border-bottom: 1px solid var(--line); }
.operational { color: var(--good); } .maintenance, .degraded { color: var(--work); }
.outage { color: var(--bad); }
article { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem; margin: .8rem 0; }
.text { white-space: pre-line; overflow-wrap: anywhere; margin: .3rem 0; }
.when { opacity: .8; font-size: .9rem; margin: .2rem 0; }
input, button { font: inherit; padding: .4rem .7rem; max-width: 100%; }
"""


def moment(at: datetime) -> str:
    """RFC 3339."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(at: datetime) -> str:
    return f'<time datetime="{moment(at)}">{at:%Y-%m-%d %H:%M} UTC</time>'


def _parts(components: Iterable[Component]) -> str:
    return escape(", ".join(COMPONENTS[c] for c in components))


# -------------------------------------------------------------------------------------------------- HTML
def document(title: str, body: str, style: str = "/status.css") -> str:
    """A page of ours around a body. `style`: where its style sheet is."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="stylesheet" href="{escape(style)}">\n'
        '<link rel="alternate" type="application/atom+xml" href="/feed.atom">\n'
        f"</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def page(o: Overview) -> str:
    """The whole page."""
    rows = "".join(
        f'<li><span>{escape(COMPONENTS[c])}</span><strong class="{s}">{SAID[s]}</strong></li>\n'
        for c, s in o.components
    )
    body = (
        f'<h1>{NAME}</h1>\n<p class="whole {o.state}"><strong>{WHOLE[o.state]}</strong></p>\n'
        f"{_section('Now', map(_incident, o.current))}"
        f"{_section('Maintenance', map(_outage, o.ahead))}"
        f'<section><h2>Parts of the service</h2>\n<ul class="parts">\n{rows}</ul>\n</section>\n'
        f"{_section('Past incidents', map(_incident, o.past))}"
        f"{_section('Past maintenance', map(_outage, o.behind))}"
        f'{_SUBSCRIBE}<p class="when">Last change: {_time(o.changed_at)}</p>\n'
    )
    return document(NAME, body)


_SUBSCRIBE = (
    "<section><h2>Be told by email</h2>\n"
    '<form method="post" action="/v1/status/subscribe">\n'
    '<p><label for="email">Your email address</label><br>\n'
    '<input id="email" name="email" type="email" autocomplete="email" required maxlength="254">\n'
    "<button>Subscribe</button></p>\n</form>\n"
    '<p>There is also a <a href="/feed.atom">feed</a> and a <a href="/status.json">document</a>'
    " for programs.</p>\n</section>\n"
)


def _section(title: str, articles: Iterable[str]) -> str:
    inner = "".join(articles)
    return f"<section><h2>{escape(title)}</h2>\n{inner}</section>\n" if inner else ""


def _incident(i: Incident) -> str:
    updates = "".join(
        f'<p class="when">{_time(u.at)} · {u.state.capitalize()}</p>\n<p class="text">{escape(u.text)}</p>\n'
        for u in reversed(i.updates)
    )
    head = f'<h3>{escape(i.title)}</h3>\n<p class="when">{_parts(i.components)}</p>\n'
    return f"<article>{head}{updates}</article>\n"


def _outage(o: Outage) -> str:
    said = "Cancelled · " if o.cancelled_at else ""
    return (
        f"<article><h3>{said}{_time(o.starts_at)} to {_time(o.ends_at)}</h3>\n"
        f'<p class="when">{_parts(o.components)}</p>\n<p class="text">{escape(o.text)}</p>\n</article>\n'
    )


# -------------------------------------------------------------------------------------------------- JSON
def as_json(o: Overview) -> str:
    """The page for programs."""
    body = {
        "state": o.state,
        "changed_at": moment(o.changed_at),
        "components": [{"id": c, "name": COMPONENTS[c], "state": s} for c, s in o.components],
        "current_incidents": [incident_document(i) for i in o.current],
        "past_incidents": [incident_document(i) for i in o.past],
        "planned_maintenance": [_outage_document(x) for x in o.ahead],
        "past_maintenance": [_outage_document(x) for x in o.behind],
    }
    return json.dumps(body, ensure_ascii=False, indent=1)


def incident_document(i: Incident) -> dict[str, Any]:
    """An incident as anybody may read it."""
    return {
        "id": i.id,
        "title": i.title,
        "kind": i.kind,
        "state": i.state,
        "components": list(i.components),
        "opened_at": moment(i.opened_at),
        "resolved_at": moment(i.resolved_at) if i.resolved_at else None,
        "updates": [{"at": moment(u.at), "state": u.state, "text": u.text} for u in i.updates],
    }


def _outage_document(o: Outage) -> dict[str, Any]:
    return {
        "id": o.id,
        "starts_at": moment(o.starts_at),
        "ends_at": moment(o.ends_at),
        "components": list(o.components),
        "text": o.text,
        "cancelled": o.cancelled_at is not None,
    }


# -------------------------------------------------------------------------------------------------- Atom
def feed(o: Overview, origin: str) -> str:
    """RFC 4287. An entry per incident and per maintenance; a change of one is the same entry, updated."""
    entries = [
        _entry(i.id, i.title, i.opened_at, i.updates[-1].at, "\n\n".join(u.text for u in reversed(i.updates)))
        for i in (*o.current, *o.past)
    ]
    entries += [
        _entry(
            x.id,
            ("Cancelled: " if x.cancelled_at else "") + f"Maintenance {x.starts_at:%Y-%m-%d %H:%M} UTC",
            x.announced_at,
            x.cancelled_at or x.announced_at,
            x.text,
        )
        for x in (*o.ahead, *o.behind)
    ]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>{NAME}</title>\n<id>{escape(origin)}/</id>\n<updated>{moment(o.changed_at)}</updated>\n"
        f"<author><name>{NAME}</name></author>\n"
        f'<link href="{escape(origin)}/"/>\n<link rel="self" href="{escape(origin)}/feed.atom"/>\n'
        f"{''.join(entries)}</feed>\n"
    )


def _entry(id: str, title: str, published: datetime, updated: datetime, text: str) -> str:
    return (
        f"<entry><id>urn:status:{escape(id)}</id><title>{escape(title)}</title>"
        f"<published>{moment(published)}</published><updated>{moment(updated)}</updated>"
        f'<content type="text">{escape(text)}</content></entry>\n'
    )
