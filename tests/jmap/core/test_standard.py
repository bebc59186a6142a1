"""RFC 8620 §5: what the standard methods of every type have in common."""

from typing import Any

from chalicelib.jmap import arguments, limits
from chalicelib.jmap.methods import METHODS
from tests.jmap.client import Client, Json, letter


def methods(kind: str, *but: str) -> list[str]:
    """The served methods of a kind, without those of some types."""
    return [name for name in METHODS if name.endswith(f"/{kind}") and name.split("/")[0] not in but]


def refused(jmap: Client, names: list[str], **args: Any) -> set[str]:
    """What these methods answer to arguments that none of them takes."""
    return {jmap.error(name, **args)["type"] for name in names}


def test_get_by_id_and_property(jmap: Client) -> None:
    names = methods("get", "Blob", "SearchSnippet")
    assert len(names) >= 9
    for name in names:
        answer = jmap.call(name, ids=["none", "none"], properties=["id"])
        assert (answer["list"], answer["notFound"]) == ([], ["none"]), name
        assert isinstance(answer["state"], str)
        wrong = jmap.error(name, ids=[], properties=["shoe"])
        assert wrong["type"] == "invalidArguments", name
    assert refused(jmap, names, ids=["x"] * (limits.MAX_OBJECTS_IN_GET + 1)) == {"requestTooLarge"}
    assert refused(jmap, names, ids="x") == refused(jmap, names, ids=[1]) == {"invalidArguments"}
    id = jmap.deliver(letter())
    assert jmap.email(id, properties=["size", "size"]) == {"id": id, "size": len(letter())}


def test_changes_from_a_state(jmap: Client) -> None:
    names = methods("changes", "EmailSubmission")
    for name in names:
        state = jmap.state(name.split("/")[0])
        answer = jmap.call(name, sinceState=state)
        assert (answer["oldState"], answer["newState"], answer["hasMoreChanges"]) == (state, state, False)
        assert answer["created"] == answer["updated"] == answer["destroyed"] == []
    assert refused(jmap, names, sinceState="none") == {"cannotCalculateChanges"}
    assert refused(jmap, names) == {"invalidArguments"}
    for name in names:
        state = jmap.state(name.split("/")[0])
        for most in (0, -1, "1", 2**53):
            assert refused(jmap, [name], sinceState=state, maxChanges=most) == {"invalidArguments"}, most


def test_set_in_the_state_that_was_seen_alone(jmap: Client) -> None:
    names = methods("set", "EmailSubmission")
    folders = jmap.call("Mailbox/get", ids=None)["list"]
    for name in names:
        assert jmap.error(name, ifInState="none", create={"k": {"name": "x"}})["type"] == "stateMismatch"
    assert jmap.call("Mailbox/get", ids=None)["list"] == folders


def test_set_of_what_is_not_there_or_too_much(jmap: Client) -> None:
    names = methods("set", "VacationResponse")
    assert len(names) >= 6
    for name in names:
        answer = jmap.call(name, update={"none": {}}, destroy=["gone"])
        assert answer["notUpdated"]["none"]["type"] == "notFound", name
        assert answer["notDestroyed"]["gone"]["type"] in ("notFound", "forbidden"), name
    many = [f"x{n}" for n in range(limits.MAX_OBJECTS_IN_SET + 1)]
    assert refused(jmap, names, destroy=many) == {"requestTooLarge"}
    wrongs: list[Json] = [{"create": []}, {"update": {"x": 1}}, {"destroy": "x"}, {"ifInState": 1}]
    for wrong in wrongs:
        assert refused(jmap, methods("set"), **wrong) == {"invalidArguments"}, wrong


def test_what_a_query_answers_fits_into_the_calls_behind_it() -> None:
    """Clients put the ids of a /query or /changes into a /get or /set of the same request."""
    assert limits.MAX_QUERY <= limits.MAX_OBJECTS_IN_GET
    assert limits.MAX_QUERY <= limits.MAX_OBJECTS_IN_SET
    assert limits.MAX_CHANGES <= limits.MAX_OBJECTS_IN_GET


def test_query_of_what_is_unknown(jmap: Client) -> None:
    names = methods("query", "EmailSubmission", "Quota")
    assert refused(jmap, names, filter={"shoe": 1}) == {"unsupportedFilter"}
    assert refused(jmap, names, sort=[{"property": "shoe"}]) == {"unsupportedSort"}
    assert refused(jmap, names, anchor="none") == {"anchorNotFound"}
    wrongs: list[Json] = [{"limit": -1}, {"limit": 1.5}, {"position": "1"}, {"filter": []}, {"sort": {}}]
    for wrong in wrongs:
        assert refused(jmap, names, **wrong) == {"invalidArguments"}, wrong
    for name in names:
        answer = jmap.call(name, position=1_000, limit=0, calculateTotal=True)
        assert answer["ids"] == [], name
        assert isinstance(answer["total"], int), name


DATES: list[tuple[object, str | None]] = [
    ("2014-10-30T06:12:00Z", "2014-10-30T06:12:00Z"),
    ("2014-10-30T06:12:00.250Z", "2014-10-30T06:12:00Z"),
    ("2014-10-30T06:12:00.000Z", "2014-10-30T06:12:00Z"),
    *((text, None) for text in (
        "2014-10-30T06:12:00", "2014-10-30", "2014-13-30T06:12:00Z", "2014-W44-4T06:12:00Z",
        "20141030T061200Z", "2014-10-30T06:12Z", "2014-10-30T06:12:00,5Z", "2014-10-30T06:12:00.Z",
        "2014-10-30t06:12:00z", "2014-10-30 06:12:00Z", "2014-10-30T06:12:00Z ",
        "2014-10-30T06:12:00+08", "2014-10-30T06:12:00+25:00", "٢٠١٤-10-30T06:12:00Z", "x", 1, None,
    )),
]  # fmt: skip


def test_dates() -> None:
    for text, shown in DATES:
        for when in (arguments.date(text), arguments.utc_date(text)):
            assert (arguments.show_date(when) if when else None) == shown, text


def test_only_a_date_has_another_offset_than_utc() -> None:
    text = "2014-10-30T14:12:00+08:00"
    when = arguments.date(text)
    assert when is not None
    assert arguments.show_date(when) == "2014-10-30T06:12:00Z"
    assert arguments.utc_date(text) is None


def test_utc_dates_are_in_utc(jmap: Client) -> None:
    offset = "2014-10-30T14:12:00+08:00"
    for name in methods("query", "Mailbox", "Quota"):
        test = "createdAfter" if name.startswith("ContactCard") else "after"
        assert jmap.error(name, filter={test: offset})["type"] == "invalidArguments", name
    assert jmap.refused(receivedAt=offset)["properties"] == ["receivedAt"]
    vacation = jmap.call("VacationResponse/set", update={"singleton": {"fromDate": offset}})
    assert vacation["notUpdated"]["singleton"]["properties"] == ["fromDate"]


def test_operators_and_comparators_have_nothing_but_their_own(jmap: Client) -> None:
    """§5.5: an operator is no condition as well, and a comparator has no other property."""
    names = methods("query", "Email")
    mixed = {"operator": "AND", "conditions": [], "name": "x"}
    assert refused(jmap, names, filter=mixed) == {"invalidArguments"}
    assert refused(jmap, names, filter={"operator": "NOT", "conditions": [mixed]}) == {"invalidArguments"}
    for name in names:
        by = {"Mailbox": "name", "EmailSubmission": "sentAt", "Quota": "used"}.get(
            name.split("/")[0], "created"
        )
        for more in ({"ascending": True}, {"keyword": "$seen"}, {"isAscending": 1}, {"collation": 1}):
            assert refused(jmap, [name], sort=[{"property": by, **more}]) == {"invalidArguments"}, (
                name,
                more,
            )


def test_ids_are_of_the_url_safe_alphabet(jmap: Client) -> None:
    jmap.deliver(letter())
    kinds = [name.split("/")[0] for name in methods("get", "Blob", "SearchSnippet", "Email", "Thread")]
    shown = [row["id"] for kind in kinds for row in jmap.call(f"{kind}/get", ids=None)["list"]]
    shown += jmap.call("Email/query")["ids"]
    assert len(shown) > 10
    assert all(arguments.is_id(id) for id in shown)
