"""Fixtures of the store's tests."""

from typing import TYPE_CHECKING

import pytest

from chalicelib.aws.table import Table
from chalicelib.settings import Settings
from chalicelib.store.mailbox import MailboxStore
from tests.store.samples import ACCOUNT

if TYPE_CHECKING:
    from tests.cloud import Clock


@pytest.fixture
def table(settings: Settings) -> Table:
    """The mail table."""
    return Table(settings.mail_table)


@pytest.fixture
def store(table: Table, clock: "Clock") -> MailboxStore:
    """Mailboxes, with one that is empty."""
    assert clock.seconds
    made = MailboxStore(table)
    made.folders.create_account(ACCOUNT)
    return made
