"""Thread/changes (RFC 8621 §3.2): a thread changes when an email joins or leaves it, and by nothing else."""

from tests.jmap.client import Client, letter


def test_created_updated_destroyed(jmap: Client) -> None:
    start = jmap.state("Thread")
    first = jmap.deliver(letter(Message_ID="<c@far.test>"))
    thread = jmap.email(first, properties=["threadId"])["threadId"]
    made = jmap.call("Thread/changes", sinceState=start)
    assert (made["created"], made["updated"], made["destroyed"]) == ([thread], [], [])
    second = jmap.deliver(letter("Re: Hello", In_Reply_To="<c@far.test>"))
    grown = jmap.call("Thread/changes", sinceState=made["newState"])
    assert (grown["created"], grown["updated"]) == ([], [thread])
    jmap.call("Email/set", destroy=[first])
    shrunk = jmap.call("Thread/changes", sinceState=grown["newState"])
    assert shrunk["updated"] == [thread]
    jmap.call("Email/set", destroy=[second])
    gone = jmap.call("Thread/changes", sinceState=shrunk["newState"])
    assert (gone["updated"], gone["destroyed"]) == ([], [thread])
    assert jmap.call("Thread/changes", sinceState=start)["created"] == []


def test_flags_and_moves_change_no_thread(jmap: Client) -> None:
    id = jmap.deliver(letter())
    state = jmap.state("Thread")
    patch = {"keywords/$seen": True, "mailboxIds": {jmap.roles["trash"]: True}}
    assert jmap.call("Email/set", update={id: patch})["updated"]
    assert jmap.state("Thread") == state
    assert jmap.call("Thread/changes", sinceState=state)["newState"] == state


def test_states_that_are_not_known(jmap: Client) -> None:
    for state in ("999999", "x", ""):
        assert jmap.error("Thread/changes", sinceState=state)["type"] == "cannotCalculateChanges"
    assert jmap.error("Thread/changes")["type"] == "invalidArguments"
    assert (
        jmap.error("Thread/changes", sinceState=jmap.state("Thread"), maxChanges=0)["type"]
        == "invalidArguments"
    )
