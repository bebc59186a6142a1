"""Routes of the REST API, each declared once: who may call it, what it takes, what it answers.

The declaration makes the route, checks caller, domain, mailbox, query and body in this order, and is what the
OpenAPI document is written from. A route about a domain or a mailbox is served to each role under its own
prefix, with the same view: what a reseller does under /v1/domains/{domain}, an admin does under /v1/admin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Required, TypedDict, Unpack

from chalice.app import Blueprint, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chalicelib.api import answers, auth, bulk
from chalicelib.api.errors import Headers, endpoint
from chalicelib.api.idempotency import Repeat, once
from chalicelib.api.models import parsed, parsed_query
from chalicelib.rules.errors import Kind, ServiceError
from chalicelib.rules.hosted import HostedDomain
from chalicelib.rules.values import Account, Caller, Role
from chalicelib.services import access
from chalicelib.services.platform import Platform, platform

Within = Literal["", "domain", "mailbox", "root"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
PREFIX: dict[tuple[Within, Role], str] = {
    ("", "reseller"): "/v1",
    ("", "public"): "/v1",
    ("root", "public"): "",  # what other standards or the pages name by a path of their own
    ("", "admin"): "/v1/admin",
    ("", "operator"): "/v1/operator",
    ("", "user"): "/v1/mailbox",
    ("domain", "reseller"): "/v1/domains/{domain}",
    ("domain", "admin"): "/v1/admin",
    ("domain", "operator"): "/v1/operator/domains/{domain}",
    ("mailbox", "reseller"): "/v1/domains/{domain}/mailboxes/{local}",
    ("mailbox", "admin"): "/v1/admin/mailboxes/{local}",
    ("mailbox", "operator"): "/v1/operator/domains/{domain}/mailboxes/{local}",
    ("mailbox", "user"): "/v1/mailbox",
}
LONGEST_VARIABLE = 320  # bytes: longer than any address; a key of DynamoDB has 1,024
JSON = "application/json"
BODY_TYPES: dict[Method, list[str]] = {"PATCH": [JSON, "application/merge-patch+json"]}


class Out(BaseModel):
    """A document that is answered: exactly its fields, so that the OpenAPI document is true."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Query(BaseModel):
    """What may stand behind the question mark; a name we do not know is a mistake to be told of."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Example:
    """A call as a reader of the reference would make it, executed by a test."""

    path: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    answer: Any = None


class Declared(TypedDict, total=False):
    """How an operation is declared."""

    roles: Required[tuple[Role, ...]]
    answers: Required[Mapping[int, type[Out] | str | None]]  # a text is a media type other than JSON
    within: Within
    scope: str  # of a key; empty: any key of the role
    body: type[BaseModel]
    query: type[Query]
    errors: tuple[Kind, ...]  # beyond those that follow from the declaration
    example: Example
    raw: tuple[str, ...]  # media types of a body that the view reads itself
    repeat: Repeat  # of an Idempotency-Key; without it: "same" for a POST that answers 201
    rows: type[BaseModel]  # many of them, as NDJSON or CSV: call.rows, answered by bulk.answered


@dataclass(frozen=True)
class Operation:
    """One method of one path, for one role."""

    method: Method
    path: str
    role: Role
    view: Callable[..., Any]
    tag: str
    how: Declared

    @property
    def id(self) -> str:
        """operationId: unique, and readable."""
        return f"{self.role}_{self.view.__name__}"

    @property
    def repeat(self) -> Repeat:
        """What a repeat with the same Idempotency-Key gets."""
        makes = self.method == "POST" and 201 in self.how["answers"] and self.role != "public"
        return self.how.get("repeat", "same" if makes else "no")


#: Every operation, in the order of declaration.
OPERATIONS: list[Operation] = []


@dataclass(frozen=True)
class Reply:
    """An answer with headers or a status of its own (None: 204 without a body, else the first declared)."""

    body: Out | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """A checked request, as a view sees it."""

    platform: Platform
    request: Request
    caller: Caller
    body: Any = None  # of the model that the operation declares
    query: Any = None  # likewise
    rows: list[bulk.Row[Any]] = field(default_factory=list)  # likewise
    _domain: HostedDomain | None = None
    _account: Account | None = None

    @property
    def domain(self) -> HostedDomain:
        """The domain of the path, or the caller's own."""
        assert self._domain
        return self._domain

    @property
    def account(self) -> Account:
        """The mailbox of the path, or the caller's own."""
        assert self._account
        return self._account

    @property
    def patch(self) -> dict[str, Any]:
        """What a merge patch names (RFC 7396): absent fields stay, null removes."""
        given: dict[str, Any] = self.body.model_dump(exclude_unset=True)
        return given

    def page(self) -> tuple[int, str]:
        """`limit` and the place to go on after. For queries that extend `PageQuery`."""
        return answers.page_of(self.request)

    def check(self, present: Out | None) -> None:
        """If-Match and If-None-Match against the resource as it is; None: it is not there (RFC 9110 §13.1).

        Raises ServiceError precondition_failed.
        """
        answers.check_tags(self.request, present.model_dump(mode="json") if present else None)


class PageQuery(Query):
    """A page of a list."""

    limit: int = Field(answers.PAGE, ge=1, le=answers.LARGEST_PAGE)
    cursor: str = Field("", description="Where to go on: the `cursor` of the page before.")


@dataclass
class Section:
    """The routes of one file: a Blueprint and a tag of the reference."""

    tag: str
    routes: Blueprint

    def route(
        self, method: Method, path: str, **how: Unpack[Declared]
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a view `(call, **variables of the path but domain and local of the prefix)`.

        It gives an Out (answered with the first status of `answers`), a Reply, a Response, or None (204).
        """

        def declare(view: Callable[..., Any]) -> Callable[..., Any]:
            for role in how["roles"]:
                full = PREFIX[how.get("within", ""), role] + path
                operation = Operation(method, full, role, view, self.tag, how)
                OPERATIONS.append(operation)
                self._install(operation)
            return view

        return declare

    def _install(self, operation: Operation) -> None:
        kinds: list[str] = []
        if "body" in operation.how:
            kinds = BODY_TYPES.get(operation.method, [JSON])
        if "rows" in operation.how:
            kinds = [*bulk.TYPES]
        kinds = [*kinds, *operation.how.get("raw", ())]
        options = {"content_types": kinds} if kinds else {}
        register = self.routes.route(operation.path, methods=[operation.method], name=operation.id, **options)

        def serve(**variables: str) -> Response:
            return answered(operation, self.routes.current_request, variables)

        serve.__name__ = operation.id
        register(endpoint(serve))


def answered(operation: Operation, request: Request, variables: Mapping[str, str]) -> Response:
    """Check, call the view, and shape its answer."""
    call, rest = _checked(operation, request, _variables(variables))

    def do() -> Response:
        return _shaped(operation, request, operation.view(call, **rest))

    return once(call.platform, call.caller, request, operation.repeat, do)


def _variables(given: Mapping[str, str]) -> dict[str, str]:
    """Variables of the path as they are meant. Raises ServiceError not_found for what can be no name."""
    meant = dict(access.unquoted(given))
    for text in meant.values():
        raw = text.encode("utf-8", "replace")
        whole = raw.decode() == text  # no lone surrogate
        if not (whole and 0 < len(raw) <= LONGEST_VARIABLE) or b"\0" in raw:
            raise ServiceError("not_found", "There is nothing here.")
    return meant


def _checked(
    operation: Operation, request: Request, variables: dict[str, str]
) -> tuple[Call, dict[str, str]]:
    """The call, and the variables of the path that are left for the view."""
    how, p = operation.how, platform()
    call = Call(p, request, _caller(operation, request))
    within, scope = how.get("within", ""), how.get("scope", "")
    prefix = PREFIX[within, operation.role]
    if within in ("domain", "mailbox"):
        name = variables.pop("domain") if "{domain}" in prefix else None
        call._domain = access.domain(p, call.caller, name, scope)
        changes = operation.method != "GET" and operation.role != "operator"
        if changes and call._domain.state == "reversed":  # whatever is put there is nobody's
            raise ServiceError("not_found", "The order of this domain was reversed.")
    elif scope:
        access.require_some(call.caller, scope)
    if within == "mailbox":
        local = variables.pop("local") if "{local}" in prefix else None
        call._account = access.mailbox(p, call.caller, call.domain, local)
    if "query" in how:
        call.query = parsed_query(request, how["query"])
    if "body" in how:
        call.body = parsed(request, how["body"])
    if "rows" in how:
        call.rows = bulk.rows(request, how["rows"])
    return call, variables


def _caller(operation: Operation, request: Request) -> Caller:
    """Who calls, as the role that the route is for. Raises ServiceError unauthenticated, forbidden."""
    source = auth.source(request)
    if operation.role == "public":
        return Caller("", "", frozenset(), source, role="public")
    return access.caller(platform(), auth.bearer(request), source, operation.role)


def _shaped(operation: Operation, request: Request, given: Any) -> Response:
    if isinstance(given, Response):
        return given
    reply = given if isinstance(given, Reply) else Reply(given)
    if reply.body is None:
        return Response("", dict(reply.headers), reply.status or 204)
    status = reply.status or next(iter(operation.how["answers"]))
    document = reply.body.model_dump(mode="json")
    if operation.method == "GET" and status == 200:
        return answers.tagged(request, document, reply.headers)
    headers: Headers = {"Content-Type": JSON, "ETag": answers.tag(document), **reply.headers}
    return Response(document, headers, status)
