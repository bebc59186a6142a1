"""Every message of a folder through the front door and back out of the API: `python -m tools.corpus FOLDER`.

Each file goes in by SMTP, or by the inbound path (bucket and topic) where SMTP cannot carry it: bare line
ends, lines over 998 octets, no closing line end. Each must be stored byte for byte and open by the API.
Prints the counts; exits 1 when anything fell short.
"""

import hashlib
import json
import re
import smtplib
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from tools.town import Mailbox, Refused, Town, running, until

SENDER = "corpus@far.test"
BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)|\x00|[^\r\n]{999}")
EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
AT_ONCE = 10  # emails asked for in one call
PLACED = ["id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt"]
WRITTEN = [
    *("messageId", "inReplyTo", "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject"),
    *("sentAt", "bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments", "hasAttachment"),
    *("preview", "headers", "header:Subject", "header:Subject:asText:all", "header:Received:asRaw:all"),
    *("header:From:asGroupedAddresses", "header:To:asAddresses:all", "header:References:asMessageIds:all"),
    *("header:Date:asDate:all", "header:List-Unsubscribe:asURLs", "header:X-Any:asText"),
]
OF_PARTS = [
    *("partId", "blobId", "size", "headers", "name", "type", "charset", "disposition", "cid", "language"),
    *("location", "subParts", "header:Content-Type", "header:Content-Disposition:asRaw:all"),
]
BODIES = {"bodyProperties": OF_PARTS, "fetchAllBodyValues": True, "fetchTextBodyValues": True}


@dataclass
class Run:
    """What happened to each file."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    keys: dict[str, Path] = field(default_factory=dict)  # key in the bucket → file
    blobs: dict[str, str] = field(default_factory=dict)  # email id → blob id
    names: dict[str, str] = field(default_factory=dict)  # email id → name of its file

    def fault(self, path: Path | str, what: str) -> None:
        """Note a shortcoming."""
        self.counts["wrong"] += 1
        self.wrong.append(f"{getattr(path, 'name', path)}: {what}")


class Cloud:
    """The AWS side of the local cloud, for what SMTP cannot carry and for what must be looked at below."""

    def __init__(self, town: Town) -> None:
        self.session = boto3.Session("local", "local", region_name="us-east-1")
        self.endpoint = f"http://{town.stack['aws']}"
        self.s3 = self.client("s3")
        [self.bucket] = [b["Name"] for b in self.s3.list_buckets()["Buckets"] if "mail" in b["Name"]]
        topics = self.client("sns").list_topics()["Topics"]
        [self.topic] = [t["TopicArn"] for t in topics if t["TopicArn"].endswith("mail-received")]

    def client(self, service: str) -> Any:
        """A boto3 client of the local endpoint."""
        return self.session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]

    def arrive(self, to: str, message: bytes) -> str:
        """Put a message where SES would, and say so as SES would. The blob key."""
        ses_id = uuid.uuid4().hex
        key = f"in/{ses_id}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=message)
        when = "2026-01-01T00:00:00.000Z"
        verdicts = {
            f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim", "dmarc")
        }
        action = {"type": "S3", "bucketName": self.bucket, "objectKey": key, "topicArn": self.topic}
        notice = {
            "notificationType": "Received",
            "mail": {"timestamp": when, "source": SENDER, "messageId": ses_id, "destination": [to]},
            "receipt": {"timestamp": when, "recipients": [to], **verdicts, "action": action},
        }
        self.client("sns").publish(TopicArn=self.topic, Message=json.dumps(notice))
        return key

    def dead_letters(self) -> int:
        """Messages in all dead letter queues."""
        sqs = self.client("sqs")
        queues = [url for url in sqs.list_queues().get("QueueUrls", []) if url.endswith("-dead")]
        asked = [
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in queues
        ]
        return sum(int(one["ApproximateNumberOfMessages"]) for one in asked)


def by_smtp(town: Town, to: str, message: bytes) -> str:
    """Deliver by SMTP; the blob key, from the id in the answer to DATA."""
    host, port = town.stack["smtp_in"].split(":")
    with smtplib.SMTP(host, int(port), local_hostname="client.test", timeout=60) as smtp:
        smtp.ehlo()
        smtp.mail(SENDER, ["BODY=8BITMIME"])
        smtp.rcpt(to)
        code, answer = smtp.data(message)
    if code != 250:
        raise smtplib.SMTPDataError(code, answer)
    return f"in/{answer.split()[-1].decode()}"


def deliver(town: Town, cloud: Cloud, to: str, path: Path, run: Run) -> None:
    """One file in, by the door that can carry it."""
    message = path.read_bytes()
    if BARE.search(message) or not message.endswith(b"\r\n"):
        run.counts["by the inbound path"] += 1
        key = cloud.arrive(to, message)
    else:
        run.counts["by SMTP"] += 1
        key = by_smtp(town, to, message)
    run.keys[key] = path
    stored = cloud.s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read()
    if not stored.endswith(message):
        run.fault(path, "not stored byte for byte")


def emails(user: Mailbox) -> Iterator[str]:
    """The ids of everything in inbox and junk."""
    for role in ("inbox", "junk"):
        where = {"inMailbox": user.folders()[role]["id"]}
        position = 0
        newest = [{"property": "receivedAt", "isAscending": False}]
        while ids := user.one("Email/query", filter=where, sort=newest, position=position, limit=100)["ids"]:
            yield from ids
            position += len(ids)


def total(user: Mailbox) -> int:
    """Emails in inbox and junk."""
    folders = user.folders()
    return int(folders["inbox"]["totalEmails"] + folders["junk"]["totalEmails"])


def read_back(user: Mailbox, cloud: Cloud, run: Run) -> None:
    """Ask all of each email by the API, and compare its download with what is in the bucket."""
    stored = {key: cloud.s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read() for key in run.keys}
    files = {hashlib.sha256(stored[key]).hexdigest(): path for key, path in run.keys.items()}
    seen = {}
    for email_id, blob in blobs(user):
        seen[email_id] = hashlib.sha256(user.blob(blob, "message/rfc822", "m.eml")).hexdigest()
        run.blobs[email_id] = blob
        run.names[email_id] = getattr(files.get(seen[email_id]), "name", email_id)
    ids = list(seen)
    for at in range(0, len(ids), AT_ONCE):
        ask(user, ids[at : at + AT_ONCE], run)
    for key, path in run.keys.items():
        if EICAR in stored[key]:
            run.counts["virus, refused"] += 1
        elif hashlib.sha256(stored[key]).hexdigest() not in seen.values():
            run.fault(path, "not the same by the API")


def blobs(user: Mailbox) -> Iterator[tuple[str, str]]:
    """Ids and blob ids of everything in inbox and junk."""
    ids = list(emails(user))
    for at in range(0, len(ids), 100):
        for email in user.one("Email/get", ids=ids[at : at + 100], properties=["blobId"])["list"]:
            yield email["id"], email["blobId"]


def ask(user: Mailbox, ids: list[str], run: Run) -> None:
    """All properties of some emails, as they are kept and as their blobs parse; one by one if that fails."""
    try:
        got = user.one("Email/get", ids=ids, properties=PLACED + WRITTEN, **BODIES)
        named = {run.blobs[id]: id for id in ids}
        parsed = user.one("Email/parse", blobIds=list(named), properties=WRITTEN, **BODIES)
    except (Refused, AssertionError) as error:
        if len(ids) > 1:
            for id in ids:
                ask(user, [id], run)
        else:
            run.fault(run.names[ids[0]], f"does not open: {str(error)[:500]}")
        return
    kept = {email["id"]: email for email in got["list"]}
    again = {named[blob]: email for blob, email in (parsed["parsed"] or {}).items()}
    for id in ids:
        for shown, wanted in ((kept.get(id), PLACED + WRITTEN), (again.get(id), WRITTEN)):
            if fault := wrong(shown, wanted):
                run.fault(run.names[id], fault)
        if {id} <= kept.keys() & again.keys():
            different = [name for name in COMPARED if kept[id][name] != again[id][name]]
            run.counts["opened"] += 1
            if different:
                run.fault(run.names[id], f"not the same when parsed: {different}")


COMPARED = [name for name in WRITTEN if name not in ("bodyStructure", "textBody", "htmlBody", "attachments")]


def wrong(email: dict[str, Any] | None, wanted: list[str]) -> str:
    """What is wrong with an email as it is shown; "": nothing."""
    if email is None:
        return "is not found"
    if missing := [name for name in wanted if name not in email]:
        return f"lacks {missing}"
    try:
        json.dumps(email, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "has text that is none"
    known = email["bodyValues"]
    parts = [part for name in ("textBody", "htmlBody") for part in email[name]]
    absent = [p["partId"] for p in parts if p["type"].startswith("text/") and p["partId"] not in known]
    return f"lacks the texts of {absent}" if absent else ""


def passed(folder: Path, run: Run, work: Path) -> None:
    """The whole run on a local cloud of its own."""
    with running(work) as town:
        cloud, user = Cloud(town), town.seeded()
        before = total(user)
        files = sorted(path for path in folder.iterdir() if path.suffix == ".eml")
        run.counts["messages"] = len(files)
        for path in files:
            try:
                deliver(town, cloud, user.address, path, run)
            except smtplib.SMTPException as error:
                run.fault(path, f"refused by SMTP: {error}")
        viruses = sum(EICAR in path.read_bytes() for path in files)
        wanted = before + len(run.keys) - viruses
        try:
            until(lambda: total(user) >= wanted, seconds=120)
        except AssertionError:
            run.fault("delivery", f"{total(user)} emails where {wanted} should be")
        read_back(user, cloud, run)
        run.counts["dead letters"] = cloud.dead_letters()
        log = (work / "local.log").read_text(errors="replace")
        run.counts["exceptions"] = log.count("Traceback (most recent call last)")


def main() -> int:
    """Run over the folder named on the command line."""
    folder, run = Path(sys.argv[1]), Run()
    with tempfile.TemporaryDirectory() as work:
        passed(folder, run, Path(work))
    for name, count in run.counts.items():
        print(f"{count:6} {name}")
    for line in run.wrong:
        print(f"  {line}")
    bad = run.counts["wrong"] + run.counts["dead letters"] + run.counts["exceptions"]
    print(f"corpus: {run.counts['opened']} opened, {bad} wrong")
    return 1 if bad or not run.counts["opened"] else 0


if __name__ == "__main__":
    sys.exit(main())
