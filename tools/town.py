"""A running local cloud, seen through its public ports alone: for end-to-end tests, corpus and bench."""

import base64
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[1]
PORTS = ("WEB", "SMTP_IN", "SUBMISSION", "SUBMISSIONS", "POP3", "POP3S", "DNS", "AWS", "SES")
USING = [
    "urn:ietf:params:jmap:core",
    "urn:ietf:params:jmap:mail",
    "urn:ietf:params:jmap:submission",
]
Json = dict[str, Any]
T = TypeVar("T")


class Refused(Exception):
    """An HTTP answer of 400 or above."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body[:500]!r}")
        self.status, self.body = status, body

    @property
    def problem(self) -> Json:
        """The RFC 9457 document."""
        return dict(json.loads(self.body))


def call(
    method: str,
    url: str,
    body: Any = None,
    *,
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """One HTTP exchange; JSON unless `body` is bytes. Raises Refused."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} if raw is not None else {}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, raw, {**sent, **(headers or {})}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(error.code, error.read()) from None


def get(url: str, *, token: str | None = None) -> Any:
    """A JSON document."""
    return json.loads(call("GET", url, token=token)[1])


def until(question: Callable[[], T], *, seconds: float = 30) -> T:
    """The first true answer; AssertionError when none came in time."""
    end = time.monotonic() + seconds
    while True:
        if answer := question():
            return answer
        assert time.monotonic() < end, f"still {answer!r} after {seconds} s"
        time.sleep(0.1)


@dataclass
class Mailbox:
    """A signed-in user of the mailbox API."""

    town: "Town"
    address: str
    token: str
    session: Json

    @property
    def account(self) -> str:
        """The account id of the mail capability."""
        return str(self.session["primaryAccounts"]["urn:ietf:params:jmap:mail"])

    def jmap(self, *calls: tuple[str, Json, str]) -> list[Any]:
        """Method responses of one request; `accountId` is filled in."""
        filled = [[name, {"accountId": self.account, **arguments}, tag] for name, arguments, tag in calls]
        body = {"using": USING, "methodCalls": filled}
        answer = json.loads(call("POST", self.session["apiUrl"], body, token=self.token)[1])
        return list(answer["methodResponses"])

    def one(self, name: str, **arguments: Any) -> Json:
        """The arguments of the one response to one call; AssertionError on a method error."""
        [[got, answer, _]] = self.jmap((name, arguments, "0"))
        assert got == name, answer
        return dict(answer)

    def folders(self) -> dict[str, Json]:
        """Folders by role (or by name where there is none)."""
        return {f["role"] or f["name"]: f for f in self.one("Mailbox/get", ids=None)["list"]}

    def listing(self, role: str = "inbox", limit: int = 50) -> list[Json]:
        """The newest emails of a folder, as a list shows them."""
        where = {"inMailbox": self.folders()[role]["id"]}
        newest = [{"property": "receivedAt", "isAscending": False}]
        back = {"resultOf": "q", "name": "Email/query", "path": "/ids"}
        answers = self.jmap(
            ("Email/query", {"filter": where, "sort": newest, "limit": limit}, "q"),
            ("Email/get", {"#ids": back, "properties": ROW}, "g"),
        )
        assert answers[1][0] == "Email/get", answers
        return list(answers[1][1]["list"])

    def wait_for(self, subject: str, role: str = "inbox", seconds: float = 30) -> Json:
        """The newest email with this subject, once it is there."""
        return until(
            lambda: next((row for row in self.listing(role) if row["subject"] == subject), {}),
            seconds=seconds,
        )

    def open(self, email: str) -> Json:
        """An email with all that a reader shows."""
        answer = self.one("Email/get", ids=[email], properties=OPEN, fetchAllBodyValues=True)
        assert answer["list"], answer
        return dict(answer["list"][0])

    def blob(self, blob: str, kind: str = "application/octet-stream", name: str = "blob") -> bytes:
        """A download, redirects followed."""
        url = self.session["downloadUrl"]
        values = {"accountId": self.account, "blobId": blob, "type": kind, "name": name}
        for key, value in values.items():
            url = url.replace("{" + key + "}", urllib.parse.quote(value, safe=""))
        return call("GET", url, token=self.token)[1]

    def upload(self, content: bytes, kind: str = "application/octet-stream") -> str:
        """The blob id of what was uploaded: directly when small, else by the presigned extension."""
        core = self.session["capabilities"]["urn:ietf:params:jmap:core"]
        if len(content) <= core["maxSizeUpload"]:
            url = self.session["uploadUrl"].replace("{accountId}", self.account)
            answer = call("POST", url, content, token=self.token, headers={"Content-Type": kind})
            return str(json.loads(answer[1])["blobId"])
        url = self.session["capabilities"][PRESIGNED]["uploadUrl"].replace("{accountId}", self.account)
        ticket = json.loads(call("POST", url, {"size": len(content), "type": kind}, token=self.token)[1])
        call(ticket["method"], ticket["url"], content, headers=ticket["headers"])
        return str(ticket["blobId"])

    def send(self, to: Sequence[str], subject: str, text: str, **more: Any) -> Json:
        """Compose and send; the created submission. `more` adds Email properties."""
        folders = self.folders()
        identity = self.one("Identity/get", ids=None)["list"][0]
        draft = {
            "mailboxIds": {folders["drafts"]["id"]: True},
            "keywords": {"$draft": True, "$seen": True},
            "from": [{"email": self.address, "name": identity["name"]}],
            "to": [{"email": address} for address in to],
            "subject": subject,
            "bodyValues": {"t": {"value": text}},
            "textBody": [{"partId": "t", "type": "text/plain"}],
            **more,
        }
        moved = {
            f"mailboxIds/{folders['drafts']['id']}": None,
            f"mailboxIds/{folders['sent']['id']}": True,
            "keywords/$draft": None,
        }
        submission = {"emailId": "#mail", "identityId": identity["id"]}
        answers = self.jmap(
            ("Email/set", {"create": {"mail": draft}}, "0"),
            (
                "EmailSubmission/set",
                {"create": {"sub": submission}, "onSuccessUpdateEmail": {"#sub": moved}},
                "1",
            ),
        )
        created = answers[1][1].get("created") if answers[1][0] == "EmailSubmission/set" else None
        if not created:
            raise Refused(200, json.dumps(answers).encode())
        return {**created["sub"], "emailId": answers[0][1]["created"]["mail"]["id"]}

    def fate(self, submission: str) -> Json:
        """The submission as its sender sees it."""
        return dict(self.one("EmailSubmission/get", ids=[submission])["list"][0])


PRESIGNED = "urn:x-mail:params:jmap:presigned-upload"
ROW = ["id", "threadId", "mailboxIds", "keywords", "receivedAt", "from", "to", "subject", "preview", "size"]
OPEN = [
    *ROW,
    "blobId",
    "messageId",
    "inReplyTo",
    "references",
    "bodyValues",
    "textBody",
    "htmlBody",
    "attachments",
]


@dataclass
class Town:
    """The ports of a running local cloud, from its stack.json."""

    stack: Json

    @property
    def web(self) -> str:
        """Origin of the web port, by address: names under localhost need no resolver that knows them."""
        return f"http://127.0.0.1:{urllib.parse.urlsplit(self.stack['api']).port}"

    @property
    def api(self) -> str:
        """The REST API, ends in /v1."""
        return f"{self.web}/v1"

    def key(self, reseller: int = 0) -> str:
        """A seeded reseller's API key."""
        return str(self.stack["resellers"][reseller]["api_key"])

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The control API under /local."""
        answer = call(method, f"{self.web}/local/{path}", body)[1]
        return json.loads(answer) if answer else None

    def advance(self, span: str) -> None:
        """Let time pass."""
        self.control("POST", "clock", {"advance": span})

    def dns(self, name: str, kind: str, *values: str) -> None:
        """Publish a record."""
        self.control("PUT", "dns", {"name": name, "type": kind, "values": list(values)})

    def remote(self, domain: str, behaviour: str) -> None:
        """How a domain outside answers from now on."""
        self.control("PUT", f"remote/{domain}", {"behaviour": behaviour})

    def outbox(self, to: str) -> list[Json]:
        """What the outside world received for an address; `bytes` is the message."""
        found = self.control("GET", f"outbox?to={urllib.parse.quote(to)}")
        rows = found["messages"] if isinstance(found, dict) else found
        return [{**row, "bytes": base64.b64decode(row["raw"])} for row in rows]

    def publish(self, domain: str, *, token: str) -> None:
        """Set every record that a domain's owner is asked to publish."""
        for record in get(f"{self.api}/domains/{domain}", token=token)["dns"]:
            self.dns(record["name"], record["type"], record["value"])

    def deliver(self, sender: str, to: Sequence[str], message: bytes) -> None:
        """Hand a message to the internet's side of the platform by SMTP."""
        host, port = self.stack["smtp_in"].split(":")
        with smtplib.SMTP(host, int(port), local_hostname="client.test", timeout=60) as smtp:
            smtp.sendmail(sender, list(to), message, mail_options=["BODY=8BITMIME"])

    def sign_in(self, address: str, password: str) -> Mailbox:
        """A session with the mailbox API. Raises Refused."""
        made = json.loads(call("POST", f"{self.api}/sessions", {"address": address, "password": password})[1])
        session = get(f"{self.web}/jmap/session", token=made["token"])
        return Mailbox(self, address, made["token"], session)

    def seeded(self, number: int = 0) -> Mailbox:
        """A seeded mailbox, signed in."""
        row = self.stack["mailboxes"][number]
        return self.sign_in(row["address"], row["password"])


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@contextmanager
def running(folder: Path, *, seconds: float = 90) -> Iterator[Town]:
    """A local cloud of its own on free ports, ended when the block ends. Its log is folder/local.log."""
    ports = {
        f"PLAINPOST_PORT_{name}": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)
    }
    environment = {**os.environ, **ports, "PLAINPOST_LOCAL_DIR": str(folder)}
    folder.mkdir(parents=True, exist_ok=True)
    described = folder / "stack.json"
    described.unlink(missing_ok=True)
    with (folder / "local.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            until(lambda: described.exists() or process.poll() is not None, seconds=seconds)
            assert process.poll() is None, (folder / "local.log").read_text()[-4000:]
            yield Town(json.loads(described.read_text()))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
