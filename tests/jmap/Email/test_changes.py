"""Email/changes, Thread/get and /changes."""

from tests.jmap.client import Client, letter


def test_created_updated_destroyed(jmap: Client) -> None:
    before = jmap.deliver(letter("a"))
    state = jmap.state()
    created = jmap.deliver(letter("b"))
    passing = jmap.deliver(letter("c"))
    jmap.call("Email/set", update={before: {"keywords/$seen": True}}, destroy=[passing])
    answer = jmap.call("Email/changes", sinceState=state)
    assert (answer["created"], answer["updated"], answer["destroyed"]) == ([created], [before], [])
    assert (answer["newState"], answer["hasMoreChanges"]) == (jmap.state(), False)


def test_following_in_small_steps_ends_in_the_same_place(jmap: Client) -> None:
    state = jmap.state()
    ids = {jmap.deliver(letter(f"{n}")) for n in range(4)}
    jmap.call("Email/set", update={id: {"keywords/$seen": True} for id in ids})
    seen: set[str] = set()
    for _ in range(20):
        answer = jmap.call("Email/changes", sinceState=state, maxChanges=1)
        seen |= {*answer["created"], *answer["updated"]}
        state = answer["newState"]
        if not answer["hasMoreChanges"]:
            break
    assert seen == ids
    assert state == jmap.state()


def test_states_that_are_not_known(jmap: Client) -> None:
    for state in ("", "x", "99999", "-1", "1.5", "9" * 30, "²"):
        assert jmap.error("Email/changes", sinceState=state)["type"] == "cannotCalculateChanges"
    for args in ({}, {"sinceState": 1}, {"sinceState": jmap.state(), "maxChanges": 0}):
        assert jmap.error("Email/changes", **args)["type"] == "invalidArguments"


def test_threads(jmap: Client) -> None:
    state = jmap.state("Thread")
    root = jmap.deliver(letter("a", Message_ID="<r@far.test>"))
    reply = jmap.deliver(letter("Re: a", In_Reply_To="<r@far.test>"))
    thread = jmap.email(root, properties=["threadId"])["threadId"]
    assert jmap.email(reply, properties=["threadId"])["threadId"] == thread
    answer = jmap.call("Thread/get", ids=[thread, "none"])
    assert answer["list"] == [{"id": thread, "emailIds": [root, reply]}]
    assert answer["notFound"] == ["none"]
    assert thread in jmap.call("Thread/changes", sinceState=state)["created"]
    assert jmap.error("Thread/get", ids=None)["type"] == "requestTooLarge"
