"""A mailbox in memory that answers JMAP in the shapes of RFC 8620 and RFC 8621, for the page tests alone."""

import copy
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
ROLES = ("inbox", "drafts", "sent", "archive", "junk", "trash")
START = datetime.now(UTC).replace(microsecond=0)


class Refused(Exception):
    """A method-level error: RFC 8620 §3.6.2."""

    def __init__(self, kind: str, description: str = "") -> None:
        super().__init__(kind)
        self.body = {"type": kind, "description": description}


class Mailroom:
    """One account. Emails are kept as JMAP objects; each change is logged for /changes."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.names = itertools.count(1)
        self.state = 1
        self.log: list[tuple[int, str, str]] = []
        self.blobs: dict[str, bytes] = {}
        self.emails: dict[str, Json] = {}
        self.folders: dict[str, Json] = {
            f"f{i}": {"id": f"f{i}", "name": role.title(), "role": role, "parentId": None, "sortOrder": i}
            for i, role in enumerate(ROLES)
        }
        self.folders["f9"] = {"id": "f9", "name": "Invoices", "role": None, "parentId": None, "sortOrder": 9}
        self.submissions: list[Json] = []
        self.refuse_sending: Json | None = None
        self.calls: list[str] = []

    def folder(self, role: str) -> str:
        """The id of the folder with a role, or with a name."""
        return next(key for key, f in self.folders.items() if role in (f["role"], f["name"]))

    def blob(self, content: bytes) -> str:
        blob_id = f"b{next(self.names)}"
        self.blobs[blob_id] = content
        return blob_id

    def add(self, subject: str, *, html: str | None = None, text: str | None = None, **given: Any) -> str:
        """Puts a message into a folder (inbox); newest first by the order of adding, less `age` hours."""
        parts = {"text/html": html, "text/plain": text if html is None or text is not None else None}
        values = {kind: {"value": words} for kind, words in parts.items() if words is not None}
        bodies = [self._part(kind, words["value"].encode()) for kind, words in values.items()]
        age = timedelta(hours=given.pop("age", 0), seconds=-next(self.names))
        email = {
            "from": [{"name": "Ann Lee", "email": "ann@friends.test"}],
            "to": [{"name": None, "email": self.address}],
            "receivedAt": (START - age).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "keywords": {},
            "mailboxIds": {self.folder(given.pop("folder", "inbox")): True},
            "subject": subject,
            "bodyValues": values,
            "textBody": [p for p in bodies if p["type"] == "text/plain"] or bodies,
            "htmlBody": [p for p in bodies if p["type"] == "text/html"] or bodies,
            "attachments": [],
            "messageId": [f"{next(self.names)}@friends.test"],
            **given,
        }
        return self._store(email)

    def _part(self, kind: str, content: bytes, **given: Any) -> Json:
        base = {"partId": kind, "blobId": self.blob(content), "size": len(content), "type": kind}
        return {**base, "name": None, "disposition": None, "cid": None, **given}

    def attachment(
        self, name: str, content: bytes, kind: str = "application/octet-stream", **given: Any
    ) -> Json:
        return self._part(
            kind, content, **{"partId": None, "name": name, "disposition": "attachment", **given}
        )

    def _store(self, email: Json) -> str:
        key = f"m{next(self.names)}"
        words = next(iter(email["bodyValues"].values()), {"value": ""})["value"]
        plain = email["bodyValues"].get("text/plain", {"value": words})["value"]
        full = {
            **dict.fromkeys(("cc", "bcc", "replyTo", "inReplyTo", "references", "sentAt", "from", "to")),
            "preview": " ".join(plain.split())[:200] if "<" not in plain[:1] else "",
            "hasAttachment": bool(email.get("attachments")),
            "threadId": f"t{key}",
            "blobId": self.blob(f"Subject: {email.get('subject')}\r\n\r\n{words}".encode()),
            "size": len(words) + 500,
            "messageId": [f"{key}@mail.test"],
            "receivedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **email,
            "id": key,
        }
        self.emails[key] = full
        self._changed(key, "created")
        return key

    def _changed(self, key: str, what: str) -> None:
        self.state += 1
        self.log.append((self.state, key, what))

    def handle(self, request: Json) -> Json:
        """One request: RFC 8620 §3.3, with result references (§3.7) and creation ids (§5.3)."""
        answers: list[tuple[str, Json, str]] = []
        created: dict[str, str] = {}
        for name, args, call in request["methodCalls"]:
            self.calls.append(name)
            try:
                for method, answer in self._method(name)(self._resolved(args, answers), created):
                    answers.append((method, answer, call))
            except Refused as error:
                answers.append(("error", error.body, call))
        return {"methodResponses": answers, "sessionState": "1"}

    def _method(self, name: str) -> Callable[[Json, dict[str, str]], list[tuple[str, Json]]]:
        found = getattr(self, "do_" + name.replace("/", "_").lower(), None)
        if found is None:
            raise Refused("unknownMethod", name)

        def run(args: Json, created: dict[str, str]) -> list[tuple[str, Json]]:
            answer = found(args, created)
            return answer if isinstance(answer, list) else [(name, answer)]

        return run

    def _resolved(self, args: Json, answers: list[tuple[str, Json, str]]) -> Json:
        result = {k: v for k, v in args.items() if not k.startswith("#")}
        for key, ref in ((k[1:], v) for k, v in args.items() if k.startswith("#")):
            source = next(a for n, a, c in answers if c == ref["resultOf"] and n == ref["name"])
            result[key] = source[ref["path"].strip("/")]
        return result

    def do_mailbox_get(self, _args: Json, _created: dict[str, str]) -> Json:
        return {"accountId": "a1", "state": str(self.state), "list": self.counted(), "notFound": []}

    def counted(self) -> list[Json]:
        """The folders with their counters."""
        result = []
        for folder in self.folders.values():
            inside = [e for e in self.emails.values() if folder["id"] in e["mailboxIds"]]
            unread = sum("$seen" not in e["keywords"] for e in inside)
            result.append({**folder, "totalEmails": len(inside), "unreadEmails": unread})
        return result

    def _changes(self, since: str) -> Json:
        if not since.isdigit():
            raise Refused("cannotCalculateChanges")
        seen: dict[str, str] = {}
        for state, key, what in self.log:
            if state > int(since):
                seen[key] = what if what == "destroyed" else seen.get(key, what)
        by = {what: [k for k, w in seen.items() if w == what] for what in ("created", "updated", "destroyed")}
        return {"oldState": since, "newState": str(self.state), "hasMoreChanges": False, **by}

    def do_mailbox_changes(self, args: Json, _created: dict[str, str]) -> Json:
        changed = self._changes(args["sinceState"])["newState"] != args["sinceState"]
        updated = list(self.folders) if changed else []
        return {**self._changes(args["sinceState"]), "created": [], "updated": updated, "destroyed": []}

    def do_email_changes(self, args: Json, _created: dict[str, str]) -> Json:
        return self._changes(args["sinceState"])

    def do_email_query(self, args: Json, _created: dict[str, str]) -> Json:
        box = args["filter"]["inMailbox"]
        inside = [e for e in self.emails.values() if box in e["mailboxIds"]]
        ids = [e["id"] for e in sorted(inside, key=lambda e: (e["receivedAt"], e["id"]), reverse=True)]
        at = args.get("position", 0)
        if "anchor" in args:
            if args["anchor"] not in ids:
                raise Refused("anchorNotFound")
            at = max(0, ids.index(args["anchor"]) + args.get("anchorOffset", 0))
        page = ids[at : at + args.get("limit", 256)]
        return {"queryState": str(self.state), "canCalculateChanges": False, "position": at, "ids": page}

    def do_email_get(self, args: Json, _created: dict[str, str]) -> Json:
        wanted = set(args.get("properties") or ()) | {"id"}
        found = [self.emails[i] for i in args["ids"] if i in self.emails]
        rows = [{k: v for k, v in e.items() if k in wanted} for e in found]
        missing = [i for i in args["ids"] if i not in self.emails]
        return copy.deepcopy({"accountId": "a1", "state": str(self.state), "list": rows, "notFound": missing})

    def do_identity_get(self, _args: Json, _created: dict[str, str]) -> Json:
        one = {"id": "i1", "name": "Bea Moss", "email": self.address, "replyTo": None}
        return {"state": "1", "list": [{**one, "textSignature": "", "htmlSignature": ""}], "notFound": []}

    def do_quota_get(self, _args: Json, _created: dict[str, str]) -> Json:
        mb = 1_048_576
        one = {"id": "q", "resourceType": "octets", "used": 61 * mb, "hardLimit": 250 * mb, "name": "Storage"}
        return {"state": "1", "list": [one], "notFound": []}

    def do_email_set(self, args: Json, created: dict[str, str]) -> Json:
        old = str(self.state)
        answer: Json = {"accountId": "a1", "created": {}, "updated": {}, "destroyed": []}
        for name, given in (args.get("create") or {}).items():
            created[name] = self._create(given)
            answer["created"][name] = {
                k: self.emails[created[name]][k] for k in ("id", "blobId", "threadId", "size")
            }
        for key, patch in (args.get("update") or {}).items():
            self._update(key, patch)
            answer["updated"][key] = None
        for key in args.get("destroy") or ():
            if self.emails.pop(key, None):
                self._changed(key, "destroyed")
                answer["destroyed"].append(key)
        return {**answer, "oldState": old, "newState": str(self.state)}

    def _create(self, given: Json) -> str:
        given = copy.deepcopy(given)
        values = given["bodyValues"]
        for name in ("textBody", "htmlBody"):
            parts = given.get(name) or []
            given[name] = [
                self._part(p["type"], values[p["partId"]]["value"].encode(), partId=p["partId"])
                for p in parts
            ]
        given["htmlBody"] = given["htmlBody"] or given["textBody"]
        for part in given.get("attachments", []):
            content = self.blobs[part["blobId"]]
            part.update(self.attachment(part["name"], content, part["type"], blobId=part["blobId"]))
        return self._store(given)

    def _update(self, key: str, patch: Json) -> None:
        email = self.emails[key]
        for path, value in patch.items():
            name, _, inner = path.partition("/")
            if not inner:
                email[name] = value
            elif value is None:
                email[name].pop(inner, None)
            else:
                email[name][inner] = value
        self._changed(key, "updated")

    def do_emailsubmission_set(self, args: Json, created: dict[str, str]) -> list[tuple[str, Json]]:
        answer: Json = {"accountId": "a1", "oldState": "1", "newState": "2", "created": {}, "notCreated": {}}
        patches = {}
        for name, given in args["create"].items():
            if self.refuse_sending:
                answer["notCreated"][name] = self.refuse_sending
                continue
            key = created.get(given["emailId"].lstrip("#"), given["emailId"])
            self.submissions.append(self.emails[key])
            answer["created"][name] = {"id": f"s{next(self.names)}"}
            patches[key] = (args.get("onSuccessUpdateEmail") or {}).get(f"#{name}", {})
        rest = [("Email/set", self.do_email_set({"update": patches}, created))] if patches else []
        return [("EmailSubmission/set", answer), *rest]
