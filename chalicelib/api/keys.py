"""API keys as their holders manage them: scopes, domains, networks, end, exchange."""

from datetime import UTC, datetime, timedelta

from chalice.app import Blueprint
from pydantic import AwareDatetime, Field

from chalicelib.api import answers
from chalicelib.api.models import Body
from chalicelib.api.rest import Call, Example, Out, PageQuery, Reply, Section
from chalicelib.rules.hosted import ApiKey
from chalicelib.services import keys, signin
from chalicelib.services.keys import KeyRequest

routes = Blueprint(__name__)
section = Section("API keys", routes)


class KeyIn(Body):
    """A key to be made. `scopes` as "mailboxes:read", or "*"; `domains` narrow all of them to these domains.

    `sources`: addresses and networks (CIDR) it may be used from; none: the calling key's own, else anywhere.
    `expires_at`: none is the calling key's own end, where it has one.
    """

    label: str
    scopes: list[str] = Field(max_length=100)
    domains: list[str] = Field([], max_length=keys.MOST_DOMAINS)
    sources: list[str] = Field([], max_length=keys.MOST_SOURCES)
    expires_at: AwareDatetime | None = Field(None, strict=False)


class RotationIn(Body):
    """For how many hours more the old key works."""

    overlap_hours: int = Field(24, ge=0, le=720)


class KeyOut(Out):
    """A key. `last_used_at` is to the hour."""

    id: str
    label: str
    scopes: list[str]
    sources: list[str]
    created_at: str
    expires_at: str | None
    last_used_at: str | None


class NewKeyOut(KeyOut):
    """`key` is the bearer token, shown this once."""

    key: str


class KeysOut(Out):
    """A page of keys, by id."""

    keys: list[KeyOut]
    cursor: str | None


def _shown(key: ApiKey) -> KeyOut:
    return KeyOut(
        id=key.id,
        label=key.label,
        scopes=sorted(key.scopes),
        sources=list(key.sources),
        created_at=answers.moment(key.created_at) or "",
        expires_at=answers.moment(key.expires_at),
        last_used_at=answers.moment(key.used_at),
    )


def _new(call: Call, key: ApiKey, text: str) -> Reply:
    where = {"Location": f"{'/v1/operator' if call.caller.role == 'operator' else '/v1'}/keys/{key.id}"}
    return Reply(NewKeyOut(**_shown(key).model_dump(), key=text), headers=where)


@section.route(
    "GET",
    "/keys",
    roles=("reseller", "operator"),
    scope="keys:read",
    query=PageQuery,
    answers={200: KeysOut},
    example=Example(),
)
def list_keys(call: Call) -> KeysOut:
    """The keys, of which only what they may do is known here, not what they are."""
    signin.require(call.caller, "keys:read")
    limit, after = call.page()
    found, following = keys.listed(call.platform, call.caller, limit, after)
    return KeysOut(keys=[_shown(key) for key in found], cursor=answers.cursor(following))


@section.route("GET", "/keys/{key}", roles=("reseller", "operator"), scope="keys:read", answers={200: KeyOut})
def get_key(call: Call, key: str) -> KeyOut:
    """A key."""
    signin.require(call.caller, "keys:read")
    return _shown(keys.found(call.platform, call.caller, key))


@section.route(
    "POST",
    "/keys",
    roles=("reseller", "operator"),
    scope="keys:write",
    body=KeyIn,
    answers={201: NewKeyOut},
    errors=("conflict",),
    repeat="refused",
    example=Example(body={"label": "Shop", "scopes": ["orders:write"], "sources": ["192.0.2.0/24"]}),
)
def create_key(call: Call) -> Reply:
    """Make a key, of no more than the calling key has: scopes, networks, time. It is shown this once."""
    signin.require(call.caller, "keys:write")
    b = call.body
    ends: datetime | None = b.expires_at.astimezone(UTC) if b.expires_at else None
    asked = KeyRequest(b.label, b.scopes, b.domains, b.sources, ends)
    return _new(call, *keys.create(call.platform, call.caller, asked))


@section.route(
    "POST",
    "/keys/{key}/rotation",
    roles=("reseller", "operator"),
    scope="keys:write",
    body=RotationIn,
    answers={201: NewKeyOut},
    errors=("conflict",),
    repeat="refused",
    example=Example(body={"overlap_hours": 48}),
)
def rotate_key(call: Call, key: str) -> Reply:
    """Exchange a key: one like it is made, and the old one ends after the overlap."""
    signin.require(call.caller, "keys:write")
    overlap = timedelta(hours=call.body.overlap_hours)
    return _new(call, *keys.rotate(call.platform, call.caller, key, overlap))


@section.route(
    "DELETE",
    "/keys/{key}",
    roles=("reseller", "operator"),
    scope="keys:write",
    answers={204: None},
    errors=("conflict",),
)
def delete_key(call: Call, key: str) -> None:
    """Revoke a key, at once. A key that may do more than the calling one is refused."""
    signin.require(call.caller, "keys:write")
    keys.revoke(call.platform, call.caller, key)
