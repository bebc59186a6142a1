"""Identity/get and /changes (RFC 8621 §6): the mailbox's own address, its aliases, and what was made."""

from chalicelib.rules.values import SYSTEM
from chalicelib.services import addresses
from tests.jmap.client import Client, Json, counted


def alias(jmap: Client, name: str) -> None:
    domain = jmap.post.p.directory.domain("x.test")
    assert domain is not None
    addresses.put_alias(jmap.post.p, SYSTEM, domain, name, jmap.account.address.partition("@")[0])


def unalias(jmap: Client, name: str) -> None:
    domain = jmap.post.p.directory.domain("x.test")
    assert domain is not None
    addresses.remove(jmap.post.p, SYSTEM, domain, name, "alias")


def identities(jmap: Client) -> dict[str, Json]:
    """By address."""
    return {one["email"]: one for one in jmap.call("Identity/get", ids=None)["list"]}


def test_the_own_address(jmap: Client) -> None:
    answer = jmap.call("Identity/get", ids=None)
    assert answer["list"] == [
        {
            "id": f"i{jmap.account.id}",
            "name": "Uma User",
            "email": jmap.account.address,
            "replyTo": None,
            "bcc": None,
            "textSignature": "",
            "htmlSignature": "",
            "mayDelete": False,
        }
    ]


def test_one_for_each_alias(jmap: Client) -> None:
    local = jmap.account.address.partition("@")[0]
    alias(jmap, f"z-{local}")
    found = identities(jmap)
    assert list(found) == [jmap.account.address, f"z-{local}@x.test"]
    other = found[f"z-{local}@x.test"]
    assert (other["name"], other["mayDelete"]) == ("Uma User", False)
    unalias(jmap, f"z-{local}")
    assert list(identities(jmap)) == [jmap.account.address]


def test_nobody_elses(jmap: Client) -> None:
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    [own] = identities(other).values()
    answer = jmap.call("Identity/get", ids=[own["id"], "none"], properties=["email"])
    assert (answer["list"], answer["notFound"]) == ([], [own["id"], "none"])


def test_changes(jmap: Client) -> None:
    id = f"i{jmap.account.id}"
    first = jmap.state("Identity")
    assert jmap.call("Identity/changes", sinceState=first)["updated"] == []
    made = jmap.call("Identity/set", create={"k": {"email": jmap.account.address}})["created"]["k"]["id"]
    jmap.call("Identity/set", update={id: {"name": "U."}})
    answer = jmap.call("Identity/changes", sinceState=first)
    assert (answer["created"], answer["updated"], answer["destroyed"]) == ([made], [id], [])
    assert (answer["oldState"], answer["newState"]) == (first, jmap.state("Identity"))
    page = jmap.call("Identity/changes", sinceState=first, maxChanges=1)
    assert (page["created"], page["hasMoreChanges"]) == ([made], True)
    rest = jmap.call("Identity/changes", sinceState=page["newState"])
    assert (rest["updated"], rest["newState"]) == ([id], answer["newState"])
    jmap.call("Identity/set", destroy=[made])
    assert jmap.call("Identity/changes", sinceState=answer["newState"])["destroyed"] == [made]


def test_changes_of_the_directory_are_to_be_read_anew(jmap: Client) -> None:
    state = jmap.state("Identity")
    alias(jmap, f"new-{jmap.account.address.partition('@')[0]}")
    assert jmap.state("Identity") != state
    for since in (state, "1", "x.y", ""):
        assert jmap.error("Identity/changes", sinceState=since)["type"] == "cannotCalculateChanges"


def test_states_of_mail_do_not_move_with_it(jmap: Client) -> None:
    mail = jmap.state()
    jmap.call("Identity/set", update={f"i{jmap.account.id}": {"name": "U."}})
    assert jmap.state() == mail


def test_known(jmap: Client) -> None:
    """What EmailSubmission asks: its own by one item."""
    from chalicelib.jmap import identity
    from chalicelib.jmap.context import Context

    local = jmap.account.address.partition("@")[0]
    alias(jmap, f"k-{local}")
    ctx = Context(jmap.post.p, jmap.account)
    for email, shown in identities(jmap).items():
        found = identity.known(ctx, shown["id"])
        assert found is not None
        assert found.email == email
    assert identity.known(ctx, "none") is None
    assert identity.known(ctx, "a b") is None
    with counted() as calls:
        identity.known(ctx, f"i{jmap.account.id}")
    assert calls == ["GetItem"]
