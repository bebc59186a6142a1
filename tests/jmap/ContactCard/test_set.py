"""ContactCard/set (RFC 9610 §3.5) and the types of JSContact (RFC 9553)."""

import copy
from collections.abc import Sequence

import pytest

from chalicelib.aws import clock
from chalicelib.aws.table import Table, Write
from chalicelib.jmap import arguments, blobs
from chalicelib.rules import contacts as rules
from chalicelib.rules.jscontact import MAX_CARD, octets
from chalicelib.services import contacts, mailbox, repair
from tests.jmap.client import Client, Json
from tests.jmap.ContactCard.people import ZOE, made, named, refused, shown


def used(jmap: Client) -> int:
    return mailbox.state(jmap.post.p, jmap.account.id).used_bytes


def test_a_card_is_kept_as_given_with_what_the_server_sets(jmap: Client) -> None:
    answer = jmap.call("ContactCard/set", create={"c": ZOE})
    news = answer["created"]["c"]
    assert set(news) == {"id", "addressBookIds", "@type", "version", "created", "updated"}
    assert news["created"] == news["updated"] == arguments.show_date(clock.now())
    whole = shown(jmap, news["id"])
    assert whole == {**ZOE, **news}
    part = shown(jmap, news["id"], properties=["uid", "far.test:shoe", "titles"])
    assert part == {"id": news["id"], "uid": ZOE["uid"], "far.test:shoe": {"size": 39.5}}
    assert jmap.error("ContactCard/get", ids=[], properties=["shoe"])["type"] == "invalidArguments"


def test_one_without_a_uid_gets_one_and_a_uid_is_there_once(jmap: Client) -> None:
    first = jmap.call("ContactCard/set", create={"c": named("Al")})["created"]["c"]
    assert first["uid"].startswith("urn:uuid:")
    again = refused(jmap, create={"c": named("Al", uid=first["uid"])})
    assert (again["type"], again["existingId"]) == ("alreadyExists", first["id"])
    both = jmap.call("ContactCard/set", create={"a": named("A", uid="u"), "b": named("B", uid="u")})
    assert list(both["created"]) == ["a"]
    assert both["notCreated"]["b"]["type"] == "alreadyExists"


def test_two_that_make_one_uid_at_once_make_one_contact(
    jmap: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Table.transact
    first: list[str] = []

    def overtaken(table: Table, writes: Sequence[Write]) -> None:
        if not first:
            monkeypatch.setattr(Table, "transact", original)
            first.append(made(jmap, named("First", uid="u")))
        original(table, writes)

    monkeypatch.setattr(Table, "transact", overtaken)
    error = refused(jmap, create={"c": named("Second", uid="u")})
    assert (error["type"], error["existingId"]) == ("alreadyExists", first[0])
    assert shown(jmap, first[0])["name"] == {"full": "First"}


def test_change_by_pointers(jmap: Client) -> None:
    id = made(jmap, ZOE)
    jmap.post.clock.advance(minutes=5)
    patch = {
        "emails/e/pref": None,
        "emails/f": {"address": "z@home.test"},
        "notes": None,
        "name/full": "Zoë M.",
        "far.test:shoe/size": 40,
    }
    answer = jmap.call("ContactCard/set", update={id: patch})
    assert set(answer["updated"][id]) == {"updated"}
    now = shown(jmap, id)
    assert now["emails"] == {
        "e": {"address": "zoe@far.test", "contexts": {"work": True}},
        "f": {"address": "z@home.test"},
    }
    assert "notes" not in now
    assert (now["name"]["full"], now["far.test:shoe"]) == ("Zoë M.", {"size": 40})
    assert now["updated"] > now["created"]


def test_a_change_of_nothing_is_none(jmap: Client) -> None:
    id = made(jmap, ZOE)
    before = jmap.state("ContactCard")
    jmap.post.clock.advance(minutes=5)
    assert jmap.call("ContactCard/set", update={id: {"kind": None}})["updated"] == {id: None}
    assert jmap.state("ContactCard") == before


def test_destroy_and_make_again(jmap: Client) -> None:
    id = made(jmap, ZOE)
    before = jmap.state("ContactCard")
    assert jmap.call("ContactCard/set", destroy=[id, "none", "!"])["destroyed"] == [id]
    assert jmap.call("ContactCard/changes", sinceState=before)["destroyed"] == [id]
    assert refused(jmap, destroy=[id])["type"] == "notFound"
    assert refused(jmap, update={id: {"kind": "org"}})["type"] == "notFound"
    assert made(jmap, ZOE) == id
    assert jmap.call("ContactCard/changes", sinceState=before)["updated"] == [id]


def test_create_change_and_destroy_by_creation_id_in_one_request(jmap: Client) -> None:
    answer = jmap.call(
        "ContactCard/set",
        create={"a": named("A"), "b": named("B")},
        update={"#a": {"name/full": "Aa"}},
        destroy=["#b"],
    )
    a, b = (answer["created"][key]["id"] for key in "ab")
    assert (list(answer["updated"]), answer["destroyed"]) == ([a], [b])
    assert shown(jmap, a)["name"] == {"full": "Aa"}


def test_books(jmap: Client) -> None:
    calls = jmap.request(
        ("AddressBook/set", {"create": {"k": {"name": "Work"}}}, "0"),
        ("ContactCard/set", {"create": {"c": named("A", addressBookIds={"#k": True})}}, "1"),
    )
    book, id = calls[0][1]["created"]["k"]["id"], calls[1][1]["created"]["c"]["id"]
    assert shown(jmap, id)["addressBookIds"] == {book: True}
    moved = {"addressBookIds/b1": True, f"addressBookIds/{book}": None}
    assert jmap.call("ContactCard/set", update={id: moved})["updated"]
    assert shown(jmap, id)["addressBookIds"] == {"b1": True}
    for wrong in ({}, {"none": True}, {"b1": False}, {"b1": True, book: True}, ["b1"], None):
        assert refused(jmap, create={"c": named("A", addressBookIds=wrong)})["type"] == "invalidProperties"
    for patch in ({"addressBookIds": None}, {f"addressBookIds/{book}": True}, {"addressBookIds/b1": None}):
        assert refused(jmap, update={id: patch})["properties"] == ["addressBookIds"]


def test_groups(jmap: Client) -> None:
    group = made(jmap, named("Team", kind="group", members={ZOE["uid"]: True, "urn:uuid:absent": True}))
    assert jmap.call("ContactCard/set", update={group: {"members/urn:uuid:absent": None}})["updated"]
    assert shown(jmap, group)["members"] == {ZOE["uid"]: True}
    assert refused(jmap, create={"c": named("A", members={"u": True})})["properties"] == ["members"]


WRONG: dict[str, Json] = {
    "name": {"name": "Zoe"},
    "name without either": {"name": {"isOrdered": True}},
    "component": {"name": {"components": [{"kind": "given"}]}},
    "component's type": {"name": {"components": [{"@type": "Name", "kind": "given", "value": "A"}]}},
    "emails": {"emails": [{"address": "a@x.test"}]},
    "email": {"emails": {"e": {"address": 1}}},
    "no address": {"emails": {"e": {}}},
    "id": {"emails": {"e e": {"address": "a@x.test"}}},
    "contexts": {"emails": {"e": {"address": "a@x.test", "contexts": {"work": False}}}},
    "pref": {"phones": {"p": {"number": "1", "pref": 0}}},
    "pref as text": {"phones": {"p": {"number": "1", "pref": "1"}}},
    "month": {"anniversaries": {"b": {"kind": "birth", "date": {"month": 13}}}},
    "timestamp": {"anniversaries": {"b": {"kind": "birth", "date": {"@type": "Timestamp", "utc": "1990"}}}},
    "created": {"created": "2026-13-01T00:00:00Z"},
    "version": {"version": "9.0"},
    "type": {"@type": "Group"},
    "uid": {"uid": ""},
    "uid's type": {"uid": 5},
    "keywords": {"keywords": ["friend"]},
    "members": {"kind": "group", "members": {"u": None}},
    "notes": {"notes": {"n": {"note": None}}},
    "media": {"media": {"m": {"kind": "photo"}}},
    "null": {"titles": None},
    "server's": {"id": "k1"},
    "localizations": {"localizations": {"de": []}},
    "speakToAs": {"speakToAs": {}},
}


GIF = "data:image/gif;base64,R0lGODlh"
VCARD = b"""BEGIN:VCARD\r
VERSION:4.0\r
UID:urn:x:1\r
FN:Ann\r
PHOTO:data:image/svg+xml;base64,eA==\r
END:VCARD\r
"""


def test_what_is_no_card(jmap: Client) -> None:
    for what, given in WRONG.items():
        error = refused(jmap, create={"c": given})
        named_first = next(n for n in given if n != "kind" or len(given) == 1)
        assert (error["type"], error["properties"]) == ("invalidProperties", [named_first]), what


def test_patches_that_cannot_be(jmap: Client) -> None:
    id = made(jmap, ZOE)
    for patch in (
        {"emails/x/address": "a@x.test"},
        {"name/components/0/value": "A"},
        {"emails": None, "emails/e/pref": 3},
        {"uid/x": 1},
    ):
        assert refused(jmap, update={id: patch})["type"] == "invalidPatch", patch
    for change in ({"uid": "other"}, {"uid": None}, {"id": "other"}, {"emails/e/address": None}):
        assert refused(jmap, update={id: change})["type"] == "invalidProperties", change
    assert refused(jmap, update={"#none": {}})["type"] == "notFound"


def test_a_small_picture_becomes_part_of_its_card(jmap: Client) -> None:
    p, account = jmap.post.p, jmap.account
    blob = blobs.upload(p, account, b"GIF89a", "image/gif")["blobId"]
    photo = {"kind": "photo", "blobId": blob, "mediaType": "image/gif"}
    created = jmap.call("ContactCard/set", create={"c": named("A", media={"m": photo})})["created"]["c"]
    kept = shown(jmap, created["id"])["media"]["m"]
    assert created["media"] == {"m": kept}
    assert kept == {"kind": "photo", "mediaType": "image/gif", "blobId": kept["blobId"]}
    assert contacts.get(p, account.id, [created["id"]])[created["id"]].card["media"]["m"]["uri"] == GIF
    absent = {"m": photo | {"blobId": "u" + "a" * 26}}
    assert refused(jmap, create={"c": named("A", media=absent)})["properties"] == ["media"]
    assert refused(jmap, create={"c": named("A", media={"m": photo | {"mediaType": "a,b"}})})["properties"]
    large = blobs.upload(p, account, b"x" * MAX_CARD, "image/gif")["blobId"]
    error = refused(jmap, create={"c": named("A", media={"m": photo | {"blobId": large}})})
    assert error["type"] == "tooLarge"


def test_a_picture_is_a_blob_whichever_way_it_came(jmap: Client) -> None:
    """RFC 9610 §3: blobId and mediaType instead of a data: URI; the blob is read as any other."""
    id = made(jmap, named("A", media={"m": {"kind": "photo", "uri": GIF, "label": "me"}}))
    media = shown(jmap, id)["media"]["m"]
    blob = media["blobId"]
    assert media == {"kind": "photo", "label": "me", "mediaType": "image/gif", "blobId": blob}
    [read] = jmap.call("Blob/get", ids=[blob], properties=["data:asText", "size"], offset=3)["list"]
    assert (read["data:asText"], read["size"]) == ("89a", 6)
    url = blobs.download_url(jmap.post.p, jmap.account, blob, "me.gif", "image/gif")
    assert blob not in url
    assert jmap.draft(attachments=[{"blobId": blob, "type": "image/gif"}])["size"] > 0
    [found] = jmap.call("Blob/lookup", typeNames=["Email"], ids=[blob])["list"]
    assert found["matchedIds"] == {"Email": []}
    other = Client(jmap.post, jmap.post.accounts["bob@x.test"])
    gone = [f"{id}_{'0' * 32}", f"{id}_", id, f"{blob}_1"]
    assert jmap.call("Blob/get", ids=gone, properties=["size"])["notFound"] == gone
    assert other.call("Blob/get", ids=[blob], properties=["size"])["notFound"] == [blob]


def test_a_picture_stays_through_other_changes_and_can_be_another(jmap: Client) -> None:
    id = made(jmap, named("A", media={"m": {"kind": "photo", "uri": GIF}}))
    card, state = shown(jmap, id), jmap.state("ContactCard")
    jmap.call("ContactCard/set", update={id: {"media": card["media"], "name": card["name"]}})
    assert jmap.state("ContactCard") == state, "nothing new was said"
    update: Json = {"media/m/label": "me", "media/n": card["media"]["m"]}
    assert jmap.call("ContactCard/set", update={id: update})["notUpdated"] is None
    media = shown(jmap, id)["media"]
    assert media == {"m": {**card["media"]["m"], "label": "me"}, "n": card["media"]["m"]}
    png = "data:image/png;base64,iVBORw0KGgo="
    jmap.call(
        "ContactCard/set",
        update={id: {"media/m/uri": png, "media/m/mediaType": "image/png", "media/n": None}},
    )
    [after] = shown(jmap, id)["media"].values()
    assert (after["mediaType"], after["blobId"] != card["media"]["m"]["blobId"]) == ("image/png", True)
    elsewhere = {"kind": "photo", "uri": "https://x.test/me.png"}
    jmap.call("ContactCard/set", update={id: {"media/m": elsewhere}})
    assert shown(jmap, id)["media"] == {"m": elsewhere}


def test_a_photo_is_an_image(jmap: Client) -> None:
    """RFC 9610 §3.5, whatever it is called; what is on a card already hinders no other change."""
    p, account = jmap.post.p, jmap.account
    text, gif = (blobs.upload(p, account, octets, "image/png")["blobId"] for octets in (b"text", b"GIF89a"))
    wrong: list[Json] = [
        {"blobId": text, "mediaType": "text/plain"},
        {"blobId": text, "mediaType": "image/png"},
        {"blobId": text},
        {"blobId": gif, "mediaType": "text/html"},
        {"uri": "data:text/plain;base64,eA=="},
        {"uri": "data:image/png;base64,eA=="},
        {"uri": "data:,text"},
        {"uri": "https://x.test/me", "mediaType": "text/html"},
    ]
    for media in wrong:
        error = refused(jmap, create={"c": named("A", media={"m": {"kind": "photo", **media}})})
        assert (error["type"], error["properties"]) == ("invalidProperties", ["media"]), media
    right: list[Json] = [
        {"blobId": gif},
        {"uri": "data:image/gif;base64,R0lGODlh"},
        {"uri": "https://x.test/me.png"},
        {"uri": "https://x.test/me", "mediaType": "image/png"},
    ]
    for media in right:
        assert made(jmap, named("A", media={"m": {"kind": "photo", **media}}))
    sound = {"s": {"kind": "sound", "blobId": text, "mediaType": "audio/ogg"}}
    assert made(jmap, named("A", media=sound))
    contacts.bring_in_vcards(p, account, VCARD)
    [id] = [c.id for c in contacts.every(p, jmap.account.id).values() if c.card["uid"] == "urn:x:1"]
    assert (
        jmap.call("ContactCard/set", update={id: {"nicknames": {"n": {"name": "B"}}}})["notUpdated"] is None
    )


def test_a_card_too_large_says_how_large_it_may_be(jmap: Client) -> None:
    error = refused(jmap, create={"c": named("x" * MAX_CARD)})
    assert (error["type"], error["maxSize"]) == ("tooLarge", MAX_CARD)


def test_so_many_and_no_more(jmap: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_CONTACTS", 2)
    answer = jmap.call("ContactCard/set", create={f"c{n}": named(f"A{n}") for n in range(3)})
    assert (list(answer["created"]), answer["notCreated"]["c2"]["type"]) == (["c0", "c1"], "overQuota")
    monkeypatch.setattr(rules, "MAX_OCTETS", 10)
    first = answer["created"]["c0"]["id"]
    assert refused(jmap, update={first: {"name/full": "A longer name"}})["type"] == "overQuota"
    assert jmap.call("ContactCard/set", destroy=[first])["destroyed"] == [first]


# -------------------------------------------------------------------------------------------- S14, S17, S18
def test_s14_contacts_count_by_their_octets_and_no_more_when_gone(jmap: Client) -> None:
    before = used(jmap)
    id = made(jmap, ZOE)
    card = {n: v for n, v in shown(jmap, id).items() if n not in ("id", "addressBookIds")}
    assert used(jmap) - before == octets(card)
    [quota] = jmap.call("Quota/get", ids=None)["list"]
    assert (quota["used"], quota["types"]) == (used(jmap), ["Email", "ContactCard"])
    jmap.call("ContactCard/set", update={id: {"notes": None}})
    assert used(jmap) - before < octets(card)
    assert repair.check(jmap.post.p, jmap.account.id) == []
    jmap.call("ContactCard/set", destroy=[id])
    assert used(jmap) == before


def test_s17_a_contact_that_does_not_fit_is_refused(jmap: Client) -> None:
    p, acct = jmap.post.p, jmap.account.id
    probe = made(jmap, named("A", uid="u1", created="2026-01-01T00:00:00Z"))
    size = used(jmap)
    limit = jmap.account.quota_bytes
    actual = p.mailboxes.counted(acct)
    stuffed = copy.deepcopy(actual)
    stuffed.used = limit - size + 1
    assert p.mailboxes.recount(acct, actual.modseq, stuffed)
    error = refused(jmap, create={"c": named("A", uid="u2", created="2026-01-01T00:00:00Z")})
    assert (error["type"], error["limit"], error["used"]) == ("overQuota", limit, limit - size + 1)
    assert refused(jmap, update={probe: {"name/full": "A" * 2 * size}})["type"] == "overQuota"
    assert jmap.call("ContactCard/set", update={probe: {"name/full": "B"}})["updated"]  # no larger
    actual = p.mailboxes.counted(acct)
    stuffed.used = limit - size
    assert p.mailboxes.recount(acct, actual.modseq, stuffed)
    made(jmap, named("A", uid="u2", created="2026-01-01T00:00:00Z"))  # full to the byte
    assert used(jmap) == limit
    assert refused(jmap, create={"c": {}})["type"] == "overQuota"
    assert jmap.call("ContactCard/set", destroy=[probe])["destroyed"]


def test_s16_a_contact_may_take_the_mailbox_over_the_line(jmap: Client) -> None:
    p, acct = jmap.post.p, jmap.account.id
    actual = p.mailboxes.counted(acct)
    stuffed = copy.deepcopy(actual)
    stuffed.used = jmap.account.quota_bytes * 90 // 100 - 10
    assert p.mailboxes.recount(acct, actual.modseq, stuffed)
    made(jmap, ZOE)
    mail = jmap.call("Email/query", filter={"inMailbox": jmap.roles["inbox"]})
    [warning] = jmap.call("Email/get", ids=mail["ids"])["list"]
    assert warning["subject"] == "Your mailbox is 90 % full"


def test_deleting_the_account_deletes_its_contacts(jmap: Client) -> None:
    made(jmap, ZOE)
    jmap.call("AddressBook/set", create={"k": {"name": "Work"}})
    mailbox.delete(jmap.post.p, jmap.account.id)
    assert list(jmap.post.p.mailboxes.items(jmap.account.id)) == []
