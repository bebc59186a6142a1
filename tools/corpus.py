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


@dataclass
class Run:
    """What happened to each file."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    keys: dict[str, Path] = field(default_factory=dict)  # blob key → file

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
    """Open each email by the API and compare its download with what is in the bucket."""
    seen = set()
    for email_id in emails(user):
        try:
            opened = user.open(email_id)
            seen.add(hashlib.sha256(user.blob(opened["blobId"], "message/rfc822", "m.eml")).hexdigest())
            run.counts["opened"] += 1
        except (Refused, AssertionError) as error:
            run.fault(email_id, f"does not open: {error}")
    for key, path in run.keys.items():
        stored = cloud.s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read()
        if EICAR in stored:
            run.counts["virus, refused"] += 1
        elif hashlib.sha256(stored).hexdigest() not in seen:
            run.fault(path, "not the same by the API")


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
