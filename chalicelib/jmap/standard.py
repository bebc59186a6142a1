"""What /get, /changes and /set of every type have in common (RFC 8620 §5)."""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.jmap import arguments, limits
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, MethodError
from chalicelib.services import mailbox


def wanted_ids(args: Json) -> list[str] | None:
    """The ids of a /get, each once; None asks for all. Raises MethodError requestTooLarge."""
    ids = arguments.strings(args, "ids")
    if ids is not None and len(ids) > limits.MAX_OBJECTS_IN_GET:
        raise MethodError("requestTooLarge", f"At most {limits.MAX_OBJECTS_IN_GET} objects can be asked for.")
    return None if ids is None else list(dict.fromkeys(ids))


def wanted_properties(args: Json, known: Iterable[str], name: str = "properties") -> list[str] | None:
    """The properties of a /get, `id` always among them; None asks for the default."""
    properties = arguments.strings(args, name)
    if properties is None:
        return None
    unknown = [p for p in properties if p not in known]
    if unknown:
        raise MethodError(
            "invalidArguments", f"There is no property {', '.join(unknown)[:200]}.", arguments=[name]
        )
    return list(dict.fromkeys(["id", *properties]))


def get_answer(
    ctx: Context, state: str, ids: list[str] | None, found: Mapping[str, Json], properties: list[str] | None
) -> Json:
    """The answer of a /get from the objects that are there. Raises MethodError requestTooLarge."""
    if ids is None and len(found) > limits.MAX_OBJECTS_IN_GET:
        raise MethodError("requestTooLarge", "There are too many: please ask by ids.")
    order = list(found) if ids is None else ids
    shown = [found[i] for i in order if i in found]
    return {
        "accountId": ctx.acct,
        "state": state,
        "list": shown if properties is None else [{p: o[p] for p in properties} for o in shown],
        "notFound": [i for i in order if i not in found],
    }


def changes(ctx: Context, args: Json, kind: str) -> Json:
    """The answer of a /changes (RFC 8620 §5.2)."""
    since = arguments.state(args, "sinceState")
    most = arguments.integer(args, "maxChanges", None, least=1)
    found = mailbox.changes(ctx.p, ctx.acct, since, min(most or limits.MAX_CHANGES, limits.MAX_CHANGES), kind)
    answer = {
        "accountId": ctx.acct,
        "oldState": args["sinceState"],
        "newState": str(found.new_state),
        "hasMoreChanges": found.more,
        "created": list(found.created),
        "updated": list(found.updated),
        "destroyed": list(found.destroyed),
    }
    if kind == "Mailbox":
        counts = ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]
        answer["updatedProperties"] = counts if found.counts_only else None
    return answer


def cannot_query_changes(_ctx: Context, args: Json) -> Json:
    """The honest refusal of a /queryChanges (RFC 8620 §5.6)."""
    arguments.string(args, "sinceQueryState")
    raise MethodError("cannotCalculateChanges", "Please query again.")


def no_other_account(ctx: Context, args: Json) -> Json:
    """The honest refusal of a /copy (RFC 8620 §5.4): a log-in has one account, so there is no other."""
    if arguments.string(args, "fromAccountId") == ctx.acct:
        raise MethodError("invalidArguments", "The accounts must be two.", arguments=["fromAccountId"])
    raise MethodError("fromAccountNotFound", "There is no such account.")


class Outcome:
    """The answer of a /set while it grows."""

    def __init__(self) -> None:
        self.answer: dict[str, dict[str, Any]] = {
            name: {} for name in ("created", "updated", "notCreated", "notUpdated", "notDestroyed")
        }
        self.destroyed: list[str] = []

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self.answer[name]

    def finish(self, ctx: Context, old: str | None, new: str) -> Json:
        """As RFC 8620 §5.3 shows it: null for what is empty."""
        lists: Json = {name: found or None for name, found in self.answer.items()}
        return {
            "accountId": ctx.acct,
            "oldState": old,
            "newState": new,
            **lists,
            "destroyed": self.destroyed or None,
        }


class SetArguments:
    """What a /set was asked to do. Raises MethodError invalidArguments, requestTooLarge, stateMismatch."""

    def __init__(self, args: Json, state: str | None) -> None:
        self.create = arguments.objects(args, "create")
        self.update = arguments.objects(args, "update")
        self.destroy = list(dict.fromkeys(arguments.strings(args, "destroy") or []))
        if len(self.create) + len(self.update) + len(self.destroy) > limits.MAX_OBJECTS_IN_SET:
            raise MethodError(
                "requestTooLarge", f"At most {limits.MAX_OBJECTS_IN_SET} objects can be changed."
            )
        check_state(args, state)


def check_state(args: Json, state: str | None) -> None:
    """`ifInState`. Raises MethodError stateMismatch."""
    expected = arguments.optional_string(args, "ifInState")
    if expected is not None and expected != state:
        raise MethodError("stateMismatch", "The state is another by now.")
