"""A JMAP client in the test's own process."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import botocore.client

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.jmap import core
from chalicelib.jmap.session import BLOB, CONTACTS, CORE, MAIL, QUOTA, SUBMISSION, VACATION
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import Account, NewEmail
from chalicelib.services import mailbox
from tests.services.post import Post

Json = dict[str, Any]
Call = tuple[str, Json, str]
_numbers = itertools.count(1)
USING = [CORE, MAIL, SUBMISSION, QUOTA, CONTACTS, BLOB, VACATION]


@dataclass
class Client:
    """One account's view."""

    post: Post
    account: Account
    roles: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        folders = mailbox.folders(self.post.p, self.account.id)
        self.roles = {f.role: f.id for f in folders if f.role}

    # ------------------------------------------------------------ requests
    def send(self, body: Any) -> tuple[int, Json]:
        """Status and answer to any body."""
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = core.handle(self.post.p, self.account, octets, "https://mail.x.test")
        return status, json.loads(json.dumps(answer))

    def request(self, *calls: Call, **more: Any) -> list[Call]:
        """The answers to calls; the account's id is put into each."""
        full = [[name, {"accountId": self.account.id, **args}, id] for name, args, id in calls]
        status, answer = self.send({"using": USING, "methodCalls": full, **more})
        assert status == 200, answer
        return [(name, args, id) for name, args, id in answer["methodResponses"]]

    def call(self, name: str, **args: Any) -> Json:
        """The answer to one call, which must not be an error."""
        [(answered, answer, _), *_] = self.request((name, args, "0"))
        assert answered == name, answer
        return answer

    def error(self, name: str, **args: Any) -> Json:
        """The error that one call is answered with."""
        [(answered, answer, _)] = self.request((name, args, "0"))
        assert answered == "error", answer
        return answer

    def using(self, using: list[str], name: str, **args: Any) -> Json:
        """The answer, or the error, to one call of a request that uses these capabilities alone."""
        call = [name, {"accountId": self.account.id, **args}, "0"]
        return dict(self.send({"using": using, "methodCalls": [call]})[1]["methodResponses"][0][1])

    # ------------------------------------------------------------ mail
    def deliver(self, raw: bytes, role: str = "inbox", keywords: Mapping[str, bool] | None = None) -> str:
        """Put a message into a folder, as delivery does. A minute passes."""
        self.post.clock.advance(minutes=1)
        blob = f"in/{next(_numbers)}"
        self.post.p.blobs.put(blob, raw)
        id = email_id(blob, self.account.id)
        new = NewEmail(
            id=id,
            folder=None,
            role=role,
            blob=blob,
            size=len(raw),
            received_at=clock.now(),
            digest=mime.digest(raw),
            keywords=frozenset(keywords or {}),
        )
        [added] = mailbox.add(self.post.p, self.account.id, [new], quota_bytes=None)
        assert added.outcome == "added"
        return id

    def email(self, id: str, **args: Any) -> Json:
        """One email as Email/get shows it."""
        answer = self.call("Email/get", ids=[id], **args)
        [email] = answer["list"]
        return dict(email)

    def draft(self, **given: Any) -> Json:
        """The answer for one created email."""
        base = {"mailboxIds": {self.roles["drafts"]: True}, "keywords": {"$draft": True}}
        answer = self.call("Email/set", create={"d": base | given})
        assert answer["created"], answer["notCreated"]
        return dict(answer["created"]["d"])

    def refused(self, **given: Any) -> Json:
        """The SetError for one email that cannot be created."""
        base = {"mailboxIds": {self.roles["drafts"]: True}}
        answer = self.call("Email/set", create={"d": base | given})
        assert answer["notCreated"], answer
        return dict(answer["notCreated"]["d"])

    def raw(self, id: str) -> bytes:
        """The stored message."""
        return mailbox.open_raw(self.post.p, self.account.id, id)

    def state(self, kind: str = "Email") -> str:
        """The state of a type."""
        return str(self.call(f"{kind}/get", ids=[])["state"])


@contextmanager
def counted() -> Iterator[list[str]]:
    """Names of the AWS operations called meanwhile."""
    original: Any = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]
    calls: list[str] = []

    def call(client: Any, name: str, arguments: Any) -> Any:
        calls.append(name)
        return original(client, name, arguments)

    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", call):
        yield calls


def letter(subject: str = "Hello", body: str = "Hi there", **fields: str) -> bytes:
    """A simple message."""
    head = {"From": "Zoe <zoe@far.test>", "To": "uma@x.test", "Subject": subject} | {
        name.replace("_", "-"): value for name, value in fields.items()
    }
    lines = [f"{name}: {value}" for name, value in head.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
