"""A valid call of every method, against a mailbox with something of everything in it."""

from dataclasses import dataclass

from chalicelib.jmap import blobs
from tests.jmap.client import Client, Json, letter

FAR = "zoe@far.test"


@dataclass(frozen=True)
class Things:
    """Ids of what there is."""

    email: str
    spare: str
    folder: str
    thread: str
    upload: str
    card: str
    draft: str
    submission: str
    identity: str


def _draft(jmap: Client) -> Json:
    return {
        "mailboxIds": {jmap.roles["drafts"]: True},
        "keywords": {"$draft": True},
        "from": [{"name": "Uma", "email": jmap.account.address}],
        "to": [{"name": None, "email": FAR}],
        "subject": "Hello",
        "sentAt": "2026-01-01T10:00:00+01:00",
        "header:X-Any:asText": "value",
        "bodyStructure": {
            "type": "multipart/alternative",
            "subParts": [
                {"partId": "t", "type": "text/plain", "disposition": "inline"},
                {"partId": "h", "type": "text/html", "cid": "c@x", "header:X-Part": " 1"},
            ],
        },
        "bodyValues": {"t": {"value": "Hi", "isTruncated": False}, "h": {"value": "<p>Hi</p>"}},
    }


CARD: Json = {
    "@type": "Card",
    "version": "1.0",
    "name": {"full": "Zoe Far", "components": [{"kind": "given", "value": "Zoe"}]},
    "emails": {"e": {"address": FAR, "contexts": {"work": True}, "pref": 1}},
}


def things(jmap: Client) -> Things:
    """Make something of everything."""
    first = jmap.deliver(letter("one", "first words", Message_ID="<1@far.test>"))
    spare = jmap.deliver(letter("Re: one", "more words", In_Reply_To="<1@far.test>"))
    made = jmap.call("Mailbox/set", create={"f": {"name": "Work", "parentId": None}})
    held, draft = (str(jmap.draft(**_draft(jmap))["id"]) for _ in range(2))
    identity = f"i{jmap.account.id}"
    envelope = {
        "mailFrom": {"email": jmap.account.address, "parameters": {"HOLDFOR": "600"}},
        "rcptTo": [{"email": FAR}],
    }
    sent = {"emailId": held, "identityId": identity, "envelope": envelope}
    book = jmap.call("AddressBook/get", ids=None)["list"][0]["id"]
    card = jmap.call("ContactCard/set", create={"c": {**CARD, "addressBookIds": {book: True}}})
    return Things(
        email=first,
        spare=spare,
        folder=made["created"]["f"]["id"],
        thread=jmap.email(first, properties=["threadId"])["threadId"],
        upload=blobs.keep(jmap.post.p, jmap.account, letter("up"), "message/rfc822"),
        card=card["created"]["c"]["id"],
        draft=draft,
        submission=jmap.call("EmailSubmission/set", create={"s": sent})["created"]["s"]["id"],
        identity=identity,
    )


def _reads(jmap: Client, t: Things) -> dict[str, Json]:
    inbox = jmap.roles["inbox"]
    every: Json = {
        "operator": "AND",
        "conditions": [
            {"inMailbox": inbox, "before": "2100-01-01T00:00:00Z", "minSize": 1, "notKeyword": "$flagged"},
            {"operator": "NOT", "conditions": [{"text": "absent"}, {"hasAttachment": True}]},
        ],
    }
    page = {"position": 0, "anchor": None, "anchorOffset": 0, "limit": 5, "calculateTotal": True}
    bodies = {
        "properties": ["id", "subject", "headers", "header:From:asAddresses", "bodyStructure", "bodyValues"],
        "bodyProperties": ["partId", "type", "header:Content-Type"],
        "fetchTextBodyValues": True,
        "fetchAllBodyValues": False,
        "maxBodyValueBytes": 100,
    }
    newest = [{"property": "receivedAt", "isAscending": False, "collation": None}]
    return {
        "Core/echo": {"any": [1, {"two": None}]},
        "Blob/get": {"ids": [t.upload], "properties": ["data:asText", "size"], "offset": 1, "length": 5},
        "Blob/lookup": {"typeNames": ["Email", "Mailbox"], "ids": [t.email, t.upload]},
        "Mailbox/get": {"ids": [inbox], "properties": ["name", "myRights"]},
        "Mailbox/changes": {"sinceState": jmap.state("Mailbox"), "maxChanges": 3},
        "Mailbox/query": {
            "filter": {"operator": "OR", "conditions": [{"role": "inbox"}, {"parentId": None}]},
            "sort": [{"property": "sortOrder"}, {"property": "name", "isAscending": False}],
            "sortAsTree": True,
            "filterAsTree": True,
            **page,
        },
        "Mailbox/queryChanges": {
            "sinceQueryState": jmap.state("Mailbox"),
            "filter": {"isSubscribed": True},
            "sort": None,
            "maxChanges": 5,
        },
        "Thread/get": {"ids": [t.thread], "properties": ["emailIds"]},
        "Thread/changes": {"sinceState": jmap.state("Thread"), "maxChanges": 3},
        "Email/get": {"ids": [t.email], **bodies},
        "Email/changes": {"sinceState": jmap.state(), "maxChanges": 3},
        "Email/query": {"filter": every, "sort": newest, "collapseThreads": True, **page},
        "Email/queryChanges": {
            "sinceQueryState": jmap.state(),
            "filter": {"inMailbox": inbox},
            "sort": newest,
            "maxChanges": 5,
            "upToId": t.email,
            "calculateTotal": True,
        },
        "SearchSnippet/get": {"filter": {"text": "words"}, "emailIds": [t.email, t.spare]},
        "Email/parse": {"blobIds": [t.upload], **bodies, "properties": ["subject", "bodyValues"]},
        "Identity/get": {"ids": None, "properties": ["email", "textSignature"]},
        "Identity/changes": {"sinceState": jmap.state("Identity"), "maxChanges": 3},
        "EmailSubmission/get": {"ids": [t.submission], "properties": ["undoStatus", "envelope"]},
        "EmailSubmission/changes": {"sinceState": jmap.state("EmailSubmission"), "maxChanges": 3},
        "EmailSubmission/query": {
            "filter": {"identityIds": [t.identity], "undoStatus": "pending", "after": "2000-01-01T00:00:00Z"},
            "sort": [{"property": "sentAt"}],
            **page,
        },
        "EmailSubmission/queryChanges": {"sinceQueryState": jmap.state("EmailSubmission"), "maxChanges": 5},
        "VacationResponse/get": {"ids": ["singleton"], "properties": ["isEnabled"]},
        "Quota/get": {"ids": None, "properties": ["used"]},
        "Quota/changes": {"sinceState": jmap.state("Quota"), "maxChanges": 3},
        "Quota/query": {
            "filter": {"name": "Storage", "type": "Email"},
            "sort": [{"property": "used"}],
            **page,
        },
        "Quota/queryChanges": {"sinceQueryState": "1-2"},
        "AddressBook/get": {"ids": None, "properties": ["name"]},
        "AddressBook/changes": {"sinceState": jmap.state("AddressBook"), "maxChanges": 3},
        "ContactCard/get": {"ids": [t.card], "properties": ["name", "emails"]},
        "ContactCard/changes": {"sinceState": jmap.state("ContactCard"), "maxChanges": 3},
        "ContactCard/query": {
            "filter": {"operator": "AND", "conditions": [{"text": "zoe"}, {"kind": "individual"}]},
            "sort": [{"property": "updated", "isAscending": False}],
            **page,
        },
        "ContactCard/queryChanges": {"sinceQueryState": jmap.state("ContactCard"), "upToId": t.card},
    }


def _writes(jmap: Client, t: Things) -> dict[str, Json]:
    folder = {"name": "Play", "parentId": t.folder, "role": None, "sortOrder": 3, "isSubscribed": True}
    signed = {
        "name": "U",
        "email": jmap.account.address,
        "replyTo": [{"name": "U", "email": FAR}],
        "bcc": None,
    }
    envelope = {
        "mailFrom": {"email": jmap.account.address, "parameters": {"HOLDFOR": "60"}},
        "rcptTo": [{"email": FAR, "parameters": None}],
    }
    sent = {"emailId": t.draft, "identityId": t.identity, "envelope": envelope}
    away = {"isEnabled": True, "fromDate": "2026-01-01T00:00:00Z", "toDate": None, "subject": "Away"}
    return {
        "Blob/copy": {"fromAccountId": "other", "blobIds": [t.upload]},
        "Blob/upload": {"create": {"b": {"data": [{"data:asText": "hi"}], "type": "text/plain"}}},
        "Mailbox/set": {
            "create": {"n": folder},
            "update": {t.folder: {"name": "Works", "sortOrder": 1}},
            "destroy": [],
            "onDestroyRemoveEmails": False,
            "ifInState": None,
        },
        "Email/set": {
            "create": {"n": _draft(jmap)},
            "update": {t.email: {"keywords/$seen": True, "mailboxIds": {t.folder: True}}},
            "destroy": [t.spare],
        },
        "Email/import": {
            "emails": {
                "i": {
                    "blobId": t.upload,
                    "mailboxIds": {t.folder: True},
                    "keywords": {"$seen": True},
                    "receivedAt": "2026-01-01T00:00:00Z",
                }
            }
        },
        "Email/copy": {"fromAccountId": "other", "create": {"c": {"id": t.email, "mailboxIds": {}}}},
        "Identity/set": {"create": {"i": signed}, "update": {t.identity: {"htmlSignature": "<b>U</b>"}}},
        "EmailSubmission/set": {
            "create": {"s": sent},
            "update": {t.submission: {"undoStatus": "canceled"}},
            "destroy": [],
            "onSuccessUpdateEmail": {"#s": {"keywords/$seen": None}},
            "onSuccessDestroyEmail": [],
        },
        "VacationResponse/set": {"update": {"singleton": {**away, "textBody": "Gone", "htmlBody": None}}},
        "AddressBook/set": {
            "create": {"b": {"name": "Team", "sortOrder": 1}},
            "onDestroyRemoveContents": False,
            "onSuccessSetIsDefault": "#b",
        },
        "ContactCard/set": {
            "create": {"c": {**CARD, "notes": {"n": {"note": "x"}}}},
            "update": {t.card: {"name/full": "Zoe", "emails/e/pref": 2}},
            "destroy": [],
        },
        "ContactCard/copy": {"fromAccountId": "other", "create": {"c": {"id": t.card}}},
    }


def valid(jmap: Client, t: Things) -> dict[str, Json]:
    """Arguments of a valid call by method, accountId left out."""
    return _reads(jmap, t) | _writes(jmap, t)
