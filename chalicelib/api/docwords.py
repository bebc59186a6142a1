"""Words and fixed parts of the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
METHODS_THAT_CHANGE = ("POST", "PUT", "PATCH", "DELETE")
ABOUT = """\
Mail for domains: orders, mailboxes, addresses, money, and what becomes of messages.

**Who calls.** Resellers call `/v1` with an API key. Email administrators call `/v1/admin` and users \
`/v1/mailbox` with the token of a session, opened at `POST /v1/sessions`. Both go into the header \
`Authorization: Bearer …`. What a caller may not see answers exactly like what is not there.

**Answers.** JSON in UTF-8. Times are RFC 3339 in UTC, sizes bytes, money integer mills (a thousandth of a \
dollar). A refusal is a problem document (RFC 9457): `code` is for programs, `detail` for people, `errors` \
points at each wrong field. Where a limit was met, `limit`, `used`, `remaining`, `unit` and `resets_at` tell \
of it, and `Retry-After` says when to come again.

**Pages.** Lists take `limit` and `cursor`; `cursor` in the answer is null on the last page.

**Safe changes.** Documents carry an `ETag`. `If-Match` lets a change through only where nobody else made \
one; `If-None-Match: *` makes a `PUT` create only. A `POST` with an `Idempotency-Key` can be sent again \
without fear. `PATCH` takes a JSON merge patch (RFC 7396): what is absent stays, null removes. `HEAD` works \
wherever `GET` does.

**Limits.** A body has at most 262,144 bytes; one of rows 1,048,576 bytes and 1,000 rows.
"""
INFO: Json = {
    "title": "Mail API",
    "version": "1",
    "summary": "Hosted mail for resellers",
    "description": ABOUT,
}
SECURITY: Json = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "ppk_…",
        "description": "An API key. Its scopes say what it may do; a suffix such as `@x.test`, where.",
    },
    "session": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pps_…",
        "description": "The token of a session: `POST /v1/sessions` gives it out.",
    },
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "Address and password of a mailbox, as mail clients send them (RFC 7617).",
    },
}
#: What a variable of a path stands for, and a value for examples.
VARIABLES: dict[str, tuple[str, str]] = {
    "domain": ("A domain, in A-label form.", "x.test"),
    "local": ("What stands before the @.", "bob"),
    "account_id": ("An account: `account_id` of the session.", "a1b2c3"),
    "blob_id": ("A blob.", "b1"),
}


#: Sections in the order in which a reader meets them; any other comes after.
ORDER = (
    "Orders", "Domains", "Mailboxes", "Search", "Addresses", "Lists", "Auto-reply", "Messages", "Sessions",
    "Passwords", "Second factor", "Quota and limits", "Billing", "API keys", "Brands", "Kit", "Webhooks",
    "Audit and events", "Suspensions", "Abuse", "Status", "Notices", "Maintenance", "Resellers", "Public",
)  # fmt: skip


def _header(name: str, description: str, example: str) -> Json:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "description": description, "schema": schema, "example": example}


def header_parameters(*, read: bool, changes: bool, repeats: bool) -> Iterator[Json]:
    """Headers that an operation reads."""
    if read:
        words = "Entity tags that the caller has: 304 where the document is one of them."
        yield _header("If-None-Match", words, '"0123456789abcdef0123456789abcdef"')
    if changes:
        words = "Entity tags of the document as the caller knows it, or `*`: 412 where it is another by now."
        yield _header("If-Match", words, "*")
        words = "`*`: 412 where there is one already. An entity tag: 412 where the document is that."
        yield _header("If-None-Match", words, '"none"')
    if repeats:
        words = "1 to 255 printable ASCII characters, a new one for each thing to be done."
        yield _header("Idempotency-Key", words, "4f2a0d6e")
