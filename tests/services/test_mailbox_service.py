"""Mailboxes as the protocols see them: folders, raw messages, large records, counters repaired."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from chalicelib.aws.table import Update
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Account, Part
from chalicelib.services import mailbox, repair
from chalicelib.services.repair import Difference
from chalicelib.store.mailbox_state import state_key
from tests.services import folders
from tests.store.samples import ACCOUNT, new_email

if TYPE_CHECKING:
    from chalicelib.services.platform import Platform
    from tests.cloud import Clock

RAW = b"From: ann@x.test\r\nTo: bob@x.test\r\nSubject: raw\r\nCc: carl@x.test\r\n\r\nhello\r\n"


@pytest.fixture
def p(platform: "Platform") -> "Platform":
    """A platform with one mailbox."""
    mailbox.create(platform, Account(ACCOUNT, "dana@newdomain.test", "newdomain.test", 10**9))
    return platform


def kind(p: "Platform", folder: str, **change: str | None) -> tuple[str, str]:
    """What a folder's change is refused with: kind, and pointer or reason."""
    with pytest.raises(ServiceError) as refused:
        folders.change(p, ACCOUNT, folder, **change)
    faults = refused.value.faults
    return refused.value.kind, faults[0].pointer if faults else ""


def test_a_new_mailbox_has_folders_with_roles(p: "Platform") -> None:
    mailbox.create(p, Account(ACCOUNT, "dana@newdomain.test", "newdomain.test", 10**9))
    roles = [f.role for f in mailbox.folders(p, ACCOUNT)]
    assert roles == ["inbox", "drafts", "sent", "junk", "trash", "archive"]
    assert mailbox.changes(p, ACCOUNT, 0, kind="Mailbox").created == ("f1", "f2", "f3", "f4", "f5", "f6")


def test_folders_are_created_renamed_moved_and_destroyed(p: "Platform") -> None:
    work = folders.create(p, ACCOUNT, "Work")
    year = folders.create(p, ACCOUNT, "2026", parent=work.id, sort=3)
    assert folders.change(p, ACCOUNT, year.id, name="2027").parent == work.id
    moved = folders.change(p, ACCOUNT, year.id, parent=None)
    assert moved == next(f for f in mailbox.folders(p, ACCOUNT) if f.id == year.id)
    folders.change(p, ACCOUNT, year.id, parent=work.id)
    for folder, reason in ((work.id, "mailboxHasChild"), (year.id, "mailboxHasEmail")):
        mailbox.add(p, ACCOUNT, [new_email(1, folder=year.id)], quota_bytes=None)
        with pytest.raises(ServiceError) as refused:
            folders.destroy(p, ACCOUNT, folder)
        assert refused.value.extra["reason"] == reason
    mailbox.destroy(p, ACCOUNT, [new_email(1).id])
    folders.destroy(p, ACCOUNT, year.id)
    again = folders.create(p, ACCOUNT, "2027", parent=work.id)
    assert again.id not in (work.id, year.id)
    assert again.uidvalidity > year.uidvalidity  # the same name must not look like the same folder to IMAP


def test_folders_that_cannot_be(p: "Platform") -> None:
    work = folders.create(p, ACCOUNT, "Work").id
    below = work
    for level in range(2, 11):
        below = folders.create(p, ACCOUNT, f"Level {level}", parent=below).id
    with pytest.raises(ServiceError, match="at most 10 deep"):
        folders.create(p, ACCOUNT, "Level 11", parent=below)
    other = folders.create(p, ACCOUNT, "Other").id
    assert kind(p, work, parent=below) == ("invalid", "/parentId")
    assert kind(p, work, parent=work) == ("invalid", "/parentId")
    assert kind(p, work, parent=other) == ("invalid", "/parentId")  # its tenth level would be the eleventh
    assert kind(p, other, parent="f99") == ("invalid", "/parentId")
    assert kind(p, other, name="Work") == ("invalid", "/name")
    for name in ("", "  ", "a\nb", " a", "é" * 128):
        assert kind(p, other, name=name) == ("invalid", "/name")
    assert kind(p, "f1", parent=other)[0] == "forbidden"
    assert kind(p, "f99", name="x")[0] == "not_found"
    with pytest.raises(ServiceError, match="forbidden"):
        folders.destroy(p, ACCOUNT, "f5")


def test_a_message_is_opened_by_its_owner_alone(p: "Platform") -> None:
    new = new_email(1, blob=mailbox.keep_raw(p, RAW))
    [added] = mailbox.add(p, ACCOUNT, [new], quota_bytes=None)
    assert added.email
    assert mailbox.open_raw(p, ACCOUNT, added.email) == mailbox.open_raw(p, ACCOUNT, new.id) == RAW
    assert mailbox.owns_blob(p, ACCOUNT, new.blob)
    assert not mailbox.owns_blob(p, "anobody", new.blob)
    mailbox.destroy(p, ACCOUNT, [new.id])
    assert not mailbox.owns_blob(p, ACCOUNT, new.blob)
    with pytest.raises(ServiceError, match="not_found"):
        mailbox.open_raw(p, ACCOUNT, new.id)


def test_a_record_too_large_to_keep_is_read_from_the_message(p: "Platform") -> None:
    leaves = tuple(Part(str(n), "image/png", name=f"{n * 2_654_435_761 % 2**32:x}") for n in range(3_000))
    digest = replace(new_email(1).digest, structure=Part(None, "multipart/mixed", parts=leaves))
    new = new_email(1, digest=digest, blob=mailbox.keep_raw(p, RAW))
    mailbox.add(p, ACCOUNT, [new], quota_bytes=None)
    email = mailbox.get(p, ACCOUNT, [new.id])[new.id]
    assert email.whole
    assert (email.subject, email.cc[0].email, email.structure.type) == ("raw", "carl@x.test", "text/plain")
    assert (email.verdicts, email.uid) == (new.verdicts, 1)


def test_downloads_are_attachments_of_a_safe_type(p: "Platform") -> None:
    url = p.blobs.url("own/1", name='a"b\r\nSet-Cookie: x/é.html', type="text/html\r\nx", seconds=60)
    assert "attachment" in url
    assert "octet-stream" in url
    assert "%0D" not in url
    assert "X-Amz-Expires=60" in p.blobs.upload_url("up/x/1", 5, "image/png", seconds=60)
    p.blobs.put("own/1", b"0123456789")
    assert (p.blobs.head("own/1"), p.blobs.head("own/2")) == (10, None)
    assert p.blobs.get_range("own/1", 2, 5) == b"234"
    with pytest.raises(ServiceError, match="not_found"):
        p.blobs.get("own/2")
    with pytest.raises(ServiceError, match="not_found"):
        p.blobs.get_range("own/2", 0, 1)


def test_repair_reports_and_mends_what_differs(p: "Platform", clock: "Clock") -> None:
    mailbox.add(p, ACCOUNT, [new_email(n) for n in range(3)], quota_bytes=None)
    assert clock.seconds
    assert repair.check(p, ACCOUNT) == []
    spoilt = p.mailboxes.counted(ACCOUNT)
    spoilt.used, spoilt.tallies["f1"].unread, spoilt.tallies["f5"].threads = 1, 7, 2
    spoilt.tallies["f1"].uidnext = 2
    p.mailboxes._table.update(Update(state_key(ACCOUNT), set=spoilt.attributes()))
    wrong = [
        Difference("", "used", 1, 228_000),
        Difference("f1", "unread", 7, 3),
        Difference("f1", "uidnext", 2, 4),
        Difference("f5", "threads", 2, 0),
    ]
    assert repair.check(p, ACCOUNT) == wrong
    state = mailbox.state(p, ACCOUNT).types["Mailbox"]
    assert repair.check(p, ACCOUNT, mend=True) == wrong
    assert repair.check(p, ACCOUNT) == []
    assert mailbox.changes(p, ACCOUNT, state, kind="Mailbox").counts_only  # clients see it


def test_repair_of_a_mailbox_in_use_is_run_again(p: "Platform", monkeypatch: pytest.MonkeyPatch) -> None:
    real, numbers = p.mailboxes.items, iter(range(90))

    def items(acct: str, begins: str | None = None) -> object:
        found = list(real(acct, begins))
        if (number := next(numbers)) < limit:
            mailbox.add(p, ACCOUNT, [new_email(number)], quota_bytes=None)
        return iter(found)

    monkeypatch.setattr(p.mailboxes, "items", items)
    limit = 2
    assert repair.check(p, ACCOUNT) == []
    limit = 90
    with pytest.raises(ServiceError, match="unavailable"):
        repair.check(p, ACCOUNT)
