"""Contacts for tests."""

from tests.jmap.client import Client, Json

ZOE: Json = {
    "uid": "urn:uuid:4e5b1b9a-0000-4000-8000-000000000001",
    "name": {
        "components": [
            {"kind": "given", "value": "Zoë"},
            {"kind": "surname", "value": "Müller"},
            {"kind": "surname2", "value": "Ortega"},
        ],
        "full": "Zoë Müller Ortega",
    },
    "nicknames": {"n": {"name": "Zozo"}},
    "organizations": {"o": {"name": "Far Ltd", "units": [{"name": "Research"}]}},
    "emails": {"e": {"address": "zoe@far.test", "contexts": {"work": True}, "pref": 1}},
    "phones": {"p": {"number": "+49 30 123-456", "features": {"mobile": True}, "label": "Holiday"}},
    "onlineServices": {"s": {"service": "Mastodon", "user": "@zoe@far.test"}},
    "addresses": {
        "a": {"components": [{"kind": "name", "value": "Main St"}, {"kind": "locality", "value": "Bonn"}]}
    },
    "notes": {"n": {"note": "Likes trains"}},
    "anniversaries": {"b": {"kind": "birth", "date": {"year": 1990, "month": 3, "day": 2}}},
    "keywords": {"friend": True},
    "far.test:shoe": {"size": 39.5},
}


def named(full: str, **more: object) -> Json:
    """A card with little on it."""
    return {"name": {"full": full}, **more}


def made(jmap: Client, card: Json) -> str:
    """The id of a card that is kept now."""
    answer = jmap.call("ContactCard/set", create={"c": card})
    assert answer["created"], answer
    return str(answer["created"]["c"]["id"])


def shown(jmap: Client, id: str, **args: object) -> Json:
    """A card as ContactCard/get shows it."""
    [card] = jmap.call("ContactCard/get", ids=[id], **args)["list"]
    return dict(card)


def refused(jmap: Client, **args: object) -> Json:
    """The one SetError."""
    answer = jmap.call("ContactCard/set", **args)
    [error] = (answer["notCreated"] or answer["notUpdated"] or answer["notDestroyed"]).values()
    return dict(error)
