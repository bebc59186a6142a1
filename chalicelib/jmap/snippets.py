"""SearchSnippet/get (RFC 8621 §5): what found emails show of the words they were found by."""

from collections.abc import Iterator

from chalicelib.jmap import arguments, email_filter, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.email_filter import Join, Node, Words
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.rules import snippets
from chalicelib.services import finding
from chalicelib.services.finding import FIELDS, Term


def get(ctx: Context, args: Json) -> Json:
    """SearchSnippet/get. Messages are opened, together, only where the filter names words of bodies."""
    ids = _wanted(args)
    terms = [] if args.get("filter") is None else list(_shown(email_filter.read(args["filter"])))
    subject, body = _of(terms, "subject"), _of(terms, "body")
    found = ctx.emails(id for id in ids if arguments.is_id(id))
    if body:
        ctx.charge(sum(min(email.size, finding.SHOWN_OF) for email in found.values()))
    texts = finding.bodies(ctx.p, list(found.values())) if body else {}
    shown = [
        {
            "emailId": id,
            "subject": snippets.marked(found[id].subject, subject),
            "preview": snippets.excerpt(texts.get(id, ""), body),
        }
        for id in ids
        if id in found
    ]
    return {"accountId": ctx.acct, "list": shown, "notFound": [id for id in ids if id not in found] or None}


def _wanted(args: Json) -> list[str]:
    ids = arguments.strings(args, "emailIds")
    if ids is None:
        raise arguments.wrong("emailIds", "a list of ids")
    if len(ids) > limits.MAX_OBJECTS_IN_GET:
        raise MethodError("requestTooLarge", f"At most {limits.MAX_OBJECTS_IN_GET} objects can be asked for.")
    return list(dict.fromkeys(ids))


def _shown(node: Node, asked_for: bool = True) -> Iterator[Term]:
    """Words that an email is found by, not those that it must not have."""
    match node:
        case Words(terms) if asked_for:
            yield from terms
        case Join(operator, nodes):
            for inner in nodes:
                yield from _shown(inner, asked_for != (operator == "NOT"))


def _of(terms: list[Term], field: str) -> list[tuple[str, bool]]:
    return list(dict.fromkeys((term.word, term.prefix) for term in terms if term.fields & FIELDS[field]))
