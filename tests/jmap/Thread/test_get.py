"""Thread/get (RFC 8621 §3.1)."""

from tests.jmap.client import Client, counted, letter


def answers_to(jmap: Client, first: str, number: int) -> list[str]:
    more = {"In_Reply_To": f"<{first}>", "References": f"<{first}>"}
    return [jmap.deliver(letter("Re: Hello", Message_ID=f"<{n}.{first}>", **more)) for n in range(number)]


def thread_of(jmap: Client, id: str) -> str:
    return str(jmap.email(id, properties=["threadId"])["threadId"])


def test_oldest_first_in_every_mailbox(jmap: Client) -> None:
    first = jmap.deliver(letter(Message_ID="<a@far.test>"))
    rest = answers_to(jmap, "a@far.test", 2)
    jmap.call("Email/set", update={first: {"mailboxIds": {jmap.roles["archive"]: True}}})
    thread = thread_of(jmap, first)
    answer = jmap.call("Thread/get", ids=[thread])
    assert answer["list"] == [{"id": thread, "emailIds": [first, *rest]}]
    assert (answer["notFound"], answer["state"]) == ([], jmap.state("Thread"))


def test_another_subject_is_another_thread(jmap: Client) -> None:
    first = jmap.deliver(letter("Minutes", Message_ID="<b@far.test>"))
    forwarded = jmap.deliver(letter("[board] WG: minutes", References="<b@far.test>"))
    other = jmap.deliver(letter("Lunch?", In_Reply_To="<b@far.test>"))
    assert thread_of(jmap, first) == thread_of(jmap, forwarded) != thread_of(jmap, other)


def test_not_found(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    foreign = thread_of(other, other.deliver(letter(Message_ID="<only-bob@far.test>")))
    gone = jmap.deliver(letter())
    thread = thread_of(jmap, gone)
    jmap.call("Email/set", destroy=[gone])
    ids = [foreign, thread, "none", "a b"]
    assert jmap.call("Thread/get", ids=ids)["notFound"] == ids


def test_arguments(jmap: Client) -> None:
    thread = thread_of(jmap, jmap.deliver(letter()))
    assert jmap.call("Thread/get", ids=[thread], properties=["id"])["list"] == [{"id": thread}]
    assert jmap.error("Thread/get", ids=[thread], properties=["none"])["type"] == "invalidArguments"
    assert jmap.error("Thread/get", ids=None)["type"] == "requestTooLarge"
    assert jmap.error("Thread/get", ids="x")["type"] == "invalidArguments"


def test_a_thread_is_one_query(jmap: Client) -> None:
    thread = thread_of(jmap, jmap.deliver(letter()))
    with counted() as calls:
        jmap.call("Thread/get", ids=[thread])
    assert calls.count("Query") == 1
