"""Emails as stored: nothing is lost, whatever a message holds, and a page stays cheap."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws.table import Item
from chalicelib.rules.values import Correspondent, Digest, NewEmail, Part, Verdicts
from chalicelib.store import mailbox_items as items
from chalicelib.store.packing import pack, pack_numbers, unpack, unpack_numbers
from tests.store.samples import ACCOUNT, new_email

TEXT = st.text(max_size=80)
IDS = st.lists(TEXT, max_size=3).map(tuple)
PEOPLE = st.lists(st.builds(Correspondent, TEXT, TEXT), max_size=4).map(tuple)
ZONES = st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))
PARTS = st.recursive(
    st.builds(
        Part,
        part_id=st.none() | TEXT,
        type=TEXT,
        charset=st.none() | TEXT,
        disposition=st.none() | TEXT,
        name=st.none() | TEXT,
        language=IDS,
        end=st.integers(0, 10**8),
        params=st.dictionaries(TEXT, TEXT, max_size=2),
    ),
    lambda inner: st.builds(Part, st.none(), TEXT, parts=st.lists(inner, max_size=3).map(tuple)),
    max_leaves=5,
)
DIGESTS = st.builds(
    Digest,
    subject=TEXT,
    from_=PEOPLE,
    to=PEOPLE,
    cc=PEOPLE,
    bcc=PEOPLE,
    reply_to=PEOPLE,
    sender=PEOPLE,
    message_id=IDS,
    in_reply_to=IDS,
    references=IDS,
    sent_at=st.none() | st.builds(datetime.fromtimestamp, st.integers(-(2**31), 2**32), tz=ZONES),
    preview=st.text(max_size=256),
    has_attachment=st.booleans(),
    structure=PARTS,
)


def stored(new: NewEmail) -> Item:
    return items.email_item(ACCOUNT, new, folder="f7", thread="t" * 17, uid=9) | {"modseq": 5}


@settings(deadline=None, max_examples=60)
@given(DIGESTS, st.booleans())
def test_an_email_comes_back_as_it_went(digest: Digest, authentic: bool) -> None:
    verdicts = Verdicts("FAIL", "PASS", "GRAY", "PASS", "PROCESSING_FAILED", authentic)
    new = new_email(3, digest=digest, verdicts=verdicts, keywords=frozenset({"$Seen", "a"}))
    email = items.item_email(stored(new))
    for name in {f.name for f in fields(Digest)} & {f.name for f in fields(email)} - {"preview"}:
        assert getattr(email, name) == getattr(digest, name), name
    assert digest.preview.startswith(email.preview)
    assert (email.verdicts, email.envelope_from) == (verdicts, new.envelope_from)
    assert (email.id, email.folder, email.uid, email.modseq) == (new.id, "f7", 9, 5)
    assert (email.received_at, email.size, email.blob) == (new.received_at, new.size, new.blob)
    assert email.keywords == {"$seen", "a"}
    assert email.whole


def test_long_lists_are_cut_in_the_row_but_not_in_the_record() -> None:
    many = tuple(
        Correspondent(f"Person {n * 7919 % 1000}", f"p{n * 7919 % 1000}@x{n}.test") for n in range(250)
    )
    item = stored(new_email(1, digest=replace(new_email(1).digest, to=many, subject="s" * 900)))
    row, cut = items.item_row(item)
    assert cut
    assert len(row.to) == items.CUT_PEOPLE
    assert len(item["row"]) <= items.ROW_BYTES
    email = items.item_email(item)
    assert (email.to, email.subject, email.whole) == (many, "s" * 900, True)


def test_previews_shrink_before_anything_else() -> None:
    chinese = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(256))
    item = stored(new_email(1, digest=replace(new_email(1).digest, preview=chinese)))
    row, cut = items.item_row(item)
    assert not cut
    assert 80 <= len(row.preview) < 256
    assert chinese.startswith(row.preview)


def deep(levels: int) -> Part:
    part = Part("1", "text/plain")
    for _ in range(levels):
        part = Part(None, "multipart/mixed", parts=(part,))
    return part


def wide(count: int) -> Part:
    leaves = tuple(Part(str(n), "image/png", name=f"{n * 2_654_435_761 % 2**32:x}.png") for n in range(count))
    return Part(None, "multipart/mixed", parts=leaves)


@pytest.mark.parametrize("structure", [deep(5_000), wide(3_000)])
def test_a_record_too_large_to_keep_says_so(structure: Part) -> None:
    email = items.item_email(stored(new_email(1, digest=replace(new_email(1).digest, structure=structure))))
    assert not email.whole
    assert email.subject == new_email(1).digest.subject
    assert email.envelope_from == new_email(1).envelope_from


@given(st.lists(st.integers(0, 315_537_897_599_999), min_size=2, max_size=5))
def test_moments_sort_as_text(milliseconds: list[int]) -> None:
    first = datetime(1, 1, 1, tzinfo=UTC)
    whole = [first + timedelta(milliseconds=ms) for ms in milliseconds]
    assert [items.text_time(items.time_text(m)) for m in whole] == whole
    assert sorted(whole) == [items.text_time(t) for t in sorted(items.time_text(m) for m in whole)]


@given(st.lists(st.integers(0, 2**70)))
def test_numbers_are_packed(numbers: list[int]) -> None:
    assert unpack_numbers(pack_numbers(numbers)) == numbers


def test_lone_surrogates_survive() -> None:
    assert unpack(pack(["\ud800", "é"])) == ["\ud800", "é"]
