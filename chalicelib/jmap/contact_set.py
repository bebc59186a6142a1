"""ContactCard/set (RFC 9610 §3.5)."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from chalicelib.jmap import arguments, blobs, patches
from chalicelib.jmap.contact_get import show
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Json, SetError, set_error
from chalicelib.jmap.standard import Outcome, SetArguments
from chalicelib.rules import cardmedia
from chalicelib.rules.contacts import Contact, Shelf
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.ids import contact_id
from chalicelib.rules.jscontact import MAX_CARD
from chalicelib.services import contacts
from chalicelib.services.contacts import Done, Wanted

MAX_MEDIA = MAX_CARD * 3 // 4  # octets of a blob that becomes part of its card, in base64


def set_(ctx: Context, args: Json) -> Json:
    """Create, then change and destroy."""
    old = ctx.state_of("ContactCard")
    asked = SetArguments(args, old)
    outcome = Outcome()
    works = [_Creation(ctx, key, given) for key, given in asked.create.items()]
    _write(ctx, outcome, works)
    changed: list[_Work] = [_Update(ctx, key, patch) for key, patch in asked.update.items()]
    changed += [_Work(ctx, key) for key in asked.destroy]
    _write(ctx, outcome, changed)
    ctx.wrote()
    return outcome.finish(ctx, old, ctx.state_of("ContactCard"))


def _write(ctx: Context, outcome: Outcome, works: Sequence["_Work"]) -> None:
    ready: list[_Work] = []
    for work in works:
        try:
            work.begin()
            ready.append(work)
        except SetError as error:
            outcome[work.refused_in][work.key] = error.answer
        except ServiceError as error:
            outcome[work.refused_in][work.key] = set_error(error)
    wanted = [Wanted(work.id, work.make) for work in ready]
    for work, done in zip(ready, contacts.write(ctx.p, ctx.account, wanted) if ready else (), strict=True):
        if done.refusal is not None:
            outcome[work.refused_in][work.key] = set_error(done.refusal)
        else:
            work.finish(outcome, done)


def _invalid(name: str, detail: str) -> ServiceError:
    return ServiceError("invalid", detail, (Fault(f"/{name}", detail),))


@dataclass
class _Work:
    """One object of the call, as it is: a destruction. `make` as the store wants it."""

    ctx: Context
    key: str
    given: Json = field(default_factory=dict)
    id: str = ""
    expected: Json = field(default_factory=dict)  # what the client takes the contact to be
    refused_in = "notDestroyed"

    def begin(self) -> None:
        """Find the id. Raises SetError notFound."""
        id = self.ctx.resolve(self.key)
        if id is None or not arguments.is_id(id):
            raise SetError("notFound")
        self.id = id

    def make(self, was: Contact | None, _shelf: Shelf, /) -> Contact | None:
        """The contact as it is to be: that of a destruction is none. Raises ServiceError."""
        if was is None:
            raise ServiceError("not_found", "There is no such contact.")
        return None

    def finish(self, outcome: Outcome, _done: Done, /) -> None:
        """Say what was done."""
        outcome.destroyed.append(self.id)


class _Creation(_Work):
    refused_in = "notCreated"

    def begin(self) -> None:
        """RFC 9553 §2.1.9: what has no uid gets one; the contact's id follows from it."""
        if "id" in self.given:
            raise _invalid("id", "The id is given by the server.")
        self.expected = self.given
        uid = self.given.get("uid")
        if "uid" not in self.given:
            uid = f"urn:uuid:{uuid4()}"
        if not isinstance(uid, str):
            raise _invalid("uid", "This is a string.")
        self.given = self.given | {"uid": uid}
        self.id = contact_id(uid)

    def make(self, was: Contact | None, shelf: Shelf) -> Contact:
        if was is not None:
            more = {"reason": "alreadyExists", "existing": was.id}
            raise ServiceError("conflict", "There is a contact with this uid.", extra=more)
        return _contact(self.ctx, self.id, self.given, shelf, None)

    def finish(self, outcome: Outcome, done: Done) -> None:
        self.ctx.created[self.key] = self.id
        assert done.contact is not None
        outcome["created"][self.key] = _news(self.expected, show(done.contact))


class _Update(_Work):
    refused_in = "notUpdated"

    def make(self, was: Contact | None, shelf: Shelf) -> Contact:
        if was is None:
            raise ServiceError("not_found", "There is no such contact.")
        before = show(was)
        after = patches.apply(before, self._resolved())
        for name in ("id", "uid"):
            if after.get(name) != before[name]:
                raise _invalid(name, "This cannot be changed.")
        self.expected = after
        return _contact(self.ctx, was.id, after, shelf, was)

    def _resolved(self) -> Json:
        """The patch, creation ids in its paths replaced."""
        prefix = "addressBookIds/#"
        found: Json = {}
        for path, value in self.given.items():
            id = self.ctx.resolve(path.removeprefix("addressBookIds/")) if path.startswith(prefix) else None
            found[f"addressBookIds/{id}" if id else path] = value
        return found

    def finish(self, outcome: Outcome, done: Done) -> None:
        assert done.contact is not None
        outcome["updated"][self.id] = _news(self.expected, show(done.contact)) or None


def _news(expected: Json, shown: Json) -> Json:
    """What the client does not know yet."""
    return {name: value for name, value in shown.items() if name not in expected or expected[name] != value}


def _contact(ctx: Context, id: str, given: Json, shelf: Shelf, was: Contact | None) -> Contact:
    """A checked contact. Raises ServiceError."""
    card = {name: value for name, value in given.items() if name not in ("id", "addressBookIds")}
    book = _book(ctx, given.get("addressBookIds", {shelf.default: True} if was is None else None))
    contacts.check(card)
    card = _with_media(ctx, card, was)
    return Contact(id, book, contacts.stamped(card, was.card if was else None))


def _book(ctx: Context, given: Any) -> str:
    """The one address book that is named."""
    if not isinstance(given, dict) or len(given) != 1 or next(iter(given.values())) is not True:
        raise _invalid("addressBookIds", "A contact is in one address book: a map of its id to true.")
    [asked] = given
    return ctx.resolve(asked) or asked


def _with_media(ctx: Context, card: Json, was: Contact | None) -> Json:
    """Small blobs become part of the card, as data: URIs, and are shown as blobs again (RFC 9610 §3). Raises
    ServiceError: for a new photo that is no image, too (§3.5)."""
    if "media" not in card:
        return card
    shown = show(was).get("media", {}) if was else {}
    media: Json = {}
    for id, entry in card["media"].items():
        if was and entry == shown.get(id):
            media[id] = was.card["media"][id]
        else:
            media[id] = _inlined(ctx, entry, shown.get(id, {}))
    return card | {"media": media}


def _inlined(ctx: Context, entry: Json, shown: Json) -> Json:
    """A new or changed one; `shown`: what it was. Of a blob and a URI the one that is new counts."""
    if "blobId" in entry and not ("uri" in entry and entry["blobId"] == shown.get("blobId")):
        entry = _with_octets(ctx, entry)
    entry = {name: value for name, value in entry.items() if name != "blobId"}
    fault = (
        cardmedia.picture_fault(entry["uri"], entry.get("mediaType")) if entry["kind"] == "photo" else None
    )
    if fault:
        raise _invalid("media", fault)
    return entry


def _with_octets(ctx: Context, entry: Json) -> Json:
    if _octets(ctx, entry["blobId"]) > MAX_MEDIA:
        detail = f"A picture on a card has at most {MAX_MEDIA} octets."
        raise ServiceError("too_large", detail, extra={"limit": MAX_MEDIA})
    octets = blobs.content(ctx, entry["blobId"])
    kind = entry.get("mediaType") or cardmedia.image_type(octets) or "application/octet-stream"
    if not cardmedia.is_type(kind):
        raise _invalid("media", "This is no media type.")
    return entry | {"mediaType": kind, "uri": f"data:{kind};base64,{b64encode(octets).decode()}"}


def _octets(ctx: Context, blob: str) -> int:
    try:
        return blobs.size(ctx, blob)
    except ServiceError as error:
        raise _invalid("media", error.detail) from None
