"""ContactCard/query, /changes, /copy, and what they read (RFC 9610 §3)."""

from typing import Any

import pytest

from chalicelib.aws.table import Table
from tests.jmap.client import Client, Json, counted
from tests.jmap.ContactCard.people import ZOE, made, named, shown
from tests.store.units import counted as units


def query(jmap: Client, **filter: Any) -> list[str]:
    return list(jmap.call("ContactCard/query", filter=filter)["ids"])


FINDS: list[Json] = [
    {},
    {"uid": ZOE["uid"]},
    {"kind": "individual"},
    {"inAddressBook": "b1"},
    {"text": "zoe"},
    {"text": "MULLER bonn"},
    {"text": "trains friend"},
    {"text": '"far ltd" research'},
    {"text": "'far ltd' research"},
    {"text": r"'d\'arc said \"hi\"'"},
    {"text": r'"d\'arc said \"hi\""'},
    {"text": "d'arc said"},
    {"text": 'zoe ""'},
    {"name": "zoe muller"},
    {"name": "ë m"},
    {"name/given": "zo"},
    {"name/surname": "Müller"},
    {"name/surname2": "ortega"},
    {"nickname": "zoz"},
    {"organization": "far"},
    {"organization": "research"},
    {"email": "zoe@far"},
    {"phone": "+4930123456"},
    {"phone": "holiday"},
    {"onlineService": "mastodon"},
    {"address": "main bonn"},
    {"note": "trains"},
    {"createdAfter": "2026-01-01T00:00:00Z", "updatedAfter": "2026-01-01T00:00:00Z"},
    {"createdBefore": "2999-01-01T00:00:00Z", "updatedBefore": "2999-01-01T00:00:00Z"},
    {"operator": "OR", "conditions": [{"name": "nobody"}, {"email": "zoe"}]},
    {"operator": "NOT", "conditions": [{"name": "nobody"}, {"kind": "group"}]},
]
MISSES: list[Json] = [
    {"uid": "other"},
    {"kind": "group"},
    {"inAddressBook": "b2"},
    {"hasMember": ZOE["uid"]},
    {"text": "zoe nobody"},
    {"text": '"ltd far"'},
    {"text": "'ltd far'"},
    {"text": "'ltd far"},
    {"text": r'"said \\"hi\\""'},
    {"name/given": "Müller"},
    {"name/surname2": "zoe"},
    {"note": "zoe"},
    {"email": "zoe", "kind": "org"},
    {"createdBefore": "2026-01-01T00:00:00Z"},
    {"updatedAfter": "2999-01-01T00:00:00Z"},
]


def test_filters(jmap: Client) -> None:
    said = {"q": {"note": 'D\'Arc said "hi"'}}
    id = made(jmap, {**ZOE, "notes": ZOE["notes"] | said})
    assert [f for f in FINDS if query(jmap, **f) != [id]] == []
    assert [f for f in MISSES if query(jmap, **f) != []] == []
    group = made(jmap, named("Team", kind="group", members={ZOE["uid"]: True}))
    assert query(jmap, hasMember=ZOE["uid"]) == query(jmap, kind="group") == [group]


@pytest.mark.parametrize(
    ("args", "type"),
    [
        ({"filter": {"shoe": "39"}}, "unsupportedFilter"),
        ({"filter": {"text": 1}}, "invalidArguments"),
        ({"filter": {"kind": None}}, "invalidArguments"),
        ({"filter": {"createdBefore": "soon"}}, "invalidArguments"),
        ({"filter": {"operator": "XOR", "conditions": []}}, "invalidArguments"),
        ({"filter": []}, "invalidArguments"),
        ({"sort": [{"property": "shoe"}]}, "unsupportedSort"),
        ({"sort": [{"property": "name/given", "collation": "i;basic"}]}, "unsupportedSort"),
        ({"sort": "created"}, "invalidArguments"),
        ({"anchor": "none"}, "anchorNotFound"),
        ({"limit": -1}, "invalidArguments"),
    ],
)
def test_refused(jmap: Client, args: Json, type: str) -> None:
    assert jmap.error("ContactCard/query", **args)["type"] == type


def test_sorts_and_pages(jmap: Client) -> None:
    ids = []
    for given, surname in (("Ben", "Zand"), ("Äne", "zand"), ("Cy", "Abel")):
        jmap.post.clock.advance(minutes=1)
        parts = [{"kind": "given", "value": given}, {"kind": "surname", "value": surname}]
        ids.append(made(jmap, {"name": {"components": parts}}))
    ben, ane, cy = ids

    def order(*by: str, **more: Any) -> list[str]:
        sort = [{"property": name.strip("-"), "isAscending": name[0] != "-"} for name in by]
        return list(jmap.call("ContactCard/query", sort=sort, **more)["ids"])

    assert order("created") == [ben, ane, cy] == jmap.call("ContactCard/query")["ids"]
    assert order("-created") == [cy, ane, ben]
    assert order("name/surname", "name/given") == [cy, ane, ben]
    assert order("name/surname", "-name/given") == [cy, ben, ane]
    assert order("name/given", position=1, limit=1) == [ben]
    for rule, expected in (("i;ascii-casemap", [ben, cy, ane]), ("i;unicode-casemap", [ane, ben, cy])):
        by = [{"property": "name/given", "collation": rule}]
        assert jmap.call("ContactCard/query", sort=by)["ids"] == expected
    ignored = [{"property": "created", "collation": "i;none"}]
    assert jmap.call("ContactCard/query", sort=ignored)["ids"] == [ben, ane, cy]
    assert order("name/given", position=-1) == [cy]
    assert order("name/given", anchor=ben, anchorOffset=-1, limit=2) == [ane, ben]
    jmap.post.clock.advance(minutes=1)
    jmap.call("ContactCard/set", update={ben: {"kind": "org"}})
    assert order("-updated")[0] == ben
    answer = jmap.call("ContactCard/query", limit=0, calculateTotal=True)
    assert (answer["total"], answer["ids"], answer["canCalculateChanges"]) == (3, [], True)


def test_copy_says_no(jmap: Client) -> None:
    assert jmap.error("ContactCard/copy", fromAccountId="other", create={})["type"] == "fromAccountNotFound"
    own = jmap.error("ContactCard/copy", fromAccountId=jmap.account.id, create={})
    assert own["type"] == "invalidArguments"


def test_changes_are_of_contacts_alone(jmap: Client) -> None:
    first, mail = jmap.state("ContactCard"), jmap.state("Email")
    id = made(jmap, ZOE)
    assert jmap.state("Email") == mail
    since = jmap.call("ContactCard/changes", sinceState=first)
    assert (since["created"], since["newState"]) == ([id], jmap.state("ContactCard"))
    assert jmap.call("AddressBook/changes", sinceState=first)["newState"] == first


def test_what_is_anothers_is_not_found(jmap: Client) -> None:
    """S: tenants are walls. The same uid has the same id in every account, and names nothing elsewhere."""
    id = made(jmap, ZOE)
    other = Client(jmap.post, jmap.post.account("stranger@x.test"))
    theirs = other.call("ContactCard/get", ids=[id, "knobody"])
    assert (theirs["list"], theirs["notFound"]) == ([], [id, "knobody"])
    changed = other.call("ContactCard/set", update={id: {"kind": "org"}}, destroy=[id])
    assert (changed["notUpdated"], changed["notDestroyed"]) == (
        {id: {"type": "notFound", "description": "There is no such contact."}},
        {id: {"type": "notFound", "description": "There is no such contact."}},
    )
    assert other.call("ContactCard/query")["ids"] == []
    assert made(other, ZOE) == id
    other.call("ContactCard/set", destroy=[id])
    assert shown(jmap, id)["uid"] == ZOE["uid"]


# ----------------------------------------------------------------------------------------------------- cost
def test_what_contacts_cost(jmap: Client) -> None:
    table = Table(jmap.post.p.settings.mail_table)
    with units(table) as first:
        id = made(jmap, ZOE)
    assert (first.write, first.careful) == (6, 6)
    with units(table) as idle:
        jmap.call("ContactCard/changes", sinceState=jmap.state("ContactCard"))
    assert idle.read == 2  # of this test's own look at the state one
    with units(table) as many:
        cards = {f"c{n}": ZOE | {"uid": f"u{n}"} for n in range(40)}
        assert len(jmap.call("ContactCard/set", create=cards)["created"]) == 40
    assert many.write == 40 * 2 + 4  # one transaction
    with units(table) as cold:
        assert len(jmap.call("ContactCard/get", ids=None, properties=["uid"])["list"]) == 41
    with units(table) as warm:
        assert jmap.call("ContactCard/query", filter={"uid": ZOE["uid"]})["ids"] == [id]
    assert cold.read <= 9
    assert warm.read == 1


def test_an_unchanged_state_reads_nothing_but_itself(jmap: Client) -> None:
    made(jmap, ZOE)
    assert len(query(jmap, text="zoe")) == 1
    with counted() as calls:
        assert len(query(jmap, text="z")) == 1
    assert calls == ["GetItem"]
    made(jmap, named("Zacharias"))
    assert len(query(jmap, text="z")) == 2
