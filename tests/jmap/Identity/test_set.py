"""Identity/set (RFC 8621 §6)."""

from typing import Any

import pytest

from chalicelib.store import identities as identities_store
from tests.jmap.client import Client, Json
from tests.jmap.Identity.test_get import alias, identities, unalias


def created(jmap: Client, **given: Any) -> Json:
    answer = jmap.call("Identity/set", create={"k": {"email": jmap.account.address, **given}})
    assert answer["created"], answer
    return dict(answer["created"]["k"])


def refused(jmap: Client, **given: Any) -> Json:
    answer = jmap.call("Identity/set", create={"k": {"email": jmap.account.address, **given}})
    return dict(answer["notCreated"]["k"])


def shown(jmap: Client, id: str) -> Json:
    [one] = jmap.call("Identity/get", ids=[id])["list"]
    return dict(one)


def own(jmap: Client) -> str:
    return f"i{jmap.account.id}"


def test_every_property_is_kept(jmap: Client) -> None:
    given = {
        "name": "Uma at work",
        "replyTo": [{"name": "Desk", "email": "desk@far.test"}],
        "bcc": [{"name": None, "email": "file@far.test"}],
        "textSignature": "-- \nUma",
        "htmlSignature": "<p onclick=x>Uma</p>",
    }
    made = created(jmap, **given)
    assert made == {"id": made["id"], "mayDelete": True}
    assert shown(jmap, made["id"]) == {**given, **made, "email": jmap.account.address}


def test_created_says_what_was_not_given(jmap: Client) -> None:
    made = created(jmap)
    assert (made["name"], made["replyTo"], made["textSignature"]) == ("", None, "")
    assert "email" not in made


def test_update_of_the_permanent_one(jmap: Client) -> None:
    answer = jmap.call("Identity/set", update={own(jmap): {"textSignature": "U.", "replyTo": []}})
    assert answer["updated"] == {own(jmap): None}
    assert answer["newState"] == jmap.state("Identity") != answer["oldState"]
    one = shown(jmap, own(jmap))
    assert (one["name"], one["textSignature"], one["replyTo"]) == ("Uma User", "U.", [])
    jmap.call("Identity/set", update={own(jmap): {"replyTo": None, "name": "Uma", "textSignature": None}})
    one = shown(jmap, own(jmap))
    assert (one["name"], one["textSignature"], one["replyTo"]) == ("Uma", "", None)


def test_its_name_follows_the_mailbox_until_it_is_set(jmap: Client) -> None:
    jmap.call("Identity/set", update={own(jmap): {"textSignature": "U."}})
    kept = jmap.post.p.identities.get(jmap.account.id, own(jmap))
    assert kept is not None
    assert kept.name is None


def test_an_update_that_changes_nothing_leaves_the_state(jmap: Client) -> None:
    jmap.call("Identity/set", update={own(jmap): {"textSignature": "U."}})
    state = jmap.state("Identity")
    again = {"textSignature": "U.", "email": jmap.account.address, "mayDelete": False}
    assert jmap.call("Identity/set", update={own(jmap): again})["updated"] == {own(jmap): None}
    assert jmap.state("Identity") == state


def test_destroy(jmap: Client) -> None:
    id = created(jmap)["id"]
    answer = jmap.call("Identity/set", destroy=[id, own(jmap), "none"])
    assert answer["destroyed"] == [id]
    assert answer["notDestroyed"][own(jmap)]["type"] == "forbidden"
    assert answer["notDestroyed"]["none"]["type"] == "notFound"
    assert list(identities(jmap)) == [jmap.account.address]


def test_only_addresses_that_lead_to_the_mailbox(jmap: Client) -> None:
    local = jmap.account.address.partition("@")[0]
    alias(jmap, f"a-{local}")
    for email in (f"A-{local}@X.test", f"{local}+shop@x.test", f"a-{local}+x@x.test"):
        assert created(jmap, email=email)["mayDelete"] is True
    for email in ("bob@x.test", "uma@far.test", "nobody@x.test", "all@x.test", "emailadmin@x.test"):
        assert refused(jmap, email=email)["type"] == "forbiddenFrom"


def test_a_catch_all_is_not_everybody(jmap: Client) -> None:
    from chalicelib.rules.values import SYSTEM
    from chalicelib.services import addresses

    domain = jmap.post.p.directory.domain("x.test")
    assert domain is not None
    local = jmap.account.address.partition("@")[0]
    changed = addresses.set_unknown(jmap.post.p, SYSTEM, domain, "deliver", local)
    assert refused(jmap, email="anything@x.test")["type"] == "forbiddenFrom"
    addresses.set_unknown(jmap.post.p, SYSTEM, changed, "bounce", None)


def test_what_was_made_under_an_alias_goes_with_it_and_comes_back(jmap: Client) -> None:
    local = jmap.account.address.partition("@")[0]
    alias(jmap, f"b-{local}")
    id = created(jmap, email=f"b-{local}@x.test", name="B")["id"]
    unalias(jmap, f"b-{local}")
    assert jmap.call("Identity/get", ids=[id])["notFound"] == [id]
    answer = jmap.call("Identity/set", update={id: {"name": "C"}}, destroy=[id])
    assert (answer["notUpdated"][id]["type"], answer["notDestroyed"][id]["type"]) == ("notFound", "notFound")
    alias(jmap, f"b-{local}")
    assert shown(jmap, id)["name"] == "B"


def test_patches_that_are_none(jmap: Client) -> None:
    for path in ("name/x", "email/x", "bcc/0", "none/x"):
        answer = jmap.call("Identity/set", update={own(jmap): {path: "y"}})
        assert answer["notUpdated"][own(jmap)]["type"] == "invalidPatch", path
    assert (
        jmap.call("Identity/set", update={"none": {"name/x": 1}})["notUpdated"]["none"]["type"] == "notFound"
    )


def test_every_wrong_property_is_named(jmap: Client) -> None:
    wrong: Json = {"email": 1, "name": 2, "textSignature": None, "replyTo": "x", "bcc": [1], "shoe": 39}
    assert set(refused(jmap, **wrong)["properties"]) == wrong.keys()
    update = {own(jmap): {**wrong, "textSignature": 5}}
    error = jmap.call("Identity/set", update=update)["notUpdated"][own(jmap)]
    assert set(error["properties"]) == wrong.keys()
    long = refused(jmap, name="x" * 201, htmlSignature="x" * 20_001)
    assert long["properties"] == ["name", "htmlSignature"]


REFUSALS_CASES: list[tuple[Json, str | None]] = [
    ({"email": None}, "email"),
    ({"email": "none"}, "email"),
    ({"email": "*@x.test"}, None),
    ({"name": None}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"textSignature": "x" * 10_001}, "textSignature"),
    ({"htmlSignature": "x" * 20_001}, "htmlSignature"),
    ({"htmlSignature": 1}, "htmlSignature"),
    ({"replyTo": "x@y.test"}, "replyTo"),
    ({"replyTo": [{"email": "none"}]}, "replyTo"),
    ({"bcc": [{"name": "x"}]}, "bcc"),
    ({"bcc": [{"email": "x@y.test"}] * 21}, "bcc"),
    ({"mayDelete": True}, "mayDelete"),
]


def test_refusals(jmap: Client) -> None:
    for given, name in REFUSALS_CASES:
        error = refused(jmap, **given)
        if name is None:
            assert error["type"] == "forbiddenFrom"
        else:
            assert (error["type"], error["properties"]) == ("invalidProperties", [name])


REFUSED_UPDATES_CASES: list[tuple[Json, str]] = [
    ({"email": "other@x.test"}, "invalidProperties"),
    ({"mayDelete": True}, "invalidProperties"),
    ({"none": 1}, "invalidProperties"),
    ({"name": 1}, "invalidProperties"),
    ({"replyTo/0": None}, "invalidPatch"),
]


def test_refused_updates(jmap: Client) -> None:
    for patch, type in REFUSED_UPDATES_CASES:
        answer = jmap.call("Identity/set", update={own(jmap): patch})
        assert answer["notUpdated"][own(jmap)]["type"] == type


def test_there_is_a_most(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities_store, "MOST", 2)
    for _ in range(2):
        created(jmap)
    assert refused(jmap)["type"] == "overQuota"


def test_creation_ids_and_states(jmap: Client) -> None:
    create = {"k": {"email": jmap.account.address}}
    answer = jmap.call("Identity/set", create=create, update={"#k": {"name": "K"}})
    id = answer["created"]["k"]["id"]
    assert answer["updated"] == {id: None}
    assert shown(jmap, id)["name"] == "K"
    assert jmap.error("Identity/set", ifInState=answer["oldState"])["type"] == "stateMismatch"
