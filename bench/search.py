"""Text search in mailboxes of several sizes, counted: `python -m bench.search --sizes 1000,20000,200000`.

Mailboxes are made up: words by Zipf's law from 300,000, some words of each message its own, one in fifty
Chinese. Their index is built by store.segments as merging would have left it, into a bucket in memory whose
every answer takes FIRST_BYTE; queries are whole requests of the mailbox API. Modelled latency: the time in
which any S3 answer was awaited, DynamoDB calls (one after the other) at DYNAMO each, and our own CPU.
"""

import argparse
import itertools
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.inside import VCPU, Bench, Count, bench
from chalicelib import mime
from chalicelib.jmap import core
from chalicelib.jmap.session import CORE, MAIL
from chalicelib.rules import words
from chalicelib.rules.ids import email_id
from chalicelib.rules.values import NewEmail
from chalicelib.services import finding, indexing, mailbox
from chalicelib.store import segments
from chalicelib.store.mailbox_items import email_item
from chalicelib.store.searchindex import Manifest, Part
from chalicelib.store.segments import Document

PRICES = {"put": 5e-6, "get": 4e-7, "write": 0.625e-6, "read": 0.125e-6, "second": 13.33e-6, "sqs": 0.4e-6}
VOCABULARY, EXPONENT = 300_000, 1.05
OWN = 4  # words that no other message has: numbers, parts of addresses of the web
CHINESE = 50  # one in so many
SENDERS = 2_000
START = datetime(2020, 1, 1, tzinfo=UTC)
LAYOUT = (32_768, 4_096, 512, 64)  # what merging eight to one leaves, at most seven of a size


# ---------------------------------------------------------------------------------------------- what is said
class Language:
    """Words, some much more usual than others, the same at every run."""

    def __init__(self) -> None:
        self.rng = random.Random(7)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        weights = list(itertools.accumulate(1 / (n + 1) for n in range(26)))
        made: dict[str, None] = {}
        while len(made) < VOCABULARY:
            length = min(3 + int(self.rng.expovariate(0.25)), 16)
            made["".join(self.rng.choices(letters, cum_weights=weights, k=length))] = None
        self.words = list(made)
        ranks = (1 / (rank + 2.7) ** EXPONENT for rank in range(VOCABULARY))
        self._weights = list(itertools.accumulate(ranks))
        self._signs = list(itertools.accumulate(1 / (rank + 5) for rank in range(3_000)))
        self.people = [f"{self.words[1_000 + n]} {self.words[9_000 + 7 * n]}" for n in range(SENDERS)]
        self._known = list(itertools.accumulate(1 / (n + 1) for n in range(SENDERS)))

    def text(self, count: int) -> list[str]:
        """Words as they come in texts."""
        return self.rng.choices(self.words, cum_weights=self._weights, k=count)

    def message(self, number: int) -> "Said":
        """What one message says."""
        sender = self.rng.choices(range(SENDERS), cum_weights=self._known)[0]
        count = min(int(self.rng.lognormvariate(4.8, 0.8)), 3_000)  # 120 words, sometimes thousands
        said = self.text(count) + [f"{number:x}q{own}" for own in range(OWN)]
        if not number % CHINESE:
            signs = self.rng.choices(range(3_000), cum_weights=self._signs, k=80)
            said.append("".join(chr(0x4E00 + 5 * sign) for sign in signs))
        if not number % 1_999:
            said.append("zyxrareword")
        return Said(self.people[sender], self.text(6), said)


@dataclass(frozen=True, slots=True)
class Said:
    """A message's words."""

    sender: str
    subject: list[str]
    body: list[str]

    def raw(self, number: int) -> bytes:
        """As it would have come: text and HTML."""
        name, text = self.sender, " ".join(self.body)
        cells = "".join(f'<td style="padding:4px 8px;font-family:Arial"><p>{w}</p></td>' for w in self.body)
        return (
            f"From: {name} <{name.replace(' ', '.')}@far.test>\r\nTo: me <me@x.test>\r\n"
            f"Subject: {' '.join(self.subject)}\r\nMessage-ID: <{number}@far.test>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
            f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
            "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
            f"<table><tr>{cells}</tr></table>\r\n--b--\r\n"
        ).encode()

    def fields(self) -> dict[str, int]:
        """Words with the fields they are in, as `indexing` finds them."""
        texts = {
            "from": f"{self.sender} {self.sender.replace(' ', '.')}@far.test",
            "to": "me me@x.test",
            "subject": " ".join(self.subject),
            "body": " ".join(self.body),
        }
        found: dict[str, int] = {}
        for name, text in texts.items():
            for word in words.kept(text):
                found[word] = found.get(word, 0) | indexing.FIELDS[name]
        return found


# ----------------------------------------------------------------------------------------------- the mailbox
def id_of(number: int) -> str:
    """A message's email id."""
    return email_id(str(number), "abench")


def time_of(number: int) -> datetime:
    """When a message came: some forty a day."""
    return START + timedelta(minutes=36 * number)


def segment(language: Language, first: int, count: int) -> bytes:
    """A part of so many messages."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number in range(count):
        for word, fields in language.message(first + number).fields().items():
            found.setdefault(word, []).append((number, fields))
    documents = [
        Document(id_of(first + n), int(time_of(first + n).timestamp() * 1_000)) for n in range(count)
    ]
    return segments.build(documents, ((word, found[word]) for word in sorted(found)))


def filled(made: Bench, language: Language, size: int) -> float:
    """Index a mailbox of this size; CPU seconds of the last merge of the largest parts."""
    parts: list[Part] = []
    first, merging = 0, 0.0
    for count in (n for n in LAYOUT for _ in range(size // n if n == LAYOUT[0] else 7)):
        if first + count > size:
            continue
        if count == LAYOUT[0]:
            smaller = [segment(language, first + at, LAYOUT[1]) for at in range(0, count, LAYOUT[1])]
            before = time.process_time()
            content = segments.merged(smaller)
            merging = time.process_time() - before
        else:
            content = segment(language, first, count)
        key = f"idx/abench/{len(parts)}"
        made.bucket.held[key] = content
        span = [int(time_of(n).timestamp() * 1_000) for n in (first, first + count - 1)]
        parts.append(Part(key, count, len(content), segments.directory_size(content), span[0], span[1]))
        first += count
    state = mailbox.state(made.p, made.account.id)
    made.p.indexes.save(made.account.id, Manifest(1, state.modseq, tuple(parts)))
    return merging


def place(made: Bench, ids: Sequence[str], numbers: dict[str, int]) -> None:
    """Records of those emails that a query will look at."""
    table = made.p.outbox._table
    for id in ids:
        raw = b"From: a@far.test\r\nTo: me@x.test\r\nSubject: a usual subject\r\n\r\n" + b"usual text " * 30
        new = NewEmail(id, None, "inbox", f"in/{id}", 40_000, time_of(numbers[id]), mime.digest(raw))
        item = email_item(made.account.id, new, folder="f1", thread=f"T{id[1:]}", uid=1)
        table.put(item | {"modseq": 1})


# --------------------------------------------------------------------------------------------------- queries
def queries(language: Language) -> dict[str, dict[str, str]]:
    """What is searched."""
    usual = language.words
    return {
        "rare word": {"text": "zyxrareword "},
        "common word": {"text": f"{usual[12]} "},
        "middling word": {"text": f"{usual[2_500]} "},
        "two words": {"text": f"{usual[120]} {usual[400]} "},
        "prefix": {"text": usual[300][:4]},
        "Chinese pair": {"text": chr(0x4E00) + chr(0x4E00 + 5)},
        "from: and word": {"from": f"{language.people[3]} ", "text": f"{usual[200]} "},
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One query at one size. `hits`: messages that hold all of it."""

    name: str
    size: int
    hits: int
    cold: Count
    warm: Count


def asked(made: Bench, name: str, size: int, filter: dict[str, str], numbers: dict[str, int]) -> Row:
    """A query twice: by a process that knows nothing, and by one that has the directories."""
    wanted = [term for field_, text in filter.items() for term in finding.terms(text, field_)]

    def choose(part: finding.Opened) -> set[int]:
        return set.intersection(*(set(part.found[term]) for term in wanted))

    opened = finding.look(made.p, made.account.id, wanted)
    hits = sum(len(choose(part)) for part in opened)
    place(made, [hit.id for hit in itertools.islice(finding.in_order(opened, choose), 256)], numbers)
    call = ["Email/query", {"accountId": made.account.id, "filter": filter, "limit": 50}, "q"]
    body = json.dumps({"using": [CORE, MAIL], "methodCalls": [call]}).encode()

    def ask() -> None:
        _, answer = core.handle(made.p, made.account, body, "https://mail.x.test")
        ids = answer["methodResponses"][0][1]["ids"]
        assert len(ids) == min(50, hits), (len(ids), hits)

    made.p.directories.forget_where(lambda _: True)
    return Row(name, size, hits, made.counted(ask), made.counted(ask))


def show(rows: Sequence[Row]) -> None:
    """The table."""
    warm, cold = f"{'S3 GETs':>9}{'KB':>7}{'ms':>6}", f"{'cold GETs':>11}{'KB':>7}{'ms':>6}"
    more = f"{'read units':>12}{'CPU ms':>8}{'$/million':>11}"
    print(f"\n{'search':15}{'messages':>9}{'hits':>8}{warm}{cold}{more}")
    for row in rows:
        one, first = row.warm, row.cold
        dollars = one.gets * PRICES["get"] + one.read * PRICES["read"]
        dollars += one.latency() / 1_000 * PRICES["second"]
        warm = f"{one.gets:>9}{one.octets / 1_024:>7.0f}{one.latency():>6.0f}"
        cold = f"{first.gets:>11}{first.octets / 1_024:>7.0f}{first.latency():>6.0f}"
        more = f"{one.read:>12.0f}{1_000 * one.cpu:>8.0f}{1e6 * dollars:>11.0f}"
        print(f"{row.name:15}{row.size:>9,}{row.hits:>8,}{warm}{cold}{more}")


# -------------------------------------------------------------------------------------------------- indexing
def indexed(language: Language, count: int = 512) -> tuple[Count, float]:
    """Index so many messages by the job, as they come 64 at a time; what it took, and octets a message."""
    with bench() as made:
        total = Count()
        for first in range(0, count, 64):
            items = [_arrived(made, language, first + n) for n in range(64)]
            for at in (0, 32):
                mailbox.add(made.p, made.account.id, items[at : at + 32], quota_bytes=None)
            part = made.counted(lambda: indexing.work(made.p, made.account.id), slow=False)
            for name in vars(total):
                setattr(total, name, getattr(total, name) + getattr(part, name))
        held = sum(len(made.bucket.held[p.key]) for p in indexing_parts(made))
        return total, held / count


def indexing_parts(made: Bench) -> Sequence[Part]:
    """Parts as they are named now."""
    manifest = made.p.indexes.get(made.account.id)
    assert manifest
    return manifest.parts


def _arrived(made: Bench, language: Language, number: int) -> NewEmail:
    raw = language.message(number).raw(number)
    blob = f"in/{number}"
    made.bucket.held[blob] = raw
    return NewEmail(id_of(number), None, "inbox", blob, len(raw), time_of(number), mime.digest(raw))


def show_indexing(count: Count, each: float, messages: int, merging: float) -> None:
    """What indexing costs."""
    tiers = sum(1 / tier for tier in LAYOUT[:2])  # merges of these sizes did not happen among so few
    gets, puts = count.gets / messages + 8 * tiers, count.puts / messages + tiers
    writes, cpu = count.write / messages, count.cpu / messages + 2 * merging / LAYOUT[0]
    dollars = gets * PRICES["get"] + puts * PRICES["put"] + writes * PRICES["write"]
    dollars += count.read / messages * PRICES["read"] + cpu / VCPU * PRICES["second"]
    dollars += 2 * PRICES["sqs"] / 64
    took = f"{gets:.3f} GETs, {puts:.4f} PUTs, {writes:.3f} write and {count.read / messages:.3f} read units"
    print(
        f"\nindexing a message: {took}, {1_000 * cpu:.1f} ms CPU; in a part of 512 it has {each:.0f} octets"
    )
    print(f"indexing 1,000 messages: ${1_000 * dollars:.5f}; the largest merge: {merging:.1f} s of CPU")


def main() -> int:
    """Run the bench at the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--sizes", default="1000,20000", help="messages in the mailbox")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    rows: list[Row] = []
    merging = 0.0
    for size in sizes:
        language = Language()
        with bench() as made:
            before = time.monotonic()
            merging = filled(made, language, size) or merging
            parts = indexing_parts(made)
            octets, heads = sum(p.size for p in parts), sum(p.head for p in parts)
            took = time.monotonic() - before
            each = f"{octets / size:.0f} octets each"
            print(f"{size:,} messages: {len(parts)} parts, {octets / 1e6:.1f} MB, {each}")
            print(f"    directories of {heads / 1_024:.0f} KB; built in {took:.0f} s")
            numbers = {id_of(n): n for n in range(size)}
            rows += [asked(made, name, size, f, numbers) for name, f in queries(language).items()]
    show(sorted(rows, key=lambda row: (list(queries(language)).index(row.name), row.size)))
    show_indexing(*indexed(Language()), 512, merging)
    return 0


if __name__ == "__main__":
    sys.exit(main())
